/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hostile_exec - executes things in every awkward way, and prints what it did.
 *
 *	hostile_exec DIR
 *
 * DIR is an empty directory that everybody may enter. Standard output is the
 * oracle (oracle.h): it knows what happened because it did it. This file holds
 * what one child does with execve, ways.c the other ways to execute, trees.c what
 * needs threads or families.
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
#include <sys/statvfs.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NOBODY 65534

char target[PATH_MAX];		/* this program, copied to a short path without spaces */
struct note *note;

void check(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "hostile_exec: %s: %s\n", what, strerror(errno));
	exit(2);
}

void reap(pid_t pid, int *status, struct rusage *usage)
{
	*status = 0;
	check(pid > 0, "fork");
	check(wait4(pid, status, 0, usage) == pid, "wait4");
}

/* ---- The program that is executed ---------------------------------------- */

static int target_main(const char *task)
{
	char what[16];
	int n = 0;

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
	} else if (!strcmp(what, "touch")) {
		size_t size = (size_t)n << 20;
		char *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

		check(p != MAP_FAILED, "mmap");
		memset(p, 1, size);
	} else if (!strcmp(what, "signal") || !strcmp(what, "core")) {
		rlim_t most = !strcmp(what, "core") ? RLIM_INFINITY : 0;

		setrlimit(RLIMIT_CORE, &(struct rlimit){ most, most });
		prctl(PR_SET_DUMPABLE, 1);
		kill(getpid(), n);
		pause();
	} else if (!strcmp(what, "again")) {
		char *argv[] = { target, (char *)(uintptr_t)"second", NULL };
		char *env[] = { (char *)(uintptr_t)"HOSTILE_DO=exit 3", NULL };

		check(readlink("/proc/self/exe", target, sizeof(target) - 1) > 0, "readlink");
		execve(target, argv, env);
		return 98;
	} else {
		return 99;
	}
	return 0;
}

/* ---- One attempt ------------------------------------------------------------ */

static void call(const struct attempt *a, char *const *env)
{
	if (a->call)
		a->call(a, env);
	else
		execve(a->filename, a->argv, env);
}

static void say_fail(pid_t pid, pid_t ppid, const char *filename, const struct attempt *a,
		     int error)
{
	say_begin("fail", pid, ppid);
	say_number("uid", note->self.uid);
	say_number("gid", note->self.gid);
	say_number("tid", note->self.tid);
	say_text("comm", note->self.comm);
	if (filename)
		say_text("filename", filename);
	if (a->argv_mode != ARGV_UNREADABLE)
		say_argv(a->argv);
	if (a->argv_mode != ARGV_EXACT)
		say_number(a->argv_mode == ARGV_UNREADABLE ? "unreadable" : "may_be_unreadable", 1);
	say_number("errno", error);
	if (a->may_be_missing)
		say_number("may_be_missing", 1);
	say_end();
}

void say_exec(pid_t pid, pid_t ppid, const struct attempt *a)
{
	const char *path = a->as ? a->as : a->filename;
	const char *base = strrchr(path, '/');
	char comm[16];

	say_begin("exec", pid, ppid);
	say_self(&note->self);
	say_number("tid", note->self.tid);
	/* The kernel took the name of an open file's comm from its fd, later from its dentry. */
	if (!a->as) {
		snprintf(comm, sizeof(comm), "%s", base ? base + 1 : path);
		say_text("comm", comm);
	}
	say_text("filename", path);
	say_text("exe", a->exe ? a->exe : target);
	if (a->interpreter)
		say_text("interpreter", a->interpreter);
	say_argv(a->committed ? a->committed : a->argv);
	say_end();
}

/*
 * A fork leaves the child's literals unmapped until they are touched, and a call
 * that fails early does not touch them. Callers that make up their arguments do.
 */
static void touch(char *const *argv)
{
	for (; argv && *argv; argv++)
		note->touched += strlen(*argv);
}

/* The child's part: never returns. */
static void attempt_child(const struct attempt *a, char *const *env)
{
	if (a->argv_mode == ARGV_EXACT)
		touch(a->argv);
	if (a->prepare)
		a->prepare();
	self_take(&note->self);
	for (const char *const *try = a->tries; try && *try; try++) {
		execve(*try, a->argv, env);
		note->tried[try - a->tries] = errno;
	}
	call(a, env);
	note->error = errno;
	_exit(127);
}

