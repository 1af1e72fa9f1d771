/* SPDX-License-Identifier: BSD-2-Clause */
#include "queue.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "packers.h"

struct queue {
	struct packers *packers;
	pthread_mutex_t lock;
	pthread_cond_t filled;		/* head, or closed */
	struct parcel *head, **tail;	/* full ones, oldest first */
	struct parcel *empty;
	bool wanted;			/* the drain thread found no empty one */
	bool closed;
	unsigned parcels, full;		/* all of them; from queue_put to queue_return */
	uint64_t memory;		/* of all parcels */
	int event;
};

static void parcel_free(struct parcel *p)
{
	if (!p)
		return;
	et_batch_free(p->rows);
	et_batch_free(p->losses);
	et_packed_free(p->packed);
	ids_free(&p->ids);
	free(p);
}

static struct parcel *parcel_new(void)
{
	struct parcel *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->rows = et_batch_new();
	p->losses = et_batch_new();
	p->packed = et_packed_new();
	if (!p->rows || !p->losses || !p->packed) {
		parcel_free(p);
		return NULL;
	}
	return p;
}

/* Packed, its rows take no more than they did before. */
static uint64_t memory_of(const struct parcel *p)
{
	uint64_t rows = et_batch_bytes(p->rows), packed = et_packed_memory(p->packed);

	return et_batch_memory(p->rows) + et_batch_memory(p->losses) + (rows > packed ? rows : packed);
}

/* With the lock. */
static void count(struct queue *q, struct parcel *p, uint64_t memory)
{
	q->memory += memory - p->memory;
	p->memory = memory;
}

static void empty(struct parcel *p)
{
	et_batch_reset(p->rows);
	et_batch_reset(p->losses);
	ids_clear(&p->ids);
	p->seen.ts = 0;
	p->marks = 0;
}

/* Gives back what it has grown by. */
static void shrink(struct parcel *p)
{
	struct parcel *fresh = parcel_new(), old = *p;

	if (!fresh)
		return;
	p->rows = fresh->rows;
	p->losses = fresh->losses;
	p->packed = fresh->packed;
	fresh->rows = old.rows;
	fresh->losses = old.losses;
	fresh->packed = old.packed;
	parcel_free(fresh);
}

static void free_list(struct parcel *p)
{
	while (p) {
		struct parcel *next = p->next;

		parcel_free(p);
		p = next;
	}
}

void queue_free(struct queue *q)
{
	if (!q)
		return;
	free_list(q->head);
	free_list(q->empty);
	if (q->event >= 0)
		close(q->event);
	pthread_cond_destroy(&q->filled);
	pthread_mutex_destroy(&q->lock);
	free(q);
}

struct queue *queue_new(unsigned n, struct packers *packers)
{
	struct queue *q = calloc(1, sizeof(*q));

	if (!q)
		return NULL;
	q->packers = packers;
	pthread_mutex_init(&q->lock, NULL);
	pthread_cond_init(&q->filled, NULL);
	q->tail = &q->head;
	q->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	if (q->event < 0)
		goto fail;
	for (unsigned i = 0; i < n; i++) {
		struct parcel *p = parcel_new();

		if (!p) {
			errno = ENOMEM;
			goto fail;
		}
		p->next = q->empty;
		q->empty = p;
		count(q, p, memory_of(p));
	}
	q->parcels = n;
	return q;
fail:
	queue_free(q);
	return NULL;
}

void queue_fill(struct queue *q, unsigned *parcels, unsigned *full)
{
	pthread_mutex_lock(&q->lock);
	*parcels = q->parcels;
	*full = q->full;
	pthread_mutex_unlock(&q->lock);
}

struct parcel *queue_take(struct queue *q)
{
	struct parcel *p;

	pthread_mutex_lock(&q->lock);
	p = q->full && q->memory > QUEUE_MEMORY ? NULL : q->empty;
	if (p)
		q->empty = p->next;
	q->wanted = !p;
	pthread_mutex_unlock(&q->lock);
	return p;
}

int queue_fd(const struct queue *q)
{
	return q->event;
}

void queue_fd_clear(struct queue *q)
{
	uint64_t n;

	while (read(q->event, &n, sizeof(n)) < 0 && errno == EINTR)
		;
}

void queue_put(struct queue *q, struct parcel *p)
{
	uint64_t memory = memory_of(p);

	p->next = NULL;
	packers_offer(q->packers, p);
	pthread_mutex_lock(&q->lock);
	count(q, p, memory);
	*q->tail = p;
	q->tail = &p->next;
	q->full++;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

void queue_close(struct queue *q)
{
	pthread_mutex_lock(&q->lock);
	q->closed = true;
	pthread_cond_signal(&q->filled);
	pthread_mutex_unlock(&q->lock);
}

struct parcel *queue_get(struct queue *q)
{
	struct parcel *p;

	pthread_mutex_lock(&q->lock);
	while (!q->head && !q->closed)
		pthread_cond_wait(&q->filled, &q->lock);
	p = q->head;
	if (p) {
		q->head = p->next;
		if (!q->head)
			q->tail = &q->head;
	}
	pthread_mutex_unlock(&q->lock);
	if (p)
		packers_finish(q->packers, p);
	return p;
}

void queue_return(struct queue *q, struct parcel *p)
{
	const uint64_t one = 1;
	uint64_t memory;
	bool wake, large;

	empty(p);
	memory = memory_of(p);
	pthread_mutex_lock(&q->lock);
	count(q, p, memory);
	/* What the empty ones keep is to leave room for others to grow. */
	large = q->memory > QUEUE_MEMORY / 2;
	pthread_mutex_unlock(&q->lock);
	if (large) {
		shrink(p);
		memory = memory_of(p);
	}

	pthread_mutex_lock(&q->lock);
	count(q, p, memory);
	p->next = q->empty;
	q->empty = p;
	q->full--;
	wake = q->wanted;
	q->wanted = false;
	pthread_mutex_unlock(&q->lock);
	/* Fails only when the counter is full, and then it is readable anyway. */
	if (wake && write(q->event, &one, sizeof(one)) < 0)
		return;
}
