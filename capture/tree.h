/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tree.h - following processes that run already, with all that descend from them.
 *
 * The programs follow each fork of a process that is followed. What a process forked
 * before it was followed has to be found in /proc. While that is read, a process that
 * was not found yet may fork, and end. So:
 *
 * - Each pass follows every process whose parent is followed, and the last pass finds
 *   none. Suppose that then a process lives that is not followed though its parents,
 *   up to one that was named, are alive; take the first of them. Its parent was
 *   followed before the last pass began, else that pass or a fork would have followed
 *   it meanwhile. So it was forked before that, has been in /proc with this parent
 *   during the whole pass, and was found.
 * - When a process that is not followed forks meanwhile, the programs go up its parents
 *   (judge.bpf.h, et_seeding). So its child is not missed even if it ends right after.
 * - A process that has ended is not put into the set, where it would stand for whoever
 *   gets its pid: the programs note the ends meanwhile, and what was ending before is
 *   told by /proc.
 */
#ifndef EXECTRACE_TREE_H
#define EXECTRACE_TREE_H

#include <stddef.h>
#include <stdint.h>

struct probe;
struct probe_error;

/* The probe is attached. Returns 0, or -1 with *err filled. */
int tree_follow(struct probe *p, const uint64_t *pids, size_t n, struct probe_error *err);

#endif
