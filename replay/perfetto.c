/* SPDX-License-Identifier: BSD-2-Clause */
#include "perfetto.h"

#include <stdlib.h>
#include <string.h>

#include "codes.h"
#include "print.h"
#include "processes.h"
#include "span.h"

#define PID_BITS 22 /* PID_MAX_LIMIT of the kernel's include/linux/threads.h */
#define PIDS (1u << PID_BITS)
#define COMM_MAX 16

/* Of a pid that is used again the next process has another number, as far as numbers go. */
#define LIVES_MAX 500

/* Tracks of lost events, one for each CPU: behind all processes. */
#define LOST_PID ((LIVES_MAX + 1) * PIDS)
#define LOST_CPUS 65536u /* told apart */

/* What is known of a process that may be shown. */
struct track {
	uint32_t id;     /* its number in the trace: pid and tid; 0: not in it yet */
	bool open;       /* a slice is */
	bool forked;     /* it was, is to be shown, and has executed nothing yet */
	uint32_t parent; /* the number of the slice that forked it; 0: none is shown */
	int64_t fork_at;
	char comm[COMM_MAX]; /* what the track is called; not always NUL-terminated */
	uint8_t comm_len;
};

struct perfetto {
	struct out *o;
	struct processes *processes;
	struct span span;
	uint16_t *lives; /* by pid: how many numbers have been given */
	uint64_t flows;
	bool any; /* events */
};

/* ---- Events --------------------------------------------------------------------------- */

/* Microseconds, to the nanosecond. */
static void put_time(struct out *o, const char *name, int64_t ns)
{
	uint64_t u = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	char digits[3] = { (char)('0' + u / 100 % 10), (char)('0' + u / 10 % 10),
			   (char)('0' + u % 10) };

	out_text(o, ",\"");
	out_text(o, name);
	out_text(o, ns < 0 ? "\":-" : "\":");
	out_uint(o, u / 1000);
	out_char(o, '.');
	out_bytes(o, digits, sizeof(digits));
}

/* The beginning of an event: its phase and track. */
static void begin_event(struct perfetto *t, char phase, uint64_t pid, uint64_t tid)
{
	out_text(t->o, t->any ? ",\n{\"ph\":\"" : "{\"traceEvents\":[\n{\"ph\":\"");
	t->any = true;
	out_char(t->o, phase);
	out_char(t->o, '"');
	json_uint(t->o, ",", "pid", pid);
	json_uint(t->o, ",", "tid", tid);
}

/* All of an event under its kind, as replay --json prints it. */
static void put_args(struct out *o, const char *kind, const struct input_row *row)
{
	out_text(o, ",\"args\":{\"");
	out_text(o, kind);
	out_text(o, "\":");
	json_row(o, row);
	out_text(o, "}}");
}

static void name_track(struct perfetto *t, const char *what, uint64_t pid, uint64_t tid,
		       const char *name, size_t len)
{
	begin_event(t, 'M', pid, tid);
	json_text(t->o, ",", "name", what, strlen(what));
	json_text(t->o, ",\"args\":{", "name", name, len);
	out_text(t->o, "}}");
}

/* ---- Tracks --------------------------------------------------------------------------- */

static struct track *track_of(struct process *p)
{
	if (!p->user)
		p->user = calloc(1, sizeof(struct track));
	return p->user;
}

static void set_comm(struct track *k, const struct et_event *ev)
{
	struct et_str comm = ET_HAS(ev, ET_F_COMM) ? ev->v[ET_F_COMM].s
						   : (struct et_str){ "?", 1 };

	k->comm_len = comm.len < COMM_MAX ? (uint8_t)comm.len : COMM_MAX;
	memcpy(k->comm, comm.ptr, k->comm_len);
}

static void give_id(struct perfetto *t, struct track *k, uint32_t pid)
{
	uint16_t *lives = &t->lives[pid % PIDS];

	k->id = pid % PIDS + (uint32_t)*lives * PIDS;
	if (*lives < LIVES_MAX)
		++*lives;
}

/* The track is there and called by what is on it now. */
static void show_track(struct perfetto *t, struct track *k, uint32_t pid)
{
	if (!k->id)
		give_id(t, k, pid);
	name_track(t, "process_name", k->id, k->id, k->comm, k->comm_len);
	name_track(t, "thread_name", k->id, k->id, k->comm, k->comm_len);
}

