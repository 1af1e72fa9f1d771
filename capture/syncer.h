/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * syncer.h - when what was written to a file reaches the disk, so that it outlives the
 * machine and not only the recorder.
 *
 * A sync may take seconds. One that is due by time has a thread of its own, so that
 * neither the drain thread nor the writer waits for it; writing goes on meanwhile.
 */
#ifndef EXECTRACE_SYNCER_H
#define EXECTRACE_SYNCER_H

#include <stdbool.h>
#include <stdint.h>

/* When: ns that may pass between a write and the beginning of its sync, or */
#define SYNC_NEVER UINT64_MAX	/* there is no syncer then */
#define SYNC_CHUNK 0ull		/* at once after each record with rows */

struct syncer;

/*
 * fd: a file or block device. dir: the directory of its name, or -1; both are borrowed
 * until syncer_free. 0 or an errno.
 */
int syncer_new(int fd, int dir, uint64_t when, struct syncer **out);
/* From any thread: bytes were written; the file has got its name in dir. */
void syncer_wrote(struct syncer *s);
void syncer_named(struct syncer *s);
/* From the writer's thread: a record with rows was written. */
void syncer_rows(struct syncer *s);
/* Syncs what is written by now, whatever the time. */
void syncer_now(struct syncer *s);
/* The same for the last time, with the file's times: nothing more is written. */
void syncer_end(struct syncer *s);
/*
 * From the writer's thread: nothing more is written to the file, which is synced for the
 * last time; what follows goes to fd, whose name is new in dir. The old descriptor is not
 * used any more.
 */
void syncer_switch(struct syncer *s, int fd);
/* How many syncs have failed, of how many, and the first one's errno. */
struct syncer_report {
	unsigned failed, done;
	int error;
};
void syncer_report(struct syncer *s, struct syncer_report *out);
/* NULL is fine. */
void syncer_free(struct syncer *s);

#endif
