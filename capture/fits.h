/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fits.h - the recorder's half of the program et_fits (fits.bpf.h): makes the call that it
 * waits for, and compares what it read of this process with what this process knows of
 * itself. So BTF of another kernel is found out before anything is recorded by it.
 */
#ifndef EXECTRACE_FITS_H
#define EXECTRACE_FITS_H

#include <stdbool.h>
#include <stdint.h>

struct wire_fits;

/* By what the program knows this process. */
struct fits_identity {
	uint32_t pid;		/* in its pid namespace, which these two tell: */
	uint64_t ns_dev, ns_inode;
	uint64_t number;	/* of the call that it will make */
};

/* False: errno says why it cannot be told. */
bool fits_identify(struct fits_identity *out);

/*
 * The program is attached and writes to seen. NULL: all that it read is right; else what
 * is not. Static.
 */
const char *fits_compare(const volatile struct wire_fits *seen);

#endif
