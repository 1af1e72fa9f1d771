/* SPDX-License-Identifier: BSD-2-Clause */
/* bounds.h - the hard limits of SPEC.md 2.5, for reader and writer alike. */
#ifndef ET_BOUNDS_H
#define ET_BOUNDS_H

#define LIMIT_HEAD (1u << 20)		/* bytes of a record's head */
#define LIMIT_BODY (64u << 20)		/* bytes of a record's body */
#define LIMIT_RAW (64u << 20)		/* decoded bytes of all streams of a chunk */
#define LIMIT_ROWS (1u << 18)		/* rows of a chunk */
#define LIMIT_VALUES (16u << 20)	/* rows times columns of a chunk; values of its streams */
#define LIMIT_COLUMN_ID 255		/* highest column id */
#define LIMIT_STRINGS (4u << 20)	/* strings of a chunk */
#define LIMIT_ITEMS (4u << 20)		/* list items of a column in a chunk */
#define LIMIT_STRING (2u << 20)		/* bytes of one string */
#define LIMIT_LIST (4u << 20)		/* bytes of one list, with a NUL per item */
#define LIMIT_NAME 4096			/* bytes of a name in HOST, USERS, CGROUPS, of a path in EXES */
#define LIMIT_NAMES (1u << 20)	/* names of a kind, or executables, that a reader keeps */
#define LIMIT_BUILD_ID 64		/* bytes of a build-id in EXES */
#define LIMIT_PAIRS 256u		/* different keys of HOST */

#endif
