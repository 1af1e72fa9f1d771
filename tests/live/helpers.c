/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * helpers.c - programs that the kernel itself executes: no system call, no parent
 * of this program's. The settings are put back.
 *
 * What the kernel runs writes the line "pid ppid" into the file helper.out beside
 * itself. It is nobody's descendant: a recording that follows a command does not
 * have it, and the oracle marks it "outside".
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static const char core_pattern[] = "/proc/sys/kernel/core_pattern";
static const char modprobe[] = "/proc/sys/kernel/modprobe";

/* argv: that of the program; true when the kernel has called it. */
bool helper_main(char *const *argv)
{
	char path[PATH_MAX], *slash;
	ssize_t n;
	FILE *out;

	if (!argv[0] || !argv[1] ||
	    (strcmp(argv[1], "core-helper") != 0 && strcmp(argv[1], "-q") != 0))
		return false;
	n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	if (n <= 0)
		exit(96);
	path[n] = '\0';
	slash = strrchr(path, '/');
	strcpy(slash, "/helper.tmp");
	out = fopen(path, "we");
	if (!out)
		exit(96);
	fprintf(out, "%d %d %d\n", (int)getpid(), (int)getppid(), (int)getsid(0));
	for (; *argv; argv++)
		fprintf(out, "%s\n", *argv);
	fclose(out);
	*slash = '\0';
	if (chdir(path) != 0 || rename("helper.tmp", "helper.out") != 0)
		exit(96);
	return true;
}

/* Waits until the helper has written, and has ended. */
static bool helper_ran(pid_t *pid, pid_t *ppid, char **argv)
{
	char *text = NULL, path[64], *at;

	for (int tries = 0; !text && tries < 10000; tries++) {
		nap(1);
		text = look_read("helper.out", NULL);
	}
	if (!text || sscanf(text, "%d %d", pid, ppid) != 2)
		return false;
	unlink("helper.out");
	snprintf(path, sizeof(path), "/proc/%d", (int)*pid);
	for (int tries = 0; access(path, F_OK) == 0 && tries < 10000; tries++)
		nap(1);
	at = strchr(text, '\n') + 1;
	while (*at) {
		char *end = strchr(at, '\n');

		*end = '\0';
		*argv++ = at;
		at = end + 1;
	}
	*argv = NULL;
	return true;
}

static void say_helper(void)
{
	char *argv[16];
	pid_t pid, ppid;

	if (!helper_ran(&pid, &ppid, argv)) {
		say_skip(step_name(), "the kernel did not call the program");
		return;
	}
	say_begin("fork", pid, ppid);
	say_number("outside", 1);
	say_number("uid", 0);
	say_end();
	say_begin("exec", pid, ppid);
	say_number("outside", 1);
	say_number("uid", 0);
	say_number("euid", 0);
	say_number("tid", pid);
	say_text("comm", "target");
	say_text("filename", target);
	say_text("exe", target);
	say_text("cwd", "/");
	say_nothing("tty");
	say_nothing("login_uid");
	say_list("argv", argv);
	say_end();
	say_begin("exit", pid, ppid);
	say_number("outside", 1);
	say_number("exit_code", 0);
	say_end();
}

/* A crash, whose core goes to a program. */
static void core_helper(void)
{
	char *before = look_read(core_pattern, NULL), *after = NULL;
	struct ending e;
	pid_t pid;

	check(asprintf(&after, "|%s core-helper %%P", target) > 0, "asprintf");
	step_begin("kernel executes the core helper");
	if (!before || strlen(after) > 127 || !put_file(core_pattern, after)) {
		say_skip("kernel executes the core helper", "core_pattern cannot be set");
	} else {
		pid = fork();
		if (pid == 0) {
			struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };

			setrlimit(RLIMIT_CORE, &most);
			prctl(PR_SET_DUMPABLE, 1);
			kill(getpid(), SIGSEGV);
			pause();
		}
		reap(pid, &e);
		check(put_file(core_pattern, before), core_pattern);
		say_fork(pid, getpid());
		say_exit(pid, getpid(), getuid(), &e);
		say_helper();
	}
	free(before);
	free(after);
}

/* A protocol that nobody has, for which the kernel looks for a module. */
static void modprobe_helper(void)
{
	char *before = look_read(modprobe, NULL);
	int fd;

	step_begin("kernel executes modprobe");
	if (!before || !put_file(modprobe, target)) {
		say_skip("kernel executes modprobe",
			 "the kernel has no modules, or their program cannot be set");
	} else {
		fd = socket(PF_ECONET, SOCK_RAW, 0); /* gone since 3.5 */
		if (fd >= 0)
			close(fd);
		check(put_file(modprobe, before), modprobe);
		say_helper();
	}
	free(before);
}

void helpers(void)
{
	if (getuid() != 0) {
		say_skip("programs that the kernel executes", "needs root");
		return;
	}
	core_helper();
	modprobe_helper();
}
