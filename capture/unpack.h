/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * unpack.h - the body of one whole wire record, that is all behind its head, as
 * an event. Trusts no length in it.
 */
#ifndef EXECTRACE_UNPACK_H
#define EXECTRACE_UNPACK_H

#include <exectrace.h>
#include <wire.h>

/* The most bytes that the arguments of an event can rightly have, and its environment. */
#define UNPACK_ARGV_MAX (2u << 20)

/* What tells the file that runs from another in its place; no column has it. */
struct unpack_stamp {
	uint64_t size;		/* bytes */
	int64_t mtime;		/* ns since 1970 */
};

/* Memory for strings that do not lie in the record as they are needed. */
struct unpack {
	char *argv;
	size_t argv_size;
	char *env;
	size_t env_size;
	const char *env_names;	/* what of an environment is kept; NULL: all */
	char exe[UINT16_MAX + 1];
	char cwd[UINT16_MAX + 1];
	char tty[40];
	struct unpack_stamp stamp;	/* of an exec */
};

/*
 * head: of the first part; flags: of all parts. Strings in ev are borrowed from
 * body and u. False: the record breaks wire.h, or there is no memory.
 */
bool unpack(struct unpack *u, const struct wire_head *head, unsigned flags, const uint8_t *body,
	    size_t len, unsigned page_size, struct et_event *ev);

/* The environment, which follows as a part of its own; sets more of the same ev. */
bool unpack_env(struct unpack *u, unsigned flags, const uint8_t *body, size_t len,
		struct et_event *ev);

/* Frees what u holds, not u. */
void unpack_free(struct unpack *u);

#endif
