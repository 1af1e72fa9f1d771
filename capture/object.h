/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * object.h - the BPF object: which of its programs serve on this kernel, what they are told
 * of it and of the options, and how they are attached.
 *
 * Its skeleton is somebody else's, who opens it, loads it between object_configure and the
 * rest, and destroys it, which detaches the programs.
 */
#ifndef EXECTRACE_OBJECT_H
#define EXECTRACE_OBJECT_H

#include <stdbool.h>
#include <stdint.h>

#include "skips.h"

struct bpf_link;
struct bpf_program;
struct btffile;
struct filters;
struct probe_bpf;
struct probe_error;
struct probe_options;

/* One of those of a program: see probe.bpf.c. */
struct object_entry {
	struct bpf_program *program;
	struct bpf_link **link;
};

#define OBJECT_PROGRAMS 5u

struct object {
	struct probe_bpf *skel;
	const struct btffile *given;	/* BTF of a file; NULL: the kernel's own serves */
	unsigned cpus;

	/* From object_configure on. */
	unsigned streams;	/* of numbered records: see probe_streams */
	struct object_entry entries[OBJECT_PROGRAMS];	/* those that serve */
	bool is_skipped_at;	/* tracepoints leave preemption on, and nothing is done about it */
	char features[256];	/* see probe_features */

	struct skips exec_skips, skips;	/* of the program that sees execs; of the others */
};

/* Each returns 0 or -errno; one that takes err has then said why. */

/* It is open, and not loaded. */
int object_configure(struct object *o, const struct probe_options *opt);
/* It is loaded; before programs are attached, so that no event is judged by half of them. */
int object_fill(struct object *o, const struct filters *f);
/* Before anything is recorded by BTF that was given: is it this kernel's? */
int object_judge(struct object *o, struct probe_error *err);
int object_attach(struct object *o, struct probe_error *err);

/* As probe_skipped. */
uint64_t object_skipped(const struct object *o, uint64_t *execs);
void object_close(struct object *o);

#endif
