/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * seeds - writes what the fuzz targets start from: small whole captures and those of
 * tests/files, alone and behind command lines, ring records, expressions, and BTF. Takes
 * the folder of the corpora, and the files.
 */
#include "../../bpf/wire.h"
#include "../unit/events.h"
#include "../unit/memory_io.h"

#include <linux/btf.h>
#include <stdio.h>

static const char *const lines[] = {
	"--uid root,0", "--comm g*c --arg [!a-z]*", "--since +1s --until 2026-11-20T09:00Z --utc",
	"--kind exec,fail,lost --failed --ok", "--count --pid 1,2,3 --exe */true", "--exit-code 0 --date",
	"--match uid=root,5..9 --match env=L* --columns time,pid,env,exe_dev,command",
	"--match cgroup=/* --match container=? --match exec_duration=1us..2h --columns user,tty,container",
	"--where exit!=0&&comm=='a' --where argv[0]~'*' --where !known(exe)||user=~'o+'",
	"--match tty=pts/* --match exe_memfd --match exe_dev=8:1.. --match duration=..1s --columns result,argv",
	"--descendants-of 1,2,4294967295 --kind exec,exit",
	"tree --pid 1,5 --depth 3 --uid root", "tree --no-fold --kind exec,fork,exit,proc,fail --json",
	"--by comm,argv,result --top 3 --sort p99", "--by user,hour,container,env --sort -user --utc --top 0",
	"--top 5", "--by program,script,day,exe_dev,core --kind exec,fail,exit --top 2",
	"--csv --columns time,argv,cgroup,env,command,error,exe_dev,core --time delta --sort -argv,user,kind,container",
	"--format sh --kind exec,fail,lost --tail 9", "--time unix --format {time:>30}{argv:^20.9}{{{comm}\\t{pid:5}{cwd:.3}",
};

/* Behind a NUL what becomes strings of events. */
static const char *const expressions[] = {
	"exit != 0 && comm == \"ab\"\0ab",
	"pid in (1, 2..9, 0x20..) or !(uid == ann) and known(argv[-1])\0\1\2\3",
	"argv has ~ '*.c' || argv has =~ \"^a(b|[[:digit:]]+)*.{2,3}$\" || env has 'PATH'\0abbb12cc.c",
	"duration > 1m30s or max_rss >= 64M or exe_dev == 8:1 or signal == KILL or errno == ENOENT\0x",
	"time in +1s..\"2026-11-20 09:00\" and time > 09:00:00.5Z and time != @5.5\0x",
	"user ~ '?[!a-z]*\\x41' && cgroup =~ '\\.' && container == '3f4e2d1c0b9a' && group in ('a', 'b')\0x",
	"uid != euid || exec_ts > start && comm == argv[-1] or user != login_user and pid == ppid\0ab",
	"kind in (exec, fail) && failed || ok == no || not core && cause != ring_full\0x",
};

#define LINES (sizeof(lines) / sizeof(lines[0]))

static void save(const char *folder, const char *name, unsigned n, const char *line,
		 const void *data, size_t len)
{
	char path[4096];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s/seed%u", folder, name, n);
	f = fopen(path, "w");
	if (!f || (line && fprintf(f, "%s\n", line) < 0) || fwrite(data, 1, len, f) != len ||
	    fclose(f)) {
		perror(path);
		exit(1);
	}
}

static void save_capture(const char *folder, unsigned n, const void *data, size_t len)
{
	save(folder, "reader", n, NULL, data, len);
	save(folder, "recover", n, NULL, data, len);
	save(folder, "replay", n, lines[n % LINES], data, len);
}

static void add_rows(struct et_writer *w, unsigned type, unsigned rows, uint64_t *ts)
{
	static const uint64_t lost[ET_CAUSE_END] = { 0, 1 };
	struct et_batch *b = et_batch_new();
	char text[4096];

	for (unsigned i = 0; i < rows; i++) {
		struct et_event ev;

		rng_event(&ev, type == ET_REC_PROC ? ET_PROC : type == ET_REC_LOST ? ET_LOST :
			  1 + (unsigned)(rng() % 4), ts, text);
		ev.realtime = ev.v[ET_F_TS].u < 100000 ? 5 : 3600000000000;
		et_batch_add(b, &ev, NULL);
	}
	et_writer_batch(w, type, b, lost, NULL);
	et_batch_free(b);
}

