/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first byte chooses a capture, the rest is an expression: the columns of the capture
 * have to give the rows that it gives one by one, and heads have to say nothing else.
 */
#include "../unit/planned.h"

#define CAPTURES 8

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct expr_options opt = { .names = EXPR_USERS | EXPR_CGROUPS | EXPR_CLOCK };
	static struct sink captures[CAPTURES];
	struct sink *sink;
	struct expr_error err;
	struct expr *e;
	char *text;

	if (!size)
		return 0;
	sink = &captures[*data % CAPTURES];
	if (!sink->data)
		planned_capture(sink, *data % CAPTURES);
	text = strndup((const char *)data + 1, size - 1);
	if (text && !expr_parse(text, &opt, &e, &err)) {
		if (planned_compare(sink, e).differ)
			abort();
		expr_free(e);
	}
	free(text);
	return 0;
}
