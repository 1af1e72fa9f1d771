/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * failures.c - each way in which an execution can fail, also when it is too late
 * for the caller to hear of it.
 */
#include "hostile.h"

#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* A program of one segment and, with it, a path to an interpreter; both are wrong somehow. */
struct bad_elf {
	Elf64_Ehdr header;
	Elf64_Phdr segments[2];
	char interpreter[256];
};

static struct bad_elf bad_elf(void)
{
	Elf64_Ehdr own = { 0 };
	struct bad_elf elf;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

	/* The machine is this program's. */
	check(fd >= 0 && read(fd, &own, sizeof(own)) == sizeof(own), "/proc/self/exe");
	close(fd);
	memset(&elf, 0, sizeof(elf));
	elf.header = own;
	elf.header.e_type = ET_EXEC;
	elf.header.e_entry = 0x400000;
	elf.header.e_phoff = offsetof(struct bad_elf, segments);
	elf.header.e_phnum = 1;
	elf.header.e_phentsize = sizeof(Elf64_Phdr);
	elf.header.e_shnum = elf.header.e_shstrndx = 0;
	elf.segments[0] = (Elf64_Phdr){ .p_type = PT_LOAD,
					.p_flags = PF_R | PF_X,
					.p_vaddr = 0x400000,
					.p_filesz = sizeof(elf),
					.p_memsz = sizeof(elf),
					.p_align = 4096 };
	return elf;
}

/* An interpreter is looked for before the old program is given up. */
static void write_interpreted(const char *name, const char *interpreter, size_t size)
{
	struct bad_elf elf = bad_elf();

	elf.header.e_phnum = 2;
	elf.segments[1] = elf.segments[0];
	elf.segments[0] = (Elf64_Phdr){ .p_type = PT_INTERP,
					.p_offset = offsetof(struct bad_elf, interpreter),
					.p_filesz = size,
					.p_memsz = size };
	snprintf(elf.interpreter, sizeof(elf.interpreter), "%s", interpreter);
	write_file(name, &elf, sizeof(elf), 0755);
}

static void elf_files(void)
{
	struct bad_elf elf = bad_elf();
	char *text = long_text(4096); /* a shorter one could not be read as a program */

	/* More in the file than in memory: seen when it is mapped, and that is late. */
	elf.segments[0].p_memsz = 1;
	write_file("late", &elf, sizeof(elf), 0755);
	write_interpreted("lost-loader", "/nonexistent/loader", sizeof("/nonexistent/loader"));
	write_text("text", text, 0755);
	write_interpreted("text-loader", below("text"), strlen(below("text")) + 1);
	write_interpreted("beyond", "x", 300);
	elf = bad_elf();
	elf.header.e_machine = 0x7777;
	write_file("machine", &elf, sizeof(elf), 0755);
	elf = bad_elf();
	elf.header.e_phoff = 1 << 20;
	write_file("cut", &elf, sizeof(elf), 0755);
	free(text);
}

static void call_bad_flags(const struct attempt *a, char *const *env)
{
	syscall(SYS_execveat, AT_FDCWD, a->filename, a->argv, env, 0x40000000);
}

static void call_bad_fd(const struct attempt *a, char *const *env)
{
	syscall(SYS_execveat, 1000, a->filename, a->argv, env, 0);
}

static void call_no_follow(const struct attempt *a, char *const *env)
{
	syscall(SYS_execveat, AT_FDCWD, a->filename, a->argv, env, AT_SYMLINK_NOFOLLOW);
}

/* More processes than its user may have: setuid takes note of it, execve refuses. */
static void become_too_many(void)
{
	struct rlimit none = { 0, 0 };

	if (setrlimit(RLIMIT_NPROC, &none) != 0 || setresuid(54321, 54321, 54321) != 0)
		unable("setresuid");
}

static void mount_noexec(void)
{
	if (unshare_mounts() != 0 || mount("none", "mnt", "tmpfs", MS_NOEXEC, NULL) != 0)
		unable("mount");
	copy_self_to("mnt/program", 0755);
}

static void no_root(void)
{
	check(chmod(".", 0755) == 0, "chmod");
	if (setresuid(65534, 65534, 65534) != 0)
		unable("setresuid");
}

