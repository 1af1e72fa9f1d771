/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * wire.h - what the BPF programs put into the ring buffer, in the machine's own
 * byte order. Shared by probe.bpf.c and capture/decode.c; never stored as such.
 *
 * Every struct has a fixed size, no hidden padding, and every byte of it is set
 * before it is sent.
 */
#ifndef EXECTRACE_WIRE_H
#define EXECTRACE_WIRE_H

#ifdef __bpf__
typedef unsigned char wire_u8;
typedef unsigned short wire_u16;
typedef unsigned int wire_u32;
typedef unsigned long long wire_u64;
typedef long long wire_i64;
#else
#include <stdint.h>
typedef uint8_t wire_u8;
typedef uint16_t wire_u16;
typedef uint32_t wire_u32;
typedef uint64_t wire_u64;
typedef int64_t wire_i64;
#endif

enum wire_kind {
	WIRE_EXEC = 1,
	WIRE_FAIL = 2,
	WIRE_FORK = 3,
	WIRE_EXIT = 4,
	WIRE_MORE = 5,		/* the next part of the event before it on this CPU */
};

enum wire_flag {
	WIRE_ARGV_TRUNCATED = 1,	/* cut at the cap; argc and argv_size tell what was there */
	WIRE_ARGV_UNREADABLE = 2,	/* the caller's memory could not be read beyond this */
	WIRE_CWD_PARTIAL = 4,		/* the walk ended before the root */
	WIRE_EXE_PARTIAL = 8,
	WIRE_ARGC_KNOWN = 16,
	WIRE_CONTINUED = 32,		/* a WIRE_MORE follows: the event does not end here */
	WIRE_ENV = 64,			/* this part and those behind it hold environment */
	WIRE_ENV_TRUNCATED = 256,	/* the same as those of argv */
	WIRE_ENV_UNREADABLE = 512,
	WIRE_ENVC_KNOWN = 4096,
};

/* How far up the flags of a list are from those of argv. */
enum wire_list {
	WIRE_LIST_ARGV = 0,
	WIRE_LIST_ENV = 8,
};

enum wire_cause {
	WIRE_LOST_RING = 0,		/* the ring had no room */
	WIRE_LOST_BUSY = 1,		/* the CPU's scratch was in use by an interrupted program */
	WIRE_LOST_FOLLOW = 2,		/* a process that could not be followed: see below */
	WIRE_LOST_SHED = 3,		/* more came in than the recorder was asked to take */
	WIRE_LOST_CAUSES = 4,
};

/*
 * Starts every record.
 *
 * seq numbers what happened on this CPU and passed the filter, kept or not, from
 * 1. lost counts what was lost on this CPU up to here, by cause, modulo 2^32. So
 * between two neighbours on one CPU, seq rises by 1 plus what lost[RING], lost[BUSY]
 * and lost[SHED] rose by: each gap has a place, an exact size and exact causes.
 *
 * lost[FOLLOW] counts new processes for which the set of followed ones had no
 * room. Their fork was sent; what they went on to do is not even counted.
 *
 * An event in parts is one event with one seq. Parts of different CPUs may lie
 * between each other, those of one CPU follow directly. When a part finds no
 * room, the whole event counts as lost and no further part is sent.
 */
struct wire_head {
	wire_u16 kind;		/* enum wire_kind */
	wire_u16 cpu;		/* or, of its second scratch, that + the number of CPUs */
	wire_u16 part;		/* 0, and in WIRE_MORE 1, 2, ... */
	wire_u16 flags;		/* enum wire_flag; of all parts together */
	wire_u64 seq;
	wire_u64 ts;		/* ns, CLOCK_BOOTTIME */
	wire_u64 lost_since;	/* when the first loss since the last event sent was; or 0 */
	wire_u32 lost[WIRE_LOST_CAUSES];
};
_Static_assert(sizeof(struct wire_head) == 48, "wire_head");

