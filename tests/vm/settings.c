/* SPDX-License-Identifier: BSD-2-Clause */
/* settings - what one step of a guest is to lack or to have, by the words that it is told
 * with. */
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "init.h"

#define NOBODY 65534
#define BTF_COPY "/run/vmlinux.btf"

/* linux/capability.h of 5.8; the numbers are ABI. */
#define CAPABILITY_PERFMON 38
#define CAPABILITY_BPF 39

static void become_nobody(const struct step *step)
{
	(void)step;
	need(setgroups(0, NULL) == 0 && setresgid(NOBODY, NOBODY, NOBODY) == 0 &&
		     setresuid(NOBODY, NOBODY, NOBODY) == 0,
	     "setresuid");
}

/* As somebody brings it along for a kernel that has none. */
static void copy_btf(const struct step *step)
{
	static char buf[1 << 16];
	int from = open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC);
	int to = open(BTF_COPY, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t n;

	(void)step;
	while ((n = read(from, buf, sizeof(buf))) > 0)
		need(write(to, buf, (size_t)n) == n, BTF_COPY);
	need(n == 0, "/sys/kernel/btf/vmlinux");
	close(from);
	close(to);
}

static void hide_btf(const struct step *step)
{
	(void)step;
	need(mount("tmpfs", "/sys/kernel/btf", "tmpfs", 0, NULL) == 0, "/sys/kernel/btf");
}

static void lock_root(const struct step *step)
{
	(void)step;
	need(mount("/", "/", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0, "/");
	need(mount(NULL, "/tmp", NULL, MS_BIND | MS_REMOUNT | MS_RDONLY, NULL) == 0, "/tmp");
}

static void hide_tracefs(const struct step *step)
{
	(void)step;
	need(umount2("/sys/kernel/tracing", MNT_DETACH) == 0, "/sys/kernel/tracing");
}

/* Gives the program what `setcap cap_bpf,cap_perfmon,cap_dac_read_search=ep` does. */
static void give_capabilities(const struct step *step)
{
	static const struct vfs_cap_data data = {
		.magic_etc = VFS_CAP_REVISION_2 | VFS_CAP_FLAGS_EFFECTIVE,
		.data = { { .permitted = 1u << CAP_DAC_READ_SEARCH },
			  { .permitted = 1u << (CAPABILITY_PERFMON - 32) |
					 1u << (CAPABILITY_BPF - 32) } },
	};

	need(setxattr(step->argv[0], "security.capability", &data, sizeof(data), 0) == 0,
	     step->argv[0]);
}

static void lift_memlock(const struct step *step)
{
	(void)step;
	need(setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ RLIM_INFINITY, RLIM_INFINITY }) == 0,
	     "setrlimit");
}

/* Applied in this order, to the step alone. */
static const struct {
	const char *word;
	void (*apply)(const struct step *step);
} all[] = {
	{ "btf-copy,", copy_btf },
	{ "no-btf,", hide_btf },
	{ "no-tracefs,", hide_tracefs },
	{ "read-only-root,", lock_root },
	{ "file-capabilities,", give_capabilities },
	{ "unlimited-memlock,", lift_memlock },
	{ "nobody,", become_nobody },
};

void apply_settings(const struct step *step)
{
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strstr(step->settings, all[i].word))
			all[i].apply(step);
}
