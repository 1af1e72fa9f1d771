/* SPDX-License-Identifier: BSD-2-Clause */
#include "value.h"

#include <string.h>

#include "codes.h"
#include "units.h"

/* Longer ones are no duration and no size. */
#define TEXT_MAX 64

static bool same(const char *name, const char *s, size_t len)
{
	return name && strlen(name) == len && !memcmp(name, s, len);
}

static unsigned digit_of(char c)
{
	return c >= '0' && c <= '9'   ? (unsigned)(c - '0')
	       : c >= 'a' && c <= 'f' ? (unsigned)(c - 'a' + 10)
	       : c >= 'A' && c <= 'F' ? (unsigned)(c - 'A' + 10)
				      : 16;
}

/* All of it digits of that base, and no more than VALUE_MAX. */
static bool parse_digits(const char *s, size_t len, unsigned base, uint64_t *out)
{
	*out = 0;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = digit_of(s[i]);

		if (digit >= base || *out > (VALUE_MAX - digit) / base)
			return false;
		*out = *out * base + digit;
	}
	return len > 0;
}

static bool parse_whole(const char *s, size_t len, uint64_t *out)
{
	if (len > 2 && s[0] == '0' && (s[1] == 'x' || s[1] == 'o'))
		return parse_digits(s + 2, len - 2, s[1] == 'x' ? 16 : 8, out);
	return parse_digits(s, len, 10, out);
}

static bool parse_unit(const char *s, size_t len, bool (*parse)(const char *, uint64_t *),
		       uint64_t *out)
{
	char text[TEXT_MAX + 1];

	/* Without a unit at its end 1.5 would be other than 1 is. */
	if (!len || len > TEXT_MAX || digit_of(s[len - 1]) < 10)
		return false;
	memcpy(text, s, len);
	text[len] = '\0';
	return parse(text, out);
}

static bool parse_device(const char *s, size_t len, uint64_t *out)
{
	const char *colon = memchr(s, ':', len);
	uint64_t major, minor;

	if (!colon || !parse_digits(s, (size_t)(colon - s), 10, &major) ||
	    !parse_digits(colon + 1, len - (size_t)(colon + 1 - s), 10, &minor) ||
	    major > VALUE_MAX >> 20 || minor >= 1 << 20)
		return false;
	*out = major << 20 | minor;
	return true;
}

static const char *name_of(unsigned unit, unsigned n)
{
	switch (unit) {
	case ET_ERRNO_ID:
		return errno_name(n);
	case ET_SIGNAL_ID:
		return signal_name(n);
	case ET_KIND_ID:
		return et_kind_name(n);
	case ET_CAUSE_ID:
		return et_cause_name(n);
	default:
		return NULL;
	}
}

static bool parse_name(unsigned unit, const char *s, size_t len, uint64_t *out)
{
	static const unsigned end = 4096; /* errno has the most, less than that */

	for (unsigned n = 1; n < end; n++) {
		const char *name = name_of(unit, n);

		if (same(name, s, len) ||
		    (name && unit == ET_SIGNAL_ID && same(name + strlen("SIG"), s, len))) {
			*out = n;
			return true;
		}
	}
	return false;
}

static bool parse_flag(const char *s, size_t len, uint64_t *out)
{
	*out = same("yes", s, len) || same("true", s, len);
	return *out || same("no", s, len) || same("false", s, len);
}

bool value_parse(unsigned unit, const char *s, size_t len, uint64_t *out)
{
	if (parse_whole(s, len, out))
		return true;
	switch (unit) {
	case ET_NS:
		return parse_unit(s, len, units_time, out);
	case ET_BYTES:
		return parse_unit(s, len, units_size, out);
	case ET_DEV:
		return parse_device(s, len, out);
	case ET_FLAG:
		return parse_flag(s, len, out);
	default:
		return parse_name(unit, s, len, out);
	}
}

const char *value_wanted(unsigned unit)
{
	switch (unit) {
	case ET_NS:
		return "a duration such as 250ms, or ns";
	case ET_BYTES:
		return "a size such as 64M, or bytes";
	case ET_DEV:
		return "a device such as 8:1";
	case ET_FLAG:
		return "yes or no";
	case ET_UID:
		return "a user's number or name";
	case ET_GID:
		return "a group's number or name";
	case ET_ERRNO_ID:
		return "an error such as ENOENT, or its number";
	case ET_SIGNAL_ID:
		return "a signal such as SIGKILL, or its number";
	case ET_KIND_ID:
		return "one of exec, fail, fork, exit, proc, lost";
	case ET_CAUSE_ID:
		return "a cause such as ring_full";
	default:
		return "a number";
	}
}
