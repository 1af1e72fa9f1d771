/* SPDX-License-Identifier: BSD-2-Clause */
#include "flight.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

/* Memory is taken in such pieces; a segment is cut into them. */
#define PIECE (256u << 10)

struct piece {
	struct piece *next;
	size_t len;
	unsigned char data[PIECE];
};

struct segment {
	struct segment *next;	/* younger */
	unsigned holders;	/* the flight, and copies */
	uint64_t bytes;
	uint64_t last;		/* ns, of its last event */
	struct piece *pieces, *end;
};

struct flight {
	struct flight_options opt;
	pthread_mutex_t lock;	/* of holders and next: copies are dropped by other threads */
	struct segment *oldest, *current;
	/*
	 * Not begun yet; NULL: none. There are two segments at least, this one or those in the
	 * row or in copies, so that one can begin whenever no copy is held.
	 */
	struct segment *next;
	uint64_t bytes;		/* of all that are in the row */
};

struct flight_copy {
	unsigned n;
	uint64_t bytes;
	struct segment *of[];
};

struct flight *flight_new(const struct flight_options *opt)
{
	struct flight *f = calloc(1, sizeof(*f));

	if (!f)
		return NULL;
	f->opt = *opt;
	pthread_mutex_init(&f->lock, NULL);
	f->oldest = f->current = calloc(1, sizeof(*f->current));
	f->next = calloc(1, sizeof(*f->next));
	if (f->current)
		f->current->holders = 1;
	if (!f->current || !f->next) {
		flight_free(f);
		return NULL;
	}
	return f;
}

static void free_pieces(struct piece *p)
{
	while (p) {
		struct piece *next = p->next;

		free(p);
		p = next;
	}
}

/* Where there is no next one, it becomes that. */
static void let_go(struct flight *f, struct segment *s)
{
	struct piece *pieces = NULL;

	pthread_mutex_lock(&f->lock);
	if (!--s->holders) {
		pieces = s->pieces;
		*s = (struct segment){ .next = NULL };
		if (f->next)
			free(s);
		else
			f->next = s;
	}
	pthread_mutex_unlock(&f->lock);
	free_pieces(pieces);
}

static void forget_oldest(struct flight *f)
{
	struct segment *s = f->oldest;

	f->oldest = s->next;
	f->bytes -= s->bytes;
	let_go(f, s);
}

void flight_free(struct flight *f)
{
	if (!f)
		return;
	f->current = NULL;
	while (f->oldest)
		forget_oldest(f);
	free(f->next);
	pthread_mutex_destroy(&f->lock);
	free(f);
}

int flight_make_next(struct flight *f)
{
	bool found, gives_way;

	pthread_mutex_lock(&f->lock);
	if (!f->next)
		f->next = calloc(1, sizeof(*f->next));
	found = f->next;
	gives_way = !found && f->oldest != f->current && f->oldest->holders == 1;
	pthread_mutex_unlock(&f->lock);
	if (gives_way)
		forget_oldest(f);
	return found || gives_way ? 0 : ENOMEM;
}

void flight_next(struct flight *f, uint64_t last)
{
	struct segment *s;

	pthread_mutex_lock(&f->lock);
	s = f->next;
	f->next = NULL;
	s->holders = 1;
	pthread_mutex_unlock(&f->lock);
	f->current->last = last;
	f->current->next = s;
	f->current = s;
	while (f->oldest != s && f->opt.age != UINT64_MAX && f->oldest->last + f->opt.age < last)
		forget_oldest(f);
}

/* Pieces for so many bytes more. What was added before memory ran out stays, empty. */
static bool extend(struct segment *s, size_t len)
{
	struct piece *p = s->end;
	size_t room = p ? PIECE - p->len : 0;

	for (; room < len; room += PIECE) {
		struct piece *more = malloc(sizeof(*more));

		if (!more)
			return false;
		more->next = NULL;
		more->len = 0;
		if (p)
			p->next = more;
		else
			s->pieces = s->end = more;
		p = more;
	}
	return true;
}

int flight_write(struct flight *f, const void *data, size_t len)
{
	struct segment *s = f->current;
	const unsigned char *from = data;

	while (f->oldest != s && f->bytes + len > f->opt.bytes)
		forget_oldest(f);
	/* Pieces that lie behind the end are empty: they are left from one that failed. */
	free_pieces(s->end ? s->end->next : NULL);
	if (s->end)
		s->end->next = NULL;
	if (!extend(s, len))
		return ENOMEM;
	f->bytes += len;
	s->bytes += len;
	while (len) {
		struct piece *p = s->end;
		size_t part = PIECE - p->len < len ? PIECE - p->len : len;

		memcpy(p->data + p->len, from, part);
		p->len += part;
		from += part;
		len -= part;
		if (len)
			s->end = p->next;
	}
	return 0;
}

void flight_trim(struct flight *f, uint64_t size)
{
	struct segment *s = f->current;
	uint64_t left = size;

	if (size >= s->bytes)
		return;
	f->bytes -= s->bytes - size;
	s->bytes = size;
	for (struct piece *p = s->pieces; p; p = p->next) {
		if (left > p->len) {
			left -= p->len;
			continue;
		}
		p->len = left;
		s->end = p;
		free_pieces(p->next);
		p->next = NULL;
	}
}

struct flight_copy *flight_copy(struct flight *f)
{
	struct flight_copy *c;
	unsigned n = 0;

	for (const struct segment *s = f->oldest; s != f->current; s = s->next)
		n++;
	c = n ? malloc(sizeof(*c) + n * sizeof(c->of[0])) : NULL;
	if (!c)
		return NULL;
	*c = (struct flight_copy){ .n = n };
	n = 0;
	pthread_mutex_lock(&f->lock);
	for (struct segment *s = f->oldest; s != f->current; s = s->next) {
		s->holders++;
		c->bytes += s->bytes;
		c->of[n++] = s;
	}
	pthread_mutex_unlock(&f->lock);
	return c;
}

uint64_t flight_copy_bytes(const struct flight_copy *c)
{
	return c->bytes;
}

int flight_copy_write(const struct flight_copy *c, int (*write)(void *ctx, const void *, size_t),
		      void *ctx, uint64_t *whole)
{
	*whole = 0;
	for (unsigned i = 0; i < c->n; i++) {
		for (const struct piece *p = c->of[i]->pieces; p; p = p->next) {
			int ret = p->len ? write(ctx, p->data, p->len) : 0;

			if (ret)
				return ret;
		}
		*whole += c->of[i]->bytes;
	}
	return 0;
}

void flight_copy_drop(struct flight *f, struct flight_copy *c)
{
	if (!c)
		return;
	for (unsigned i = 0; i < c->n; i++)
		let_go(f, c->of[i]);
	free(c);
}
