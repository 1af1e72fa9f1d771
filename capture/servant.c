/* SPDX-License-Identifier: BSD-2-Clause */
#include "servant.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "privilege.h"

/* Directory services that do not answer give up sooner. */
#define PATIENCE_S 10

#ifndef __NR_close_range /* 5.9; one number on all architectures */
#define __NR_close_range 436
#endif

struct servant {
	pid_t pid;
	int fd;
};

/* The caller's files as well: who reads them waits for the last one to close them. */
static int leave_files(int fd)
{
	int null = open("/dev/null", O_RDWR);

	if (null < 0)
		return -1;
	for (int i = 0; i < 3; i++)
		if (dup2(null, i) < 0)
			return -1;
	if (dup2(fd, 3) < 0)
		return -1;
	/* Linux 5.8 has no such call: there they stay open as long as the recorder lives. */
	syscall(__NR_close_range, 4u, UINT_MAX, 0u);
	return 3;
}

static void run(const char *name, uint64_t keep, void (*serve)(int fd), int fd)
{
	/* Signals for the group are the recorder's; its end is the end of the socket. */
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, NULL);
	prctl(PR_SET_NAME, name);
	fd = leave_files(fd);
	if (fd >= 0 && privilege_drop(keep) == 0)
		serve(fd);
	_exit(0);
}

int servant_start(const char *name, uint64_t keep, void (*serve)(int fd), struct servant **out)
{
	const struct timeval patience = { .tv_sec = PATIENCE_S };
	struct servant *s = calloc(1, sizeof(*s));
	int fd[2], error;

	*out = NULL;
	if (!s)
		return ENOMEM;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fd) != 0) {
		error = errno;
		free(s);
		return error;
	}
	s->fd = fd[0];
	if (setsockopt(fd[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) != 0)
		goto fail;
	s->pid = fork();
	if (s->pid < 0)
		goto fail;
	if (s->pid == 0) {
		close(fd[0]);
		run(name, keep, serve, fd[1]);
	}
	close(fd[1]);
	*out = s;
	return 0;
fail:
	error = errno;
	close(fd[0]);
	close(fd[1]);
	free(s);
	return error;
}

pid_t servant_pid(const struct servant *s)
{
	return s->pid;
}

int servant_fd(const struct servant *s)
{
	return s->fd;
}

void servant_close(struct servant *s)
{
	if (!s)
		return;
	close(s->fd);
	/* In the middle of an answer, it would first have to notice. */
	kill(s->pid, SIGKILL);
	while (waitpid(s->pid, NULL, 0) < 0 && errno == EINTR)
		;
	free(s);
}
