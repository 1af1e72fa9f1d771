/* SPDX-License-Identifier: BSD-2-Clause */
/* filter.c - from options to expressions, and the scope that binds them. */
#include "filter.h"

#include <stdlib.h>
#include <string.h>

#include "match.h"

static const struct {
	const char *name;
	uint8_t operand, op; /* of the first test, which takes the values */
} option_tests[FILTER_OPTIONS] = {
	[FILTER_UID] = { "uid", ET_F_UID, TEST_VALUES },
	[FILTER_GID] = { "gid", ET_F_GID, TEST_VALUES },
	[FILTER_PID] = { "pid", ET_F_PID, TEST_VALUES },
	[FILTER_PPID] = { "ppid", ET_F_PPID, TEST_VALUES },
	[FILTER_EXIT_CODE] = { "exit-code", ET_F_EXIT_CODE, TEST_VALUES },
	[FILTER_COMM] = { "comm", ET_F_COMM, TEST_GLOB },
	[FILTER_EXE] = { "exe", ET_F_EXE, TEST_GLOB },
	[FILTER_ARG] = { "arg", ET_F_ARGV, TEST_GLOB },
	[FILTER_KIND] = { "kind", ET_F_KIND, TEST_VALUES },
};

_Static_assert(sizeof(((struct reason *)0)->line) == EXPR_LINE, "its lines fit");

/* ---- Building ----------------------------------------------------------------- */

void filter_free(struct filter *f)
{
	for (int i = 0; i < FILTER_OPTIONS; i++)
		expr_free(f->options[i]);
	for (size_t i = 0; i < f->n_others; i++)
		expr_free(f->others[i]);
	free(f->others);
	pids_free(&f->descendants);
	*f = (struct filter){ 0 };
}

static int no_memory(struct reason *why)
{
	return reason_set(why, EXIT_FAILED, "out of memory");
}

/* A test with a node of its own; NULL: no memory. */
static struct test *add_test(struct expr *e, unsigned operand, enum test_op op, uint16_t *node)
{
	struct test t = test_of(operand, op);

	return expr_add_test(e, &t, node) ? NULL : &e->tests[e->n_tests - 1];
}

/* exe ~ GLOB || !known(exe) && filename ~ GLOB */
static int make_exe(struct expr *e)
{
	uint16_t exe, known, filename, both;

	if (!add_test(e, ET_F_EXE, TEST_GLOB, &exe) || !add_test(e, ET_F_EXE, TEST_KNOWN, &known) ||
	    !add_test(e, ET_F_FILENAME, TEST_GLOB, &filename))
		return -1;
	e->nodes[known].negated = true;
	e->nodes[known].next = filename;
	if (expr_add_node(e, NODE_AND, known, &both))
		return -1;
	e->nodes[exe].next = both;
	return expr_add_node(e, NODE_OR, exe, &e->root);
}

/* The expression of an option, made when that is given first. NULL: no memory. */
static struct expr *option_expr(struct filter *f, enum filter_option which)
{
	struct expr *e = f->options[which];
	bool made;

	if (e)
		return e;
	e = calloc(1, sizeof(*e));
	if (!e)
		return NULL;
	made = which == FILTER_EXE ? !make_exe(e)
				   : add_test(e, option_tests[which].operand,
					      option_tests[which].op, &e->root) != NULL;
	if (!made) {
		expr_free(e);
		return NULL;
	}
	f->options[which] = e;
	return e;
}

const struct test *filter_values(const struct filter *f, enum filter_option which)
{
	return f->options[which] ? &f->options[which]->tests[0] : NULL;
}

/* Splits a comma list; false at its end. An empty part has *len 0. */
static bool next_part(const char **at, const char **part, size_t *len)
{
	if (!*at)
		return false;
	*part = *at;
	*len = strcspn(*at, ",");
	*at = (*at)[*len] ? *at + *len + 1 : NULL;
	return true;
}

/* Decimal digits alone, up to 2^32 - 1: ids and exit codes have no more. */
static bool parse_u32(const char *s, size_t len, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		*out = *out * 10 + (uint64_t)(s[i] - '0');
		if (*out > UINT32_MAX)
			return false;
	}
	return len > 0;
}

int filter_add_numbers(struct filter *f, enum filter_option which, const char *list,
		       struct reason *why)
{
	bool named = which == FILTER_UID || which == FILTER_GID;
	struct expr *e = option_expr(f, which);
	const char *part;
	size_t len;

	if (!e)
		return no_memory(why);
	while (next_part(&list, &part, &len)) {
		uint64_t value;
		int r;

		if (parse_u32(part, len, &value))
			r = test_add_range(&e->tests[0], value, value);
		else if (named && len && strspn(part, "0123456789") < len)
			r = test_add_text(&e->tests[0], part, len, NULL);
		else
			return reason_set(why, EXIT_USAGE, "--%s: '%.*s' is not a %s",
					  option_tests[which].name, (int)len, part,
					  which == FILTER_UID   ? "user's number or name"
					  : which == FILTER_GID ? "group's number or name"
								: "number");
		if (r)
			return no_memory(why);
	}
	expr_settle(e);
	return 0;
}

int filter_add_glob(struct filter *f, enum filter_option which, const char *glob,
		    struct reason *why)
{
	struct expr *e = option_expr(f, which);

