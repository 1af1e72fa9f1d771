/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * record.bpf.h - one record at a time: put together in memory of this CPU, sent
 * whole, counted whatever becomes of it, and the reader woken when it is worth it.
 */
#ifndef EXECTRACE_RECORD_BPF_H
#define EXECTRACE_RECORD_BPF_H

#include "kernel.h"
#include "wire.h"

/*
 * All strings but argv fit at their longest, behind a wire_identity: filename and
 * two paths of PATH_MAX and an interpreter at binfmt_misc's limit. The whole scratch
 * has to stay below 32 KiB, the most that the kernel allows for a per-CPU value.
 */
#define PATH_SIZE 4096
#define INTERPRETER_SIZE 2048
#define PIECE_SIZE 256		/* NAME_MAX and a NUL */
#define FIXED_SIZE \
	((__u32)sizeof(struct wire_identity) + 3 * PATH_SIZE + INTERPRETER_SIZE + PIECE_SIZE)
#define CHUNK_SIZE 16384	/* of argv, read at once */
#define DATA_SIZE (FIXED_SIZE + CHUNK_SIZE)

#define POINTERS WIRE_SPAN_STRINGS	/* of the caller's argv, read at once */

/* Set by the recorder before loading; the object also works as it stands. */
const volatile __u32 max_args = 65536;
const volatile __u32 max_env;	/* 0: no environment */
const volatile __u64 wake_size = 256 * 1024;
/*
 * How full the ring may get by failed execs and by forks: the rest is for execs and exits.
 * To ask how full it is takes a failed exec no longer that could be measured (0.6 % of 500 ns),
 * a fork 14 ns.
 */
const volatile __u64 fails_room = 1024 * 1024;
const volatile __u64 forks_room = 1024 * 1024;
const volatile __u32 cpus;
const volatile bool settled;	/* fails and exits come by programs that nothing preempts */
const volatile bool paced;	/* et_allowed holds */

/*
 * How the reader is woken. Nobody is woken twice for one request, because a wakeup
 * costs more than an event, and no event waits for a reader that sleeps for good.
 *
 * et_wake is the reader's request, with a new number before each drain (FULL) and
 * whenever it wants to sleep (NEXT); only the reader writes it, through its mapping.
 * et_woken is the last request that was met; only programs write it, after the
 * record that wakes is in the ring. So et_woken == et_wake says that a wakeup went
 * out after the request was made. An old value that comes late costs a wakeup more.
 *
 * The reader sleeps without a timer only after it has stored NEXT, and then found
 * nothing in the ring, not even a record still being written; it takes no wakeup
 * back in between. What is reserved after that look was either judged by this
 * request, and wakes or has been preceded by one that did; or by an older one. Then
 * its program sees the new one in record_end: the record was in the ring (a full
 * barrier) before it looks at et_wake, and the reader had stored et_wake (a full
 * barrier) before it looked at the ring. The wakeup needs 16 bytes in the ring;
 * they lack only if records judged by the new request have filled it, and the first
 * of them woke. In a ring smaller than one record of each CPU the records judged by
 * the old one may do that; such a ring loses events in any case.
 *
 * A record that another CPU still writes keeps the reader from what lies behind it;
 * the reader then comes back by a timer.
 */
volatile __u64 et_wake;
volatile __u64 et_woken;

/*
 * What is being put together on a CPU. Loops keep their state here rather than
 * on the stack, so that the verifier does not follow it from round to round.
 */
struct scratch {
	__u64 busy;		/* programs that hold or want it: record_begin */
	__u32 diverted;		/* in the first: the second serves */
	__u32 stream;		/* whose numbers and counters: wire.h */
	__u32 kind;		/* enum wire_kind */
	__u32 flags;		/* enum wire_flag */
	__u32 part;		/* the next part's number */
	__u32 used;		/* bytes of data */
	__u32 failed;		/* a part found no room */
	__u32 path_start;	/* offset in data; path.bpf.h */
	__u64 ts;
	__u64 seq;

	/* The scheduler's clock: see record_clock. */
	__u64 clock_lag[2];	/* least seen in this window and in the one before */
	__u64 clock_window;	/* when this one began */
	__u64 unaccounted;	/* ns that the current thread ran since its sum was brought up */

	/* The walk up a path: path.bpf.h. */
	__u64 dentry;
	__u64 mount;
	__u64 mount_root;	/* its dentry */
	__u64 path_done;

	/* The walk through threads: group.bpf.h. */
	__u64 thread;		/* node in the list of threads */
	__u64 thread_head;	/* the list's own, where the walk ends */

