/* SPDX-License-Identifier: BSD-2-Clause */
/* words.h - events for tests as people can read them: NAME=VALUE with blanks between. */
#ifndef TESTS_WORDS_H
#define TESTS_WORDS_H

#include <exectrace.h>

#include <stdlib.h>
#include <string.h>

#include "check.h"

/* A comma stands behind each item. */
static inline void words_list(struct et_event *ev, unsigned field, char *text)
{
	uint32_t len = (uint32_t)strlen(text), n = 0;

	for (uint32_t i = 0; i < len; i++) {
		if (text[i] != ',')
			continue;
		text[i] = 0;
		n++;
	}
	ev->known |= 1ull << field;
	ev->v[field].l = (struct et_list){ text, len, n };
}

static inline void words_field(struct et_event *ev, char *word)
{
	char *value = strchr(word, '=');
	unsigned f = 1;

	CHECK(value != NULL);
	*value++ = 0;
	while (f < ET_FIELD_END && strcmp(et_fields[f].name, word))
		f++;
	CHECK_CASE(word, f < ET_FIELD_END);
	if (et_fields[f].type == ET_STR)
		et_set_str(ev, (enum et_field_id)f, value, (uint32_t)strlen(value));
	else if (et_fields[f].type == ET_LIST)
		words_list(ev, f, value);
	else
		et_set_uint(ev, (enum et_field_id)f, strtoull(value, NULL, 10));
}

/* text is cut into words, and stays where the event's strings are. */
static inline struct et_event words_event(char *text)
{
	struct et_event ev = { 0 };

	for (char *word = strtok(text, " "); word; word = strtok(NULL, " "))
		words_field(&ev, word);
	return ev;
}

#endif