/* Follows the head in all but WIRE_MORE: the process the event is about. */
struct wire_task {
	wire_u64 start;		/* ns, CLOCK_BOOTTIME */
	wire_u64 cgroup;	/* id in the default hierarchy */
	wire_u32 pid;		/* all ids are those of the initial namespaces */
	wire_u32 tid;
	wire_u32 ppid;
	wire_u32 uid;
	wire_u32 gid;
	wire_u32 euid;
	wire_u32 egid;
	wire_u32 pad;
	char comm[16];		/* ended by a NUL unless full */
};
_Static_assert(sizeof(struct wire_task) == 64, "wire_task");

/* Instead of a length in wire_exec: */
#define WIRE_NONE 0xffff	/* there is no such string, or it could not be read */
#define WIRE_IN_SPAN 0xfffe	/* filename: one more string of the span */

#define WIRE_SPAN_STRINGS 32	/* the most pointers in one record */

/*
 * WIRE_EXEC: head, task, this, a wire_identity, then the strings: filename,
 * interpreter, exe and cwd, of the lengths given here, and argv, which takes the
 * rest of the record and of the WIRE_MORE records behind it, up to the first with
 * WIRE_ENV.
 *
 * argv is its arguments one after another, each ended by a NUL; the last one
 * may lack it where a flag says that argv was cut.
 *
 * WIRE_FAIL: the same without a wire_identity and with filename and argv alone;
 * interpreter, exe and cwd are WIRE_NONE. When span is not 0, argc pointers (u64,
 * as the caller passed them) lie before filename, and argv is the caller's memory
 * from address span on: argument i is the string at pointer i. The last byte is a
 * NUL, and no pointer leads out of it. A filename that lies in the same memory has a pointer
 * behind the others instead of a string. The reader cuts the strings apart: one
 * copy from the caller is several times cheaper than one for each.
 */
struct wire_exec {
	wire_u64 span;
	wire_u64 duration;	/* ns since the call began; 0: not known */
	wire_u32 error;		/* WIRE_FAIL: errno, positive */
	wire_u32 argc;		/* true number of arguments, if WIRE_ARGC_KNOWN */
	wire_u32 argv_size;	/* true size of argv with its NULs, bytes; 0: not known */
	wire_u32 argv_max;	/* the cap on argv that holds, bytes */
	wire_u16 filename_len;	/* without NUL */
	wire_u16 interpreter_len;
	wire_u16 exe_len;	/* paths are pieces from the last component to the first: */
	wire_u16 cwd_len;	/* each piece a name and a NUL; none at all is the root */
};
_Static_assert(sizeof(struct wire_exec) == 40, "wire_exec");

enum wire_identity_flag {
	WIRE_SECURE_EXEC = 1,	/* the kernel sets AT_SECURE for it */
	WIRE_EXE_DELETED = 2,	/* the file has no name any more */
	WIRE_EXE_MEMFD = 4,
};

/* Instead of a number that the kernel does not have, here and in wire_exit: */
#define WIRE_UNKNOWN 0xffffffff
#define WIRE_UNKNOWN_64 0xffffffffffffffff

/* The initial pid namespace has this inode on every kernel (include/linux/proc_ns.h). */
#define WIRE_PID_NS_INIT 0xeffffffc

/* Of a new program: with whose right it runs, where it is, and from what file. */
struct wire_identity {
	wire_u64 exe_inode;
	wire_u64 exe_size;
	wire_i64 exe_mtime;	/* ns, CLOCK_REALTIME */
	wire_u32 exe_dev;	/* of its file system: major << 20 | minor */
	wire_u32 flags;		/* enum wire_identity_flag */
	wire_u32 login_uid;	/* WIRE_UNKNOWN: nobody logged in */
	wire_u32 session;
	wire_u32 pid_ns;	/* inodes, as in /proc/PID/ns */
	wire_u32 mnt_ns;
	wire_u32 user_ns;
	wire_u32 net_ns;
	wire_u32 ns_pid;	/* in pid_ns */
	wire_u32 pad;
	char tty[32];		/* the kernel's name of it, ended by a NUL; empty: none */
};
_Static_assert(sizeof(struct wire_identity) == 96, "wire_identity");

/*
 * WIRE_MORE: head, then further bytes of argv. The first with WIRE_ENV has a wire_env
 * and then, as those behind it, the environment: strings in the way of argv.
 */
