/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * places.c - where a program runs and where it lies: deep, strange, deleted, in a
 * chroot, and through mounts of every kind.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void enter(const char *name)
{
	check(mkdir(name, 0755) == 0 || errno == EEXIST, name);
	check(chdir(name) == 0, name);
}

static void go_deep(void)
{
	for (int i = 0; i < 100; i++) {
		char name[16];

		snprintf(name, sizeof(name), "level-%03d", i);
		enter(name);
	}
}

/* Down to a working directory whose path has so many bytes. */
static void go_down(size_t length)
{
	size_t at = strlen(area);

	while (at < length) {
		size_t left = length - at - 1, len = left > 251 ? 250 : left;
		char *name = long_text(len);

		enter(name);
		at += len + 1;
		free(name);
	}
}

static void go_nearly_longest(void)
{
	go_down(4000);
}

static void go_longest(void)
{
	go_down(PATH_MAX - 2);
}

static void go_beyond(void)
{
	go_down(PATH_MAX + 500);
}

/* More components than any other path of PATH_MAX can have. */
static void go_many(void)
{
	for (size_t at = strlen(area); at + 2 < 4000; at += 2)
		enter("d");
}

static void go_strange(void)
{
	enter("caf\xe9\n\x1b[1m \"dir'");
}

static void go_root(void)
{
	check(chdir("/") == 0, "chdir /");
}

static void go_mount(void)
{
	check(chdir("/proc/sys/kernel") == 0, "chdir /proc");
}

static void go_deleted(void)
{
	enter("gone");
	enter("inner");
	check(rmdir("../inner") == 0, "rmdir");
}

static void go_looks_deleted(void)
{
	enter("here (deleted)");
}

static void go_renamed(void)
{
	enter("old name");
	enter("inner");
	check(rename("../../old name", "../../new name") == 0, "rename");
}

