/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorded.h - the recording of a build, taken apart so that copies can be made of it.
 *
 * It has to be whole, and of a command all of whose processes have ended: then one
 * copy can follow another, and no two living processes have the same pid.
 */
#ifndef BENCH_RECORDED_H
#define BENCH_RECORDED_H

#include <exectrace.h>

#include "text.h"

#define NO_ID UINT32_MAX
#define TEXTS_MAX 8	/* fields of strings and lists */

struct recorded_row {
	struct et_event ev;	/* strings are in texts */
	/* Numbers of the build's own processes and threads; NO_ID: as in ev. */
	uint32_t id, tid, ppid;
	uint32_t longest;	/* of all its texts, bytes */
	uint32_t n_texts;
	struct text texts[TEXTS_MAX];
};

struct recorded {
	struct recorded_row *rows;	/* of the CHUNK records, in their order */
	uint32_t n;
	uint32_t n_ids;
	uint64_t first, last;		/* of all times in them */
	const char *root;		/* working directory of its first exec */
	uint64_t uid, gid;		/* of the first row: who made it */

	/* Of those that lived before and go on; their pids are not given to others. */
	struct et_event *procs;
	uint32_t n_procs;
	bool *stays;			/* by pid, below PID_MAX */

	struct et_context *names;
	uint8_t boot_id[16];
	struct et_clock started;
	const char *reason;		/* of END */
};

#define PID_MAX (1u << 22)	/* of Linux on 64 bits */

void recorded_read(const char *path, struct recorded *out);

#endif
