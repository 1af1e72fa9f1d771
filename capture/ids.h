/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ids.h - numbers in events that a capture should explain: users, groups and cgroups,
 * whose names it should hold, and executables.
 *
 * Each parcel of events has those that occur in it, once. What of them is in the file
 * already, the writer knows.
 */
#ifndef EXECTRACE_IDS_H
#define EXECTRACE_IDS_H

#include <exectrace.h>

enum id_kind {
	ID_USER,
	ID_GROUP,
	ID_CGROUP,
	ID_EXE,		/* as binaries.h numbers them */
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

struct id {
	enum id_kind kind;
	uint64_t id;
};

/* Numbers in the order they were met, each once. Start it zeroed; a full memory leaves out. */
struct ids {
	struct id_set seen[ID_KINDS];
	struct id *v;
	uint32_t n, size;
};

/* True if it is new. */
bool ids_add(struct ids *l, enum id_kind kind, uint64_t id);
/* Users, groups and cgroups of an event. */
void ids_note(struct ids *l, const struct et_event *ev);
/* Empties it and keeps its memory, unless that is much. */
void ids_clear(struct ids *l);
void ids_free(struct ids *l);

#endif
