/* SPDX-License-Identifier: BSD-2-Clause */
/* source.c - exact reads, skips and put-backs on an io. */
#include "source.h"

#include <errno.h>
#include <string.h>

int source_read(struct source *s, void *buf, size_t len, size_t *got)
{
	size_t from_back = s->back.len - s->back_at, more = 0;
	int rc = 0;

	if (from_back > len)
		from_back = len;
	if (from_back) {
		memcpy(buf, s->back.data + s->back_at, from_back);
		s->back_at += from_back;
	}
	if (from_back < len)
		rc = s->io.read(s->io.ctx, (char *)buf + from_back, len - from_back, &more);
	*got = from_back + more;
	s->at += *got;
	return rc;
}

int source_append(struct source *s, struct buf *buf, uint64_t len, uint64_t *got)
{
	const size_t step = 1u << 20;

	for (*got = 0; *got < len;) {
		size_t want = len - *got < step ? (size_t)(len - *got) : step, n;
		uint8_t *to = buf_room(buf, want);
		int rc;

		if (!to)
			return ENOMEM;
		rc = source_read(s, to, want, &n);
		if (rc)
			return rc;
		buf->len += n;
		*got += n;
		if (n < want)
			break;
	}
	return 0;
}

bool source_seeks(const struct source *s, uint64_t *size)
{
	return s->io.seek && s->io.size && !s->io.size(s->io.ctx, size);
}

int source_seek(struct source *s, uint64_t at)
{
	int rc = s->io.seek(s->io.ctx, at);

	if (!rc) {
		s->at = at;
		s->back_at = s->back.len;
	}
	return rc;
}

int source_skip(struct source *s, uint64_t len, uint64_t *got)
{
	size_t from_back = s->back.len - s->back_at;
	uint64_t size;
	uint8_t pass[4096];

	*got = 0;
	if (from_back) {
		if (from_back > len)
			from_back = (size_t)len;
		s->back_at += from_back;
		s->at += from_back;
		*got = from_back;
	}
	if (*got < len && source_seeks(s, &size)) {
		uint64_t rest = len - *got, left = size > s->at ? size - s->at : 0;
		int rc;

		if (rest > left)
			rest = left;
		rc = s->io.seek(s->io.ctx, s->at + rest);
		if (rc)
			return rc;
		s->at += rest;
		*got += rest;
		return 0;
	}
	while (*got < len) {
		size_t want = len - *got < sizeof(pass) ? (size_t)(len - *got) : sizeof(pass), n;
		int rc = source_read(s, pass, want, &n);

		if (rc)
			return rc;
		*got += n;
		if (n < want)
			break;
	}
	return 0;
}

int source_unread(struct source *s, const void *p, size_t len)
{
	size_t left = s->back.len - s->back_at;

	if (!len)
		return 0;
	if (len <= s->back_at) {
		s->back_at -= len;
		memcpy(s->back.data + s->back_at, p, len);
	} else {
		struct buf b = { 0 };

		buf_add(&b, p, len);
		if (left)
			buf_add(&b, s->back.data + s->back_at, left);
		if (b.failed) {
			buf_free(&b);
			return ENOMEM;
		}
		buf_free(&s->back);
		s->back = b;
		s->back_at = 0;
	}
	s->at -= len;
	return 0;
}
