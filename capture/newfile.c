/* SPDX-License-Identifier: BSD-2-Clause */
#include "newfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILE_MODE 0600

static const char *name_now(const struct newfile *f)
{
	return *f->beside ? f->beside : f->name;
}

int newfile_create(struct newfile *f, int dir, const char *name, bool replace)
{
	unsigned long long number;
	struct stat st;
	int fd;

	*f = (struct newfile){ .dir = dir, .name = name };
	if (replace) {
		if (getrandom(&number, sizeof(number), 0) != sizeof(number))
			return -1;
		snprintf(f->beside, sizeof(f->beside), ".exectrace-%016llx", number);
	}
	fd = openat(dir, name_now(f), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, FILE_MODE);
	if (fd >= 0 && fstat(fd, &st) == 0) {
		f->dev = st.st_dev;
		f->ino = st.st_ino;
	}
	return fd;
}

int newfile_keep(const struct newfile *f)
{
	return !*f->beside || renameat(f->dir, f->beside, f->dir, f->name) == 0 ? 0 : errno;
}

void newfile_discard(const struct newfile *f)
{
	struct stat st;

	if (fstatat(f->dir, name_now(f), &st, AT_SYMLINK_NOFOLLOW) == 0 && st.st_dev == f->dev &&
	    st.st_ino == f->ino)
		unlinkat(f->dir, name_now(f), 0);
}
