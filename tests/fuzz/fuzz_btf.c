/* SPDX-License-Identifier: BSD-2-Clause */
/* Any bytes as BTF that --btf is given: what is said of them is a clause, or they are sound. */
#include "../../capture/btfcheck.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *said = btfcheck(data, size);

	if (said && !*said)
		abort();
	return 0;
}
