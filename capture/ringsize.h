/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ringsize.h - how large the ring is when nobody says: from the number of CPUs, which all
 * put into it, and from the memory that there is.
 */
#ifndef EXECTRACE_RINGSIZE_H
#define EXECTRACE_RINGSIZE_H

#include <stdint.h>

/* Bytes, a power of two. memory: bytes. */
uint32_t ringsize_for(unsigned cpus, uint64_t memory);
/* The same for this machine. */
uint32_t ringsize_here(void);

#endif
