/* SPDX-License-Identifier: BSD-2-Clause */
/* transform.c - making numbers small, and back (SPEC.md 5.3). */
#include "transform.h"
#include "bytes.h"
#include "mix.h"

#include <stdlib.h>

void delta_encode(const uint64_t *in, uint64_t *out, uint32_t n)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < n; i++) {
		out[i] = zigzag(in[i] - last);
		last = in[i];
	}
}

void delta_decode(uint64_t *v, uint32_t n)
{
	uint64_t last = 0;

	for (uint32_t i = 0; i < n; i++)
		last = v[i] = last + unzigzag(v[i]);
}

/* The last value of each pid: open addressing, as many rows as slots at most. */
struct last_of {
	struct {
		uint64_t pid, value;
		bool used;
	} *slots;
	uint32_t mask;
	uint64_t seed;
};

static bool last_init(struct last_of *l, uint32_t n)
{
	uint32_t slots = 16;

	while (slots < n * 2)
		slots *= 2;
	l->mask = slots - 1;
	l->seed = mix_seed();
	l->slots = calloc(slots, sizeof(*l->slots));
	return l->slots;
}

/* Where the pid's last value lies; set to first for a pid not seen yet. */
static uint64_t *last_find(struct last_of *l, uint64_t pid, uint64_t first)
{
	uint32_t at = (uint32_t)mix_number(l->seed, pid) & l->mask;

	while (l->slots[at].used && l->slots[at].pid != pid)
		at = (at + 1) & l->mask;
	if (!l->slots[at].used) {
		l->slots[at].used = true;
		l->slots[at].pid = pid;
		l->slots[at].value = first;
	}
	return &l->slots[at].value;
}

bool by_pid_encode(const uint64_t *in, uint64_t *out, const uint64_t *pid, const uint64_t *ts,
		   uint32_t n)
{
	struct last_of l;

	if (!last_init(&l, n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t *last = last_find(&l, pid[i], ts[i]);

		out[i] = zigzag(in[i] - *last);
		*last = in[i];
	}
	free(l.slots);
	return true;
}

bool by_pid_decode(uint64_t *v, const uint64_t *pid, const uint64_t *ts, uint32_t n)
{
	struct last_of l;

	if (!last_init(&l, n))
		return false;
	for (uint32_t i = 0; i < n; i++) {
		uint64_t *last = last_find(&l, pid[i], ts[i]);

		v[i] = *last += unzigzag(v[i]);
	}
	free(l.slots);
	return true;
}

void from_pid_encode(const uint64_t *in, uint64_t *out, const uint64_t *pid, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		out[i] = zigzag(in[i] - pid[i]);
}

void from_pid_decode(uint64_t *v, const uint64_t *pid, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		v[i] = unzigzag(v[i]) + pid[i];
}

void first_use_encode(const uint64_t *in, uint64_t *out, uint32_t n)
{
	uint64_t max = 0;

	for (uint32_t i = 0; i < n; i++) {
		out[i] = in[i] == max + 1 ? 0 : in[i] + 1;
		if (in[i] > max)
			max = in[i];
	}
}

void first_use_decode(uint64_t *v, uint32_t n)
{
	uint64_t max = 0;

	for (uint32_t i = 0; i < n; i++) {
		v[i] = v[i] ? v[i] - 1 : max + 1;
		if (v[i] > max)
			max = v[i];
	}
}
