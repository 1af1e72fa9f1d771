/* SPDX-License-Identifier: BSD-2-Clause */
#include "glob.h"

#include <string.h>

/*
 * Whether c is in the set whose '[' is at p; *end is behind its ']'. A '[' that
 * is never closed stands for itself.
 */
static bool in_set(const char *p, unsigned char c, const char **end)
{
	const char *at = p + 1;
	bool negate = *at == '!' || *at == '^', found = false;

	if (negate)
		at++;
	for (const char *first = at; *at != ']' || at == first; at++) {
		unsigned char low, high;

		if (*at == '\\' && at[1])
			at++;
		if (!*at) {
			*end = p + 1;
			return c == '[';
		}
		low = high = (unsigned char)*at;
		if (at[1] == '-' && at[2] && at[2] != ']') {
			at += 2;
			if (*at == '\\' && at[1])
				at++;
			high = (unsigned char)*at;
		}
		found |= c >= low && c <= high;
	}
	*end = at + 1;
	return found != negate;
}

/* One pattern element that is no '*' against c; *p moves behind it. */
static bool match_one(const char **p, unsigned char c)
{
	const char *end;
	bool yes;

	switch (**p) {
	case '?':
		++*p;
		return true;
	case '[':
		yes = in_set(*p, c, &end);
		*p = end;
		return yes;
	case '\\':
		if ((*p)[1])
			++*p;
		break;
	}
	return (unsigned char)*(*p)++ == c;
}

bool glob_match(const char *pattern, const char *s, size_t n)
{
	const char *p = pattern, *star = NULL;
	size_t i = 0, mark = 0;

	/* Only the last * is ever tried again: an earlier one cannot help. */
	while (i < n) {
		const char *next = p;

		if (*p == '*') {
			star = ++p;
			mark = i;
		} else if (*p && match_one(&next, (unsigned char)s[i])) {
			p = next;
			i++;
		} else if (star) {
			p = star;
			i = ++mark;
		} else {
			return false;
		}
	}
	while (*p == '*')
		p++;
	return !*p;
}

bool glob_match_path(const char *pattern, const char *s, size_t n)
{
	const char *slash;

	if (!strchr(pattern, '/') && n) {
		slash = memrchr(s, '/', n);
		if (slash) {
			n -= (size_t)(slash + 1 - s);
			s = slash + 1;
		}
	}
	return glob_match(pattern, s, n);
}
