/* SPDX-License-Identifier: BSD-2-Clause */
#include "spool.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "stretch.h"
#include "tempfile.h"
#include "write.h"

#define COPY_SIZE (256u << 10)

/* 0 or an errno value; *reading tells whose. */
static int copy(int from, int to, uint64_t *size, bool *reading)
{
	char *buf = malloc(COPY_SIZE);
	int error = buf ? 0 : ENOMEM;

	*size = 0;
	*reading = true;
	while (!error) {
		ssize_t n = read(from, buf, COPY_SIZE);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			error = errno;
		if (n <= 0)
			break;
		*reading = false;
		error = write_all(to, buf, (size_t)n);
		if (error)
			break;
		*reading = true;
		*size += (uint64_t)n;
	}
	free(buf);
	return error;
}

/* Puts a copy in the place of the pipe. */
static int keep_copy(struct spool *s, struct reason *why)
{
	int fd = tempfile_open(), error;
	bool reading = false;

	error = fd < 0 ? errno : copy(s->fd, fd, &s->size, &reading);
	if (error) {
		if (fd >= 0)
			close(fd);
		if (reading)
			return reason_set(why, EXIT_FAILED, "%s: %s", s->name,
					  strerror(error));
		return reason_set(why, EXIT_FAILED,
				  "cannot keep a copy of %s in %s: %s (TMPDIR says where)",
				  s->name, tempfile_folder(), strerror(error));
	}
	close(s->fd);
	s->fd = fd;
	return 0;
}

static int measure(struct spool *s, struct reason *why)
{
	struct stat st;
	off_t at;

	if (fstat(s->fd, &st))
		return reason_set(why, EXIT_FAILED, "%s: %s", s->name, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return reason_set(why, EXIT_FAILED, "%s: is a directory, not a capture",
				  s->name);
	if (isatty(s->fd))
		return reason_set(why, EXIT_FAILED,
				  "%s: is a terminal; a capture has to come from a file or a "
				  "pipe",
				  s->name);
	if (!S_ISREG(st.st_mode))
		return keep_copy(s, why);
	at = lseek(s->fd, 0, SEEK_CUR);
	s->base = at > 0 ? (uint64_t)at : 0;
	s->size = (uint64_t)st.st_size > s->base ? (uint64_t)st.st_size - s->base : 0;
	return 0;
}

int spool_open(const char *name, struct spool *s, struct reason *why)
{
	bool input = !strcmp(name, "-");

	*s = (struct spool){ .fd = -1 };
	s->name = strdup(input ? "standard input" : name);
	if (!s->name)
		return reason_set(why, EXIT_FAILED, "out of memory");
	s->fd = input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3)
		      : open(name, O_RDONLY | O_CLOEXEC);
	if (s->fd < 0)
		reason_set(why, EXIT_FAILED, "%s: %s", s->name, strerror(errno));
	else if (!measure(s, why))
		return 0;
	spool_close(s);
	return -1;
}

void spool_close(struct spool *s)
{
	if (s->fd >= 0)
		close(s->fd);
	free(s->name);
	*s = (struct spool){ .fd = -1 };
}

int spool_io(const struct spool *s, uint64_t at, uint64_t len, struct et_io *io)
{
	return stretch_open(s->fd, s->base + at, len, io);
}
