/* SPDX-License-Identifier: BSD-2-Clause */
/* The control socket, and clients that do not do as they should. */
#include "control.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ask.h"
#include "check.h"

static char folder[] = "/tmp/exectrace-test-XXXXXX";
static char path[64];
/* The clock that control is told; each turn is later than it lets a descriptor rest. */
static uint64_t now = 1000000000;
#define TURN 30000000u

struct heard {
	unsigned n;
	uint64_t client;
	enum control_request request;
	struct control *answer;		/* NULL: later */
};

static void hear(void *ctx, uint64_t client, enum control_request request)
{
	struct heard *h = ctx;

	h->n++;
	h->client = client;
	h->request = request;
	if (h->answer)
		control_answer(h->answer, client, true, "heard");
}

static void turns(struct control *c, struct heard *h, unsigned n)
{
	while (n--) {
		now += TURN;
		control_serve(c, now, hear, h);
	}
}

static struct control *start(void)
{
	struct control_error err;
	struct control *c;

	if (control_open(path, -1, &c, &err))
		return c;
	fprintf(stderr, "%s\n", err.text);
	exit(1);
}

static int connected(void)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0);

	strcpy(at.sun_path, path);
	if (connect(fd, (const struct sockaddr *)&at, sizeof(at)) == 0)
		return fd;
	close(fd);
	return -1;
}

static int asking(const char *text, size_t len)
{
	int fd = connected();

	CHECK(fd >= 0 && send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len);
	return fd;
}

/* NULL: nothing yet. "": dropped without a word. */
static const char *answer(int fd)
{
	static char text[ASK_ANSWER + 1];
	ssize_t len = recv(fd, text, ASK_ANSWER, 0);

	if (len < 0 && errno == EAGAIN)
		return NULL;
	text[len > 0 ? len : 0] = '\0';
	return text;
}

static bool is(const char *found, const char *expected)
{
	if (found && expected ? strcmp(found, expected) == 0 : found == expected)
		return true;
	fprintf(stderr, "answer '%s', not '%s'\n", found ? found : "(none)",
		expected ? expected : "(none)");
	return false;
}

static void test_words(void)
{
	struct control *c = start();
	struct heard h = { .answer = c };
	char longest[100000];
	const struct {
		const char *text;
		size_t len;
		int request; /* CONTROL_REQUESTS: dropped */
	} cases[] = {
		{ "status", 6, CONTROL_STATUS },
		{ "show", 4, CONTROL_SHOW },
		{ "trigger", 7, CONTROL_TRIGGER },
		{ "rotate", 6, CONTROL_ROTATE },
		{ "", 0, CONTROL_REQUESTS },
		{ "s", 1, CONTROL_REQUESTS },
		{ "statu", 5, CONTROL_REQUESTS },
		{ "status\n", 7, CONTROL_REQUESTS },
		{ "status", 7, CONTROL_REQUESTS }, /* with its NUL */
		{ "Status", 6, CONTROL_REQUESTS },
		{ " status", 7, CONTROL_REQUESTS },
		{ "status show", 11, CONTROL_REQUESTS },
		{ "\0\0\0\0", 4, CONTROL_REQUESTS },
		{ "\xff\xfe", 2, CONTROL_REQUESTS },
		{ "{\"request\":\"status\"}", 20, CONTROL_REQUESTS },
		{ longest, 32, CONTROL_REQUESTS },
		{ longest, 33, CONTROL_REQUESTS },
		{ longest, sizeof(longest), CONTROL_REQUESTS },
	};

	memset(longest, 's', sizeof(longest));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		bool good = cases[i].request != CONTROL_REQUESTS;
		int fd = asking(cases[i].text, cases[i].len);

		h.n = 0;
		turns(c, &h, 3);
		CHECK_CASE(cases[i].text, h.n == good && (!good || (int)h.request == cases[i].request));
		CHECK_CASE(cases[i].text, is(answer(fd), good ? "ok heard" : ""));
		close(fd);
	}
	control_close(c);
}

