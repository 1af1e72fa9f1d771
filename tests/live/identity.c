/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * identity - says what it knows about itself, for a test to compare with what was
 * recorded of it. One JSON object, written to descriptor FD.
 *
 *	identity say TAG FD		who it is and where, from its own /proc/self
 *	identity call TAG FD		fails to execute something, then executes itself; when
 *	identity thread TAG FD		the same from another thread than the leader
 *	identity use TAG FD FILE	a child that uses the machine, stopped at its end
 *	identity threads TAG FD FILE	the same with threads, two of which end with the child
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define BLOCK 65536u
#define PAGES 300u
#define ARGUMENT 100000u	/* long ones, so that an exec takes its time */
#define ARGUMENTS 18u

static void die(const char *what)
{
	fprintf(stderr, "identity: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long long boot_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	return (long long)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* "key": the number in a file of /proc, or nothing where there is no such file. */
static void say_file(FILE *out, const char *key, const char *path)
{
	unsigned long value;
	FILE *f = fopen(path, "r");

	if (f && fscanf(f, "%lu", &value) == 1)
		fprintf(out, ",\"%s\":%lu", key, value);
	if (f)
		fclose(f);
}

static void say_namespace(FILE *out, const char *key, const char *path)
{
	char target[64];
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	unsigned long inode;

	if (len < 0)
		die(path);
	target[len] = '\0';
	if (sscanf(target, "%*[a-z]:[%lu]", &inode) != 1)
		die(target);
	fprintf(out, ",\"%s\":%lu", key, inode);
}

static int say(const char *tag, FILE *out)
{
	struct stat st;

	if (stat("/proc/self/exe", &st))
		die("/proc/self/exe");
	fprintf(out, "{\"tag\":\"%s\",\"ns_pid\":%d,\"secure_exec\":%lu", tag, (int)getpid(),
		getauxval(AT_SECURE));
	say_file(out, "login_uid", "/proc/self/loginuid");
	say_file(out, "session", "/proc/self/sessionid");
	say_namespace(out, "pid_ns", "/proc/self/ns/pid");
	say_namespace(out, "mnt_ns", "/proc/self/ns/mnt");
	say_namespace(out, "user_ns", "/proc/self/ns/user");
	say_namespace(out, "net_ns", "/proc/self/ns/net");
	/* Of the terminal on standard input: its name in /dev. */
	if (isatty(STDIN_FILENO))
		fprintf(out, ",\"tty\":\"%s\"", ttyname(STDIN_FILENO));
	fprintf(out, ",\"dev\":\"%u:%u\",\"exe_inode\":%lu,\"links\":%lu}\n", major(st.st_dev),
		minor(st.st_dev), (unsigned long)st.st_ino, (unsigned long)st.st_nlink);
	return fclose(out) ? 1 : 0;
}

/* ---- Calls -------------------------------------------------------------------- */

static char **call_args;	/* of main */

static void *call(void *arg)
{
	static char failed[32], ended[32], began[32], text[ARGUMENT];
	char *args[9 + ARGUMENTS], *nothing[] = { text, NULL };
	long long at = boot_ns();
	size_t n = 0;

	(void)arg;
	if (execve("/nonexistent/identity", nothing, NULL) == 0)
		die("execve");
	snprintf(failed, sizeof(failed), "%lld", at);
	snprintf(ended, sizeof(ended), "%lld", boot_ns());
	memset(text, 'x', sizeof(text) - 1);
	args[n++] = call_args[0];
	args[n++] = (char[]){ "called" };
	args[n++] = call_args[2];
	args[n++] = call_args[3];
	args[n++] = failed;
	args[n++] = ended;
	args[n++] = began;
	for (unsigned i = 0; i < ARGUMENTS; i++)
		args[n++] = text;
	args[n] = NULL;
	snprintf(began, sizeof(began), "%lld", boot_ns());
	execve("/proc/self/exe", args, NULL);
	die("execve");
	return NULL;
}

static void call_from_thread(void)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, call, NULL))
		die("pthread_create");
	for (;;)
		pause();
}

static int called(char **argv, FILE *out)
{
	fprintf(out,
		"{\"tag\":\"%s\",\"pid\":%d,\"failed\":%s,\"failed_until\":%s,\"began\":%s,"
		"\"runs\":%lld}\n",
		argv[2], (int)getpid(), argv[4], argv[5], argv[6], boot_ns());
	return fclose(out) ? 1 : 0;
}

/* ---- Use ---------------------------------------------------------------------- */

static const char *use_file;

