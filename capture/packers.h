/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * packers.h - threads that pack parcels while these wait for the writer thread.
 *
 * That thread packs itself what nobody has begun, and does it alone as long as it keeps
 * up. The others sleep, without timers, until parcels wait behind one another: each
 * that is added then wakes one of them. What is packed comes out in the order in which
 * it was offered, since the writer asks for its parcels one by one.
 */
#ifndef EXECTRACE_PACKERS_H
#define EXECTRACE_PACKERS_H

struct packers;
struct parcel;

#define PACKERS_MAX 16u

/*
 * n: how many threads may pack at once, the writer's among them; at most PACKERS_MAX.
 * level: of zstd. The others have dropped their privilege when it returns 0 or an errno.
 */
int packers_new(unsigned n, int level, struct packers **out);
/* Waits for the threads, which leave what was not begun. NULL is fine. */
void packers_free(struct packers *p);

/* From any thread: nobody may touch the parcel until it was finished. */
void packers_offer(struct packers *p, struct parcel *parcel);
/*
 * The writer thread's side, in the order of the offers: returns when the parcel's rows
 * are in parcel->packed, or the failure. While another thread has it, packs others.
 */
void packers_finish(struct packers *p, struct parcel *parcel);

#endif
