/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * identity.bpf.h - with whose right a new program runs, in which session and
 * namespaces, and from what file. All that is usual is plain loads, without a call:
 * 0.1 to 0.3 us in all, most of it for what is not in a cache.
 */
#ifndef EXECTRACE_IDENTITY_BPF_H
#define EXECTRACE_IDENTITY_BPF_H

#include "record.bpf.h"

#define PID_NS_INIT 0xeffffffc	/* the initial one has this inode on every kernel */

/*
 * The terminal's name, in the kernel's spelling. Nothing keeps the terminal alive
 * meanwhile but the session that has it: when that has it still, the name was good.
 */
static __always_inline void identity_tty(struct wire_identity *w, struct task_struct *t)
{
	struct tty_struct *tty = t->signal->tty;
	bool good = false;

	if (tty) {
		for (unsigned i = 0; i < sizeof(w->tty) / sizeof(__u64); i++)
			((__u64 *)w->tty)[i] = ((__u64 *)tty->name)[i];
		barrier();
		good = t->signal->tty == tty;
	}
	if (!good)
		__builtin_memset(w->tty, 0, sizeof(w->tty));
}

static __always_inline void identity_namespaces(struct wire_identity *w, struct task_struct *t)
{
	struct nsproxy *nsproxy = t->nsproxy;
	struct pid *pid = t->thread_pid;
	__u32 level = pid->level;

	w->mnt_ns = nsproxy->mnt_ns->ns.inum;
	w->net_ns = nsproxy->net_ns->ns.inum;
	w->user_ns = t->cred->user_ns->ns.inum;
	/* Who has come this far leads its thread group, so this is the process's own pid. */
	if (level) {
		/* As a number: to a pointer that they know, old verifiers let nobody add one. */
		struct upid *upid = (void *)BPF_CORE_READ(t, thread_pid) +
				    bpf_core_field_offset(struct pid, numbers) +
				    (__u64)level * bpf_core_type_size(struct upid);

		w->ns_pid = BPF_CORE_READ(upid, nr);
		w->pid_ns = BPF_CORE_READ(upid, ns, ns.inum);
	} else {
		w->ns_pid = t->tgid;
		w->pid_ns = PID_NS_INIT;
	}
}

/*
 * Only the kernel makes a file whose entry has no directory, and of those only that
 * of memfd_create gets such a name; a file on a disk may be called anything.
 */
static __always_inline bool is_memfd(struct dentry *dentry)
{
	char n[6] = {};

	if (dentry->d_parent != dentry)
		return false;
	bpf_probe_read_kernel(n, sizeof(n), dentry->d_name.name);
	return n[0] == 'm' && n[1] == 'e' && n[2] == 'm' && n[3] == 'f' && n[4] == 'd' &&
	       n[5] == ':';
}

/* When a file was last written, ns. */
static __always_inline __s64 inode_mtime(struct inode *inode)
{
	struct inode___before_6_11 *before_6_11 = (void *)inode;
	struct inode___before_6_7 *before_6_7 = (void *)inode;

	if (bpf_core_field_exists(inode->i_mtime_sec))
		return inode->i_mtime_sec * 1000000000 + inode->i_mtime_nsec;
	if (bpf_core_field_exists(before_6_11->__i_mtime))
		return before_6_11->__i_mtime.tv_sec * 1000000000 + before_6_11->__i_mtime.tv_nsec;
	return before_6_7->i_mtime.tv_sec * 1000000000 + before_6_7->i_mtime.tv_nsec;
}

static __always_inline void identity_exe(struct wire_identity *w, struct file *exe)
{
	struct inode *inode = exe->f_inode;

	w->exe_inode = inode->i_ino;
	w->exe_dev = inode->i_sb->s_dev;
	w->exe_size = inode->i_size;
	w->exe_mtime = inode_mtime(inode);
	if (!inode->i_nlink)
		w->flags |= WIRE_EXE_DELETED;
	if (is_memfd(exe->f_path.dentry))
		w->flags |= WIRE_EXE_MEMFD;
}

/* Puts a wire_identity in front of the strings, of which there are none yet. */
static __always_inline void identity_put(struct scratch *s, struct task_struct *t,
					 struct linux_binprm *bprm)
{
	struct wire_identity *w = (struct wire_identity *)s->rec.data;

	w->flags = BPF_CORE_READ_BITFIELD(bprm, secureexec) ? WIRE_SECURE_EXEC : 0;
	w->login_uid = WIRE_UNKNOWN;
	w->session = WIRE_UNKNOWN;
	if (bpf_core_field_exists(t->loginuid)) {
		w->login_uid = t->loginuid.val;
		w->session = t->sessionid;
	}
	w->pad = 0;
	identity_namespaces(w, t);
	identity_tty(w, t);
	identity_exe(w, t->mm->exe_file);
	s->used = sizeof(*w);
}

#endif
