/* SPDX-License-Identifier: BSD-2-Clause */
/* tree_json.c - processes as JSON, a line each, as soon as all below have ended. */
#include "tree.h"

#include <stdlib.h>

#include "codes.h"
#include "print.h"
#include "processes.h"

#define BIT(field) (1ull << (field))

/* What a process is, of its last execution; of the first, where that is another. */
#define ARGUMENTS                                                                          \
	(BIT(ET_F_ARGV) | BIT(ET_F_ARGC) | BIT(ET_F_ARGV_BYTES) |                          \
	 BIT(ET_F_ARGV_TRUNCATED) | BIT(ET_F_ARGV_UNREADABLE))
#define FIRST                                                                              \
	(BIT(ET_F_UID) | BIT(ET_F_COMM) | BIT(ET_F_FILENAME) | BIT(ET_F_EXE) |             \
	 BIT(ET_F_CWD) | ARGUMENTS)
#define LAST (FIRST | BIT(ET_F_GID) | BIT(ET_F_CGROUP) | BIT(ET_F_TTY))
/* How it ended, and what it used. */
#define END                                                                                \
	(BIT(ET_F_EXIT_CODE) | BIT(ET_F_SIGNAL) | BIT(ET_F_CORE) | BIT(ET_F_UTIME) |       \
	 BIT(ET_F_STIME) | BIT(ET_F_MAX_RSS) | BIT(ET_F_MINOR_FAULTS) |                    \
	 BIT(ET_F_MAJOR_FAULTS) | BIT(ET_F_READ_BYTES) | BIT(ET_F_WRITE_BYTES))

/* Texts of processes that live, bytes; of more only what is short is told. */
#define TEXTS (64u << 20)

#define ERRORS 4

struct json_node {
	uint64_t id;
	char *first, *last, *end; /* JSON, each beginning with a comma; or NULL */
	uint32_t errors[ERRORS], counts[ERRORS]; /* execs that failed, by errno */
	uint32_t other;			  /* with yet another */
	uint32_t executions;		  /* with what it was found to run */
	int64_t ended;			  /* wall time */
	bool matched, printed, bare;
};

struct tree_json {
	struct out *o;
	struct tree_options opt;
	struct processes *processes;
	struct out scratch;
	bool stopped; /* what is left is not printed */
	uint64_t ids, texts; /* texts: their bytes */
	struct tree_bounds bounds;
};

/* ---- What rows tell ------------------------------------------------------------------- */

static void forget(struct tree_json *j, char **text)
{
	if (*text)
		j->texts -= strlen(*text) + 1;
	free(*text);
	*text = NULL;
}

/* The fields in the place of what *text was; nothing where there is no room for it. */
static int keep(struct tree_json *j, const struct input_row *row, uint64_t fields, char **text,
		bool *bare)
{
	size_t len;

	forget(j, text);
	json_fields(&j->scratch, row, fields);
	len = j->scratch.len;
	j->scratch.len = 0;
	if (j->scratch.error)
		return ET_NOMEM;
	*bare |= len >= TEXTS - j->texts;
	if (len >= TEXTS - j->texts)
		return ET_OK;
	*text = malloc(len + 1);
	if (!*text)
		return ET_NOMEM;
	memcpy(*text, j->scratch.buf, len);
	(*text)[len] = '\0';
	j->texts += len + 1;
	return ET_OK;
}

/* From the root that it is below, as its ancestors are known by now; 0: below none. */
static unsigned level_of(const struct tree_json *j, const struct process *p)
{
	unsigned level = 0;

	for (unsigned steps = 1; p && steps <= TREE_LEVELS; steps++, p = p->parent)
		if (!j->opt.roots || pids_have(j->opt.roots, p->pid))
			level = steps;
	return level;
}

static int began(void *ctx, struct process *p, const struct input_row *row)
{
	struct tree_json *j = ctx;
	struct json_node *n = calloc(1, sizeof(*n));

	(void)row;
	if (!n)
		return ET_NOMEM;
	n->id = ++j->ids;
	p->user = n;
	return ET_OK;
}

static int ended(void *ctx, struct process *p, const struct input_row *row)
{
	struct json_node *n = p->user;

	if (!row)
		return ET_OK;
	n->ended = row->wall;
	return keep(ctx, row, END, &n->end, &n->bare);
}

static void count_failed(struct json_node *n, const struct et_event *ev)
{
	uint32_t error = ET_HAS(ev, ET_F_ERRNO) ? (uint32_t)ev->v[ET_F_ERRNO].u : 0;

	for (unsigned i = 0; i < ERRORS; i++) {
		if (!n->counts[i])
			n->errors[i] = error;
		if (n->errors[i] == error) {
			n->counts[i]++;
			return;
		}
	}
	n->other++;
}

static int execute(struct tree_json *j, struct json_node *n, const struct input_row *row)
{
	struct input_row whole = *row;
	struct et_error err;
	int r = et_chunk_event(row->chunk, row->row, &whole.ev, &err) ? ET_NOMEM : ET_OK;

	if (!r && !n->executions)
		r = keep(j, &whole, FIRST, &n->first, &n->bare);
	n->executions++;
	return r ? r : keep(j, &whole, LAST, &n->last, &n->bare);
}

