/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * skips.h - how often the kernel did not run a BPF program when its tracepoint was hit.
 *
 * It does so where the CPU is in that very program already: one that was preempted, which
 * is possible where tracepoints leave preemption on (Linux 7.2), or interrupted. The kernel
 * counts it (kernel/trace/bpf_trace.c, __bpf_trace_run), and tells that in
 * /proc/self/fdinfo, which takes no privilege to read.
 */
#ifndef EXECTRACE_SKIPS_H
#define EXECTRACE_SKIPS_H

#include <stdint.h>

#define SKIPS_MAX 8u

struct skips {
	int fds[SKIPS_MAX];
	unsigned n;
};

/*
 * Adds a file of /proc/self/fdinfo. Opened now: later there may be no way to. 0 or -errno.
 * Kernels before 5.12 neither skip nor count; their files add 0.
 */
int skips_watch(struct skips *s, const char *path);
/* The sum over all, so far: one read of each. */
uint64_t skips_read(const struct skips *s);
void skips_close(struct skips *s);

#endif
