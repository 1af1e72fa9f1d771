/* SPDX-License-Identifier: BSD-2-Clause */
#include "probe.h"

#include "btf.h"
#include "explain.h"
#include "ring.h"
#include "tracefs.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <linux/perf_event.h>
#include <probe.skel.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <wire.h>

/* The reader is woken when this part of the ring is full: room for a burst is left. */
#define WAKE_PART 4

struct probe {
	struct probe_bpf *skel;
	struct ring *ring;
	const struct wire_counters *counters;	/* the programs' own, mapped; by CPU */
	size_t counters_size;
	uint64_t request;	/* the last one put into et_wake, without its kind */
	unsigned cpus;
	char features[128];
};

/* Tells the object about this kernel and these options; it is open but not loaded. */
static int configure(struct probe *p, const struct probe_options *opt)
{
	struct probe_bpf *skel = p->skel;
	struct btf *btf = btf__load_vmlinux_btf();
	int err;

	if (!btf)
		return -errno;
	skel->rodata->max_args = opt->max_args;
	skel->rodata->wake_size = opt->ring_size / WAKE_PART;
	skel->rodata->self = opt->self;
	skel->rodata->follow = opt->follow;
	skel->rodata->no_fork = opt->no_fork;
	skel->rodata->has_group_dead = btf_tracepoint_args(btf, "sched_process_exit") >= 2;
	btf__free(btf);
	snprintf(p->features, sizeof(p->features), "exec%s%s, exit (%s)",
		 opt->no_failed ? "" : ", failed exec (64-bit calls)",
		 opt->no_fork ? "" : ", fork",
		 skel->rodata->has_group_dead ? "group_dead" : "signal->live");

	err = bpf_map__set_max_entries(skel->maps.et_events, opt->ring_size);
	if (!err)
		err = bpf_map__set_max_entries(skel->maps.et_counters, p->cpus);
	if (!err && !opt->follow)
		err = bpf_map__set_max_entries(skel->maps.et_followed, 1);
	if (!err && skel->rodata->has_group_dead)
		err = bpf_map__set_max_entries(skel->maps.et_ended, 1);
	if (!err && opt->no_failed) {
		err = bpf_program__set_autoload(skel->progs.et_exec_fail, false);
		if (!err)
			err = bpf_program__set_autoload(skel->progs.et_execat_fail, false);
	}
	/* Children of those followed have to be found all the same. */
	if (!err && opt->no_fork && !opt->follow)
		err = bpf_program__set_autoload(skel->progs.et_fork, false);
	return err;
}

/* As libbpf attaches a program to a tracepoint, but also where tracefs is not mounted. */
static struct bpf_link *attach_tracepoint(struct bpf_program *program)
{
	const char *event = strchr(bpf_program__section_name(program), '/') + 1;
	int id = tracefs_event_id(event);
	struct perf_event_attr attr = {
		.type = PERF_TYPE_TRACEPOINT,
		.size = sizeof(attr),
		.config = (uint64_t)id,
	};
	struct bpf_link *link;
	int fd, error;

	if (id < 0) {
		errno = -id;
		return NULL;
	}
	/* The program belongs to the tracepoint: it runs on all CPUs, not only on CPU 0. */
	fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(program, fd);
	if (!link) {
		error = errno;
		close(fd);
		errno = error;
		return NULL;
	}
	/* The program runs all the same; CPU 0 alone would count the events besides. */
	ioctl(fd, PERF_EVENT_IOC_DISABLE, 0);
	return link;
}

/*
 * One by one, for a failure to be told by name; those that end first, so that
 * no process is seen to begin and then not to end. A process that lives only while
 * they are attached, some tens of ms, may so have an exit without an exec, or an
 * exec and an exit without a fork. The snapshot, which is read after this, has it
 * only if it still lives.
 */
