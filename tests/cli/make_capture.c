/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * make_capture - writes a capture of made-up processes, for tests that have no
 * kernel to ask.
 *
 *	make_capture PROCESSES [unclean] [lost] [clock] [shift=MS] > FILE
 *
 * The same arguments give the same events. Each process is forked, probes a
 * path or two in vain, executes something and ends; every eighth carries
 * hostile bytes. unclean: no END. lost: some events are told to be lost. clock:
 * the wall clock is set, forward and back, and what is told to be lost may have
 * happened until after the rows that follow. shift: so many milliseconds later by
 * the wall clock.
 */
#include <exectrace.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define BOOT_OFFSET 1790000000000000000ll	/* 2026-09-21, ns */

static struct et_writer *writer;
static struct et_batch *batch;
static uint64_t lost[ET_CAUSE_END];
static uint64_t now = 5000000000u;
static int64_t realtime = BOOT_OFFSET;
static uint64_t lost_span = 1000;
static uint32_t chunk_rows = 1000;
static uint32_t seed = 12345;

static void need(int code, const struct et_error *err)
{
	if (code == ET_OK)
		return;
	fprintf(stderr, "make_capture: %s (code %d)\n", err->what ? err->what : "failed", code);
	exit(1);
}

static uint32_t rnd(uint32_t below)
{
	seed = seed * 1664525u + 1013904223u;
	return (seed >> 8) % below;
}

static void flush(void)
{
	struct et_error err = { 0 };

	need(et_writer_batch(writer, ET_REC_CHUNK, batch, lost, &err), &err);
	et_batch_reset(batch);
}

static void add(const struct et_event *ev)
{
	struct et_error err = { 0 };

	need(et_batch_add(batch, ev, &err), &err);
	if (et_batch_rows(batch) >= chunk_rows)
		flush();
}

static void set_text(struct et_event *ev, enum et_field_id id, const char *text)
{
	et_set_str(ev, id, text, (uint32_t)strlen(text));
}

static void set_argv(struct et_event *ev, const char *bytes, uint32_t len)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < len; i++)
		n += bytes[i] == '\0';
	ev->known |= 1ull << ET_F_ARGV;
	ev->v[ET_F_ARGV].l = (struct et_list){ bytes, len, n };
}

/* What all kinds have. */
static struct et_event event(enum et_kind kind, uint32_t pid, uint32_t ppid, uint64_t start,
			     uint32_t uid, const char *comm)
{
	struct et_event ev = { .realtime = realtime };

	now += 1000 + rnd(1000000);
	et_set_uint(&ev, ET_F_KIND, kind);
	et_set_uint(&ev, ET_F_TS, now);
	et_set_uint(&ev, ET_F_PID, pid);
	et_set_uint(&ev, ET_F_PPID, ppid);
	et_set_uint(&ev, ET_F_START, start);
	et_set_uint(&ev, ET_F_UID, uid);
	et_set_uint(&ev, ET_F_GID, uid);
	et_set_uint(&ev, ET_F_CGROUP, 77 + uid);
	set_text(&ev, ET_F_COMM, comm);
	return ev;
}

#define ARGS(ev, bytes) set_argv(ev, bytes, sizeof(bytes))

static void process(uint32_t i)
{
	static const char *const names[] = { "cc", "ls", "sh", "sed", "grep" };
	const char *name = names[rnd(5)];
	uint32_t pid = 1000 + i, ppid = 900 + rnd(20), uid = rnd(4) ? 1000 : 0;
	uint64_t start = now + 500, executed;
	char path[64], args[128];
	struct et_event ev;
	int len;

	ev = event(ET_FORK, pid, ppid, start, uid, "make");
	add(&ev);
	for (uint32_t probes = rnd(3); probes; probes--) {
		ev = event(ET_FAIL, pid, ppid, start, uid, "make");
		snprintf(path, sizeof(path), "/usr/local/bin/%s", name);
		set_text(&ev, ET_F_FILENAME, path);
		ARGS(&ev, "probe\0--one\0two words");
		et_set_uint(&ev, ET_F_ERRNO, rnd(10) ? 2 : 13);
		add(&ev);
	}
	ev = event(ET_EXEC, pid, ppid, start, uid, name);
	executed = ev.v[ET_F_TS].u;
	et_set_uint(&ev, ET_F_EXEC_TS, executed);
	et_set_uint(&ev, ET_F_TID, pid);
	et_set_uint(&ev, ET_F_EUID, uid);
	et_set_uint(&ev, ET_F_EGID, uid);
	snprintf(path, sizeof(path), "/usr/bin/%s", name);
	set_text(&ev, ET_F_FILENAME, path);
	set_text(&ev, ET_F_EXE, path);
	if (i % 8 == 3) {
		ARGS(&ev, "hostile\0\0\xff\xfe\0a\nb\t\x1b[31m\0'quoted' \"text\" \\\0--caf\xc3\xa9");
		set_text(&ev, ET_F_CWD, "/srv/\x1b]0;title\x07/caf\xe9");
	} else {
		len = snprintf(args, sizeof(args), "%s%c-o%cfile-%u.o%cfile-%u.c", name, 0, 0, i, 0, i) + 1;
		set_argv(&ev, args, (uint32_t)len);
		set_text(&ev, ET_F_CWD, "/srv/build");
	}
	add(&ev);
	ev = event(ET_EXIT, pid, ppid, start, uid, name);
	if (rnd(20)) {
		et_set_uint(&ev, ET_F_EXIT_CODE, rnd(5) ? 0 : 1 + rnd(3));
	} else {
		et_set_uint(&ev, ET_F_SIGNAL, rnd(2) ? 11 : 9);
		et_set_uint(&ev, ET_F_CORE, rnd(2));
	}
	et_set_uint(&ev, ET_F_EXEC_TS, executed);
	et_set_uint(&ev, ET_F_UTIME, 1000000 + rnd(1000000));
	et_set_uint(&ev, ET_F_STIME, rnd(1000000));
	et_set_uint(&ev, ET_F_MAX_RSS, (1000 + rnd(1000)) * 4096);
	add(&ev);
}

