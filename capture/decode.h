/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * decode.h - from the BPF programs' ring records (bpf/wire.h) to events.
 *
 * Pure: no descriptors, no system calls. Puts continued records together, turns
 * gaps in a CPU's sequence into lost events, and checks every length, so it can
 * be fuzzed with any bytes.
 */
#ifndef EXECTRACE_DECODE_H
#define EXECTRACE_DECODE_H

#include <exectrace.h>

struct decoder;
struct unpack_stamp;

/*
 * Receives each event in ring order; ev and its strings are borrowed during the
 * call, and it may set more fields of ev. Returns 0 to go on; anything else makes decode_record return it.
 */
typedef int decode_fn(void *ctx, struct et_event *ev);

/* cpus: how many possible CPUs there are; page_size: bytes. NULL: no memory. */
struct decoder *decoder_new(unsigned cpus, unsigned page_size, decode_fn *fn, void *ctx);
void decoder_free(struct decoder *d);

/* Of environments only what names ask for (envnames.h) comes out from now on. Borrowed. */
void decode_env(struct decoder *d, const char *names);

/*
 * One ring record. What was lost before it comes first, as events of their own,
 * one for each cause. A record that breaks wire.h becomes a lost event with cause
 * ET_CAUSE_UNREADABLE. Returns 0 or what fn returned.
 */
int decode_record(struct decoder *d, const void *data, size_t size);

/* Of the exec that the callback was given, while it runs. */
const struct unpack_stamp *decode_stamp(const struct decoder *d);

/*
 * Counters of a CPU as the kernel has them now, and the time of reading them:
 * places what was lost after the CPU's last record. Call it for each CPU when
 * the programs are detached and the ring is empty.
 */
struct wire_counters;
int decode_finish(struct decoder *d, unsigned cpu, const struct wire_counters *c, uint64_t now);

/* Events lost so far, by enum et_cause. */
const uint64_t *decode_lost(const struct decoder *d);

#endif
