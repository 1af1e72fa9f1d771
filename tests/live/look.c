/* SPDX-License-Identifier: BSD-2-Clause */
#include "look.h"

#include <elf.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "hostile.h"

static int pair[2] = { -1, -1 }; /* ours, the program's */

void look_open(void)
{
	if (pair[0] >= 0)
		close(pair[0]);
	check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0, "socketpair");
	check(setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &(int){ 1 }, sizeof(int)) == 0,
	      "SO_PASSCRED");
}

void look_child(void)
{
	check(dup2(pair[1], LOOK_FD) == LOOK_FD, "dup2");
}

int look_end(void)
{
	return pair[1];
}

void look_started(void)
{
	/* Its number stays: a child that shares this memory may read it yet. */
	close(pair[1]);
}

bool look_wait(void)
{
	char c = 'l';

	return send(LOOK_FD, &c, 1, MSG_NOSIGNAL) == 1 && read(LOOK_FD, &c, 1) >= 0;
}

/* ---- /proc ------------------------------------------------------------------ */

char *look_read(const char *path, size_t *size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t room = 4096, used = 0;
	char *data = malloc(room);
	ssize_t n = 0;

	check(data, "malloc");
	while (fd >= 0 && (n = read(fd, data + used, room - used - 1)) > 0) {
		used += (size_t)n;
		if (used == room - 1)
			check((data = realloc(data, room *= 2)) != NULL, "realloc");
	}
	if (fd >= 0)
		close(fd);
	data[used] = '\0';
	if (size)
		*size = used;
	if (fd < 0 || n < 0) {
		free(data);
		return NULL;
	}
	return data;
}

static char *proc_read(pid_t pid, const char *name, size_t *size)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	return look_read(path, size);
}

/* Where a link leads; *st is what lies there. The kernel marks what has no name any more. */
static char *proc_link(pid_t pid, const char *name, struct stat *st)
{
	static const char mark[] = " (deleted)";
	char path[64], *to = calloc(1, PATH_MAX + 1);
	struct stat named;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	check(to && stat(path, st) == 0, path);
	n = readlink(path, to, PATH_MAX);
	if (n < 0) {
		free(to);
		return NULL;
	}
	n -= (ssize_t)sizeof(mark) - 1;
	if (n >= 0 && !strcmp(to + n, mark) && lstat(to, &named) != 0)
		to[n] = '\0';
	return to;
}

static unsigned long long proc_ns(pid_t pid, const char *name)
{
	struct stat st;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/ns/%s", (int)pid, name);
	return stat(path, &st) == 0 ? (unsigned long long)st.st_ino : 0;
}

static const char *status_line(const char *status, const char *key)
{
	const char *at = strstr(status, key);

	check(at, key);
	return at + strlen(key);
}

static void take_status(struct look *l)
{
	char *status = proc_read(l->pid, "status", NULL);
	const char *at;

	check(status, "/proc/PID/status");
	l->ppid = atoi(status_line(status, "\nPPid:"));
	check(sscanf(status_line(status, "\nUid:"), "%u %u", &l->uid, &l->euid) == 2, "Uid");
	check(sscanf(status_line(status, "\nGid:"), "%u %u", &l->gid, &l->egid) == 2, "Gid");
	/* The pid in each namespace, from the outermost to its own. */
	at = status_line(status, "\nNSpid:");
	for (int n, pid; sscanf(at, " %d%n", &pid, &n) == 1 && at[0] != '\n'; at += n)
		l->ns_pid = pid;
	free(status);
}

static void take_stat(struct look *l)
{
	char *text = proc_read(l->pid, "stat", NULL), *open, *close;
	int tty;

	check(text, "/proc/PID/stat");
	open = strchr(text, '(');
	close = strrchr(text, ')');
	check(open && close && close - open - 1 < (ptrdiff_t)sizeof(l->comm),
	      "/proc/PID/stat");
	memcpy(l->comm, open + 1, (size_t)(close - open - 1));
	check(sscanf(close + 1,
		     " %*c %*d %*d %*d %d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %*d "
		     "%*d %llu",
		     &tty, &l->start_ticks) == 2,
	      "/proc/PID/stat");
	l->tty_major = major((dev_t)tty);
	l->tty_minor = minor((dev_t)tty);
	free(text);
}

