/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_filer.c - a servant that makes files of one series in one directory, and does nothing
 * else, whatever it is asked.
 */
#include "check.h"
#include "filer.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[PATH_MAX];

static char *path_of(const char *name)
{
	static char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static bool is_there(const char *name)
{
	struct stat st;

	return lstat(path_of(name), &st) == 0;
}

static void put(const char *name, const char *text)
{
	int fd = open(path_of(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
	close(fd);
}

static pid_t serve(int *fd)
{
	int pair[2];
	pid_t pid;

	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) == 0);
	pid = fork();
	if (pid == 0) {
		close(pair[0]);
		filer_serve(pair[1]);
		_exit(0);
	}
	close(pair[1]);
	*fd = pair[0];
	return pid;
}

#define FIRST 1795281157123ull
#define FIRST_NAME "c-20261121T171237.123Z.etz"

static void check_files(struct filer *f)
{
	struct filer_file *list;
	struct stat st;
	unsigned n;
	int fd = -1;

	umask(0777);
	CHECK(filer_make(f, FIRST, &fd) == 0 && fd >= 0);
	CHECK(write(fd, "x", 1) == 1 && fstat(fd, &st) == 0);
	CHECK(st.st_mode == (S_IFREG | 0600));
	close(fd);
	umask(022);
	CHECK(is_there(FIRST_NAME));
	CHECK(filer_make(f, FIRST, &fd) == EEXIST);
	/* What is there is never opened, nor followed. */
	CHECK(symlink("/dev/null", path_of("c-20261121T171237.124Z.etz")) == 0);
	CHECK(filer_make(f, FIRST + 1, &fd) == EEXIST);
	put("c-20261121T171237.121Z.etz", "older");
	put("c-notes.etz", "mine");
	CHECK(mkdir(path_of("c-20261121T171237.125Z.etz"), 0700) == 0);
	CHECK(filer_list(f, &list, &n) == 0 && n == 2);
	CHECK(n == 2 && list[0].ms == FIRST - 2 && list[1].ms == FIRST && list[0].bytes == 4096);
	free(list);
	CHECK(filer_remove(f, FIRST - 2) == 0 && !is_there("c-20261121T171237.121Z.etz"));
	CHECK(filer_remove(f, FIRST - 2) == ENOENT);
	CHECK(filer_remove(f, FIRST + 2) != 0 && is_there("c-20261121T171237.125Z.etz"));
	CHECK(filer_sync(f) == 0);
	CHECK(filer_make(f, UINT64_MAX, &fd) == ENAMETOOLONG);
}

/* Asked to serve another series, elsewhere, it refuses, and goes on with its own. */
static void check_loyalty(struct filer *f, int socket)
{
	static const char *const bases[] = { "other.etz", "../other.etz", "/other.etz", "" };
	const struct filer_owner owner = { true, 1, 1 };
	int elsewhere = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -1;
	struct filer *other;
	struct stat st;

	for (unsigned i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		CHECK_CASE(bases[i], filer_open(socket, elsewhere, bases[i], &owner, &other) != 0);
		CHECK_CASE(bases[i], other == NULL);
		/* The numbers of questions go on where the last one stood. */
		CHECK_CASE(bases[i], filer_make(f, FIRST + 100 + i, &fd) == 0);
		CHECK_CASE(bases[i], fstat(fd, &st) == 0 && st.st_uid == geteuid());
		close(fd);
	}
	CHECK(is_there("c-20261121T171237.223Z.etz") && is_there("c-20261121T171237.226Z.etz"));
	close(elsewhere);
}

int main(void)
{
	const struct filer_owner nobody = { .given = false };
	const char *base = getenv("TMPDIR");
	char command[PATH_MAX + 64];
	struct filer *f = NULL;
	int socket, directory, status;
	pid_t pid;

	snprintf(folder, sizeof(folder), "%s/exectrace-filer-XXXXXX", base ? base : "/tmp");
	CHECK(mkdtemp(folder) != NULL);
	pid = serve(&socket);
	directory = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	CHECK(filer_open(socket, directory, "c.etz", &nobody, &f) == 0);
	if (f) {
		check_files(f);
		check_loyalty(f, socket);
		/* A servant that is no more. */
		kill(pid, SIGKILL);
		CHECK(waitpid(pid, &status, 0) == pid);
		CHECK(filer_sync(f) == EPIPE && filer_sync(f) == EPIPE);
	}
	filer_close(f);
	close(directory);
	close(socket);
	snprintf(command, sizeof(command), "rm -r '%s'", folder);
	CHECK(system(command) == 0);
	return check_result();
}