/* From the slice that forked it to the one that begins. */
static void put_flow(struct perfetto *t, struct track *k, int64_t at)
{
	static const char name[] = ",\"name\":\"fork\",\"cat\":\"fork\"";

	if (!k->parent)
		return;
	t->flows++;
	begin_event(t, 's', k->parent, k->parent);
	out_text(t->o, name);
	json_uint(t->o, ",", "id", t->flows);
	put_time(t->o, "ts", k->fork_at);
	out_text(t->o, "}");
	begin_event(t, 'f', k->id, k->id);
	out_text(t->o, name);
	json_uint(t->o, ",", "id", t->flows);
	put_time(t->o, "ts", at);
	out_text(t->o, ",\"bp\":\"e\"}");
	k->parent = 0;
}

static void open_slice(struct perfetto *t, struct process *p, const struct input_row *row,
		       const char *kind, int64_t at)
{
	struct track *k = p->user;

	set_comm(k, &row->ev);
	show_track(t, k, p->pid);
	begin_event(t, 'B', k->id, k->id);
	put_time(t->o, "ts", at);
	json_text(t->o, ",", "cat", kind, strlen(kind));
	json_text(t->o, ",", "name", k->comm, k->comm_len);
	put_args(t->o, kind, row);
	k->open = true;
	k->forked = false;
	put_flow(t, k, at);
}

/* row: of its exit; NULL: end says how it came to an end. */
static void close_slice(struct perfetto *t, struct track *k, int64_t at,
			const struct input_row *row, const char *end)
{
	begin_event(t, 'E', k->id, k->id);
	put_time(t->o, "ts", at);
	if (row) {
		put_args(t->o, "exit", row);
	} else {
		json_text(t->o, ",\"args\":{", "end", end, strlen(end));
		out_text(t->o, "}}");
	}
	k->open = false;
}

/* One that was forked and has executed nothing is only known to be one now. */
static void put_forked(struct perfetto *t, struct process *p, int64_t at,
		       const struct input_row *row, const char *end)
{
	struct track *k = p->user;

	show_track(t, k, p->pid);
	begin_event(t, 'B', k->id, k->id);
	put_time(t->o, "ts", k->fork_at);
	out_text(t->o, ",\"cat\":\"fork\"");
	json_text(t->o, ",", "name", k->comm, k->comm_len);
	out_text(t->o, "}");
	put_flow(t, k, k->fork_at);
	close_slice(t, k, at, row, end);
	k->forked = false;
}

static void end_process(struct perfetto *t, struct process *p, int64_t at,
			const struct input_row *row, const char *end)
{
	struct track *k = p->user;

	if (k && k->open)
		close_slice(t, k, at, row, end);
	else if (k && k->forked)
		put_forked(t, p, at, row, end);
}

/* ---- Rows ----------------------------------------------------------------------------- */

static int on_ended(void *ctx, struct process *p, const struct input_row *row)
{
	struct perfetto *t = ctx;

	if (row)
		end_process(t, p, span_at(&t->span, p->boot, p->last), row, NULL);
	else
		end_process(t, p, span_at(&t->span, p->boot, p->last), NULL, "unknown");
	return ET_OK;
}

/* What is still open runs when the capture ends. */
static void on_gone(void *ctx, struct process *p)
{
	struct perfetto *t = ctx;

	end_process(t, p, span_end(&t->span, p->boot), NULL, "running");
	free(p->user);
	p->user = NULL;
}

