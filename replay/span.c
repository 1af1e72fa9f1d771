/* SPDX-License-Identifier: BSD-2-Clause */
#include "span.h"

#include <stdlib.h>

/*
 * Boots told apart; captures of more, which nobody made, are laid out as if the rest were
 * of one boot.
 */
#define BOOTS_MAX 4096

void span_free(struct span *s)
{
	free(s->boots);
	*s = (struct span){ 0 };
}

/* NULL: nothing is known of it. */
static struct span_boot *find(struct span *s, uint64_t boot)
{
	if (s->last < s->n && s->boots[s->last].boot == boot)
		return &s->boots[s->last];
	for (size_t i = 0; i < s->n; i++) {
		if (s->boots[i].boot == boot) {
			s->last = i;
			return &s->boots[i];
		}
	}
	return s->n == BOOTS_MAX ? &s->boots[BOOTS_MAX - 1] : NULL;
}

static struct span_boot *add(struct span *s, const struct input_row *row)
{
	struct span_boot *boots = s->boots;

	if (s->n == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 4;
		boots = reallocarray(s->boots, s->cap, sizeof(*boots));
		if (!boots)
			return NULL;
		s->boots = boots;
	}
	boots[s->n].boot = row->source->boot;
	boots[s->n].offset = (int64_t)((uint64_t)row->wall - row->ev.v[ET_F_TS].u -
				       (uint64_t)s->zero);
	boots[s->n].end = INT64_MIN;
	return &boots[s->n++];
}

static int64_t place_of(const struct span_boot *b, uint64_t ts)
{
	return (int64_t)(ts + (uint64_t)b->offset);
}

int span_take(struct span *s, const struct input_row *row, int64_t *at)
{
	struct span_boot *b;

	if (!s->any)
		s->zero = row->wall;
	s->any = true;
	b = find(s, row->source->boot);
	if (!b)
		b = add(s, row);
	if (!b)
		return ET_NOMEM;
	*at = place_of(b, row->ev.v[ET_F_TS].u);
	if (*at > b->end)
		b->end = *at;
	return ET_OK;
}

int64_t span_at(struct span *s, uint64_t boot, uint64_t ts)
{
	const struct span_boot *b = find(s, boot);

	return b ? place_of(b, ts) : 0;
}

int64_t span_end(struct span *s, uint64_t boot)
{
	const struct span_boot *b = find(s, boot);

	return b ? b->end : 0;
}

int64_t span_zero(const struct span *s)
{
	return s->zero;
}