static int attach(struct probe_bpf *skel, struct probe_error *err)
{
	struct {
		struct bpf_program *program;
		struct bpf_link **link;
	} programs[] = {
		{ skel->progs.et_exit, &skel->links.et_exit },
		{ skel->progs.et_exec_fail, &skel->links.et_exec_fail },
		{ skel->progs.et_execat_fail, &skel->links.et_execat_fail },
		{ skel->progs.et_exec, &skel->links.et_exec },
		{ skel->progs.et_fork, &skel->links.et_fork },
	};

	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++) {
		struct bpf_program *program = programs[i].program;
		enum bpf_prog_type type = bpf_program__type(program);

		if (!bpf_program__autoload(program))
			continue;
		*programs[i].link = type == BPF_PROG_TYPE_TRACEPOINT ?
					    attach_tracepoint(program) :
					    bpf_program__attach(program);
		if (!*programs[i].link) {
			int error = errno;

			explain_attach(err, bpf_program__section_name(program),
				       type == BPF_PROG_TYPE_TRACEPOINT, error);
			return -error;
		}
	}
	return 0;
}

static int map_counters(struct probe *p)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	size_t size = (p->cpus * sizeof(*p->counters) + page - 1) & ~(page - 1);
	void *m = mmap(NULL, size, PROT_READ, MAP_SHARED,
		       bpf_map__fd(p->skel->maps.et_counters), 0);

	if (m == MAP_FAILED)
		return -errno;
	p->counters = m;
	p->counters_size = size;
	return 0;
}

static int load(struct probe *p, const struct probe_options *opt, struct probe_error *err)
{
	int ret;

	p->skel = probe_bpf__open();
	ret = p->skel ? configure(p, opt) : -errno;
	if (!ret)
		ret = probe_bpf__load(p->skel);
	if (ret) {
		explain_load(err, -ret);
		return ret;
	}
	ret = map_counters(p);
	if (ret) {
		explain(err, "cannot map the BPF counters: %s", strerror(-ret));
		return ret;
	}
	ret = ring_open(bpf_map__fd(p->skel->maps.et_events), opt->ring_size, &p->ring);
	if (ret) {
		explain(err, "cannot map the BPF ring buffer: %s", strerror(-ret));
		return ret;
	}
	return attach(p->skel, err);
}

int probe_open(const struct probe_options *opt, struct probe **out, struct probe_error *err)
{
	long page = sysconf(_SC_PAGESIZE);
	int cpus = libbpf_num_possible_cpus();
	struct probe *p;

	*out = NULL;
	if (opt->ring_size < page || opt->ring_size & (opt->ring_size - 1)) {
		explain(err, "a ring of %u bytes cannot be: it has to be a power of two and at "
			"least a page, %ld bytes", opt->ring_size, page);
		return -1;
	}
	if (explain_before(err))
		return -1;
	if (cpus <= 0) {
		explain(err, "cannot tell how many CPUs there are: "
			"/sys/devices/system/cpu/possible is not readable");
		return -1;
	}
	p = calloc(1, sizeof(*p));
	if (!p) {
		explain(err, "out of memory");
		return -1;
	}
	p->cpus = (unsigned)cpus;

	explain_listen();
	if (load(p, opt, err)) {
		probe_close(p);
		p = NULL;
	}
	explain_unlisten();
	*out = p;
	return p ? 0 : -1;
}

int probe_follow(struct probe *p, uint32_t pid)
{
	uint8_t value = 1;

	return bpf_map__update_elem(p->skel->maps.et_followed, &pid, sizeof(pid), &value,
				    sizeof(value), BPF_ANY);
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

unsigned probe_cpus(const struct probe *p)
{
	return p->cpus;
}

int probe_counters(const struct probe *p, unsigned cpu, struct wire_counters *out)
{
	if (cpu >= p->cpus)
		return -EINVAL;
	*out = p->counters[cpu];
	return 0;
}

const char *probe_features(const struct probe *p)
{
	return p->features;
}

void probe_close(struct probe *p)
{
	if (!p)
		return;
	ring_close(p->ring);
	if (p->counters)
		munmap((void *)(uintptr_t)p->counters, p->counters_size);
	probe_bpf__destroy(p->skel);
	free(p);
}