void attempt(const struct attempt *a)
{
	char task[64];
	char *env[] = { task, NULL };
	struct rusage usage;
	int status;
	pid_t pid;

	snprintf(task, sizeof(task), "HOSTILE_DO=%s", a->task ? a->task : "exit 0");
	memset(note, 0, sizeof(*note));
	step_begin(a->step);
	pid = a->start ? a->start() : fork();
	if (pid == 0)
		attempt_child(a, env);
	reap(pid, &status, &usage);

	say_fork(pid, getpid());
	if (a->setuid)
		note->self.euid = 0;
	for (const char *const *try = a->tries; try && *try; try++)
		say_fail(pid, getpid(), *try, a, note->tried[try - a->tries]);
	if (note->error)
		say_fail(pid, getpid(), a->filename, a, note->error);
	else
		say_exec(pid, getpid(), a);
	say_exit(pid, getpid(), note->self.uid, status, &usage);
}

/* ---- Files to execute -------------------------------------------------------- */

void write_file(const char *name, const char *text, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);

	check(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), name);
	check(fchmod(fd, mode) == 0, name);
	close(fd);
}

void copy_self(int to)
{
	int from = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	struct stat st;

	check(from >= 0 && fstat(from, &st) == 0, "/proc/self/exe");
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = copy_file_range(from, NULL, to, NULL, (size_t)left, 0);
		char buf[65536];

		if (n <= 0) {	/* between file systems that cannot */
			n = read(from, buf, sizeof(buf));
			check(n > 0 && write(to, buf, (size_t)n) == n, "copy");
		}
		left -= n;
	}
	close(from);
}

static void copy_self_to(const char *name, mode_t mode)
{
	int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0700);

	check(fd >= 0, name);
	copy_self(fd);
	check(fchmod(fd, mode) == 0, name);
	close(fd);
}

/* ---- Arguments ------------------------------------------------------------------ */

/* n arguments, all different, on the heap for good. */
static char **many(size_t n)
{
	char **argv = calloc(n + 1, sizeof(*argv));

	check(argv, "calloc");
	for (size_t i = 0; i < n; i++)
		check(asprintf(&argv[i], i % 7 ? "%zu" : "--option-%zu=some value", i) > 0, "asprintf");
	return argv;
}

static char *long_text(size_t len)
{
	char *s = malloc(len + 1);

	check(s, "malloc");
	for (size_t i = 0; i < len; i++)
		s[i] = (char)('a' + i * 7 % 26);
	s[len] = '\0';
	return s;
}

static void arguments(void)
{
	static const size_t counts[] = { 1, 2, 20, 1000, 20000 };
	struct utsname kernel;
	int major = 0, minor = 0;
	bool filled;

	/* Both ways: what the kernel copied, and what the caller's memory holds. */
	const char *files[] = { target, "/nonexistent/program" };
	for (int i = 0; i < 2; i++) {
#define TRY(name, ...) attempt(&(struct attempt){ .step = name, .filename = files[i], .argv = __VA_ARGS__ })
		TRY("plain", ARGV(S("ls"), S("-l"), S("file")));
		TRY("empty argument", ARGV(S("a"), S(""), S("b"), S("")));
		TRY("all arguments empty", ARGV(S(""), S(""), S("")));
		TRY("newline and tab", ARGV(S("a"), S("line one\nline two\n"), S("\t"), S("\r\n")));
		TRY("quotes", ARGV(S("a b"), S("it's"), S("\"double\""), S("\\back\\"), S("$(x) `y`")));
		TRY("invalid UTF-8", ARGV(S("\xff\xfe"), S("caf\xe9"), S("\xc0\x80"), S("\xed\xa0\x80"),
					  S("ok \xe2\x82\xac"), S("\xf4\x90\x80\x80")));
		TRY("escape sequences", ARGV(S("\x1b[31mred\x1b[0m"), S("\x1b]0;title\x07"), S("\x7f\x01"),
					     S("\xc2\x9b" "31m"), S("\xe2\x80\xae" "txt.exe")));
		TRY("argv[0] unlike the path", ARGV(S("-bash"), S("-c"), S("x")));
		for (size_t c = 0; c < sizeof(counts) / sizeof(counts[0]); c++)
			TRY("count", many(counts[c]));
		TRY("argument of 100 KB", ARGV(S("big"), long_text(100 * 1024), S("end")));
		TRY("arguments of many sizes", ARGV(long_text(1), long_text(127), long_text(128), long_text(4095),
						    long_text(4096), long_text(4097), long_text(30000)));
#undef TRY
	}

	/* Since 5.18 the kernel puts an empty string where there is nothing. */
	check(uname(&kernel) == 0 && sscanf(kernel.release, "%d.%d", &major, &minor) == 2, "uname");
	filled = major > 5 || (major == 5 && minor >= 18);
	attempt(&(struct attempt){ .step = "argc 0", .filename = target, .argv = (char *[]){ NULL },
				   .committed = filled ? ARGV(S("")) : (char *[]){ NULL } });
	attempt(&(struct attempt){ .step = "argv NULL", .filename = target, .argv = NULL,
				   .committed = filled ? ARGV(S("")) : (char *[]){ NULL } });
	attempt(&(struct attempt){ .step = "argc 0, failing", .filename = "/nonexistent/program",
				   .argv = (char *[]){ NULL } });
}

