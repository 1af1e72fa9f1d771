/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * elfinfo.h - the build-id and the interpreter that an ELF file names.
 *
 * Files of anybody are read by a privileged process. So this reads what those two
 * need and no more (the header, program headers, notes, the interpreter's path, each
 * up to a limit), into memory of its own, and trusts no number in it. libelf would map
 * the file, which may then shrink under it, and looks at far more.
 */
#ifndef EXECTRACE_ELFINFO_H
#define EXECTRACE_ELFINFO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELFINFO_BUILD_ID_MAX 64
#define ELFINFO_INTERPRETER_MAX 4096

struct elfinfo {
	uint8_t build_id[ELFINFO_BUILD_ID_MAX];
	size_t build_id_len;		/* 0: none */
	char interpreter[ELFINFO_INTERPRETER_MAX];	/* NUL-terminated; empty: none */
};

/* Any class and byte order. False: it is no ELF file, or a broken one; out is empty then. */
bool elfinfo_read(int fd, struct elfinfo *out);

#endif
