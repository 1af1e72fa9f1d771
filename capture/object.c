/* SPDX-License-Identifier: BSD-2-Clause */
#include "object.h"

#include "btf.h"
#include "btffile.h"
#include "explain.h"
#include "filters.h"
#include "fits.h"
#include "line.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wire.h>
#include <probe.skel.h>	/* has types of wire.h */

/* The reader is woken when this part of the ring is full: room for a burst is left. */
#define WAKE_PART 4
/* And these are kept from failed execs, and from forks: for what says what there was. */
#define FAILS_PART 8
#define FORKS_PART 16

/*
 * Processes followed at most: all that the kernel allows, up to this many, which takes
 * some 10 MiB of kernel memory.
 */
#define FOLLOW_MAX 131072u
#define SEED_ENDED 16384u	/* ends while processes are found: a second of a storm */
#define CGROUPS_KNOWN 4096u

/*
 * The programs, in the order in which they are attached: those that end first, so that no
 * process is seen to begin and then not to end. A process that lives only while they are
 * attached, some tens of ms, may so have an exit without an exec, or an exec and an exit
 * without a fork. The snapshot, which is read after this, has it only if it still lives.
 */
enum program { EXIT, FAIL, EXEC, CALL, FORK };
_Static_assert(FORK + 1 == OBJECT_PROGRAMS, "each has an entry");

#define ENTRY(skel, name) { (skel)->progs.name, &(skel)->links.name }

/* The typed ones and perf's take the kernel's own BTF. The others are not to be loaded. */
static int choose_entries(struct object *o)
{
	struct probe_bpf *skel = o->skel;
	const struct object_entry typed[OBJECT_PROGRAMS] = {
		[EXIT] = ENTRY(skel, et_exit),
		[FAIL] = ENTRY(skel, et_fail),
		[EXEC] = ENTRY(skel, et_exec),
		[CALL] = ENTRY(skel, et_call),
		[FORK] = ENTRY(skel, et_fork),
	};
	const struct object_entry raw[OBJECT_PROGRAMS] = {
		[EXIT] = ENTRY(skel, et_exit_raw),
		[FAIL] = ENTRY(skel, et_fail_raw),
		[EXEC] = ENTRY(skel, et_exec_raw),
		[CALL] = ENTRY(skel, et_call_raw),
		[FORK] = ENTRY(skel, et_fork_raw),
	};
	struct bpf_program *program;
	int err = 0;

	bpf_object__for_each_program(program, skel->obj)
		if (!err)
			err = bpf_program__set_autoload(program, false);
	memcpy(o->entries, o->given ? raw : typed, sizeof(o->entries));
	if (skel->rodata->settled) {
		o->entries[EXIT] = (struct object_entry)ENTRY(skel, et_exit_perf);
		o->entries[FAIL] = (struct object_entry)ENTRY(skel, et_fail_perf);
	}
	for (unsigned i = 0; i < OBJECT_PROGRAMS && !err; i++)
		err = bpf_program__set_autoload(o->entries[i].program, true);
	if (!err && o->given)
		err = bpf_program__set_autoload(skel->progs.et_fits, true);
	return err;
}

static int leave_out(struct object *o, enum program i)
{
	return bpf_program__set_autoload(o->entries[i].program, false);
}

/* libbpf looks up there what perf attaches to. */
static bool have_tracefs(void)
{
	return access("/sys/kernel/tracing/events/raw_syscalls/sys_exit/id", R_OK) == 0;
}

/*
 * What this kernel has and others lack. Those that stand in for it can be had on any
 * kernel, and perf's entries on one that does not need them, for a test:
 * EXECTRACE_TIERS=oldest or perf.
 */
static int choose_tiers(struct object *o)
{
	const char *tiers = secure_getenv("EXECTRACE_TIERS");
	struct probe_bpf__rodata *rodata = o->skel->rodata;
	struct btf *own = NULL;
	const struct btf *btf;

	if (tiers && !strcmp(tiers, "oldest"))
		return 0;
	if (!o->given) {
		own = btf__load_vmlinux_btf();
		if (!own)
			return -errno;
	}
	btf = own ? own : btffile_btf(o->given);
	rodata->has_group_dead = btf_tracepoint_args(btf, "sched_process_exit") >= 2;
	/* What it returns would have a type of the kernel's own BTF. */
	rodata->has_task_btf = own && btf_has_helper(btf, "get_current_task_btf");
	rodata->settled = own && btf_has_helper(btf, "task_pt_regs") && have_tracefs() &&
			  (btf_tracepoints_preempt(btf) || (tiers && !strcmp(tiers, "perf")));
	o->is_skipped_at = btf_tracepoints_preempt(btf) && !rodata->settled;
	btf__free(own);
	return 0;
}

