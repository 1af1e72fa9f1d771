/* SPDX-License-Identifier: BSD-2-Clause */
/* What a service manager gets to read, which this test plays. */
#include "notify.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "check.h"

static char folder[] = "/tmp/exectrace-test-XXXXXX";

/* A manager's socket; name as in $NOTIFY_SOCKET. */
static int manager(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	size_t len = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);

	memcpy(at.sun_path, name, len);
	if (*name == '@')
		at.sun_path[0] = '\0';
	else
		len++;
	if (bind(fd, (const struct sockaddr *)&at,
		 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) != 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static bool gets(int fd, const char *expected)
{
	char text[8192];
	ssize_t len = read(fd, text, sizeof(text) - 1);

	text[len > 0 ? len : 0] = '\0';
	if (strcmp(text, expected) == 0)
		return true;
	fprintf(stderr, "the manager got '%s', not '%s'\n", text, expected);
	return false;
}

static bool gets_nothing(int fd)
{
	char byte;

	return read(fd, &byte, 1) < 0 && errno == EAGAIN;
}

static void environment(const char *name, const char *usec, const char *pid)
{
	if (name)
		setenv("NOTIFY_SOCKET", name, 1);
	if (usec)
		setenv("WATCHDOG_USEC", usec, 1);
	if (pid)
		setenv("WATCHDOG_PID", pid, 1);
}

static void test_words(const char *name)
{
	int fd = manager(name);
	struct notify n;

	CHECK(fd >= 0);
	environment(name, NULL, NULL);
	CHECK(notify_open(&n) == 0);
	CHECK(!getenv("NOTIFY_SOCKET"));
	CHECK(notify_due(&n) == UINT64_MAX);
	notify_ready(&n, "recording to %s", "a\nSTOPPING=1\xff");
	CHECK(gets(fd, "READY=1\nSTATUS=recording to a\\012STOPPING=1\\377"));
	notify_status(&n, "all is %s", "well");
	CHECK(gets(fd, "STATUS=all is well"));
	notify_stopping(&n, "ending: signal");
	CHECK(gets(fd, "STOPPING=1\nSTATUS=ending: signal"));
	notify_close(&n);
	notify_close(&n);
	close(fd);
}

static void test_reloading(void)
{
	static const char head[] = "RELOADING=1\nMONOTONIC_USEC=";
	int fd = manager("@exectrace-test-reloading");
	char text[128];
	struct notify n;
	struct timespec now;
	ssize_t len;

	environment("@exectrace-test-reloading", NULL, NULL);
	CHECK(notify_open(&n) == 0);
	notify_reloading(&n);
	clock_gettime(CLOCK_MONOTONIC, &now);
	len = read(fd, text, sizeof(text) - 1);
	text[len > 0 ? len : 0] = '\0';
	CHECK(strncmp(text, head, sizeof(head) - 1) == 0);
	/* Of this minute, as systemd compares it with its own clock. */
	CHECK(labs((long)now.tv_sec - atol(text + sizeof(head) - 1) / 1000000) < 60);
	notify_close(&n);
	close(fd);
}

static void test_watchdog(void)
{
	char own[24], other[24];
	const struct {
		const char *usec, *pid;
		uint64_t every;
	} cases[] = {
		{ "30000000", NULL, 15000000000 },
		{ "30000000", own, 15000000000 },
		{ "30000000", other, 0 },
		{ "0", own, 0 },
		{ "-1", own, 0 },
		{ "1s", own, 0 },
		{ "99999999999999999999", own, 0 },
		{ NULL, own, 0 },
	};
	int fd = manager("@exectrace-test-watchdog");

	snprintf(own, sizeof(own), "%d", getpid());
	snprintf(other, sizeof(other), "%d", getppid());
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct notify n;

		environment("@exectrace-test-watchdog", cases[i].usec, cases[i].pid);
		CHECK(notify_open(&n) == 0);
		CHECK(!getenv("WATCHDOG_USEC") && !getenv("WATCHDOG_PID"));
		CHECK_CASE(cases[i].usec ? cases[i].usec : "none", n.every == cases[i].every);
		if (n.every) {
			notify_alive(&n, 1000);
			CHECK(gets(fd, "WATCHDOG=1"));
			CHECK(notify_due(&n) == 1000 + n.every);
			notify_alive(&n, n.every);
			CHECK(gets_nothing(fd));
			notify_alive(&n, 1000 + n.every);
			CHECK(gets(fd, "WATCHDOG=1"));
		} else {
			notify_alive(&n, UINT64_MAX - 1);
			CHECK(gets_nothing(fd));
		}
		notify_close(&n);
	}
	close(fd);
}

/* No manager, or one that cannot be reached. */
static void test_nobody(void)
{
	char longest[200];
	const struct {
		const char *name;
		int error;
	} cases[] = {
		{ NULL, 0 },
		{ "@exectrace-test-nobody", ECONNREFUSED },
		{ "/nonexistent/socket", ENOENT },
		{ "relative", EINVAL },
		{ "@", EINVAL },
		{ "", EINVAL },
		{ longest, EINVAL },
	};

	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct notify n;

		environment(cases[i].name, "1000000", NULL);
		CHECK_CASE(cases[i].name ? cases[i].name : "none", notify_open(&n) == cases[i].error);
		CHECK(!getenv("NOTIFY_SOCKET"));
		CHECK(notify_due(&n) == UINT64_MAX);
		notify_ready(&n, "nobody hears it");
		notify_reloading(&n);
		notify_close(&n);
	}
}

/* It returns, whatever the manager does not read. */
static void test_deaf(void)
{
	int fd = manager("@exectrace-test-deaf");
	unsigned heard = 0;
	struct notify n;
	char text[64];

	environment("@exectrace-test-deaf", NULL, NULL);
	CHECK(notify_open(&n) == 0);
	for (unsigned i = 0; i < 100000; i++)
		notify_status(&n, "turn %u", i);
	while (read(fd, text, sizeof(text)) > 0)
		heard++;
	CHECK(heard > 0 && heard < 100000);
	notify_close(&n);
	close(fd);
}

int main(void)
{
	char path[64];

	if (!mkdtemp(folder))
		return 1;
	snprintf(path, sizeof(path), "%s/notify", folder);
	test_words(path);
	test_words("@exectrace-test-notify");
	test_reloading();
	test_watchdog();
	test_nobody();
	test_deaf();
	unlink(path);
	rmdir(folder);
	return check_result();
}