	/* argv or the environment: argv.bpf.h. */
	__u32 list;		/* enum wire_list */
	__u32 left;		/* bytes of it that may still be taken */
	__u64 at;		/* next byte of the string at hand; 0: begin the next one */
	__u64 array;		/* the caller's pointers */
	__u32 narrow;		/* they are of 32 bits */
	__u32 count;		/* of them */
	__u32 next;		/* the one to take */
	__u32 loaded;		/* of pointers, those numbered below this are there */
	__u32 first;		/* number of pointers[0] */
	__u32 pad;
	__u64 pointers[POINTERS];
	__u32 pointers32[POINTERS];

	struct {
		struct wire_head head;
		struct wire_task task;
		union {
			struct wire_exit exit;
			struct {
				struct wire_exec exec;
				char data[DATA_SIZE];
			};
		};
	} rec;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1024 * 1024);
} et_events SEC(".maps");

/* Mapped by the recorder, which may have no right to system calls for BPF by then. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1024);	/* the recorder makes it one for each stream */
	__type(key, __u32);
	__type(value, struct wire_counters);
} et_counters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);		/* where paced, one for each CPU */
	__type(key, __u32);
	__type(value, struct wire_allowed);
} et_allowed SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);		/* where settled, else 1 */
	__type(key, __u32);
	__type(value, struct scratch);
} et_scratch SEC(".maps");

/*
 * Functions that are not static are verified once, on their own, whoever calls them and
 * how often, on every kernel that this object is for. So each round of a loop that can
 * be long is such a function. It may take only numbers, and finds the scratch itself.
 * Where more than LOOP rounds may be needed, such a function holds a loop of another
 * one: of each round the verifier keeps a branch in mind, and it allows 8192.
 */
#define LOOP 256

static __always_inline struct scratch *scratch_at(__u32 which)
{
	return bpf_map_lookup_elem(&et_scratch, &which);
}

static __always_inline struct scratch *scratch(void)
{
	struct scratch *s = scratch_at(0);

	return settled && s && s->diverted ? scratch_at(1) : s;
}

/* In one instruction that tells nothing: those that do came with Linux 5.12. */
static __always_inline void add(__u64 *to, __s64 n)
{
	asm volatile("lock *(u64 *)(%0 + 0) += %1" : : "r"(to), "r"(n) : "memory");
}

/*
 * Adds an entry that a map does not have yet. 0 or -errno, as int: before Linux 6.4
 * the kernel calls the map's own function, which leaves the upper half of the result
 * empty.
 */
static __always_inline int map_insert(void *map, const void *key, const void *value)
{
	return (int)bpf_map_update_elem(map, key, value, BPF_NOEXIST);
}

static __always_inline struct wire_counters *counters_of(__u32 stream)
{
	return bpf_map_lookup_elem(&et_counters, &stream);
}

static __always_inline struct wire_counters *counters(void)
{
	return counters_of(bpf_get_smp_processor_id());
}

static __always_inline void count_lost(struct wire_counters *c, enum wire_cause cause)
{
	add(&c->lost[cause], 1);
	if (!c->lost_since)
		c->lost_since = bpf_ktime_get_boot_ns();
}

/*
 * Whether one that would be recorded, a failed exec or a fork, is too many now; it is
 * counted as lost then. What the reader allows is a number of events sent, not a rate, so
 * that no clock is read here, and a reader that is late lets no more through.
 */
static __always_inline bool shed(enum wire_kind kind)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct wire_allowed *allowed;
	struct wire_counters *c;

	if (!paced)
		return false;
	allowed = bpf_map_lookup_elem(&et_allowed, &cpu);
	c = counters_of(cpu);
	if (!allowed || !c || c->sent < (kind == WIRE_FAIL ? allowed->fails : allowed->forks))
		return false;
	count_lost(c, WIRE_LOST_SHED);
	return true;
}

/*
 * Takes this CPU's scratch for an event; NULL when an interrupted program holds
 * it, and the event is then counted as lost.
 *
 * On older kernels (6.18 too) tracepoints run programs with preemption off, so that on one
 * CPU they nest and never alternate; newer ones (7.2) still keep them on their CPU. A
 * program that nothing preempts has a second scratch to go to, which no other can hold
 * meanwhile, and is numbered there as on another CPU.
 *
 * Of the first one, busy only changes in one instruction: each program counts itself in, and holds the scratch if it then finds itself alone. While
 * it does, its own count stands, and whoever comes finds at least two. Of programs
 * that alternate right here each may find the others and none get the scratch; those
 * are counted as lost like any that finds it taken, and none gets it beside another.
 * What is counted by those that do not hold it, the losses, goes the same way. The rest
 * of the counters belongs to the holder.
 */
