/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * identity.h - what /proc says of a process beyond its name and its ids: login and
 * terminal, namespaces, and the file that it runs.
 */
#ifndef EXECTRACE_IDENTITY_H
#define EXECTRACE_IDENTITY_H

#include <exectrace.h>

#include "device.h"

struct identity {
	char tty[64];		/* of the event at hand */
	bool has_memfd;
	unsigned memfd_major, memfd_minor;	/* of the file system that memfds are in */
	struct device_cache devices;
};

void identity_begin(struct identity *id);
/*
 * Sets what can be read of the process whose /proc/PID is dir. status: the text of its
 * file of that name; tty: field 7 of its stat. ev borrows strings of id.
 */
void identity_read(struct identity *id, int dir, const char *status, unsigned tty,
		   struct et_event *ev);

#endif
