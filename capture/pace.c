/* SPDX-License-Identifier: BSD-2-Clause */
#include "pace.h"

#define SECOND 1000000000ll
#define FULL (2 * SECOND)	/* times the rate */

static int64_t worth(const struct pace *p, int64_t ns)
{
	return (int64_t)p->rate * ns;
}

struct pace pace_begin(uint64_t rate, uint64_t now)
{
	struct pace p = { .rate = rate, .at = now };

	p.credit = worth(&p, FULL);
	return p;
}

void pace_step(struct pace *p, uint64_t now, uint64_t sent)
{
	uint64_t taken = sent - p->sent, passed = now - p->at;
	/* From the deepest debt it is full after so long; nobody sends more than that in one. */
	uint64_t most_passed = FULL + SECOND, most_taken = 3 * p->rate;

	p->credit -= (int64_t)(taken < most_taken ? taken : most_taken) * SECOND;
	if (p->credit < worth(p, -SECOND))
		p->credit = worth(p, -SECOND);
	p->credit += worth(p, (int64_t)(passed < most_passed ? passed : most_passed));
	if (p->credit > worth(p, FULL))
		p->credit = worth(p, FULL);
	p->at = now;
	p->sent = sent;
}

static uint64_t above(const struct pace *p, int64_t floor)
{
	return p->credit > floor ? (uint64_t)(p->credit - floor) / SECOND : 0;
}

uint64_t pace_fails(const struct pace *p)
{
	return above(p, worth(p, SECOND));
}

uint64_t pace_forks(const struct pace *p)
{
	return above(p, 0);
}

uint64_t pace_due(const struct pace *p, uint64_t least)
{
	uint64_t one = SECOND / p->rate;

	if (p->credit == worth(p, FULL))
		return UINT64_MAX;
	return p->at + (one > least ? one : least);
}