static void preamble(void)
{
	static const struct et_pair pairs[] = {
		{ "hostname", { "example", 7 } },
		{ "kernel", { "6.1.0", 5 } },
	};
	static const struct et_name users[] = {
		{ 0, false, { "root", 4 } }, { 1000, false, { "ann", 3 } },
		{ 0, true, { "root", 4 } },  { 1000, true, { "staff", 5 } },
	};
	static const struct et_name cgroups[] = { { 77, false, { "/", 1 } }, { 1077, false, { "/user.slice", 11 } } };
	struct et_error err = { 0 };

	need(et_writer_host(writer, pairs, 2, &err), &err);
	need(et_writer_names(writer, ET_REC_USERS, users, 4, &err), &err);
	need(et_writer_names(writer, ET_REC_CGROUPS, cgroups, 2, &err), &err);
}

static void lose(void)
{
	struct et_event ev = { .realtime = realtime };
	struct et_error err = { 0 };

	et_set_uint(&ev, ET_F_KIND, ET_LOST);
	et_set_uint(&ev, ET_F_TS, now);
	et_set_uint(&ev, ET_F_UNTIL, now + lost_span);
	et_set_uint(&ev, ET_F_CPU, 1);
	et_set_uint(&ev, ET_F_COUNT, 17);
	et_set_uint(&ev, ET_F_CAUSE, ET_CAUSE_RING_FULL);
	lost[ET_CAUSE_RING_FULL] += 17;
	flush();
	add(&ev);
	need(et_writer_batch(writer, ET_REC_LOST, batch, lost, &err), &err);
	et_batch_reset(batch);
}

int main(int argc, char **argv)
{
	struct et_writer_options opt = { .program = "make_capture" };
	struct et_error err = { 0 };
	bool unclean = false, losing = false, setting = false;
	struct et_io io;

	for (int i = 2; i < argc; i++) {
		unclean |= !strcmp(argv[i], "unclean");
		losing |= !strcmp(argv[i], "lost");
		setting |= !strcmp(argv[i], "clock");
		if (!strncmp(argv[i], "shift=", 6))
			realtime += atoll(argv[i] + 6) * 1000000;
	}
	if (setting) {
		lost_span = 5000000;
		/* A record holds few settings of the clock. */
		chunk_rows = 200;
	}
	if (argc < 2) {
		fprintf(stderr, "usage: make_capture PROCESSES [unclean] [lost] [clock] [shift=MS] > FILE\n");
		return 2;
	}
	batch = et_batch_new();
	if (!batch || et_io_fd(STDOUT_FILENO, &io) != 0)
		return 1;
	opt.started = (struct et_clock){ now, realtime };
	need(et_writer_open(&io, &opt, &writer, &err), &err);
	preamble();
	for (uint32_t i = 0; i < (uint32_t)atol(argv[1]); i++) {
		process(i);
		if (losing && i == 10)
			lose();
		if (setting && i % 7 == 6)
			realtime += i % 2 ? 3000000000 : -2000000000;
	}
	flush();
	if (!unclean)
		need(et_writer_end(writer, (struct et_clock){ now, realtime }, lost, "done", &err), &err);
	et_writer_close(writer);
	et_batch_free(batch);
	return 0;
}
