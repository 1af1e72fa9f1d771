/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * btffile.h - the BTF of a kernel that has none itself, from a file: BTF as it is, or an
 * ELF file with a section .BTF. It is read once and checked; what the programs are
 * relocated by is that copy, whatever becomes of the file.
 */
#ifndef EXECTRACE_BTFFILE_H
#define EXECTRACE_BTFFILE_H

struct btf;
struct btffile;
struct probe_error;

/*
 * Refused where the recorder has more rights than its caller: what is in the file says
 * where in the kernel the programs read. On failure returns -1, fills err, and *out is
 * NULL.
 */
int btffile_open(const char *path, struct btffile **out, struct probe_error *err);

const struct btf *btffile_btf(const struct btffile *f);
/* By which the copy can be opened as long as f is open; and its name for people. */
const char *btffile_path(const struct btffile *f);
const char *btffile_name(const struct btffile *f);

void btffile_close(struct btffile *f);

#endif