static void plain(void)
{
	static const struct {
		const char *step;
		void (*go)(void);
	} rows[] = {
		{ "cwd /", go_root },
		{ "cwd on another mount", go_mount },
		{ "strange cwd", go_strange },
		{ "deep cwd", go_deep },
		{ "cwd of 4000 bytes", go_nearly_longest },
		{ "longest cwd", go_longest },
		{ "cwd longer than any path", go_beyond },
		{ "cwd of most components", go_many },
		{ "deleted cwd", go_deleted },
		{ "cwd that looks deleted", go_looks_deleted },
		{ "renamed cwd", go_renamed },
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		attempt(&(struct attempt){ .step = rows[i].step,
					   .prepare = rows[i].go,
					   .filename = target,
					   .argv = ARGV(S("cwd")) });
	/* Too many levels for what removes directories by calling itself. */
	while (chdir("d") == 0)
		;
	while (chdir("..") == 0 && rmdir("d") == 0)
		;
	check(chdir(area) == 0, area);
}

/* ---- Another root ------------------------------------------------------------------- */

static void go_jail(void)
{
	if (chroot("jail") != 0)
		unable("chroot");
	check(chdir("/inside") == 0, "/inside");
}

/* The working directory stays outside. */
static void half_jail(void)
{
	if (chroot("jail") != 0)
		unable("chroot");
}

static void jails(void)
{
	check(mkdir("jail", 0755) == 0 && mkdir("jail/inside", 0755) == 0, "jail");
	copy_self_to("jail/target", 0755);
	attempt(&(struct attempt){ .step = "chroot",
				   .prepare = go_jail,
				   .filename = "/target",
				   .argv = ARGV(S("jailed")) });
	attempt(&(struct attempt){ .step = "chroot, relative",
				   .prepare = go_jail,
				   .filename = "../target",
				   .argv = ARGV(S("jailed")) });
	attempt(&(struct attempt){ .step = "chroot, failing",
				   .prepare = go_jail,
				   .filename = target,
				   .argv = ARGV(S("jailed"), S("x")) });
	attempt(&(struct attempt){ .step = "chroot, cwd outside",
				   .prepare = half_jail,
				   .filename = "./target",
				   .argv = ARGV(S("half")) });
}

/* ---- Mounts, in a namespace of the child's own ------------------------------------------ */

static void own_mounts(void)
{
	if (unshare_mounts() != 0)
		unable("unshare");
}

static void mounted(const char *from, const char *to, const char *type, unsigned long flags,
		    const char *data)
{
	if (mount(from, to, type, flags, data) != 0)
		unable(type ? type : "bind mount");
}

static void go_bind(void)
{
	own_mounts();
	mounted("bind-from", "bind-to", NULL, MS_BIND, NULL);
	enter("bind-to");
	enter("in");
}

/* Each mounted onto a directory of the one before. */
static void go_binds(void)
{
	own_mounts();
	for (int i = 0; i < 12; i++) {
		mounted("none", "mnt", "tmpfs", 0, NULL);
		enter("mnt");
		enter("mnt");
		check(chdir("..") == 0, "..");
	}
	enter("mnt");
}

/* One on top of the other, at the same place. */
static void go_stacked(void)
{
	own_mounts();
	for (int i = 0; i < 5; i++)
		mounted("none", "mnt", "tmpfs", 0, NULL);
	enter("mnt");
	enter("top");
	copy_self_to("program", 0755);
}

static void go_file_bind(void)
{
	own_mounts();
	write_text("file-to", "", 0755);
	mounted("target", "file-to", NULL, MS_BIND, NULL);
}

static void go_overlay(void)
{
	own_mounts();
	mounted("none", "mnt", "tmpfs", 0, NULL);
	enter("mnt");
	check(mkdir("lower", 0755) == 0 && mkdir("upper", 0755) == 0 &&
		      mkdir("work", 0755) == 0 && mkdir("merged", 0755) == 0 &&
		      mkdir("lower/dir", 0755) == 0,
	      "mkdir");
	copy_self_to("lower/dir/below", 0755);
	mounted("overlay", "merged", "overlay", 0,
		"lowerdir=lower,upperdir=upper,workdir=work");
	copy_self_to("merged/dir/above", 0755);
	enter("merged");
	enter("dir");
}

static void go_detached(void)
{
	own_mounts();
	mounted("none", "mnt", "tmpfs", 0, NULL);
	enter("mnt");
	enter("sub");
	enter("dir");
	copy_self_to("program", 0755);
	if (umount2("../..", MNT_DETACH) != 0)
		unable("umount2");
}

/* A root of its own, as containers have; the old one is gone. */
static void go_pivot(void)
{
	own_mounts();
	mounted("none", "mnt", "tmpfs", 0, NULL);
	copy_self_to("mnt/program", 0755);
	check(mkdir("mnt/old", 0755) == 0 && mkdir("mnt/home", 0755) == 0, "mkdir");
	if (syscall(SYS_pivot_root, "mnt", "mnt/old") != 0)
		unable("pivot_root");
	check(chdir("/home") == 0 && umount2("/old", MNT_DETACH) == 0, "the new root");
}

static void mounts(void)
{
	static const struct {
		const char *step, *file;
		void (*go)(void);
	} rows[] = {
		{ "cwd in a bind mount", NULL, go_bind },
		{ "cwd in a mount in a mount", NULL, go_binds },
		{ "mounts on top of each other", "./program", go_stacked },
		{ "program that is a bind mount", "./file-to", go_file_bind },
		{ "overlayfs, program of the lower layer", "./below", go_overlay },
		{ "overlayfs, program of the upper layer", "./above", go_overlay },
		{ "mount that is detached", "./program", go_detached },
		{ "pivot_root", "/program", go_pivot },
	};

	if (access("mnt", F_OK) != 0)
		check(mkdir("mnt", 0755) == 0, "mnt");
	check(mkdir("bind-from", 0755) == 0 && mkdir("bind-to", 0755) == 0, "bind-to");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		attempt(&(struct attempt){ .step = rows[i].step,
					   .prepare = rows[i].go,
					   .filename = rows[i].file ? rows[i].file : target,
					   .argv = ARGV(S("place")) });
}

void places(void)
{
	plain();
	if (getuid() != 0) {
		say_skip("chroot and mounts", "needs root");
		return;
	}
	jails();
	mounts();
}
