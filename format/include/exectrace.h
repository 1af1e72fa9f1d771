/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * exectrace.h - write and read .etz captures of process executions.
 *
 * The format is described byte for byte in SPEC.md; section numbers below are
 * that document's. The library never prints, never exits and holds no mutable
 * globals. An object may be used by one thread at a time; different objects
 * are independent.
 *
 * Errors: functions that can fail return an enum et_code and, when err is not
 * NULL, store the same code there with its place. Text in an error is static.
 */
#ifndef EXECTRACE_H
#define EXECTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define ET_API __attribute__((visibility("default")))

/* ---- Errors ------------------------------------------------------------ */

enum et_code {
	ET_OK,
	ET_EOF,		/* nothing more; not an error */
	ET_IO,		/* the system refused: see et_error.sys */
	ET_NOMEM,
	ET_CORRUPT,	/* the bytes break a rule of SPEC.md, or end too early */
	ET_UNSUPPORTED,	/* a later version of the format */
	ET_LIMIT,	/* over a limit of SPEC.md 2.5 */
	ET_MISUSE,	/* the caller broke a rule of this header */
};

struct et_error {
	enum et_code code;
	int sys;		/* errno of an ET_IO, else 0 */
	uint64_t at;		/* offset in the file, bytes */
	const char *what;	/* static, one clause, no newline */
};

/* ---- Events (SPEC.md 4) ------------------------------------------------ */

enum et_kind {
	ET_EXEC = 1,	/* an execve or execveat took effect */
	ET_FAIL = 2,	/* an execve or execveat returned an error */
	ET_FORK = 3,	/* a process, not a thread, was created */
	ET_EXIT = 4,	/* the last thread of a process ended */
	ET_PROC = 5,	/* was alive when the recording began */
	ET_LOST = 6,	/* events that could not be kept */
	ET_KIND_END
};

#define ET_KIND_BIT(kind) (1u << (kind))

/* Why events were lost (SPEC.md 4.4). */
enum et_cause {
	ET_CAUSE_RING_FULL = 1,		/* the BPF ring buffer had no room */
	ET_CAUSE_BUSY = 2,		/* a CPU's scratch was in use by an interrupted program */
	ET_CAUSE_FOLLOW_FULL = 3,	/* the set of followed processes was full */
	ET_CAUSE_WRITE_FAILED = 4,	/* the output took no more bytes */
	ET_CAUSE_UNREADABLE = 5,	/* the recorder could not decode what the kernel sent */
	ET_CAUSE_DAMAGED = 6,		/* could not be read of the capture this one was made from */
	ET_CAUSE_SKIPPED = 7,		/* the kernel ran no program; some may be no events */
	ET_CAUSE_SHED = 8,		/* more a second than the recorder was asked to take */
	ET_CAUSE_END
};

/* Column ids on disk; never reused. et_fields[] describes each. */
enum et_field_id {
	ET_F_KIND = 1,
	ET_F_TS = 2,
	ET_F_PID = 3,
	ET_F_TID = 4,
	ET_F_PPID = 5,
	ET_F_START = 6,
	ET_F_UID = 7,
	ET_F_GID = 8,
	ET_F_EUID = 9,
	ET_F_EGID = 10,
	ET_F_COMM = 11,
	ET_F_CGROUP = 12,
	ET_F_FILENAME = 13,
	ET_F_INTERPRETER = 14,
	ET_F_EXE = 15,
	ET_F_CWD = 16,
	ET_F_ARGV = 17,
	ET_F_ARGC = 18,
	ET_F_ARGV_BYTES = 19,
	ET_F_ARGV_TRUNCATED = 20,
	ET_F_ARGV_UNREADABLE = 21,
	ET_F_ERRNO = 22,
	ET_F_EXIT_CODE = 23,
	ET_F_SIGNAL = 24,
	ET_F_CORE = 25,
	ET_F_UTIME = 26,
	ET_F_STIME = 27,
	ET_F_MAX_RSS = 28,
	ET_F_UNTIL = 29,
	ET_F_CPU = 30,
	ET_F_COUNT = 31,
	ET_F_CAUSE = 32,
	ET_F_EXEC_TS = 33,
	ET_F_SECURE_EXEC = 34,
	ET_F_LOGIN_UID = 35,
	ET_F_SESSION = 36,
	ET_F_TTY = 37,
	ET_F_PID_NS = 38,
	ET_F_MNT_NS = 39,
	ET_F_USER_NS = 40,
	ET_F_NET_NS = 41,
	ET_F_NS_PID = 42,
	ET_F_EXE_DEV = 43,
	ET_F_EXE_INODE = 44,
	ET_F_EXE_DELETED = 45,
	ET_F_EXE_MEMFD = 46,
	ET_F_EXEC_DURATION = 47,
	ET_F_ENV = 48,
	ET_F_ENV_COUNT = 49,
	ET_F_ENV_BYTES = 50,
	ET_F_ENV_TRUNCATED = 51,
	ET_F_ENV_UNREADABLE = 52,
	ET_F_MINOR_FAULTS = 53,
	ET_F_MAJOR_FAULTS = 54,
	ET_F_READ_BYTES = 55,
	ET_F_WRITE_BYTES = 56,
	ET_FIELD_END
};

