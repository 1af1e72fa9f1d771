/* SPDX-License-Identifier: BSD-2-Clause */
#include "device.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static uint32_t number(unsigned major, unsigned minor)
{
	return major << 20 | minor;
}

/* Lines are "ID PARENT MAJOR:MINOR ..."; paths in them have no newlines. */
static bool find_mount(FILE *f, uint64_t mount, uint32_t *dev)
{
	char *line = NULL;
	size_t size = 0;
	bool found = false;

	while (!found && getline(&line, &size, f) > 0) {
		unsigned major, minor;
		uint64_t id;

		if (sscanf(line, "%" SCNu64 " %*u %u:%u", &id, &major, &minor) == 3 && id == mount) {
			*dev = number(major, minor);
			found = true;
		}
	}
	free(line);
	return found;
}

uint32_t device_of(const struct statx *st, int proc, struct device_cache *cache)
{
	/* The kernel's own mounts, such as that of memfd, are in no list, and make up nothing. */
	uint32_t dev = number(st->stx_dev_major, st->stx_dev_minor);
	FILE *f;
	int fd;

	if (!(st->stx_mask & STATX_MNT_ID))
		return dev;
	if (cache && cache->known && cache->mount == st->stx_mnt_id)
		return cache->dev;
	fd = openat(proc, "mountinfo", O_RDONLY | O_CLOEXEC);
	f = fd < 0 ? NULL : fdopen(fd, "r");
	if (!f) {
		if (fd >= 0)
			close(fd);
		return dev;
	}
	if (find_mount(f, st->stx_mnt_id, &dev) && cache)
		*cache = (struct device_cache){ st->stx_mnt_id, dev, true };
	fclose(f);
	return dev;
}
