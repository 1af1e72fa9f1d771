/* SPDX-License-Identifier: BSD-2-Clause */
#include "ring.h"

#include <errno.h>
#include <limits.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <unistd.h>

struct ring {
	unsigned long *consumer;	/* its page is ours to write */
	const unsigned long *producer;	/* its page, then the data twice */
	const uint8_t *data;
	size_t page;
	size_t producer_size;
	uint32_t size;
	int epoll;
	uint64_t peak;
};

int ring_open(int map_fd, uint32_t size, struct ring **out)
{
	/*
	 * Edge-triggered: without it the ring is readable whenever a record lies in
	 * it, and the programs would have no say in when the reader wakes.
	 */
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };
	struct ring *r = calloc(1, sizeof(*r));
	void *p;
	int err;

	*out = NULL;
	if (!r)
		return -ENOMEM;
	r->epoll = -1;
	r->size = size;
	r->page = (size_t)sysconf(_SC_PAGESIZE);
	r->producer_size = r->page + 2 * (size_t)size;

	p = mmap(NULL, r->page, PROT_READ | PROT_WRITE, MAP_SHARED, map_fd, 0);
	if (p == MAP_FAILED)
		goto fail;
	r->consumer = p;
	p = mmap(NULL, r->producer_size, PROT_READ, MAP_SHARED, map_fd, (off_t)r->page);
	if (p == MAP_FAILED)
		goto fail;
	r->producer = p;
	r->data = (const uint8_t *)p + r->page;
	r->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (r->epoll < 0 || epoll_ctl(r->epoll, EPOLL_CTL_ADD, map_fd, &event))
		goto fail;
	*out = r;
	return 0;
fail:
	err = -errno;
	ring_close(r);
	return err;
}

void ring_close(struct ring *r)
{
	if (!r)
		return;
	if (r->epoll >= 0)
		close(r->epoll);
	if (r->producer)
		munmap((void *)(uintptr_t)r->producer, r->producer_size);
	if (r->consumer)
		munmap(r->consumer, r->page);
	free(r);
}

int ring_fd(const struct ring *r)
{
	return r->epoll;
}

void ring_acknowledge(struct ring *r)
{
	struct epoll_event event;

	/* Interrupted or not: the caller drains in any case. */
	(void)!epoll_wait(r->epoll, &event, 1, 0);
}

bool ring_is_empty(const struct ring *r)
{
	return __atomic_load_n(r->consumer, __ATOMIC_RELAXED) ==
	       __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}

void ring_fill(const struct ring *r, uint64_t *used, uint64_t *peak)
{
	*used = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE) -
		__atomic_load_n(r->consumer, __ATOMIC_RELAXED);
	*peak = *used > r->peak ? *used : r->peak;
}

uint64_t ring_end(const struct ring *r)
{
	return __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
}

bool ring_has_read(const struct ring *r, uint64_t end)
{
	return __atomic_load_n(r->consumer, __ATOMIC_RELAXED) >= end;
}

int ring_drain(struct ring *r, int (*fn)(void *ctx, const void *data, size_t size), void *ctx)
{
	unsigned long at = __atomic_load_n(r->consumer, __ATOMIC_RELAXED);
	unsigned long given = at, end = __atomic_load_n(r->producer, __ATOMIC_ACQUIRE);
	int n = 0, ret = 0;

	if (end - at > r->peak)
		r->peak = end - at;
	while (at < end && n < INT_MAX) {
		const uint8_t *record = r->data + (at & (r->size - 1));
		uint32_t len = __atomic_load_n((const uint32_t *)(const void *)record,
					       __ATOMIC_ACQUIRE);

		/* Another CPU is still writing it, and what follows waits for it. */
		if (len & BPF_RINGBUF_BUSY_BIT)
			break;
		at += BPF_RINGBUF_HDR_SZ +
		      (((len & ~BPF_RINGBUF_DISCARD_BIT) + 7ul) & ~7ul);
		if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
			n++;
			ret = fn(ctx, record + BPF_RINGBUF_HDR_SZ, len);
		}
		if (ret)
			break;
		if (at - given >= r->size / 16) {
			__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
			given = at;
		}
	}
	__atomic_store_n(r->consumer, at, __ATOMIC_RELEASE);
	return ret < 0 ? ret : n;
}
