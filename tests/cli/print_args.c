/* SPDX-License-Identifier: BSD-2-Clause */
/* print_args - prints its arguments from the first on, and its directory, each with a NUL behind. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	char cwd[8192];

	for (int i = 0; i < argc; i++)
		fwrite(argv[i], 1, strlen(argv[i]) + 1, stdout);
	if (!getcwd(cwd, sizeof(cwd)))
		return 1;
	fwrite(cwd, 1, strlen(cwd) + 1, stdout);
	return 0;
}
