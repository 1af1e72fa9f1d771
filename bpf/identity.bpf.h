/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * identity.bpf.h - with whose right a new program runs, in which session and
 * namespaces, and from what file. Typed, all that is usual is plain loads, without a
 * call: 0.1 to 0.3 us in all, most of it for what is not in a cache.
 */
#ifndef EXECTRACE_IDENTITY_BPF_H
#define EXECTRACE_IDENTITY_BPF_H

#include "record.bpf.h"

/*
 * The terminal's name, in the kernel's spelling. Nothing keeps the terminal alive
 * meanwhile but the session that has it: when that has it still, the name was good.
 */
static __always_inline void identity_tty(struct wire_identity *w, struct task_struct *t,
					 const bool typed)
{
	struct tty_struct *tty = READ(typed, t, signal, tty);
	bool good = false;

	if (tty) {
		READ_WORDS(typed, w->tty, tty->name);
		barrier();
		good = READ(typed, t, signal, tty) == tty;
	}
	if (!good)
		__builtin_memset(w->tty, 0, sizeof(w->tty));
}

static __always_inline void identity_namespaces(struct wire_identity *w, struct task_struct *t,
						const bool typed)
{
	struct nsproxy *nsproxy = READ(typed, t, nsproxy);
	__u32 level = READ(typed, t, thread_pid, level);

	w->mnt_ns = READ(typed, nsproxy, mnt_ns, ns.inum);
	w->net_ns = READ(typed, nsproxy, net_ns, ns.inum);
	w->user_ns = READ(typed, t, cred, user_ns, ns.inum);
	/* Who has come this far leads its thread group, so this is the process's own pid. */
	if (level) {
		/* As a number: to a pointer that they know, old verifiers let nobody add one. */
		struct upid *upid = (void *)BPF_CORE_READ(t, thread_pid) +
				    bpf_core_field_offset(struct pid, numbers) +
				    (__u64)level * bpf_core_type_size(struct upid);

		w->ns_pid = BPF_CORE_READ(upid, nr);
		w->pid_ns = BPF_CORE_READ(upid, ns, ns.inum);
	} else {
		w->ns_pid = READ(typed, t, tgid);
		w->pid_ns = WIRE_PID_NS_INIT;
	}
}

/*
 * Only the kernel makes a file whose entry has no directory, and of those only that
 * of memfd_create gets such a name; a file on a disk may be called anything.
 */
static __always_inline bool is_memfd(struct dentry *dentry, const bool typed)
{
	char n[6] = {};

	if (READ(typed, dentry, d_parent) != dentry)
		return false;
	bpf_probe_read_kernel(n, sizeof(n), READ(typed, dentry, d_name.name));
	return n[0] == 'm' && n[1] == 'e' && n[2] == 'm' && n[3] == 'f' && n[4] == 'd' &&
	       n[5] == ':';
}

/* When a file was last written, ns. */
static __always_inline __s64 inode_mtime(struct inode *inode, const bool typed)
{
	struct inode___before_6_11 *before_6_11 = (void *)inode;
	struct inode___before_6_7 *before_6_7 = (void *)inode;

	if (bpf_core_field_exists(inode->i_mtime_sec))
		return READ(typed, inode, i_mtime_sec) * 1000000000 +
		       READ(typed, inode, i_mtime_nsec);
	if (bpf_core_field_exists(before_6_11->__i_mtime))
		return READ(typed, before_6_11, __i_mtime.tv_sec) * 1000000000 +
		       READ(typed, before_6_11, __i_mtime.tv_nsec);
	return READ(typed, before_6_7, i_mtime.tv_sec) * 1000000000 +
	       READ(typed, before_6_7, i_mtime.tv_nsec);
}

static __always_inline void identity_exe(struct wire_identity *w, struct file *exe,
					 const bool typed)
{
	struct inode *inode = READ(typed, exe, f_inode);

	w->exe_inode = READ(typed, inode, i_ino);
	w->exe_dev = READ(typed, inode, i_sb, s_dev);
	w->exe_size = READ(typed, inode, i_size);
	w->exe_mtime = inode_mtime(inode, typed);
	if (!READ(typed, inode, i_nlink))
		w->flags |= WIRE_EXE_DELETED;
	if (is_memfd(READ(typed, exe, f_path.dentry), typed))
		w->flags |= WIRE_EXE_MEMFD;
}

/* Puts a wire_identity in front of the strings, of which there are none yet. */
static __always_inline void identity_put(struct scratch *s, struct task_struct *t, bool secure,
					 const bool typed)
{
	struct wire_identity *w = (struct wire_identity *)s->rec.data;

	w->flags = secure ? WIRE_SECURE_EXEC : 0;
	w->login_uid = WIRE_UNKNOWN;
	w->session = WIRE_UNKNOWN;
	if (bpf_core_field_exists(t->loginuid)) {
		w->login_uid = READ(typed, t, loginuid.val);
		w->session = READ(typed, t, sessionid);
	}
	w->pad = 0;
	identity_namespaces(w, t, typed);
	identity_tty(w, t, typed);
	identity_exe(w, READ(typed, t, mm, exe_file), typed);
	s->used = sizeof(*w);
}

#endif