static uint32_t follow_max(void)
{
	static const char *const limits[] = { "/proc/sys/kernel/pid_max",
					      "/proc/sys/kernel/threads-max" };
	uint32_t max = FOLLOW_MAX;
	char text[32];

	for (unsigned i = 0; i < 2; i++) {
		unsigned long limit = line_read(limits[i], text, sizeof(text)) ?
					      strtoul(text, NULL, 10) : 0;

		if (limit && limit < max)
			max = (uint32_t)limit;
	}
	return max;
}

static int size_filters(struct object *o, const struct probe_options *opt)
{
	const struct filters *f = opt->filters;
	bool by_cgroup = filters_count(f, FILTERS_CGROUP);
	const struct {
		struct bpf_map *map;
		size_t size;
	} sizes[] = {
		{ o->skel->maps.et_followed, opt->follow ? follow_max() : 0 },
		{ o->skel->maps.et_seed_ended, filters_count(f, FILTERS_PID) ? SEED_ENDED : 0 },
		{ o->skel->maps.et_uids, filters_count(f, FILTERS_UID) },
		{ o->skel->maps.et_cgroups, filters_count(f, FILTERS_CGROUP) },
		{ o->skel->maps.et_cgroups_known, by_cgroup ? CGROUPS_KNOWN : 0 },
		{ o->skel->maps.et_comms, filters_count(f, FILTERS_COMM_NAME) },
	};
	int err = 0;

	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]) && !err; i++)
		err = bpf_map__set_max_entries(sizes[i].map,
					       sizes[i].size ? (uint32_t)sizes[i].size : 1);
	return err;
}

static int put(struct bpf_map *map, const void *key, size_t size)
{
	uint8_t value = 1;

	return bpf_map__update_elem(map, key, size, &value, sizeof(value), BPF_ANY);
}

int object_fill(struct object *o, const struct filters *f)
{
	const struct filters_list *l;
	int err = 0;

	l = &f->of[FILTERS_UID];
	for (size_t i = 0; i < l->n && !err; i++) {
		uint32_t uid = (uint32_t)l->ids[i];

		err = put(o->skel->maps.et_uids, &uid, sizeof(uid));
	}
	l = &f->of[FILTERS_CGROUP];
	for (size_t i = 0; i < l->n && !err; i++)
		err = put(o->skel->maps.et_cgroups, &l->ids[i], sizeof(l->ids[i]));
	l = &f->of[FILTERS_COMM_NAME];
	for (size_t i = 0; i < l->n && !err; i++) {
		char comm[16] = "";

		memcpy(comm, l->words[i], strlen(l->words[i]));
		err = put(o->skel->maps.et_comms, comm, sizeof(comm));
	}
	return err;
}

/* Of this kernel and these options. */
static void tell(struct object *o, const struct probe_options *opt, const struct fits_identity *self)
{
	struct probe_bpf__rodata *rodata = o->skel->rodata;

	rodata->fits_pid = self->pid;
	rodata->fits_ns_dev = self->ns_dev;
	rodata->fits_ns_inode = self->ns_inode;
	rodata->fits_number = self->number;
	rodata->cpus = o->cpus;
	rodata->max_args = opt->max_args;
	rodata->max_env = opt->max_env;
	rodata->wake_size = opt->ring_size / WAKE_PART;
	rodata->fails_room = opt->ring_size - opt->ring_size / FAILS_PART;
	rodata->forks_room = opt->ring_size - opt->ring_size / FORKS_PART;
	rodata->self = opt->self;
	rodata->follow = opt->follow;
	rodata->no_fork = opt->no_fork;
	rodata->exec_duration = opt->exec_duration;
	rodata->paced = opt->max_rate;
	rodata->by_uid = filters_count(opt->filters, FILTERS_UID);
	rodata->by_cgroup = filters_count(opt->filters, FILTERS_CGROUP);
	rodata->by_comm = filters_count(opt->filters, FILTERS_COMM_NAME);
}

