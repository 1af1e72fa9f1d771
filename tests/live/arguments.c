/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arguments.c - arguments and environments of every kind, both of executions that
 * succeed (what the kernel copied) and of those that fail (what the caller's memory
 * holds).
 */
#include "hostile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

/* n arguments, all different, on the heap for good. */
static char **many(size_t n)
{
	char **argv = calloc(n + 1, sizeof(*argv));

	check(argv, "calloc");
	for (size_t i = 0; i < n; i++)
		check(asprintf(&argv[i], i % 7 ? "%zu" : "--option-%zu=some value", i) > 0,
		      "asprintf");
	return argv;
}

char *long_text(size_t len)
{
	char *s = malloc(len + 1);

	check(s, "malloc");
	for (size_t i = 0; i < len; i++)
		s[i] = (char)('a' + i * 7 % 26);
	s[len] = '\0';
	return s;
}

/* n arguments of len bytes each. */
static char **equal_ones(size_t n, size_t len)
{
	char **argv = calloc(n + 1, sizeof(*argv));

	check(argv, "calloc");
	for (size_t i = 0; i < n; i++)
		argv[i] = long_text(len);
	return argv;
}

/* The kernel takes arguments and environment of a quarter of the stack's limit, 6 MiB at most.
 */
static void stack_64m(void)
{
	struct rlimit limit = { 64 << 20, 64 << 20 };

	if (setrlimit(RLIMIT_STACK, &limit) != 0)
		unable("setrlimit");
}

static void stack_8m(void)
{
	struct rlimit limit = { 8 << 20, 8 << 20 };

	if (setrlimit(RLIMIT_STACK, &limit) != 0)
		unable("setrlimit");
}

static const char *const nowhere = "/nonexistent/program";

static void plain_arguments(const char *file)
{
	static const size_t counts[] = { 1, 2, 20, 1000, 20000, 100000 };

#define TRY(name, ...)                                                                        \
	attempt(&(struct attempt){                                                            \
		.step = name, .filename = file, .prepare = stack_8m, .argv = __VA_ARGS__ })
	TRY("plain", ARGV(S("ls"), S("-l"), S("file")));
	TRY("empty argument", ARGV(S("a"), S(""), S("b"), S("")));
	TRY("all arguments empty", ARGV(S(""), S(""), S("")));
	TRY("newline and tab", ARGV(S("a"), S("line one\nline two\n"), S("\t"), S("\r\n")));
	TRY("quotes",
	    ARGV(S("a b"), S("it's"), S("\"double\""), S("\\back\\"), S("$(x) `y`")));
	TRY("invalid UTF-8",
	    ARGV(S("\xff\xfe"), S("caf\xe9"), S("\xc0\x80"), S("\xed\xa0\x80"),
		 S("ok \xe2\x82\xac"), S("\xf4\x90\x80\x80")));
	TRY("escape sequences",
	    ARGV(S("\x1b[31mred\x1b[0m"), S("\x1b]0;title\x07"), S("\x7f\x01"),
		 S("\xc2\x9b"
		   "31m"),
		 S("\xe2\x80\xae"
		   "txt.exe")));
	TRY("argv[0] unlike the path", ARGV(S("-bash"), S("-c"), S("x")));
	for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
		TRY("count", many(counts[c]));
	TRY("argument of 100 KB", ARGV(S("big"), long_text(100 * 1024), S("end")));
	TRY("argument as long as the kernel takes",
	    ARGV(S("big"), long_text(131071), S("end")));
	TRY("arguments of many sizes",
	    ARGV(long_text(1), long_text(127), long_text(128), long_text(4095),
		 long_text(4096), long_text(4097), long_text(30000)));
	TRY("100000 empty arguments", equal_ones(100000, 0));
	TRY("nearly 2 MiB", equal_ones(15, 131071));
	TRY("nearly 2 MiB in small ones", equal_ones(60000, 25));
	TRY("one argument too long", ARGV(S("big"), long_text(131072), S("end")));
	TRY("more than 2 MiB", equal_ones(17, 131071));
#undef TRY
	attempt(&(struct attempt){ .step = "more than 5 MiB",
				   .filename = file,
				   .prepare = stack_64m,
				   .argv = equal_ones(40, 131071) });
}

static void environments(const char *file)
{
	char **long_env = equal_ones(12, 131071), **many_env = many(20000);

	long_env[3] = many_env[5] = S("HOSTILE_DO=exit 0");
#define TRY(name, ...)                                                                        \
	attempt(&(struct attempt){ .step = "environment: " name,                              \
				   .filename = file,                                          \
				   .prepare = stack_8m,                                       \
				   .argv = ARGV(S("env"), S("x")),                            \
				   .env = __VA_ARGS__ })
	TRY("plain", ARGV(S("PATH=/bin:/usr/bin"), S("HOSTILE_DO=exit 0"), S("LD_PRELOAD="),
			  S("HOME=/root")));
	TRY("none", (char *[]){ NULL });
	TRY("strange",
	    ARGV(S(""), S("no equals sign"), S("=nameless"), S("HOSTILE_DO=exit 0"), S("A=1"),
		 S("A=2"), S("nl=a\nb"), S("\xff\xfe=caf\xe9"), S("esc=\x1b[31m"), S("")));
	TRY("1.5 MiB", long_env);
	TRY("20000 strings", many_env);
#undef TRY
	attempt(&(struct attempt){
		.step = "environment and arguments are long",
		.filename = file,
		.prepare = stack_8m,
		.argv = equal_ones(6, 131071),
		.env = ARGV(long_text(100000), S("HOSTILE_DO=exit 0"), long_text(131071)) });
}

static void call_no_env(const struct attempt *a, char *const *env)
{
	char *const *volatile none = NULL; /* the compiler warns of a NULL that it sees */

	(void)env;
	execve(a->filename, a->argv, none);
}

void arguments(void)
{
	plain_arguments(target);
	plain_arguments(nowhere);
	environments(target);
	environments(nowhere);

	/* Where there is nothing, newer kernels put an empty string. */
	attempt(&(struct attempt){
		.step = "argc 0", .filename = target, .argv = (char *[]){ NULL } });
	attempt(&(struct attempt){ .step = "argv NULL", .filename = target, .argv = NULL });
	attempt(&(struct attempt){
		.step = "argc 0, failing", .filename = nowhere, .argv = (char *[]){ NULL } });
	attempt(&(struct attempt){
		.step = "argv NULL, failing", .filename = nowhere, .argv = NULL });
	attempt(&(struct attempt){ .step = "envp NULL",
				   .filename = target,
				   .argv = ARGV(S("x")),
				   .env = (char *[]){ NULL },
				   .call = call_no_env });
	attempt(&(struct attempt){ .step = "envp NULL, failing",
				   .filename = nowhere,
				   .argv = ARGV(S("x")),
				   .env = (char *[]){ NULL },
				   .call = call_no_env });
}