static void capture(const char *folder, unsigned n)
{
	static const struct et_pair host = { "utc_offset", { "3600", 4 } };
	static const struct et_name user = { 0, false, { "root", 4 } };
	static const struct et_exe exes[] = {
		{ .known = ET_EXE_DEV | ET_EXE_INODE | ET_EXE_SIZE | ET_EXE_MTIME, .dev = 8 << 20 | 1, .inode = 42,
		  .size = 130000, .mtime = -1, .path = { "/bin/ls", 7 }, .build_id = { "\0\1\2", 3 },
		  .interpreter = { "/lib/ld.so", 10 } },
		{ .path = { "memfd:x", 7 } },
	};
	static const uint64_t lost[ET_CAUSE_END] = { 0, 1 };
	struct et_writer_options opt = { .program = "seeds", .started = { 1000, 5 } };
	struct sink sink = { 0 };
	struct et_io io = sink_io(&sink);
	struct et_writer *w;
	uint64_t ts = 1000;

	rng_state = n + 1;
	if (et_writer_open(&io, &opt, &w, NULL))
		exit(1);
	et_writer_host(w, &host, 1, NULL);
	et_writer_names(w, ET_REC_USERS, &user, 1, NULL);
	et_writer_names(w, ET_REC_CGROUPS, &user, 1, NULL);
	add_rows(w, ET_REC_CHUNK, 1 + n * n, &ts);
	add_rows(w, ET_REC_PROC, n, &ts);
	add_rows(w, ET_REC_LOST, n % 3, &ts);
	et_writer_exes(w, exes, n % 3, NULL);
	et_writer_end(w, (struct et_clock){ ts, 5 }, lost, "x", NULL);
	et_writer_close(w);
	save_capture(folder, n, sink.data, sink.len);
	free(sink.data);
}

/* One record of each kind, as fuzz_decode takes them: a length in front. */
static void ring_records(const char *folder)
{
	static const char strings[] = "/bin/lslsusrusrls\0-l\0";
	uint8_t out[4096];
	size_t len = 0;

	for (unsigned kind = WIRE_EXEC; kind <= WIRE_EXIT; kind++) {
		struct wire_head head = { .kind = (wire_u8)kind, .seq = kind, .ts = 1000 * kind };
		struct wire_task task = { .pid = 10, .tid = 10, .ppid = 1, .comm = "ls" };
		struct wire_exec exec = {
			.argc = 2, .argv_size = 6, .argv_max = 65536, .error = kind == WIRE_FAIL ? 2 : 0,
			.filename_len = 7, .interpreter_len = WIRE_NONE,
			.exe_len = WIRE_NONE, .cwd_len = WIRE_NONE,
		};
		struct wire_identity identity = {
			.exe_inode = 7, .login_uid = 1000, .ns_pid = 10, .tty = "pts0",
		};
		struct wire_exit end = { .status = 256, .utime = 5, .runtime = 9, .max_rss = 3 };
		bool call = kind == WIRE_EXEC || kind == WIRE_FAIL;
		bool taken = kind == WIRE_EXEC;
		size_t strings_len = call ? sizeof(strings) - 1 : 0;
		size_t size = sizeof(head) + sizeof(task) + strings_len + (taken ? sizeof(identity) : 0) +
			      (call ? sizeof(exec) : kind == WIRE_EXIT ? sizeof(end) : 0);

		head.flags = call ? WIRE_ARGC_KNOWN : 0;
		out[len++] = (uint8_t)size;
		out[len++] = (uint8_t)(size >> 8);
		memcpy(out + len, &head, sizeof(head));
		len += sizeof(head);
		memcpy(out + len, &task, sizeof(task));
		len += sizeof(task);
		if (call) {
			memcpy(out + len, &exec, sizeof(exec));
			len += sizeof(exec);
		}
		if (taken) {
			memcpy(out + len, &identity, sizeof(identity));
			len += sizeof(identity);
		}
		if (call) {
			memcpy(out + len, strings, strings_len);
			len += strings_len;
		} else if (kind == WIRE_EXIT) {
			memcpy(out + len, &end, sizeof(end));
			len += sizeof(end);
		}
	}
	save(folder, "decode", 0, NULL, out, len);
}

static void save_expressions(const char *folder)
{
	for (unsigned i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
		size_t len = strlen(expressions[i]) + 1;
		char capture[2] = { (char)('0' + i), '\0' };

		save(folder, "plan", i, capture, expressions[i], len - 1);
		save(folder, "expr", i, NULL, expressions[i],
		     len + strlen(expressions[i] + len));
	}
}

/* An int and a pointer to it. */
static void btf(const char *folder)
{
	static const struct {
		struct btf_header head;
		uint32_t types[7];
		char strings[4];
	} whole = {
		{ .magic = BTF_MAGIC, .version = BTF_VERSION, .hdr_len = sizeof(struct btf_header),
		  .type_len = sizeof(whole.types), .str_off = sizeof(whole.types), .str_len = 4 },
		{ 1, BTF_KIND_INT << 24, 4, 32, 0, BTF_KIND_PTR << 24, 1 },
		"\0i",
	};

	save(folder, "btf", 0, NULL, &whole, sizeof(whole));
}

static void copy(const char *folder, unsigned n, const char *path)
{
	static char data[1 << 16];
	FILE *f = fopen(path, "r");
	size_t len = f ? fread(data, 1, sizeof(data), f) : 0;

	if (!f || ferror(f)) {
		perror(path);
		exit(1);
	}
	fclose(f);
	save_capture(folder, n, data, len);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	for (unsigned n = 0; n < 12; n++)
		capture(argv[1], n);
	ring_records(argv[1]);
	save_expressions(argv[1]);
	btf(argv[1]);
	for (int i = 2; i < argc; i++)
		copy(argv[1], 10 + (unsigned)i, argv[i]);
	return 0;
}
