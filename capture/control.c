/* SPDX-License-Identifier: BSD-2-Clause */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "ask.h"
#include "caller.h"
#include "sockfile.h"

#define BACKLOG 16
/* Who has connected asks within this time; who asks is not waited for. */
#define PATIENCE 2000000000ull
/* A descriptor that was looked at is left alone for so long. */
#define REST 20000000ull
#define SOCKET_MODE 0600
#define DIRECTORY_MODE 0755

/* In the order of enum control_request. */
static const char *const words[CONTROL_REQUESTS] = { "status", "show", "trigger", "rotate" };

struct client {
	int fd;			/* -1: nobody */
	bool asked;		/* waits for its answer */
	bool tired;		/* not watched until rest is over */
	uint64_t number;	/* while asked */
	uint64_t deadline;	/* to ask, ns of the boot clock */
};

struct control {
	int epoll;
	int listener;
	bool tired;		/* of the listener */
	uint64_t rest;		/* until then the tired ones are left alone; 0: there are none */
	uint64_t numbers;
	unsigned user;		/* ours: who may ask, beside root */
	bool has_caller;	/* of sudo, who may ask too */
	unsigned caller;
	struct client clients[CONTROL_CLIENTS];
};

/* ---- Listening ------------------------------------------------------------------ */

static bool fail(struct control_error *err, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

static bool fail(struct control_error *err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return false;
}

/* 0: somebody listens at the address, the process pid; else an errno, ECONNREFUSED: nobody. */
static int find_listener(const struct sockaddr_un *at, pid_t *pid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = 0;

	if (fd < 0)
		return errno;
	if (connect(fd, (const struct sockaddr *)at, sizeof(*at)) != 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) != 0)
		error = errno;
	else
		*pid = peer.pid;
	close(fd);
	return error;
}

/* Removes a socket that nobody listens at. */
static bool make_room(const struct sockaddr_un *at, struct control_error *err)
{
	const char *path = at->sun_path;
	struct stat st;
	pid_t pid = 0;
	int error;

	if (lstat(path, &st) != 0)
		return errno == ENOENT || fail(err, "--control: %s: %s", path, strerror(errno));
	if (!S_ISSOCK(st.st_mode))
		return fail(err, "--control: '%s' exists and is no socket", path);
	error = find_listener(at, &pid);
	if (!error)
		return fail(err, "--control: process %d listens at %s already; give this recorder a "
			    "path of its own (--control=PATH)", pid, path);
	if (error != ECONNREFUSED)
		return fail(err, "--control: another program may listen at %s: %s", path,
			    strerror(error));
	return unlink(path) == 0 || errno == ENOENT ||
	       fail(err, "--control: cannot replace %s, which a recorder has left: %s", path,
		    strerror(errno));
}

/* Under sudo the socket is its caller's. Whoever can replace it has only his own sockets to offer. */
static bool own(const struct control *c, const char *path, unsigned gid, struct control_error *err)
{
	struct stat st;
	int fd;
	bool ok;

	if (!c->has_caller)
		return true;
	fd = open(path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	ok = fd >= 0 && fstat(fd, &st) == 0 && S_ISSOCK(st.st_mode) && st.st_uid == c->user &&
	     st.st_nlink == 1 && fchownat(fd, "", c->caller, gid, AT_EMPTY_PATH) == 0;
	if (!ok)
		fail(err, "--control: cannot give %s to user %u", path, c->caller);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool listen_at(struct control *c, const char *path, struct control_error *err)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	unsigned gid = 0;

	strcpy(at.sun_path, path);
	c->has_caller = caller_of_sudo(&c->caller, &gid);
	c->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (c->listener < 0)
		return fail(err, "--control: no socket: %s", strerror(errno));
	/* What it is bound to gets the mode that it has, whatever the umask takes from it. */
	if (fchmod(c->listener, SOCKET_MODE) != 0 || !make_room(&at, err))
		return false;
	if (bind(c->listener, (const struct sockaddr *)&at, sizeof(at)) != 0 ||
	    listen(c->listener, BACKLOG) != 0)
		return fail(err, "--control: cannot listen at %s: %s", path, strerror(errno));
	return own(c, path, gid, err);
}

/* Its directory. */
static int open_directory(const char *path, struct control_error *err)
{
	const char *slash = strrchr(path, '/');
	size_t len = slash ? (size_t)(slash - path) : 0;
	char folder[sizeof(((struct sockaddr_un *)0)->sun_path) + 1];
	int fd;

	snprintf(folder, sizeof(folder), "%.*s", slash ? (int)(len ? len : 1) : 1, slash ? path : ".");
	if (strcmp(path, ASK_PATH) == 0 && mkdir(folder, DIRECTORY_MODE) == 0)
		chmod(folder, DIRECTORY_MODE);
	fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fail(err, "--control: directory '%s': %s", folder, strerror(errno));
	return fd;
}

static bool hand_over(const char *path, int folder, int remover, struct control_error *err)
{
	const char *slash = strrchr(path, '/');
	int error = remover < 0 ? 0 : sockfile_hold(remover, folder, slash ? slash + 1 : path);

	return !error || fail(err, "--control: cannot hand %s over to who is to remove it: %s", path,
			      strerror(error));
}

static bool watch(const struct control *c, int op, int fd, uint64_t which)
{
	struct epoll_event ev = { .events = EPOLLIN | EPOLLRDHUP | EPOLLONESHOT, .data.u64 = which };

	return epoll_ctl(c->epoll, op, fd, &ev) == 0;
}

bool control_open(const char *path, int remover, struct control **out, struct control_error *err)
{
	struct control *c = calloc(1, sizeof(*c));
	int folder = -1;
	bool ok = false;

	*out = NULL;
	if (!c)
		return fail(err, "--control: no memory");
	c->listener = -1;
	c->user = geteuid();
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		c->clients[i].fd = -1;
	c->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (c->epoll < 0)
		fail(err, "--control: %s", strerror(errno));
	else if (strlen(path) >= sizeof(((struct sockaddr_un *)0)->sun_path))
		fail(err, "--control: '%s' is too long for a socket", path);
	else
		folder = open_directory(path, err);
	if (folder >= 0) {
		sockfile_lock(folder);
		ok = listen_at(c, path, err) && hand_over(path, folder, remover, err);
		sockfile_unlock(folder);
	}
	if (ok && !watch(c, EPOLL_CTL_ADD, c->listener, CONTROL_CLIENTS))
		ok = fail(err, "--control: %s", strerror(errno));
	if (folder >= 0)
		close(folder);
	if (ok)
		*out = c;
	else
		control_close(c);
	return ok;
}

/* ---- Serving --------------------------------------------------------------------- */

static void drop(struct client *k)
{
	close(k->fd);
	*k = (struct client){ .fd = -1 };
}

static bool may_ask(const struct control *c, int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 &&
	       (peer.uid == 0 || peer.uid == c->user || (c->has_caller && peer.uid == c->caller));
}

/* One at a time. Where there is no place, it goes to who came first and has not asked yet. */
static void take_client(struct control *c, uint64_t now)
{
	struct client *place = NULL;
	int fd = accept4(c->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd < 0)
		return;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *k = &c->clients[i];

		if (k->fd < 0) {
			place = k;
			break;
		}
		if (!k->asked && (!place || k->deadline < place->deadline))
			place = k;
	}
	if (!place || !may_ask(c, fd)) {
		close(fd);
		return;
	}
	if (place->fd >= 0)
		drop(place);
	*place = (struct client){ .fd = fd, .deadline = now + PATIENCE };
	if (!watch(c, EPOLL_CTL_ADD, fd, (uint64_t)(place - c->clients)))
		drop(place);
}

