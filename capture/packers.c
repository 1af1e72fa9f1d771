/* SPDX-License-Identifier: BSD-2-Clause */
#include "packers.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#include "queue.h"
#include "thread.h"

/* So many that nobody has begun are more than the writer thread is about to take. */
#define BACKLOG 2

struct helper {
	struct packers *of;
	struct et_packer *packer;
	pthread_t thread;
};

struct packers {
	struct et_packer *own;			/* the writer thread's */
	struct helper helpers[PACKERS_MAX];
	unsigned n_helpers;			/* with a thread */

	pthread_mutex_t lock;
	pthread_cond_t offered;			/* BACKLOG reached, or ended */
	pthread_cond_t packed;			/* one more */
	struct parcel *head, **tail;		/* not begun, oldest first */
	unsigned waiting;			/* in that list */
	bool ended;
};

/* Takes the oldest parcel and packs it. Called and returns with the lock held. */
static void pack_next(struct packers *p, struct et_packer *packer)
{
	struct parcel *parcel = p->head;

	p->head = parcel->next_offered;
	if (!p->head)
		p->tail = &p->head;
	p->waiting--;
	pthread_mutex_unlock(&p->lock);
	/* A failure stays in what it returns, for who writes that. */
	et_packer_pack(packer, ET_REC_CHUNK, parcel->rows, parcel->packed, NULL);
	pthread_mutex_lock(&p->lock);
	parcel->is_packed = true;
}

static void helper_main(void *arg)
{
	struct helper *h = arg;
	struct packers *p = h->of;

	pthread_mutex_lock(&p->lock);
	while (!p->ended) {
		if (p->waiting < BACKLOG) {
			pthread_cond_wait(&p->offered, &p->lock);
			continue;
		}
		pack_next(p, h->packer);
		pthread_cond_signal(&p->packed);
	}
	pthread_mutex_unlock(&p->lock);
}

static int start(struct packers *p, struct helper *h, int level)
{
	int ret;

	h->of = p;
	if (et_packer_new(level, &h->packer, NULL) != ET_OK)
		return ENOMEM;
	ret = thread_start(&h->thread, 0, helper_main, h);
	if (ret) {
		et_packer_free(h->packer);
		return ret;
	}
	p->n_helpers++;
	return 0;
}

int packers_new(unsigned n, int level, struct packers **out)
{
	struct packers *p = calloc(1, sizeof(*p));
	int ret = 0;

	*out = NULL;
	if (!p)
		return ENOMEM;
	pthread_mutex_init(&p->lock, NULL);
	pthread_cond_init(&p->offered, NULL);
	pthread_cond_init(&p->packed, NULL);
	p->tail = &p->head;
	if (et_packer_new(level, &p->own, NULL) != ET_OK)
		ret = ENOMEM;
	while (!ret && p->n_helpers + 1 < n)
		ret = start(p, &p->helpers[p->n_helpers], level);
	if (ret) {
		packers_free(p);
		return ret;
	}
	*out = p;
	return 0;
}

void packers_free(struct packers *p)
{
	if (!p)
		return;
	pthread_mutex_lock(&p->lock);
	p->ended = true;
	pthread_cond_broadcast(&p->offered);
	pthread_mutex_unlock(&p->lock);
	for (unsigned i = 0; i < p->n_helpers; i++) {
		pthread_join(p->helpers[i].thread, NULL);
		et_packer_free(p->helpers[i].packer);
	}
	et_packer_free(p->own);
	pthread_cond_destroy(&p->packed);
	pthread_cond_destroy(&p->offered);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

void packers_offer(struct packers *p, struct parcel *parcel)
{
	parcel->next_offered = NULL;
	parcel->is_packed = false;
	pthread_mutex_lock(&p->lock);
	*p->tail = parcel;
	p->tail = &parcel->next_offered;
	if (++p->waiting >= BACKLOG)
		pthread_cond_signal(&p->offered);
	pthread_mutex_unlock(&p->lock);
}

void packers_finish(struct packers *p, struct parcel *parcel)
{
	pthread_mutex_lock(&p->lock);
	/* Begun by nobody, it is the oldest that waits: those before were finished. */
	while (!parcel->is_packed) {
		if (p->head)
			pack_next(p, p->own);
		else
			pthread_cond_wait(&p->packed, &p->lock);
	}
	pthread_mutex_unlock(&p->lock);
}
