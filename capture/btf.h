/* SPDX-License-Identifier: BSD-2-Clause */
/* btf.h - what the running kernel's BTF says about its tracepoints and BPF helpers. */
#ifndef EXECTRACE_BTF_H
#define EXECTRACE_BTF_H

#include <stdbool.h>

struct btf;

/*
 * How many arguments the kernel's tracepoint passes to a program; -1 when there
 * is no such tracepoint or no BTF.
 */
int btf_tracepoint_args(const struct btf *btf, const char *tracepoint);

bool btf_has_member(const struct btf *btf, const char *structure, const char *member);

/*
 * Whether tracepoints leave preemption on (Linux 7.2): then their users are waited for by a
 * grace period of another kind, which the kernel keeps account of.
 */
bool btf_tracepoints_preempt(const struct btf *btf);

/* Whether programs may call bpf_HELPER. */
bool btf_has_helper(const struct btf *btf, const char *helper);

#endif