static void describe(struct object *o, const struct probe_options *opt)
{
	const struct probe_bpf__rodata *rodata = o->skel->rodata;
	const char *failed = rodata->has_task_btf ?
				     ", failed exec (64-bit and 32-bit calls; bpf_get_current_task_btf)" :
				     ", failed exec (64-bit and 32-bit calls; bpf_get_current_task)";

	snprintf(o->features, sizeof(o->features), "exec%s%s%s, exit (%s); %s%s",
		 opt->no_failed ? "" : failed, opt->max_env ? ", env" : "",
		 opt->no_fork ? "" : ", fork", rodata->has_group_dead ? "group_dead" : "signal->live",
		 o->given	 ? "raw_tp, by BTF that was given" :
		 rodata->settled ? "tp_btf; tp for failed exec and exit" :
				   "tp_btf",
		 !o->is_skipped_at ? "" :
		 o->given	   ? ", skipped at times" :
				     ", skipped at times for want of tracefs");
}

static int size_maps(struct object *o, const struct probe_options *opt)
{
	const struct probe_bpf *skel = o->skel;
	int err = bpf_map__set_max_entries(skel->maps.et_events, opt->ring_size);

	if (!err)
		err = bpf_map__set_max_entries(skel->maps.et_counters, o->streams);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.et_scratch, o->streams / o->cpus);
	if (!err && opt->max_rate)
		err = bpf_map__set_max_entries(skel->maps.et_allowed, o->cpus);
	if (!err)
		err = size_filters(o, opt);
	if (!err && skel->rodata->has_group_dead)
		err = bpf_map__set_max_entries(skel->maps.et_ended, 1);
	if (!err && !opt->exec_duration)
		err = bpf_map__set_max_entries(skel->maps.et_calls, 1);
	return err;
}

int object_configure(struct object *o, const struct probe_options *opt)
{
	struct fits_identity self = { .pid = 0 };
	int err = choose_tiers(o);

	if (!err)
		err = choose_entries(o);
	if (err)
		return err;
	if (o->given && !fits_identify(&self))
		return -errno;
	o->streams = o->skel->rodata->settled ? 2 * o->cpus : o->cpus;
	tell(o, opt, &self);
	describe(o, opt);
	err = size_maps(o, opt);
	if (!err && opt->no_failed)
		err = leave_out(o, FAIL);
	if (!err && !opt->exec_duration)
		err = leave_out(o, CALL);
	/* Children of those followed have to be found all the same. */
	if (!err && opt->no_fork && !opt->follow)
		err = leave_out(o, FORK);
	return err;
}

/* One by one, for a failure to be told by name. */
static int attach(const struct object_entry *e, struct probe_error *err)
{
	if (!bpf_program__autoload(e->program))
		return 0;
	*e->link = bpf_program__attach(e->program);
	if (!*e->link) {
		int error = errno;

		explain_attach(err, bpf_program__section_name(e->program), error);
		return -error;
	}
	return 0;
}

/* Without /proc it is not known what is skipped; there is nothing that could be done then. */
static void watch_skips(struct object *o, enum program i)
{
	struct skips *s = i == EXEC ? &o->exec_skips : &o->skips;
	const struct bpf_program *program = o->entries[i].program;
	char path[64];

	/* Where a call's beginning is not seen no event is missing, only how long it took. */
	if (i == CALL || !bpf_program__autoload(program))
		return;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_program__fd(program));
	skips_watch(s, path);
}

int object_attach(struct object *o, struct probe_error *err)
{
	int ret = 0;

	for (unsigned i = 0; i < OBJECT_PROGRAMS && !ret; i++) {
		watch_skips(o, i);
		ret = attach(&o->entries[i], err);
	}
	return ret;
}

int object_judge(struct object *o, struct probe_error *err)
{
	const struct object_entry fits = ENTRY(o->skel, et_fits);
	const char *misfit;
	int ret;

	if (!o->given)
		return 0;
	ret = attach(&fits, err);
	if (ret)
		return ret;
	misfit = fits_compare(&o->skel->bss->et_seen);
	bpf_link__destroy(*fits.link);
	*fits.link = NULL;
	if (!misfit)
		return 0;
	explain_misfit(err, o->given, misfit);
	return -EINVAL;
}

uint64_t object_skipped(const struct object *o, uint64_t *execs)
{
	*execs = skips_read(&o->exec_skips);
	return *execs + skips_read(&o->skips);
}

void object_close(struct object *o)
{
	skips_close(&o->skips);
	skips_close(&o->exec_skips);
}
