/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Lines that wait: all orders, and the first and the last of them, from memory and from runs in
 * a file, compared with what qsort makes of all.
 */
#include "check.h"
#include "events.h"
#include "order.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define LINES 20000

struct known {
	unsigned char key[4];
	unsigned index, len;
};

static struct known lines[LINES];
static char text[8192];

static bool backwards;

static int by_key(const void *a, const void *b)
{
	const struct known *x = a, *y = b;
	int side = memcmp(x->key, y->key, sizeof(x->key));

	if (!side)
		side = x->index < y->index ? -1 : 1;
	return backwards ? -side : side;
}

/* distinct: how many keys there are; 1: the lines come in order. */
static void make_lines(unsigned distinct, unsigned longest)
{
	for (unsigned i = 0; i < LINES; i++) {
		unsigned key = (unsigned)(rng() % distinct);

		lines[i] = (struct known){ .index = i, .len = 1 + (unsigned)(rng() % longest) };
		for (unsigned k = 0; k < 4; k++)
			lines[i].key[k] = (unsigned char)(key >> (24 - 8 * k));
	}
}

static struct order_line line_of(const struct known *k)
{
	struct order_line line = { .key = (const char *)k->key,
				   .key_len = sizeof(k->key),
				   .made = text,
				   .len = k->len,
				   .wall = -(int64_t)k->index,
				   .offset = (int32_t)k->index,
				   .whose = ~k->index };

	memcpy(text, &k->index, sizeof(k->index));
	return line;
}

static bool is_line(const struct order_line *line, const struct known *k)
{
	unsigned len = k->len < sizeof(k->index) ? k->len : sizeof(k->index);

	return line->key_len == sizeof(k->key) && !memcmp(line->key, k->key, sizeof(k->key)) &&
	       line->len == k->len && !memcmp(line->made, &k->index, len) &&
	       line->wall == -(int64_t)k->index && line->offset == (int32_t)k->index && line->whose == ~k->index;
}

/* Fills an order with all lines, but for those it does not want. */
static int add_all(struct order *o, uint64_t *wanted, struct reason *why)
{
	*wanted = 0;
	for (unsigned i = 0; i < LINES; i++) {
		struct order_line line = line_of(&lines[i]);

		if (!order_wants(o, line.key, line.key_len))
			continue;
		++*wanted;
		if (order_add(o, &line, why))
			return -1;
	}
	return order_end(o, why);
}

static void check_order(const struct order_options *how, const char *label)
{
	static struct known sorted[LINES];
	unsigned from = 0, to = LINES;
	struct order_line line;
	struct reason why;
	struct order *o = order_new(how);
	uint64_t wanted;
	bool same = true;
	off_t size;

	backwards = how->backwards;
	memcpy(sorted, lines, sizeof(lines));
	qsort(sorted, LINES, sizeof(*sorted), by_key);
	if (how->first < LINES)
		to = (unsigned)how->first;
	if (how->last < LINES)
		from = LINES - (unsigned)how->last;
	CHECK_CASE(label, o && !add_all(o, &wanted, &why));
	for (unsigned i = from; i < to; i++)
		same &= order_next(o, &line, &why) == 1 && is_line(&line, &sorted[i]);
	CHECK_CASE(label, same);
	CHECK_CASE(label, order_next(o, &line, &why) == 0);
	CHECK_CASE(label, order_next(o, &line, &why) == 0);
	size = lseek(how->fd, 0, SEEK_END);
	/* A few are found without the file. */
	CHECK_CASE(label, to - from > 500 || size == 0);
	CHECK_CASE(label, to - from < LINES || how->memory > 1000000 || size > 0);
	order_free(o);
}

static void test_orders(void)
{
	static const struct {
		uint64_t first, last;
	} pieces[] = { { ORDER_ALL, ORDER_ALL }, { 0, ORDER_ALL },     { 1, ORDER_ALL },
		       { 10, ORDER_ALL },	 { 15000, ORDER_ALL }, { LINES + 1, ORDER_ALL },
		       { ORDER_ALL, 0 },	 { ORDER_ALL, 1 },     { ORDER_ALL, 300 },
		       { ORDER_ALL, 15000 },	 { ORDER_ALL, LINES } };
	char label[100];

	for (unsigned i = 0; i < 2 * 2 * 3; i++) {
		static const unsigned distinct[] = { 1, 50, 1000000 };

		make_lines(distinct[i / 4], 60);
		for (size_t k = 0; k < sizeof(pieces) / sizeof(pieces[0]); k++) {
			struct order_options how = { .backwards = i & 1,
						     .first = pieces[k].first,
						     .last = pieces[k].last,
						     .memory = i & 2 ? 200000 : 100000000,
						     .fd = memfd_create("order", MFD_CLOEXEC) };

			snprintf(label, sizeof(label), "%u keys, %s%s, first %lld, last %lld",
				 distinct[i / 4], i & 1 ? "backwards, " : "",
				 i & 2 ? "a file" : "memory", (long long)how.first,
				 (long long)how.last);
			check_order(&how, label);
			close(how.fd);
		}
	}
}

/* Of few that are wanted, few are copied. */
static void test_wants(void)
{
	struct order_options how = { .first = 10, .last = ORDER_ALL, .memory = 1 << 20, .fd = -1 };
	struct reason why;
	struct order *o;
	uint64_t wanted;

	make_lines(1000000, 60);
	o = order_new(&how);
	CHECK(!add_all(o, &wanted, &why) && wanted >= 10 && wanted < 6000);
	order_free(o);
}

/* Lines longer than the buffers, and more of them than there is memory for. */
static void test_long_lines(void)
{
	struct order_options how = { .first = ORDER_ALL, .last = ORDER_ALL, .memory = 8 << 20 };
	struct reason why;
	struct order *o;
	uint64_t wanted;

	make_lines(1000, sizeof(text));
	how.fd = memfd_create("order", MFD_CLOEXEC);
	check_order(&how, "long lines");
	CHECK(ftruncate(how.fd, 0) == 0);
	how.memory = 300000;
	o = order_new(&how);
	CHECK(add_all(o, &wanted, &why) && why.code == EXIT_FAILED && strstr(why.text, "too"));
	order_free(o);
	close(how.fd);
}

static void test_no_file(void)
{
	struct order_options how = { .first = ORDER_ALL, .last = ORDER_ALL, .memory = 100000,
				     .fd = -1, .error = EROFS };
	struct reason why;
	struct order *o;
	uint64_t wanted;

	make_lines(1000, 60);
	o = order_new(&how);
	CHECK(add_all(o, &wanted, &why) && strstr(why.text, strerror(EROFS)) &&
	      strstr(why.text, "TMPDIR"));
	order_free(o);
	/* One that takes nothing. */
	how.fd = open("/dev/full", O_RDWR | O_CLOEXEC);
	o = order_new(&how);
	CHECK(how.fd < 0 || (add_all(o, &wanted, &why) && strstr(why.text, strerror(ENOSPC))));
	order_free(o);
	if (how.fd >= 0)
		close(how.fd);
}

int main(void)
{
	test_orders();
	test_wants();
	test_long_lines();
	test_no_file();
	return check_result();
}
