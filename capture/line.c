/* SPDX-License-Identifier: BSD-2-Clause */
#include "line.h"

#include <stdio.h>
#include <string.h>

bool line_read(const char *path, char *buf, int size)
{
	FILE *f = fopen(path, "re");

	buf[0] = '\0';
	if (!f)
		return false;
	if (!fgets(buf, size, f))
		buf[0] = '\0';
	fclose(f);
	buf[strcspn(buf, "\n")] = '\0';
	return *buf;
}
