/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain.h"

#include "line.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>

#define OLDEST_MAJOR 5
#ifdef __aarch64__
#define OLDEST_MINOR 18	/* atomic exchange in BPF */
#else
#define OLDEST_MINOR 17	/* bpf_loop */
#endif

/* linux/capability.h; the numbers are ABI. */
#define CAPABILITY_SYS_ADMIN 21
#define CAPABILITY_PERFMON 38
#define CAPABILITY_BPF 39

static libbpf_print_fn_t print_before;
static char last_warning[256];

/* Keeps libbpf's last warning that says something, without its prefix and newline. */
__attribute__((format(printf, 2, 0)))
static int listen_print(enum libbpf_print_level level, const char *format, va_list args)
{
	char line[sizeof(last_warning)];
	const char *text = line;

	if (level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), format, args);
	line[strcspn(line, "\n")] = '\0';
	if (!strncmp(text, "libbpf: ", 8))
		text += 8;
	/* The verifier's log and what only repeats that something failed. */
	if (strstr(text, "BPF program load failed") || strstr(text, "PROG LOAD LOG") ||
	    !strncmp(text, "failed to load object", 21))
		return 0;
	memmove(last_warning, text, strlen(text) + 1);
	return 0;
}

void explain_listen(void)
{
	last_warning[0] = '\0';
	print_before = libbpf_set_print(listen_print);
}

void explain_unlisten(void)
{
	libbpf_set_print(print_before);
}

void explain(struct probe_error *err, const char *format, ...)
{
	va_list args;

	if (!err)
		return;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
}

/* The effective capabilities; all of them when that cannot be found out. */
static uint64_t capabilities(void)
{
	uint64_t mask = UINT64_MAX;
	char line[128];
	FILE *f = fopen("/proc/self/status", "re");

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, "CapEff:", 7))
			mask = strtoull(line + 7, NULL, 16);
	if (f)
		fclose(f);
	return mask;
}

/* The capabilities it takes and that are missing, in words; empty: none. */
static const char *missing_capabilities(void)
{
	uint64_t mask = capabilities();

	if (mask >> CAPABILITY_SYS_ADMIN & 1)
		return "";
	switch ((mask >> CAPABILITY_BPF & 1) | (mask >> CAPABILITY_PERFMON & 1) << 1) {
	case 0:
		return "CAP_BPF and CAP_PERFMON";
	case 1:
		return "CAP_PERFMON";
	case 2:
		return "CAP_BPF";
	default:
		return "";
	}
}

static bool kernel_too_old(struct utsname *name)
{
	unsigned major, minor;

	if (uname(name) || sscanf(name->release, "%u.%u", &major, &minor) != 2)
		return false;
	return major < OLDEST_MAJOR || (major == OLDEST_MAJOR && minor < OLDEST_MINOR);
}

bool explain_before(struct probe_error *err)
{
	const char *missing = missing_capabilities();
	struct utsname name;
	char lockdown[128];

	if (*missing) {
		explain(err, "no permission to load BPF programs: %s missing; run it with sudo, "
			"or give exectrace-record the capabilities with setcap", missing);
		return true;
	}
	if (kernel_too_old(&name)) {
		explain(err, "Linux %s is too old: the BPF programs need Linux %d.%d or later",
			name.release, OLDEST_MAJOR, OLDEST_MINOR);
		return true;
	}
	if (access("/sys/kernel/btf/vmlinux", F_OK)) {
		explain(err, "/sys/kernel/btf/vmlinux is missing: the kernel has to be built with "
			"CONFIG_DEBUG_INFO_BTF=y, and /sys has to be mounted");
		return true;
	}
	/* Integrity allows what is needed here; only confidentiality does not. */
	line_read("/sys/kernel/security/lockdown", lockdown, sizeof(lockdown));
	if (strstr(lockdown, "[confidentiality]")) {
		explain(err, "kernel lockdown is at confidentiality, which forbids BPF to read "
			"kernel memory; boot with lockdown=integrity or without lockdown");
		return true;
	}
	return false;
}

static bool memlock_is_low(void)
{
	struct rlimit limit;

	return !getrlimit(RLIMIT_MEMLOCK, &limit) && limit.rlim_cur < (64ul << 20);
}

void explain_load(struct probe_error *err, int error)
{
	struct utsname name = { .release = "?" };

	uname(&name);
	switch (error) {
	case EPERM:
	case EACCES:
		explain(err, "Linux %s refused the BPF programs (%s)%s%s; run it with sudo outside "
			"of containers%s",
			name.release, strerror(error), *last_warning ? ": " : "", last_warning,
			memlock_is_low() ? ", or raise the memory lock limit: ulimit -l unlimited"
					 : "");
		break;
	case ENOMEM:
		explain(err, "no memory for the BPF programs and their maps%s%s; try a smaller ring "
			"with --ring-size", *last_warning ? ": " : "", last_warning);
		break;
	default:
		explain(err, "Linux %s does not take the BPF programs (%s)%s%s; this is worth "
			"a bug report with that kernel's name",
			name.release, strerror(error), *last_warning ? ": " : "", last_warning);
	}
}

void explain_attach(struct probe_error *err, const char *program, bool tracefs, int error)
{
	if (tracefs && error == ENOENT && access("/sys/kernel/tracing/events", F_OK) &&
	    access("/sys/kernel/debug/tracing/events", F_OK))
		explain(err, "cannot attach %s: tracefs is not mounted and cannot be; mount it "
			"(mount -t tracefs tracefs /sys/kernel/tracing) or leave failed execs out "
			"with --no-failed", program);
	else if (tracefs && error == ENOENT)
		explain(err, "cannot attach %s: the kernel has no system call tracepoints "
			"(CONFIG_FTRACE_SYSCALLS); leave failed execs out with --no-failed",
			program);
	else if (tracefs && (error == EPERM || error == EACCES))
		explain(err, "cannot attach %s: no access to tracepoints (%s); failed execs take "
			"CAP_DAC_READ_SEARCH besides, to read tracefs: run it with sudo, give it "
			"that too, or leave them out with --no-failed", program,
			strerror(error));
	else
		explain(err, "cannot attach %s (%s)%s%s", program, strerror(error),
			*last_warning ? ": " : "", last_warning);
}
