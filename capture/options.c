/* SPDX-License-Identifier: BSD-2-Clause */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "envnames.h"
#include "expr.h"
#include "pace.h"
#include "packers.h"
#include "ringsize.h"
#include "say.h"
#include "syncer.h"
#include "units.h"
#include "usage.h"

#define RING_MAX (1u << 30)
#define LIST_DEFAULT (64u << 10)
#define LIST_MIN 128u
#define LIST_MAX (2u << 20)
#define LEVEL_DEFAULT 3
#define THREADS_DEFAULT 4u	/* at most */
#define FLUSH_DEFAULT 1000000000ull
#define FLUSH_MAX 3600000000000ull
#define TIME_MIN 1000000ull
#define ROTATE_SIZE_MIN (64ull << 10)
#define ROTATE_TIME_MIN 1000000000ull
/* Of the bytes that are kept, one file takes such a part, and at most such a one. */
#define KEEP_PARTS 8u
#define KEEP_PARTS_MIN 4u
/* A record of events, and all that a file begins with, fit into a part many times. */
#define KEEP_BYTES_MIN (8ull << 20)
#define FLIGHT_DEFAULT (64ull << 20)
#define FLIGHT_MIN (1ull << 20)
#define FLIGHT_MAX (16ull << 30)
/* A segment may be larger than its part by a record. */
#define FLIGHT_SLACK (1ull << 20)
#define TRIGGER_DEFAULT 60000000000ull
#define METRICS_DEFAULT 15000000000ull
#define METRICS_MIN 100000000ull

enum {
	OPT_ALL = 256,
	OPT_PID,
	OPT_UID,
	OPT_CGROUP,
	OPT_COMM,
	OPT_USER,
	OPT_DURATION,
	OPT_RING_SIZE,
	OPT_CPU,
	OPT_NICE,
	OPT_REALTIME,
	OPT_BTF,
	OPT_LEVEL,
	OPT_THREADS,
	OPT_MAX_ARGS,
	OPT_ENV,
	OPT_MAX_ENV,
	OPT_NO_FAILED,
	OPT_NO_FORK,
	OPT_EXEC_DURATION,
	OPT_MAX_RATE,
	OPT_FLUSH,
	OPT_SYNC,
	OPT_ROTATE_SIZE,
	OPT_ROTATE_TIME,
	OPT_KEEP,
	OPT_FLIGHT,
	OPT_TRIGGER,
	OPT_TRIGGER_INTERVAL,
	OPT_CONTROL,
	OPT_METRICS,
	OPT_METRICS_INTERVAL,
	OPT_STATUS,
	OPT_JSON,
	OPT_CHECK,
	OPT_VERSION,
};

static const struct option longs[] = {
	{ "output", required_argument, NULL, 'o' },
	{ "force", no_argument, NULL, 'f' },
	{ "all", no_argument, NULL, OPT_ALL },
	{ "pid", required_argument, NULL, OPT_PID },
	{ "uid", required_argument, NULL, OPT_UID },
	{ "cgroup", required_argument, NULL, OPT_CGROUP },
	{ "comm", required_argument, NULL, OPT_COMM },
	{ "user", required_argument, NULL, OPT_USER },
	{ "duration", required_argument, NULL, OPT_DURATION },
	{ "ring-size", required_argument, NULL, OPT_RING_SIZE },
	{ "cpu", required_argument, NULL, OPT_CPU },
	{ "nice", required_argument, NULL, OPT_NICE },
	{ "realtime", no_argument, NULL, OPT_REALTIME },
	{ "btf", required_argument, NULL, OPT_BTF },
	{ "level", required_argument, NULL, OPT_LEVEL },
	{ "threads", required_argument, NULL, OPT_THREADS },
	{ "max-args", required_argument, NULL, OPT_MAX_ARGS },
	{ "env", required_argument, NULL, OPT_ENV },
	{ "max-env", required_argument, NULL, OPT_MAX_ENV },
	{ "no-failed", no_argument, NULL, OPT_NO_FAILED },
	{ "no-fork", no_argument, NULL, OPT_NO_FORK },
	{ "exec-duration", no_argument, NULL, OPT_EXEC_DURATION },
	{ "max-rate", required_argument, NULL, OPT_MAX_RATE },
	{ "flush-interval", required_argument, NULL, OPT_FLUSH },
	{ "sync", required_argument, NULL, OPT_SYNC },
	{ "rotate-size", required_argument, NULL, OPT_ROTATE_SIZE },
	{ "rotate-time", required_argument, NULL, OPT_ROTATE_TIME },
	{ "keep", required_argument, NULL, OPT_KEEP },
	{ "flight", required_argument, NULL, OPT_FLIGHT },
	{ "trigger", required_argument, NULL, OPT_TRIGGER },
	{ "trigger-interval", required_argument, NULL, OPT_TRIGGER_INTERVAL },
	{ "control", optional_argument, NULL, OPT_CONTROL },
	{ "metrics", required_argument, NULL, OPT_METRICS },
	{ "metrics-interval", required_argument, NULL, OPT_METRICS_INTERVAL },
	{ "status", no_argument, NULL, OPT_STATUS },
	{ "json", no_argument, NULL, OPT_JSON },
	{ "check", no_argument, NULL, OPT_CHECK },
	{ "quiet", no_argument, NULL, 'q' },
	{ "verbose", no_argument, NULL, 'v' },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPT_VERSION },
	{ NULL, 0, NULL, 0 },
};

