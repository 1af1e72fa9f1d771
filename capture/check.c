/* SPDX-License-Identifier: BSD-2-Clause */
#include "check.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "btffile.h"
#include "explain.h"
#include "filters.h"
#include "host.h"
#include "line.h"
#include "privilege.h"
#include "probe.h"
#include "say.h"
#include "units.h"

/* Locked memory beside the ring, about: the other maps. */
#define MAPS_SIZE (8ul << 20)

struct check {
	struct options *opt;
	bool missing; /* something is */
	bool refused; /* so that nothing can be recorded */
};

/* The text may name files. */
__attribute__((format(printf, 3, 0)))
static void line(const char *state, const char *what, const char *format, va_list args)
{
	char text[sizeof(struct probe_error)], shown[4 * sizeof(text) + 1];

	vsnprintf(text, sizeof(text), format, args);
	say_shown(shown, text);
	printf("%-8s %s: %s\n", state, what, shown);
}

__attribute__((format(printf, 2, 3)))
static void ok(const char *what, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line("ok", what, format, args);
	va_end(args);
}

__attribute__((format(printf, 3, 4)))
static void missing(struct check *c, const char *what, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	line("missing", what, format, args);
	va_end(args);
	c->missing = true;
}

static void check_prerequisites(struct check *c)
{
	struct btffile *given = NULL;
	struct probe_error text;
	const char *what;
	bool fine;

	for (unsigned i = 0; (what = explain_prerequisite(i, c->opt->btf, &given, &fine, &text));
	     i++) {
		if (fine) {
			ok(what, "%s", text.text);
			continue;
		}
		missing(c, what, "%s", text.text);
		c->refused = true;
	}
	btffile_close(given);
}

/* The sysctl is for root to read alone. */
static void check_jit(void)
{
	char value[16];

	if (line_read("/proc/sys/net/core/bpf_jit_enable", value, sizeof(value)))
		ok("BPF JIT", "%s",
		   strcmp(value, "0") ? "on"
				      : "off, each event costs more than it has to; sysctl "
					"net.core.bpf_jit_enable=1");
}

/* From Linux 5.11 on the memory of maps counts as the cgroup's. */
static void check_memory(struct check *c)
{
	unsigned long need = c->opt->ring_size + MAPS_SIZE;
	char ring[UNITS_TEXT], text[UNITS_TEXT];
	struct rlimit limit;

	units_show_size(c->opt->ring_size, ring);
	if (!explain_kernel_before(5, 11) || getrlimit(RLIMIT_MEMLOCK, &limit) ||
	    limit.rlim_max >= need || privilege_effective() & PRIVILEGE_SYS_RESOURCE)
		ok("memory", "ring of %s%s", ring,
		   c->opt->ring_chosen ? ", for CPUs and memory of this machine" : "");
	else
		missing(c, "memory",
			"a ring of %s takes %s of locked memory, and before Linux 5.11 "
			"the limit counts: raise it (ulimit -l), give CAP_SYS_RESOURCE, or "
			"ask for "
			"a smaller --ring-size",
			ring, units_show_size(need, text));
}

/* Users, cgroups, processes: whether there are such here. */
static void check_filters(struct check *c)
{
	struct filters *f = &c->opt->filters;
	char *mount = host_cgroup_mount();
	size_t words = 0;

	for (unsigned kind = 0; kind < FILTERS_KINDS; kind++)
		words += filters_count(f, kind);
	if (words && filters_resolve(f, mount)) {
		ok("filters", "all that they name is there");
	} else if (words) {
		missing(c, "filters", "%s", f->error);
		c->refused = true;
	}
	free(mount);
}

static void check_programs(struct check *c)
{
	const struct probe_options opt = {
		.filters = &c->opt->filters,
		.ring_size = c->opt->ring_size,
		.max_args = c->opt->max_args,
		.max_env = c->opt->env ? c->opt->max_env : 0,
		.no_failed = c->opt->no_failed,
		.no_fork = c->opt->no_fork,
		.max_rate = c->opt->max_rate,
		.exec_duration = c->opt->exec_duration,
		.btf = c->opt->btf,
		.self = (uint32_t)getpid(),
	};
	struct probe_error err;
	struct probe *p;

	if (c->refused) {
		missing(c, "programs", "not tried, see above");
		return;
	}
	privilege_lock_memory();
	if (probe_open(&opt, &p, &err)) {
		missing(c, "programs", "%s", err.text);
		c->refused = true;
		return;
	}
	ok("programs", "loaded and attached: %s", probe_features(p));
	probe_detach(p);
	probe_close(p);
}

static void check_snapshot(struct check *c)
{
	if (!host_initial_pids())
		missing(c, "what runs already",
			"this is a pid namespace of its own, a container: "
			"nothing of it is recorded, and a command only with --all; run it in "
			"the "
			"host's");
	else if (privilege_effective() & PRIVILEGE_SYS_PTRACE)
		ok("what runs already", "whoever runs it");
	else
		missing(c, "what runs already",
			"of other users' processes, path and directory are "
			"not readable; CAP_SYS_PTRACE does it (setcap cap_sys_ptrace, or "
			"sudo)");
}

static void check_cgroups(struct check *c)
{
	char *mount = host_cgroup_mount();

	if (!mount)
		missing(c, "names of cgroups",
			"no cgroup2 is mounted; mount -t cgroup2 none "
			"/sys/fs/cgroup/unified");
	else if (access(mount, R_OK | X_OK))
		missing(c, "names of cgroups", "%s: %s", mount, strerror(errno));
	else
		ok("names of cgroups", "%s", mount);
	free(mount);
}

/* Not what a recording lacks: how its recorder is held. */
static void check_seccomp(void)
{
	if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0)
		ok("confinement", "seccomp");
	else
		ok("confinement",
		   "no seccomp in this kernel (CONFIG_SECCOMP_FILTER): the recorder "
		   "drops its capabilities alone");
}

int check_run(struct options *opt)
{
	struct check c = { .opt = opt };

	check_prerequisites(&c);
	check_jit();
	check_memory(&c);
	check_filters(&c);
	check_programs(&c);
	check_snapshot(&c);
	check_cgroups(&c);
	check_seccomp();
	puts(c.refused   ? "cannot record"
	     : c.missing ? "can record, but not everything"
			 : "can record everything");
	if (fflush(stdout) != 0 || ferror(stdout)) {
		say("cannot write standard output: %s", strerror(errno));
		return EXIT_FAILED;
	}
	return c.missing ? EXIT_FAILED : EXIT_DONE;
}
