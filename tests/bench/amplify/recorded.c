/* SPDX-License-Identifier: BSD-2-Clause */
#include "recorded.h"
#include "need.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

/* A process or thread of the build, while its rows are read. */
struct id {
	uint64_t pid, start;
	bool thread, ended;
};

struct loading {
	struct recorded *to;
	struct id *ids;
	uint32_t *now; /* by pid, below PID_MAX: the id that has it, or had it last */
};

/* ---- Who it is about ------------------------------------------------------------- */

static uint32_t new_id(struct loading *l, uint64_t pid, uint64_t start, bool thread)
{
	uint32_t n = l->to->n_ids++;

	l->ids = more_room(l->ids, n + 1, sizeof(*l->ids));
	l->ids[n] = (struct id){ pid, start, thread, false };
	l->now[pid] = n;
	return n;
}

/* The process or thread of that number that began then; the one there was, or a new one. */
static uint32_t find_id(struct loading *l, uint64_t pid, uint64_t start, bool thread)
{
	uint32_t n;

	need(pid < PID_MAX, "a process of the capture has the pid %llu",
	     (unsigned long long)pid);
	n = l->now[pid];
	if (n != NO_ID && l->ids[n].start == start && l->ids[n].thread == thread)
		return n;
	need(n == NO_ID || l->ids[n].thread || l->ids[n].ended,
	     "two processes %llu live at once in the capture", (unsigned long long)pid);
	return new_id(l, pid, start, thread);
}

static void identify(struct loading *l, struct recorded_row *row)
{
	const struct et_event *ev = &row->ev;
	uint64_t pid = ev->v[ET_F_PID].u, start = ev->v[ET_F_START].u,
		 ppid = ev->v[ET_F_PPID].u;

	need(ET_HAS(ev, ET_F_PID) && ET_HAS(ev, ET_F_START), "a row lacks its pid or start");
	row->id = find_id(l, pid, start, false);
	row->tid = row->ppid = NO_ID;
	if (ET_HAS(ev, ET_F_TID))
		row->tid = ev->v[ET_F_TID].u == pid
				   ? row->id
				   : find_id(l, ev->v[ET_F_TID].u, start, true);
	if (ET_HAS(ev, ET_F_PPID) && ppid < PID_MAX) {
		row->ppid = l->now[ppid];
		l->to->stays[ppid] |= row->ppid == NO_ID;
	}
	if (ev->v[ET_F_KIND].u == ET_EXIT)
		l->ids[row->id].ended = true;
}

/* ---- Rows ------------------------------------------------------------------------ */

static void note_time(struct recorded *r, uint64_t t)
{
	r->first = t < r->first ? t : r->first;
	r->last = t > r->last ? t : r->last;
}

static void note_times(struct recorded *r, const struct et_event *ev)
{
	note_time(r, ev->v[ET_F_TS].u);
	note_time(r, ev->v[ET_F_START].u);
	if (ET_HAS(ev, ET_F_EXEC_TS))
		note_time(r, ev->v[ET_F_EXEC_TS].u);
}

/* What the command has called before its first exec keeps its strings as they are. */
static void note_root(struct recorded *r, const struct et_event *ev)
{
	if (!r->n) {
		r->uid = ev->v[ET_F_UID].u;
		r->gid = ev->v[ET_F_GID].u;
	}
	if (!*r->root && ET_HAS(ev, ET_F_CWD)) {
		char *root = room(ev->v[ET_F_CWD].s.len + 1, 1);

		memcpy(root, ev->v[ET_F_CWD].s.ptr, ev->v[ET_F_CWD].s.len);
		r->root = root;
	}
}

static void take_texts(struct recorded_row *row, const char *root)
{
	for (uint8_t f = 1; f < ET_FIELD_END; f++) {
		const union et_value *v = &row->ev.v[f];
		struct text *text = &row->texts[row->n_texts];

		if (!ET_HAS(&row->ev, f))
			continue;
		if (et_fields[f].type == ET_STR)
			text_make(f, v->s.ptr, v->s.len, root, text);
		else if (et_fields[f].type == ET_LIST)
			text_make(f, v->l.ptr, v->l.len, root, text);
		else
			continue;
		text->items = et_fields[f].type == ET_LIST ? v->l.n : 0;
		row->longest += text->longest;
		row->n_texts++;
		need(row->n_texts <= TEXTS_MAX, "there are more fields of text than expected");
	}
}

static void take_row(struct loading *l, const struct et_event *ev)
{
	struct recorded *r = l->to;
	struct recorded_row *row;

	if (!(r->n & (r->n + 1)))
		r->rows = more_room(r->rows, 2 * (size_t)r->n + 2, sizeof(*r->rows));
	note_root(r, ev);
	row = &r->rows[r->n++];
	*row = (struct recorded_row){ .ev = *ev };
	identify(l, row);
	note_times(r, ev);
	take_texts(row, r->root);
}

