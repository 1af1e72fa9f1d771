/* SPDX-License-Identifier: BSD-2-Clause */
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#define CONNECT_S 10

/* A queue of others in front of us may take its time, too. */
static int reach(int fd, const char *path)
{
	const struct timeval patience = { .tv_sec = CONNECT_S };
	struct sockaddr_un to = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(to.sun_path))
		return ENAMETOOLONG;
	strcpy(to.sun_path, path);
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience)) != 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) == 0)
		return 0;
	return errno == EAGAIN ? ETIMEDOUT : errno;
}

static int take(int fd, int patience_ms, struct ask_answer *out)
{
	struct pollfd p = { fd, POLLIN, 0 };
	char *text = out->text;
	ssize_t len;
	int n;

	do
		n = poll(&p, 1, patience_ms);
	while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n ? errno : ETIMEDOUT;
	len = recv(fd, text, ASK_ANSWER, 0);
	if (len <= 0)
		return len && errno != ECONNRESET ? errno : EPIPE;
	text[len] = '\0';
	out->ok = strncmp(text, "ok ", 3) == 0;
	if (!out->ok && strncmp(text, "error ", 6) != 0)
		return EPROTO;
	out->len = (size_t)len - (out->ok ? 3 : 6);
	memmove(text, text + (out->ok ? 3 : 6), out->len + 1);
	return 0;
}

int ask(const char *path, const char *question, int patience_ms, struct ask_answer *out)
{
	int error, fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return errno;
	error = reach(fd, path);
	/* One that turns us away may have closed before the question is sent. */
	if (!error && send(fd, question, strlen(question), MSG_NOSIGNAL) < 0 && errno != EPIPE)
		error = errno;
	if (!error)
		error = take(fd, patience_ms, out);
	close(fd);
	return error;
}

void ask_failure(int error, const char *path, char *text, size_t size)
{
	switch (error) {
	case ENOENT:
	case ECONNREFUSED:
		snprintf(text, size, "no recorder listens at %s; one that is to be asked is started with "
			 "--control", path);
		break;
	case EACCES:
		snprintf(text, size, "%s: only root and the user who records may ask", path);
		break;
	case EPIPE:
		snprintf(text, size, "the recorder at %s gave no answer: it has ended, or answers only "
			 "root and the user who records", path);
		break;
	case ETIMEDOUT:
		snprintf(text, size, "the recorder at %s does not answer", path);
		break;
	case EPROTO:
	case EPROTOTYPE:
		snprintf(text, size, "what listens at %s is no recorder", path);
		break;
	default:
		snprintf(text, size, "cannot ask the recorder at %s: %s", path, strerror(error));
	}
}
