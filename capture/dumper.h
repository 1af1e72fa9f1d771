/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * dumper.h - writes what a recorder holds in memory to the next file of a series, in a
 * thread of its own, so that the recording does not wait for the disk.
 */
#ifndef EXECTRACE_DUMPER_H
#define EXECTRACE_DUMPER_H

#include <stdbool.h>
#include <stdint.h>

struct dumper;
struct flight;
struct flight_copy;
struct series;

/* How one went. */
struct dump {
	int error;		/* errno; 0: all of it is in the file */
	bool cut;		/* with an error: only some whole segments are */
	uint64_t bytes;		/* of the file; 0: there is none */
	char *path;		/* of the file; the caller's, NULL: no memory */
};

/*
 * All is borrowed until dumper_free; the series is the thread's until then. sync: files are
 * on the disk before they are told of. 0 or an errno.
 */
int dumper_new(struct series *series, struct flight *flight, bool sync, struct dumper **out);
/*
 * Writes it to a file, and takes it over. Waits while another one is being written. NULL:
 * there was no memory for it, which is then the result.
 */
void dumper_write(struct dumper *d, struct flight_copy *c);
/* Readable when one is done. */
int dumper_fd(const struct dumper *d);
/* The oldest that is done and was not taken yet; makes dumper_fd quiet. False: nothing. */
bool dumper_take(struct dumper *d, struct dump *out);
/* Waits until it is done with what it has. */
void dumper_finish(struct dumper *d);
void dumper_free(struct dumper *d);	/* NULL is fine */

#endif