int tree_json_take(struct tree_json *j, const struct input_row *row)
{
	uint64_t kind = row->ev.v[ET_F_KIND].u;
	struct process *p;
	struct json_node *n;
	int r = processes_take(j->processes, row, &p);

	if (r || !p)
		return r;
	n = p->user;
	n->matched |= row->matches;
	if (kind == ET_FAIL)
		count_failed(n, &row->ev);
	if (kind == ET_EXEC || (kind == ET_PROC && p->origin == PROCESS_FOUND && !n->executions))
		return execute(j, n, row);
	return n->last ? ET_OK : keep(j, row, LAST & ~ARGUMENTS, &n->last, &n->bare);
}

/* ---- Lines ---------------------------------------------------------------------------- */

static void put_failed(struct out *o, const struct json_node *n)
{
	uint64_t total = n->other;
	const char *before = "";

	for (unsigned i = 0; i < ERRORS; i++)
		total += n->counts[i];
	json_uint(o, ",", "failed", total);
	if (!total)
		return;
	out_text(o, ",\"errors\":{");
	for (unsigned i = 0; i < ERRORS && n->counts[i]; i++, before = ",") {
		const char *name = errno_name(n->errors[i]);

		if (name)
			json_uint(o, before, name, n->counts[i]);
		else
			out_printf(o, "%s\"%u\":%u", before, n->errors[i], n->counts[i]);
	}
	if (n->other)
		json_uint(o, before, "other", n->other);
	out_char(o, '}');
}

static void put_line(struct out *o, const struct process *p, const struct json_node *parent)
{
	static const char *const origins[] = {
		[PROCESS_NAMED] = "parent",
		[PROCESS_SEEN] = "event",
		[PROCESS_FOUND] = "proc",
		[PROCESS_FORKED] = "fork",
	};
	const struct json_node *n = p->user;
	bool exited = p->end == PROCESS_EXITED;

	json_uint(o, "{", "id", n->id);
	if (parent)
		json_uint(o, ",", "parent", parent->id);
	if (parent && process_guessed(p))
		out_text(o, ",\"guessed\":true");
	json_uint(o, ",", "pid", p->pid);
	if (p->ppid)
		json_uint(o, ",", "ppid", p->ppid);
	out_printf(o, ",\"known_by\":\"%s\"", origins[p->origin]);
	if (p->start != ET_NONE) {
		json_uint(o, ",", "start", p->start);
		json_time(o, ",", "begin", (int64_t)(p->start + (uint64_t)p->realtime));
	}
	out_text(o, n->last ? n->last : "");
	if (n->first && n->executions > 1)
		out_printf(o, ",\"first\":{%s}", *n->first ? n->first + 1 : "");
	json_uint(o, ",", "execs", p->execs);
	put_failed(o, n);
	out_printf(o, ",\"state\":\"%s\"",
		   exited				    ? "exited"
		   : p->end == PROCESS_RUNS && p->origin ? "running"
							    : "unknown");
	if (exited)
		json_time(o, ",", "end", n->ended);
	if (exited && p->start != ET_NONE && p->start <= p->last)
		json_uint(o, ",", "duration", p->last - p->start);
	out_text(o, n->end ? n->end : "");
	out_printf(o, ",\"matches\":%s}\n", n->matched ? "true" : "false");
}

static void gone(void *ctx, struct process *p)
{
	struct tree_json *j = ctx;
	struct json_node *n = p->user, *parent = p->parent ? p->parent->user : NULL;
	unsigned level;

	if (!n)
		return;
	if (!j->stopped && (n->matched || n->printed)) {
		if (parent)
			parent->printed = true;
		level = level_of(j, p);
		if (level && (!j->opt.depth || level <= j->opt.depth)) {
			put_line(j->o, p, level > 1 ? parent : NULL);
			j->bounds.bare += n->bare;
		}
	}
	forget(j, &n->first);
	forget(j, &n->last);
	forget(j, &n->end);
	free(n);
}

/* ---- The whole ------------------------------------------------------------------------ */

struct tree_json *tree_json_new(struct out *o, const struct tree_options *opt)
{
	struct tree_json *j = calloc(1, sizeof(*j));

	if (!j)
		return NULL;
	j->o = o;
	j->opt = *opt;
	out_open(&j->scratch, -1);
	j->processes = processes_new(&(struct processes_calls){
		.began = began, .ended = ended, .gone = gone, .ctx = j });
	if (j->processes && !j->scratch.error)
		return j;
	tree_json_free(j);
	return NULL;
}

void tree_json_free(struct tree_json *j)
{
	if (!j)
		return;
	j->stopped = true;
	processes_free(j->processes);
	out_close(&j->scratch);
	free(j);
}

void tree_json_end(struct tree_json *j, struct tree_bounds *bounds)
{
	processes_end(j->processes);
	*bounds = j->bounds;
	bounds->forgotten = processes_forgotten(j->processes);
}
