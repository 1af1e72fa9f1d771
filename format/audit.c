/* SPDX-License-Identifier: BSD-2-Clause */
/* audit.c - a row record's head against its rows (SPEC.md 3.2, 5.4, 5.5). */
#include "audit.h"
#include "comms.h"
#include "error.h"

#include <stdlib.h>
#include <string.h>

struct audit {
	struct et_chunk *c;
	const struct head *h;
	audit_fn *tell;
	void *ctx;
	bool whole;
	const char *told;	/* of the last column that could not be read */
	uint32_t strings;	/* ids in use are 1..strings, seen in this order so far */
	uint32_t seen;
	bool in_order;
};

static void tell(const struct audit *a, const char *what)
{
	a->tell(a->ctx, ET_CORRUPT, what);
}

/* A column that could not be read; what it costs is told once. */
static int unread(struct audit *a, const struct et_error *e)
{
	if (e->code == ET_NOMEM)
		return ET_NOMEM;
	a->whole &= e->code == ET_UNSUPPORTED;
	if (a->told != e->what)
		a->tell(a->ctx, e->code, e->what);
	a->told = e->what;
	return ET_OK;
}

static int decode_columns(struct audit *a)
{
	const struct schema *schema = &a->c->schema;
	struct et_error e;
	uint32_t n;
	int rc = ET_OK;

	if (et_chunk_strings(a->c, &n, &e))
		rc = unread(a, &e);
	a->strings = n;
	for (unsigned i = 0; !rc && i < schema->n; i++) {
		const struct et_column *col = &schema->columns[i];
		const struct et_span *spans;
		const uint64_t *uints;
		const uint32_t *ids;
		int r = ET_OK;

		if (col->type == ET_UINT || col->type == ET_OPT)
			r = et_chunk_uints(a->c, col->id, &uints, &e);
		else if (col->type == ET_STR)
			r = et_chunk_ids(a->c, col->id, &ids, &e);
		else if (col->type == ET_LIST)
			r = et_chunk_lists(a->c, col->id, &spans, &ids, &e);
		else
			r = et_fail(&e, ET_UNSUPPORTED, 0, "a column is of a type of a later version");
		if (r)
			rc = unread(a, &e);
	}
	return rc;
}

/* ---- What the head says of times and kinds ------------------------------------------ */

static void check_times(struct audit *a)
{
	const struct et_record *rec = &a->h->rec;
	uint64_t min = UINT64_MAX, max = 0;
	const uint64_t *ts;

	if (et_chunk_uints(a->c, ET_F_TS, &ts, NULL))
		return;
	for (uint32_t i = 0; i < rec->rows; i++) {
		min = ts[i] < min ? ts[i] : min;
		max = ts[i] > max ? ts[i] : max;
	}
	if (min != rec->ts_min || max != rec->ts_max)
		tell(a, "TIME is not what the rows have");
}

static void check_kinds(struct audit *a)
{
	static const unsigned allowed[] = {
		[ET_REC_CHUNK] = ET_KIND_BIT(ET_EXEC) | ET_KIND_BIT(ET_FAIL) |
				 ET_KIND_BIT(ET_FORK) | ET_KIND_BIT(ET_EXIT),
		[ET_REC_PROC] = ET_KIND_BIT(ET_PROC),
		[ET_REC_LOST] = ET_KIND_BIT(ET_LOST),
	};

	/* Kinds of a later version are its own affair. */
	for (unsigned k = 1; k < ET_KIND_END; k++)
		if (a->h->rec.kinds[k] && !(allowed[a->h->rec.type] >> k & 1))
			tell(a, "a row stands in a record of another type");
}

/* ---- Statistics ---------------------------------------------------------------------- */

static bool in_set(const struct et_stat *s, uint64_t v, uint32_t *met)
{
	for (unsigned i = 0; i < s->n; i++) {
		if (s->set[i] == v) {
			*met |= 1u << i;
			return true;
		}
	}
	return false;
}

