/* SPDX-License-Identifier: BSD-2-Clause */
#include "derive.h"

uint64_t derive_sum(uint64_t a, uint64_t b)
{
	return a > ET_NONE - 1 - b ? ET_NONE - 1 : a + b;
}

static uint64_t number(const struct et_event *ev, enum et_field_id field)
{
	return ET_HAS(ev, field) ? ev->v[field].u : ET_NONE;
}

uint64_t derive_duration(const struct et_event *ev)
{
	return derive_duration_of(ev->v[ET_F_KIND].u, ev->v[ET_F_TS].u,
				  number(ev, ET_F_EXEC_TS), number(ev, ET_F_START));
}

uint64_t derive_status(const struct et_event *ev)
{
	return derive_status_of(number(ev, ET_F_EXIT_CODE), number(ev, ET_F_SIGNAL));
}