/* ---- Failures ---------------------------------------------------------------------- */

static void failures(void)
{
	char deep[4001] = "/";
	static char link_loop[] = "loop";
	char *page;
	int fd;

	write_file("plain.txt", "text without a first line that says how\n", 0755);
	write_file("no-x", "#!/bin/sh\n", 0644);
	write_file("lost-interpreter", "#!/nonexistent/interpreter\n", 0755);
	check(symlink(link_loop, link_loop) == 0, "symlink");
	while (strlen(deep) + 8 < sizeof(deep))
		strcat(deep, "missing/");

	static const struct { const char *step, *filename; } rows[] = {
		{ "ENOENT", "/nonexistent/program" },
		{ "ENOENT, relative", "./not here" },
		{ "ENOENT, empty path", "" },
		{ "ENOENT, hostile path", "/\x1b[2J\xff\n/'\"" },
		{ "ENOENT, interpreter", "lost-interpreter" },
		{ "EACCES", "no-x" },
		{ "EACCES, directory", "/usr" },
		{ "ENOEXEC", "plain.txt" },
		{ "ENOTDIR", "plain.txt/program" },
		{ "ELOOP", link_loop },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		attempt(&(struct attempt){ .step = rows[i].step, .filename = rows[i].filename,
					   .argv = ARGV(S("program"), S("-x"), S("two words")) });
	attempt(&(struct attempt){ .step = "long path", .filename = deep, .argv = ARGV(S("p")) });

	fd = open(target, O_WRONLY | O_CLOEXEC);
	check(fd >= 0, "open for writing");
	attempt(&(struct attempt){ .step = "ETXTBSY", .filename = target, .argv = ARGV(S("busy")) });
	close(fd);

	/* Memory of the caller that cannot be read must be called so. */
	attempt(&(struct attempt){ .step = "EFAULT", .filename = target, .argv = (char **)8,
				   .argv_mode = ARGV_UNREADABLE });
	attempt(&(struct attempt){ .step = "bad pointer among arguments", .filename = "/nonexistent/program",
				   .argv = ARGV(S("a"), (char *)8, S("c")), .argv_mode = ARGV_UNREADABLE });
	attempt(&(struct attempt){ .step = "no filename", .filename = NULL, .argv = ARGV(S("a"), S("b")) });

	/* A page that nobody has touched: the kernel looks for the file first. */
	write_file("words", "untouched argument", 0644);
	fd = open("words", O_RDONLY | O_CLOEXEC);
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	check(fd >= 0 && page != MAP_FAILED, "mmap");
	close(fd);
	attempt(&(struct attempt){ .step = "untouched page", .filename = "/nonexistent/program",
				   .argv = ARGV(S("a"), page), .argv_mode = ARGV_MAYBE });

	/* As execvp(3) does: the probes, then the program. */
	attempt(&(struct attempt){ .step = "PATH search", .filename = target,
				   .argv = ARGV(S("program"), S("arg")),
				   .tries = (const char *const[]){ "/usr/local/nonexistent/program",
								   "/nonexistent/program", "plain.txt/program", NULL } });
}

/* ---- How a process ends, who it is, where it is ---------------------------------------- */

static void ends(void)
{
	static const char *const tasks[] = {
		"exit 0", "exit 1", "exit 42", "exit 255", "signal 9", "signal 11", "signal 15",
		"signal 6", "core 11", "core 6", "sleep 60", "burn 200", "touch 64",
	};
	static char step[64];

	for (size_t i = 0; i < sizeof(tasks) / sizeof(tasks[0]); i++) {
		snprintf(step, sizeof(step), "end: %s", tasks[i]);
		attempt(&(struct attempt){ .step = step, .filename = target, .task = tasks[i],
					   .argv = ARGV(S("ends")) });
	}
}

static void become_nobody(void)
{
	check(setresgid(NOBODY, NOBODY, NOBODY) == 0 && setresuid(NOBODY, NOBODY, NOBODY) == 0, "setresuid");
}

static void become_half(void)
{
	check(setresgid(1234, 2345, 2345) == 0 && setresuid(3456, 0, 0) == 0, "setresuid");
}

static void identities(void)
{
	struct statvfs fs;
	char exe[PATH_MAX + 8];

	if (getuid() != 0)
		return;
	attempt(&(struct attempt){ .step = "another user", .prepare = become_nobody, .filename = target,
				   .argv = ARGV(S("as nobody")) });
	attempt(&(struct attempt){ .step = "another user, failing", .prepare = become_nobody,
				   .filename = "/nonexistent/program", .argv = ARGV(S("as nobody")) });
	attempt(&(struct attempt){ .step = "real and effective user differ", .prepare = become_half,
				   .filename = target, .argv = ARGV(S("half")) });
	check(statvfs(".", &fs) == 0, "statvfs");
	if (fs.f_flag & ST_NOSUID)
		return;
	copy_self_to("setuid", 04755);
	snprintf(exe, sizeof(exe), "%.*s/setuid", (int)(strrchr(target, '/') - target), target);
	attempt(&(struct attempt){ .step = "setuid program", .prepare = become_nobody, .filename = "./setuid",
				   .exe = exe, .setuid = true, .argv = ARGV(S("setuid")) });
}

static void go_deep(void)
{
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "level-%03d", i);
		mkdir(name, 0755);
		check(chdir(name) == 0, name);
	}
}