/* Of a 32-bit program the words are of 32 bits. */
static void take_auxv(struct look *l, bool bits32)
{
	size_t size, word = bits32 ? 4 : 8;
	char *auxv = proc_read(l->pid, "auxv", &size);

	l->secure = -1;
	for (size_t i = 0; auxv && i + 2 * word <= size; i += 2 * word) {
		uint64_t key = 0, value = 0;

		memcpy(&key, auxv + i, word);
		memcpy(&value, auxv + i + word, word);
		if (key == AT_SECURE)
			l->secure = value != 0;
	}
	free(auxv);
}

static uint32_t proc_number(pid_t pid, const char *name)
{
	char *text = proc_read(pid, name, NULL);
	uint32_t n = text ? (uint32_t)strtoul(text, NULL, 10) : UINT32_MAX;

	free(text);
	return n;
}

static void take_exe(struct look *l)
{
	unsigned char ident[EI_NIDENT] = { 0 };
	struct stat st;
	char path[64];
	int fd;

	l->exe = proc_link(l->pid, "exe", &st);
	l->exe_major = major(st.st_dev);
	l->exe_minor = minor(st.st_dev);
	l->exe_inode = st.st_ino;
	l->exe_memfd = l->exe && !strncmp(l->exe, "/memfd:", 7);
	l->exe_deleted = st.st_nlink == 0;
	snprintf(path, sizeof(path), "/proc/%d/exe", (int)l->pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	check(fd >= 0 && read(fd, ident, sizeof(ident)) == sizeof(ident), path);
	close(fd);
	take_auxv(l, ident[EI_CLASS] == ELFCLASS32);
}

static void take_cgroup(struct look *l)
{
	char *text = proc_read(l->pid, "cgroup", NULL), *at = text;

	while (at && strncmp(at, "0::", 3)) {
		at = strchr(at, '\n');
		at = at ? at + 1 : NULL;
	}
	if (at)
		check((l->cgroup = strndup(at + 3, strcspn(at + 3, "\n"))) != NULL, "strndup");
	free(text);
}

void look_at(pid_t pid, struct look *l)
{
	struct stat st;

	memset(l, 0, sizeof(*l));
	l->pid = pid;
	take_status(l);
	take_stat(l);
	take_exe(l);
	take_cgroup(l);
	l->cwd = proc_link(l->pid, "cwd", &st);
	l->argv = proc_read(l->pid, "cmdline", &l->argv_size);
	l->env = proc_read(l->pid, "environ", &l->env_size);
	check(l->argv && l->env, "/proc/PID/cmdline and environ");
	l->login_uid = proc_number(l->pid, "loginuid");
	l->session = proc_number(l->pid, "sessionid");
	l->pid_ns = proc_ns(l->pid, "pid");
	l->mnt_ns = proc_ns(l->pid, "mnt");
	l->user_ns = proc_ns(l->pid, "user");
	l->net_ns = proc_ns(l->pid, "net");
}

bool look_next(struct look *l)
{
	union {
		char room[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	char c;
	struct iovec iov = { &c, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = &control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *cmsg;
	struct ucred cred;

	memset(l, 0, sizeof(*l));
	if (recvmsg(pair[0], &msg, 0) != 1)
		return false;
	cmsg = CMSG_FIRSTHDR(&msg);
	check(cmsg && cmsg->cmsg_type == SCM_CREDENTIALS, "credentials of the program");
	memcpy(&cred, CMSG_DATA(cmsg), sizeof(cred));
	look_at(cred.pid, l);
	check(send(pair[0], &c, 1, MSG_NOSIGNAL) == 1, "the program that was looked at");
	return true;
}

void look_free(struct look *l)
{
	free(l->argv);
	free(l->env);
	free(l->cwd);
	free(l->exe);
	free(l->cgroup);
	memset(l, 0, sizeof(*l));
}
