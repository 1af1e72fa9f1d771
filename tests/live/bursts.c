/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * bursts - as many failing execve calls as a line of its input says, and a line of
 * output when they were made; then the next. Ends with its input.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(void)
{
	char name[] = "bursts";
	char *argv[] = { name, NULL }, *env[] = { NULL };
	char line[32];

	while (fgets(line, sizeof(line), stdin)) {
		for (long n = atol(line); n > 0; n--)
			execve("/nonexistent/bursts", argv, env);
		puts("done");
		fflush(stdout);
	}
	return 0;
}
