/* SPDX-License-Identifier: BSD-2-Clause */
#include "look.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "privilege.h"

#define LOWEST_PRIORITY 19

/* Whether st is the file that ran; fills in what was not known of it. */
static bool is_same(int proc, const struct et_exe *is, const struct statx *st)
{
	int64_t mtime = st->stx_mtime.tv_sec * 1000000000 + st->stx_mtime.tv_nsec;

	return S_ISREG(st->stx_mode) && st->stx_ino == is->inode &&
	       device_of(st, proc, NULL) == is->dev &&
	       (!(is->known & ET_EXE_SIZE) || st->stx_size == is->size) &&
	       (!(is->known & ET_EXE_MTIME) || mtime == is->mtime);
}

/*
 * Opens the file at path if it is the one that ran. Only looked at first, which makes
 * nothing happen: what now has its name may be a device or a pipe.
 */
static int open_same(int proc, struct et_exe *is, const char *path, int flags)
{
	char self[32];
	struct statx st;
	int fd, look = open(path, O_PATH | O_CLOEXEC | flags);

	if (look < 0)
		return -1;
	if (statx(look, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, DEVICE_STATX, &st) != 0 ||
	    !is_same(proc, is, &st)) {
		close(look);
		return -1;
	}
	is->size = st.stx_size;
	is->mtime = st.stx_mtime.tv_sec * 1000000000 + st.stx_mtime.tv_nsec;
	is->known |= ET_EXE_SIZE | ET_EXE_MTIME;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", look);
	fd = open(self, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	close(look);
	return fd;
}

/*
 * By the process while it lives, which also finds what has no name any more, or one in
 * another mount namespace alone; else by the path.
 */
void look_at(int proc, uint32_t pid, struct et_exe *is, struct elfinfo *elf)
{
	char path[ET_EXE_TEXT_MAX + 1];
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/exe", pid);
	fd = open_same(proc, is, path, 0);
	if (fd < 0) {
		memcpy(path, is->path.ptr, is->path.len);
		path[is->path.len] = '\0';
		fd = open_same(proc, is, path, O_NOFOLLOW);
	}
	if (fd < 0)
		return;
	elfinfo_read(fd, elf);
	close(fd);
}

/* ---- Between two processes ---------------------------------------------------- */

struct question {
	uint32_t pid;
	uint32_t path_len;
	struct et_exe is; /* without its strings */
	char path[ET_EXE_TEXT_MAX];
};

struct answer {
	struct et_exe is; /* the same */
	struct elfinfo elf;
};

void look_serve(int fd)
{
	int proc = open("/proc/self", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct question q;

	/* It is no matter if one of these cannot be had. */
	setpriority(PRIO_PROCESS, 0, LOWEST_PRIORITY);
	privilege_seal_reading();
	while (proc >= 0 && read(fd, &q, sizeof(q)) == sizeof(q) &&
	       q.path_len <= sizeof(q.path)) {
		struct answer a;

		memset(&a, 0, sizeof(a));
		q.is.path = (struct et_str){ q.path, q.path_len };
		look_at(proc, q.pid, &q.is, &a.elf);
		q.is.path = (struct et_str){ NULL, 0 };
		a.is = q.is;
		if (write(fd, &a, sizeof(a)) != sizeof(a))
			break;
	}
}

bool look_ask(int fd, uint32_t pid, struct et_exe *is, struct elfinfo *elf)
{
	struct question q;
	struct answer a;
	ssize_t len;

	memset(&q, 0, sizeof(q));
	q.pid = pid;
	q.is = *is;
	q.is.path = q.is.build_id = q.is.interpreter = (struct et_str){ NULL, 0 };
	q.path_len = is->path.len;
	memcpy(q.path, is->path.ptr, is->path.len);
	if (write(fd, &q, sizeof(q)) != sizeof(q))
		return false;
	do
		len = read(fd, &a, sizeof(a));
	while (len < 0 && errno == EINTR);
	/* It reads files of anybody: what it says is not trusted with a length. */
	if (len != sizeof(a) || a.elf.build_id_len > sizeof(a.elf.build_id) ||
	    !memchr(a.elf.interpreter, '\0', sizeof(a.elf.interpreter)))
		return false;
	if (a.is.known & ET_EXE_SIZE && a.is.known & ET_EXE_MTIME) {
		is->known |= ET_EXE_SIZE | ET_EXE_MTIME;
		is->size = a.is.size;
		is->mtime = a.is.mtime;
	}
	*elf = a.elf;
	return true;
}
