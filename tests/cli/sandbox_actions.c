/* SPDX-License-Identifier: BSD-2-Clause */
#include "sandbox_actions.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

const char *arg;
pid_t child;

static pid_t parent;
static int tcp = -1, local = -1;	/* sockets that exist before */
static int ends[2] = { -1, -1 };	/* of a pipe */
static int output = -1;		/* an open file */
static char *page;
static char secret[] = "secret";

/* ---- Files, by name ----------------------------------------------------------------- */

static int do_open(void)
{
#ifdef __NR_open
	return (int)syscall(__NR_open, arg, O_RDONLY);
#else
	return open(arg, O_RDONLY);
#endif
}

static int do_openat(void)
{
	return openat(AT_FDCWD, arg, O_RDONLY);
}

/* As files are opened to be followed: in a folder of ours, and elsewhere. */
#define FOLLOWING (O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY)

static int do_follow(void)
{
	return openat(AT_FDCWD, arg, FOLLOWING);
}

static int do_follow_elsewhere(void)
{
	return openat(AT_FDCWD, "/etc/passwd", FOLLOWING);
}

static int do_openat2(void)
{
	const uint64_t how[3] = { O_RDONLY };

	return (int)syscall(__NR_openat2, AT_FDCWD, arg, how, sizeof(how));
}

/* A name that is not taken. */
static const char *beside(void)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s.new", arg);
	return path;
}

static int do_creat(void)
{
	return creat(beside(), 0600);
}

static int do_truncate(void)
{
	return truncate(arg, 1);
}

static int do_unlink(void)
{
	return unlink(arg);
}

static int do_rename(void)
{
	return rename(arg, beside());
}

static int do_link(void)
{
	return link(arg, beside());
}

static int do_symlink(void)
{
	return symlink(arg, beside());
}

static int do_mkdir(void)
{
	return mkdir(beside(), 0700);
}

static int do_list(void)
{
	return open("/", O_RDONLY | O_DIRECTORY);
}

static int do_stat(void)
{
	struct stat st;

	return stat(arg, &st);
}

static int do_chmod(void)
{
	return chmod(arg, 0600);
}

static int do_chdir(void)
{
	return chdir("/");
}

/* ---- Other processes ------------------------------------------------------------------ */

static int do_execve(void)
{
	return execl("/bin/true", "true", (char *)NULL);
}

static int do_fork(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? -1 : 0;
}

static int do_kill(void)
{
	return kill(child, SIGTERM);
}

static int do_tgkill(void)
{
	return (int)syscall(__NR_tgkill, child, child, SIGTERM);
}

static int do_kill_parent(void)
{
	return kill(parent, 0);
}

static int do_end_child(void)
{
	int status;

	if (kill(child, SIGTERM) || waitpid(child, &status, 0) != child)
		return -1;
	child = 0;
	errno = ECHILD;
	return WIFSIGNALED(status) ? 0 : -1;
}

static int do_ptrace(void)
{
	return (int)ptrace(PTRACE_SEIZE, child, NULL, NULL);
}

static int do_peek(void)
{
	char found[sizeof(secret)];
	struct iovec here = { found, sizeof(found) }, there = { secret, sizeof(secret) };

	return process_vm_readv(child, &here, 1, &there, 1, 0) == sizeof(secret) ? 0 : -1;
}

static int do_priority(void)
{
	return setpriority(PRIO_PROCESS, 0, 19);
}

/* ---- Connections ------------------------------------------------------------------------ */

static int do_socket(void)
{
	return socket(AF_UNIX, SOCK_STREAM, 0);
}

static int do_socketpair(void)
{
	int pair[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, pair);
}

static int do_connect_tcp(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	to.sin_port = htons((uint16_t)atoi(arg));
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return connect(tcp, (struct sockaddr *)&to, sizeof(to));
}

static int do_bind_tcp(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return bind(tcp, (struct sockaddr *)&to, sizeof(to));
}

