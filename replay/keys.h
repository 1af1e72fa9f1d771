/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keys.h - what events can be grouped by: each field of et_fields[], what follows from
 * several of them, and times cut down to a minute, an hour or a day.
 *
 * A key is the values of a list of these, put together as bytes: the same bytes for the
 * same values, whichever capture they come from.
 */
#ifndef EXECTRACE_KEYS_H
#define EXECTRACE_KEYS_H

#include <exectrace.h>

#include "out.h"
#include "say.h"

struct source;

#define KEYS_MAX 8u

/* Ids behind those of the fields. */
enum key_id {
	KEY_TIME = ET_FIELD_END,
	KEY_USER,
	KEY_GROUP,
	KEY_LOGIN_USER,
	KEY_CONTAINER,
	KEY_ERROR,
	KEY_SIGNAL_NAME,
	KEY_DURATION,
	KEY_RESULT,
	KEY_COMMAND,
	KEY_PROGRAM,
	KEY_SCRIPT,
	KEY_PARENT,
	KEY_MINUTE,
	KEY_HOUR,
	KEY_DAY,
	KEY_END
};

struct keys {
	uint8_t ids[KEYS_MAX];
	unsigned n;
};

/* Rows of a chunk that are to be looked at. All is borrowed. */
struct picked {
	const struct source *source; /* names and zone */
	struct et_chunk *chunk;
	const uint32_t *rows; /* ascending */
	uint32_t n;
	bool utc;		/* times are cut down in UTC, not in the source's zone */
	struct et_str parent;	/* of KEY_PARENT, which is for one row; ptr NULL: not known */
};

/* Names between commas. -1 fills *why. */
int keys_parse(struct keys *k, const char *list, struct reason *why);
/* All names, with a line about each that is no field. */
void keys_help(struct out *o);
const char *key_name(unsigned id);
bool keys_have(const struct keys *k, unsigned id);
/* Bits of the fields that they follow from. */
uint64_t keys_fields(const struct keys *k);
/*
 * Bits of the fields whose values in a chunk tell keys apart, and whether a number that
 * follows from the row does as well: key_number, ET_NONE where it is not known.
 */
uint64_t key_told_by(unsigned id, bool *number);
uint64_t key_number(unsigned id, const struct picked *p, uint32_t row);

/* A text of its own as a value behind what is in o. */
void key_put_text(struct out *o, const char *s, size_t n);
/* The key of a row, as bytes behind what is in o. */
void keys_put(const struct keys *k, const struct picked *p, uint32_t row, struct out *o);
#endif