enum et_type {
	ET_UINT = 1,	/* unsigned integer, always known */
	ET_OPT = 2,	/* unsigned integer or not known; at most 2^64 - 2 */
	ET_STR = 3,	/* bytes without NUL, or not known */
	ET_LIST = 4,	/* list of such strings, or not known */
};

/* What a number means, for those who show it. */
enum et_unit {
	ET_PLAIN,
	ET_NS_BOOT,	/* ns of CLOCK_BOOTTIME */
	ET_NS,		/* a duration, ns */
	ET_BYTES,
	ET_FLAG,	/* 0 or 1 */
	ET_UID,
	ET_GID,
	ET_CGROUP_ID,
	ET_KIND_ID,	/* enum et_kind */
	ET_CAUSE_ID,	/* enum et_cause */
	ET_ERRNO_ID,	/* Linux errno of the generic ABI */
	ET_SIGNAL_ID,	/* Linux signal number, generic ABI */
	ET_DEV,		/* device number: major << 20 | minor */
};

#define ET_DEV_MAJOR(dev) ((dev) >> 20)
#define ET_DEV_MINOR(dev) ((dev) & 0xfffff)

struct et_field {
	const char *name;	/* as in JSON; NULL for an id that is not in use */
	const char *help;	/* one line, no full stop */
	uint16_t kinds;		/* ET_KIND_BIT()s of the kinds that carry it */
	uint8_t type;		/* enum et_type */
	uint8_t unit;		/* enum et_unit */
	uint8_t transform;	/* how the writer codes it: SPEC.md 5.3 */
};

/* Indexed by enum et_field_id. */
extern ET_API const struct et_field et_fields[ET_FIELD_END];

/* "exec", "fail", ...; NULL when kind is not known. */
ET_API const char *et_kind_name(unsigned kind);
/* 0 when there is no such kind. */
ET_API unsigned et_kind_parse(const char *name);
/* "ring_full", ...; NULL when cause is not known. */
ET_API const char *et_cause_name(unsigned cause);

/* Borrowed bytes; not NUL-terminated unless said so. */
struct et_str {
	const char *ptr;
	uint32_t len;
};

/* n strings one behind the other, each ended by a NUL; len counts the NULs. */
struct et_list {
	const char *ptr;
	uint32_t len;
	uint32_t n;
};

union et_value {
	uint64_t u;
	struct et_str s;
	struct et_list l;
};

/*
 * One event. v[id] means something only where ET_HAS(ev, id); an ET_UINT that
 * the kind carries and known leaves out is written as 0.
 */
struct et_event {
	uint64_t known;		/* bit id is set: v[id] is known */
	int64_t realtime;	/* wall clock minus boot clock at its ts, ns (SPEC.md 2.4) */
	union et_value v[ET_FIELD_END];
};

#define ET_HAS(ev, id) (((ev)->known >> (id)) & 1)

static inline void et_set_uint(struct et_event *ev, enum et_field_id id, uint64_t u)
{
	ev->known |= 1ull << id;
	ev->v[id].u = u;
}

static inline void et_set_str(struct et_event *ev, enum et_field_id id, const char *ptr, uint32_t len)
{
	ev->known |= 1ull << id;
	ev->v[id].s = (struct et_str){ ptr, len };
}

/*
 * Walks a list: returns the next item and moves *at (start it at 0), false at
 * the end.
 */
ET_API bool et_list_next(const struct et_list *l, uint32_t *at, struct et_str *item);

/* ---- Input and output --------------------------------------------------- */

/*
 * Where bytes come from and go to. Calls return 0 or an errno value. The
 * library calls close once, when the reader or writer that owns the io is
 * closed, or when opening that fails.
 */
