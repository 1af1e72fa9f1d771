/* SPDX-License-Identifier: BSD-2-Clause */
#include "unpack.h"

#include "envnames.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 u128;

/* What of the body is not read yet; once failed, nothing more can be taken. */
struct rest {
	const uint8_t *at;
	size_t len;
	bool failed;
};

static const char *take(struct rest *r, size_t n)
{
	const uint8_t *at = r->at;

	if (r->failed || n > r->len) {
		r->failed = true;
		return NULL;
	}
	r->at += n;
	r->len -= n;
	return (const char *)at;
}

/* Fixed parts are copied out: records need not be aligned. */
static void take_into(struct rest *r, void *to, size_t n)
{
	const char *from = take(r, n);

	if (from)
		memcpy(to, from, n);
	else
		memset(to, 0, n);
}

static void set_task(struct et_event *ev, const struct wire_task *t, const char *comm)
{
	et_set_uint(ev, ET_F_PID, t->pid);
	et_set_uint(ev, ET_F_TID, t->tid);
	et_set_uint(ev, ET_F_PPID, t->ppid);
	et_set_uint(ev, ET_F_START, t->start);
	et_set_uint(ev, ET_F_UID, t->uid);
	et_set_uint(ev, ET_F_GID, t->gid);
	et_set_uint(ev, ET_F_EUID, t->euid);
	et_set_uint(ev, ET_F_EGID, t->egid);
	et_set_str(ev, ET_F_COMM, comm, (uint32_t)strnlen(comm, sizeof(t->comm)));
	if (t->cgroup)
		et_set_uint(ev, ET_F_CGROUP, t->cgroup);
}

/* A number that the kernel may not have. */
static void set_known(struct et_event *ev, enum et_field_id id, uint64_t value, uint64_t unknown)
{
	if (value != unknown)
		et_set_uint(ev, id, value);
}

/* The kernel's name of a terminal as it is called below /dev: its pts0 is pts/0 there. */
static void set_tty(struct unpack *u, struct et_event *ev, const char *name, size_t len)
{
	size_t digits = len > 3 && !memcmp(name, "pts", 3) ? strspn(name + 3, "0123456789") : 0;

	if (digits && digits == len - 3)
		len = (size_t)snprintf(u->tty, sizeof(u->tty), "pts/%s", name + 3);
	else
		memcpy(u->tty, name, len);
	if (len)
		et_set_str(ev, ET_F_TTY, u->tty, (uint32_t)len);
}

static void set_identity(struct unpack *u, struct et_event *ev, struct rest *r)
{
	struct wire_identity w;

	take_into(r, &w, sizeof(w));
	if (w.flags & ~(WIRE_SECURE_EXEC | WIRE_EXE_DELETED | WIRE_EXE_MEMFD) || w.pad) {
		r->failed = true;
		return;
	}
	et_set_uint(ev, ET_F_SECURE_EXEC, !!(w.flags & WIRE_SECURE_EXEC));
	et_set_uint(ev, ET_F_EXE_DELETED, !!(w.flags & WIRE_EXE_DELETED));
	et_set_uint(ev, ET_F_EXE_MEMFD, !!(w.flags & WIRE_EXE_MEMFD));
	et_set_uint(ev, ET_F_EXE_DEV, w.exe_dev);
	et_set_uint(ev, ET_F_EXE_INODE, w.exe_inode);
	u->stamp = (struct unpack_stamp){ w.exe_size, w.exe_mtime };
	set_known(ev, ET_F_LOGIN_UID, w.login_uid, WIRE_UNKNOWN);
	set_known(ev, ET_F_SESSION, w.session, WIRE_UNKNOWN);
	et_set_uint(ev, ET_F_PID_NS, w.pid_ns);
	et_set_uint(ev, ET_F_MNT_NS, w.mnt_ns);
	et_set_uint(ev, ET_F_USER_NS, w.user_ns);
	et_set_uint(ev, ET_F_NET_NS, w.net_ns);
	et_set_uint(ev, ET_F_NS_PID, w.ns_pid);
	/* One that was cut would be another terminal's; no driver has such a long one. */
	if (w.tty[sizeof(w.tty) - 1] == '\0')
		set_tty(u, ev, w.tty, strlen(w.tty));
}

/* A string as it stands; len may be WIRE_NONE. */
static void set_string(struct et_event *ev, struct rest *r, enum et_field_id id, uint16_t len)
{
	const char *s;

	if (len == WIRE_NONE)
		return;
	s = take(r, len);
	if (s && memchr(s, '\0', len))
		r->failed = true;
	else if (s)
		et_set_str(ev, id, s, len);
}