	if (!e)
		return no_memory(why);
	for (size_t i = 0; i < e->n_tests; i++)
		if (e->tests[i].op == TEST_GLOB &&
		    test_add_text(&e->tests[i], glob, strlen(glob), NULL))
			return no_memory(why);
	expr_settle(e);
	return 0;
}

int filter_add_kinds(struct filter *f, const char *list, struct reason *why)
{
	struct expr *e = option_expr(f, FILTER_KIND);
	const char *part;
	size_t len;

	if (!e)
		return no_memory(why);
	while (next_part(&list, &part, &len)) {
		char name[16];
		unsigned kind = 0;

		if (len < sizeof(name)) {
			memcpy(name, part, len);
			name[len] = 0;
			kind = et_kind_parse(name);
		}
		if (!kind)
			return reason_set(
				why, EXIT_USAGE,
				"--kind: '%.*s' is not one of exec, fail, fork, exit, "
				"proc, lost",
				(int)len, part);
		if (test_add_range(&e->tests[0], kind, kind))
			return no_memory(why);
	}
	expr_settle(e);
	return 0;
}

/* failed, ok, or both joined. */
int filter_add_outcome(struct filter *f, unsigned operand, struct reason *why)
{
	struct expr *e = f->options[FILTER_OUTCOME];
	uint16_t node, before;
	struct test *t;

	for (size_t i = 0; e && i < e->n_tests; i++)
		if (e->tests[i].what.id == operand)
			return 0;
	if (!e)
		e = f->options[FILTER_OUTCOME] = calloc(1, sizeof(*e));
	t = e ? add_test(e, operand, TEST_VALUES, &node) : NULL;
	if (!t || test_add_range(t, 1, 1))
		return no_memory(why);
	before = e->root;
	e->root = node;
	e->nodes[node].next = node ? before : EXPR_NONE;
	if (node && expr_add_node(e, NODE_OR, node, &e->root))
		return no_memory(why);
	expr_settle(e);
	return 0;
}

/* One condition more; takes it over. */
static int add_other(struct filter *f, struct expr *e, struct reason *why)
{
	struct expr **more = reallocarray(f->others, f->n_others + 1, sizeof(struct expr *));

	if (!more) {
		expr_free(e);
		return no_memory(why);
	}
	f->others = more;
	more[f->n_others++] = e;
	return 0;
}

int filter_add_match(struct filter *f, const char *text, struct reason *why)
{
	struct expr *e;

	return match_parse(text, &e, why) ? -1 : add_other(f, e, why);
}

int filter_add_where(struct filter *f, const char *text, struct reason *why)
{
	static const struct expr_options opt = { .names = EXPR_USERS | EXPR_CGROUPS |
						       EXPR_CLOCK };
	struct expr_error err;
	struct expr *e;

	if (expr_parse(text, &opt, &e, &err)) {
		reason_set(why, EXIT_USAGE, "--where: %s", err.text);
		expr_point(text, &err, why->line, why->caret);
		return -1;
	}
	if (!expr_is_futile(e))
		return add_other(f, e, why);
	expr_free(e);
	return reason_set(why, EXIT_USAGE,
			  "--where: no event can match: no kind of event has all that "
			  "'%s' asks for (--columns help lists which has what)", text);
}

/* ---- Binding ------------------------------------------------------------------- */

void scope_free(struct filter_scope *s)
{
	plan_free(&s->plan);
	*s = (struct filter_scope){ 0 };
}

/* A plan of all that is asked for. */
static int make_plan(struct filter_scope *s, const struct filter *f)
{
	const struct expr **all = calloc(FILTER_OPTIONS + f->n_others, sizeof(struct expr *));
	uint32_t named = 0;
	size_t n = 0;
	int r;

	if (!all)
		return -1;
	for (int i = 0; i < FILTER_OPTIONS; i++)
		if (f->options[i])
			all[n++] = f->options[i];
	for (size_t i = 0; i < f->n_others; i++)
		all[n++] = f->others[i];
	for (size_t i = 0; i < n; i++)
		named |= expr_kinds_named(all[i]);
	plan_free(&s->plan);
	r = plan_make(&s->plan, all, n, f->keeps_lost);
	s->plan.kinds = ~(f->unasked & ~named);
	free(all);
	return r;
}

int scope_bind(struct filter_scope *s, const struct filter *f, const struct et_context *names)
{
	if (s->filter != f && make_plan(s, f))
		return -1;
	s->filter = f;
	return plan_bind(&s->plan, names);
}

void scope_bind_times(struct filter_scope *s, const struct filter *f, int64_t start,
		      int32_t offset)
{
	int64_t low = INT64_MIN, high = INT64_MAX;
	bool any = true;

	s->asked_since = f->has_since ? moment_resolve(&f->since, start, offset) : INT64_MIN;
	s->asked_until = f->has_until ? moment_resolve(&f->until, start, offset) : INT64_MAX;
	plan_bind_times(&s->plan, start, offset);
	/* Lost events that pass the expressions whenever they were are to be read. */
	if (!f->keeps_lost)
		any = plan_times(&s->plan, &low, &high);
	s->since = any && low > s->asked_since ? low : s->asked_since;
	s->until = any && high < s->asked_until ? high + 1 : s->asked_until;
	if (!any)
		s->until = s->since;
}