/* The address is a path, or, behind a @, abstract. */
static int do_connect_unix(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t n = strlen(arg);

	if (n >= sizeof(to.sun_path))
		return -1;
	memcpy(to.sun_path, arg, n);
	if (*arg == '@')
		to.sun_path[0] = '\0';
	return connect(local, (struct sockaddr *)&to,
		       (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
}

/* ---- Memory and descriptors --------------------------------------------------------------- */

static int do_mmap_exec(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) ==
			       MAP_FAILED
		       ? -1
		       : 0;
}

static int do_mprotect_exec(void)
{
	return mprotect(page, 4096, PROT_READ | PROT_EXEC);
}

static int do_memfd(void)
{
	return memfd_create("probe", MFD_CLOEXEC);
}

static int do_pipe(void)
{
	int made[2];

	return pipe(made);
}

static int do_ioctl(void)
{
	int n;

	return ioctl(ends[0], FIONREAD, &n);
}

static int do_fcntl(void)
{
	return fcntl(ends[0], F_SETFL, O_NONBLOCK);
}

static int do_prctl(void)
{
	return prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
}

/* ---- Calls of another architecture ---------------------------------------------------------- */

/* getpid of i386 through its own gate: 20 here would be writev, which is allowed. */
static int do_i386(void)
{
#ifdef __x86_64__
	long r = 20;

	__asm__ volatile("int $0x80" : "+a"(r) : : "memory", "r8", "r9", "r10", "r11");
	return r == getpid() ? 0 : -1;
#else
	errno = ENOSYS;
	return -1;
#endif
}

/* getpid of x32. Few kernels have it; that the call comes back is enough. */
static int do_x32(void)
{
#ifdef __x86_64__
	syscall(0x40000000 | __NR_getpid);
	return 0;
#else
	errno = ENOSYS;
	return -1;
#endif
}

/* ---- What has to work inside --------------------------------------------------------------- */

static void *in_thread(void *unused)
{
	char *p = malloc(1 << 20);

	(void)unused;
	if (!p)
		return NULL;
	memset(p, 1, 1 << 20);
	free(p);
	return secret;
}

static int do_thread(void)
{
	pthread_t threads[4];
	void *result;
	int failed = 0;

	for (int i = 0; i < 4; i++)
		if ((errno = pthread_create(&threads[i], NULL, in_thread, NULL)))
			return -1;
	for (int i = 0; i < 4; i++)
		failed |= pthread_join(threads[i], &result) || !result;
	return failed ? -1 : 0;
}

static int by_value(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int do_memory(void)
{
	size_t n = 1 << 16;
	uint64_t *p = malloc(n * sizeof(*p)), *more;

	if (!p)
		return -1;
	for (; n <= 1 << 20; n *= 4) {
		more = realloc(p, n * sizeof(*p));
		if (!more)
			break;
		p = more;
		for (size_t i = 0; i < n; i++)
			p[i] = i * 0x9e3779b97f4a7c15u;
		qsort(p, n, sizeof(*p), by_value);
	}
	free(p);
	return 0;
}

static int do_descriptors(void)
{
	char buf[16];
	struct winsize size;

	if (isatty(ends[0]) || !ioctl(ends[0], TIOCGWINSZ, &size))
		return -1;
	if (write(output, "x", 1) != 1 || lseek(output, 0, SEEK_SET) ||
	    pread(output, buf, 1, 0) != 1 || read(output, buf, sizeof(buf)) != 1)
		return -1;
	if (ftruncate(output, 0) || fsync(output) || fdatasync(output))
		return -1;
	return fcntl(output, F_GETFL) < 0 || close(output) ? -1 : 0;
}

static int do_abort(void)
{
	abort();
}

const struct action actions[] = {
	{ "open", do_open, false },
	{ "openat", do_openat, false },
	{ "openat2", do_openat2, false },
	{ "follow", do_follow, false },
	{ "follow_elsewhere", do_follow_elsewhere, false },
	{ "creat", do_creat, false },
	{ "truncate", do_truncate, false },
	{ "unlink", do_unlink, false },
	{ "rename", do_rename, false },
	{ "link", do_link, false },
	{ "symlink", do_symlink, false },
	{ "mkdir", do_mkdir, false },
	{ "list", do_list, false },
	{ "stat", do_stat, false },
	{ "chmod", do_chmod, false },
	{ "chdir", do_chdir, false },
	{ "execve", do_execve, false },
	{ "fork", do_fork, false },
	{ "kill", do_kill, false },
	{ "tgkill", do_tgkill, false },
	{ "kill_parent", do_kill_parent, true },
	{ "end_child", do_end_child, true },
	{ "ptrace", do_ptrace, false },
	{ "peek", do_peek, false },
	{ "priority", do_priority, false },
	{ "socket", do_socket, false },
	{ "socketpair", do_socketpair, false },
	{ "connect_tcp", do_connect_tcp, false },
	{ "bind_tcp", do_bind_tcp, false },
	{ "connect_unix", do_connect_unix, false },
	{ "mmap_exec", do_mmap_exec, false },
	{ "mprotect_exec", do_mprotect_exec, false },
	{ "memfd", do_memfd, false },
	{ "pipe", do_pipe, false },
	{ "ioctl", do_ioctl, false },
	{ "fcntl", do_fcntl, false },
	{ "prctl", do_prctl, false },
	{ "i386", do_i386, false },
	{ "x32", do_x32, false },
	{ "thread", do_thread, false },
	{ "memory", do_memory, false },
	{ "descriptors", do_descriptors, false },
	{ "abort", do_abort, false },
};

const size_t n_actions = sizeof(actions) / sizeof(actions[0]);

/*
 * A process outside the sandbox that does nothing, and goes when this one does:
 * at the end of a pipe, as Landlock holds back a PR_SET_PDEATHSIG too.
 */
static pid_t bystander(void)
{
	int lifeline[2];
	pid_t pid;
	char c;

	if (pipe(lifeline))
		return -1;
	pid = fork();
	if (pid == 0) {
		close(lifeline[1]);
		close(STDOUT_FILENO);
		close(STDERR_FILENO);
		_exit((int)read(lifeline[0], &c, 1));
	}
	return pid;
}

int prepare(void)
{
	const struct rlimit no_core = { 0, 0 };

	page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	tcp = socket(AF_INET, SOCK_STREAM, 0);
	local = socket(AF_UNIX, SOCK_STREAM, 0);
	output = memfd_create("output", MFD_CLOEXEC);
	parent = getppid();
	child = bystander();
	if (tcp < 0 || local < 0 || output < 0 || child < 0)
		return -1;
	return page == MAP_FAILED || pipe(ends) || setrlimit(RLIMIT_CORE, &no_core) ? -1 : 0;
}