/*
 * Pieces from the last to the first, each a name and a NUL, as /first/.../last
 * in out, which has room for len + 1. A partial path has lost its beginning:
 * what is left of it would read like another path, so it is not known.
 */
static void set_path(struct et_event *ev, struct rest *r, enum et_field_id id, uint16_t len,
		     bool partial, char *out)
{
	const char *pieces, *piece, *end;
	char *to = out + len;

	if (len == WIRE_NONE)
		return;
	pieces = take(r, len);
	if (!pieces || partial)
		return;
	for (piece = pieces; piece < pieces + len; piece = end + 1) {
		end = memchr(piece, '\0', (size_t)(pieces + len - piece));
		if (!end || end == piece) {
			r->failed = true;
			return;
		}
		to -= end - piece + 1;
		to[0] = '/';
		memcpy(to + 1, piece, (size_t)(end - piece));
	}
	if (len)
		et_set_str(ev, id, out, len);
	else
		et_set_str(ev, id, "/", 1);
}

/* Room for a list; false: no memory. */
static bool list_room(char **list, size_t *list_size, size_t size)
{
	char *bigger;

	if (size <= *list_size)
		return true;
	size = size < 65536 ? 65536 : size;
	bigger = realloc(*list, size);
	if (!bigger)
		return false;
	*list = bigger;
	*list_size = size;
	return true;
}

static bool argv_room(struct unpack *u, size_t size)
{
	return list_room(&u->argv, &u->argv_size, size);
}

static void set_argv(struct et_event *ev, const char *ptr, size_t len, size_t n)
{
	ev->known |= 1ull << ET_F_ARGV;
	ev->v[ET_F_ARGV].l = (struct et_list){ ptr, (uint32_t)len, (uint32_t)n };
}

/* argv as it stands in the record; a cut one may lack the last NUL. */
static bool take_list(struct unpack *u, struct et_event *ev, struct rest *r)
{
	size_t n = 0, len = r->len;
	const char *s = take(r, len);

	for (size_t i = 0; i < len; i++)
		n += !s[i];
	if (len && s[len - 1]) {
		if (!argv_room(u, len + 1))
			return false;
		memcpy(u->argv, s, len);
		u->argv[len++] = '\0';
		s = u->argv;
		n++;
	}
	set_argv(ev, s, len, n);
	return true;
}

/* The caller's memory as it lies in a span record, and the pointers into it. */
struct span {
	const char *pointers;
	const char *memory;
	size_t len;
	uint64_t base;
};

/* The string of pointer i; NULL when it leads out. Memory ends with a NUL. */
static const char *span_string(const struct span *s, uint32_t i)
{
	uint64_t pointer;

	memcpy(&pointer, s->pointers + i * sizeof(pointer), sizeof(pointer));
	if (pointer < s->base || pointer - s->base >= s->len)
		return NULL;
	return s->memory + (pointer - s->base);
}

/*
 * Puts the first n strings of a span together as argv. Strings may lie in each
 * other, so their sum has no bound but the cap: what goes beyond it is left out.
 * *size becomes the true size.
 */
static bool take_span(struct unpack *u, struct et_event *ev, const struct span *s, uint32_t n,
		      uint32_t cap, uint64_t *size)
{
	size_t max = cap < UNPACK_ARGV_MAX ? cap : UNPACK_ARGV_MAX, len = 0;
	uint32_t taken = 0;
	bool cut = false;

	*size = 0;
	for (uint32_t i = 0; i < n; i++) {
		const char *string = span_string(s, i);
		size_t string_len, room = max - len;

		if (!string)
			return false;
		string_len = strlen(string) + 1;
		*size += string_len;
		if (!room)
			continue;
		if (string_len <= room)
			room = string_len;
		if (!argv_room(u, len + room + 1))
			return false;
		memcpy(u->argv + len, string, room);
		len += room;
		cut = room < string_len;
		u->argv[len] = '\0';
		taken++;
	}
	set_argv(ev, u->argv, len + cut, taken);
	return true;
}

