/* SPDX-License-Identifier: BSD-2-Clause */
#include "probe.h"

#include "btf.h"
#include "btffile.h"
#include "explain.h"
#include "filters.h"
#include "fits.h"
#include "line.h"
#include "ring.h"
#include "skips.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
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
enum program { EXIT, FAIL, EXEC, CALL, FORK, PROGRAMS };

/* One of those of a program: see probe.bpf.c. */
struct entry {
	struct bpf_program *program;
	struct bpf_link **link;
};

struct probe {
	struct probe_bpf *skel;
	struct btffile *given;	/* until all are attached; NULL: the kernel's own BTF serves */
	struct entry entries[PROGRAMS];	/* those that serve */
	struct ring *ring;
	const struct wire_counters *counters;	/* the programs' own, mapped; by stream */
	struct wire_allowed *allowed;	/* the programs look at it, mapped; by CPU; NULL: no limit */
	uint64_t *happened;		/* by CPU, when probe_allow was called last */
	uint64_t request;	/* the last one put into et_wake, without its kind */
	unsigned cpus, streams;
	struct skips exec_skips, skips;	/* of the program that sees execs; of the others */
	bool is_skipped_at;	/* tracepoints leave preemption on, and nothing is done about it */
	char features[256];
};

#define ENTRY(skel, name) { (skel)->progs.name, &(skel)->links.name }

