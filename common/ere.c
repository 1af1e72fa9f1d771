/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ere.c - translated into steps of a machine that is in many states at once: for each
 * byte of a text the set of states moves on, so that nothing is ever tried again.
 */
#include "ere.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 50   /* of parentheses */
#define REPEAT_MAX 255 /* RE_DUP_MAX of POSIX */

enum step_op {
	STEP_BYTE, /* this byte */
	STEP_SET,  /* a byte of sets[arg] */
	STEP_ANY,
	STEP_BEGIN, /* of the text */
	STEP_END,
	STEP_JUMP,  /* go on at arg */
	STEP_SPLIT, /* go on here, and at arg as well */
	STEP_MATCH,
};

/* Jumps are relative: a piece of code can be moved and copied. */
struct step {
	uint8_t op;
	int16_t arg;
};

struct byte_set {
	uint8_t bits[32];
};

struct ere {
	struct step *steps;
	size_t n_steps;
	struct byte_set *sets;
	size_t n_sets;
};

/* ---- Compiling -------------------------------------------------------------------- */

struct compiler {
	struct ere *ere;
	const char *at, *end;
	const char *why; /* what is wrong; NULL with failed: no memory */
	unsigned depth;
	bool failed;
};

static bool fail(struct compiler *c, const char *why)
{
	if (!c->failed)
		c->why = why;
	c->failed = true;
	return false;
}

/* Makes room for n steps at a place. False: too long, or no memory. */
static bool insert(struct compiler *c, size_t place, size_t n)
{
	struct ere *e = c->ere;
	struct step *more;

	if (n > ERE_STEPS_MAX - e->n_steps)
		return fail(c, "the regular expression is too long");
	more = reallocarray(e->steps, e->n_steps + n, sizeof(*more));
	if (!more)
		return fail(c, NULL);
	e->steps = more;
	memmove(more + place + n, more + place, (e->n_steps - place) * sizeof(*more));
	e->n_steps += n;
	return true;
}

static bool emit(struct compiler *c, enum step_op op, size_t arg)
{
	size_t place = c->ere->n_steps;

	if (!insert(c, place, 1))
		return false;
	c->ere->steps[place] = (struct step){ (uint8_t)op, (int16_t)arg };
	return true;
}

static void set_jump(struct compiler *c, size_t from, enum step_op op, size_t to)
{
	c->ere->steps[from] = (struct step){ (uint8_t)op, (int16_t)((long)to - (long)from) };
}

static void set_add(struct byte_set *set, unsigned byte)
{
	set->bits[byte / 8] |= (uint8_t)(1u << byte % 8);
}

/* ASCII alone: there is no locale. */
static bool in_class(const char *name, size_t len, unsigned b)
{
	bool lower = b >= 'a' && b <= 'z', upper = b >= 'A' && b <= 'Z';
	bool digit = b >= '0' && b <= '9', graph = b > 0x20 && b < 0x7f;
	const struct {
		const char *name;
		bool in;
	} classes[] = {
		{ "alpha", lower || upper },
		{ "digit", digit },
		{ "alnum", lower || upper || digit },
		{ "lower", lower },
		{ "upper", upper },
		{ "space", b == ' ' || (b >= '\t' && b <= '\r') },
		{ "blank", b == ' ' || b == '\t' },
		{ "punct", graph && !lower && !upper && !digit },
		{ "print", graph || b == ' ' },
		{ "graph", graph },
		{ "cntrl", b < 0x20 || b == 0x7f },
		{ "xdigit", digit || (b >= 'a' && b <= 'f') || (b >= 'A' && b <= 'F') },
	};

	for (size_t i = 0; i < sizeof(classes) / sizeof(classes[0]); i++)
		if (strlen(classes[i].name) == len && !memcmp(classes[i].name, name, len))
			return classes[i].in;
	return false;
}

/* Behind "[:". */
static bool parse_class(struct compiler *c, struct byte_set *set)
{
	const char *name = c->at;
	bool any = false;
	size_t len;

	while (c->at < c->end && *c->at >= 'a' && *c->at <= 'z')
		c->at++;
	len = (size_t)(c->at - name);
	if (c->end - c->at < 2 || c->at[0] != ':' || c->at[1] != ']')
		return fail(c, "a class such as [:digit:] is not closed");
	c->at += 2;
	for (unsigned b = 0; b < 256; b++) {
		if (!in_class(name, len, b))
			continue;
		set_add(set, b);
		any = true;
	}
	return any || fail(c, "there is no such class of characters");
}

/* One sign of a set, or a range of them. */
static bool parse_range(struct compiler *c, struct byte_set *set)
{
	unsigned low = (unsigned char)*c->at++, high = low;

	if (c->end - c->at >= 2 && c->at[0] == '-' && c->at[1] != ']') {
		high = (unsigned char)c->at[1];
		c->at += 2;
	}
	if (high < low)
		return fail(c, "a range in [ ] ends before it begins");
	for (; low <= high; low++)
		set_add(set, low);
	return true;
}