/* The same seed each time: what fails once fails again. */
static void test_noise(void)
{
	struct control *c = start();
	struct heard h = { .answer = c };
	unsigned seed = 4;
	int fds[32];

	for (unsigned round = 0; round < 200; round++) {
		for (unsigned i = 0; i < 32; i++) {
			unsigned char noise[64];
			size_t len = (size_t)rand_r(&seed) % sizeof(noise);

			for (size_t j = 0; j < len; j++)
				noise[j] = (unsigned char)rand_r(&seed);
			fds[i] = connected();
			if (fds[i] >= 0 && rand_r(&seed) % 4)
				(void)!send(fds[i], noise, len, MSG_NOSIGNAL);
			/* Some hang up before they are seen. */
			if (fds[i] >= 0 && rand_r(&seed) % 4 == 0) {
				close(fds[i]);
				fds[i] = -1;
			}
			turns(c, &h, (unsigned)rand_r(&seed) % 3);
		}
		for (unsigned i = 0; i < 32; i++)
			if (fds[i] >= 0)
				close(fds[i]);
	}
	CHECK(h.n == 0);
	/* And who asks as one should is heard all the same. */
	turns(c, &h, 50);
	fds[0] = asking("status", 6);
	turns(c, &h, 3);
	CHECK(h.n == 1 && is(answer(fds[0]), "ok heard"));
	close(fds[0]);
	control_close(c);
}

static void test_later(void)
{
	struct control *c = start();
	struct heard h = { .n = 0 };
	int first = asking("trigger", 7), second;
	uint64_t ticket;

	turns(c, &h, 3);
	ticket = h.client;
	CHECK(h.n == 1 && is(answer(first), NULL));
	/* However long it takes. */
	turns(c, &h, 1000);
	CHECK(is(answer(first), NULL));
	control_answer(c, ticket, false, "there is none");
	CHECK(is(answer(first), "error there is none"));
	control_answer(c, ticket, true, "twice");
	close(first);

	/* One that has gone meanwhile, and another in its place. */
	first = asking("trigger", 7);
	turns(c, &h, 3);
	ticket = h.client;
	close(first);
	turns(c, &h, 3);
	second = asking("trigger", 7);
	turns(c, &h, 3);
	CHECK(h.n == 3 && h.client != ticket);
	control_answer(c, ticket, true, "to the first");
	CHECK(is(answer(second), NULL));
	control_answer(c, h.client, true, "to the second");
	CHECK(is(answer(second), "ok to the second"));
	close(second);

	/* More is said before there is an answer. */
	first = asking("trigger", 7);
	turns(c, &h, 3);
	CHECK(send(first, "status", 6, MSG_NOSIGNAL) == 6);
	turns(c, &h, 3);
	CHECK(h.n == 4 && is(answer(first), ""));
	close(first);
	control_close(c);
}

static void test_slow(void)
{
	struct control *c = start();
	struct heard h = { .answer = c };
	int fd = connected(), fds[12];

	CHECK(control_due(c) == UINT64_MAX);
	turns(c, &h, 1);
	CHECK(control_due(c) <= now + 2000000000);
	turns(c, &h, 30);
	CHECK(is(answer(fd), NULL));
	turns(c, &h, 40);
	CHECK(is(answer(fd), ""));
	close(fd);
	turns(c, &h, 2);
	CHECK(control_due(c) == UINT64_MAX);

	/* More than there is room for, none of which asks: the last one has a place. */
	for (unsigned i = 0; i < 12; i++) {
		fds[i] = connected();
		turns(c, &h, 1);
	}
	CHECK(send(fds[11], "status", 6, MSG_NOSIGNAL) == 6);
	turns(c, &h, 3);
	CHECK(is(answer(fds[11]), "ok heard"));
	CHECK(is(answer(fds[0]), ""));
	for (unsigned i = 0; i < 12; i++)
		close(fds[i]);
	control_close(c);
}

/* Those who wait for an answer keep their places. */
static void test_crowd(void)
{
	struct control *c = start();
	struct heard h = { .n = 0 };
	int fds[9];

	for (unsigned i = 0; i < 9; i++) {
		fds[i] = asking("trigger", 7);
		turns(c, &h, 3);
	}
	CHECK(h.n == 8);
	CHECK(is(answer(fds[8]), "") && is(answer(fds[0]), NULL));
	for (unsigned i = 0; i < 9; i++)
		close(fds[i]);
	turns(c, &h, 3);
	fds[0] = asking("show", 4);
	turns(c, &h, 3);
	CHECK(h.n == 9 && h.request == CONTROL_SHOW);
	close(fds[0]);
	control_close(c);
}

