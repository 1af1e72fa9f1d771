/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * device.h - the device number of the file system that holds a file, as the kernel's
 * own structures have it and as columns carry it: major << 20 | minor.
 *
 * stat(2) says another number where a file system makes some up (btrfs for its
 * subvolumes, overlayfs for its layers); the mount that a file was found by knows.
 */
#ifndef EXECTRACE_DEVICE_H
#define EXECTRACE_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

struct statx;

/* What statx has to be asked for. */
#define DEVICE_STATX (STATX_BASIC_STATS | STATX_MNT_ID)

/* Of the mount looked up last; start it zeroed. Mount ids come again: do not keep it long. */
struct device_cache {
	uint64_t mount;
	uint32_t dev;
	bool known;
};

/* proc: the /proc/PID of a process that sees the mount. cache may be NULL. */
uint32_t device_of(const struct statx *st, int proc, struct device_cache *cache);

#endif
