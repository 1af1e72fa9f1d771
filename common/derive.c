/* SPDX-License-Identifier: BSD-2-Clause */
#include "derive.h"

uint64_t derive_since(uint64_t exec_ts, uint64_t start, uint64_t ts)
{
	uint64_t since = exec_ts != ET_NONE ? exec_ts : start;

	return since != ET_NONE && since <= ts ? ts - since : ET_NONE;
}

uint64_t derive_sum(uint64_t a, uint64_t b)
{
	return a > ET_NONE - 1 - b ? ET_NONE - 1 : a + b;
}

uint64_t derive_duration(const struct et_event *ev)
{
	if (ev->v[ET_F_KIND].u != ET_EXIT)
		return ET_NONE;
	return derive_since(ET_HAS(ev, ET_F_EXEC_TS) ? ev->v[ET_F_EXEC_TS].u : ET_NONE,
			    ET_HAS(ev, ET_F_START) ? ev->v[ET_F_START].u : ET_NONE,
			    ev->v[ET_F_TS].u);
}

uint64_t derive_status(const struct et_event *ev)
{
	if (ET_HAS(ev, ET_F_EXIT_CODE))
		return ev->v[ET_F_EXIT_CODE].u;
	if (ET_HAS(ev, ET_F_SIGNAL) && ev->v[ET_F_SIGNAL].u <= ET_NONE - 1 - 128)
		return 128 + ev->v[ET_F_SIGNAL].u;
	return ET_NONE;
}
