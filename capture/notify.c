/* SPDX-License-Identifier: BSD-2-Clause */
#include "notify.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "say.h"

#define NS_PER_US 1000u
#define NS_PER_S UINT64_C(1000000000)
#define TEXT_SIZE 1024

/* A variable of the environment that says a number over 0; else 0. */
static uint64_t number_of(const char *name)
{
	const char *text = getenv(name);
	unsigned long long value;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return 0;
	errno = 0;
	value = strtoull(text, &end, 10);
	return *end || errno || value > UINT64_MAX / NS_PER_US ? 0 : value;
}

/* "/path", or "@name" of one that is in no file system. */
static int reach(const char *name)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd, error;

	if ((*name != '/' && *name != '@') || len < 2 || len >= sizeof(to.sun_path)) {
		errno = EINVAL;
		return -1;
	}
	memcpy(to.sun_path, name, len);
	if (*name == '@')
		to.sun_path[0] = '\0';
	else
		len++;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || connect(fd, (const struct sockaddr *)&to,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) == 0)
		return fd;
	error = errno;
	close(fd);
	errno = error;
	return -1;
}

int notify_open(struct notify *n)
{
	const char *name = getenv("NOTIFY_SOCKET");
	uint64_t every = number_of("WATCHDOG_USEC"), pid = number_of("WATCHDOG_PID");
	int ret = 0;

	*n = (struct notify){ .fd = -1 };
	if (name) {
		n->fd = reach(name);
		ret = n->fd < 0 ? errno : 0;
	}
	/* Half of it, as sd_watchdog_enabled(3) advises. */
	if (n->fd >= 0 && (!pid || pid == (uint64_t)getpid()))
		n->every = every * NS_PER_US / 2;
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
	return ret;
}

/* A manager that does not take it now is not waited for. */
static void tell(const struct notify *n, const char *text)
{
	if (n->fd >= 0)
		(void)!write(n->fd, text, strlen(text));
}

static void tell_how(const struct notify *n, const char *what, const char *fmt, va_list ap)
	__attribute__((format(printf, 3, 0)));

/* A status is a line of UTF-8, whatever the names in it are. */
static void tell_how(const struct notify *n, const char *what, const char *fmt, va_list ap)
{
	char how[TEXT_SIZE], text[64 + 4 * TEXT_SIZE];
	int len = snprintf(text, 64, "%sSTATUS=", what);

	vsnprintf(how, sizeof(how), fmt, ap);
	say_shown(text + len, how);
	tell(n, text);
}

void notify_ready(const struct notify *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell_how(n, "READY=1\n", fmt, ap);
	va_end(ap);
}

void notify_status(const struct notify *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell_how(n, "", fmt, ap);
	va_end(ap);
}

void notify_reloading(const struct notify *n)
{
	struct timespec now;
	char text[64];

	/* By this time the manager tells the answer to its signal from one to an older one. */
	clock_gettime(CLOCK_MONOTONIC, &now);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
		 ((uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec) / NS_PER_US);
	tell(n, text);
}

void notify_stopping(const struct notify *n, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	tell_how(n, "STOPPING=1\n", fmt, ap);
	va_end(ap);
}

uint64_t notify_due(const struct notify *n)
{
	return n->every ? n->due : UINT64_MAX;
}

void notify_alive(struct notify *n, uint64_t now)
{
	if (notify_due(n) > now)
		return;
	tell(n, "WATCHDOG=1");
	n->due = now + n->every;
}

void notify_close(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
	n->every = 0;
}