/* Behind '['. */
static bool parse_set(struct compiler *c)
{
	struct byte_set set = { { 0 } }, *more;
	bool negate = c->at < c->end && *c->at == '^', ok = true;
	const char *first = c->at += negate;

	for (; ok && c->at < c->end && (*c->at != ']' || c->at == first);) {
		bool special = *c->at == '[' && c->end - c->at > 1 &&
			       (c->at[1] == ':' || c->at[1] == '.' || c->at[1] == '=');

		if (special && c->at[1] != ':')
			return fail(c, "[. .] and [= =] are not understood");
		if (special)
			c->at += 2;
		ok = special ? parse_class(c, &set) : parse_range(c, &set);
	}
	if (!ok)
		return false;
	if (c->at == c->end)
		return fail(c, "a [ is not closed");
	c->at++;
	for (size_t i = 0; negate && i < sizeof(set.bits); i++)
		set.bits[i] = (uint8_t)~set.bits[i];
	more = reallocarray(c->ere->sets, c->ere->n_sets + 1, sizeof(*more));
	if (!more)
		return fail(c, NULL);
	c->ere->sets = more;
	more[c->ere->n_sets] = set;
	return emit(c, STEP_SET, c->ere->n_sets++);
}

static bool parse_alternatives(struct compiler *c);

/* Behind '('. */
static bool parse_group(struct compiler *c)
{
	if (++c->depth > DEPTH_MAX)
		return fail(c, "parentheses lie too deep in each other");
	if (!parse_alternatives(c))
		return false;
	if (c->at == c->end)
		return fail(c, "a ( is not closed");
	c->at++;
	c->depth--;
	return true;
}

static bool parse_escape(struct compiler *c)
{
	unsigned char b;

	if (c->at == c->end)
		return fail(c, "a \\ stands at the end");
	b = (unsigned char)*c->at++;
	if (in_class("alnum", strlen("alnum"), b))
		return fail(c, "a \\ before a letter or a digit means nothing here; [0-9], "
			       "[[:space:]] and so on do");
	return emit(c, STEP_BYTE, b);
}

static bool parse_atom(struct compiler *c)
{
	unsigned char b = (unsigned char)*c->at++;

	switch (b) {
	case '(':
		return parse_group(c);
	case '[':
		return parse_set(c);
	case '\\':
		return parse_escape(c);
	case '.':
		return emit(c, STEP_ANY, 0);
	case '^':
		return emit(c, STEP_BEGIN, 0);
	case '$':
		return emit(c, STEP_END, 0);
	case '*':
	case '+':
	case '?':
	case '{':
		return fail(c, "there is nothing in front that could be repeated");
	default:
		return emit(c, STEP_BYTE, b);
	}
}

static bool parse_count(struct compiler *c, unsigned *n)
{
	const char *first = c->at;

	*n = 0;
	for (; c->at < c->end && *c->at >= '0' && *c->at <= '9' && *n <= REPEAT_MAX; c->at++)
		*n = *n * 10 + (unsigned)(*c->at - '0');
	return (c->at > first && *n <= REPEAT_MAX) ||
	       fail(c, "{ } holds a count from 0 to 255, or two as in {2,5}");
}

/* Behind '{'. max of 0: no end. */
static bool parse_bounds(struct compiler *c, unsigned *min, unsigned *max, bool *endless)
{
	if (!parse_count(c, min))
		return false;
	*max = *min;
	*endless = false;
	if (c->at < c->end && *c->at == ',') {
		c->at++;
		*endless = c->at < c->end && *c->at == '}';
		if (!*endless && !parse_count(c, max))
			return false;
	}
	if (c->at == c->end || *c->at != '}' || *max < *min)
		return fail(c, "{ } holds a count from 0 to 255, or two as in {2,5}");
	c->at++;
	return true;
}

/* The piece of code from start to the end any number of times. */
static bool make_endless(struct compiler *c, size_t start)
{
	if (!insert(c, start, 1) || !emit(c, STEP_JUMP, 0))
		return false;
	set_jump(c, start, STEP_SPLIT, c->ere->n_steps);
	set_jump(c, c->ere->n_steps - 1, STEP_JUMP, start);
	return true;
}

static bool make_optional(struct compiler *c, size_t start)
{
	if (!insert(c, start, 1))
		return false;
	set_jump(c, start, STEP_SPLIT, c->ere->n_steps);
	return true;
}

/* Appends the n steps from place on once more. */
static bool append_copy(struct compiler *c, size_t place, size_t n)
{
	size_t to = c->ere->n_steps;

	if (!insert(c, to, n))
		return false;
	memcpy(c->ere->steps + to, c->ere->steps + place, n * sizeof(struct step));
	return true;
}

/* What lies from start on, min to max times, or min and more. */
static bool repeat(struct compiler *c, size_t start, unsigned min, unsigned max, bool endless)
{
	size_t n = c->ere->n_steps - start;
	unsigned copies = endless ? min + 1 : max;

	/* What stands there becomes the last one; the copies in front are what it was. */
	if (!copies) {
		c->ere->n_steps = start;
		return true;
	}
	for (unsigned i = 1; i < copies; i++)
		if (!append_copy(c, start, n))
			return false;
	if (endless)
		return make_endless(c, start + min * n);
	/* From the last: each then moves only what is behind it. */
	for (unsigned i = max; i-- > min;)
		if (!make_optional(c, start + i * n))
			return false;
	return true;
}

