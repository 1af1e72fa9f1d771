/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * btfcheck.h - whether bytes are whole, sound BTF of this machine's byte order, before
 * anything that trusts them looks at them. The format is that of the kernel's
 * Documentation/bpf/btf.rst.
 */
#ifndef EXECTRACE_BTFCHECK_H
#define EXECTRACE_BTFCHECK_H

#include <stddef.h>

/* What is wrong, a clause to go behind a name ("is no BTF"); NULL: nothing. Static. */
const char *btfcheck(const void *data, size_t size);

#endif
