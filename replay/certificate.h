/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * certificate.h - what captures lack, place by place, as text and as JSON: which events
 * were lost, why, on which CPU and when; what is missing and where it should be; and
 * behind what moment nothing is known.
 */
#ifndef EXECTRACE_CERTIFICATE_H
#define EXECTRACE_CERTIFICATE_H

#include "ledger.h"
#include "out.h"

/* Lines of a table for people; what is more is summed up. */
#define CERTIFICATE_LINES 16

/* " between 2026-11-20 09:00:00.123456 and 09:00:01.000000 UTC" */
void certificate_between(struct out *o, int64_t first, int64_t last, int32_t offset);
/* " on cpu 1 between ..." of all losses together; nothing if so many are not listed. */
void certificate_where(struct out *o, const struct ledger *l, uint64_t lost, int32_t offset);
/*
 * Where events were lost, a line each: in at most so many stretches of time, but with
 * one at least for each cause and CPU. Returns how many events these are.
 */
uint64_t certificate_losses(struct out *o, const struct ledger *l, size_t stretches, size_t lines,
			    int32_t offset);
/*
 * What is missing, a line each; nothing where nothing is. placed: with the offset, which
 * is that of one capture.
 */
void certificate_gaps(struct out *o, const struct ledger *l, bool placed, size_t lines,
		      int32_t offset);

/* ,"losses":[...] in at most so many stretches. */
void certificate_json_losses(struct out *o, const struct ledger *l, size_t stretches);
/* ,"gaps":[...] */
void certificate_json_gaps(struct out *o, const struct ledger *l);
/* ,"series":[...],"segments_missing":[...], where segments have SERIES. */
void certificate_json_series(struct out *o, const struct ledger *l);

#endif