/* Faults without and with a disk, and bytes from it and to it. */
static void *use(void *arg)
{
	size_t size = PAGES * 4096u;
	volatile char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
				     MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int fd = open(use_file, O_RDWR), direct = open(use_file, O_RDONLY | O_DIRECT);
	void *block = aligned_alloc(4096, BLOCK);
	volatile char *mapped;

	(void)arg;
	if (memory == MAP_FAILED || fd < 0 || direct < 0 || !block)
		die(use_file);
	for (size_t i = 0; i < size; i += 4096)
		memory[i] = 1;
	if (fsync(fd) || posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED))
		die("fadvise");
	mapped = mmap(NULL, BLOCK, PROT_READ, MAP_SHARED, fd, 0);
	if (mapped == MAP_FAILED || (mapped[0] && mapped[0] != 1))
		die("mapped");
	if (pread(direct, block, BLOCK, BLOCK) != BLOCK)
		die("pread");
	memset(block, 1, BLOCK);
	if (pwrite(fd, block, 3 * 4096, 2 * BLOCK) != 3 * 4096)
		die("pwrite");
	return NULL;
}

static void *use_and_stay(void *arg)
{
	use(NULL);
	pthread_barrier_wait(arg);
	for (;;)
		pause();
	return NULL;
}

static void use_with_threads(void)
{
	pthread_barrier_t barrier;
	pthread_t thread;

	pthread_barrier_init(&barrier, NULL, 3);
	for (unsigned i = 0; i < 2; i++) {
		if (pthread_create(&thread, NULL, use, NULL) || pthread_join(thread, NULL))
			die("pthread_create");
	}
	for (unsigned i = 0; i < 2; i++) {
		if (pthread_create(&thread, NULL, use_and_stay, &barrier))
			die("pthread_create");
	}
	pthread_barrier_wait(&barrier);
}

/* A file of /proc/PID; empty when it cannot be read. */
static void read_text(pid_t pid, const char *name, char *text, size_t size)
{
	char path[64];
	size_t len;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	f = fopen(path, "r");
	len = f ? fread(text, 1, size - 1, f) : 0;
	if (f)
		fclose(f);
	text[len] = '\0';
}

/* What /proc says of the whole process; bytes only where the kernel counts them. */
static void say_use(FILE *out, pid_t pid)
{
	unsigned long in, written, minor = 0, major = 0;
	char text[4096], *at;

	read_text(pid, "io", text, sizeof(text));
	at = strstr(text, "\nread_bytes: ");
	if (at && sscanf(at, " read_bytes: %lu write_bytes: %lu", &in, &written) == 2)
		fprintf(out, ",\"read_bytes\":%lu,\"write_bytes\":%lu", in, written);
	read_text(pid, "stat", text, sizeof(text));
	at = strrchr(text, ')');
	if (!at || sscanf(at, ") %*c %*d %*d %*d %*d %*d %*u %lu %*u %lu", &minor, &major) != 2)
		die("stat");
	fprintf(out, ",\"minor_faults\":%lu,\"major_faults\":%lu", minor, major);
}

/* What the child used, when it has begun to end and when it is gone. */
static int watch(const char *tag, FILE *out, pid_t child)
{
	struct rusage usage;
	int status;

	if (waitpid(child, &status, 0) != child || !WIFSTOPPED(status) ||
	    ptrace(PTRACE_SETOPTIONS, child, NULL, (void *)PTRACE_O_TRACEEXIT) ||
	    ptrace(PTRACE_CONT, child, NULL, NULL) || waitpid(child, &status, 0) != child ||
	    status >> 8 != (SIGTRAP | PTRACE_EVENT_EXIT << 8))
		die("ptrace");
	fprintf(out, "{\"tag\":\"%s\",\"pid\":%d", tag, (int)child);
	say_use(out, child);
	if (ptrace(PTRACE_CONT, child, NULL, NULL) || wait4(child, &status, 0, &usage) != child)
		die("wait4");
	fprintf(out, ",\"minflt\":%ld,\"majflt\":%ld,\"inblock\":%ld,\"oublock\":%ld}\n",
		usage.ru_minflt, usage.ru_majflt, usage.ru_inblock, usage.ru_oublock);
	return status || fclose(out) ? 1 : 0;
}

static int use_machine(const char *tag, FILE *out, bool threads)
{
	pid_t child = fork();

	if (child < 0)
		die("fork");
	if (child > 0)
		return watch(tag, out, child);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) || raise(SIGSTOP))
		die("ptrace");
	if (threads)
		use_with_threads();
	else
		use(NULL);
	_exit(0);
}

int main(int argc, char **argv)
{
	FILE *out = argc >= 4 ? fdopen(atoi(argv[3]), "w") : NULL;

	if (!out)
		die("usage: identity MODE TAG FD ...");
	call_args = argv;
	use_file = argv[4];
	if (!strcmp(argv[1], "say"))
		return say(argv[2], out);
	if (!strcmp(argv[1], "called") && argc > 6)
		return called(argv, out);
	if (!strcmp(argv[1], "call"))
		call(NULL);
	if (!strcmp(argv[1], "thread"))
		call_from_thread();
	if (!strcmp(argv[1], "use") && argc > 4)
		return use_machine(argv[2], out, false);
	if (!strcmp(argv[1], "threads") && argc > 4)
		return use_machine(argv[2], out, true);
	return 2;
}