static __always_inline struct scratch *record_begin(enum wire_kind kind)
{
	__u32 stream = bpf_get_smp_processor_id();
	struct scratch *s = scratch_at(0);
	struct wire_counters *c;

	if (!s)
		return NULL;
	add(&s->busy, 1);
	if (*(volatile __u64 *)&s->busy != 1) {
		add(&s->busy, -1);
		if (!settled || (kind != WIRE_FAIL && kind != WIRE_EXIT)) {
			c = counters();
			if (c)
				count_lost(c, WIRE_LOST_BUSY);
			return NULL;
		}
		s->diverted = 1;
		s = scratch_at(1);
		if (!s)
			return NULL;
		stream += cpus;
	}
	s->stream = stream;
	s->kind = kind;
	s->flags = 0;
	s->part = 0;
	s->used = 0;
	s->failed = 0;
	s->list = WIRE_LIST_ARGV;
	s->ts = bpf_ktime_get_boot_ns();
	return s;
}

#define CLOCK_WINDOW 1000000000ull
#define UNACCOUNTED_MAX 10000000ull	/* a tick at 100 Hz */

/*
 * The scheduler brings a thread's run time up to date only at ticks and switches,
 * so most short processes would end with none at all. exec_start says when it did
 * last, by a clock that programs cannot read. But that clock runs as fast as ours
 * and lags by the least difference ever seen, when it had just been brought up;
 * what a difference has beyond that is time not accounted for. The lag changes
 * slowly (NTP, time stolen by a host), so only this window counts and the one before
 * if it lies right before it: on a CPU that was quiet, what the clocks drifted apart
 * since would pass for run time. The result may be short by a little, never long.
 */
static __always_inline void record_clock(struct scratch *s, __u64 exec_start)
{
	__u64 lag = s->ts - exec_start, least;

	if (s->ts - s->clock_window > CLOCK_WINDOW) {
		s->clock_lag[1] = s->clock_window &&
					  s->ts - s->clock_window <= 2 * CLOCK_WINDOW ?
					  s->clock_lag[0] : lag;
		s->clock_lag[0] = lag;
		s->clock_window = s->ts;
	}
	if ((__s64)(lag - s->clock_lag[0]) < 0)
		s->clock_lag[0] = lag;
	least = s->clock_lag[0];
	if ((__s64)(s->clock_lag[1] - least) < 0)
		least = s->clock_lag[1];
	s->unaccounted = lag - least;
	if (s->unaccounted > UNACCOUNTED_MAX)
		s->unaccounted = UNACCOUNTED_MAX;
}

/* When the process of a thread began, ns of CLOCK_BOOTTIME. */
static __always_inline __u64 task_start(struct task_struct *t, const bool typed)
{
	return READ(typed, t, group_leader, start_boottime);
}

/* Typed, two loads: a helper takes longer than all the rest of a wire_task. */
static __always_inline void task_comm(struct wire_task *w, struct task_struct *t, const bool typed)
{
	READ_WORDS(typed, w->comm, t->comm);
}

static __always_inline void record_task(struct scratch *s, struct task_struct *t, __u32 tid,
					const bool typed)
{
	struct wire_task *w = &s->rec.task;
	struct cred *cred = READ(typed, t, cred);

	w->start = task_start(t, typed);
	w->cgroup = READ(typed, t, cgroups, dfl_cgrp, kn, id);
	w->pid = READ(typed, t, tgid);
	w->tid = tid;
	w->ppid = READ(typed, t, real_parent, tgid);
	w->uid = READ(typed, cred, uid.val);
	w->gid = READ(typed, cred, gid.val);
	w->euid = READ(typed, cred, euid.val);
	w->egid = READ(typed, cred, egid.val);
	w->pad = 0;
	task_comm(w, t, typed);
}

/* What a request asks for, unless it was met: enum wire_wake. */
static __always_inline __u32 wake_wanted(__u64 wake)
{
	return wake == et_woken ? WIRE_WAKE_NEVER : wake % WIRE_WAKE_STEP;
}

/* How full the ring may get by an event of this kind; 0: as full as it can. */
static __always_inline __u64 room_of(__u32 kind)
{
	return kind == WIRE_FAIL ? fails_room : kind == WIRE_FORK ? forks_room : 0;
}

