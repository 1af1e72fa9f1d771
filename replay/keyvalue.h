/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keyvalue.h - the values that a key of keys.h is put together of, read back from its
 * bytes and shown. Keys sort as their values do: by bytes.
 */
#ifndef EXECTRACE_KEYVALUE_H
#define EXECTRACE_KEYVALUE_H

#include <exectrace.h>

#include "out.h"

/* In the order in which values of one field sort: what is not known comes last. */
enum key_type { KEY_NUMBER = 1, KEY_TEXT, KEY_LIST, KEY_UNKNOWN };

/* One of the values of a key; borrows from it. */
struct key_value {
	enum key_type type;
	uint64_t number;
	struct et_str text;
	struct et_list list;
};

/* The next value of a key; moves it on. */
struct key_value key_next(struct et_str *key);
/* For people: escaped, a dash where it is not known. */
void key_text(struct out *o, unsigned id, const struct key_value *v);
/* "name":value with what comes before it; nothing where it is not known. */
void key_json(struct out *o, const char **before, unsigned id, const struct key_value *v);
/* A cell as csv.h has them, into memory alone; nothing where it is not known. */
void key_csv(struct out *o, unsigned id, const struct key_value *v);

#endif
