/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile_exec - executes things in every awkward way, and prints what it did.
 *
 *	hostile_exec DIR
 *
 * DIR is an empty directory that everybody may enter. Standard output is the
 * oracle (oracle.h): what the program did because it did it, and what the kernel
 * said of it meanwhile (look.h). What this kernel or place cannot do is told as
 * skipped, with the reason. It needs nothing but itself and /proc, so that it runs
 * in a machine that has nothing else; as root it can do the most.
 *
 * With HOSTILE_DO in the environment it is the program that was executed, and
 * does what the variable says.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

char target[PATH_MAX]; /* this program, copied to a short path without spaces */
char area[PATH_MAX];
struct note *note;

void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "hostile_exec: %s: %s: %s\n", step_name(), what, strerror(errno));
	exit(2);
}

void nap(unsigned ms)
{
	usleep(ms * 1000);
}

/* ---- The program that is executed ---------------------------------------- */

/* Has the storage below the working directory write so much. */
static void write_synced(size_t size)
{
	int fd = open("written", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	char *data = calloc(1, size);

	check(fd >= 0 && data && write(fd, data, size) == (ssize_t)size && fsync(fd) == 0,
	      "written");
	close(fd);
	free(data);
}

static int target_main(const char *task)
{
	char what[16];
	int n = 0;

	look_wait();
	if (sscanf(task, "%15s %d", what, &n) < 1)
		return 99;
	if (!strcmp(what, "exit")) {
		return n;
	} else if (!strcmp(what, "sleep")) {
		usleep((useconds_t)n * 1000);
	} else if (!strcmp(what, "burn")) {
		clock_t end = clock() + (clock_t)n * (CLOCKS_PER_SEC / 1000);

		while (clock() < end)
			;
	} else if (!strcmp(what, "write")) {
		write_synced((size_t)n << 10);
	} else if (!strcmp(what, "touch")) {
		size_t size = (size_t)n << 20;
		char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
			       -1, 0);

		check(p != MAP_FAILED, "mmap");
		memset(p, 1, size);
	} else if (!strcmp(what, "signal") || !strcmp(what, "core")) {
		rlim_t most = !strcmp(what, "core") ? RLIM_INFINITY : 0;

		setrlimit(RLIMIT_CORE, &(struct rlimit){ most, most });
		prctl(PR_SET_DUMPABLE, 1);
		kill(getpid(), n);
		pause();
	} else if (!strcmp(what, "again")) {
		char *argv[] = { target, S("second"), NULL };
		char *env[] = { S("HOSTILE_DO=exit 3"), NULL };

		check(readlink("/proc/self/exe", target, sizeof(target) - 1) > 0, "readlink");
		execve(target, argv, env);
		return 98;
	} else {
		return 99;
	}
	return 0;
}

/* ---- Files to execute -------------------------------------------------------- */

void write_file(const char *name, const void *data, size_t size, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	check(fd >= 0 && write(fd, data, size) == (ssize_t)size, name);
	check(fchmod(fd, mode) == 0, name);
	close(fd);
}

void write_text(const char *name, const char *text, mode_t mode)
{
	write_file(name, text, strlen(text), mode);
}

bool put_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), error = 0;

	if (fd < 0)
		return false;
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		error = errno;
	close(fd);
	errno = error;
	return error == 0;
}

char *below(const char *name)
{
	char *path = NULL;

	check(asprintf(&path, "%s/%s", area, name) > 0, "asprintf");
	return path;
}

void copy_self(int to)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;

	check(from >= 0 && fstat(from, &st) == 0, "/proc/self/exe");
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, (size_t)left, 0);
		char buf[65536];

		if (n <= 0) { /* between file systems that cannot */
			n = read(from, buf, sizeof(buf));
			check(n > 0 && write(to, buf, (size_t)n) == n, "copy");
		}
		left -= n;
	}
	close(from);
}

void copy_self_to(const char *name, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

	check(fd >= 0, name);
	copy_self(fd);
	check(fchmod(fd, mode) == 0, name);
	close(fd);
}

/* ---- How a process ends ------------------------------------------------------ */

void ends(void)
{
	static const char *const tasks[] = {
		"exit 0",    "exit 1",    "exit 42",  "exit 255",  "signal 9",
		"signal 11", "signal 15", "signal 6", "core 11",   "core 6",
		"sleep 60",  "burn 200",  "touch 64", "write 300",
	};
	static char step[64];

	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		snprintf(step, sizeof(step), "end: %s", tasks[i]);
		attempt(&(struct attempt){ .step = step,
					   .filename = target,
					   .task = tasks[i],
					   .argv = ARGV(S("ends")) });
	}
}

int main(int argc, char **argv)
{
	static void (*const parts[])(void) = {
		arguments,  memory, failures,   ways,   scripts, words32, ends,
		identities, places, namespaces, traced, trees,   pids,    helpers,
	};
	const char *task = getenv("HOSTILE_DO");

	if (task)
		return target_main(task);
	if (look_wait()) /* executed with another environment */
		return 0;
	if (helper_main(argv))
		return 0;
	if (argc != 2) {
		fprintf(stderr, "usage: hostile_exec DIR\n");
		return 2;
	}
	/* Nothing buffered may be printed twice, and orphans come to this process. */
	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	umask(022);
	step_begin("clock");
	check(chdir(argv[1]) == 0 && getcwd(area, sizeof(area)), argv[1]);
	check(snprintf(target, sizeof(target), "%s/target", area) < 100,
	      "DIR is too long for a #! line");
	check(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "prctl");
	note = mmap(NULL, sizeof(*note), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	check(note != MAP_FAILED, "mmap");
	self_init();
	copy_self_to("target", 0755);

	say_clock();
	say_begin("main", getpid(), getppid());
	say_end();
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		parts[i]();
	return 0;
}
