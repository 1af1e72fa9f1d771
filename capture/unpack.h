/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unpack.h - the body of one whole wire record, that is all behind its head, as
 * an event. Trusts no length in it.
 */
#ifndef EXECTRACE_UNPACK_H
#define EXECTRACE_UNPACK_H

#include <exectrace.h>
#include <wire.h>

/* The most bytes that the strings of an event can rightly have. */
#define UNPACK_ARGV_MAX (2u << 20)

/* Memory for strings that do not lie in the record as they are needed. */
struct unpack {
	char *argv;
	size_t argv_size;
	char exe[UINT16_MAX + 1];
	char cwd[UINT16_MAX + 1];
};

/*
 * head: of the first part; flags: of all parts. Strings in ev are borrowed from
 * body and u. False: the record breaks wire.h, or there is no memory.
 */
bool unpack(struct unpack *u, const struct wire_head *head, unsigned flags, const uint8_t *body,
	    size_t len, unsigned page_size, struct et_event *ev);

/* Frees what u holds, not u. */
void unpack_free(struct unpack *u);

#endif
