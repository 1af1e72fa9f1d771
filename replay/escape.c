/* SPDX-License-Identifier: BSD-2-Clause */
#include "escape.h"

#include "glyph.h"

unsigned escape_utf8(const unsigned char *p, size_t n, uint32_t *cp)
{
	unsigned len;
	uint32_t c = p[0], least;

	if (c < 0x80) {
		*cp = c;
		return 1;
	}
	if (c < 0xc2 || c > 0xf4)
		return 0;
	len = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
	least = len == 2 ? 0x80 : len == 3 ? 0x800 : 0x10000;
	if (n < len)
		return 0;
	c &= 0xffu >> (len + 1);
	for (unsigned i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		c = c << 6 | (p[i] & 0x3f);
	}
	if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 0;
	*cp = c;
	return len;
}

struct range {
	uint32_t from, to;
};

static bool in_ranges(uint32_t cp, const struct range *r, size_t n)
{
	for (size_t i = 0; i < n && cp >= r[i].from; i++)
		if (cp <= r[i].to)
			return true;
	return false;
}

#define IN_RANGES(cp, table) in_ranges(cp, table, sizeof(table) / sizeof((table)[0]))

bool escape_unsafe(uint32_t cp)
{
	/* Unicode 15: Cc, Cf, Zl, Zp, Zs but the blank, fillers, noncharacters. */
	static const struct range unsafe[] = {
		{ 0x0, 0x1f },        { 0x7f, 0xa0 },       { 0xad, 0xad },
		{ 0x34f, 0x34f },     { 0x600, 0x605 },     { 0x61c, 0x61c },
		{ 0x6dd, 0x6dd },     { 0x70f, 0x70f },     { 0x890, 0x891 },
		{ 0x8e2, 0x8e2 },     { 0x115f, 0x1160 },   { 0x1680, 0x1680 },
		{ 0x17b4, 0x17b5 },   { 0x180b, 0x180f },   { 0x2000, 0x200f },
		{ 0x2028, 0x202f },   { 0x205f, 0x206f },   { 0x2800, 0x2800 },
		{ 0x3000, 0x3000 },   { 0x3164, 0x3164 },   { 0xfdd0, 0xfdef },
		{ 0xfeff, 0xfeff },   { 0xffa0, 0xffa0 },   { 0xfff0, 0xfffb },
		{ 0xfffe, 0xffff },   { 0x110bd, 0x110bd }, { 0x110cd, 0x110cd },
		{ 0x13430, 0x1345f }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a },
		{ 0xe0000, 0xe0fff },
	};

	return cp >= 0x20 && cp < 0x7f   ? false
	       : (cp & 0xfffe) == 0xfffe ? true
					 : IN_RANGES(cp, unsafe);
}

/*
 * Bytes that a shell takes as they are, wherever in a word they stand: letters, digits
 * and / . - _ + , : @ % =.
 */
static bool is_plain(unsigned char c)
{
	static const uint32_t bits[8] = { 0x00000000, 0x27fff820, 0x87ffffff, 0x07fffffe };

	return bits[c >> 5] >> (c & 31) & 1;
}

/* Always three digits: hex would go on into a digit that follows in some shells. */
static void put_octal(struct out *o, unsigned char c)
{
	char *p = out_room(o, 4);

	p[0] = '\\';
	p[1] = (char)('0' + (c >> 6));
	p[2] = (char)('0' + (c >> 3 & 7));
	p[3] = (char)('0' + (c & 7));
	o->len += 4;
}

static void put_c_escape(struct out *o, unsigned char c)
{
	static const char letters[] = { ['\a'] = 'a', ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n',
					['\v'] = 'v', ['\f'] = 'f', ['\r'] = 'r' };

	if (c < sizeof(letters) && letters[c]) {
		out_char(o, '\\');
		out_char(o, letters[c]);
	} else {
		put_octal(o, c);
	}
}

/*
 * Length of the character at p that can be shown as it is, or 0 when its first
 * *bad bytes have to be escaped.
 */
static unsigned shown(const unsigned char *p, size_t n, unsigned *bad)
{
	uint32_t cp;
	unsigned len = escape_utf8(p, n, &cp);

	if (len && !escape_unsafe(cp))
		return len;
	*bad = len ? len : 1;
	return 0;
}

enum quoting { BARE, SINGLE, DOLLAR };

static enum quoting quoting_of(const unsigned char *p, size_t n, bool first)
{
	enum quoting q = n ? BARE : SINGLE;