/* Wakes the reader without a record: it skips what was discarded. */
static __always_inline void wake_now(__u64 wake)
{
	void *p = bpf_ringbuf_reserve(&et_events, sizeof(__u64), 0);

	if (p) {
		bpf_ringbuf_discard(p, BPF_RB_FORCE_WAKEUP);
		et_woken = wake;
	}
}

/*
 * Sends the part that starts at head. max is what is left of the scratch from
 * there on: a constant that the verifier can hold size against.
 */
static __always_inline void send(struct scratch *s, struct wire_head *head, __u64 size,
				 const __u64 max, bool last)
{
	struct wire_counters *c = counters_of(s->stream);
	__u64 wake = et_wake, room = room_of(s->kind), busy, shed, full = 0;
	__u32 wanted = wake_wanted(wake);
	long err;

	if (!c || s->failed)
		return;
	/* Once: they grow while we are preempted, and the number has to agree with them. */
	busy = *(volatile __u64 *)&c->lost[WIRE_LOST_BUSY];
	shed = *(volatile __u64 *)&c->lost[WIRE_LOST_SHED];
	if (!s->part) {
		s->seq = c->sent + c->lost[WIRE_LOST_RING] + busy + shed + 1;
		s->rec.head.kind = s->kind;
	} else {
		head->kind = WIRE_MORE;
	}
	head->flags = s->flags | (last ? 0 : WIRE_CONTINUED);
	head->cpu = s->stream;
	head->seq = s->seq;
	head->ts = s->ts;
	head->lost_since = c->lost_since;
	head->lost[WIRE_LOST_RING] = c->lost[WIRE_LOST_RING];
	head->lost[WIRE_LOST_BUSY] = busy;
	head->lost[WIRE_LOST_FOLLOW] = c->lost[WIRE_LOST_FOLLOW];
	head->lost[WIRE_LOST_SHED] = shed;
	head->part = s->part++;

	/* Hides where size comes from: else the compiler drops the verifier's check. */
	asm volatile("" : "+r"(size));
	if (size > max) {
		s->failed = 1;
		return;
	}
	if (room || wanted == WIRE_WAKE_FULL)
		full = bpf_ringbuf_query(&et_events, BPF_RB_AVAIL_DATA) + size;
	if (room && full > room) {
		s->failed = 1;
		return;
	}
	if (wanted == WIRE_WAKE_NEXT || (wanted == WIRE_WAKE_FULL && full >= wake_size)) {
		err = bpf_ringbuf_output(&et_events, head, size, BPF_RB_FORCE_WAKEUP);
		if (!err)
			et_woken = wake;
	} else {
		err = bpf_ringbuf_output(&et_events, head, size, BPF_RB_NO_WAKEUP);
	}
	if (err)
		s->failed = 1;
}

#define DATA_AT(s) __builtin_offsetof(typeof((s)->rec), data)

/* Sends what was put together so far; data is empty then. */
__noinline int record_part(bool last)
{
	struct scratch *s = scratch();
	const __u64 before = DATA_AT(s);
	__u64 used;

	if (!s)
		return 0;
	used = s->used;
	/* Further parts have their head right before data, over the first part's rest. */
	if (!s->part)
		send(s, &s->rec.head, before + used, before + DATA_SIZE, last);
	else
		send(s, (void *)(s->rec.data - sizeof(struct wire_head)),
		     sizeof(struct wire_head) + used, sizeof(struct wire_head) + DATA_SIZE, last);
	s->used = 0;
	return 0;
}

/* Gives the scratch back. */
static __always_inline void record_leave(struct scratch *s)
{
	struct scratch *first = settled ? scratch_at(0) : NULL;

	if (first && first->diverted)
		first->diverted = 0;
	else
		add(&s->busy, -1);
}

/* Counts the event and gives the scratch back. */
static __always_inline void record_end(struct scratch *s)
{
	struct wire_counters *c = counters_of(s->stream);
	__u32 failed = s->failed, wanted;
	__u64 wake;

	if (c && failed) {
		count_lost(c, WIRE_LOST_RING);
	} else if (c) {
		c->sent++;
		c->lost_since = 0;
	}
	record_leave(s);
	/*
	 * The reader may have asked after the look at et_wake and before the record
	 * was in the ring, when it saw none; or the event was larger than the rest
	 * of a ring that nobody empties.
	 */
	wake = et_wake;
	wanted = wake_wanted(wake);
	if (wanted == WIRE_WAKE_NEXT || (failed && wanted))
		wake_now(wake);
}

/* Sends a record without strings that is size bytes long. */
static __always_inline void record_send(struct scratch *s, const __u64 size)
{
	send(s, &s->rec.head, size, size, true);
	record_end(s);
}

#endif
