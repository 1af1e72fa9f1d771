/* SPDX-License-Identifier: BSD-2-Clause */
#include "match.h"

#include <stdlib.h>
#include <string.h>

#include "value.h"

static int no_memory(struct reason *why)
{
	return reason_set(why, EXIT_FAILED, "out of memory");
}

/* A number, LOW..HIGH, LOW.. or ..HIGH; or the name of a user or a group. */
static int add_number(struct test *t, const struct operand *o, const char *s, size_t len,
		      struct reason *why)
{
	const char *dots = len ? memmem(s, len, "..", 2) : NULL;
	uint64_t low = 0, high = VALUE_MAX;
	size_t before = dots ? (size_t)(dots - s) : len;
	bool ok;

	if ((o->unit == ET_UID || o->unit == ET_GID) && len && strspn(s, "0123456789.") < len)
		return test_add_text(t, s, len, NULL) ? no_memory(why) : 0;
	if (dots) {
		ok = (!before || value_parse(o->unit, s, before, &low)) &&
		     (before + 2 == len ||
		      value_parse(o->unit, dots + 2, len - before - 2, &high)) &&
		     len > 2 && low <= high;
	} else {
		ok = value_parse(o->unit, s, len, &low);
		high = low;
	}
	if (!ok || (o->unit == ET_FLAG && dots))
		return reason_set(why, EXIT_USAGE, "--match %s: '%.*s' is not %s", o->name,
				  (int)len, s, value_wanted(o->unit));
	if (o->unit == ET_FLAG) {
		high = low ? VALUE_MAX : 0;
		low = low != 0;
	}
	return test_add_range(t, low, high) ? no_memory(why) : 0;
}

/* Up to a comma; in patterns one behind a backslash is a comma. */
static size_t part_length(const char *s, bool pattern)
{
	size_t n = 0;

	for (; s[n] && s[n] != ','; n++)
		if (pattern && s[n] == '\\' && s[n + 1])
			n++;
	return n;
}

static int add_values(struct test *t, const struct operand *o, const char *at,
		      struct reason *why)
{
	bool pattern = t->op == TEST_GLOB;

	do {
		size_t len = part_length(++at, pattern);
		int r = !pattern			     ? add_number(t, o, at, len, why)
			: test_add_text(t, at, len, NULL) ? no_memory(why)
							     : 0;

		if (r)
			return r;
		at += len;
	} while (*at);
	return 0;
}

/* Of what follows from fields only what JSON shows too. 0: there is no such field. */
static unsigned find_field(const char *name, size_t len)
{
	unsigned id = operand_find(name, len);

	return id < ET_FIELD_END || id == OPERAND_CONTAINER || id == OPERAND_DURATION ? id : 0;
}

int match_parse(const char *text, struct expr **out, struct reason *why)
{
	size_t len = strcspn(text, "=");
	unsigned id = find_field(text, len);
	struct expr *e = NULL;
	struct operand o;
	struct test t;
	int r;

	*out = NULL;
	if (!id)
		return reason_set(why, EXIT_USAGE,
				  "--match: '%.*s' is no field of an event (exectrace replay "
				  "--columns help lists them)",
				  (int)len, text);
	o = operand_get(id);
	if (!text[len] && o.unit != ET_FLAG)
		return reason_set(why, EXIT_USAGE, "--match %s: what should it be? %s=VALUE",
				  text, text);
	t = test_of(id, o.type == OPERAND_NUMBER ? TEST_VALUES : TEST_GLOB);
	if (text[len])
		r = add_values(&t, &o, text + len, why);
	else
		r = test_add_range(&t, 1, VALUE_MAX) ? no_memory(why) : 0;
	if (!r) {
		e = calloc(1, sizeof(*e));
		r = e ? 0 : no_memory(why);
	}
	if (r) {
		test_free(&t);
		return -1;
	}
	if (expr_add_test(e, &t, &e->root)) {
		expr_free(e);
		return no_memory(why);
	}
	expr_settle(e);
	*out = e;
	return 0;
}
