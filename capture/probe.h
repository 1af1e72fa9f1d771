/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * probe.h - the BPF object: choose programs for this kernel, load, attach,
 * explain failures in words that help, and read the ring.
 */
#ifndef EXECTRACE_PROBE_H
#define EXECTRACE_PROBE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct filters;
struct probe;
struct wire_counters;

struct probe_options {
	uint32_t ring_size;	/* bytes, a power of two, at least a page */
	uint32_t max_args;	/* bytes of argv kept per event */
	uint32_t max_env;	/* bytes of environment kept per event; 0: none is taken */
	bool no_failed;		/* leave failed execs out */
	bool no_fork;		/* leave forks out */
	uint64_t max_rate;	/* what each CPU may send before probe_allow; 0: all that there is */
	bool exec_duration;	/* see calls begin, to tell how long they took */
	bool follow;		/* only processes given to probe_follow and their descendants */
	const struct filters *filters;	/* resolved; all but pids hold for each event */
	uint32_t self;		/* pid of the recorder, never recorded; 0: none */
	const char *btf;	/* file with the kernel's types; NULL: the kernel's own */
};

/* Why a probe could not be opened: one clear line, and what to do. */
struct probe_error {
	char text[512];
};

/*
 * Opens, loads and attaches. On failure returns -1, fills err, and *out is NULL.
 */
int probe_open(const struct probe_options *opt, struct probe **out, struct probe_error *err);

/* Records pid and what it forks from now on. 1; 0: it was, or it has ended; or -errno. */
int probe_follow(struct probe *p, uint32_t pid);
bool probe_follows(const struct probe *p, uint32_t pid);
/* While processes that run already are found: see tree.h. */
void probe_seeding(struct probe *p, bool seeding);
/* How many are followed; read from a mapping. The last one's end wakes the reader. */
uint64_t probe_following(const struct probe *p);
/* How many can be. */
uint32_t probe_follow_max(const struct probe *p);

/* A ring record; data is borrowed during the call. Non-zero ends the reading. */
typedef int probe_fn(void *ctx, const void *data, size_t size);

/*
 * Hands on what lies in the ring, without waiting; not what comes in meanwhile.
 * Returns how many records, or what fn returned if that was negative.
 */
int probe_drain(struct probe *p, probe_fn *fn, void *ctx);

/*
 * Readable when the ring wants draining, until the next probe_drain. The programs
 * wake the reader when the ring is a quarter full, once for each drain, or at the
 * first event after probe_arm. How this cannot miss one: record.bpf.h, et_wake.
 */
int probe_fd(const struct probe *p);
/*
 * Asks for a wakeup at the next event, until the next probe_drain. False: something
 * is in the ring already, which may be a record still being written: drain again
 * soon. Only after true may the reader sleep without a timer.
 */
bool probe_arm(struct probe *p);

/*
 * With max_rate: failed execs and forks that may be sent from now on, in all, until called
 * again; what comes beyond is shed. CPUs of which something came since the last call share
 * them evenly, and each has one where there is any; the others may take as much as those,
 * so what was sent (probe_sent) can be more than what was allowed.
 */
void probe_allow(struct probe *p, uint64_t fails, uint64_t forks);
/* Events sent so far, by all CPUs. */
uint64_t probe_sent(const struct probe *p);

/* Nothing is in the ring, not even a record still being written. */
bool probe_is_idle(const struct probe *p);
/* A place behind all that is in the ring, and whether everything before one was drained. */
uint64_t probe_end(const struct probe *p);
bool probe_has_drained(const struct probe *p, uint64_t end);

/* No event comes in after this; what is in the ring can still be drained. */
void probe_detach(struct probe *p);

/* As ring_fill. */
void probe_ring_fill(const struct probe *p, uint64_t *used, uint64_t *peak);

unsigned probe_cpus(const struct probe *p);
/* Streams of numbered records, several of each CPU: that of number n is of CPU n % probe_cpus. */
unsigned probe_streams(const struct probe *p);
/* Counters of one stream, read from a mapping: takes no privilege. 0 or -errno. */
int probe_counters(const struct probe *p, unsigned stream, struct wire_counters *out);

/*
 * How often the kernel skipped a program, so far: at most as many events are missing, fewer
 * where the program would have had nothing to record. execs: how many of them are execs.
 * Takes no privilege.
 */
uint64_t probe_skipped(const struct probe *p, uint64_t *execs);

/* What serves on this kernel, a clause for --verbose and the capture. Static or owned by p. */
const char *probe_features(const struct probe *p);

void probe_close(struct probe *p);

#endif
