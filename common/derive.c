/* SPDX-License-Identifier: BSD-2-Clause */
#include "derive.h"

uint64_t derive_duration(const struct et_event *ev)
{
	uint64_t ts = ev->v[ET_F_TS].u, since;

	if (ev->v[ET_F_KIND].u != ET_EXIT)
		return ET_NONE;
	if (ET_HAS(ev, ET_F_EXEC_TS))
		since = ev->v[ET_F_EXEC_TS].u;
	else if (ET_HAS(ev, ET_F_START))
		since = ev->v[ET_F_START].u;
	else
		return ET_NONE;
	return since <= ts ? ts - since : ET_NONE;
}

uint64_t derive_status(const struct et_event *ev)
{
	if (ET_HAS(ev, ET_F_EXIT_CODE))
		return ev->v[ET_F_EXIT_CODE].u;
	if (ET_HAS(ev, ET_F_SIGNAL) && ev->v[ET_F_SIGNAL].u <= ET_NONE - 1 - 128)
		return 128 + ev->v[ET_F_SIGNAL].u;
	return ET_NONE;
}
