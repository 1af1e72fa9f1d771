/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * scripts.c - files whose first line names another program to execute.
 *
 * The kernel drops argv[0] and puts in front what the first line says.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define NESTED 7 /* more than any kernel takes */
#define LINE 255 /* the first line is looked at up to here, since 5.1 */

static int script_fd;

static void call_script(const struct attempt *a, char *const *env)
{
	syscall(SYS_execveat, script_fd, a->filename, a->argv, env, AT_EMPTY_PATH);
}

static void write_script(const char *name, const char *interpreter, const char *rest)
{
	char text[PATH_MAX * 2];

	snprintf(text, sizeof(text), "#!%s%s\nbody\n", interpreter, rest);
	write_text(name, text, 0755);
}

static void plain(void)
{
	write_script("script", target, "");
	write_script("script-arg", target, "  one argument ");
	write_script("script-tab", "\t ", below("target\tand\targument\t "));
	attempt(&(struct attempt){ .step = "script",
				   .filename = "./script",
				   .interpreter = target,
				   .argv = ARGV(S("dropped"), S("kept")),
				   .committed = ARGV(target, S("./script"), S("kept")) });
	attempt(&(struct attempt){ .step = "script with an argument",
				   .filename = "script-arg",
				   .interpreter = target,
				   .argv = ARGV(S("dropped"), S(""), S("b c")),
				   .committed = ARGV(target, S("one argument"),
						     S("script-arg"), S(""), S("b c")) });
	attempt(&(struct attempt){
		.step = "script with tabs",
		.filename = "script-tab",
		.interpreter = target,
		.argv = ARGV(S("dropped")),
		.committed = ARGV(target, S("and\targument"), S("script-tab")) });
	attempt(&(struct attempt){ .step = "script, no arguments",
				   .filename = "./script",
				   .interpreter = target,
				   .argv = (char *[]){ NULL },
				   .committed = ARGV(target, S("./script")) });
	write_script("script-relative", "./target", " x");
	attempt(&(struct attempt){
		.step = "script with a relative interpreter",
		.filename = "script-relative",
		.interpreter = "./target",
		.argv = ARGV(S("dropped"), S("y")),
		.committed = ARGV(S("./target"), S("x"), S("script-relative"), S("y")) });
}

/* What does not fit of an argument is left out. */
static void long_line(void)
{
	char *rest = long_text(400), *cut;

	rest[0] = ' ';
	write_script("script-long", target, rest);
	cut = strndup(rest + 1, LINE - strlen("#!") - strlen(target) - 1);
	check(cut, "strndup");
	attempt(&(struct attempt){
		.step = "script with a long line",
		.filename = "./script-long",
		.interpreter = target,
		.argv = ARGV(S("dropped"), S("x")),
		.committed = ARGV(target, cut, S("./script-long"), S("x")) });
	free(rest);
	free(cut);
}

/* Each is run by the one before it. */
static void nested(void)
{
	static char step[64], number[NESTED][8];
	char *path[NESTED + 1];

	path[0] = target;
	for (int depth = 1; depth < NESTED; depth++) {
		char name[32], rest[16], *committed[2 * NESTED + 3];
		int n = 0;

		snprintf(name, sizeof(name), "nested-%d", depth);
		snprintf(number[depth], sizeof(number[depth]), "n%d", depth);
		snprintf(rest, sizeof(rest), " %s", number[depth]);
		write_script(name, path[depth - 1], rest);
		path[depth] = below(name);
		committed[n++] = target;
		for (int i = 1; i <= depth; i++) {
			committed[n++] = number[i];
			committed[n++] = path[i];
		}
		committed[n++] = S("x");
		committed[n] = NULL;
		snprintf(step, sizeof(step), "script, %d times nested", depth);
		attempt(&(struct attempt){ .step = step,
					   .filename = path[depth],
					   .interpreter = target,
					   .argv = ARGV(S("dropped"), S("x")),
					   .committed = committed });
	}
}

static void by_fd(void)
{
	char fd_path[64];

	script_fd = open("script", O_RDONLY);
	check(script_fd >= 0, "script");
	snprintf(fd_path, sizeof(fd_path), "/dev/fd/%d", script_fd);
	attempt(&(struct attempt){ .step = "script by fd",
				   .filename = "",
				   .as = fd_path,
				   .interpreter = target,
				   .call = call_script,
				   .argv = ARGV(S("dropped"), S("x")),
				   .committed = ARGV(target, fd_path, S("x")) });
	close(script_fd);
	/* Its path would be gone when the interpreter opens it. */
	script_fd = open("script", O_RDONLY | O_CLOEXEC);
	check(script_fd >= 0, "script");
	attempt(&(struct attempt){ .step = "script by an fd that will be closed",
				   .filename = "",
				   .call = call_script,
				   .error = ENOENT,
				   .argv = ARGV(S("x"), S("y")) });
	close(script_fd);
}

void scripts(void)
{
	plain();
	long_line();
	nested();
	by_fd();
}
