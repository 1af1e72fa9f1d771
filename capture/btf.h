/* SPDX-License-Identifier: BSD-2-Clause */
/* btf.h - what the running kernel's BTF says about its tracepoints. */
#ifndef EXECTRACE_BTF_H
#define EXECTRACE_BTF_H

/*
 * How many arguments the kernel's tracepoint passes to a program; -1 when there
 * is no such tracepoint or no BTF.
 */
struct btf;
int btf_tracepoint_args(const struct btf *btf, const char *tracepoint);

#endif
