/* SPDX-License-Identifier: BSD-2-Clause */
/* glyph.h - how much room characters take where each has a cell, as on a terminal. */
#ifndef EXECTRACE_GLYPH_H
#define EXECTRACE_GLYPH_H

#include <stdint.h>

/*
 * Cells of a character that is shown as it is: none of marks that combine with the one before,
 * two of East Asian wide ones and emoji.
 */
unsigned glyph_width(uint32_t cp);

#endif
