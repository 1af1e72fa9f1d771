/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * explain.h - why the BPF programs did not go in: from an errno and libbpf's
 * chatter to one line that says what is missing, where, and what to do.
 */
#ifndef EXECTRACE_EXPLAIN_H
#define EXECTRACE_EXPLAIN_H

#include "probe.h"

#include <stdarg.h>
#include <stdbool.h>

struct btffile;

/* What libbpf said last. It takes no context with its callback, so there is one. */
void explain_listen(void);
void explain_unlisten(void);

/* Each fills err->text; err may be NULL. error: an errno, positive. */
__attribute__((format(printf, 2, 3)))
void explain(struct probe_error *err, const char *format, ...);
/*
 * What has to be there before anything is tried, one by one: what it is, whether this
 * process has it, and in err what there is or what is missing. NULL: there are no more.
 * btf: a file with the kernel's types that is to stand in for the kernel's own; NULL: none
 * is. What is left in *given, NULL at first, is the caller's.
 */
const char *explain_prerequisite(unsigned i, const char *btf, struct btffile **given,
				 bool *have, struct probe_error *err);
/* True: one of them is missing. */
bool explain_before(const char *btf, struct btffile **given, struct probe_error *err);
/* This kernel is older; when that cannot be told, it is not. */
bool explain_kernel_before(unsigned major, unsigned minor);
/* given: the file whose types the programs were relocated by; NULL: the kernel's own. */
void explain_load(struct probe_error *err, const struct btffile *given, int error);
/* What is wrong by these types: fits.h. */
void explain_misfit(struct probe_error *err, const struct btffile *given, const char *what);
void explain_attach(struct probe_error *err, const char *program, int error);

#endif