/* A copy that lives on; what it says is not changed. */
static void take_proc(struct loading *l, const struct et_event *ev)
{
	struct recorded *r = l->to;
	struct et_event *to;

	r->procs = more_room(r->procs, r->n_procs + 1, sizeof(*r->procs));
	to = &r->procs[r->n_procs++];
	*to = *ev;
	for (unsigned f = 1; f < ET_FIELD_END; f++) {
		struct et_str bytes = { NULL, 0 };
		char *copy;

		if (!ET_HAS(ev, f))
			continue;
		if (et_fields[f].type == ET_STR)
			bytes = ev->v[f].s;
		else if (et_fields[f].type == ET_LIST)
			bytes = (struct et_str){ ev->v[f].l.ptr, ev->v[f].l.len };
		else
			continue;
		copy = room(bytes.len + 1, 1);
		if (bytes.len)
			memcpy(copy, bytes.ptr, bytes.len);
		if (et_fields[f].type == ET_STR)
			to->v[f].s.ptr = copy;
		else
			to->v[f].l.ptr = copy;
	}
	need(ev->v[ET_F_PID].u < PID_MAX,
	     "a process of the capture has a pid that is too large");
}

static void take_rows(struct loading *l, struct et_reader *reader, const struct et_record *rec)
{
	struct et_chunk *chunk;
	struct et_event ev;

	need(!et_reader_chunk(reader, &chunk, NULL), "a record of the capture cannot be read");
	for (uint32_t i = 0; i < rec->rows; i++) {
		need(!et_chunk_event(chunk, i, &ev, NULL),
		     "a row of the capture cannot be read");
		if (rec->type == ET_REC_PROC)
			take_proc(l, &ev);
		else
			take_row(l, &ev);
	}
	et_chunk_free(chunk);
}

static void take_record(struct loading *l, struct et_reader *reader,
			const struct et_record *rec)
{
	struct recorded *r = l->to;

	need(!et_context_take(r->names, reader, rec, NULL),
	     "a record of the capture cannot be read");
	if (rec->type == ET_REC_FILE) {
		memcpy(r->boot_id, rec->boot_id, sizeof(r->boot_id));
		r->started = rec->started;
	} else if (rec->type == ET_REC_CHUNK || rec->type == ET_REC_PROC) {
		take_rows(l, reader, rec);
	} else if (rec->type == ET_REC_END) {
		char *reason = room(rec->reason.len + 1, 1);

		memcpy(reason, rec->reason.ptr, rec->reason.len);
		r->reason = reason;
	}
}

/* ---- The whole ------------------------------------------------------------------- */

static void demand_whole(const struct et_reader *reader, const struct recorded *r)
{
	struct et_reader_stats stats;
	uint64_t lost = 0;

	et_reader_stats(reader, &stats);
	for (unsigned cause = 0; cause < ET_CAUSE_END; cause++)
		lost += stats.lost[cause];
	need(r->n, "the capture has no events");
	need(stats.segments == 1 && !stats.unclean && !stats.not_ended && !stats.truncated,
	     "the capture is not one recording with an end");
	need(!lost && !stats.lost_other && !stats.missing && !stats.damaged,
	     "the capture is not complete");
}

/* Of what lived before, what did not end; the command itself waited to be let go. */
static void settle(struct loading *l)
{
	struct recorded *r = l->to;
	uint32_t kept = 0;

	for (uint32_t i = 0; i < r->n_ids; i++)
		need(l->ids[i].thread || l->ids[i].ended,
		     "process %llu of the capture does not end: record with -- COMMAND, and a "
		     "command that waits for what it starts",
		     (unsigned long long)l->ids[i].pid);
	for (uint32_t i = 0; i < r->n_procs; i++) {
		uint64_t pid = r->procs[i].v[ET_F_PID].u;

		if (l->now[pid] != NO_ID)
			continue;
		r->stays[pid] = true;
		r->procs[kept++] = r->procs[i];
	}
	r->n_procs = kept;
}

void recorded_read(const char *path, struct recorded *out)
{
	struct loading l = { .to = out };
	struct et_reader *reader = NULL;
	struct et_error err = { 0 };
	struct et_record rec;
	struct et_io io;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*out = (struct recorded){ .first = UINT64_MAX, .root = "", .reason = "" };
	out->names = et_context_new();
	out->stays = room(PID_MAX, sizeof(*out->stays));
	l.now = room(PID_MAX, sizeof(*l.now));
	memset(l.now, 0xff, PID_MAX * sizeof(*l.now));
	need(fd >= 0 && out->names, "%s cannot be opened", path);
	need(!et_io_fd(fd, &io) && !et_reader_open(&io, NULL, NULL, &reader, &err), "%s: %s",
	     path, err.what);
	while (!et_reader_next(reader, &rec, NULL))
		take_record(&l, reader, &rec);
	demand_whole(reader, out);
	et_reader_close(reader);
	settle(&l);
	free(l.ids);
	free(l.now);
}
