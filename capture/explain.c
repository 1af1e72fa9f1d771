/* SPDX-License-Identifier: BSD-2-Clause */
#include "explain.h"

#include "btffile.h"
#include "line.h"
#include "privilege.h"

#include <bpf/libbpf.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define OLDEST_MAJOR 5
#define OLDEST_MINOR 8	/* the BPF ring buffer */

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
	    !strncmp(text, "failed to load object", 21) ||
	    !strncmp(text, "failed to load BPF skeleton", 27))
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

/* The capabilities it takes and that are missing, in words; empty: none. */
static const char *missing_capabilities(void)
{
	uint64_t mask = privilege_effective();

	if (mask & PRIVILEGE_SYS_ADMIN)
		return "";
	switch (mask & (PRIVILEGE_BPF | PRIVILEGE_PERFMON)) {
	case 0:
		return "CAP_BPF and CAP_PERFMON";
	case PRIVILEGE_BPF:
		return "CAP_PERFMON";
	case PRIVILEGE_PERFMON:
		return "CAP_BPF";
	default:
		return "";
	}
}

static bool have_capabilities(struct probe_error *err)
{
	const char *missing = missing_capabilities();

	if (!*missing)
		explain(err, "enough for BPF");
	else
		explain(err, "no permission to load BPF programs: %s missing; run it with sudo, "
			"or give exectrace-record the capabilities with setcap", missing);
	return !*missing;
}

/* Inode of the initial user namespace, fixed in the kernel (include/linux/proc_ns.h). */
#define INITIAL_USER_NS 0xeffffffdu

/* Elsewhere all capabilities may be there, and of no use. */
static bool have_user_namespace(struct probe_error *err)
{
	struct stat st;

	if (stat("/proc/self/ns/user", &st) != 0 || st.st_ino == INITIAL_USER_NS) {
		explain(err, "the host's");
		return true;
	}
	explain(err, "no permission to load BPF programs: this is a user namespace of its own, "
		"where capabilities do not reach BPF; run it outside of the container");
	return false;
}

bool explain_kernel_before(unsigned major, unsigned minor)
{
	unsigned this_major, this_minor;
	struct utsname name;

	return !uname(&name) && sscanf(name.release, "%u.%u", &this_major, &this_minor) == 2 &&
	       (this_major < major || (this_major == major && this_minor < minor));
}

static bool have_kernel(struct probe_error *err)
{
	struct utsname name = { .release = "?", .machine = "?" };
	bool old = explain_kernel_before(OLDEST_MAJOR, OLDEST_MINOR);

	uname(&name);
	if (old)
		explain(err, "Linux %s is too old: the BPF programs need Linux %d.%d or later",
			name.release, OLDEST_MAJOR, OLDEST_MINOR);
	else
		explain(err, "Linux %s on %s", name.release, name.machine);
	return !old;
}

static bool have_given_btf(const char *btf, struct btffile **given, struct probe_error *err)
{
	if (btffile_open(btf, given, err))
		return false;
	explain(err, "'%s', given", btffile_name(*given));
	return true;
}

static bool have_btf(struct probe_error *err)
{
	if (access("/sys/kernel/btf/vmlinux", F_OK) == 0) {
		explain(err, "/sys/kernel/btf/vmlinux");
		return true;
	}
	if (access("/sys/kernel", F_OK))
		explain(err, "/sys/kernel/btf/vmlinux is missing: /sys has to be mounted (mount -t "
			"sysfs sysfs /sys)");
	else
		explain(err, "/sys/kernel/btf/vmlinux is missing: this kernel was built without "
			"CONFIG_DEBUG_INFO_BTF=y; give its BTF with --btf FILE, or boot a kernel "
			"that has it, as the distributions' have");
	return false;
}