	for (size_t i = 0; i < n;) {
		unsigned bad, len = 1;

		if (is_plain(p[i])) {
			if (p[i] == '=' && first)
				q = SINGLE;
		} else if (p[i] >= 0x20 && p[i] < 0x7f) {
			q = SINGLE;
		} else {
			len = shown(p + i, n - i, &bad);
			if (!len)
				return DOLLAR;
		}
		i += len;
	}
	return q;
}

/* In single quotes, which end before each that is in it and begin anew behind. */
static void put_single(struct out *o, const char *s, size_t n)
{
	out_char(o, '\'');
	for (const char *q; n && (q = memchr(s, '\'', n)); s = q + 1) {
		out_bytes(o, s, (size_t)(q - s));
		out_bytes(o, "'\\''", 4);
		n -= (size_t)(q + 1 - s);
	}
	out_bytes(o, s, n);
	out_char(o, '\'');
}

void escape_word(struct out *o, const char *s, size_t n, bool first)
{
	const unsigned char *p = (const unsigned char *)s;
	enum quoting q = quoting_of(p, n, first);

	if (q == BARE) {
		out_bytes(o, s, n);
		return;
	}
	if (q == SINGLE) {
		put_single(o, s, n);
		return;
	}
	out_text(o, "$'");
	for (size_t i = 0; i < n;) {
		unsigned bad = 0, len = shown(p + i, n - i, &bad);

		if (p[i] == '\'' || p[i] == '\\')
			out_char(o, '\\');
		out_bytes(o, s + i, len);
		for (unsigned k = 0; k < bad; k++)
			put_c_escape(o, p[i + k]);
		i += len + bad;
	}
	out_char(o, '\'');
}

/*
 * What printf(1) makes the bytes of. ! is for the history of interactive shells, and a
 * dash in front would begin an option.
 */
static void put_printf(struct out *o, const unsigned char *p, size_t n)
{
	out_text(o, "$(printf '");
	for (size_t i = 0; i < n;) {
		unsigned bad = 0, len = shown(p + i, n - i, &bad);

		if (p[i] == '\'' || p[i] == '\\' || p[i] == '!' || (p[i] == '-' && !i)) {
			bad = 1;
			len = 0;
		} else if (p[i] == '%') {
			out_char(o, '%');
		}
		out_bytes(o, p + i, len);
		for (unsigned k = 0; k < bad; k++)
			put_c_escape(o, p[i + k]);
		i += len + bad;
	}
	out_text(o, "')");
}

bool escape_ends_line(const char *s, size_t n)
{
	return n && s[n - 1] == '\n';
}

void escape_posix(struct out *o, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t newlines = 0;

	/* = in front is the path of a command to zsh. */
	switch (quoting_of(p, n, n && *s == '=')) {
	case BARE:
		out_bytes(o, s, n);
		break;
	case SINGLE:
		put_single(o, s, n);
		break;
	case DOLLAR:
		for (; escape_ends_line(s, n); n--)
			newlines++;
		out_char(o, '"');
		if (n)
			put_printf(o, p, n);
		while (newlines--)
			out_text(o, "$_n");
		out_char(o, '"');
		break;
	}
}

static void escape_text(struct out *o, const char *s, size_t n, bool backslash)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t i = 0; i < n;) {
		unsigned bad = 0, len = 1;

		if (p[i] < 0x20 || p[i] >= 0x7f)
			len = shown(p + i, n - i, &bad);
		else if (p[i] == '\\' && backslash)
			out_char(o, '\\');
		out_bytes(o, s + i, len);
		for (unsigned k = 0; k < bad; k++)
			put_c_escape(o, p[i + k]);
		i += len + bad;
	}
}

void escape_name(struct out *o, const char *s, size_t n)
{
	escape_text(o, s, n, true);
}

void escape_message(struct out *o, const char *s, size_t n)
{
	escape_text(o, s, n, false);
}

static void put_u(struct out *o, uint32_t unit)
{
	static const char hex[] = "0123456789abcdef";
	char *p = out_room(o, 6);

	p[0] = '\\';
	p[1] = 'u';
	for (int i = 0; i < 4; i++)
		p[2 + i] = hex[unit >> (12 - 4 * i) & 15];
	o->len += 6;
}