static bool bad(const char *option, const char *value, const char *want)
{
	say("%s: '%s' is not %s", option, value, want);
	return false;
}

static bool parse_ring(const char *text, uint32_t *out)
{
	uint64_t size, pages = (uint64_t)sysconf(_SC_PAGESIZE);

	if (!units_size(text, &size) || size < 1 || size > RING_MAX)
		return bad("--ring-size", text, "a size up to 1G (64K, 8M)");
	while (pages < size)
		pages *= 2;
	*out = (uint32_t)pages;
	return true;
}

static bool parse_nice(const char *text, struct options *opt)
{
	bool negative = *text == '-';
	uint64_t value;

	if (!units_count(text + negative, 0, negative ? 20 : 19, &value))
		return bad("--nice", text, "a number from -20 to 19");
	opt->nice = negative ? -(int)value : (int)value;
	opt->has_nice = true;
	return true;
}

static bool parse_list_size(const char *option, const char *text, uint32_t *out)
{
	uint64_t size;

	if (!units_size(text, &size) || size < LIST_MIN || size > LIST_MAX)
		return bad(option, text, "a size from 128 to 2M");
	*out = (uint32_t)size;
	return true;
}

static bool parse_rate(const char *text, uint64_t *out)
{
	if (!units_number(text, PACE_MAX, out) || *out < 1)
		return bad("--max-rate", text, "a number from 1 to 1000M (500, 20k, 1M)");
	return true;
}

static bool parse_level(const char *text, int *out)
{
	uint64_t level;

	if (!units_count(text, 1, 19, &level))
		return bad("--level", text, "a number from 1 to 19");
	*out = (int)level;
	return true;
}

static bool parse_threads(const char *text, unsigned *out)
{
	uint64_t n;

	if (!units_count(text, 1, PACKERS_MAX, &n))
		return bad("--threads", text, "a number from 1 to 16");
	*out = (unsigned)n;
	return true;
}

/* Half of the CPUs is left to what is recorded. */
static unsigned default_threads(void)
{
	cpu_set_t cpus;
	int n = sched_getaffinity(0, sizeof(cpus), &cpus) == 0 ? CPU_COUNT(&cpus) : 1;
	unsigned half = (unsigned)n / 2;

	return half < 1 ? 1 : half > THREADS_DEFAULT ? THREADS_DEFAULT : half;
}

static bool parse_time(const char *option, const char *text, uint64_t max, uint64_t *out)
{
	if (!units_time(text, out) || *out < TIME_MIN || *out > max)
		return bad(option, text, "a time from 1ms (500ms, 5s, 2m, 1h)");
	return true;
}

static bool parse_interval(const char *text, uint64_t *out)
{
	if (!units_time(text, out) || *out < METRICS_MIN || *out > FLUSH_MAX)
		return bad("--metrics-interval", text, "a time from 100ms to 1h (15s, 1m)");
	return true;
}

