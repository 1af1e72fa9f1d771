/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * init - what runs first in a guest of the kernel matrix: does the steps that the file
 * /steps tells, ships what they wrote, and powers off.
 *
 * /steps is made of NUL-terminated strings, for each step: its name, its settings (words
 * with a comma behind each), the seconds that it may take, the number of its arguments,
 * the arguments. A step runs in an empty /tmp and mounts of its own, and writes to
 * /out/NAME.out and /out/NAME.err; how it ended goes to /out/NAME.end. What it leaves running
 * is killed. At the end all files of /out leave.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "init.h"

void say(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("init: ", stdout);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	fflush(stdout);
}

/* Without this nothing can be said of a step: the host sees that no result came. */
void need(bool ok, const char *what)
{
	if (ok)
		return;
	if (getpid() != 1) {
		fprintf(stderr, "init: %s: %s\n", what, strerror(errno));
		_exit(126);
	}
	say("%s: %s", what, strerror(errno));
	reboot(RB_POWER_OFF);
}

static void mount_all(void)
{
	static const struct {
		const char *type, *at;
	} rows[] = {
		{ "devtmpfs", "/dev" },
		{ "devpts", "/dev/pts" },
		{ "tmpfs", "/dev/shm" },
		{ "proc", "/proc" },
		{ "sysfs", "/sys" },
		{ "securityfs", "/sys/kernel/security" },
		{ "tracefs", "/sys/kernel/tracing" },
		{ "cgroup2", "/sys/fs/cgroup" },
		{ "tmpfs", "/run" },
		{ "tmpfs", "/out" },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		mkdir(rows[i].at, 0755);
		if (mount(rows[i].type, rows[i].at, rows[i].type, 0, NULL))
			say("%s is not mounted: %s", rows[i].at, strerror(errno));
	}
	chmod("/", 0755);
}

/* In the order of their names, which is that of their dependencies. */
static void load_modules(void)
{
	struct dirent **names = NULL;
	int n = scandir("/modules", &names, NULL, alphasort);

	for (int i = 0; i < n; i++) {
		char path[300];
		int fd;

		if (names[i]->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/modules/%s", names[i]->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) && errno != EEXIST))
			say("%s is not loaded: %s", path, strerror(errno));
		close(fd);
	}
}

static int open_output(const char *step, const char *kind)
{
	char path[300];
	int fd;

	snprintf(path, sizeof(path), "/out/%s.%s", step, kind);
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	need(fd >= 0, path);
	return fd;
}

static void step_child(const struct step *step)
{
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	need(unshare(CLONE_NEWNS) == 0 &&
		     mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 &&
		     chdir("/tmp") == 0,
	     "a mount namespace");
	dup2(open("/dev/null", O_RDONLY), 0);
	dup2(open_output(step->name, "out"), 1);
	dup2(open_output(step->name, "err"), 2);
	apply_settings(step);
	execvp(step->argv[0], step->argv);
	fprintf(stderr, "init: %s: %s\n", step->argv[0], strerror(errno));
	_exit(127);
}

/* How the step ended, in words. */
static void step_wait(const struct step *step, pid_t pid, char *end, size_t size)
{
	struct timespec now, rest = { 0 };
	sigset_t chld;
	time_t until;
	int status;
	pid_t got;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	clock_gettime(CLOCK_MONOTONIC, &now);
	until = now.tv_sec + step->seconds;
	for (;;) {
		while ((got = waitpid(-1, &status, WNOHANG)) > 0)
			if (got == pid) {
				snprintf(end, size, "%s %d",
					 WIFEXITED(status) ? "exit" : "signal",
					 WIFEXITED(status) ? WEXITSTATUS(status)
							   : WTERMSIG(status));
				return;
			}
		clock_gettime(CLOCK_MONOTONIC, &now);
		rest.tv_sec = until - now.tv_sec;
		if (rest.tv_sec <= 0)
			break;
		sigtimedwait(&chld, NULL, &rest);
	}
	snprintf(end, size, "timeout %d", step->seconds);
}

static void step_run(const struct step *step)
{
	char end[32];
	int fd;
	pid_t pid;

	say("%s begins", step->name);
	/* Here, not among the step's own mounts: the kernel itself executes what is in it. */
	need(mount("tmpfs", "/tmp", "tmpfs", 0, NULL) == 0, "/tmp");
	pid = fork();
	need(pid >= 0, "fork");
	if (pid == 0)
		step_child(step);
	step_wait(step, pid, end, sizeof(end));
	kill(-1, SIGKILL);
	while (waitpid(-1, NULL, 0) > 0)
		;
	need(umount2("/tmp", MNT_DETACH) == 0, "/tmp");
	fd = open_output(step->name, "end");
	dprintf(fd, "%s\n", end);
	close(fd);
	say("%s: %s", step->name, end);
}

static char *next(char **at, const char *end)
{
	char *s = *at;

	need(s < end, "/steps ends too early");
	*at += strlen(s) + 1;
	return s;
}

static void run_steps(void)
{
	static char text[1 << 20];
	int fd = open("/steps", O_RDONLY | O_CLOEXEC);
	ssize_t size = read(fd, text, sizeof(text) - 1);
	char *at = text;

	need(fd >= 0 && size > 0, "/steps");
	close(fd);
	while (at < text + size) {
		struct step step = { .name = next(&at, text + size) };
		int argc;

		step.settings = next(&at, text + size);
		step.seconds = atoi(next(&at, text + size));
		argc = atoi(next(&at, text + size));
		step.argv = calloc((size_t)argc + 1, sizeof(*step.argv));
		need(step.argv, "calloc");
		for (int i = 0; i < argc; i++)
			step.argv[i] = next(&at, text + size);
		step_run(&step);
		free(step.argv);
	}
}

int main(void)
{
	sigset_t chld;

	sigemptyset(&chld);
	sigaddset(&chld, SIGCHLD);
	sigprocmask(SIG_BLOCK, &chld, NULL);
	setenv("PATH", "/bin:/sbin:/usr/bin", 1);
	umask(022);
	mount_all();
	load_modules();
	run_steps();
	say("shipping");
	ship_results();
	say("done");
	sync();
	reboot(RB_POWER_OFF);
	return 1;
}
