/* SPDX-License-Identifier: BSD-2-Clause */
#include "caller.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

static bool read_id(const char *name, unsigned *id)
{
	const char *text = getenv(name);
	unsigned long value;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	*id = (unsigned)value;
	return !*end && !errno && value < UINT_MAX;
}

bool caller_of_sudo(unsigned *uid, unsigned *gid)
{
	return geteuid() == 0 && read_id("SUDO_UID", uid) && read_id("SUDO_GID", gid);
}
