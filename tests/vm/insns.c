/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * insns - the recorder, which also prints how many instructions the verifier went through
 * for each of its programs, as the recorder has chosen and set them for this kernel and
 * these options. Lines on standard error: "verified NUMBER PROGRAM", or "refused PROGRAM"
 * with the end of the verifier's log behind it.
 *
 * It is the recorder's main() with libbpf's call that loads one program wrapped by the
 * linker, so libbpf is linked statically.
 */
#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_STATS 4 /* BPF_LOG_STATS of the kernel's include/linux/bpf_verifier.h */
#define LOG_ALL 1
#define LOG_SIZE (16u << 20) /* the most that 5.10 takes is 16 MiB - 1 */
#define LOG_SHOWN 4000

int __real_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t count,
			 struct bpf_prog_load_opts *opts);
int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t count,
			 struct bpf_prog_load_opts *opts);

/* What the log says at its end is why; a log that did not fit says nothing else. */
static void print_refusal(const char *name, const char *log)
{
	size_t len = strlen(log);

	fprintf(stderr, "refused %s\n%s\n", name,
		log + (len > LOG_SHOWN ? len - LOG_SHOWN : 0));
}

int __wrap_bpf_prog_load(enum bpf_prog_type type, const char *name, const char *license,
			 const struct bpf_insn *insns, size_t count,
			 struct bpf_prog_load_opts *opts)
{
	struct bpf_prog_load_opts own;
	unsigned long verified;
	const char *said;
	char *log;
	int fd, error;

	/* libbpf also asks in this way what the kernel can do. */
	if (!name || strncmp(name, "et_", 3) != 0 || opts->log_level)
		return __real_bpf_prog_load(type, name, license, insns, count, opts);
	log = calloc(1, LOG_SIZE);
	if (!log)
		return -ENOMEM;
	own = *opts;
	own.log_buf = log;
	own.log_size = LOG_SIZE - 1;
	own.log_level = LOG_STATS;
	fd = __real_bpf_prog_load(type, name, license, insns, count, &own);
	error = errno;
	said = strstr(log, "processed ");
	if (fd >= 0 && said && sscanf(said, "processed %lu", &verified) == 1)
		fprintf(stderr, "verified %lu %s\n", verified, name);
	if (fd < 0) {
		own.log_level = LOG_ALL;
		if (__real_bpf_prog_load(type, name, license, insns, count, &own) < 0)
			print_refusal(name, log);
	}
	free(log);
	errno = error;
	return fd;
}
