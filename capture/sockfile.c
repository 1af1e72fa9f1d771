/* SPDX-License-Identifier: BSD-2-Clause */
#include "sockfile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "packet.h"

/* A second for what takes a millisecond. */
#define LOCK_TRIES 100
#define LOCK_WAIT_US 10000

void sockfile_lock(int directory)
{
	for (unsigned i = 0; i < LOCK_TRIES && flock(directory, LOCK_EX | LOCK_NB) != 0; i++)
		usleep(LOCK_WAIT_US);
}

void sockfile_unlock(int directory)
{
	flock(directory, LOCK_UN);
}

/* ---- The servant ---------------------------------------------------------------- */

/* socket is open: until it is closed, no other file has its number. */
static int remove_socket(int directory, const char *name, int socket)
{
	struct stat ours, there;
	int error = 0;

	sockfile_lock(directory);
	if (fstat(socket, &ours) != 0)
		error = errno;
	else if (fstatat(directory, name, &there, AT_SYMLINK_NOFOLLOW) != 0)
		error = errno == ENOENT ? 0 : errno;
	else if (there.st_dev == ours.st_dev && there.st_ino == ours.st_ino &&
		 unlinkat(directory, name, 0) != 0)
		error = errno;
	sockfile_unlock(directory);
	return error;
}

void sockfile_serve(int fd)
{
	char name[NAME_MAX + 1], question;
	int place[2], error;
	ssize_t len = packet_receive(fd, name, sizeof(name) - 1, place, 2);

	if (len <= 0 || place[0] < 0)
		return;
	name[len] = '\0';
	/* It is no matter if there is no such filter here. */
	privilege_seal_removing();
	do
		len = read(fd, &question, 1);
	while (len < 0 && errno == EINTR);
	error = remove_socket(place[0], name, place[1]);
	/* Nobody is left to be told where fd has ended. */
	if (len == 1 && write(fd, &error, sizeof(error)) < 0)
		return;
}

/* ---- The recorder ---------------------------------------------------------------- */

int sockfile_hold(int fd, int directory, const char *name)
{
	int place[2] = { directory, openat(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC) };
	int error = place[1] < 0 ? errno : packet_send(fd, name, strlen(name), place, 2);

	if (place[1] >= 0)
		close(place[1]);
	return error;
}

int sockfile_remove(int fd)
{
	int error;
	ssize_t n;

	if (write(fd, "", 1) != 1)
		return errno;
	do
		n = read(fd, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return errno == EAGAIN ? ETIMEDOUT : errno;
	return n == sizeof(error) ? error : EPIPE;
}
