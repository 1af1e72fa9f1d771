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
	p = q->empty;
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
	p->next = NULL;
	packers_offer(q->packers, p);
	pthread_mutex_lock(&q->lock);
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
	bool wake;

	et_batch_reset(p->rows);
	et_batch_reset(p->losses);
	ids_clear(&p->ids);
	p->seen.ts = 0;
	p->marks = 0;

	pthread_mutex_lock(&q->lock);
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
