/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Expressions over columns: for random captures the same rows as one by one, and nothing
 * else than what heads say. Which leaves an expression becomes is random as well.
 */
#include "check.h"
#include "planned.h"

/* Of each kind of operand and test. */
static const char *const tests[] = {
	"pid == 1", "pid != 0", "pid in (0, 5, 7..9, 100..200, 999..)", "pid in ..2", "pid > 500",
	"tid == 2", "uid == 0", "uid != 0", "uid == ann", "uid != root", "uid in (gcc, 3, 5)", "euid < 100",
	"login_uid != 18446744073709551614", "gid == root", "login_uid in (ann, 1)", "user == 'ann'", "user != 'ann'", "user ~ '*a*'", "user =~ '^.c'",
	"known(user)", "group ~ '[rg]*'", "group != 'gcc'", "login_user == 'a b'", "kind == exec",
	"kind in (fail, exit, lost)", "kind != fork", "failed", "ok == no", "exit == 0", "exit != 0", "exit > 128",
	"known(exit)", "duration > 0", "duration < 1ms", "known(duration)", "time > +1ms", "time != 00:00",
	"time in (..+1100us, +2ms..)", "time <= @0.001500", "known(time)", "ts > 1500000", "ts in 1000000..1600000",
	"signal in (KILL, 1..3)", "errno == ENOENT", "cause == ring_full", "count > 1", "cpu != 1", "until > 1200000",
	"core", "core == no", "exe_memfd != no", "argv_truncated", "max_rss >= 1K", "exec_duration < 1us",
	"exe_dev == 0:1", "comm == 'gcc'", "comm != 'gcc'", "comm in ('', 'a b', 'not there')", "comm == 'not there'",
	"comm ~ '*c'", "comm ~ 'gcc'", "comm =~ '[[:space:]]'", "known(comm)", "exe ~ 'true'", "exe == '-o'",
	"filename ~ '/usr/*'", "interpreter =~ '^$'", "cwd != ''", "tty == 'gcc'", "known(tty)", "argv has '-o'",
	"argv has ~ '*e*'", "argv has =~ '^[^a-z]*$'", "argv[0] == 'gcc'", "argv[-1] != ''", "argv[2] in ('', '-o')",
	"known(argv)", "known(argv[3])", "env has 'gcc'", "env has ~ '*=*'", "env[0] ~ '*'", "known(env)",
	"cgroup ~ '/*'", "cgroup == '/'", "cgroup != '/'", "known(cgroup)", "container ~ 'ab*'",
	"container == 'abababababababab'", "known(container)", "uid == euid", "uid != euid", "uid < login_uid",
	"gid >= egid", "pid == ppid", "tid != pid", "exec_ts > start", "ts <= until", "utime < stime",
	"exec_duration != exec_duration", "duration >= utime", "exit == exit_code", "exit > exit_code",
	"comm == argv[0]", "comm != argv[0]", "argv[0] == argv[-1]", "exe != filename", "user == comm",
	"user != login_user", "cgroup == comm", "container != user", "core == core", "failed == ok",
	"argv_truncated != env_truncated", "kind == kind", "argc > env_count",
};

#define TESTS (sizeof(tests) / sizeof(tests[0]))

static void tell(const char *text, const struct planned *p)
{
	if (p->differ)
		fprintf(stderr, "%s: %llu of %llu rows and heads differ\n", text,
			(unsigned long long)p->differ, (unsigned long long)p->rows);
	CHECK_CASE(text, !p->differ);
}

static struct planned compare(const struct sink *sink, const char *text)
{
	static const struct expr_options opt = { .names = EXPR_USERS | EXPR_CGROUPS | EXPR_CLOCK };
	struct planned p = { 0 };
	struct expr_error err = { 0 };
	struct expr *e;

	if (expr_parse(text, &opt, &e, &err))
		fprintf(stderr, "%s: %zu: %s\n", text, err.at, err.text);
	CHECK_CASE(text, e != NULL);
	if (e)
		p = planned_compare(sink, e);
	tell(text, &p);
	expr_free(e);
	return p;
}

static size_t random_tree(char *to, size_t room, unsigned depth)
{
	size_t n = 0;

	if (depth == 3 || rng() % 3 == 0)
		return (size_t)snprintf(to, room, "%s(%s)", rng() % 4 ? "" : "!", tests[rng() % TESTS]);
	n += (size_t)snprintf(to, room, "%s(", rng() % 4 ? "" : "!");
	for (unsigned i = 0, parts = 1 + (unsigned)(rng() % 3), and = rng() % 2; i < parts; i++) {
		n += (size_t)snprintf(to + n, room - n, "%s", !i ? "" : and ? " && " : " || ");
		n += random_tree(to + n, room - n, depth + 1);
	}
	return n + (size_t)snprintf(to + n, room - n, ")");
}

int main(void)
{
	uint64_t some = 0, tried = 0, passed = 0, whole = 0, records = 0;

	for (unsigned seed = 0; seed < 12; seed++) {
		struct sink sink = { 0 };
		char text[8192];

		planned_capture(&sink, seed);
		for (size_t i = 0; i < TESTS; i++) {
			compare(&sink, tests[i]);
			snprintf(text, sizeof(text), "!(%s)", tests[i]);
			compare(&sink, text);
		}
		rng_state = seed + 100;
		for (unsigned i = 0; i < 300; i++, tried++) {
			struct planned p;

			random_tree(text, sizeof(text), 0);
			p = compare(&sink, text);
			some += p.selected && p.selected < p.rows;
			passed += p.passed;
			whole += p.whole;
			records += p.records;
		}
		free(sink.data);
	}
	printf("%llu trees, of which %llu choose some rows; %llu heads: %llu passed over, %llu whole\n",
	       (unsigned long long)tried, (unsigned long long)some, (unsigned long long)records,
	       (unsigned long long)passed, (unsigned long long)whole);
	CHECK(some > tried / 2 && passed > records / 50 && whole > records / 50);
	return check_result();
}