/* The strings of a wire_exec with span: pointers and filename, then the memory. */
static bool set_span(struct unpack *u, struct et_event *ev, unsigned *flags, struct rest *r,
		     const struct wire_exec *e, uint64_t *size)
{
	bool named = e->filename_len == WIRE_IN_SPAN;
	struct span s = { .base = e->span };
	const char *name;

	if (!(*flags & WIRE_ARGC_KNOWN) || !e->argc ||
	    (size_t)e->argc + named > WIRE_SPAN_STRINGS)
		return false;
	s.pointers = take(r, ((size_t)e->argc + named) * sizeof(uint64_t));
	if (!named)
		set_string(ev, r, ET_F_FILENAME, e->filename_len);
	s.len = r->len;
	s.memory = take(r, s.len);
	if (r->failed || !s.len || s.memory[s.len - 1])
		return false;
	if (named) {
		name = span_string(&s, e->argc);
		if (!name)
			return false;
		et_set_str(ev, ET_F_FILENAME, name, (uint32_t)strlen(name));
	}
	if (!take_span(u, ev, &s, e->argc, e->argv_max, size))
		return false;
	if (*size > e->argv_max)
		*flags |= WIRE_ARGV_TRUNCATED;
	return true;
}

static bool set_exec(struct unpack *u, struct et_event *ev, unsigned flags, struct rest *r,
		     enum et_kind kind)
{
	struct wire_exec e;
	uint64_t size;

	take_into(r, &e, sizeof(e));
	size = e.argv_size;
	if (e.error)
		et_set_uint(ev, ET_F_ERRNO, e.error);
	if (e.duration)
		et_set_uint(ev, ET_F_EXEC_DURATION, e.duration);
	if (kind == ET_EXEC)
		set_identity(u, ev, r);
	if (e.span) {
		if (!set_span(u, ev, &flags, r, &e, &size))
			return false;
	} else {
		set_string(ev, r, ET_F_FILENAME, e.filename_len);
		set_string(ev, r, ET_F_INTERPRETER, e.interpreter_len);
		set_path(ev, r, ET_F_EXE, e.exe_len, flags & WIRE_EXE_PARTIAL, u->exe);
		set_path(ev, r, ET_F_CWD, e.cwd_len, flags & WIRE_CWD_PARTIAL, u->cwd);
		if (r->failed)
			return false;
		/* An argv of which nothing could be read is not an empty one. */
		if ((r->len || !(flags & WIRE_ARGV_UNREADABLE)) && !take_list(u, ev, r))
			return false;
	}

	/* Of a call whose memory was gone there is no environment to be unpacked. */
	if (flags & WIRE_ENV_UNREADABLE)
		et_set_uint(ev, ET_F_ENV_UNREADABLE, 1);
	if (flags & WIRE_ARGV_TRUNCATED)
		et_set_uint(ev, ET_F_ARGV_TRUNCATED, 1);
	if (flags & WIRE_ARGV_UNREADABLE)
		et_set_uint(ev, ET_F_ARGV_UNREADABLE, 1);
	if (!(flags & (WIRE_ARGV_TRUNCATED | WIRE_ARGV_UNREADABLE)))
		return true;
	if (flags & WIRE_ARGC_KNOWN)
		et_set_uint(ev, ET_F_ARGC, e.argc);
	if (size)
		et_set_uint(ev, ET_F_ARGV_BYTES, size);
	return true;
}

/*
 * The scheduler knows how long the threads ran; ticks only sample in which mode.
 * Splits the one by the ratio of the other, as the kernel's cputime_adjust does.
 */
static void set_times(struct et_event *ev, const struct wire_exit *x)
{
	uint64_t utime = x->utime, stime = x->stime;

	if (x->runtime && !stime) {
		utime = x->runtime;
	} else if (x->runtime && !utime) {
		stime = x->runtime;
	} else if (x->runtime) {
		stime = (uint64_t)((u128)stime * x->runtime / ((u128)utime + stime));
		utime = x->runtime - stime;
	}
	et_set_uint(ev, ET_F_UTIME, utime);
	et_set_uint(ev, ET_F_STIME, stime);
}

static void set_exit(struct et_event *ev, struct rest *r, unsigned page_size)
{
	struct wire_exit x;
	unsigned signal;

	take_into(r, &x, sizeof(x));
	signal = x.status & 0x7f;
	if (signal) {
		et_set_uint(ev, ET_F_SIGNAL, signal);
		et_set_uint(ev, ET_F_CORE, x.status >> 7 & 1);
	} else {
		et_set_uint(ev, ET_F_EXIT_CODE, x.status >> 8 & 0xff);
	}
	set_times(ev, &x);
	et_set_uint(ev, ET_F_MAX_RSS, x.max_rss * page_size);
	et_set_uint(ev, ET_F_MINOR_FAULTS, x.minor_faults);
	et_set_uint(ev, ET_F_MAJOR_FAULTS, x.major_faults);
	set_known(ev, ET_F_READ_BYTES, x.read_bytes, WIRE_UNKNOWN_64);
	set_known(ev, ET_F_WRITE_BYTES, x.write_bytes, WIRE_UNKNOWN_64);
}