static bool parse_sync(const char *text, uint64_t *out)
{
	if (strcmp(text, "never") == 0)
		*out = SYNC_NEVER;
	else if (strcmp(text, "chunk") == 0)
		*out = SYNC_CHUNK;
	else if (!units_time(text, out) || *out < TIME_MIN || *out > FLUSH_MAX)
		return bad("--sync", text, "never, chunk or a time from 1ms to 1h (500ms, 10s)");
	return true;
}

static bool parse_rotate_size(const char *text, uint64_t *out)
{
	if (!units_size(text, out) || *out < ROTATE_SIZE_MIN)
		return bad("--rotate-size", text, "a size from 64K (64M, 1G)");
	return true;
}

static bool parse_rotate_time(const char *text, uint64_t *out)
{
	if (!units_time(text, out) || *out < ROTATE_TIME_MIN)
		return bad("--rotate-time", text, "a time from 1s (10m, 1h, 1d)");
	return true;
}

/* Without a unit it is a number of files. */
static bool parse_keep(const char *text, struct options *opt)
{
	opt->keep_files = opt->keep_bytes = 0;
	if (units_count(text, 1, UINT32_MAX, &opt->keep_files))
		return true;
	if (units_size(text, &opt->keep_bytes) && opt->keep_bytes >= KEEP_BYTES_MIN &&
	    !strchr("0123456789", text[strlen(text) - 1]))
		return true;
	return bad("--keep", text, "a number of files (24) or a size from 8M (500M, 2G)");
}

static bool parse_flight(const char *text, struct options *opt)
{
	opt->flight_bytes = FLIGHT_DEFAULT;
	opt->flight_age = UINT64_MAX;
	if (*text && strchr("smhd", text[strlen(text) - 1])) {
		if (units_time(text, &opt->flight_age) && opt->flight_age >= ROTATE_TIME_MIN)
			return true;
	} else if (units_size(text, &opt->flight_bytes) && opt->flight_bytes >= FLIGHT_MIN &&
		   opt->flight_bytes <= FLIGHT_MAX) {
		return true;
	}
	return bad("--flight", text, "a size from 1M to 16G (64M) or a time from 1s (10m)");
}

static bool parse_trigger(const char *text, struct options *opt)
{
	const struct expr_options writing = { .writing = true };
	char line[EXPR_LINE], caret[EXPR_LINE];
	struct expr_error err;

	expr_free(opt->trigger);
	if (expr_parse(text, &writing, &opt->trigger, &err)) {
		expr_point(text, &err, line, caret);
		say("--trigger: %s", err.text);
		say("  %s", line);
		say("  %s", caret);
		return false;
	}
	if (expr_is_futile(opt->trigger)) {
		say("--trigger: no event can match '%s'", text);
		return false;
	}
	return true;
}

/* Long options that begin with what stands behind the dashes, up to "=". */
static unsigned candidates(const char *word)
{
	size_t len = strcspn(word, "=");
	unsigned n = 0;

	for (const struct option *o = longs; o->name; o++)
		n += strncmp(o->name, word, len) == 0;
	return n;
}

/* getopt could not use argv[optind - 1], or the letter optopt in it. */
static bool unknown(char **argv)
{
	const char *word = argv[optind - 1];

	if (strncmp(word, "--", 2) != 0)
		say("unknown option '-%c' (see --help)", optopt);
	else if (optopt)	/* it knows the option, then */
		say("option '%.*s' takes no value (see --help)", (int)strcspn(word, "="), word);
	else if (candidates(word + 2) > 1)
		say("option '%s' is ambiguous (see --help)", word);
	else
		say("unknown option '%s' (see --help)", word);
	return false;
}

static bool missing(char **argv)
{
	say("option '%s' needs a value (see --help)", argv[optind - 1]);
	return false;
}

static bool add_filter(struct options *opt, enum filters_kind kind, const char *value)
{
	if (filters_add(&opt->filters, kind, value))
		return true;
	say("%s", opt->filters.error);
	return false;
}