static void errors(void)
{
	char deep[4001] = "/", *name = long_text(256), *path = long_text(5000);
	static char link_loop[] = "loop";
	int fd;

	write_text("plain.txt", "text without a first line that says how\n", 0755);
	write_text("no-x", "#!/bin/sh\n", 0644);
	write_text("empty", "", 0755);
	write_text("lost-interpreter", "#!/nonexistent/interpreter\n", 0755);
	write_text("no-interpreter", "#!\n", 0755);
	write_text("blank-interpreter", "#!   \t \n", 0755);
	write_text("plain-interpreter", "#!plain.txt\n", 0755);
	write_text("endless", "#!endless\n", 0755);
	check(mkdir("mnt", 0755) == 0, "mnt");
	check(symlink(link_loop, link_loop) == 0 && symlink("target", "link") == 0, "symlink");
	check(mkdir("closed", 0700) == 0 && mkfifo("fifo", 0755) == 0, "closed, fifo");
	copy_self_to("closed/program", 0755);
	elf_files();
	while (strlen(deep) + 8 < sizeof(deep))
		strcat(deep, "missing/");

	const struct {
		const char *step, *filename;
		int error;
		void (*prepare)(void);
	} rows[] = {
		{ "ENOENT", "/nonexistent/program", ENOENT, NULL },
		{ "ENOENT, relative", "./not here", ENOENT, NULL },
		{ "ENOENT, empty path", "", ENOENT, NULL },
		{ "ENOENT, hostile path", "/\x1b[2J\xff\n/'\"", ENOENT, NULL },
		{ "ENOENT, interpreter", "lost-interpreter", ENOENT, NULL },
		{ "ENOENT, loader", "lost-loader", ENOENT, NULL },
		{ "ENOENT, long path", deep, ENOENT, NULL },
		{ "EACCES", "no-x", EACCES, NULL },
		{ "EACCES, directory", "/proc", EACCES, NULL },
		{ "EACCES, fifo", "fifo", EACCES, NULL },
		{ "EACCES, on the way", "closed/program", EACCES, no_root },
		{ "EACCES, noexec", "mnt/program", EACCES, mount_noexec },
		{ "ENOEXEC", "plain.txt", ENOEXEC, NULL },
		{ "ENOEXEC, empty file", "empty", ENOEXEC, NULL },
		{ "ENOEXEC, machine", "machine", ENOEXEC, NULL },
		{ "ENOEXEC, script without a name", "no-interpreter", ENOEXEC, NULL },
		{ "ENOEXEC, script with blanks", "blank-interpreter", ENOEXEC, NULL },
		{ "ENOEXEC, of the interpreter", "plain-interpreter", ENOEXEC, NULL },
		{ "ELOOP", link_loop, ELOOP, NULL },
		{ "ELOOP, scripts", "endless", ELOOP, NULL },
		{ "ENAMETOOLONG, name", name, ENAMETOOLONG, NULL },
		{ "ENOTDIR", "plain.txt/program", ENOTDIR, NULL },
		{ "ELIBBAD", "text-loader", ELIBBAD, NULL },
		{ "EIO or so, beyond the end", "beyond", 0, NULL },
		{ "EIO or so, cut short", "cut", 0, NULL },
		{ "EAGAIN", target, EAGAIN, become_too_many },
	};
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		attempt(&(struct attempt){
			.step = rows[i].step,
			.filename = rows[i].filename,
			.prepare = rows[i].prepare,
			.error = rows[i].error,
			.argv = ARGV(S("program"), S("-x"), S("two words")) });
	/* Longer than any path can be: only its beginning is of use to anybody. */
	attempt(&(struct attempt){ .step = "ENAMETOOLONG, path",
				   .filename = path,
				   .no_filename = true,
				   .error = ENAMETOOLONG,
				   .argv = ARGV(S("p")) });
	attempt(&(struct attempt){ .step = "EINVAL",
				   .filename = target,
				   .call = call_bad_flags,
				   .error = EINVAL,
				   .argv = ARGV(S("flags"), S("x")) });
	attempt(&(struct attempt){ .step = "EBADF",
				   .filename = "program",
				   .call = call_bad_fd,
				   .error = EBADF,
				   .argv = ARGV(S("fd"), S("x")) });
	attempt(&(struct attempt){ .step = "ELOOP, AT_SYMLINK_NOFOLLOW",
				   .filename = "link",
				   .call = call_no_follow,
				   .error = ELOOP,
				   .argv = ARGV(S("link"), S("x")) });
	attempt(&(struct attempt){ .step = "AT_SYMLINK_NOFOLLOW of no link",
				   .filename = "target",
				   .call = call_no_follow,
				   .argv = ARGV(S("no link"), S("x")) });

	fd = open(target, O_WRONLY | O_CLOEXEC);
	check(fd >= 0, "open for writing");
	attempt(&(struct attempt){ .step = "ETXTBSY",
				   .filename = target,
				   .error = ETXTBSY,
				   .argv = ARGV(S("busy")) });
	close(fd);

	/* As execvp(3) does: the probes, then the program. */
	attempt(&(struct attempt){
		.step = "PATH search",
		.filename = target,
		.argv = ARGV(S("program"), S("arg")),
		.tries = (const char *const[]){ "/usr/local/nonexistent/program",
						"/nonexistent/program", "plain.txt/program",
						NULL } });
}

