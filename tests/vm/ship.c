/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ship - the results of a guest as a tar archive in one gzip member: the checksum at its
 * end tells a whole transfer from a cut one.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>
#include <zlib.h>

#include "init.h"

#define BLOCK 512 /* of tar */

/* A header of POSIX ustar. */
static void ship_head(gzFile out, const char *name, off_t size)
{
	char head[BLOCK] = "";
	unsigned sum = 0;

	snprintf(head, 100, "%s", name);
	snprintf(head + 100, 8, "%07o", 0644);
	snprintf(head + 124, 12, "%011llo", (unsigned long long)size);
	memcpy(head + 257, "ustar", 6);
	memcpy(head + 263, "00", 2);
	head[156] = '0';
	memset(head + 148, ' ', 8);
	for (int i = 0; i < BLOCK; i++)
		sum += (unsigned char)head[i];
	snprintf(head + 148, 8, "%06o", sum);
	need(gzwrite(out, head, BLOCK) == BLOCK, "results");
}

static void ship_file(gzFile out, const char *name)
{
	static const char padding[BLOCK];
	char buf[65536], path[300];
	struct stat st;
	off_t left;
	int fd;

	snprintf(path, sizeof(path), "/out/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	need(fd >= 0 && fstat(fd, &st) == 0, path);
	if (S_ISREG(st.st_mode)) {
		ship_head(out, name, st.st_size);
		for (left = st.st_size; left > 0;) {
			ssize_t n = read(fd, buf, sizeof(buf));

			need(n > 0 && gzwrite(out, buf, (unsigned)n) == n, path);
			left -= n;
		}
		gzwrite(out, padding, (unsigned)(-st.st_size & (BLOCK - 1)));
	}
	close(fd);
}

void ship_results(void)
{
	static const char end[2 * BLOCK];
	/* Words that the kernel does not know come with the environment. */
	const char *tty = getenv("results");
	int fd = tty ? open(tty, O_WRONLY | O_NOCTTY | O_CLOEXEC) : -1;
	struct dirent *entry;
	struct termios raw;
	gzFile out;
	DIR *dir;

	need(fd >= 0 && tcgetattr(fd, &raw) == 0, "results=");
	cfmakeraw(&raw);
	cfsetspeed(&raw, B115200);
	need(tcsetattr(fd, TCSANOW, &raw) == 0, tty);
	out = gzdopen(dup(fd), "wb1");
	dir = opendir("/out");
	need(out && dir, "/out");
	while ((entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			ship_file(out, entry->d_name);
	gzwrite(out, end, sizeof(end));
	need(gzclose(out) == Z_OK && tcdrain(fd) == 0, "results");
	closedir(dir);
	close(fd);
}
