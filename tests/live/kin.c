/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kin - processes that beget processes, and write down whom and when.
 *
 *	kin storm LOG SECONDS WORKERS
 *		WORKERS processes fork in every way until the time is over. LOG is an
 *		array of struct entry, in no order, its last ones all zero.
 *	kin into CGROUP PROGRAM ARG...
 *		Executes PROGRAM in a child that was cloned into CGROUP, waits, prints
 *		the child's pid.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define ENTRIES 400000u

struct entry {
	uint32_t creator, pid, parent, pad;
	uint64_t before;	/* the call that made it; ns of the boot clock */
	uint64_t born;		/* it ran already */
	uint64_t end;		/* it still ran; 0: it never got so far */
};

static struct entry *book;
static struct {
	_Atomic uint32_t n;
	_Atomic uint32_t stop;
} *shared;

static uint64_t now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

/* getpid() as the kernel has it: libc may remember the parent's after a bare clone. */
static uint32_t own_pid(void)
{
	return (uint32_t)syscall(SYS_getpid);
}

static struct entry *open_entry(bool sibling)
{
	uint32_t i = shared->n++;

	if (i >= ENTRIES)
		abort();
	book[i].creator = own_pid();
	book[i].parent = sibling ? (uint32_t)syscall(SYS_getppid) : book[i].creator;
	book[i].before = now();
	return &book[i];
}

static void born(struct entry *e)
{
	e->pid = own_pid();
	e->born = now();
}

_Noreturn static void end(struct entry *e)
{
	e->end = now();
	_exit(0);
}

static void dawdle(unsigned *seed, unsigned most_us)
{
	usleep((useconds_t)(rand_r(seed) % most_us));
}

/* A child that has a child, which it may leave behind. */
static void line_of_two(unsigned *seed, unsigned long flags, bool leave)
{
	struct entry *e = open_entry(flags & CLONE_PARENT), *f;
	pid_t pid = (pid_t)syscall(SYS_clone, flags | SIGCHLD, 0, 0, 0, 0);

	if (pid == 0) {
		born(e);
		*seed ^= e->pid;
		dawdle(seed, 300);
		f = open_entry(false);
		pid = fork();
		if (pid == 0) {
			born(f);
			dawdle(seed, 2000);
			e = open_entry(false);
			if (fork() == 0) {
				born(e);
				end(e);
			}
			wait(NULL);
			end(f);
		}
		if (!leave)
			waitpid(pid, NULL, 0);
		end(e);
	}
	if (pid > 0 && !(flags & CLONE_PARENT))
		waitpid(pid, NULL, 0);
}

static void short_lived(void)
{
	struct entry *e = open_entry(false);
	pid_t pid = vfork();

	if (pid == 0) {
		born(e);
		end(e);
	}
	waitpid(pid, NULL, 0);
}

static void work(unsigned number)
{
	unsigned seed = number;

	while (!shared->stop) {
		unsigned way = (unsigned)rand_r(&seed) % 5;

		if (way == 0)
			short_lived();
		else
			line_of_two(&seed, way == 1 ? CLONE_PARENT : 0, way >= 3);
	}
}

static int storm(const char *path, unsigned seconds, unsigned workers)
{
	size_t size = ENTRIES * sizeof(*book);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || ftruncate(fd, (off_t)size) != 0)
		return 1;
	book = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (book == MAP_FAILED || shared == MAP_FAILED)
		return 1;
	for (unsigned i = 0; i < workers; i++) {
		struct entry *e = open_entry(false);

		if (fork() == 0) {
			born(e);
			work(i + 1);
			while (wait(NULL) > 0)
				;
			end(e);
		}
	}
	printf("ready\n");
	fflush(stdout);
	for (uint64_t until = now() + seconds * 1000000000ull; now() < until;) {
		usleep(1000);
		/* Those whom CLONE_PARENT has made ours. */
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
	shared->stop = 1;
	while (wait(NULL) > 0)
		;
	return 0;
}

static int into(const char *cgroup, char **argv)
{
	struct clone_args args = { .flags = CLONE_INTO_CGROUP, .exit_signal = SIGCHLD };
	int fd = open(cgroup, O_RDONLY | O_DIRECTORY);
	pid_t pid;

	if (fd < 0)
		return 1;
	args.cgroup = (uint64_t)fd;
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		execv(argv[0], argv);
		_exit(127);
	}
	printf("%d\n", pid);
	return pid < 0 || waitpid(pid, NULL, 0) != pid;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "storm") == 0)
		return storm(argv[2], (unsigned)atoi(argv[3]), (unsigned)atoi(argv[4]));
	if (argc >= 4 && strcmp(argv[1], "into") == 0)
		return into(argv[2], argv + 3);
	fprintf(stderr, "usage: kin storm LOG SECONDS WORKERS | kin into CGROUP PROGRAM ARG...\n");
	return 2;
}
