/* SPDX-License-Identifier: BSD-2-Clause */
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"

#define NOT_SET 4294967295u	/* of a login and a session */
#define PTS_MAJOR 136u		/* to 143 */

void identity_begin(struct identity *id)
{
	struct statx st;
	int fd = memfd_create("exectrace", MFD_CLOEXEC);

	*id = (struct identity){ 0 };
	if (fd < 0)
		return;
	id->has_memfd = statx(fd, "", AT_EMPTY_PATH, STATX_INO, &st) == 0;
	id->memfd_major = st.stx_dev_major;
	id->memfd_minor = st.stx_dev_minor;
	close(fd);
}

/* Of a file with one number in it. */
static void read_number(int dir, const char *name, struct et_event *ev, enum et_field_id field)
{
	char text[32], *end;
	unsigned long value;

	if (text_read(dir, name, text, sizeof(text)) <= 0)
		return;
	value = strtoul(text, &end, 10);
	if (end != text && !*end && value < NOT_SET)
		et_set_uint(ev, field, value);
}

static void read_namespace(int dir, const char *name, struct et_event *ev, enum et_field_id field)
{
	struct stat st;

	if (fstatat(dir, name, &st, 0) == 0)
		et_set_uint(ev, field, st.st_ino);
}

/* The last number of its line is the one in the process's own namespace. */
static void read_ns_pid(const char *status, struct et_event *ev)
{
	const char *line = strstr(status, "\nNSpid:"), *end;

	/* Far behind in it: a line may have been cut with the text. */
	end = line ? strchr(line + 1, '\n') : NULL;
	if (!end)
		return;
	while (end[-1] >= '0' && end[-1] <= '9')
		end--;
	et_set_uint(ev, ET_F_NS_PID, strtoul(end, NULL, 10));
}

/* What the kernel calls the device, below /dev. */
static bool find_device_name(unsigned major, unsigned minor, char *name, size_t size)
{
	static const char key[] = "\nDEVNAME=";
	char path[64], text[512], *line, *end;

	snprintf(path, sizeof(path), "/sys/dev/char/%u:%u/uevent", major, minor);
	text[0] = '\n';
	if (text_read(AT_FDCWD, path, text + 1, sizeof(text) - 1) <= 0)
		return false;
	line = strstr(text, key);
	end = line ? strchr(line + 1, '\n') : NULL;
	if (!end)
		return false;
	line += sizeof(key) - 1;
	return snprintf(name, size, "%.*s", (int)(end - line), line) < (int)size && end > line;
}

static void set_tty(struct identity *id, unsigned tty, struct et_event *ev)
{
	/* As the kernel's new_encode_dev puts it. */
	unsigned major = tty >> 8 & 0xfff, minor = (tty & 0xff) | (tty >> 12 & 0xfff00);
	size_t size = sizeof(id->tty);

	if (!tty)
		return;
	if (major >= PTS_MAJOR && major < PTS_MAJOR + 8)
		snprintf(id->tty, size, "pts/%u", (major - PTS_MAJOR) * 256 + minor);
	else if (!find_device_name(major, minor, id->tty, size))
		return;
	et_set_str(ev, ET_F_TTY, id->tty, (uint32_t)strlen(id->tty));
}

/* A file on a disk may have the name of a memfd, but it is in another file system. */
static bool is_memfd(const struct identity *id, int dir, const struct statx *st)
{
	static const char prefix[] = "/memfd:";
	char target[PATH_MAX];

	return id->has_memfd && st->stx_dev_major == id->memfd_major &&
	       st->stx_dev_minor == id->memfd_minor &&
	       readlinkat(dir, "exe", target, sizeof(target)) >= (ssize_t)sizeof(prefix) - 1 &&
	       memcmp(target, prefix, sizeof(prefix) - 1) == 0;
}

static void read_exe(struct identity *id, int dir, struct et_event *ev)
{
	struct statx st;

	/* A server that does not answer is not asked. */
	if (statx(dir, "exe", AT_STATX_DONT_SYNC, DEVICE_STATX, &st) != 0)
		return;
	et_set_uint(ev, ET_F_EXE_DEV, device_of(&st, dir, &id->devices));
	et_set_uint(ev, ET_F_EXE_INODE, st.stx_ino);
	et_set_uint(ev, ET_F_EXE_DELETED, !st.stx_nlink);
	et_set_uint(ev, ET_F_EXE_MEMFD, is_memfd(id, dir, &st));
}

void identity_read(struct identity *id, int dir, const char *status, unsigned tty,
		   struct et_event *ev)
{
	read_number(dir, "loginuid", ev, ET_F_LOGIN_UID);
	read_number(dir, "sessionid", ev, ET_F_SESSION);
	set_tty(id, tty, ev);
	read_namespace(dir, "ns/pid", ev, ET_F_PID_NS);
	read_namespace(dir, "ns/mnt", ev, ET_F_MNT_NS);
	read_namespace(dir, "ns/user", ev, ET_F_USER_NS);
	read_namespace(dir, "ns/net", ev, ET_F_NET_NS);
	read_ns_pid(status, ev);
	read_exe(id, dir, ev);
}
