/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * output.h - the file or pipe that a capture goes to: checked before anything
 * starts, opened when the programs are attached, kept when what a capture begins with
 * is in it, synced to the disk as --sync says, trimmed to whole records when a write
 * fails. What was not kept is gone after output_close, and a file that it was to
 * replace is as it was.
 *
 * It may be a series of files, of which each is written to its end before the next one
 * begins, or memory, out of which such files are written when somebody asks for them.
 *
 * The recorder runs as root and may write into directories where others can write:
 * nothing is followed, nothing that exists is opened, and a file of another name
 * takes the place of one that is to be replaced.
 */
#ifndef EXECTRACE_OUTPUT_H
#define EXECTRACE_OUTPUT_H

#include <exectrace.h>

#include "dumper.h"
#include "flight.h"
#include "syncer.h"

struct output;

/* One clause about what is wrong with the output, to be printed. */
struct output_error {
	char text[512];
	bool usage;		/* the mistake is in the command line */
};

/* Strings are borrowed until output_close. */
struct output_options {
	const char *path;	/* "-": standard output */
	bool force;
	uint64_t sync;		/* when, as in syncer.h */
	bool series;		/* path says what a series of files is called */
	uint64_t keep_files, keep_bytes;	/* of a series, as in series.h */
	bool in_memory;		/* and only written when asked for */
	struct flight_options flight;
};

/* Checks the path and holds its directory. *out is NULL on failure. */
bool output_check(const struct output_options *opt, struct output **out,
		  struct output_error *err);
/*
 * Creates the file, mode 0600, owned by the caller of sudo if there is one; under a
 * name nobody can guess when it is to replace another. filer: where filer_serve answers,
 * borrowed; for a series.
 */
bool output_open(struct output *o, int filer, struct output_error *err);
/* Gives the file its name for good. 0 or an errno; the second time does nothing. */
int output_keep(struct output *o);
bool output_kept(const struct output *o);

/*
 * For the writer's thread, when the next file of the series is to come, or the next segment
 * in memory. The first makes it: 0 or an errno as of series_why; what is written still goes
 * to the one before. The second goes to it, and what was written is complete; last: ns, of
 * its last event. Then it is told what came of it: NULL, what a capture begins with is in
 * it; else why it cannot be begun.
 */
int output_make_next(struct output *o);
void output_next(struct output *o, uint64_t last);
void output_told(struct output *o, const char *why_not);
/* From the same thread: the file at hand, in which nothing can be written, is removed. */
void output_abandon(struct output *o);
/*
 * In memory, from the writer's thread: all but what output_next began last goes to a file.
 * The result comes by output_dumps.
 */
void output_dump(struct output *o);
/* NULL: it is not in memory. */
struct dumper *output_dumps(const struct output *o);

/* An io for the writer. Its close does nothing: the output is closed on its own. */
void output_io(struct output *o, struct et_io *io);
/*
 * From any thread: a write that waits for a slow reader of a pipe fails with
 * ECANCELED, now and from now on.
 */
void output_cancel(struct output *o);
/* Cuts a regular file back to size bytes and stands there. 0 or an errno. */
int output_trim(struct output *o, uint64_t size);

/* From the writer's thread: what a capture begins with is written. */
void output_begun(struct output *o);
/* The same, with --sync; else they do nothing. What came until now: */
void output_sync_rows(struct output *o);	/* holds rows that are to be there now */
void output_sync_end(struct output *o);		/* was all */
/* From any thread. */
void output_sync_report(const struct output *o, struct syncer_report *out);

bool output_is_pipe(const struct output *o);
bool output_is_series(const struct output *o);
/* Files that were made so far. */
uint64_t output_files(const struct output *o);
/* Of a series that is written; of memory and of one file alone all is 0 and "". */
struct output_now {
	uint64_t files;		/* that were begun */
	uint64_t failures;	/* how often the next one could not be, */
	char why_not[128];	/* and why the last time: a clause */
	char path[4096];	/* of the one at hand */
};
/* From any thread. */
void output_now(struct output *o, struct output_now *out);
/* Can be cut back: a file, or memory. */
bool output_is_file(const struct output *o);
/* What to call it in a message. */
const char *output_name(const struct output *o);
/* The file at hand: from the writer's thread, or when that has ended. */
const char *output_path(const struct output *o);
/*
 * Closes the file. 0 or an errno: some file systems report a failed write only then.
 * *gone: it was created here, and its last name was removed meanwhile.
 */
int output_finish(struct output *o, bool *gone);
/* Frees; NULL is fine. */
void output_close(struct output *o);

#endif