/* Between two turns that are near each other nobody is looked at twice. */
static void test_flood(void)
{
	struct control *c = start();
	struct heard h = { .answer = c };
	struct pollfd p = { control_fd(c), POLLIN, 0 };
	unsigned sent = 0, wakes = 0;

	for (unsigned round = 0; round < 5000; round++) {
		int fd = connected();

		if (fd >= 0 && send(fd, "status", 6, MSG_NOSIGNAL) == 6)
			sent++;
		/* 10 ms in all. */
		now += 2000;
		wakes += poll(&p, 1, 0) > 0;
		if (wakes)
			control_serve(c, now, hear, &h);
		if (fd >= 0)
			close(fd);
	}
	CHECK(sent > 10);
	CHECK(wakes <= 2 && h.n <= 1);
	control_close(c);
}

/* Too long for a packet. */
static void test_long_answer(void)
{
	struct control *c = start();
	struct heard h = { .n = 0 };
	char *text = malloc(3 * ASK_ANSWER);
	int fd = asking("status", 6);

	memset(text, 'x', 3 * ASK_ANSWER - 1);
	text[3 * ASK_ANSWER - 1] = '\0';
	turns(c, &h, 3);
	control_answer(c, h.client, true, text);
	CHECK(is(answer(fd), "error the answer is too long"));
	free(text);
	close(fd);
	control_close(c);
}

static bool refuses(const char *what, const char *expected)
{
	struct control_error err = { "" };
	struct control *c;
	bool ok = control_open(what, -1, &c, &err);

	if (!ok && !c && strstr(err.text, expected))
		return true;
	fprintf(stderr, "%s: '%s', not '%s'\n", what, err.text, expected);
	control_close(c);
	return false;
}

static void test_places(void)
{
	char living[64], longest[200], other[64];
	struct control *c = start();
	struct stat st;
	int fd;

	CHECK(stat(path, &st) == 0 && S_ISSOCK(st.st_mode) && (st.st_mode & 0777) == 0600);
	snprintf(living, sizeof(living), "process %d listens", getpid());
	CHECK(refuses(path, living));
	control_close(c);
	/* What is left of it is replaced. */
	CHECK(stat(path, &st) == 0);
	control_close(start());

	memset(longest, 'x', sizeof(longest));
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	CHECK(refuses(longest, "too long"));
	CHECK(refuses("/nonexistent/control", "directory '/nonexistent': No such file"));
	snprintf(other, sizeof(other), "%s/file", folder);
	fd = open(other, O_CREAT | O_WRONLY, 0600);
	CHECK(fd >= 0 && close(fd) == 0);
	CHECK(refuses(other, "is no socket"));
	unlink(other);
	/* A link is not followed, wherever it leads. */
	CHECK(symlink(path, other) == 0);
	CHECK(refuses(other, "is no socket"));
	unlink(other);
}

/* The client of both programs, and its patience. */
static void test_ask(void)
{
	struct control *c = start();
	struct heard h = { .answer = c };
	struct ask_answer got;
	char why[512];
	pid_t pid = fork();
	int status;

	if (pid == 0)
		_exit(ask(path, "status", 10000, &got) == 0 && got.ok && !strcmp(got.text, "heard") ? 0 : 1);
	for (unsigned i = 0; i < 500 && !h.n; i++) {
		usleep(10000);
		turns(c, &h, 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	CHECK(ask(path, "status", 50, &got) == ETIMEDOUT);
	control_close(c);
	CHECK(ask(path, "status", 50, &got) == ECONNREFUSED);
	unlink(path);
	CHECK(ask(path, "status", 50, &got) == ENOENT);
	ask_failure(ENOENT, path, why, sizeof(why));
	CHECK(strstr(why, "no recorder listens at"));
}

int main(void)
{
	if (!mkdtemp(folder))
		return 1;
	unsetenv("SUDO_UID");
	snprintf(path, sizeof(path), "%s/control", folder);
	test_words();
	test_noise();
	test_later();
	test_slow();
	test_crowd();
	test_flood();
	test_long_answer();
	test_places();
	test_ask();
	rmdir(folder);
	return check_result();
}
