/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * operand.h - what an expression can ask of an event: every field of et_fields[], and
 * what follows from fields; each with a name, a type and the kinds that have it.
 */
#ifndef EXECTRACE_OPERAND_H
#define EXECTRACE_OPERAND_H

#include <exectrace.h>

#include "expr.h"

/* Ids behind those of the fields. */
enum operand_id {
	OPERAND_TIME = ET_FIELD_END,
	OPERAND_EXIT,
	OPERAND_DURATION,
	OPERAND_USER,
	OPERAND_GROUP,
	OPERAND_LOGIN_USER,
	OPERAND_CONTAINER,
	OPERAND_FAILED,
	OPERAND_OK,
	OPERAND_END
};

enum operand_type { OPERAND_NUMBER, OPERAND_TEXT, OPERAND_LIST, OPERAND_MOMENT };

struct operand {
	const char *name; /* NULL: there is no such operand */
	const char *help; /* one line, no full stop */
	uint64_t fields;  /* bits of the fields that it needs */
	uint32_t kinds;   /* bits of the kinds that can have it, also of later ones */
	enum operand_type type;
	unsigned unit; /* of a number: enum et_unit */
	unsigned names; /* enum expr_names without which it is never known */
};

/* id: of et_field_id or operand_id. */
struct operand operand_get(unsigned id);
/* The id of a name; 0: there is none. */
unsigned operand_find(const char *name, size_t len);
/* The name that is most like it; NULL: none is. */
const char *operand_like(const char *name, size_t len);

/*
 * Of a number, of an event whose kind can have it: ET_NONE where it is not known.
 * writing: as in struct expr_options.
 */
uint64_t operand_number(unsigned id, const struct et_event *ev, bool writing);

#define OPERAND_BUFFER 256 /* bytes that the longest text without a place of its own takes */

/* Of a text, and of a user or a group its name. False: not known. */
bool operand_text(unsigned id, const struct et_event *ev, const struct expr_scope *scope,
		  char buffer[OPERAND_BUFFER], struct et_str *out);

#endif
