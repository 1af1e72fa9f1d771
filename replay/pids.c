/* SPDX-License-Identifier: BSD-2-Clause */
#include "pids.h"

#include <stdlib.h>
#include <string.h>

void pids_free(struct pids *p)
{
	free(p->v);
	*p = (struct pids){ 0 };
}

/* Decimal digits alone; 0 is the pid of nobody. */
static bool parse(const char *s, size_t len, uint32_t *out)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++) {
		if (s[i] < '0' || s[i] > '9')
			return false;
		value = value * 10 + (uint64_t)(s[i] - '0');
		if (value > UINT32_MAX)
			return false;
	}
	*out = (uint32_t)value;
	return value != 0;
}

static size_t place_of(const struct pids *p, uint32_t pid)
{
	size_t lo = 0, hi = p->n;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (p->v[mid] < pid)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

bool pids_have(const struct pids *p, uint32_t pid)
{
	size_t i = place_of(p, pid);

	return i < p->n && p->v[i] == pid;
}

static int enter(struct pids *p, uint32_t pid)
{
	size_t i = place_of(p, pid);
	uint32_t *more;

	if (i < p->n && p->v[i] == pid)
		return 0;
	more = reallocarray(p->v, p->n + 1, sizeof(*more));
	if (!more)
		return -1;
	p->v = more;
	memmove(more + i + 1, more + i, (p->n - i) * sizeof(*more));
	more[i] = pid;
	p->n++;
	return 0;
}

int pids_add(struct pids *p, const char *option, const char *list, struct reason *why)
{
	for (;;) {
		size_t len = strcspn(list, ",");
		uint32_t pid;

		if (!parse(list, len, &pid))
			return reason_set(why, EXIT_USAGE, "--%s: '%.*s' is not a pid", option,
					  (int)len, list);
		if (enter(p, pid))
			return reason_set(why, EXIT_FAILED, "out of memory");
		if (!list[len])
			return 0;
		list += len + 1;
	}
}
