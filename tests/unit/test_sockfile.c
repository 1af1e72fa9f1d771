/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_sockfile.c - a servant removes the socket that it was given, asked or not, and leaves
 * whatever else has its name.
 */
#include "check.h"
#include "sockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

/* Good until the next but one. */
static const char *path_of(const char *name)
{
	static char paths[2][128];
	static unsigned last;
	char *path = paths[last++ % 2];

	snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
	return path;
}

static bool is_there(const char *name)
{
	struct stat st;

	return lstat(path_of(name), &st) == 0;
}

static void put_socket(const char *name)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);

	strcpy(at.sun_path, path_of(name));
	CHECK(fd >= 0 && bind(fd, (const struct sockaddr *)&at, sizeof(at)) == 0);
	close(fd);
}

struct servant {
	pid_t pid;
	int fd;
};

static struct servant serve(void)
{
	struct servant s;
	int pair[2];

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	s.pid = fork();
	if (s.pid == 0) {
		close(pair[0]);
		sockfile_serve(pair[1]);
		_exit(0);
	}
	close(pair[1]);
	s.fd = pair[0];
	return s;
}

/* A servant that was given the socket of that name. */
static struct servant holding(const char *name)
{
	int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct servant s = serve();

	put_socket(name);
	CHECK(sockfile_hold(s.fd, directory, name) == 0);
	close(directory);
	return s;
}

/* As when the recorder ends, in whatever way. */
static void leave(struct servant s)
{
	int status;

	if (s.fd >= 0)
		close(s.fd);
	CHECK(waitpid(s.pid, &status, 0) == s.pid && WIFEXITED(status) && !WEXITSTATUS(status));
}

static void test_asked(void)
{
	struct servant s = holding("asked");

	put_socket("beside");
	CHECK(is_there("asked"));
	CHECK(sockfile_remove(s.fd) == 0);
	CHECK(!is_there("asked") && is_there("beside"));
	leave(s);
	CHECK(is_there("beside"));
}

static void test_left(void)
{
	leave(holding("left"));
	CHECK(!is_there("left"));
}

/* Names of something else by now, also of a socket with the same inode number if it could have that. */
static void test_replaced(void)
{
	struct servant s = holding("replaced");

	CHECK(unlink(path_of("replaced")) == 0);
	for (unsigned i = 0; i < 100; i++) {
		put_socket("replaced");
		if (i < 99)
			unlink(path_of("replaced"));
	}
	CHECK(sockfile_remove(s.fd) == 0);
	CHECK(is_there("replaced"));
	leave(s);

	s = holding("link");
	CHECK(rename(path_of("link"), path_of("moved")) == 0);
	CHECK(symlink("moved", path_of("link")) == 0);
	CHECK(sockfile_remove(s.fd) == 0);
	CHECK(is_there("link") && is_there("moved"));
	leave(s);

	s = holding("gone");
	CHECK(unlink(path_of("gone")) == 0);
	CHECK(sockfile_remove(s.fd) == 0);
	leave(s);
}

static void test_failures(void)
{
	struct servant s = serve();
	int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	CHECK(sockfile_hold(s.fd, directory, "nothing") == ENOENT);
	leave(s);
	s = holding("kept");
	kill(s.pid, SIGKILL);
	CHECK(waitpid(s.pid, NULL, 0) == s.pid);
	CHECK(sockfile_remove(s.fd) != 0);
	CHECK(is_there("kept"));
	close(s.fd);
	close(directory);
}

/* Somebody else's lock is waited for, but not for long. */
static void test_locked(void)
{
	struct servant s = holding("locked");
	int directory = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	sockfile_lock(directory);
	CHECK(sockfile_remove(s.fd) == 0);
	CHECK(!is_there("locked"));
	leave(s);
	close(directory);
}

int main(void)
{
	const char *base = getenv("TMPDIR");
	char command[128];

	signal(SIGPIPE, SIG_IGN);
	/* Names of sockets are short. */
	snprintf(folder, sizeof(folder), "%s/exectrace-sock-XXXXXX", base && strlen(base) < 30 ? base : "/tmp");
	CHECK(mkdtemp(folder) != NULL);
	test_asked();
	test_left();
	test_replaced();
	test_failures();
	test_locked();
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	CHECK(system(command) == 0);
	return check_result();
}