struct et_io {
	void *ctx;
	/* Fills buf with up to len bytes; *got < len means the end of the input. */
	int (*read)(void *ctx, void *buf, size_t len, size_t *got);
	/*
	 * The same from offset bytes from the start on; read goes on where it was. Any
	 * thread may call it, several at once. NULL: there is no such thing.
	 */
	int (*read_at)(void *ctx, uint64_t offset, void *buf, size_t len, size_t *got);
	/* Moves to offset bytes from the start. NULL: cannot seek (a pipe). */
	int (*seek)(void *ctx, uint64_t offset);
	/* Size in bytes now; NULL or an error when there is none. */
	int (*size)(void *ctx, uint64_t *size);
	/* Writes all of it or fails. */
	int (*write)(void *ctx, const void *buf, size_t len);
	void (*close)(void *ctx);
};

/* An io on a descriptor, from where that stands; it owns it. Seeks in regular files. */
ET_API int et_io_fd(int fd, struct et_io *out);
/* An io that reads borrowed memory. */
ET_API int et_io_memory(const void *data, size_t len, struct et_io *out);

/* ---- Batches: events on their way into a file (SPEC.md 5) ---------------- */

/* Rows of events held as columns; becomes one CHUNK, PROC or LOST record. */
struct et_batch;

ET_API struct et_batch *et_batch_new(void);	/* NULL: no memory */
ET_API void et_batch_free(struct et_batch *b);
/* Empties it and keeps its memory. */
ET_API void et_batch_reset(struct et_batch *b);
/*
 * Appends a copy of ev. ET_LIMIT: the batch is full (SPEC.md 2.5), or says
 * another offset of the wall clock for that time already; write it and add
 * again to an empty one. ET_MISUSE: the event could not be read back
 * (no kind or ts, a NUL in a string, a string over the limit). After either,
 * the batch is as before.
 */
ET_API int et_batch_add(struct et_batch *b, const struct et_event *ev, struct et_error *err);
ET_API uint32_t et_batch_rows(const struct et_batch *b);
/* Bytes that its columns and strings will take before compression. */
ET_API uint64_t et_batch_bytes(const struct et_batch *b);
/* Earliest and latest ts of its rows; false when it has none. */
ET_API bool et_batch_times(const struct et_batch *b, uint64_t *first, uint64_t *last);

/* Goes over the rows of a batch; one can serve many, one after another. */
struct et_walk;

ET_API struct et_walk *et_walk_new(void);	/* NULL: no memory */
ET_API void et_walk_free(struct et_walk *w);
/* To the first row of b, which is borrowed, and unchanged until the last et_walk_next. */
ET_API void et_walk_begin(struct et_walk *w, const struct et_batch *b);
/*
 * The next row whose kind is in kinds, ET_KIND_BITs; false: there is none. ev borrows
 * from the batch and from w until the next call on w. A list for which there is no
 * memory is not known.
 */
ET_API bool et_walk_next(struct et_walk *w, unsigned kinds, struct et_event *ev);

/* ---- Writer (SPEC.md 3) --------------------------------------------------- */

/* With this begins the reason of an END that is not that of the recording (SPEC.md 7). */
#define ET_NOT_ENDED "not ended"

enum et_record_type {
	ET_REC_FILE = 1,	/* FILE_HEADER */
	ET_REC_CHUNK = 2,
	ET_REC_PROC = 3,
	ET_REC_LOST = 4,
	ET_REC_HOST = 5,
	ET_REC_USERS = 6,
	ET_REC_CGROUPS = 7,
	ET_REC_END = 8,
	ET_REC_FOOTER = 9,
	ET_REC_EXES = 10,
	ET_REC_TYPE_END
};

/* "CHUNK", ...; NULL when the type is not known. */
ET_API const char *et_record_name(unsigned type);

struct et_writer;

/* A moment on both clocks: wall clock = boot clock + offset, all ns (SPEC.md 2.4). */
struct et_clock {
	uint64_t ts;
	int64_t offset;
};

struct et_writer_options {
	const char *program;	/* name and version of the writing program */
	uint8_t boot_id[16];	/* all zero: not known */
	struct et_clock started;	/* when recording began; all zero: not known */
	int level;		/* zstd level, 1..19; 0: the default, 3 */
	/* A recording of several segments: its random id, the same in all; all zero: of one. */
	uint8_t series[8];
	uint64_t number;	/* of this segment in it, from 0 */
};

/* Bytes written so far by kind of content, for progress and info. */
struct et_writer_stats {
	uint64_t bytes;			/* size of the output so far */
	uint64_t rows[ET_KIND_END];	/* rows written, by kind */
	uint64_t chunks;		/* CHUNK records */
};

struct et_pair {
	const char *key;	/* NUL-terminated */
	struct et_str value;
};

/* A number and its name, for USERS and CGROUPS. */
struct et_name {
	uint64_t id;
	bool group;		/* USERS: a group, not a user */
	struct et_str name;
};

