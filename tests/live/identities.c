/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * identities.c - who executes: users, privilege that a file gives, the login and
 * the terminal.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#define NOBODY 65534

static void become_nobody(void)
{
	check(setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
		      setresuid(NOBODY, NOBODY, NOBODY) == 0,
	      "setresuid");
}

static void become_half(void)
{
	check(setresgid(1234, 2345, 2345) == 0 && setresuid(3456, 0, 0) == 0, "setresuid");
}

static void become_largest(void)
{
	check(setresgid(0xfffffffe, 0xfffffffe, 0xfffffffe) == 0 &&
		      setresuid(0xfffffffe, 0xfffffffe, 0xfffffffe) == 0,
	      "setresuid");
}

static void become_bound(void)
{
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0, "PR_SET_NO_NEW_PRIVS");
	become_nobody();
}

static void set_capability(const char *name, uint32_t flags)
{
	struct vfs_cap_data data = { .magic_etc = VFS_CAP_REVISION_2 | flags,
				     .data[0] = { .permitted = 1u << CAP_NET_RAW } };

	copy_self_to(name, 0755);
	if (setxattr(name, "security.capability", &data, sizeof(data), 0) != 0) {
		char reason[128];

		snprintf(reason, sizeof(reason), "security.capability: %s", strerror(errno));
		say_skip("file capabilities", reason);
		unlink(name);
	}
}

static void privileged_files(void)
{
	struct statvfs fs;

	check(statvfs(".", &fs) == 0, "statvfs");
	if (fs.f_flag & ST_NOSUID) {
		say_skip("setuid programs", "the directory is mounted nosuid");
		return;
	}
	copy_self_to("setuid", 04755);
	copy_self_to("setgid", 02755);
	copy_self_to("setuid-other", 0755);
	check(chown("setuid-other", 4321, 5432) == 0 && chmod("setuid-other", 06755) == 0,
	      "setuid-other");
#define TRY(name, become, file, ...)                                                          \
	attempt(&(struct attempt){ .step = name,                                              \
				   .prepare = become,                                         \
				   .filename = file,                                          \
				   .argv = ARGV(__VA_ARGS__) })
	TRY("setuid program", become_nobody, "./setuid", S("setuid"));
	TRY("setuid program, no new privileges", become_bound, "./setuid", S("setuid"));
	TRY("setuid program, executed by root", NULL, "./setuid", S("setuid"));
	TRY("setgid program", become_nobody, "./setgid", S("setgid"));
	TRY("program of another user and group", NULL, "./setuid-other", S("setuid"));
	set_capability("capable", VFS_CAP_FLAGS_EFFECTIVE);
	set_capability("capable-later", 0);
	if (access("capable", X_OK) == 0) {
		TRY("file capabilities", become_nobody, "./capable", S("capable"));
		TRY("file capabilities, not effective", become_nobody, "./capable-later",
		    S("capable"));
		TRY("file capabilities, executed by root", NULL, "./capable", S("capable"));
	}
#undef TRY
}

/* ---- Login and terminal ----------------------------------------------------------- */

static void log_in(void)
{
	if (!put_file("/proc/self/loginuid", "1234"))
		unable("/proc/self/loginuid");
}

static void leave_terminal(void)
{
	check(setsid() > 0, "setsid");
}

static void take_terminal(void)
{
	int number, unlock = 0, pty = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC), tty;
	char name[32];

	leave_terminal();
	if (pty < 0 || ioctl(pty, TIOCSPTLCK, &unlock) != 0 ||
	    ioctl(pty, TIOCGPTN, &number) != 0)
		unable("/dev/ptmx");
	snprintf(name, sizeof(name), "/dev/pts/%d", number);
	tty = open(name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	/* The other end must stay open, or the terminal is hung up by the execution. */
	if (tty < 0 || ioctl(tty, TIOCSCTTY, 0) != 0 || fcntl(pty, F_SETFD, 0) != 0)
		unable(name);
}

void identities(void)
{
	attempt(&(struct attempt){ .step = "no terminal",
				   .prepare = leave_terminal,
				   .filename = target,
				   .argv = ARGV(S("tty")) });
	attempt(&(struct attempt){ .step = "terminal",
				   .prepare = take_terminal,
				   .filename = target,
				   .argv = ARGV(S("tty")) });
	if (getuid() != 0) {
		say_skip("users", "needs root");
		return;
	}
	attempt(&(struct attempt){ .step = "login",
				   .prepare = log_in,
				   .filename = target,
				   .argv = ARGV(S("login")) });
	attempt(&(struct attempt){ .step = "another user",
				   .prepare = become_nobody,
				   .filename = target,
				   .argv = ARGV(S("as nobody")) });
	attempt(&(struct attempt){ .step = "another user, failing",
				   .prepare = become_nobody,
				   .filename = "/nonexistent/program",
				   .argv = ARGV(S("as nobody")) });
	attempt(&(struct attempt){ .step = "real and effective user differ",
				   .prepare = become_half,
				   .filename = target,
				   .argv = ARGV(S("half")) });
	attempt(&(struct attempt){ .step = "largest user",
				   .prepare = become_largest,
				   .filename = target,
				   .argv = ARGV(S("largest")) });
	privileged_files();
}
