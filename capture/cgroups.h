/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cgroups.h - from the numbers of cgroups to their paths, by a walk through the
 * hierarchy: a file handle would be quicker, but takes CAP_DAC_READ_SEARCH.
 */
#ifndef EXECTRACE_CGROUPS_H
#define EXECTRACE_CGROUPS_H

#include <stddef.h>
#include <stdint.h>

/*
 * One walk for n numbers. root: the mounted hierarchy. paths[i] becomes the path from
 * there, beginning with "/", for the caller to free, or NULL: there is no such cgroup, or
 * none that a walk of bearable length meets.
 */
void cgroups_find(int root, const uint64_t *ids, char **paths, size_t n);

#endif
