/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * segments.h - what there is in the captures that are to become another: a look
 * at all heads before the first event is read.
 *
 * A segment is one recording. Those of one boot share its clock and can become one;
 * they are a group here. Within a group, segments that do not overlap in time follow
 * each other, so that however many there are, few have to be open at once.
 */
#ifndef EXECTRACE_SEGMENTS_H
#define EXECTRACE_SEGMENTS_H

#include <exectrace.h>

#include "ledger.h"
#include "source.h"
#include "spool.h"

struct segment {
	unsigned file;		/* index of its capture */
	unsigned number;	/* of all, in the order of the captures: who comes first rules */
	uint64_t at, size;	/* where in the capture */
	uint8_t boot_id[16];
	struct et_clock started;
	bool has_started;
	uint64_t rows, events;	/* as the heads count them; events: but for those of kind lost */
	uint64_t ts_min, ts_max; /* of them */
	unsigned group;		/* ascending with the array */
	size_t entry;		/* in the ledger: copies have the same */
	bool has_series;	/* of a recording of several, SPEC.md 3.2 */
	uint8_t series[8];
	uint64_t nth;		/* its number there */
};

struct capture {
	struct spool spool;
	int64_t start;		/* wall time of its first moment, for relative times */
	int32_t offset;		/* its zone */
};

#define SEGMENTS_STRANGE 8

struct segments {
	struct capture *captures;
	size_t n_captures;
	struct segment *v;	/* by group, in it by time */
	size_t n, cap;
	uint64_t bytes;		/* of all captures */
	uint64_t rows, events;	/* of all segments */
	char *strange[SEGMENTS_STRANGE]; /* what of a later version cannot be written */
	unsigned n_strange;
	struct ledger *ledger;
	struct ledger_series *series; /* which segments there are of recordings of several */
	size_t n_series;
};

/*
 * Opens the captures, and reads nothing of them: afterwards no file has to be opened
 * any more. -1 fills *why; segments_close is due in any case.
 */
int segments_open(char *const *names, size_t n, struct segments *out, struct reason *why);
/*
 * Looks through them. Of copies of a segment the one with the most rows is taken. join:
 * segments of one boot become a group, groups come in the order of their beginnings; else
 * each is a group of its own. -1 fills *why.
 */
int segments_look(struct segments *s, bool join, struct reason *why);
void segments_close(struct segments *s);
/* Whether segments of a recording are missing between some of [first, end). */
bool segments_lack(const struct segments *s, size_t first, size_t end);
/* The segments from first on that belong together and overlap in time: one behind them. */
size_t segments_overlap(const struct segments *s, size_t first);
/* A reader of one segment. */
int segments_read(const struct segments *s, size_t i, struct source **out, struct reason *why);
/* Notes something that cannot be written, each once. */
void segments_note(struct segments *s, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

#endif