/* CONTROL_REQUESTS: it is none. */
static enum control_request parse(const char *text, size_t len)
{
	unsigned i = 0;

	while (i < CONTROL_REQUESTS && (strlen(words[i]) != len || memcmp(words[i], text, len) != 0))
		i++;
	return (enum control_request)i;
}

/* True: it asks, and is to be answered. */
static bool hear(struct control *c, struct client *k, enum control_request *request)
{
	char text[ASK_QUESTION];
	ssize_t len;

	/* It has gone, or has more to say before it is answered. */
	if (k->asked) {
		drop(k);
		return false;
	}
	/* What does not fit is cut off, and no word is as long as what is left. */
	len = read(k->fd, text, sizeof(text));
	if (len < 0 && (errno == EAGAIN || errno == EINTR)) {
		k->tired = true;
		return false;
	}
	*request = len > 0 ? parse(text, (size_t)len) : CONTROL_REQUESTS;
	if (*request == CONTROL_REQUESTS) {
		drop(k);
		return false;
	}
	k->asked = true;
	k->tired = true;
	k->number = ++c->numbers;
	return true;
}

/* The tired ones are watched again, and who has not asked in time is dropped. */
static void wake(struct control *c, uint64_t now)
{
	if (c->rest && c->rest <= now) {
		if (c->tired)
			watch(c, EPOLL_CTL_MOD, c->listener, CONTROL_CLIENTS);
		c->tired = false;
		for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
			struct client *k = &c->clients[i];

			if (k->fd >= 0 && k->tired && !watch(c, EPOLL_CTL_MOD, k->fd, i))
				drop(k);
			k->tired = false;
		}
		c->rest = 0;
	}
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i].fd >= 0 && !c->clients[i].asked && c->clients[i].deadline <= now)
			drop(&c->clients[i]);
}

int control_fd(const struct control *c)
{
	return c->epoll;
}

uint64_t control_due(const struct control *c)
{
	uint64_t due = c->rest ? c->rest : UINT64_MAX;

	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i].fd >= 0 && !c->clients[i].asked && c->clients[i].deadline < due)
			due = c->clients[i].deadline;
	return due;
}

void control_serve(struct control *c, uint64_t now, control_fn *fn, void *ctx)
{
	struct epoll_event events[CONTROL_CLIENTS + 1];
	int n;

	wake(c, now);
	n = epoll_wait(c->epoll, events, CONTROL_CLIENTS + 1, 0);
	for (int i = 0; i < n; i++) {
		uint64_t which = events[i].data.u64;
		enum control_request request;

		if (which == CONTROL_CLIENTS) {
			c->tired = true;
			take_client(c, now);
		} else if (c->clients[which].fd >= 0 && hear(c, &c->clients[which], &request)) {
			fn(ctx, c->clients[which].number, request);
		}
	}
	if (n > 0 && !c->rest)
		c->rest = now + REST;
}

void control_answer(struct control *c, uint64_t client, bool ok, const char *text)
{
	char answer[ASK_ANSWER];
	int len = snprintf(answer, sizeof(answer), "%s %s", ok ? "ok" : "error", text);

	if (len >= (int)sizeof(answer))
		len = snprintf(answer, sizeof(answer), "error the answer is too long");
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++) {
		struct client *k = &c->clients[i];

		if (k->fd < 0 || !k->asked || k->number != client)
			continue;
		/* Taken or not: there is nothing more to do about it. */
		(void)!write(k->fd, answer, (size_t)len);
		drop(k);
	}
}

void control_close(struct control *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < CONTROL_CLIENTS; i++)
		if (c->clients[i].fd >= 0)
			drop(&c->clients[i]);
	if (c->listener >= 0)
		close(c->listener);
	if (c->epoll >= 0)
		close(c->epoll);
	free(c);
}