static bool take(int c, char **argv, struct options *opt)
{
	switch (c) {
	case 'o':
		opt->output = optarg;
		return *optarg || bad("--output", optarg, "a file name");
	case 'f':
		opt->force = true;
		return true;
	case 'q':
		opt->quiet = true;
		return true;
	case 'v':
		opt->verbose = true;
		return true;
	case OPT_CHECK:
		opt->check = true;
		return true;
	case OPT_ALL:
		opt->all = true;
		return true;
	case OPT_PID:
		return add_filter(opt, FILTERS_PID, optarg);
	case OPT_UID:
		return add_filter(opt, FILTERS_UID, optarg);
	case OPT_CGROUP:
		return add_filter(opt, FILTERS_CGROUP, optarg);
	case OPT_COMM:
		return add_filter(opt, FILTERS_COMM_NAME, optarg);
	case OPT_USER:
		opt->user = optarg;
		return true;
	case OPT_DURATION:
		return parse_time("--duration", optarg, UINT64_MAX, &opt->duration);
	case OPT_RING_SIZE:
		return parse_ring(optarg, &opt->ring_size);
	case OPT_CPU:
		opt->has_cpus = true;
		return schedule_parse_cpus(optarg, &opt->cpus) ||
		       bad("--cpu", optarg, "a list of CPUs (0, 2-3,6)");
	case OPT_NICE:
		return parse_nice(optarg, opt);
	case OPT_REALTIME:
		opt->realtime = true;
		return true;
	case OPT_BTF:
		opt->btf = optarg;
		return *optarg || bad("--btf", optarg, "a file name");
	case OPT_LEVEL:
		return parse_level(optarg, &opt->level);
	case OPT_THREADS:
		return parse_threads(optarg, &opt->threads);
	case OPT_MAX_ARGS:
		return parse_list_size("--max-args", optarg, &opt->max_args);
	case OPT_ENV:
		opt->env = optarg;
		return envnames_valid(optarg) ||
		       bad("--env", optarg, "'all' or names of variables (PATH,LD_*)");
	case OPT_MAX_ENV:
		return parse_list_size("--max-env", optarg, &opt->max_env);
	case OPT_NO_FAILED:
		opt->no_failed = true;
		return true;
	case OPT_NO_FORK:
		opt->no_fork = true;
		return true;
	case OPT_EXEC_DURATION:
		opt->exec_duration = true;
		return true;
	case OPT_MAX_RATE:
		return parse_rate(optarg, &opt->max_rate);
	case OPT_FLUSH:
		return parse_time("--flush-interval", optarg, FLUSH_MAX, &opt->flush_interval);
	case OPT_SYNC:
		return parse_sync(optarg, &opt->sync);
	case OPT_ROTATE_SIZE:
		return parse_rotate_size(optarg, &opt->rotate_size);
	case OPT_ROTATE_TIME:
		return parse_rotate_time(optarg, &opt->rotate_time);
	case OPT_KEEP:
		return parse_keep(optarg, opt);
	case OPT_FLIGHT:
		return parse_flight(optarg, opt);
	case OPT_TRIGGER:
		return parse_trigger(optarg, opt);
	case OPT_TRIGGER_INTERVAL:
		return parse_time("--trigger-interval", optarg, UINT64_MAX, &opt->trigger_interval);
	case OPT_CONTROL:
		opt->control = true;
		opt->control_path = optarg;
		return !optarg || *optarg || bad("--control", optarg, "a file name");
	case OPT_METRICS:
		opt->metrics = optarg;
		return *optarg || bad("--metrics", optarg, "a file name");
	case OPT_METRICS_INTERVAL:
		return parse_interval(optarg, &opt->metrics_interval);
	case OPT_STATUS:
		opt->status = true;
		return true;
	case OPT_JSON:
		opt->json = true;
		return true;
	case ':':
		return missing(argv);
	default:
		return unknown(argv);
	}
}

