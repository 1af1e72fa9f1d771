/* SPDX-License-Identifier: BSD-2-Clause */
#include "probe.h"

#include "btffile.h"
#include "explain.h"
#include "object.h"
#include "ring.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/membarrier.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <wire.h>
#include <probe.skel.h>	/* has types of wire.h */

struct probe {
	struct probe_bpf *skel;
	struct btffile *given;	/* until all are attached; NULL: the kernel's own BTF serves */
	struct object object;
	struct ring *ring;
	const struct wire_counters *counters;	/* the programs' own, mapped; by stream */
	struct wire_allowed *allowed;	/* the programs look at it, mapped; by CPU; NULL: no limit */
	uint64_t *happened;		/* by CPU, when probe_allow was called last */
	uint64_t request;	/* the last one put into et_wake, without its kind */
	unsigned cpus, streams;
};

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
	p->object = (struct object){ .skel = p->skel, .given = p->given, .cpus = p->cpus };
	ret = p->skel ? object_configure(&p->object, opt) : -errno;
	p->streams = p->object.streams;
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
	ret = object_fill(&p->object, opt->filters);
	if (ret) {
		explain(err, "cannot fill the BPF maps of filters: %s", strerror(-ret));
		return ret;
	}
	ret = object_judge(&p->object, err);
	return ret ? ret : object_attach(&p->object, err);
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
	p->object.given = NULL;
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
	return object_skipped(&p->object, execs);
}

const char *probe_features(const struct probe *p)
{
	return p->object.features;
}

void probe_close(struct probe *p)
{
	if (!p)
		return;
	object_close(&p->object);
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