/* What is known of a file that ran, for EXES (SPEC.md 3.8). */
enum et_exe_known { ET_EXE_DEV = 1, ET_EXE_INODE = 2, ET_EXE_SIZE = 4, ET_EXE_MTIME = 8 };

#define ET_BUILD_ID_MAX 64	/* bytes */
#define ET_EXE_TEXT_MAX 4096	/* bytes of a path or an interpreter */

/* A file that ran, as it was then. */
struct et_exe {
	unsigned known;		/* ET_EXE_*: which of the numbers are; others are 0 */
	uint64_t dev, inode;	/* as columns exe_dev and exe_inode */
	uint64_t size;		/* bytes */
	int64_t mtime;		/* ns since 1970 UTC */
	struct et_str path;	/* as column exe; never empty */
	struct et_str build_id;	/* GNU build-id, raw bytes, NUL among them or not; len 0: none known */
	struct et_str interpreter;	/* as the ELF file names it; len 0: none known */
};

/*
 * Starts a segment: writes FILE_HEADER with a fresh random file id. Takes
 * ownership of io, also when it fails; *out is then NULL.
 */
ET_API int et_writer_open(const struct et_io *io, const struct et_writer_options *opt,
			  struct et_writer **out, struct et_error *err);
/*
 * Packs the batch for one record of the given type (ET_REC_CHUNK, _PROC or _LOST)
 * and writes it. An empty batch writes nothing. The batch stays the caller's and is
 * not changed. lost[cause] is the number of events lost since the segment began.
 */
ET_API int et_writer_batch(struct et_writer *w, enum et_record_type type, const struct et_batch *b,
			   const uint64_t lost[ET_CAUSE_END], struct et_error *err);
ET_API int et_writer_host(struct et_writer *w, const struct et_pair *pairs, size_t n,
			  struct et_error *err);
/* type: ET_REC_USERS or ET_REC_CGROUPS. n of 0 writes nothing. */
ET_API int et_writer_names(struct et_writer *w, enum et_record_type type,
			   const struct et_name *names, size_t n, struct et_error *err);
/*
 * One EXES record, anywhere in the segment; there may be several. n of 0 writes
 * nothing. ET_MISUSE: a string is not within what the format allows, and nothing was
 * written. 4,096 of them fit into a record, whatever they are.
 */
ET_API int et_writer_exes(struct et_writer *w, const struct et_exe *exes, size_t n,
			  struct et_error *err);
/*
 * Ends the segment cleanly: END, FOOTER. ended: when recording stopped; reason:
 * why, a word or a short clause. Call et_writer_close after it.
 */
ET_API int et_writer_end(struct et_writer *w, struct et_clock ended,
			 const uint64_t lost[ET_CAUSE_END], const char *reason,
			 struct et_error *err);
ET_API void et_writer_stats(const struct et_writer *w, struct et_writer_stats *out);
/*
 * After ET_IO nothing more is written, for the output may end in part of a record.
 * To be called when the output was cut back to the bytes that et_writer_stats tells
 * and stands there: what is written from now on follows the last whole record.
 */
ET_API void et_writer_resume(struct et_writer *w);
/* Frees; without et_writer_end before, the file ends uncleanly. NULL is fine. */
ET_API void et_writer_close(struct et_writer *w);

/* ---- Packing: batches encoded in any thread (SPEC.md 5) -------------------- */

/*
 * Nearly all the work of et_writer_batch is encoding and compressing, which needs
 * nothing of the writer: a packer does it alone, and et_writer_packed writes what it
 * has made. So any number of threads, each with a packer of its own, can work for one
 * writer. What the records hold is the same either way.
 *
 * What goes from thread to thread, batches and struct et_packed, goes under a lock of
 * the caller's. The library starts no threads.
 */
struct et_packer;
/* A batch as it will lie in its record; lives on its own, without batch or packer. */
struct et_packed;

/*
 * level: as in struct et_writer_options. *out is the caller's; after an error it is
 * NULL. ET_MISUSE: there is no such level. A packer keeps the memory that its largest
 * batch has taken: for one of 1 MiB 3 MiB at level 3, 7 MiB at level 19.
 */
ET_API int et_packer_new(int level, struct et_packer **out, struct et_error *err);
ET_API void et_packer_free(struct et_packer *p);	/* NULL is fine */
ET_API struct et_packed *et_packed_new(void);	/* empty; NULL: no memory */
ET_API void et_packed_free(struct et_packed *p);	/* NULL is fine */
/*
 * Packs the batch for one record of the given type, in place of what *out held. The
 * batch stays the caller's and is not changed. ET_MISUSE: the type holds no such
 * events. at in *err is 0: there is no file yet. After an error *out holds that error,
 * so that it is not lost where nobody looks: et_writer_packed tells it.
 */