/* Integrity allows what is needed here; only confidentiality does not. */
static bool have_no_lockdown(struct probe_error *err)
{
	char lockdown[128];

	line_read("/sys/kernel/security/lockdown", lockdown, sizeof(lockdown));
	if (strstr(lockdown, "[confidentiality]"))
		explain(err, "kernel lockdown is at confidentiality, which forbids BPF to read "
			"kernel memory; boot with lockdown=integrity or without lockdown");
	else
		explain(err, "%s", strstr(lockdown, "[integrity]") ? "at integrity, which does no harm" :
			"none");
	return !strstr(lockdown, "[confidentiality]");
}

/* What is nearest to the cause comes first. */
static const struct {
	const char *what;
	bool (*have)(struct probe_error *err);
	bool (*have_given)(const char *btf, struct btffile **given, struct probe_error *err);
} prerequisites[] = {
	{ "capabilities", have_capabilities, NULL },
	{ "user namespace", have_user_namespace, NULL },
	{ "kernel", have_kernel, NULL },
	{ "BTF", have_btf, have_given_btf },
	{ "lockdown", have_no_lockdown, NULL },
};

const char *explain_prerequisite(unsigned i, const char *btf, struct btffile **given,
				 bool *have, struct probe_error *err)
{
	if (i == sizeof(prerequisites) / sizeof(prerequisites[0]))
		return NULL;
	*have = btf && prerequisites[i].have_given ? prerequisites[i].have_given(btf, given, err)
						   : prerequisites[i].have(err);
	return prerequisites[i].what;
}

bool explain_before(const char *btf, struct btffile **given, struct probe_error *err)
{
	bool have = true;

	for (unsigned i = 0; have && explain_prerequisite(i, btf, given, &have, err); i++)
		;
	return !have;
}

static bool memlock_is_low(void)
{
	struct rlimit limit;

	/* From Linux 5.11 on the memory of maps counts as the cgroup's. */
	return explain_kernel_before(5, 11) && !getrlimit(RLIMIT_MEMLOCK, &limit) &&
	       limit.rlim_cur < (64ul << 20);
}

void explain_load(struct probe_error *err, const struct btffile *given, int error)
{
	struct utsname name = { .release = "?" };

	uname(&name);
	switch (error) {
	case EPERM:
		explain(err, "Linux %s refused the BPF programs (%s)%s%s; run it with sudo outside "
			"of containers%s%s",
			name.release, strerror(error), *last_warning ? ": " : "", last_warning,
			prctl(PR_GET_SECCOMP, 0, 0, 0, 0) > 0 ?
				", and of the seccomp filter that is on this process" : "",
			memlock_is_low() ? ", or raise the memory lock limit: ulimit -l unlimited"
					 : "");
		break;
	case ENOMEM:
		explain(err, "no memory for the BPF programs and their maps%s%s; try a smaller ring "
			"with --ring-size", *last_warning ? ": " : "", last_warning);
		break;
	default:
		if (given) {
			explain(err, "Linux %s does not take the BPF programs by '%s' (%s)%s%s; --btf "
				"needs the BTF of exactly the kernel that runs",
				name.release, btffile_name(given), strerror(error),
				*last_warning ? ": " : "", last_warning);
			break;
		}
		explain(err, "Linux %s does not take the BPF programs (%s)%s%s; this is worth "
			"a bug report with that kernel's name",
			name.release, strerror(error), *last_warning ? ": " : "", last_warning);
	}
}

void explain_misfit(struct probe_error *err, const struct btffile *given, const char *what)
{
	struct utsname name = { .release = "?" };

	uname(&name);
	explain(err, "'%s' is the BTF of another kernel: what is read by it of this process's own %s "
		"is wrong; --btf needs that of exactly this one, Linux %s",
		btffile_name(given), what, name.release);
}

void explain_attach(struct probe_error *err, const char *program, int error)
{
	explain(err, "cannot attach %s (%s)%s%s", program, strerror(error),
		*last_warning ? ": " : "", last_warning);
}
