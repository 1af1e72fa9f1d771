/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exeset.h - the executables that belong into a segment: those that its rows name by
 * path, device and inode (SPEC.md 3.8). Each is given out once, and again when more is
 * known of it.
 */
#ifndef EXECTRACE_EXESET_H
#define EXECTRACE_EXESET_H

#include <exectrace.h>

struct exeset_entry;

/* Zero it is empty. */
struct exeset {
	bool all;    /* whether rows name them or not */
	void *named; /* trees: tsearch */
	void *known;
	size_t n_named;
	struct exeset_entry **waiting; /* known, in the order in which they came */
	size_t n_waiting, cap_waiting, given;
	struct et_exe *lent;
};

void exeset_free(struct exeset *s);
/* A row of the segment. -1: no memory. */
int exeset_note(struct exeset *s, const struct et_event *ev);
/* Takes of what a segment says the executables that were named so far. -1: no memory. */
int exeset_add(struct exeset *s, const struct et_context *from);
/*
 * Some executables to be written, n at most what a record holds; *n of 0: no more.
 * They are borrowed until the next call. -1: no memory.
 */
int exeset_take(struct exeset *s, const struct et_exe **out, size_t *n);
/* The same of all that wait, however many. */
int exeset_all(struct exeset *s, const struct et_exe **out, size_t *n);

#endif