/* ---- Too late ------------------------------------------------------------------ */

static void late(void)
{
	attempt(&(struct attempt){ .step = "late failure",
				   .filename = "./late",
				   .outcome = LATE,
				   .error = EINVAL,
				   .argv = ARGV(S("too"), S("late")) });
	write_text("late-script", "#!./late\n", 0755);
	attempt(&(struct attempt){ .step = "late failure of a script",
				   .filename = "./late-script",
				   .outcome = LATE,
				   .error = EINVAL,
				   .argv = ARGV(S("too"), S("late")) });
}

/* ---- A file that must be waited for ---------------------------------------------- */

static int leased;

/* A lease on a file makes whoever wants to execute it wait until it is given back. */
static void lease_take(void)
{
	leased = open("leased", O_RDONLY | O_CLOEXEC);
	check(leased >= 0, "leased");
	signal(SIGIO, SIG_IGN);
}

/* Of a file that has been executed: the recorder may just be looking at it. */
static void lease_again(void)
{
	for (unsigned ms = 0; fcntl(leased, F_SETLEASE, F_WRLCK) != 0; ms++) {
		check(errno == EAGAIN && ms < 10000, "F_SETLEASE");
		nap(1);
	}
}

static void wait_in_call(pid_t pid, unsigned ms)
{
	until_asleep(pid);
	if (ms)
		nap(ms);
}

static void give_back(pid_t pid)
{
	wait_in_call(pid, 120);
	fcntl(leased, F_SETLEASE, F_UNLCK);
}

static void kill_waiting(pid_t pid)
{
	wait_in_call(pid, 0);
	kill(pid, SIGKILL);
}

static void interrupt(pid_t pid)
{
	wait_in_call(pid, 0);
	kill(pid, SIGUSR1);
}

static void interrupt_and_give_back(pid_t pid)
{
	interrupt(pid);
	nap(50);
	fcntl(leased, F_SETLEASE, F_UNLCK);
}

static void nothing(int sig)
{
	(void)sig;
}

static void interruptible(void)
{
	sigaction(SIGUSR1, &(struct sigaction){ .sa_handler = nothing }, NULL);
}

static void restarting(void)
{
	sigaction(SIGUSR1,
		  &(struct sigaction){ .sa_handler = nothing, .sa_flags = SA_RESTART }, NULL);
}

static void call_staged(const struct attempt *a, char *const *env)
{
	note->stage = 1;
	execve(a->filename, a->argv, env);
}

/*
 * A signal stops the call with an error of the kernel's own. What the caller gets is
 * decided thereafter: nothing when it is killed, EINTR from a handler that is not to
 * restart calls; else the call begins anew, and nothing has failed.
 */
static void waiting(void)
{
	copy_self_to("leased", 0755);
	lease_take();
	if (fcntl(leased, F_SETLEASE, F_WRLCK) != 0) {
		say_skip("waiting for a file", strerror(errno));
		return;
	}
	attempt(&(struct attempt){ .step = "waiting for a file",
				   .filename = "./leased",
				   .call = call_staged,
				   .meanwhile = give_back,
				   .argv = ARGV(S("waits"), S("long")),
				   .least_ms = 100 });
	lease_again();
	attempt(&(struct attempt){ .step = "killed while waiting for a file",
				   .filename = "./leased",
				   .call = call_staged,
				   .meanwhile = kill_waiting,
				   .outcome = UNSEEN,
				   .argv = ARGV(S("waits"), S("killed")) });
	fcntl(leased, F_SETLEASE, F_UNLCK);
	lease_again();
	attempt(&(struct attempt){ .step = "interrupted while waiting for a file",
				   .filename = "./leased",
				   .call = call_staged,
				   .meanwhile = interrupt,
				   .prepare = interruptible,
				   .error = EINTR,
				   .argv = ARGV(S("waits"), S("interrupted")) });
	fcntl(leased, F_SETLEASE, F_UNLCK);
	lease_again();
	attempt(&(struct attempt){ .step = "restarted while waiting for a file",
				   .filename = "./leased",
				   .call = call_staged,
				   .meanwhile = interrupt_and_give_back,
				   .prepare = restarting,
				   .argv = ARGV(S("waits"), S("restarted")) });
	close(leased);
}

void failures(void)
{
	errors();
	late();
	waiting();
}