ET_API int et_packer_pack(struct et_packer *p, enum et_record_type type, const struct et_batch *b,
			  struct et_packed *out, struct et_error *err);
/*
 * Writes what et_packer_pack made of a batch, as et_writer_batch does; nothing when
 * that was empty. p stays the caller's and is not changed: other writers can write it
 * as well. A packing that has failed fails here with the same code.
 */
ET_API int et_writer_packed(struct et_writer *w, const struct et_packed *p,
			    const uint64_t lost[ET_CAUSE_END], struct et_error *err);

/* ---- Reader (SPEC.md 3 and 6) ---------------------------------------------- */

struct et_reader;

/* What a chunk's head says about one column's values (SPEC.md 5.5). */
struct et_stat {
	uint8_t column;
	uint8_t n;		/* 0: min and max are a range; else a set of n values */
	uint64_t min, max;
	uint64_t set[16];	/* ascending */
};

#define ET_STATS_MAX 8
#define ET_CLOCKS_MAX 16

/* A column as the file's own schema names it; may be unknown to this library. */
struct et_column {
	uint8_t id;
	uint8_t type;		/* enum et_type */
	uint8_t unit;		/* enum et_unit, or a later one */
	uint16_t kinds;
	char name[32];		/* [a-z0-9_]+, NUL-terminated */
};

/* A record's head: all that can be known without its body. */
struct et_record {
	unsigned type;		/* enum et_record_type, or a later one */
	uint64_t at;		/* offset of the record in the input */
	uint64_t size;		/* whole record with padding, bytes */
	uint32_t head_len, body_len;
	uint64_t seq;		/* rows in the segment before this record */
	uint8_t file_id[8];	/* random, the same in all records of the segment */
	unsigned segment;	/* 0 for the first segment of the input, then 1, ... */

	/* Row records (CHUNK, PROC, LOST); else zero. */
	uint32_t rows;
	uint64_t ts_min, ts_max;
	/* Offsets of the wall clock, ascending in ts from ts_min on: et_record_wall. */
	unsigned n_clocks;
	struct et_clock clocks[ET_CLOCKS_MAX];
	/* No row before this record lies after latest, wall clock ns (SPEC.md 6.5). */
	bool has_latest;
	int64_t latest;
	unsigned n_stats;
	struct et_stat stats[ET_STATS_MAX];
	bool has_comms;
	struct et_str comms;	/* et_record_has_comm; borrowed until the next call on the reader */

	/* Row records and END. */
	/* Rows by kind, END: of the whole segment; [0]: of kinds not known here. */
	uint64_t kinds[ET_KIND_END];
	uint64_t lost[ET_CAUSE_END];	/* cumulative, by cause */
	uint64_t lost_other;		/* by causes that this library does not know */

	/* END: when and why recording stopped. */
	struct et_clock ended;
	struct et_str reason;	/* borrowed until the next call on the reader */

	/* FILE_HEADER. */
	uint8_t boot_id[16];
	bool has_started;
	struct et_clock started;
	struct et_str program;	/* borrowed likewise */
	bool has_series;	/* of a recording of several segments, SERIES in SPEC.md 3.2 */
	uint8_t series[8];
	uint64_t number;
};

/* What a reader has met so far, over all segments. */
struct et_reader_stats {
	uint64_t rows[ET_KIND_END];	/* rows in the records seen, by kind; [0]: others */
	uint64_t lost[ET_CAUSE_END];	/* as the recorder counted */
	uint64_t lost_other;
	uint64_t missing;		/* rows that gaps in seq show to be gone */
	uint64_t unread;		/* rows passed over for et_reader_range */
	uint64_t damaged;		/* places where bytes had to be passed over */
	uint64_t damaged_bytes;
	unsigned segments;
	unsigned unclean;		/* segments without END before the next or the end */
	unsigned not_ended;		/* others, whose END says that they are made from such */
	/* et_verify: segments of a recording that SERIES shows to be missing between others. */
	uint64_t segments_missing;
	bool truncated;			/* the input ends inside a record */
	uint64_t bytes;			/* offset reached */
};

/*
 * Called for each fault that the reader passes over: damage, truncation, an
 * unknown record type is none. The error is valid during the call.
 */
typedef void et_fault_fn(void *ctx, const struct et_error *fault);

/*
 * Opens a capture and reads its first FILE_HEADER. Takes ownership of io, also
 * when it fails; *out is then NULL. ET_EOF: the input is empty; ET_CORRUPT:
 * not a capture, or damaged at once; ET_UNSUPPORTED: made by a later format.
 * fault may be NULL.
 */
