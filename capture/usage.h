/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * usage.h - what --help prints. A test holds it to the manual.
 */
#ifndef EXECTRACE_USAGE_H
#define EXECTRACE_USAGE_H

extern const char usage_text[];

#endif
