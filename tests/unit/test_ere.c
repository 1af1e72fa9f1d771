/* SPDX-License-Identifier: BSD-2-Clause */
/* Regular expressions: by a table, and random ones compared with the C library's. */
#include "check.h"
#include "ere.h"

#include <regex.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *pattern, *text;
	bool yes;
} cases[] = {
	{ "", "", true },	       { "", "x", true },	     { "a", "xax", true },
	{ "a", "b", false },	       { "^a", "ba", false },	     { "a$", "ab", false },
	{ "^$", "", true },	       { "^$", "a", false },	     { "a.c", "a\nc", true },
	{ "a|b|", "x", true },	       { "^(a|bc)*$", "abcbca", true }, { "^(a|bc)*$", "abca b", false },
	{ "^a{3}$", "aaa", true },     { "^a{3}$", "aa", false },    { "^a{2,}$", "aaaa", true },
	{ "^a{0}b$", "b", true },      { "^a{1,3}$", "aaaa", false }, { "^(ab?){2,3}$", "abaab", true },
	{ "[]a]", "]", true },	       { "[^]a]", "]", false },	     { "[a-]", "-", true },
	{ "[.]", "a", false },	       { "[\\]", "\\", true },	     { "[[:digit:][:space:]x]", " ", true },
	{ "^[^[:alpha:]]+$", "1_ ", true }, { "\\.\\*", "a.*", true }, { "a\\|b", "ab", false },
	{ "a{255}", "a", false },      { "(a*)*b", "aaaaab", true }, { "(a*)+$", "b", true },
	{ "^(a|^b)c", "bc", true },    { "x*", "", true },	     { "(^|/)sh$", "/bin/sh", true },
	/* Where the C library of GNU is wrong: a $ is not before the end, however often. */
	{ "c.((a|c.*$)|^){2}", "dcccdada", false },
};

static const char *const wrong[] = {
	"*", "a|*", "(+)", "{2}", "a{", "a{2", "a{x}", "a{2,1}", "a{256}", "(", "(a", "[", "[a", "[]",
	"[b-a]", "[[:x:]]", "[[:alpha]", "[[.a.]]", "\\", "\\d", "a\\1", "(a{200}){200}",
};

static uint64_t state = 88172645463325252u;

static unsigned rnd(unsigned below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)((state >> 20) % below);
}

/* Appends, with an end of which no more is needed than is left. */
static void add(char *out, const char *s)
{
	if (strlen(out) + strlen(s) < 200)
		strcat(out, s);
}

static void make(char *out, unsigned depth)
{
	static const char *const atoms[] = { "a", "b", "c", ".", "[ab]", "[^a-b]" };
	static const char *const repeats[] = { "", "", "", "*", "+", "?", "{2}", "{1,3}", "{0,2}" };

	out[0] = '\0';
	for (unsigned n = 1 + rnd(3); n; n--) {
		char atom[420], one[200], two[200];
		unsigned what = rnd(depth > 3 ? 6 : 8);

		if (what > 5) {
			make(one, depth + 2);
			make(two, depth + 2);
			snprintf(atom, sizeof(atom), what == 6 ? "(%s)" : "(%s|%s)", one, two);
		} else {
			strcpy(atom, atoms[what]);
		}
		strcat(atom, repeats[rnd(9)]);
		add(out, atom);
	}
}

static void compare(const char *pattern)
{
	const char *why;
	struct ere *e = ere_compile(pattern, strlen(pattern), &why);
	regex_t theirs;

	CHECK_CASE(pattern, e && !regcomp(&theirs, pattern, REG_EXTENDED | REG_NOSUB));
	for (unsigned i = 0; e && i < 12; i++) {
		char text[12];
		size_t n = rnd(9);

		for (size_t k = 0; k < n; k++)
			text[k] = "abcd"[rnd(4)];
		text[n] = '\0';
		if (ere_match(e, text, n) != !regexec(&theirs, text, 0, NULL, 0))
			fprintf(stderr, "%s: of '%s'\n", pattern, text);
		CHECK_CASE(pattern,
			   ere_match(e, text, n) == !regexec(&theirs, text, 0, NULL, 0));
	}
	regfree(&theirs);
	ere_free(e);
}

int main(void)
{
	char pattern[256], long_text[4000];
	const char *why;
	struct ere *e;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *p = cases[i].pattern, *s = cases[i].text;

		e = ere_compile(p, strlen(p), &why);
		CHECK_CASE(p, e && ere_match(e, s, strlen(s)) == cases[i].yes);
		ere_free(e);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		CHECK_CASE(wrong[i], !ere_compile(wrong[i], strlen(wrong[i]), &why) && why && *why);
	for (unsigned i = 0; i < 5000; i++) {
		make(pattern + 1, 0);
		pattern[0] = '^';
		if (rnd(2))
			strcat(pattern, "$");
		compare(pattern + rnd(2));
	}
	/* What a machine that tries again would not finish. */
	memset(long_text, 'a', sizeof(long_text));
	e = ere_compile("^((a*)*)*b", 10, &why);
	CHECK(e && !ere_match(e, long_text, sizeof(long_text)));
	ere_free(e);
	/* Bytes that are no text, and no NUL behind it. */
	e = ere_compile("^\xff[\x80-\xfe].$", 9, &why);
	CHECK(e && ere_match(e, "\xff\x80\x01", 3) && !ere_match(e, "\xff\x7f\x01", 3));
	ere_free(e);
	return check_result();
}
