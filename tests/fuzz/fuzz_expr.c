/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Text up to the first NUL is an expression; what is behind it becomes strings of
 * events, and chooses their other fields. Whatever the text says, an error is in it, and
 * what the masks of an expression promise is so for every event.
 */
#include "expr.h"

#include "../unit/events.h"

#define STRING_MAX 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *name(void *ctx, uint64_t id)
{
	(void)ctx;
	return id % 3 ? NULL : id % 2 ? "ann" : "/docker/x";
}

static void demand(bool yes)
{
	if (!yes)
		abort();
}

static void check_error(const char *text, const struct expr_error *err)
{
	char line[EXPR_LINE], caret[EXPR_LINE];
	size_t len = strlen(text);

	demand(err->at <= len && err->text[0] && strlen(err->text) < sizeof(err->text));
	expr_point(text, err, line, caret);
	demand(strlen(line) < EXPR_LINE && strlen(caret) < EXPR_LINE && caret[0]);
}

static void check_event(const struct expr *e, struct et_event *ev,
			const struct expr_scope *scope)
{
	bool yes = expr_match(e, ev, scope);

	demand(!yes || expr_kinds(e) & ET_KIND_BIT(ev->v[ET_F_KIND].u));
	demand(!yes || expr_match_gap(e, ev, scope));
	ev->known &= expr_fields(e);
	demand(expr_match(e, ev, scope) == yes);
}

static void match(const struct expr *e, const char *s, size_t len)
{
	static const struct expr_scope scope = {
		.user = name, .group = name, .cgroup = name, .start = -5, .offset = 3600,
	};
	uint32_t n = (uint32_t)(len < STRING_MAX ? len : STRING_MAX);
	uint64_t ts = 1000;

	rng_state = 1;
	for (size_t i = 0; i < len; i++)
		rng_state = rng_state * 31 + (uint8_t)s[i] + 1;
	for (unsigned kind = 1; kind < ET_KIND_END; kind++) {
		char text[4096], own[STRING_MAX + 1];
		struct et_event ev;

		rng_event(&ev, kind, &ts, text);
		ev.realtime = (int64_t)rng();
		if (n && !memchr(s, 0, n)) {
			memcpy(own, s, n);
			own[n] = '\0';
			et_set_str(&ev, ET_F_COMM, own, n);
			ev.v[ET_F_ARGV].l = (struct et_list){ own, n + 1, 1 };
			ev.known |= (uint64_t)(et_fields[ET_F_ARGV].kinds >> kind & 1) << ET_F_ARGV;
		}
		check_event(e, &ev, rng() % 4 ? &scope : NULL);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct expr_options opt = { .names = size % 8, .writing = size % 16 > 7 };
	size_t len = strnlen((const char *)data, size);
	char *text = strndup((const char *)data, len);
	size_t rest = len < size ? len + 1 : size;
	struct expr_error err;
	struct expr *e;

	if (!text)
		return 0;
	if (expr_parse(text, &opt, &e, &err)) {
		demand(!e);
		check_error(text, &err);
	} else {
		match(e, (const char *)data + rest, size - rest);
	}
	expr_free(e);
	free(text);
	return 0;
}
