/* SPDX-License-Identifier: BSD-2-Clause */
#include "lanes.h"

/* Up to so many ranges are tried one by one, in vectors. */
#define FEW 4

/* Up to FEW ranges of numbers as they are stored, each to be taken as v - low <= span. */
struct few {
	uint64_t low[FEW], span[FEW];
	size_t n;
	bool over; /* they did not fit */
};

#define IN(type, v, k) ((type)((v) - low##k) <= span##k)

/* Bounds are copied first: what is stored to a mask might else be one of them. */
#define BOUNDS(type, k) const type low##k = (type)f->low[k], span##k = (type)f->span[k]

#define DEFINE_LOOPS(type)                                                                    \
	static void one_##type(const type *restrict v, uint32_t n, const struct few *f,       \
			       uint8_t inverted, uint8_t *restrict mask)                      \
	{                                                                                     \
		BOUNDS(type, 0);                                                              \
		for (uint32_t i = 0; i < n; i++)                                              \
			mask[i] &= (uint8_t)IN(type, v[i], 0) ^ inverted;                     \
	}                                                                                     \
	static void few_##type(const type *restrict v, uint32_t n, const struct few *f,       \
			       uint8_t inverted, uint8_t *restrict mask)                      \
	{                                                                                     \
		BOUNDS(type, 0);                                                              \
		BOUNDS(type, 1);                                                              \
		BOUNDS(type, 2);                                                              \
		BOUNDS(type, 3);                                                              \
		for (uint32_t i = 0; i < n; i++)                                              \
			mask[i] &= (uint8_t)(IN(type, v[i], 0) | IN(type, v[i], 1) |          \
					     IN(type, v[i], 2) | IN(type, v[i], 3)) ^         \
				   inverted;                                                  \
	}

DEFINE_LOOPS(uint8_t)
DEFINE_LOOPS(uint16_t)
DEFINE_LOOPS(uint32_t)
DEFINE_LOOPS(uint64_t)

static void add_stored(struct few *f, uint64_t low, uint64_t high, uint64_t most)
{
	if (low > most)
		return;
	f->over |= f->n == FEW;
	if (f->over)
		return;
	f->low[f->n] = low;
	f->span[f->n++] = (high < most ? high : most) - low;
}

static struct few as_stored(const struct et_stored *column, const struct range *ranges, size_t n)
{
	uint64_t most = column->width == 8 ? UINT64_MAX : (1ull << 8 * column->width) - 1;
	struct few f = { .over = n > FEW };

	for (size_t i = 0; i < n && !f.over; i++) {
		uint64_t low = ranges[i].low + column->less, high = ranges[i].high + column->less;

		/* ET_NONE is stored as 0, where it is one less. */
		if (low <= high) {
			add_stored(&f, low, high, most);
			continue;
		}
		add_stored(&f, 0, high, most);
		add_stored(&f, low, UINT64_MAX, most);
	}
	for (size_t i = f.n; f.n && i < FEW; i++) {
		f.low[i] = f.low[0];
		f.span[i] = f.span[0];
	}
	return f;
}

static bool in_many(const struct range *ranges, size_t n, uint64_t v)
{
	/* Each step halves what is left, without a branch to be guessed. */
	while (n > 1) {
		size_t half = n / 2;

		ranges += v >= ranges[half].low ? half : 0;
		n -= half;
	}
	return n && v - ranges->low <= ranges->high - ranges->low;
}

static void in_few(const struct et_stored *column, uint32_t n, const struct few *f,
		   uint8_t inverted, uint8_t *mask)
{
	bool one = f->n == 1;

	switch (column->width) {
	case 1:
		(one ? one_uint8_t : few_uint8_t)(column->v, n, f, inverted, mask);
		break;
	case 2:
		(one ? one_uint16_t : few_uint16_t)(column->v, n, f, inverted, mask);
		break;
	case 4:
		(one ? one_uint32_t : few_uint32_t)(column->v, n, f, inverted, mask);
		break;
	default:
		(one ? one_uint64_t : few_uint64_t)(column->v, n, f, inverted, mask);
	}
}

void lanes_in_ranges(const struct et_stored *column, uint32_t n, const struct range *ranges,
		     size_t n_ranges, bool inverted, uint8_t *mask)
{
	struct few f;

	if (!column->v) {
		if (in_many(ranges, n_ranges, column->value) == inverted)
			memset(mask, 0, n);
		return;
	}
	f = as_stored(column, ranges, n_ranges);
	if (!f.over && f.n) {
		in_few(column, n, &f, inverted, mask);
	} else if (!f.over) {
		if (!inverted)
			memset(mask, 0, n);
	} else {
		for (uint32_t i = 0; i < n; i++)
			if (mask[i])
				mask[i] = in_many(ranges, n_ranges, et_stored_number(column, i)) !=
					  inverted;
	}
}

void lanes_without(uint8_t *mask, const uint8_t *other, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		mask[i] &= other[i] ^ 1;
}

void lanes_narrow(const struct et_stored *column, uint32_t n, uint8_t *out)
{
	for (uint32_t i = 0; i < n; i++) {
		uint64_t v = et_stored_number(column, i);

		out[i] = v < 16 ? (uint8_t)v : 0;
	}
}

void lanes_of_kind(const uint8_t *kinds, uint32_t n, const uint8_t table[16],
		   const uint8_t *from, uint8_t *mask)
{
	for (uint32_t i = 0; i < n; i++)
		mask[i] = from[i] & table[kinds[i]];
}

void lanes_touch(const uint32_t *ids, uint32_t n, const uint8_t *mask, uint8_t *wanted)
{
	for (uint32_t i = 0; i < n; i++)
		wanted[ids[i]] |= mask[i];
}

void lanes_by_id(const uint32_t *ids, uint32_t n, const uint8_t *verdicts, uint8_t *mask)
{
	for (uint32_t i = 0; i < n; i++)
		mask[i] &= verdicts[ids[i]];
}