ET_API int et_reader_open(const struct et_io *io, et_fault_fn *fault, void *ctx,
			  struct et_reader **out, struct et_error *err);
/*
 * Reads the next record's head, whatever its type, in file order. A body that
 * et_reader_body or et_reader_chunk did not ask for is passed over. Damage is
 * reported to fault, skipped (SPEC.md 6.2) and counted; it is no error here.
 * ET_EOF at the end, also when that is inside a record.
 */
ET_API int et_reader_next(struct et_reader *r, struct et_record *rec, struct et_error *err);
/*
 * Only rows of wall-clock times since <= t < until are wanted of the rest of the
 * segment (of a lost row, some time between its ts and its until). Where the
 * input can seek, et_reader_next then passes over records that hold none without
 * reading them (SPEC.md 6.5): it reads in the order of log n of n records, and
 * still gives all names. What is passed over is not checked, and counted in unread.
 */
ET_API void et_reader_range(struct et_reader *r, int64_t since, int64_t until);
/* Wall-clock time of a moment, ns since 1970 UTC. */
ET_API int64_t et_clock_wall(struct et_clock clock);
/* Likewise of a ts of the record's rows. */
ET_API int64_t et_record_wall(const struct et_record *rec, uint64_t ts);
/* False: no row of the record has this comm. True: one may have. */
ET_API bool et_record_has_comm(const struct et_record *rec, const char *comm, size_t len);
/*
 * Passes over a body that was not asked for now, and not with the next
 * et_reader_next: the input then stands where the next record begins, so that a
 * poll tells of that. As et_reader_next, but never ET_EOF.
 */
ET_API int et_reader_pass(struct et_reader *r, struct et_error *err);
/*
 * The body of the record that et_reader_next gave last, checked against its
 * crc. Borrowed until the next call on r. ET_CORRUPT and a truncated body are
 * also reported to fault and counted: the caller passes over the record.
 */
ET_API int et_reader_body(struct et_reader *r, const uint8_t **body, struct et_error *err);

/* The rows of one CHUNK, PROC or LOST record; columns are decoded when asked. */
struct et_chunk;

/*
 * As et_reader_body, for a row record; *out is the caller's, lives on its own
 * and is freed with et_chunk_free.
 */
ET_API int et_reader_chunk(struct et_reader *r, struct et_chunk **out, struct et_error *err);
/*
 * As et_reader_chunk, but reads no body: et_chunk_load does, in any thread, while the
 * reader goes on; r has to be open until then. ET_EOF: this body has to be read now, by
 * et_reader_chunk: the input has no read_at, or does not hold all of it.
 */
ET_API int et_reader_later(struct et_reader *r, struct et_chunk **out, struct et_error *err);
/*
 * Reads the body of a chunk of et_reader_later and checks it; to be called once, before
 * any other call with c. ET_CORRUPT: there are no rows to be had of it.
 */
ET_API int et_chunk_load(struct et_chunk *c, struct et_error *err);
/*
 * Afterwards, on the reader's thread and in the order of the file: what et_chunk_load
 * found wrong is reported to fault and counted, as by et_reader_chunk. Returns what that
 * returned. A chunk that is freed without it counts as a body that was passed over.
 */
ET_API int et_reader_settle(struct et_reader *r, struct et_chunk *c, struct et_error *err);
/* Columns of the segment at hand, in order of id. Borrowed until the next call. */
ET_API const struct et_column *et_reader_schema(const struct et_reader *r, unsigned *n);
ET_API void et_reader_stats(const struct et_reader *r, struct et_reader_stats *out);
ET_API void et_reader_close(struct et_reader *r);

/* ---- Verifying and recovering (SPEC.md 6) ------------------------------------ */

/*
 * Reads all of a capture and checks every rule of SPEC.md that bytes can break:
 * what a reader passes over as damage, and what it takes on trust: all columns of
 * all rows, statistics, counts, order, places. Each fault is told. Takes ownership
 * of io. stats: what was read. ET_OK: no fault; that a segment was not ended is
 * none, but in stats. ET_CORRUPT: there were faults; else as et_reader_open.
 */
ET_API int et_verify(const struct et_io *io, et_fault_fn *fault, void *ctx,
		     struct et_reader_stats *stats, struct et_error *err);

/* Events that a recovery found to be gone. */
struct et_gap {
	uint64_t at;		/* offset where that was found, bytes */
	uint64_t count;		/* 0: nobody knows how many */
	int64_t from, until;	/* wall clock, ns: between these they happened; INT64_MAX: no end is known */
};

