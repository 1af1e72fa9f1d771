/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * metrics.h - a file of figures for the textfile collector of Prometheus's node_exporter,
 * written anew at intervals. The recorder itself can make no file any more: a servant
 * replaces it, which has the directory open, none of the capabilities, and a filter of its
 * own.
 *
 * It is the text format that the collector reads (Prometheus's 0.0.4), not its successor
 * OpenMetrics, which names the families of counters otherwise: the collector would take
 * them for figures of no type.
 *
 * The file says exectrace_up 1 as long as the recorder lives, 0 when that was killed, and
 * is removed when the recording ends in order.
 */
#ifndef EXECTRACE_METRICS_H
#define EXECTRACE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

struct servant;

#define METRICS_TEXT 16384u /* bytes of the figures at most */

/* All borrowed but the text. */
struct metrics {
	const char *path;	/* NULL: there is no such file */
	uint64_t interval;	/* ns */
	struct servant *servant;
	uint64_t due;		/* ns of the boot clock; UINT64_MAX: the servant is gone */
};

/* In the servant: writes until fd ends. */
void metrics_serve(int fd);

/*
 * Hands the directory over and lets the file be written once, with nothing but
 * exectrace_up 0. 0, or an errno: it cannot be written there.
 */
int metrics_open(struct metrics *m);

/* When the file is to be written anew, ns of the boot clock; UINT64_MAX: never. */
uint64_t metrics_due(const struct metrics *m);
/*
 * Never waits: a servant that still writes gets these figures later, or not at all. Returns
 * 0, or the errno that the servant has met since the last time.
 */
int metrics_write(struct metrics *m, const char *text, uint64_t now);

/* Removes the file, and waits some seconds for that. 0 or an errno. */
int metrics_remove(struct metrics *m);

#endif