/* An atom with all that repeats it. */
static bool parse_piece(struct compiler *c)
{
	size_t start = c->ere->n_steps;
	bool ok = parse_atom(c);

	while (ok && c->at < c->end) {
		bool endless = *c->at == '*' || *c->at == '+';
		unsigned min = *c->at == '+', max = 1;

		if (!endless && *c->at != '?' && *c->at != '{')
			break;
		if (*c->at++ == '{')
			ok = parse_bounds(c, &min, &max, &endless);
		ok = ok && repeat(c, start, min, max, endless);
	}
	return ok;
}

static bool parse_branch(struct compiler *c)
{
	bool ok = true;

	while (ok && c->at < c->end && *c->at != '|' && (*c->at != ')' || !c->depth))
		ok = parse_piece(c);
	return ok;
}

static bool parse_alternatives(struct compiler *c)
{
	size_t start = c->ere->n_steps;

	if (!parse_branch(c))
		return false;
	/* What is there is the first of two: split in front of it, and jump over the second. */
	while (c->at < c->end && *c->at == '|') {
		size_t jump;

		c->at++;
		if (!insert(c, start, 1) || !emit(c, STEP_JUMP, 0))
			return false;
		jump = c->ere->n_steps - 1;
		set_jump(c, start, STEP_SPLIT, jump + 1);
		if (!parse_branch(c))
			return false;
		set_jump(c, jump, STEP_JUMP, c->ere->n_steps);
	}
	return true;
}

struct ere *ere_compile(const char *pattern, size_t len, const char **why)
{
	struct compiler c = { .at = pattern, .end = pattern + len };

	c.ere = calloc(1, sizeof(*c.ere));
	*why = NULL;
	if (!c.ere)
		return NULL;
	if (parse_alternatives(&c) && emit(&c, STEP_MATCH, 0))
		return c.ere;
	*why = c.why;
	ere_free(c.ere);
	return NULL;
}

void ere_free(struct ere *e)
{
	if (!e)
		return;
	free(e->steps);
	free(e->sets);
	free(e);
}

/* ---- Matching --------------------------------------------------------------------- */

/* Steps that the machine is at, each once, in a list. */
struct states {
	uint16_t list[ERE_STEPS_MAX];
	size_t n;
};

struct machine {
	const struct ere *ere;
	size_t at, len; /* in the text */
	uint32_t seen[(ERE_STEPS_MAX + 31) / 32]; /* a bit for each step of the states at hand */
};

/*
 * Puts a step into the states, or where it leads without a byte. The list is the stack
 * as well: what is put in is looked at later, and jumps stay in it without harm.
 * Returns whether one of them ends the expression.
 */
static bool enter(struct machine *m, struct states *s, size_t first)
{
	size_t looked = s->n;

	if (m->seen[first / 32] >> first % 32 & 1)
		return false;
	m->seen[first / 32] |= 1u << first % 32;
	s->list[s->n++] = (uint16_t)first;
	for (; looked < s->n; looked++) {
		size_t i = s->list[looked], next[2];
		const struct step *step = &m->ere->steps[i];
		unsigned n = 0;

		if (step->op == STEP_MATCH)
			return true;
		if (step->op == STEP_JUMP || step->op == STEP_SPLIT)
			next[n++] = (size_t)((long)i + step->arg);
		if (step->op == STEP_SPLIT || (step->op == STEP_BEGIN && !m->at) ||
		    (step->op == STEP_END && m->at == m->len))
			next[n++] = i + 1;
		while (n--) {
			size_t to = next[n];

			if (m->seen[to / 32] >> to % 32 & 1)
				continue;
			m->seen[to / 32] |= 1u << to % 32;
			s->list[s->n++] = (uint16_t)to;
		}
	}
	return false;
}

static bool takes(const struct ere *e, const struct step *step, unsigned char b)
{
	switch (step->op) {
	case STEP_BYTE:
		return step->arg == b;
	case STEP_SET:
		return e->sets[step->arg].bits[b / 8] >> b % 8 & 1;
	default:
		return step->op == STEP_ANY;
	}
}

bool ere_match(const struct ere *e, const char *s, size_t n)
{
	struct machine m = { .ere = e, .len = n };
	struct states states[2], *now = &states[0], *then = &states[1];
	size_t seen_size = (e->n_steps + 31) / 32 * sizeof(m.seen[0]);

	now->n = 0;
	if (enter(&m, now, 0))
		return true;
	for (size_t i = 0; i < n; i++) {
		struct states *other = now;
		bool matched = false;

		memset(m.seen, 0, seen_size);
		m.at = i + 1;
		then->n = 0;
		for (size_t k = 0; k < now->n && !matched; k++)
			if (takes(e, &e->steps[now->list[k]], (unsigned char)s[i]))
				matched = enter(&m, then, now->list[k] + 1u);
		/* A match may begin anywhere. */
		if (matched || enter(&m, then, 0))
			return true;
		now = then;
		then = other;
	}
	return false;
}
