/* SPDX-License-Identifier: BSD-2-Clause */
/* Each eight bytes are a row about a process: whatever rows say, the table keeps its promises. */
#include "../unit/families.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint64_t ts = 5000000000;
	struct families f;

	families_open(&f, NULL, 0);
	for (size_t i = 0; i + 8 <= size; i += 8) {
		const uint8_t *b = data + i;
		uint64_t start = b[4] < 8 ? ET_NONE : ts - (uint64_t)(b[4] - 8) * b[5] * 1000;

		families_take(&f, &(struct families_row){ b[0] % 8, b[1] % 3, ts, b[2] % 32,
							  b[3] == 255 ? ET_NONE : b[3] % 32, start });
		ts += (uint64_t)b[6] * b[7] * 1000;
		ts -= b[6] > 250 ? (uint64_t)b[7] * 1000000 : 0;
	}
	families_end(&f);
	if (f.broken)
		abort();
	return 0;
}
