/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Any bytes as ring records: the first two bytes of each piece are its length.
 * Every event that comes out must be one that a batch takes.
 */
#include "../../bpf/wire.h"
#include "../../capture/decode.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int add(void *ctx, struct et_event *ev)
{
	struct et_error err;
	int rc = et_batch_add(ctx, ev, &err);

	if (rc == ET_MISUSE) {
		fprintf(stderr, "an event that no batch takes: %s\n", err.what);
		abort();
	}
	if (rc == ET_LIMIT)
		et_batch_reset(ctx);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct et_batch *batch = et_batch_new();
	struct decoder *d = decoder_new(4, 4096, add, batch);
	struct wire_counters counters = { 0 };

	while (size > 2) {
		size_t len = data[0] | (size_t)data[1] << 8;
		void *record;

		data += 2;
		size -= 2;
		if (len > size)
			len = size;
		/* The ring aligns records to 8 bytes, and so does malloc. */
		record = malloc(len ? len : 1);
		memcpy(record, data, len);
		decode_record(d, record, len);
		free(record);
		data += len;
		size -= len;
	}
	for (unsigned cpu = 0; cpu < 4; cpu++)
		decode_finish(d, cpu, &counters, 1);
	decoder_free(d);
	et_batch_free(batch);
	return 0;
}
