/* SPDX-License-Identifier: BSD-2-Clause */
/* The environment of an execution, in parts of its own, whole or by the names that are asked for. */
#include "records.h"

#include "envnames.h"

/* Begins a failed exec without any string, and its environment, in a part of its own. */
static void begin_env(struct decoder *d, unsigned flags, struct wire_env e)
{
	begin(0, WIRE_FAIL, WIRE_ARGC_KNOWN | WIRE_CONTINUED, 1, 100);
	add_exec((struct wire_exec){ .error = 2, .filename_len = WIRE_NONE, .interpreter_len = WIRE_NONE,
				     .exe_len = WIRE_NONE, .cwd_len = WIRE_NONE });
	feed(d);
	begin_more(0, WIRE_ENV | flags, 1, 1);
	add(&e, sizeof(e));
}

static void env_whole(struct decoder *d)
{
	begin_env(d, WIRE_ENVC_KNOWN, (struct wire_env){ .count = 4, .max = 99 });
	ADD("A=1\0" "\0" "no name\0" "A=\xff=2\0");
	feed(d);
}

static void env_none(struct decoder *d)
{
	begin_env(d, WIRE_ENVC_KNOWN, (struct wire_env){ .max = 99 });
	feed(d);
}

static void env_parts_cut(struct decoder *d)
{
	begin_env(d, WIRE_ENVC_KNOWN | WIRE_CONTINUED | WIRE_ENV_TRUNCATED,
		  (struct wire_env){ .count = 9, .size = 300, .max = 128 });
	ADD("A=one\0B=");
	feed(d);
	fork_at(d, 1, 1, 101);
	begin_more(0, WIRE_ENV, 1, 2);
	ADD("two\0C=thr");
	feed(d);
}

static void env_unreadable(struct decoder *d)
{
	begin_env(d, WIRE_ENV_UNREADABLE, (struct wire_env){ .count = 9, .max = 128 });
	feed(d);
}

/* Only what was asked for; a name that is cut may be another one. */
static void env_named(struct decoder *d)
{
	static char names[] = "PATH,LD_*,*X";

	decode_env(d, names);
	begin_env(d, WIRE_ENVC_KNOWN | WIRE_ENV_TRUNCATED,
		  (struct wire_env){ .count = 8, .size = 90, .max = 80 });
	ADD("PATH=/bin\0PATHS=no\0SECRET=PATH\0LD_=1\0LD_A=2\0LD=no\0AX=3\0LD_LIB");
	feed(d);
}

static void env_all(struct decoder *d)
{
	decode_env(d, "all");
	env_whole(d);
}

static void bad_env_short(struct decoder *d)
{
	begin_env(d, 0, (struct wire_env){ .max = 99 });
	record_len -= 4;
	feed(d);
}

static void bad_env_of_exit(struct decoder *d)
{
	const struct wire_exit x = { .status = 0 };

	begin(0, WIRE_EXIT, WIRE_CONTINUED, 1, 100);
	add(&x, sizeof(x));
	feed(d);
	begin_more(0, WIRE_ENV, 1, 1);
	add(&(struct wire_env){ .max = 9 }, sizeof(struct wire_env));
	feed(d);
}

static void bad_env_first(struct decoder *d)
{
	begin(0, WIRE_FORK, WIRE_ENV, 1, 100);
	feed(d);
}

static void bad_env_and_argv(struct decoder *d)
{
	begin_env(d, WIRE_CONTINUED, (struct wire_env){ .max = 99 });
	feed(d);
	begin_more(0, 0, 1, 2);
	ADD("more\0");
	feed(d);
}

static const struct decode_case cases[] = {
	{ "environment", env_whole, FAILED("argv=[] errno=2 env=[A=1||no name|A=\xff=2|]"), { 0 } },
	{ "empty environment", env_none, FAILED("argv=[] errno=2 env=[]"), { 0 } },
	{ "environment in parts, cut", env_parts_cut,
	  FORKED("101") FAILED("argv=[] errno=2 env=[A=one|B=two|C=thr|] env_count=9 env_bytes=300 "
			       "env_truncated=1"), { 0 } },
	{ "unreadable environment", env_unreadable, FAILED("argv=[] errno=2 env_unreadable=1"),
	  { 0 } },
	{ "environment, by name", env_named,
	  FAILED("argv=[] errno=2 env=[PATH=/bin|LD_=1|LD_A=2|AX=3|] env_count=8 env_bytes=90 "
		 "env_truncated=1"), { 0 } },
	{ "all of the environment", env_all,
	  FAILED("argv=[] errno=2 env=[A=1||no name|A=\xff=2|]"), { 0 } },
	{ "short environment", bad_env_short, BAD_AT("100"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "environment of an exit", bad_env_of_exit, BAD_AT("100"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "nothing but environment", bad_env_first, BAD_AT("0"), { [ET_CAUSE_UNREADABLE] = 1 } },
	{ "argv behind the environment", bad_env_and_argv, BAD_AT("100"),
	  { [ET_CAUSE_UNREADABLE] = 1 } },
};

/* Which names of variables a list asks for. */
static void check_names(void)
{
	static const struct {
		const char *names, *string;
		bool match;
	} table[] = {
		{ "all", "", true },
		{ "A", "A=1", true },
		{ "A", "A", true },
		{ "A", "AB=1", false },
		{ "AB", "A=1", false },
		{ "A,B", "B=", true },
		{ "A,B", "A,B=", false },
		{ "*", "=C:=x", true },
		{ "*A*B", "AB", true },
		{ "*A*B", "xAxxAyB=", true },
		{ "*A*B", "BA=AB", false },
		{ "A*A", "A", false },
		{ "L*_PATH", "LD_PATH_PATH=1", true },
		{ "L*_PATH", "LD_PATHS=_PATH", false },
	};
	static const char *const invalid[] = { "", ",", "A,", ",A", "A,,B", "A=1", "A,B=" };

	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		CHECK_CASE(table[i].names, envnames_match(table[i].names, table[i].string,
							  strlen(table[i].string)) == table[i].match);
	for (size_t i = 0; i < sizeof(invalid) / sizeof(invalid[0]); i++)
		CHECK_CASE(invalid[i], !envnames_valid(invalid[i]));
	CHECK(envnames_valid("all") && envnames_valid("A,LD_*"));
}

static void (*const makers[])(struct decoder *d) = {
	env_parts_cut, env_named,
};

int main(void)
{
	check_cases(cases, sizeof(cases) / sizeof(cases[0]));
	check_names();
	check_mutations(makers, sizeof(makers) / sizeof(makers[0]));
	return check_result();
}
