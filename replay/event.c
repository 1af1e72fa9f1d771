/* SPDX-License-Identifier: BSD-2-Clause */
#include "event.h"

static int read_column(struct et_chunk *c, unsigned id, unsigned type, struct et_error *err)
{
	const struct et_span *spans;
	const uint32_t *ids;
	struct et_stored numbers;

	switch (type) {
	case ET_STR:
		return et_chunk_ids(c, id, &ids, err);
	case ET_LIST:
		return et_chunk_lists(c, id, &spans, &ids, err);
	default:
		return et_chunk_stored(c, id, &numbers, err);
	}
}

/* What only a later version can read is no fault, but is told of. */
static int check_column(struct et_chunk *c, unsigned id, unsigned type,
			struct event_columns *left_out, struct et_error *err)
{
	int r = read_column(c, id, type, err);

	if (r != ET_UNSUPPORTED)
		return r;
	left_out->bits[id / 64] |= 1ull << id % 64;
	return ET_OK;
}

int event_check(const struct source *s, struct et_chunk *c, uint64_t fields,
		struct event_columns *left_out, struct et_error *err)
{
	int r = ET_OK;

	for (unsigned id = 1; !r && id < ET_FIELD_END; id++)
		if (et_fields[id].name && (!fields || fields >> id & 1))
			r = check_column(c, id, et_fields[id].type, left_out, err);
	for (unsigned i = 0; !r && !fields && i < s->n_extra; i++)
		r = check_column(c, s->extra[i].id, s->extra[i].type, left_out, err);
	return r;
}

void event_pick(struct et_chunk *c, uint32_t row, uint64_t fields, struct et_event *ev)
{
	const uint32_t *ids;
	struct et_stored numbers;

	ev->known = 0;
	ev->realtime = 0;
	for (unsigned id = 1; id < ET_FIELD_END; id++) {
		if (!(fields >> id & 1))
			continue;
		if (et_fields[id].type == ET_STR) {
			if (!et_chunk_ids(c, id, &ids, NULL) && ids[row]) {
				ev->v[id].s = et_chunk_str(c, ids[row]);
				ev->known |= 1ull << id;
			}
		} else if (!et_chunk_stored(c, id, &numbers, NULL) &&
			   et_stored_number(&numbers, row) != ET_NONE) {
			et_set_uint(ev, (enum et_field_id)id, et_stored_number(&numbers, row));
		}
	}
}