/* unknown: it also has the number that stands for not known, in an ET_OPT. */
static void check_stat(struct audit *a, const struct et_stat *s, bool unknown)
{
	const struct et_column *col = schema_find(&a->c->schema, s->column);
	/* Of a set of the unknown alone nothing is left but a range of nothing. */
	bool set = s->n || s->min > s->max, met_unknown = false, lacks = false;
	uint32_t met = 0;
	const uint64_t *v;

	if (et_chunk_uints(a->c, s->column, &v, NULL))
		return;
	for (uint32_t i = 0; i < a->c->rows && !lacks; i++) {
		/* Of ts it is the distance from the earliest. */
		uint64_t x = s->column == ET_F_TS ? v[i] - a->c->ts_min : v[i];

		if (v[i] != ET_NONE)
			lacks = s->n ? !in_set(s, x, &met) : x < s->min || x > s->max;
		else if (col->type == ET_OPT && col->kinds >> a->c->kinds[i] & 1)
			met_unknown = true;
	}
	if (lacks || (met_unknown && !unknown))
		tell(a, "STATS leaves out a value that a row has");
	else if ((s->n && met != (1u << s->n) - 1) ||
		 (set && col->type == ET_OPT && unknown && !met_unknown))
		tell(a, "STATS has a value that no row has");
}

static int check_comms(struct audit *a, struct et_error *err)
{
	const struct et_str list = a->h->rec.comms;
	uint8_t *met;
	const uint32_t *ids;
	uint32_t n = 0;

	if (!a->h->rec.has_comms || et_chunk_ids(a->c, ET_F_COMM, &ids, NULL))
		return ET_OK;
	met = calloc(1, (1u << 16) + 1);
	if (!met)
		return et_fail_nomem(err);
	for (uint32_t i = 0; i < a->c->rows; i++) {
		struct et_str s = et_chunk_str(a->c, ids[i]);
		uint16_t hash = comms_hash(s.ptr, s.len);

		if (!ids[i] || met[hash])
			continue;
		met[hash] = 1;
		n++;
		if (!comms_have((const uint8_t *)list.ptr, list.len, hash)) {
			tell(a, "COMMS leaves out a name that a row has");
			n = list.len / 2;
			break;
		}
	}
	if (n != list.len / 2)
		tell(a, "COMMS has a name that no row has");
	free(met);
	return ET_OK;
}

/* ---- Strings ------------------------------------------------------------------------- */

static void use(struct audit *a, uint32_t id)
{
	if (id == a->seen + 1)
		a->seen++;
	else if (id > a->seen)
		a->in_order = false;
}

static void use_row(struct audit *a, uint32_t row)
{
	const struct schema *schema = &a->c->schema;

	for (unsigned i = 0; i < schema->n; i++) {
		const struct et_column *col = &schema->columns[i];
		const struct et_span *spans;
		const uint32_t *ids;

		if (col->type == ET_STR && !et_chunk_ids(a->c, col->id, &ids, NULL)) {
			use(a, ids[row]);
		} else if (col->type == ET_LIST &&
			   !et_chunk_lists(a->c, col->id, &spans, &ids, NULL) &&
			   spans[row].n != UINT32_MAX) {
			for (uint32_t k = 0; k < spans[row].n; k++)
				use(a, ids[spans[row].first + k]);
		}
	}
}

/* Every string once, used, and numbered by first use. */
static int check_strings(struct audit *a, struct et_error *err)
{
	struct strings table;
	int rc = ET_OK;

	a->in_order = true;
	/* Once all were met no use of one can be out of order. */
	for (uint32_t row = 0; row < a->c->rows && a->in_order && a->seen < a->strings; row++)
		use_row(a, row);
	if (!a->in_order)
		tell(a, "strings are not numbered by their first use");
	else if (a->seen != a->strings)
		tell(a, "a string is there that no row uses");
	strings_init(&table);
	for (uint32_t id = 1; id <= a->strings; id++) {
		struct et_str s = et_chunk_str(a->c, id);
		uint32_t is = strings_add(&table, s.len ? s.ptr : "", s.len);

		if (is == id)
			continue;
		if (is)
			tell(a, "a string is there twice");
		else
			rc = et_fail_nomem(err);
		break;
	}
	strings_free(&table);
	return rc;
}

int audit_chunk(struct et_chunk *c, const struct head *h, audit_fn *fn, void *ctx, bool *whole,
		struct et_error *err)
{
	struct audit a = { .c = c, .h = h, .tell = fn, .ctx = ctx, .whole = true };
	int rc = decode_columns(&a);

	*whole = a.whole;
	if (rc)
		return et_fail_nomem(err);
	if (!a.whole)
		return ET_OK;
	check_times(&a);
	check_kinds(&a);
	for (unsigned i = 0; i < h->rec.n_stats; i++)
		check_stat(&a, &h->rec.stats[i], h->stats_unknown >> i & 1);
	rc = check_comms(&a, err);
	return rc ? rc : check_strings(&a, err);
}
