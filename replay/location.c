/* SPDX-License-Identifier: BSD-2-Clause */
#include "location.h"

#include <string.h>

/* The next component of a path, which moves on behind it; len 0: there is none. */
static struct et_str next_component(struct et_str *path)
{
	struct et_str c;
	const char *end;

	while (path->len && *path->ptr == '/') {
		path->ptr++;
		path->len--;
	}
	end = path->len ? memchr(path->ptr, '/', path->len) : NULL;
	c = (struct et_str){ path->ptr, end ? (uint32_t)(end - path->ptr) : path->len };
	path->ptr += c.len;
	path->len -= c.len;
	return c;
}

static bool is(struct et_str s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.ptr, text, s.len);
}

static struct et_str unslashed(struct et_str s)
{
	while (s.len && s.ptr[s.len - 1] == '/')
		s.len--;
	return s;
}

static struct et_str parent_of(struct et_str s)
{
	while (s.len && s.ptr[s.len - 1] != '/')
		s.len--;
	return unslashed(s);
}

void location_put(struct out *o, struct et_str cwd, struct et_str path)
{
	/* What is resolved so far; empty: the root. */
	struct et_str base = path.len && *path.ptr == '/' ? (struct et_str){ "", 0 }
							  : unslashed(cwd);
	struct et_str c;
	bool begun = false;

	while ((c = next_component(&path)).len) {
		if (is(c, "."))
			continue;
		if (is(c, "..") && !begun) {
			base = parent_of(base);
			continue;
		}
		if (!begun)
			out_bytes(o, base.ptr, base.len);
		begun = true;
		out_char(o, '/');
		out_bytes(o, c.ptr, c.len);
	}
	if (!begun && base.len)
		out_bytes(o, base.ptr, base.len);
	else if (!begun)
		out_char(o, '/');
}
