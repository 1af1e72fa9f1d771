/* SPDX-License-Identifier: BSD-2-Clause */
/* comms.c - hashes of a record's process names (SPEC.md 5.5). */
#include "comms.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

uint16_t comms_hash(const char *comm, size_t len)
{
	return (uint16_t)(len ? crc32_z(0, (const Bytef *)comm, len) : 0);
}

static int compare(const void *a, const void *b)
{
	return (int)*(const uint16_t *)a - (int)*(const uint16_t *)b;
}

bool comms_put(struct buf *out, const struct et_batch *b)
{
	const struct values *ids = &b->columns[ET_F_COMM].part[0];
	const struct strings *t = &b->strings;
	uint8_t *seen = calloc(1, t->n / 8 + 1);
	uint16_t hashes[COMMS_MAX];
	unsigned n = 0;
	bool fits = seen;

	for (uint32_t i = 0; fits && i < ids->n; i++) {
		uint64_t id = ids->v[i];

		if (!id || seen[id / 8] >> id % 8 & 1)
			continue;
		seen[id / 8] |= (uint8_t)(1u << id % 8);
		fits = n < COMMS_MAX;
		if (fits)
			hashes[n++] = comms_hash((const char *)t->bytes.data + t->ends[id - 1] -
							 t->lengths[id - 1],
						 t->lengths[id - 1]);
	}
	free(seen);
	if (!fits)
		return false;
	qsort(hashes, n, sizeof(hashes[0]), compare);
	for (unsigned i = 0; i < n; i++)
		if (!i || hashes[i] != hashes[i - 1])
			buf_u16(out, hashes[i]);
	return true;
}

static uint16_t hash_at(const uint8_t *p, size_t i)
{
	return (uint16_t)(p[2 * i] | p[2 * i + 1] << 8);
}

bool comms_ok(const uint8_t *p, size_t len)
{
	if (len % 2 || len / 2 > COMMS_MAX)
		return false;
	for (size_t i = 1; i < len / 2; i++)
		if (hash_at(p, i) <= hash_at(p, i - 1))
			return false;
	return true;
}

bool comms_have(const uint8_t *p, size_t len, uint16_t hash)
{
	size_t low = 0, high = len / 2;

	while (low < high) {
		size_t mid = low + (high - low) / 2;

		if (hash_at(p, mid) < hash)
			low = mid + 1;
		else
			high = mid;
	}
	return low < len / 2 && hash_at(p, low) == hash;
}
