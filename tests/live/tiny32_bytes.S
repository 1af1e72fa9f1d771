/* SPDX-License-Identifier: BSD-2-Clause */
/* The program tiny32, for hostile_exec to write where it wants it. */
	.section .rodata
	.globl tiny32_bytes, tiny32_end
tiny32_bytes:
	.incbin TINY32
tiny32_end:
	.section .note.GNU-stack, "", @progbits
