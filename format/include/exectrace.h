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
	ET_LIMIT,	/* over a limit of SPEC.md 2.4 */
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
};

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
 * Appends a copy of ev. ET_LIMIT: the batch is full (SPEC.md 2.4), write it
 * and add again to an empty one; ET_MISUSE: the event could not be read back
 * (no kind or ts, a NUL in a string, a string over the limit). After either,
 * the batch is as before.
 */
ET_API int et_batch_add(struct et_batch *b, const struct et_event *ev, struct et_error *err);
ET_API uint32_t et_batch_rows(const struct et_batch *b);
/* Bytes that its columns and strings will take before compression. */
ET_API uint64_t et_batch_bytes(const struct et_batch *b);

/* ---- Writer (SPEC.md 3) --------------------------------------------------- */

enum et_record_type {
	ET_REC_FILE = 1,	/* FILE_HEADER */
	ET_REC_CHUNK = 2,
	ET_REC_PROC = 3,
	ET_REC_LOST = 4,
	ET_REC_HOST = 5,
	ET_REC_USERS = 6,
	ET_REC_CGROUPS = 7,
	ET_REC_CLOCK = 8,
	ET_REC_END = 9,
	ET_REC_INDEX = 10,
	ET_REC_FOOTER = 11,
	ET_REC_TYPE_END
};

/* "CHUNK", ...; NULL when the type is not known. */
ET_API const char *et_record_name(unsigned type);

struct et_writer;

struct et_writer_options {
	const char *program;	/* name and version of the writing program */
	uint8_t boot_id[16];	/* all zero: not known */
	int level;		/* zstd level, 1..19; 0: the default, 3 */
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

/* From ts on, wall clock = boot clock + offset, both ns (SPEC.md 3.7). */
struct et_clock {
	uint64_t ts;
	int64_t offset;
};

/*
 * Starts a segment: writes FILE_HEADER with a fresh random file id. Takes
 * ownership of io, also when it fails; *out is then NULL.
 */
ET_API int et_writer_open(const struct et_io *io, const struct et_writer_options *opt,
			  struct et_writer **out, struct et_error *err);
/*
 * Writes the batch as one record of the given type (ET_REC_CHUNK, _PROC or
 * _LOST). An empty batch writes nothing. The batch stays the caller's and is
 * not changed. lost[cause] is the number of events lost so far in the whole
 * recording; realtime is the clock offset in force, as in struct et_clock.
 */
ET_API int et_writer_batch(struct et_writer *w, enum et_record_type type, const struct et_batch *b,
			   const uint64_t lost[ET_CAUSE_END], int64_t realtime,
			   struct et_error *err);
ET_API int et_writer_host(struct et_writer *w, const struct et_pair *pairs, size_t n,
			  struct et_error *err);
/* type: ET_REC_USERS or ET_REC_CGROUPS. n of 0 writes nothing. */
ET_API int et_writer_names(struct et_writer *w, enum et_record_type type,
			   const struct et_name *names, size_t n, struct et_error *err);
/* Clocks ascend in ts, also from call to call; else ET_MISUSE. */
ET_API int et_writer_clock(struct et_writer *w, const struct et_clock *clocks, size_t n,
			   struct et_error *err);
/*
 * Ends the segment cleanly: END, INDEX, FOOTER. ts: when recording stopped;
 * reason: why, a word or a short clause. Call et_writer_close
 * after it.
 */
ET_API int et_writer_end(struct et_writer *w, uint64_t ts, const uint64_t lost[ET_CAUSE_END],
			 const char *reason, struct et_error *err);
ET_API void et_writer_stats(const struct et_writer *w, struct et_writer_stats *out);
/* Frees; without et_writer_end before, the file ends uncleanly. NULL is fine. */
ET_API void et_writer_close(struct et_writer *w);

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
	unsigned segment;	/* 0 for the first segment of the input, then 1, ... */

	/* Row records (CHUNK, PROC, LOST); else zero. */
	uint32_t rows;
	uint64_t ts_min, ts_max;
	int64_t realtime;	/* clock offset, ns */
	unsigned n_stats;
	struct et_stat stats[ET_STATS_MAX];

	/* Row records and END. */
	/* Rows by kind, END: of the whole segment; [0]: of kinds not known here. */
	uint64_t kinds[ET_KIND_END];
	uint64_t lost[ET_CAUSE_END];	/* cumulative, by cause */
	uint64_t lost_other;		/* by causes that this library does not know */

	/* END: when and why recording stopped. */
	uint64_t end_ts;
	struct et_str reason;	/* borrowed until the next call on the reader */

	/* FILE_HEADER. */
	uint8_t boot_id[16];
	struct et_str program;	/* borrowed likewise */
};

/* What a reader has met so far, over all segments. */
struct et_reader_stats {
	uint64_t rows[ET_KIND_END];	/* rows in the records seen, by kind; [0]: others */
	uint64_t lost[ET_CAUSE_END];	/* as the recorder counted */
	uint64_t lost_other;
	uint64_t missing;		/* rows that gaps in seq show to be gone */
	uint64_t damaged;		/* places where bytes had to be passed over */
	uint64_t damaged_bytes;
	unsigned segments;
	unsigned unclean;		/* segments without END before the next or the end */
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
/* Columns of the segment at hand, in order of id. Borrowed until the next call. */
ET_API const struct et_column *et_reader_schema(const struct et_reader *r, unsigned *n);
ET_API void et_reader_stats(const struct et_reader *r, struct et_reader_stats *out);
ET_API void et_reader_close(struct et_reader *r);

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
ET_API uint32_t et_chunk_rows(const struct et_chunk *c);
/* Number of strings; ids run from 1 to that number. */
ET_API int et_chunk_strings(struct et_chunk *c, uint32_t *n, struct et_error *err);
/* String of an id that a column gave; id 0 gives {NULL, 0}. Borrowed from c. */
ET_API struct et_str et_chunk_str(const struct et_chunk *c, uint32_t id);
/*
 * A column of type ET_UINT or ET_OPT: rows values, ET_NONE where there is none.
 * ET_UNSUPPORTED: coded in a way this library does not know; the other columns
 * can still be read. Borrowed from c.
 */
ET_API int et_chunk_uints(struct et_chunk *c, unsigned column, const uint64_t **out,
			  struct et_error *err);
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

/* ---- Names and clocks (SPEC.md 3.4 to 3.7) -------------------------------------- */

/*
 * What HOST, USERS, CGROUPS and CLOCK records have said so far in a segment.
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
 * Wall clock of a boot-clock time, ns since 1970 UTC. fallback: the offset of
 * the chunk at hand, used when the segment has no CLOCK yet.
 */
ET_API int64_t et_context_realtime(const struct et_context *c, uint64_t ts, int64_t fallback);
/* The clock offsets so far, ascending in ts; returns how many. Borrowed. */
ET_API size_t et_context_clocks(const struct et_context *c, const struct et_clock **out);

#ifdef __cplusplus
}
#endif
#endif