static void put_lost(struct perfetto *t, const struct input_row *row, int64_t at)
{
	const struct et_event *ev = &row->ev;
	uint64_t cpu = ET_HAS(ev, ET_F_CPU) ? ev->v[ET_F_CPU].u : LOST_CPUS;
	uint64_t ts = ev->v[ET_F_TS].u, cause = ev->v[ET_F_CAUSE].u;
	uint64_t until = ET_HAS(ev, ET_F_UNTIL) ? ev->v[ET_F_UNTIL].u : ts;
	const char *why = cause < ET_CAUSE_END ? et_cause_name((unsigned)cause) : NULL;
	uint64_t tid = LOST_PID + (cpu < LOST_CPUS ? cpu : LOST_CPUS);

	name_track(t, "process_name", LOST_PID, tid, "lost events", strlen("lost events"));
	begin_event(t, 'M', LOST_PID, tid);
	out_text(t->o, ",\"name\":\"thread_name\",\"args\":{\"name\":\"");
	if (cpu < LOST_CPUS)
		out_printf(t->o, "lost on cpu %llu\"}}", (unsigned long long)cpu);
	else
		out_text(t->o, "lost\"}}");
	begin_event(t, 'X', LOST_PID, tid);
	put_time(t->o, "ts", at);
	put_time(t->o, "dur", until > ts ? (int64_t)(until - ts) : 0);
	out_text(t->o, ",\"cat\":\"lost\"");
	why = why ? why : "unknown";
	json_text(t->o, ",", "name", why, strlen(why));
	put_args(t->o, "lost", row);
}

static void put_failed(struct perfetto *t, struct process *p, const struct input_row *row,
		       int64_t at)
{
	const char *name = errno_name(row->ev.v[ET_F_ERRNO].u);
	struct track *k = p->user;

	if (!k->id) {
		if (!k->comm_len)
			set_comm(k, &row->ev);
		show_track(t, k, p->pid);
	}
	begin_event(t, 'i', k->id, k->id);
	put_time(t->o, "ts", at);
	out_text(t->o, ",\"s\":\"t\",\"cat\":\"fail\"");
	name = name ? name : "failed";
	json_text(t->o, ",", "name", name, strlen(name));
	put_args(t->o, "fail", row);
}

static void note_fork(struct process *p, const struct input_row *row, int64_t at)
{
	const struct track *parent = p->parent ? p->parent->user : NULL;
	struct track *k = p->user;

	k->fork_at = at;
	k->parent = parent && parent->open ? parent->id : 0;
	k->forked = row->matches;
	set_comm(k, &row->ev);
}

int perfetto_row(struct perfetto *t, const struct input_row *row)
{
	uint64_t kind = row->ev.v[ET_F_KIND].u;
	struct process *p;
	struct track *k;
	int64_t at;
	int r = span_take(&t->span, row, &at);

	if (!r)
		r = processes_take(t->processes, row, &p);
	if (r)
		return r;
	if (kind == ET_LOST && row->matches)
		put_lost(t, row, at);
	/* An exit is dealt with in on_ended. */
	if (!p || kind == ET_EXIT)
		return ET_OK;
	k = track_of(p);
	if (!k)
		return ET_NOMEM;
	if (kind == ET_EXEC && k->open)
		close_slice(t, k, at, NULL, "exec");
	if (kind == ET_FORK && !p->execs && !k->open)
		note_fork(p, row, at);
	else if (kind == ET_EXEC && row->matches)
		open_slice(t, p, row, "exec", at);
	else if (kind == ET_EXEC)
		k->forked = false;
	else if (kind == ET_PROC && row->matches && !k->open)
		open_slice(t, p, row, "proc", at);
	else if (kind == ET_FAIL && row->matches)
		put_failed(t, p, row, at);
	return ET_OK;
}

void perfetto_end(struct perfetto *t)
{
	processes_end(t->processes);
	out_text(t->o, t->any ? "\n]" : "{\"traceEvents\":[]");
	out_text(t->o, ",\n\"displayTimeUnit\":\"ns\"");
	if (t->any)
		json_time(t->o, ",\n\"otherData\":{", "start", span_zero(&t->span));
	out_text(t->o, t->any ? "}}\n" : "}\n");
}

struct perfetto *perfetto_new(struct out *o)
{
	struct perfetto *t = calloc(1, sizeof(*t));
	struct processes_calls calls = { .ended = on_ended, .gone = on_gone };

	if (!t)
		return NULL;
	calls.ctx = t;
	t->o = o;
	t->processes = processes_new(&calls);
	/* Only what is used of it is taken from the system. */
	t->lives = calloc(PIDS, sizeof(*t->lives));
	if (t->processes && t->lives)
		return t;
	perfetto_free(t);
	return NULL;
}

void perfetto_free(struct perfetto *t)
{
	if (!t)
		return;
	processes_free(t->processes);
	span_free(&t->span);
	free(t->lives);
	free(t);
}
