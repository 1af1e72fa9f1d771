/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ids.h - numbers whose names a capture should hold: users, groups and cgroups.
 *
 * The drain thread notes each number it has not met before; the writer thread looks
 * the names up just before it writes the events that carry the numbers.
 */
#ifndef EXECTRACE_IDS_H
#define EXECTRACE_IDS_H

#include <exectrace.h>

enum id_kind {
	ID_USER,
	ID_GROUP,
	ID_CGROUP,
	ID_KINDS
};

/* A set of numbers of one kind, open addressing. Start it zeroed. */
struct id_set {
	uint64_t *slots;	/* number + 1; 0: free */
	uint32_t used, size;	/* size: a power of two, or 0 */
};

/*
 * True if id was not in the set. Without memory to remember it, true as well: a
 * name is then looked up more than once.
 */
bool id_set_add(struct id_set *s, uint64_t id);
void id_set_free(struct id_set *s);

/* Numbers in the order they were met. Start it zeroed; a full memory leaves out. */
struct id_list {
	struct id {
		enum id_kind kind;
		uint64_t id;
	} *v;
	uint32_t n, size;
};

void id_list_free(struct id_list *l);

/* Appends to l what ev carries and seen does not hold yet. */
void ids_note(const struct et_event *ev, struct id_set seen[ID_KINDS], struct id_list *l);

#endif
