/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * writer.h - the thread that writes the capture: what a capture begins with, then
 * the parcels of the queue, then its end; and where a recording goes on in other files, or
 * in memory, when the next one begins.
 *
 * It waits for the disk so that the drain thread never has to. After a failed write
 * it goes on to take parcels, and counts what was in them as lost. A file that was cut
 * back to its last whole record then says so itself. A recording of several files tries
 * again from time to time, and goes on when it can. When /proc is read, the thread drops
 * its privilege.
 */
#ifndef EXECTRACE_WRITER_H
#define EXECTRACE_WRITER_H

#include <exectrace.h>

#include "notes.h"
#include "snapshot.h"

struct binaries;
struct output;
struct queue;
struct writer;

enum writer_state {
	WRITER_STARTING,	/* writes what a capture begins with */
	WRITER_RUNNING,		/* takes parcels */
	WRITER_BLOCKED,		/* takes parcels and drops them, until it can write again */
	WRITER_FAILED,		/* the same, for good */
	WRITER_DONE,		/* everything is written, or counted; the thread ends */
};

/* All pointers are borrowed until writer_close. */
struct writer_setup {
	struct output *output;
	struct queue *queue;
	struct binaries *binaries;
	struct et_writer_options options;
	const struct et_pair *pairs;	/* of HOST */
	size_t n_pairs;
	int names;		/* servant of the names; -1: none */
	bool with_snapshot;
	struct snapshot_options snapshot;
	bool several;		/* the output is a series, or memory; then: */
	/*
	 * Another file, or segment in memory, begins when this one has so many bytes, or is so
	 * many ns old; 0: not for that.
	 */
	uint64_t cut_bytes, cut_age;
	bool everything;	/* all processes are recorded */
};

/* How it went; valid when the state is WRITER_DONE. */
struct writer_report {
	struct et_writer_stats stats;
	struct et_error error;	/* code ET_OK: none */
	uint64_t unwritten;	/* events that did not come into the file */
	bool ended;		/* the file has an END, which says how many */
	uint64_t segments;	/* captures that were begun */
	int trim_error;		/* errno: the file ends in part of a record */
	int snapshot_error;	/* errno: /proc could not be read */
};

/* 0 or an errno. */
int writer_start(const struct writer_setup *setup, struct writer **out);
enum writer_state writer_state(const struct writer *w);
/* Becomes readable when the state has changed; writer_fd_clear makes it quiet. */
int writer_fd(const struct writer *w);
void writer_fd_clear(struct writer *w);
/* Written so far, bytes. */
uint64_t writer_bytes(const struct writer *w);
/* Takes the next thing that the user should know: a clause. False: there is none. */
bool writer_take_note(struct writer *w, char note[NOTE_SIZE]);
/*
 * What END is to say; reason is borrowed. To be called before the queue is closed,
 * which is what ends the thread.
 */
void writer_set_end(struct writer *w, struct et_clock ended, const uint64_t lost[ET_CAUSE_END],
		    const char *reason);
void writer_report(const struct writer *w, struct writer_report *out);
/* Waits for the thread; the queue must be closed. NULL is fine. */
void writer_close(struct writer *w);

#endif
