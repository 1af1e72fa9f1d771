/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * expr.h - expressions over events: exit != 0 && comm == "backup".
 *
 * Any field of et_fields[] can be asked for by its name, and what follows from fields
 * (operand.h):
 *
 *   a && b, a || b, !a    also and, or, not; parentheses. ! is of the one test behind it
 *   == != < <= > >=       numbers and times; == and != also text
 *   x in (1, 5..9, 20..)  one of these values or ranges; x in 5..9
 *   comm ~ "cron*"        a pattern as in glob.h
 *   exe =~ "python3?$"    a POSIX extended regular expression as in ere.h
 *   argv has "-v"         one of the items; also has ~ and has =~
 *   argv[0], argv[-1]     an item as text, from the front or from the back
 *   uid != euid           another field of the same type, behind == != and of numbers < <= > >=
 *   core, !core           a flag alone
 *   known(exe)            whether the event has it
 *
 * Numbers are what value.h reads: 5, 0x1f, 1m30s, 64M, ENOENT, SIGKILL, exec; times what
 * moment.h reads, in quotes where a blank is in them. Text stands in " or ', where \" \'
 * \\ \n \t \r and \x41 have their meaning and any other \ stands for itself.
 *
 * Not known: where an event does not have what a test asks for, because its kind does
 * not or because nobody knows, the test fails; so does !=. ! turns that around: for an
 * event without a uid uid != 0 does not hold, and !(uid == 0) does.
 *
 * `exit` is the status that a shell would tell: of a process that a signal ended 128 and
 * the signal. So exit != 0 holds for it, and exit_code != 0 does not.
 *
 * An expression is never changed by matching, which takes no memory: threads may share it.
 */
#ifndef EXECTRACE_EXPR_H
#define EXECTRACE_EXPR_H

#include <exectrace.h>

#define EXPR_LENGTH_MAX 65536 /* bytes of an expression */

struct expr;

/* What a scope may tell. */
enum expr_names {
	EXPR_USERS = 1, /* and groups */
	EXPR_CGROUPS = 2,
	EXPR_CLOCK = 4, /* start and offset: without, times are dates with a zone, or @N */
};

struct expr_options {
	unsigned names; /* of enum expr_names: others must not be asked for */
	/*
	 * The events are on their way into a file: an ET_UINT that their kind carries and
	 * that is left out is 0 (exectrace.h). Else it is not known.
	 */
	bool writing;
};

/* What events do not say themselves. Each call returns a NUL-terminated string, or NULL. */
struct expr_scope {
	void *ctx;
	const char *(*user)(void *ctx, uint64_t uid); /* NULL: nothing is known */
	const char *(*group)(void *ctx, uint64_t gid);
	const char *(*cgroup)(void *ctx, uint64_t id); /* a path */
	int64_t start;	/* of the capture, wall clock ns: for times such as 09:00 and +5m */
	int32_t offset; /* of local time from UTC there, seconds */
};

struct expr_error {
	size_t at;	/* offset in the text, bytes */
	char text[200]; /* one clause, no newline; as user input, not yet safe for a terminal */
};

/*
 * opt may be NULL: no names, and events as they are read. Returns 0, or -1 with *err
 * and *out NULL.
 */
int expr_parse(const char *text, const struct expr_options *opt, struct expr **out,
	       struct expr_error *err);
/* NULL is fine. */
void expr_free(struct expr *e);

/* Whether the event matches. scope may be NULL: names and clocks are not known. */
bool expr_match(const struct expr *e, const struct et_event *ev,
		const struct expr_scope *scope);
/*
 * Of a lost event: whether what the expression asks of the fields that such events have
 * leaves it in, whatever it asks of processes. For filters that hide no gap.
 */
bool expr_match_gap(const struct expr *e, const struct et_event *ev,
		    const struct expr_scope *scope);

/* Bits of the fields (enum et_field_id) that matching looks at, kind always among them. */
uint64_t expr_fields(const struct expr *e);
/* ET_KIND_BIT()s of the kinds that can match; no event of another ever does. */
uint32_t expr_kinds(const struct expr *e);
/* Likewise of those that it names, as kind == proc does. */
uint32_t expr_kinds_named(const struct expr *e);
/*
 * Whether no event can match, although each test is right by itself, as in errno == ENOENT
 * && exit == 0: no kind has both. A mistake, which callers should tell.
 */
bool expr_is_futile(const struct expr *e);

#define EXPR_LINE 80 /* bytes of a line, its NUL included */

/*
 * Two lines that show where the error is: what stands around it in the text, and a
 * caret below. Control bytes become blanks.
 */
void expr_point(const char *text, const struct expr_error *err, char line[EXPR_LINE],
		char caret[EXPR_LINE]);

#endif
