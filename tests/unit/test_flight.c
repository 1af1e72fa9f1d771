/* SPDX-License-Identifier: BSD-2-Clause */
/* test_flight.c - segments in memory against a slow copy of them; and without memory for more. */
#include "check.h"
#include "flight.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SEGMENTS 400u
#define LIMIT (4u << 20)

/* The linker leads those of the flight recorder here: what a segment is made of. */
static bool no_memory;

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	return no_memory ? NULL : __real_calloc(n, size);
}

static uint64_t state = 88172645463325252ull;

static uint64_t rng(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* The bytes of every segment there ever was; those from first on are to be there. */
static struct {
	unsigned char *data;
	size_t len;
	uint64_t last;
} model[SEGMENTS];
static unsigned first, current;

static size_t in_memory(void)
{
	size_t sum = 0;

	for (unsigned i = first; i <= current; i++)
		sum += model[i].len;
	return sum;
}

struct reading {
	unsigned segment, end;
	size_t at, total, stop_at;
};

static int compare(void *ctx, const void *data, size_t len)
{
	struct reading *r = ctx;
	const unsigned char *p = data;

	if (r->total + len > r->stop_at)
		return 28;
	r->total += len;
	while (len) {
		size_t part;

		while (r->segment < r->end && r->at == model[r->segment].len) {
			r->segment++;
			r->at = 0;
		}
		CHECK(r->segment < r->end);
		if (r->segment == r->end)
			return 1;
		part = model[r->segment].len - r->at < len ? model[r->segment].len - r->at : len;
		CHECK(!memcmp(model[r->segment].data + r->at, p, part));
		r->at += part;
		p += part;
		len -= part;
	}
	return 0;
}

static int take_letters(void *ctx, const void *data, size_t len)
{
	strncat(ctx, data, len);
	return 0;
}

static void check_copy(const struct flight_copy *c, unsigned from, unsigned end, size_t bytes)
{
	struct reading r = { .segment = from, .end = end, .stop_at = SIZE_MAX };
	uint64_t whole;

	CHECK(flight_copy_bytes(c) == bytes);
	CHECK(flight_copy_write(c, compare, &r, &whole) == 0);
	CHECK(r.total == bytes && whole == bytes);
	/* A writer that takes no more: whole segments were handed over before. */
	r = (struct reading){ .segment = from, .end = end, .stop_at = bytes / 2 };
	if (bytes && flight_copy_write(c, compare, &r, &whole) != 0) {
		size_t sum = 0;

		for (unsigned i = from; sum < whole; i++)
			sum += model[i].len;
		CHECK(sum == whole && whole <= r.total);
	}
}

static void put(struct flight *f)
{
	size_t len = rng() % 4 ? rng() % 3000 : rng() % 600000;
	unsigned char *data = malloc(len + 1);

	for (size_t i = 0; i < len; i++)
		data[i] = (unsigned char)rng();
	while (first < current && in_memory() + len > LIMIT)
		first++;
	model[current].data = realloc(model[current].data, model[current].len + len + 1);
	memcpy(model[current].data + model[current].len, data, len);
	model[current].len += len;
	CHECK(flight_write(f, data, len) == 0);
	free(data);
}

static void run(uint64_t age)
{
	const struct flight_options opt = { LIMIT, age };
	struct flight *f = flight_new(&opt);
	struct flight_copy *held = NULL;
	unsigned held_from = 0, held_end = 0;
	size_t held_bytes = 0;

	memset(model, 0, sizeof(model));
	first = current = 0;
	while (current < SEGMENTS - 1) {
		struct flight_copy *c;

		for (unsigned n = (unsigned)(rng() % 12); n; n--)
			put(f);
		if (rng() % 3 == 0) {
			size_t size = model[current].len ? rng() % (model[current].len + 1) : 0;

			flight_trim(f, size);
			model[current].len = size;
			put(f);
		}
		c = flight_copy(f);
		CHECK(!c == (first == current));
		if (c) {
			check_copy(c, first, current, in_memory() - model[current].len);
			flight_copy_drop(f, c);
		}
		/* One that is held stays as it was, whatever goes. */
		if (held && rng() % 8 == 0) {
			check_copy(held, held_from, held_end, held_bytes);
			flight_copy_drop(f, held);
			held = NULL;
		}
		if (!held && (held = flight_copy(f))) {
			held_from = first;
			held_end = current;
			held_bytes = in_memory() - model[current].len;
		}
		model[current].last = current * 10;
		CHECK(flight_make_next(f) == 0);
		flight_next(f, model[current].last);
		current++;
		while (age != UINT64_MAX && first < current && model[first].last + age < model[current - 1].last)
			first++;
	}
	flight_copy_drop(f, held);
	flight_free(f);
	for (unsigned i = 0; i < SEGMENTS; i++)
		free(model[i].data);
}

static void next(struct flight *f, uint64_t last)
{
	CHECK(flight_make_next(f) == 0);
	flight_next(f, last);
}

/* What is in memory without the current segment, each a letter. */
static void check_letters(struct flight *f, const char *letters)
{
	struct flight_copy *c = flight_copy(f);
	char found[64] = "";
	uint64_t whole;

	if (c)
		CHECK(flight_copy_write(c, take_letters, found, &whole) == 0);
	CHECK_CASE(letters, strcmp(found, letters) == 0);
	flight_copy_drop(f, c);
}

/*
 * What was recorded last is never left out of a copy: the next segment begins in the place
 * of the oldest one.
 */
static void run_without_memory(void)
{
	const struct flight_options opt = { LIMIT, UINT64_MAX };
	struct flight *f = flight_new(&opt);
	struct flight_copy *held;

	/* There is one for the first time in any case. */
	no_memory = true;
	CHECK(flight_write(f, "a", 1) == 0);
	next(f, 1);
	check_letters(f, "a");
	for (const char *letter = "bcd"; *letter; letter++) {
		const char newest[] = { *letter, '\0' };

		CHECK(flight_write(f, letter, 1) == 0);
		next(f, 1);
		check_letters(f, newest);
	}
	no_memory = false;
	CHECK(flight_write(f, "e", 1) == 0);
	next(f, 1);
	check_letters(f, "de");
	no_memory = true;
	CHECK(flight_write(f, "f", 1) == 0);
	next(f, 1);
	check_letters(f, "ef");
	/* What is being written is not given up. */
	held = flight_copy(f);
	CHECK(flight_write(f, "g", 1) == 0);
	CHECK(flight_make_next(f) == ENOMEM);
	CHECK(flight_write(f, "h", 1) == 0);
	flight_copy_drop(f, held);
	next(f, 1);
	check_letters(f, "fgh");
	no_memory = false;
	flight_free(f);

	no_memory = true;
	CHECK(!flight_new(&opt));
	no_memory = false;
}

int main(void)
{
	run_without_memory();
	run(UINT64_MAX);
	run(35);
	run(0);
	flight_free(NULL);
	flight_copy_drop(NULL, NULL);
	return check_result();
}
