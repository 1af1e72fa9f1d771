/* SPDX-License-Identifier: BSD-2-Clause */
/* tiny - the program that the spawn benchmark executes: nothing, at once. */
int main(void)
{
	return 0;
}
