/* SPDX-License-Identifier: BSD-2-Clause */
#include "ringsize.h"

#include <unistd.h>

/*
 * Two CPUs that do nothing but execute in vain fill 300 MiB a second. A reader that the
 * scheduler keeps away for two of its slices on a busy machine needs 8 MiB then.
 */
#define LEAST (8u << 20)
#define MOST (64u << 20)
#define FOR_A_CPU (2u << 20)
#define MEMORY_PART 64		/* it takes no more than this part of the memory */
#define LEAST_OF_ALL (256u << 10)	/* but for this much */

uint32_t ringsize_for(unsigned cpus, uint64_t memory)
{
	uint32_t size = LEAST;

	while (size < MOST && size / FOR_A_CPU < cpus)
		size *= 2;
	while (size > LEAST_OF_ALL && size > memory / MEMORY_PART)
		size /= 2;
	return size;
}

uint32_t ringsize_here(void)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN), pages = sysconf(_SC_PHYS_PAGES);

	return ringsize_for(cpus > 0 ? (unsigned)cpus : 1,
			    pages > 0 ? (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE) : 0);
}