struct wire_env {
	wire_u32 count;		/* as argc, argv_size and argv_max in wire_exec */
	wire_u32 size;
	wire_u32 max;
	wire_u32 pad;
};
_Static_assert(sizeof(struct wire_env) == 16, "wire_env");

/* WIRE_FORK: head and task alone; task is the child, tid its creator's thread. */

/* WIRE_EXIT: head, task, this. */
struct wire_exit {
	wire_u32 status;	/* as wait(2) reports it */
	wire_u32 pad;
	wire_u64 utime;		/* ns, as the kernel's ticks saw them: good for the ratio */
	wire_u64 stime;
	wire_u64 runtime;	/* ns that its threads ran, as the scheduler saw it; 0: not known */
	wire_u64 max_rss;	/* pages */
	wire_u64 minor_faults;
	wire_u64 major_faults;
	wire_u64 read_bytes;	/* from disks and to them; WIRE_UNKNOWN_64: not counted */
	wire_u64 write_bytes;
};
_Static_assert(sizeof(struct wire_exit) == 72, "wire_exit");

/*
 * One per CPU, by its number, in map et_counters. sent + lost[RING] + lost[BUSY] +
 * lost[SHED] is what happened and the seq of the last event. A cache line long, so
 * that CPUs do not get in each other's way.
 */
struct wire_counters {
	wire_u64 sent;
	wire_u64 lost[WIRE_LOST_CAUSES];
	wire_u64 lost_since;	/* as in wire_head */
	wire_u64 pad[2];
};
_Static_assert(sizeof(struct wire_counters) == 64, "wire_counters");

/*
 * One per CPU in map et_allowed, written by the reader: a failed exec is shed once the CPU
 * has sent (wire_counters) so many events, a fork once it has sent so many.
 */
struct wire_allowed {
	wire_u64 fails;
	wire_u64 forks;
};
_Static_assert(sizeof(struct wire_allowed) == 16, "wire_allowed");

#define WIRE_FITS_PATH 256

/*
 * What the program et_fits reads of the recorder's own process, in the ways of the others
 * and so by the BTF that they were relocated by; beside it what helpers say, which take
 * none. Lies in the programs' memory.
 */
struct wire_fits {
	wire_u64 done;		/* the rest is there */
	wire_u64 now;		/* ns, CLOCK_BOOTTIME; by a helper, as up to comm */
	wire_u64 pid_tgid;	/* the process in the upper half */
	wire_u64 uid_gid;	/* the user in the lower half */
	wire_u64 cgroup;
	char comm[16];
	struct wire_task task;
	struct wire_identity identity;
	struct wire_exit exit;
	wire_u64 number;	/* of the call that it makes, and what that was called with */
	wire_u64 arguments[4];
	wire_u64 end_code;
	wire_u64 arg_start, arg_end;
	wire_u64 env_start, env_end;
	wire_u64 blocked;	/* signals */
	wire_u64 handler;	/* of WIRE_FITS_SIGNAL */
	wire_u32 outer_pid;	/* in the initial pid namespace, and the inode of that */
	wire_u32 outer_pid_ns;
	wire_u64 thread;	/* as the list of the group's threads has its first one, */
	wire_u64 self;		/* and as the kernel has the current one */
	wire_u16 exe_len;	/* as in wire_exec; of the pieces, as many as there is room for */
	wire_u16 cwd_len;
	wire_u32 pad;
	char exe[WIRE_FITS_PATH];
	char cwd[WIRE_FITS_PATH];
};
_Static_assert(sizeof(struct wire_fits) == 928, "wire_fits");

#define WIRE_FITS_SIGNAL 13	/* SIGPIPE */

/*
 * When the programs wake the reader: what the reader puts into their variable
 * et_wake, as a request that no other equals: a number times WIRE_WAKE_STEP plus
 * one of these. record.bpf.h says how it works.
 */
enum wire_wake {
	WIRE_WAKE_NEVER = 0,	/* nobody reads yet */
	WIRE_WAKE_FULL = 1,	/* when the ring is filling up */
	WIRE_WAKE_NEXT = 2,	/* at the next event */
	WIRE_WAKE_STEP = 4,
};

#endif
