/* SPDX-License-Identifier: BSD-2-Clause */
#include "envnames.h"

#include <string.h>

bool envnames_valid(const char *text)
{
	for (const char *at = text;; at++) {
		size_t len = strcspn(at, ",");

		if (!len || memchr(at, '=', len))
			return false;
		at += len;
		if (!*at)
			return true;
	}
}

bool envnames_all(const char *names)
{
	return strcmp(names, "all") == 0;
}

/* One pattern; goes back to the last star alone, which is enough. */
static bool match(const char *pattern, size_t pattern_len, const char *name, size_t len)
{
	size_t p = 0, n = 0, star = pattern_len, from = 0;

	while (n < len) {
		if (p < pattern_len && pattern[p] == '*') {
			star = p++;
			from = n;
		} else if (p < pattern_len && pattern[p] == name[n]) {
			p++;
			n++;
		} else if (star < pattern_len) {
			p = star + 1;
			n = ++from;
		} else {
			return false;
		}
	}
	while (p < pattern_len && pattern[p] == '*')
		p++;
	return p == pattern_len;
}

bool envnames_match(const char *names, const char *string, size_t len)
{
	const char *end = memchr(string, '=', len);
	size_t name_len = end ? (size_t)(end - string) : len;

	if (envnames_all(names))
		return true;
	for (const char *at = names;; at++) {
		size_t pattern_len = strcspn(at, ",");

		if (match(at, pattern_len, string, name_len))
			return true;
		at += pattern_len;
		if (!*at)
			return false;
	}
}
