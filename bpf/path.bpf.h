/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * path.bpf.h - the path of an open file or a directory, from its last component
 * up to the root.
 *
 * The walk does not stop at the process's own root but at the root of its mount
 * tree. So a path is what /proc/PID/exe or /proc/PID/cwd shows to a reader
 * outside: a process in a chroot has the path of the whole file system, one in
 * another mount namespace that of its own tree. A file that has no place in a
 * tree (memfd) has the one component that is its name. What was unlinked keeps
 * the name it had.
 */
#ifndef EXECTRACE_PATH_BPF_H
#define EXECTRACE_PATH_BPF_H

#include "record.bpf.h"

/* A step is a component or a mount; a path of PATH_MAX has fewer than PATH_STEPS. */
#define PATH_STEPS 4096
#define PATH_ROUND 16

/* Takes one step up; false when there is no further one. */
static __always_inline bool path_step(struct scratch *s)
{
	struct dentry *dentry = (struct dentry *)s->dentry, *parent;
	__u32 used = s->used;
	long n;

	if (s->dentry == s->mount_root) {
		struct mount *mount = (struct mount *)s->mount;
		struct mount *above = BPF_CORE_READ(mount, mnt_parent);

		if (!above || above == mount) {
			s->path_done = 1;
			return false;
		}
		s->dentry = (__u64)BPF_CORE_READ(mount, mnt_mountpoint);
		s->mount = (__u64)above;
		s->mount_root = (__u64)BPF_CORE_READ(above, mnt.mnt_root);
		return true;
	}

	if (used > FIXED_SIZE - PIECE_SIZE)
		return false;
	n = bpf_probe_read_kernel_str(s->rec.data + used, PIECE_SIZE,
				      BPF_CORE_READ(dentry, d_name.name));
	if (n <= 1 || used + n - s->path_start >= PATH_SIZE)
		return false;
	s->used = used + n;
	parent = BPF_CORE_READ(dentry, d_parent);
	if (parent == dentry) {
		s->path_done = 1;
		return false;
	}
	s->dentry = (__u64)parent;
	return true;
}

/* Takes some steps; 0 when there is no further one. */
__noinline int path_steps(void)
{
	struct scratch *s = scratch();

	if (!s)
		return 0;
	for (int i = 0; i < PATH_ROUND; i++)
		if (!path_step(s))
			return 0;
	return 1;
}

/*
 * Appends the pieces of a path to data and returns their length. A path longer
 * than PATH_MAX, or one that changed under the walk, sets the flag partial.
 */
static __always_inline __u16 path_put(struct scratch *s, struct vfsmount *mnt,
				      struct dentry *dentry, enum wire_flag partial,
				      const bool typed)
{
	s->path_start = s->used;
	s->path_done = 0;
	s->dentry = (__u64)dentry;
	s->mount = (__u64)mnt - bpf_core_field_offset(struct mount, mnt);
	s->mount_root = (__u64)READ(typed, mnt, mnt_root);
	for (int i = 0; i < PATH_STEPS / PATH_ROUND; i++)
		if (!path_steps())
			break;
	if (!s->path_done)
		s->flags |= partial;
	return s->used - s->path_start;
}

#endif