/* Either may be NULL; what they get is valid during the call. */
struct et_recover_calls {
	et_fault_fn *fault;
	void (*gap)(void *ctx, const struct et_gap *gap);
	void *ctx;
};

struct et_recovery {
	uint64_t faults;	/* places that were told */
	uint64_t records;	/* kept, but for headers and ends */
	uint64_t dropped;	/* records with a head, whose content is not whole */
	uint64_t events;	/* kept */
	uint64_t missing;	/* known to be gone */
	bool unknown;		/* others may be gone at the end of a segment */
	/* What the capture itself says that it lacks, and its copy says as well. */
	uint64_t lost;		/* events, as the recorder counted */
	uint64_t segments_missing;	/* as in et_reader_stats */
	unsigned not_ended;	/* segments that say so */
	unsigned segments;
	uint64_t bytes;		/* written */
	bool failed_output;	/* of an ET_IO: out failed, and not in */
};

/*
 * Writes what is whole of a capture as a new one that et_verify finds nothing wrong
 * with: records as they are, also those of a later version; rows of kind lost, cause
 * ET_CAUSE_DAMAGED, in the place of what is gone; an END for each segment. Takes
 * ownership of both ios. Where in can seek, a capture without its file header is read
 * too, and captures that begin within a record which was cut off. ET_OK: done,
 * whatever was wrong with it. ET_CORRUPT: it is no capture.
 */
ET_API int et_recover(const struct et_io *in, const struct et_io *out,
		      const struct et_recover_calls *calls, struct et_recovery *report,
		      struct et_error *err);

/* ---- Looking at a capture without reading it (SPEC.md 3) ----------------------- */

#define ET_FRAME_SIZE 48	/* bytes that every record begins with */

/* Bytes of the whole record that begins with these, with padding; 0: none does. */
ET_API uint64_t et_frame_length(const void *bytes, size_t len);

/* A segment that was ended in good order. */
struct et_segment {
	uint64_t at;		/* its offset in the input */
	uint64_t size;		/* bytes, with its FOOTER */
	struct et_clock started, ended;	/* as FILE_HEADER and END say */
	uint64_t decoded;	/* et_segment_check: memory for its largest row record, at most */
};

/*
 * Finds the segments of an input that can seek, in its order, from their FOOTERs:
 * a few small reads for each. io is borrowed and left anywhere. *n of 0: the input
 * is empty, or, with ET_EOF, not all of it is segments that have a FOOTER and
 * STARTED; with ET_LIMIT, there are more than max.
 */
ET_API int et_segments(const struct et_io *io, struct et_segment *out, size_t max, size_t *n,
		       struct et_error *err);
/*
 * Whether the records of a segment stand one behind the other from its beginning
 * to its end, with whole heads: only then it is certain that reading it alone
 * gives what reading the whole input gives of it. ET_CORRUPT: they do not.
 */
ET_API int et_segment_check(const struct et_io *io, struct et_segment *seg,
			    struct et_error *err);

/* ---- Chunks (SPEC.md 5) ------------------------------------------------------ */

/* In a decoded column: not known, or a kind that does not carry the column. */
#define ET_NONE UINT64_MAX

/* Items of a row's list: ids[first] .. ids[first + n - 1]. */
struct et_span {
	uint32_t first;
	uint32_t n;		/* UINT32_MAX: not known */
};

/* Bytes a column takes in the file, for info. */
struct et_column_size {
	uint8_t column;		/* 0: the string table */
	uint64_t stored;	/* bytes in the file */
	uint64_t raw;		/* before compression */
};

ET_API void et_chunk_free(struct et_chunk *c);
/*
 * Bytes of memory that it takes at most, with all its columns, if those of numbers are
 * asked for as et_chunk_stored; also of one that is not loaded.
 */
ET_API uint64_t et_chunk_memory(const struct et_chunk *c);
/*
 * What decoding takes besides, and need not be had anew for each chunk. Calls with c use
 * it from et_chunk_lend on, until that is called with NULL; so can those with others
 * meanwhile, in the same thread.
 */