static void go_strange(void)
{
	const char *name = "caf\xe9\n\x1b[1m \"dir'";

	mkdir(name, 0755);
	check(chdir(name) == 0, "chdir");
}

static void go_root(void)
{
	check(chdir("/") == 0, "chdir /");
}

static void go_mount(void)
{
	check(chdir("/proc/sys/kernel") == 0, "chdir /proc");
}

static void places(void)
{
	attempt(&(struct attempt){ .step = "cwd /", .prepare = go_root, .filename = target, .argv = ARGV(S("cwd")) });
	attempt(&(struct attempt){ .step = "cwd on another mount", .prepare = go_mount, .filename = target,
				   .argv = ARGV(S("cwd")) });
	attempt(&(struct attempt){ .step = "strange cwd", .prepare = go_strange, .filename = target,
				   .argv = ARGV(S("cwd")) });
	attempt(&(struct attempt){ .step = "deep cwd", .prepare = go_deep, .filename = target,
				   .argv = ARGV(S("cwd")) });
}

int main(int argc, char **argv)
{
	const char *task = getenv("HOSTILE_DO");
	char dir[PATH_MAX];

	if (task)
		return target_main(task);
	if (argc != 2) {
		fprintf(stderr, "usage: hostile_exec DIR\n");
		return 2;
	}
	/* Nothing buffered may be printed twice, and orphans come to this process. */
	setvbuf(stdout, NULL, _IOLBF, 1 << 16);
	umask(022);
	check(chdir(argv[1]) == 0 && getcwd(dir, sizeof(dir)), argv[1]);
	check(snprintf(target, sizeof(target), "%s/target", dir) < 128, "DIR is too long for a #! line");
	check(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0, "prctl");
	note = mmap(NULL, sizeof(*note), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(note != MAP_FAILED, "mmap");
	copy_self_to("target", 0755);

	step_begin("clock");
	say_clock();
	say_begin("main", getpid(), getppid());
	say_end();
	arguments();
	failures();
	ways();
	ends();
	identities();
	places();
	trees();
	return 0;
}