/* A byte or code point that JSON or a terminal does not take as it is. */
static void put_json(struct out *o, uint32_t cp)
{
	switch (cp) {
	case '"':
	case '\\':
		out_char(o, '\\');
		out_char(o, (char)cp);
		return;
	case '\n':
		out_bytes(o, "\\n", 2);
		return;
	case '\t':
		out_bytes(o, "\\t", 2);
		return;
	case '\r':
		out_bytes(o, "\\r", 2);
		return;
	}
	if (cp > 0xffff) {
		put_u(o, 0xd800 + ((cp - 0x10000) >> 10));
		put_u(o, 0xdc00 + ((cp - 0x10000) & 0x3ff));
	} else {
		put_u(o, cp);
	}
}

static bool json_plain(unsigned char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

#define EACH(byte) (0x0101010101010101u * (byte))

/* Whether one of eight bytes is below n, which is at most 0x80. */
static uint64_t below(uint64_t eight, uint64_t n)
{
	return (eight - EACH(n)) & ~eight & EACH(0x80);
}

/* How many bytes at the beginning are plain. */
static size_t json_run(const unsigned char *p, size_t n)
{
	size_t i = 0;
	uint64_t eight;

	for (; n - i >= sizeof(eight); i += sizeof(eight)) {
		memcpy(&eight, p + i, sizeof(eight));
		if ((eight & EACH(0x80)) | below(eight, 0x20) | below(eight ^ EACH('"'), 1) |
		    below(eight ^ EACH('\\'), 1) | below(eight ^ EACH(0x7f), 1))
			break;
	}
	while (i < n && json_plain(p[i]))
		i++;
	return i;
}

bool escape_json(struct out *o, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	bool lossy = false;

	for (size_t i = 0; i < n;) {
		size_t run = json_run(p + i, n - i);
		unsigned len;
		uint32_t cp;

		out_bytes(o, s + i, run);
		i += run;
		if (i == n)
			break;
		len = escape_utf8(p + i, n - i, &cp);
		if (!len) {
			out_bytes(o, "\xef\xbf\xbd", 3);
			lossy = true;
			len = 1;
		} else if (len > 1 && !escape_unsafe(cp)) {
			out_bytes(o, s + i, len);
		} else {
			put_json(o, cp);
		}
		i += len;
	}
	return lossy;
}

void escape_lossy(struct out *o, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t i = 0; i < n;) {
		size_t run = i;
		unsigned bad = 0, len;

		while (run < n && p[run] >= 0x20 && p[run] < 0x7f)
			run++;
		out_bytes(o, s + i, run - i);
		i = run;
		if (i == n)
			break;
		len = shown(p + i, n - i, &bad);
		if (len)
			out_bytes(o, s + i, len);
		else
			out_bytes(o, "\xef\xbf\xbd", 3);
		i += len + bad;
	}
}

void escape_base64(struct out *o, const void *data, size_t n)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				  "0123456789+/";
	const unsigned char *p = data;

	for (size_t i = 0; i < n; i += 3) {
		size_t left = n - i;
		uint32_t v = (uint32_t)p[i] << 16 | (left > 1 ? (uint32_t)p[i + 1] << 8 : 0) |
			     (left > 2 ? p[i + 2] : 0);
		char *q = out_room(o, 4);

		q[0] = set[v >> 18];
		q[1] = set[v >> 12 & 63];
		q[2] = left > 1 ? set[v >> 6 & 63] : '=';
		q[3] = left > 2 ? set[v & 63] : '=';
		o->len += 4;
	}
}

static size_t measure(const char *s, size_t n, size_t columns, size_t *bytes)
{
	size_t width = 0, i = 0;

	while (i < n) {
		uint32_t cp = '?';
		unsigned len = escape_utf8((const unsigned char *)s + i, n - i, &cp);
		size_t w = glyph_width(cp);

		if (width + w > columns)
			break;
		width += w;
		i += len ? len : 1;
	}
	*bytes = i;
	return width;
}

/* How many bytes at the beginning are ASCII: a column each. */
static size_t ascii_run(const char *s, size_t n)
{
	size_t i = 0;
	uint64_t eight;

	for (; n - i >= sizeof(eight); i += sizeof(eight)) {
		memcpy(&eight, s + i, sizeof(eight));
		if (eight & 0x8080808080808080u)
			break;
	}
	while (i < n && !(s[i] & 0x80))
		i++;
	return i;
}

size_t escape_width(const char *s, size_t n)
{
	size_t ascii = ascii_run(s, n), bytes;

	return ascii + measure(s + ascii, n - ascii, SIZE_MAX - 2, &bytes);
}

size_t escape_fit(const char *s, size_t n, size_t columns)
{
	size_t ascii = ascii_run(s, n < columns ? n : columns), bytes;

	measure(s + ascii, n - ascii, columns - ascii, &bytes);
	return ascii + bytes;
}