struct et_decoder;
ET_API struct et_decoder *et_decoder_new(void);	/* NULL: no memory */
ET_API void et_decoder_free(struct et_decoder *d); /* NULL is fine */
ET_API void et_chunk_lend(struct et_chunk *c, struct et_decoder *d);
ET_API uint32_t et_chunk_rows(const struct et_chunk *c);
/* As et_record_wall. */
ET_API int64_t et_chunk_wall(const struct et_chunk *c, uint64_t ts);
/* Number of strings; ids run from 1 to that number. */
ET_API int et_chunk_strings(struct et_chunk *c, uint32_t *n, struct et_error *err);
/* String of an id that a column gave; id 0 gives {NULL, 0}. Borrowed from c. */
ET_API struct et_str et_chunk_str(const struct et_chunk *c, uint32_t id);
/*
 * A column of type ET_UINT or ET_OPT: rows values, ET_NONE where there is none. A
 * field of et_fields that the capture's schema lacks is unknown in every row.
 * ET_UNSUPPORTED: coded in a way this library does not know; the other columns
 * can still be read. Borrowed from c.
 */
ET_API int et_chunk_uints(struct et_chunk *c, unsigned column, const uint64_t **out,
			  struct et_error *err);
/*
 * The same as it is stored, which takes less memory and time to go over: row i has the
 * number v[i] - less, modulo 2^64, with ET_NONE where there is none. v: numbers of width
 * bytes, 1, 2, 4 or 8, in the machine's order; NULL: all rows have value. Borrowed from c.
 */
struct et_stored {
	const void *v;
	unsigned width;
	unsigned less;		/* 0 or 1; with 1 a stored 0 stands for ET_NONE */
	uint64_t value;
};
ET_API int et_chunk_stored(struct et_chunk *c, unsigned column, struct et_stored *out,
			   struct et_error *err);
static inline uint64_t et_stored_number(const struct et_stored *st, uint32_t row)
{
	if (!st->v)
		return st->value;
	switch (st->width) {
	case 1:
		return (uint64_t)((const uint8_t *)st->v)[row] - st->less;
	case 2:
		return (uint64_t)((const uint16_t *)st->v)[row] - st->less;
	case 4:
		return (uint64_t)((const uint32_t *)st->v)[row] - st->less;
	default:
		return ((const uint64_t *)st->v)[row] - st->less;
	}
}
/* A column of type ET_STR: rows string ids, 0 where there is none. */
ET_API int et_chunk_ids(struct et_chunk *c, unsigned column, const uint32_t **out,
			struct et_error *err);
/* A column of type ET_LIST: rows spans into *ids. */
ET_API int et_chunk_lists(struct et_chunk *c, unsigned column, const struct et_span **spans,
			  const uint32_t **ids, struct et_error *err);
/*
 * One row as an event. Strings are borrowed from c; lists are put together in
 * memory of c that the next call with the same c overwrites. A column that is
 * not readable leaves its field unknown only when it is ET_UNSUPPORTED.
 */
ET_API int et_chunk_event(struct et_chunk *c, uint32_t row, struct et_event *ev,
			  struct et_error *err);
/* Sizes per column; returns how many there are and stores up to max of them. */
ET_API unsigned et_chunk_sizes(const struct et_chunk *c, struct et_column_size *out, unsigned max);

/* ---- Names (SPEC.md 3.4, 3.5 and 3.8) -------------------------------------------- */

/*
 * What HOST, USERS, CGROUPS and EXES records have said so far in a segment.
 * Feed it every record; it takes what it knows.
 */
struct et_context;

ET_API struct et_context *et_context_new(void);	/* NULL: no memory */
ET_API void et_context_free(struct et_context *c);
/*
 * Call for each record of r, in order. Starts anew at a FILE_HEADER. Reads the
 * body of the records it wants; leaves the others alone. ET_CORRUPT or ET_LIMIT:
 * what was wrong was reported to the reader's fault and counted; the caller goes on.
 */
ET_API int et_context_take(struct et_context *c, struct et_reader *r,
			   const struct et_record *rec, struct et_error *err);
/* Each returns a NUL-terminated string owned by c, or NULL when not known. */
ET_API const char *et_context_user(const struct et_context *c, uint64_t uid);
ET_API const char *et_context_group(const struct et_context *c, uint64_t gid);
ET_API const char *et_context_cgroup(const struct et_context *c, uint64_t id);
ET_API const char *et_context_host(const struct et_context *c, const char *key);
/* All HOST pairs, each key once; returns how many. Borrowed. */
ET_API size_t et_context_pairs(const struct et_context *c, const struct et_pair **out);
/* The uid or gid of a name; false when no such name is in the capture. */
ET_API bool et_context_find_user(const struct et_context *c, const char *name, uint64_t *uid);
ET_API bool et_context_find_group(const struct et_context *c, const char *name, uint64_t *gid);
/*
 * The executables of EXES records, each once, in the order of their first mention;
 * returns how many. Borrowed until the next et_context_take.
 */
ET_API size_t et_context_exes(const struct et_context *c, const struct et_exe **out);

#ifdef __cplusplus
}
#endif
#endif
