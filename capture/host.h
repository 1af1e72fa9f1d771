/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * host.h - what a capture says about the machine and the recording itself.
 */
#ifndef EXECTRACE_HOST_H
#define EXECTRACE_HOST_H

#include <exectrace.h>

struct options;

#define HOST_PAIRS 16

struct host {
	struct et_pair pairs[HOST_PAIRS];
	size_t n;
};

/*
 * Gathers the pairs of the HOST record. argv is the recorder's, features what
 * probe_features said. False: no memory; free it all the same.
 */
bool host_read(struct host *h, char **argv, const struct options *opt, const char *features);
void host_free(struct host *h);

/* The kernel's id of this boot; all zero when it cannot be read. */
void host_boot_id(uint8_t id[16]);

/* Where the default cgroup hierarchy is mounted; the caller's, NULL when nowhere. */
char *host_cgroup_mount(void);

/* This process sees the pids that the kernel's programs report. */
bool host_initial_pids(void);

#endif
