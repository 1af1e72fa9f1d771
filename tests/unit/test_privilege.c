/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the recorder cannot do any more when it has given up its privilege; in a child
 * each time, since there is no way back.
 */
#include "privilege.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"

static pid_t command, other;
static char *page;

static long do_open(void)
{
	return open("/dev/null", O_RDONLY);
}

static long do_create(void)
{
	return open("/tmp", O_WRONLY | O_TMPFILE, 0600);
}

static long do_unlink(void)
{
	return unlink("/nonexistent/file");
}

static long do_rename(void)
{
	return rename("/nonexistent/file", "/nonexistent/other");
}

static long do_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0);
}

static long do_exec(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static long do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid;
}

static long do_kill_other(void)
{
	return kill(other, SIGCONT);
}

static long do_kill_group(void)
{
	return kill(0, SIGCONT);
}

static long do_ptrace(void)
{
	return ptrace(PTRACE_TRACEME, 0, 0, 0);
}

static long do_code(void)
{
	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static long do_bpf(void)
{
	return syscall(SYS_bpf, 0, NULL, 0);
}

static long do_mount(void)
{
	return mount("none", "/nonexistent", "tmpfs", 0, NULL);
}

static long do_setuid(void)
{
	return setuid(getuid());
}

static long do_chmod(void)
{
	return chmod("/nonexistent", 0600);
}

static long do_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

static const struct {
	const char *name;
	long (*run)(void);
} refused[] = {
	{ "open", do_open },
	{ "create", do_create },
	{ "unlink", do_unlink },
	{ "rename", do_rename },
	{ "socket", do_socket },
	{ "exec", do_exec },
	{ "fork", do_fork },
	{ "kill another", do_kill_other },
	{ "kill the group", do_kill_group },
	{ "ptrace", do_ptrace },
	{ "run code", do_code },
	{ "bpf", do_bpf },
	{ "mount", do_mount },
	{ "setuid", do_setuid },
	{ "chmod", do_chmod },
	{ "prctl", do_prctl },
};

#define N_REFUSED (sizeof(refused) / sizeof(refused[0]))

/* Which of them are refused, a bit each. */
static unsigned refusals(void)
{
	unsigned found = 0;

	for (unsigned i = 0; i < N_REFUSED; i++) {
		errno = 0;
		if (refused[i].run() < 0 && errno == ENOSYS)
			found |= 1u << i;
	}
	return found;
}

static int gate[2], begun[2];

/* A thread that was there before the filter. */
static void *early_thread(void *arg)
{
	char go;

	/* Not in the middle of being started, either. */
	if (write(begun[1], "", 1) != 1)
		return NULL;
	if (read(gate[0], &go, 1) == 1)
		*(unsigned *)arg = refusals();
	return NULL;
}

/* What the recorder goes on doing: to be said by the exit code. */
static int work(void)
{
	char *memory = malloc(1 << 20);
	int status;

	if (!memory)
		return 1;
	free(memory);
	if (kill(command, SIGTERM) != 0)
		return 2;
	if (waitpid(command, &status, 0) != command || !WIFSIGNALED(status))
		return 3;
	return 0;
}

enum { LACKING = 77 };

static int sealed(void)
{
	unsigned all = (1u << N_REFUSED) - 1, here, there = 0;
	pthread_t thread;
	char go;
	int ret;

	command = fork();
	if (command == 0) {
		pause();
		_exit(0);
	}
	if (pipe(gate) != 0 || pipe(begun) != 0 ||
	    pthread_create(&thread, NULL, early_thread, &there) != 0 ||
	    read(begun[0], &go, 1) != 1)
		return 10;
	if (privilege_drop(0) != 0)
		return 11;
	ret = privilege_seal(&command, 1);
	if (ret)
		return ret == ENOSYS || ret == EINVAL ? LACKING : 12;
	here = refusals();
	if (write(gate[1], "", 1) != 1 || pthread_join(thread, NULL) != 0)
		return 13;
	for (unsigned i = 0; i < N_REFUSED; i++)
		if (!(here & there & 1u << i))
			fprintf(stderr, "not refused: %s\n", refused[i].name);
	if (here != all || there != all)
		return 14;
	return work();
}

/* The same without the filter: each of them does something there. */
static int unsealed(void)
{
	/* exec would not come back. */
	for (unsigned i = 0; i < N_REFUSED; i++) {
		if (refused[i].run == do_exec || refused[i].run == do_ptrace)
			continue;
		errno = 0;
		if (refused[i].run() < 0 && errno == ENOSYS)
			return 1;
	}
	return 0;
}

/* What only looks at files: they are opened to be read, and nothing else is there to do. */
static int reading(void)
{
	const struct {
		int flags;
		bool fine;
	} opens[] = {
		{ O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, true },
		{ O_PATH | O_NOFOLLOW, true },
		{ O_WRONLY, false },
		{ O_RDWR, false },
		{ O_RDONLY | O_CREAT, false },
		{ O_RDONLY | O_TRUNC, false },
	};
	const unsigned files = 1u << 0; /* "open", of those in the table */
	int ret = privilege_drop(0) ? EIO : privilege_seal_reading();

	if (ret)
		return ret == ENOSYS || ret == EINVAL ? LACKING : 1;
	for (unsigned i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
		errno = 0;
		if ((open("/dev/null", opens[i].flags, 0600) >= 0) != opens[i].fine ||
		    (!opens[i].fine && errno != ENOSYS))
			return 10 + (int)i;
	}
	return refusals() == (((1u << N_REFUSED) - 1) & ~files) ? 0 : 2;
}

/* What replaces a file: a new one is made, and nothing that is there is opened. */
static int replacing(void)
{
	char folder[] = "/tmp/exectrace-test-XXXXXX";
	int dir = mkdtemp(folder) ? open(folder, O_PATH | O_DIRECTORY) : -1;
	const unsigned made = 1u << 2 | 1u << 3; /* "unlink" and "rename" of those in the table */
	int ret, fd;

	if (dir < 0)
		return 1;
	ret = privilege_drop(0) ? EIO : privilege_seal_replacing();
	if (ret)
		return ret == ENOSYS || ret == EINVAL ? LACKING : 2;
	fd = openat(dir, "new", PRIVILEGE_CREATE, 0600);
	if (fd < 0 || write(fd, "x", 1) != 1 || fchmod(fd, 0644) != 0 || close(fd) != 0)
		return 3;
	if (openat(dir, "new", O_RDONLY) >= 0 || openat(dir, "new", O_WRONLY | O_TRUNC) >= 0 ||
	    openat(dir, "other", PRIVILEGE_CREATE & ~O_EXCL, 0600) >= 0)
		return 4;
	if (renameat(dir, "new", dir, "name") != 0 || unlinkat(dir, "name", 0) != 0 ||
	    unlinkat(AT_FDCWD, folder, AT_REMOVEDIR) != 0)
		return 5;
	/* unlink and rename are other calls where there is a number for them. */
	return (refusals() | made) == (1u << N_REFUSED) - 1 ? 0 : 6;
}

/* What removes a file: nothing is opened, made or renamed. */
static int removing(void)
{
	char folder[] = "/tmp/exectrace-test-XXXXXX";
	int dir = mkdtemp(folder) ? open(folder, O_RDONLY | O_DIRECTORY) : -1;
	const unsigned unlinks = 1u << 2; /* "unlink" of those in the table */
	int ret;

	if (dir < 0 || mknodat(dir, "name", S_IFREG | 0600, 0) != 0)
		return 1;
	ret = privilege_drop(0) ? EIO : privilege_seal_removing();
	if (ret)
		return ret == ENOSYS || ret == EINVAL ? LACKING : 2;
	if (openat(dir, "name", O_RDONLY) >= 0 || renameat(dir, "name", dir, "other") == 0)
		return 3;
	if (unlinkat(dir, "name", 0) != 0 || unlinkat(AT_FDCWD, folder, AT_REMOVEDIR) != 0)
		return 4;
	return (refusals() | unlinks) == (1u << N_REFUSED) - 1 ? 0 : 5;
}

static int dropped(void)
{
	if (privilege_drop(0) != 0)
		return 1;
	if (privilege_effective() != 0)
		return 2;
	for (int cap = 0; geteuid() == 0 && cap < 38; cap++)
		if (prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != 0)
			return 3;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 ? 0 : 4;
}

static int keeping(void)
{
	uint64_t before = privilege_effective();

	if (privilege_drop(PRIVILEGE_KILL) != 0)
		return 1;
	/* Only what was there can be kept. */
	return privilege_effective() == (before & PRIVILEGE_KILL) ? 0 : 2;
}

static int in_child(int (*run)(void))
{
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(run());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return -1;
	return WEXITSTATUS(status);
}

int main(void)
{
	int ret;

	other = fork();
	if (other == 0) {
		pause();
		_exit(0);
	}
	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(page != MAP_FAILED);
	CHECK(in_child(unsealed) == 0);
	CHECK(in_child(dropped) == 0);
	CHECK(in_child(keeping) == 0);
	ret = in_child(reading);
	CHECK(ret == 0 || ret == LACKING);
	ret = in_child(replacing);
	CHECK(ret == 0 || ret == LACKING);
	ret = in_child(removing);
	CHECK(ret == 0 || ret == LACKING);
	ret = in_child(sealed);
	CHECK(ret == 0 || ret == LACKING);
	kill(other, SIGKILL);
	waitpid(other, NULL, 0);
	if (ret == LACKING)
		printf("no seccomp filters here; not checked\n");
	return check_result();
}