/* The typed ones and perf's take the kernel's own BTF. The others are not to be loaded. */
static int choose_entries(struct probe *p)
{
	struct probe_bpf *skel = p->skel;
	const struct entry typed[PROGRAMS] = {
		[EXIT] = ENTRY(skel, et_exit),
		[FAIL] = ENTRY(skel, et_fail),
		[EXEC] = ENTRY(skel, et_exec),
		[CALL] = ENTRY(skel, et_call),
		[FORK] = ENTRY(skel, et_fork),
	};
	const struct entry raw[PROGRAMS] = {
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
	memcpy(p->entries, p->given ? raw : typed, sizeof(p->entries));
	if (skel->rodata->settled) {
		p->entries[EXIT] = (struct entry)ENTRY(skel, et_exit_perf);
		p->entries[FAIL] = (struct entry)ENTRY(skel, et_fail_perf);
	}
	for (unsigned i = 0; i < PROGRAMS && !err; i++)
		err = bpf_program__set_autoload(p->entries[i].program, true);
	if (!err && p->given)
		err = bpf_program__set_autoload(skel->progs.et_fits, true);
	return err;
}

static int leave_out(struct probe *p, enum program i)
{
	return bpf_program__set_autoload(p->entries[i].program, false);
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
static int choose_tiers(struct probe *p)
{
	const char *tiers = secure_getenv("EXECTRACE_TIERS");
	struct probe_bpf__rodata *rodata = p->skel->rodata;
	struct btf *own = NULL;
	const struct btf *btf;

	if (tiers && !strcmp(tiers, "oldest"))
		return 0;
	if (!p->given) {
		own = btf__load_vmlinux_btf();
		if (!own)
			return -errno;
	}
	btf = own ? own : btffile_btf(p->given);
	rodata->has_group_dead = btf_tracepoint_args(btf, "sched_process_exit") >= 2;
	/* What it returns would have a type of the kernel's own BTF. */
	rodata->has_task_btf = own && btf_has_helper(btf, "get_current_task_btf");
	rodata->settled = own && btf_has_helper(btf, "task_pt_regs") && have_tracefs() &&
			  (btf_tracepoints_preempt(btf) || (tiers && !strcmp(tiers, "perf")));
	p->is_skipped_at = btf_tracepoints_preempt(btf) && !rodata->settled;
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

static int size_filters(struct probe *p, const struct probe_options *opt)
{
	const struct filters *f = opt->filters;
	bool by_cgroup = filters_count(f, FILTERS_CGROUP);
	const struct {
		struct bpf_map *map;
		size_t size;
	} sizes[] = {
		{ p->skel->maps.et_followed, opt->follow ? follow_max() : 0 },
		{ p->skel->maps.et_seed_ended, filters_count(f, FILTERS_PID) ? SEED_ENDED : 0 },
		{ p->skel->maps.et_uids, filters_count(f, FILTERS_UID) },
		{ p->skel->maps.et_cgroups, filters_count(f, FILTERS_CGROUP) },
		{ p->skel->maps.et_cgroups_known, by_cgroup ? CGROUPS_KNOWN : 0 },
		{ p->skel->maps.et_comms, filters_count(f, FILTERS_COMM_NAME) },
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

/* Before the programs are attached: no event is judged by half of them. */
static int fill_filters(struct probe *p, const struct filters *f)
{
	const struct filters_list *l;
	int err = 0;

	l = &f->of[FILTERS_UID];
	for (size_t i = 0; i < l->n && !err; i++) {
		uint32_t uid = (uint32_t)l->ids[i];

		err = put(p->skel->maps.et_uids, &uid, sizeof(uid));
	}
	l = &f->of[FILTERS_CGROUP];
	for (size_t i = 0; i < l->n && !err; i++)
		err = put(p->skel->maps.et_cgroups, &l->ids[i], sizeof(l->ids[i]));
	l = &f->of[FILTERS_COMM_NAME];
	for (size_t i = 0; i < l->n && !err; i++) {
		char comm[16] = "";

		memcpy(comm, l->words[i], strlen(l->words[i]));
		err = put(p->skel->maps.et_comms, comm, sizeof(comm));
	}
	return err;
}

/* Tells the object about this kernel and these options; it is open but not loaded. */
static int configure(struct probe *p, const struct probe_options *opt)
{
	struct probe_bpf *skel = p->skel;
	struct fits_identity self = { .pid = 0 };
	const char *failed;
	int err = choose_tiers(p);

	if (!err)
		err = choose_entries(p);
	if (err)
		return err;
	if (p->given && !fits_identify(&self))
		return -errno;
	skel->rodata->fits_pid = self.pid;
	skel->rodata->fits_ns_dev = self.ns_dev;
	skel->rodata->fits_ns_inode = self.ns_inode;
	skel->rodata->fits_number = self.number;
	p->streams = skel->rodata->settled ? 2 * p->cpus : p->cpus;
	skel->rodata->cpus = p->cpus;
	skel->rodata->max_args = opt->max_args;
	skel->rodata->max_env = opt->max_env;
	skel->rodata->wake_size = opt->ring_size / WAKE_PART;
	skel->rodata->fails_room = opt->ring_size - opt->ring_size / FAILS_PART;
	skel->rodata->forks_room = opt->ring_size - opt->ring_size / FORKS_PART;
	skel->rodata->self = opt->self;
	skel->rodata->follow = opt->follow;
	skel->rodata->no_fork = opt->no_fork;
	skel->rodata->exec_duration = opt->exec_duration;
	skel->rodata->paced = opt->max_rate;
	skel->rodata->by_uid = filters_count(opt->filters, FILTERS_UID);
	skel->rodata->by_cgroup = filters_count(opt->filters, FILTERS_CGROUP);
	skel->rodata->by_comm = filters_count(opt->filters, FILTERS_COMM_NAME);
	failed = skel->rodata->has_task_btf ?
			 ", failed exec (64-bit and 32-bit calls; bpf_get_current_task_btf)" :
			 ", failed exec (64-bit and 32-bit calls; bpf_get_current_task)";
	snprintf(p->features, sizeof(p->features), "exec%s%s%s, exit (%s); %s%s",
		 opt->no_failed ? "" : failed, opt->max_env ? ", env" : "",
		 opt->no_fork ? "" : ", fork",
		 skel->rodata->has_group_dead ? "group_dead" : "signal->live",
		 p->given		? "raw_tp, by BTF that was given" :
		 skel->rodata->settled	? "tp_btf; tp for failed exec and exit" :
					  "tp_btf",
		 !p->is_skipped_at ? "" :
		 p->given	   ? ", skipped at times" :
				     ", skipped at times for want of tracefs");

	err = bpf_map__set_max_entries(skel->maps.et_events, opt->ring_size);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.et_counters, p->streams);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.et_scratch, p->streams / p->cpus);
	if (!err && opt->max_rate)
		err = bpf_map__set_max_entries(skel->maps.et_allowed, p->cpus);
	if (!err)
		err = size_filters(p, opt);
	if (!err && skel->rodata->has_group_dead)
		err = bpf_map__set_max_entries(skel->maps.et_ended, 1);
	if (!err && opt->no_failed)
		err = leave_out(p, FAIL);
	if (!err && !opt->exec_duration) {
		err = bpf_map__set_max_entries(skel->maps.et_calls, 1);
		if (!err)
			err = leave_out(p, CALL);
	}
	/* Children of those followed have to be found all the same. */
	if (!err && opt->no_fork && !opt->follow)
		err = leave_out(p, FORK);
	return err;
}

/* One by one, for a failure to be told by name. */
static int attach(const struct entry *e, struct probe_error *err)
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
static void watch_skips(struct probe *p, enum program i)
{
	struct skips *s = i == EXEC ? &p->exec_skips : &p->skips;
	const struct bpf_program *program = p->entries[i].program;
	char path[64];

	/* Where a call's beginning is not seen no event is missing, only how long it took. */
	if (i == CALL || !bpf_program__autoload(program))
		return;
	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", bpf_program__fd(program));
	skips_watch(s, path);
}

static int attach_all(struct probe *p, struct probe_error *err)
{
	int ret = 0;

	for (unsigned i = 0; i < PROGRAMS && !ret; i++) {
		watch_skips(p, i);
		ret = attach(&p->entries[i], err);
	}
	return ret;
}

/* Before anything is recorded by BTF that was given: is it this kernel's? */
static int judge_given(struct probe *p, struct probe_error *err)
{
	const struct entry fits = ENTRY(p->skel, et_fits);
	const char *misfit;
	int ret;

	if (!p->given)
		return 0;
	ret = attach(&fits, err);
	if (ret)
		return ret;
	misfit = fits_compare(&p->skel->bss->et_seen);
	bpf_link__destroy(*fits.link);
	*fits.link = NULL;
	if (!misfit)
		return 0;
	explain_misfit(err, p->given, misfit);
	return -EINVAL;
}

/* Of an array's values, mapped: whole pages. */
static size_t mapped_size(size_t values)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);

	return (values + page - 1) & ~(page - 1);
}

static int map_counters(struct probe *p)
{
	void *m = mmap(NULL, mapped_size(p->streams * sizeof(*p->counters)), PROT_READ,
		       MAP_SHARED, bpf_map__fd(p->skel->maps.et_counters), 0);

	if (m == MAP_FAILED)
		return -errno;
	p->counters = m;
	return 0;
}

/* What is sent before anybody calls probe_allow: a second's worth. */
static int map_allowed(struct probe *p, uint64_t max_rate)
{
	void *m;

	if (!max_rate)
		return 0;
	p->happened = calloc(p->cpus, sizeof(*p->happened));
	if (!p->happened)
		return -ENOMEM;
	m = mmap(NULL, mapped_size(p->cpus * sizeof(*p->allowed)), PROT_READ | PROT_WRITE,
		 MAP_SHARED, bpf_map__fd(p->skel->maps.et_allowed), 0);
	if (m == MAP_FAILED)
		return -errno;
	p->allowed = m;
	for (unsigned cpu = 0; cpu < p->cpus; cpu++)
		p->allowed[cpu] = (struct wire_allowed){ max_rate, max_rate };
	return 0;
}

static int load(struct probe *p, const struct probe_options *opt, struct probe_error *err)
{
	LIBBPF_OPTS(bpf_object_open_opts, open_options,
		.btf_custom_path = p->given ? btffile_path(p->given) : NULL);
	int ret;

	p->skel = probe_bpf__open_opts(&open_options);
	ret = p->skel ? configure(p, opt) : -errno;
	if (!ret)
		ret = probe_bpf__load(p->skel);
	if (ret) {
		explain_load(err, p->given, -ret);
		return ret;
	}
	ret = map_counters(p);
	if (!ret)
		ret = map_allowed(p, opt->max_rate);
	if (ret) {
		explain(err, "cannot map the BPF counters: %s", strerror(-ret));
		return ret;
	}
	ret = ring_open(bpf_map__fd(p->skel->maps.et_events), opt->ring_size, &p->ring);
	if (ret) {
		explain(err, "cannot map the BPF ring buffer: %s", strerror(-ret));
		return ret;
	}
	ret = fill_filters(p, opt->filters);
	if (ret) {
		explain(err, "cannot fill the BPF maps of filters: %s", strerror(-ret));
		return ret;
	}
	ret = judge_given(p, err);
	return ret ? ret : attach_all(p, err);
}

int probe_open(const struct probe_options *opt, struct probe **out, struct probe_error *err)
{
	long page = sysconf(_SC_PAGESIZE);
	int cpus = libbpf_num_possible_cpus(), ret;
	struct probe *p;

	*out = NULL;
	if (opt->ring_size < page || opt->ring_size & (opt->ring_size - 1)) {
		explain(err, "a ring of %u bytes cannot be: it has to be a power of two and at "
			"least a page, %ld bytes", opt->ring_size, page);
		return -1;
	}
	p = calloc(1, sizeof(*p));
	if (!p) {
		explain(err, "out of memory");
		return -1;
	}
	if (explain_before(opt->btf, &p->given, err))
		goto fail;
	if (cpus <= 0) {
		explain(err, "cannot tell how many CPUs there are: "
			"/sys/devices/system/cpu/possible is not readable");
		goto fail;
	}
	p->cpus = (unsigned)cpus;

	explain_listen();
	ret = load(p, opt, err);
	explain_unlisten();
	if (ret)
		goto fail;
	btffile_close(p->given);
	p->given = NULL;
	*out = p;
	return 0;
fail:
	probe_close(p);
	return -1;
}

int probe_follow(struct probe *p, uint32_t pid)
{
	struct bpf_map *followed = p->skel->maps.et_followed;
	uint8_t value = 1;
	int ret = bpf_map__update_elem(followed, &pid, sizeof(pid), &value, sizeof(value),
				       BPF_NOEXIST);

	if (ret)
		return ret == -EEXIST ? 0 : ret;
	__atomic_fetch_add(&p->skel->bss->et_following, 1, __ATOMIC_SEQ_CST);
	/* Its end has been noted before it was taken out of the set, or is so still to be. */
	if (bpf_map__lookup_elem(p->skel->maps.et_seed_ended, &pid, sizeof(pid), &value,
				 sizeof(value), 0) == 0 &&
	    bpf_map__delete_elem(followed, &pid, sizeof(pid), 0) == 0) {
		__atomic_fetch_sub(&p->skel->bss->et_following, 1, __ATOMIC_SEQ_CST);
		return 0;
	}
	return 1;
}

bool probe_follows(const struct probe *p, uint32_t pid)
{
	uint8_t value;

	return bpf_map__lookup_elem(p->skel->maps.et_followed, &pid, sizeof(pid), &value,
				    sizeof(value), 0) == 0;
}

void probe_seeding(struct probe *p, bool seeding)
{
	__atomic_store_n(&p->skel->bss->et_seeding, seeding, __ATOMIC_SEQ_CST);
	/* Until then a program that looked before may still run: see probe_detach. */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

uint64_t probe_following(const struct probe *p)
{
	return __atomic_load_n(&p->skel->bss->et_following, __ATOMIC_SEQ_CST);
}

uint32_t probe_follow_max(const struct probe *p)
{
	return bpf_map__max_entries(p->skel->maps.et_followed);
}

static void ask(struct probe *p, enum wire_wake kind)
{
	p->request += WIRE_WAKE_STEP;
	__atomic_store_n(&p->skel->bss->et_wake, p->request + kind, __ATOMIC_SEQ_CST);
	/* Before any look at the ring: on arm64 the store alone would not see to that. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
}

int probe_drain(struct probe *p, probe_fn *fn, void *ctx)
{
	/* First the edge, then the request: a wakeup in between stays visible. */
	ring_acknowledge(p->ring);
	ask(p, WIRE_WAKE_FULL);
	return ring_drain(p->ring, fn, ctx);
}

int probe_fd(const struct probe *p)
{
	return ring_fd(p->ring);
}

bool probe_arm(struct probe *p)
{
	ask(p, WIRE_WAKE_NEXT);
	return ring_is_empty(p->ring);
}

void probe_ring_fill(const struct probe *p, uint64_t *used, uint64_t *peak)
{
	ring_fill(p->ring, used, peak);
}

bool probe_is_idle(const struct probe *p)
{
	return ring_is_empty(p->ring);
}

uint64_t probe_end(const struct probe *p)
{
	return ring_end(p->ring);
}

bool probe_has_drained(const struct probe *p, uint64_t end)
{
	return ring_has_read(p->ring, end);
}

void probe_detach(struct probe *p)
{
	probe_bpf__detach(p->skel);
	/*
	 * A program may still run on another CPU: wait until every CPU has left what
	 * it was in. Only where nohz_full is in use is this not to be had, and then
	 * the time that detaching the others takes has to do.
	 */
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
}

void probe_allow(struct probe *p, uint64_t fails, uint64_t forks)
{
	unsigned active = 0;

	for (unsigned cpu = 0; cpu < p->cpus; cpu++) {
		const volatile struct wire_counters *c = &p->counters[cpu];
		uint64_t happened = c->sent + c->lost[WIRE_LOST_SHED];

		active += happened != p->happened[cpu];
		p->happened[cpu] = happened;
	}
	if (active > 1) {
		fails = (fails + active - 1) / active;
		forks = (forks + active - 1) / active;
	}
	for (unsigned cpu = 0; cpu < p->cpus; cpu++) {
		struct wire_allowed *a = &p->allowed[cpu];
		uint64_t sent = __atomic_load_n(&p->counters[cpu].sent, __ATOMIC_RELAXED);

		__atomic_store_n(&a->fails, sent + fails, __ATOMIC_RELAXED);
		__atomic_store_n(&a->forks, sent + forks, __ATOMIC_RELAXED);
	}
}

uint64_t probe_sent(const struct probe *p)
{
	uint64_t sent = 0;

	for (unsigned i = 0; i < p->streams; i++)
		sent += __atomic_load_n(&p->counters[i].sent, __ATOMIC_RELAXED);
	return sent;
}

unsigned probe_cpus(const struct probe *p)
{
	return p->cpus;
}

unsigned probe_streams(const struct probe *p)
{
	return p->streams;
}

int probe_counters(const struct probe *p, unsigned stream, struct wire_counters *out)
{
	if (stream >= p->streams)
		return -EINVAL;
	*out = p->counters[stream];
	return 0;
}

uint64_t probe_skipped(const struct probe *p, uint64_t *execs)
{
	*execs = skips_read(&p->exec_skips);
	return *execs + skips_read(&p->skips);
}

const char *probe_features(const struct probe *p)
{
	return p->features;
}

void probe_close(struct probe *p)
{
	if (!p)
		return;
	skips_close(&p->skips);
	skips_close(&p->exec_skips);
	ring_close(p->ring);
	if (p->counters)
		munmap((void *)(uintptr_t)p->counters,
		       mapped_size(p->streams * sizeof(*p->counters)));
	if (p->allowed)
		munmap(p->allowed, mapped_size(p->cpus * sizeof(*p->allowed)));
	free(p->happened);
	probe_bpf__destroy(p->skel);
	btffile_close(p->given);
	free(p);
}
