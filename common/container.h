/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * container.h - which container a cgroup belongs to, as far as its path tells: what
 * container engines name the cgroups that they make. The kernel has no containers,
 * so nothing more is known.
 */
#ifndef EXECTRACE_CONTAINER_H
#define EXECTRACE_CONTAINER_H

#include <stddef.h>

/* Bytes of an id or a name at most: a component of a path has no more. */
#define CONTAINER_MAX 255

/*
 * The id, or the name where an engine goes by names, of the innermost container on the
 * path of a cgroup. Returns its length, 0: there is none.
 */
size_t container_find(const char *path, size_t len, char out[CONTAINER_MAX]);

#endif