/* One line about what cannot go together, or true. */
static bool check_files(struct options *opt)
{
	bool rotates = opt->rotate_size || opt->rotate_time;

	/* So that there are some to remove before the newest is too large by itself. */
	if (opt->keep_bytes && !opt->flight_bytes && !opt->rotate_size)
		opt->rotate_size = opt->keep_bytes / KEEP_PARTS;
	if (opt->keep_files && !rotates && !opt->flight_bytes)
		say("--keep with a number of files needs --rotate-size, --rotate-time or --flight");
	else if (opt->flight_bytes && rotates)
		say("--flight writes files when it is asked for, and --rotate-size and "
		    "--rotate-time have no meaning with it");
	else if (opt->keep_bytes && opt->flight_bytes + FLIGHT_SLACK > opt->keep_bytes)
		say("--keep must have room for one file of what --flight holds, and 1M more");
	else if (opt->trigger && !opt->flight_bytes)
		say("--trigger writes what --flight has in memory, and needs that");
	else if (opt->keep_bytes && opt->rotate_size > opt->keep_bytes / KEEP_PARTS_MIN)
		say("--rotate-size must be at most a quarter of --keep");
	else if (options_several(opt) && strcmp(opt->output, "-") == 0)
		say("standard output is one file; --output has to say what the files are called");
	else if (options_several(opt) && opt->force)
		say("--force replaces one file; those of --rotate-size, --rotate-time and --flight "
		    "have names of their own");
	else
		return true;
	return false;
}

int options_parse(int argc, char **argv, struct options *opt)
{
	const char *last = NULL;
	int c;

	*opt = (struct options){
		.output = "trace.etz",
		.command_at = argc,
		.max_args = LIST_DEFAULT,
		.max_env = LIST_DEFAULT,
		.level = LEVEL_DEFAULT,
		.threads = default_threads(),
		.flush_interval = FLUSH_DEFAULT,
		.trigger_interval = TRIGGER_DEFAULT,
		.sync = SYNC_NEVER,
		.metrics_interval = METRICS_DEFAULT,
	};
	opterr = 0;
	while ((c = getopt_long(argc, argv, "+:o:fqvh", longs, NULL)) != -1) {
		if (c == 'h' || c == OPT_VERSION) {
			if (c == 'h')
				fputs(usage_text, stdout);
			else
				puts("exectrace " EXECTRACE_VERSION);
			if (fflush(stdout) == 0 && !ferror(stdout))
				return EXIT_DONE;
			say("cannot write standard output: %s", strerror(errno));
			return EXIT_FAILED;
		}
		if (!take(c, argv, opt))
			return EXIT_USAGE;
		last = optarg;
	}

	/* "-o --" names a file; only a "--" of its own begins the command. */
	if (optind > 1 && strcmp(argv[optind - 1], "--") == 0 && argv[optind - 1] != last) {
		if (optind == argc) {
			say("there is no command behind '--'");
			return EXIT_USAGE;
		}
		opt->command = argv + optind;
		opt->command_at = optind;
	} else if (optind < argc) {
		/* An option whose value can be left out takes it from nowhere else. */
		if (strcmp(argv[optind - 1], "--control") == 0)
			say("unexpected argument '%s'; a path is given as --control=%s", argv[optind],
			    argv[optind]);
		else
			say("unexpected argument '%s'; a command goes behind '--'", argv[optind]);
		return EXIT_USAGE;
	}
	if (opt->user && !opt->command) {
		say("--user needs a command behind '--'");
		return EXIT_USAGE;
	}
	if (opt->all && filters_count(&opt->filters, FILTERS_PID)) {
		say("--all and --pid exclude each other");
		return EXIT_USAGE;
	}
	if (!check_files(opt))
		return EXIT_USAGE;
	if (opt->has_nice && opt->realtime) {
		say("--nice and --realtime exclude each other");
		return EXIT_USAGE;
	}
	if (!opt->ring_size) {
		opt->ring_size = ringsize_here();
		opt->ring_chosen = true;
	}
	if (opt->check && opt->command) {
		say("--check records nothing and takes no command");
		return EXIT_USAGE;
	}
	if (opt->status && opt->command) {
		say("--status records nothing and takes no command");
		return EXIT_USAGE;
	}
	if (opt->json && !opt->status) {
		say("--json needs --status; exectrace replay --json shows events");
		return EXIT_USAGE;
	}
	return -1;
}

void options_free(struct options *opt)
{
	filters_free(&opt->filters);
	expr_free(opt->trigger);
}