static enum et_kind kind_of(const struct wire_head *head)
{
	switch (head->kind) {
	case WIRE_EXEC:
		return ET_EXEC;
	case WIRE_FAIL:
		return ET_FAIL;
	case WIRE_FORK:
		return ET_FORK;
	default:
		return ET_EXIT;
	}
}

/* No kernel sends such numbers, and a capture has no room for them. */
static bool numbers_fit(const struct et_event *ev)
{
	static const uint8_t wide[] = {
		ET_F_START, ET_F_CGROUP, ET_F_UTIME, ET_F_STIME, ET_F_MAX_RSS, ET_F_EXE_INODE,
		ET_F_EXEC_DURATION, ET_F_MINOR_FAULTS, ET_F_MAJOR_FAULTS,
	};

	for (size_t i = 0; i < sizeof(wide); i++) {
		if (ET_HAS(ev, wide[i]) && ev->v[wide[i]].u == ET_NONE)
			return false;
	}
	return true;
}

bool unpack(struct unpack *u, const struct wire_head *head, unsigned flags, const uint8_t *body,
	    size_t len, unsigned page_size, struct et_event *ev)
{
	enum et_kind kind = kind_of(head);
	struct rest r = { body, len, false };
	const char *task_at = take(&r, sizeof(struct wire_task));
	struct wire_task task;

	if (!task_at)
		return false;
	memcpy(&task, task_at, sizeof(task));
	ev->known = 0;
	et_set_uint(ev, ET_F_KIND, kind);
	et_set_uint(ev, ET_F_TS, head->ts);
	set_task(ev, &task, task_at + offsetof(struct wire_task, comm));
	if (kind == ET_EXEC || kind == ET_FAIL) {
		if (!set_exec(u, ev, flags, &r, kind))
			return false;
	} else if (kind == ET_EXIT) {
		set_exit(ev, &r, page_size);
	}
	/* Nothing may follow: then the lengths mean something else than thought. */
	return !r.failed && !r.len && numbers_fit(ev);
}

/*
 * Strings as they stand, of which those asked for are kept. The last one may be cut; where
 * its name may be, too, it is not known whether it was asked for.
 */
static bool take_env(struct unpack *u, struct et_event *ev, const char *strings, size_t len)
{
	uint32_t n = 0;
	size_t used = 0;

	if (!list_room(&u->env, &u->env_size, len + 1))
		return false;
	for (size_t at = 0, next; at < len; at = next) {
		size_t string_len = strnlen(strings + at, len - at);
		bool cut = at + string_len == len;

		next = at + string_len + 1;
		if (u->env_names && ((cut && !memchr(strings + at, '=', string_len)) ||
				     !envnames_match(u->env_names, strings + at, string_len)))
			continue;
		memcpy(u->env + used, strings + at, string_len);
		used += string_len;
		u->env[used++] = '\0';
		n++;
	}
	ev->known |= 1ull << ET_F_ENV;
	ev->v[ET_F_ENV].l = (struct et_list){ u->env, (uint32_t)used, n };
	return true;
}

bool unpack_env(struct unpack *u, unsigned flags, const uint8_t *body, size_t len,
		struct et_event *ev)
{
	struct rest r = { body, len, false };
	uint64_t kind = ev->v[ET_F_KIND].u;
	struct wire_env e;
	const char *strings;
	size_t strings_len;

	take_into(&r, &e, sizeof(e));
	strings_len = r.len;
	strings = take(&r, strings_len);
	if (r.failed || strings_len > UNPACK_ARGV_MAX || (kind != ET_EXEC && kind != ET_FAIL))
		return false;
	if ((strings_len || !(flags & WIRE_ENV_UNREADABLE)) &&
	    !take_env(u, ev, strings, strings_len))
		return false;
	if (flags & WIRE_ENV_TRUNCATED)
		et_set_uint(ev, ET_F_ENV_TRUNCATED, 1);
	if (!(flags & (WIRE_ENV_TRUNCATED | WIRE_ENV_UNREADABLE)))
		return true;
	if (flags & WIRE_ENVC_KNOWN)
		et_set_uint(ev, ET_F_ENV_COUNT, e.count);
	if (e.size)
		et_set_uint(ev, ET_F_ENV_BYTES, e.size);
	return true;
}

void unpack_free(struct unpack *u)
{
	free(u->argv);
	free(u->env);
}
