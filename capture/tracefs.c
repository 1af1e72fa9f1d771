/* SPDX-License-Identifier: BSD-2-Clause */
#include "tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <unistd.h>

/* tracefs as a descriptor of its root; -1 and errno. */
static int mount_detached(void)
{
	int fs = fsopen("tracefs", FSOPEN_CLOEXEC), mount = -1, error;

	if (fs < 0)
		return -1;
	if (fsconfig(fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		mount = fsmount(fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NOSUID);
	error = errno;
	close(fs);
	errno = error;
	return mount;
}

static int read_number(int dir, const char *event)
{
	char path[256], text[32];
	ssize_t n;
	int fd, error;

	snprintf(path, sizeof(path), "events/%s/id", event);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	error = errno;
	close(fd);
	if (n <= 0)
		return n ? -error : -ENODATA;
	text[n] = '\0';
	return atoi(text);
}

int tracefs_event_id(const char *event)
{
	static const char *const places[] = { "/sys/kernel/tracing", "/sys/kernel/debug/tracing" };
	int ret = -ENOENT, dir;

	for (unsigned i = 0; i < 2; i++) {
		dir = open(places[i], O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (dir < 0)
			continue;
		ret = read_number(dir, event);
		close(dir);
		if (ret >= 0)
			return ret;
	}
	/* What a mounted one has said counts, unless the place was empty. */
	if (ret != -ENOENT)
		return ret;
	dir = mount_detached();
	if (dir < 0)
		return ret;
	ret = read_number(dir, event);
	close(dir);
	return ret;
}
