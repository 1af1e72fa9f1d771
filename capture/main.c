/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * main.c - exectrace-record: the recorder's phases in order, and what it tells the
 * user. It is the only part of exectrace that needs privilege.
 *
 * Nothing that exists is touched before the programs are attached and the capture has
 * begun, so a recording that cannot begin leaves everything as it was.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "census.h"
#include "check.h"
#include "clock.h"
#include "command.h"
#include "drain.h"
#include "binaries.h"
#include "filer.h"
#include "host.h"
#include "look.h"
#include "lookup.h"
#include "loop.h"
#include "options.h"
#include "output.h"
#include "packers.h"
#include "privilege.h"
#include "probe.h"
#include "progress.h"
#include "query.h"
#include "queue.h"
#include "report.h"
#include "schedule.h"
#include "say.h"
#include "servant.h"
#include "service.h"
#include "tree.h"
#include "writer.h"

/*
 * Chunks on their way to the disk: a few MiB, seconds of a busy machine; and two for
 * each thread that packs them, so that none waits for one to be full.
 */
#define PARCELS 8u
#define PARCELS_PER_THREAD 2

/* All that a recording holds; freed by close_all in any state. */
struct recording {
	struct options opt;
	char **argv;
	struct command_signals signals;
	int signal_fd;
	bool initial_pids;
	struct output *output;
	struct servant *names, *files, *filer;	/* filer: of a series alone */
	struct command_user user;
	struct command *command;
	struct probe *probe;
	struct host host;
	char *cgroup_mount;
	struct census census;
	struct packers *packers;
	struct queue *queue;
	struct binaries *binaries;
	struct drain *drain;
	struct writer *writer;
	struct progress progress;
	struct service service;
};

/*
 * 0, 1 and 2 are never another file's: a message must not land in the capture. For the
 * command they are as closed as they were.
 */
static bool hold_standard_descriptors(void)
{
	for (int fd = 0; fd < 3; fd++) {
		/* The direction that makes its use an error. */
		int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags | O_CLOEXEC) != fd)
			return false;
	}
	return true;
}

/* More than any recording opens; what a lack of them broke off would be told as something else. */
#define DESCRIPTORS 128

static bool enough_descriptors(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= DESCRIPTORS)
		return true;
	say("no more than %llu files may be open at once, and a recording takes up to %d; raise "
	    "that limit (ulimit -n)", (unsigned long long)limit.rlim_cur, DESCRIPTORS);
	return false;
}

/*
 * Signals arrive through a descriptor. SIGHUP stays ignored where it was (nohup);
 * SIGCHLD must not be, or the command's end could not be told.
 */
static bool take_signals(struct recording *r)
{
	struct sigaction ignore = { .sa_handler = SIG_IGN }, standard = { .sa_handler = SIG_DFL };
	struct sigaction hangup;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGUSR1);
	if (sigaction(SIGHUP, NULL, &hangup) != 0 || hangup.sa_handler != SIG_IGN)
		sigaddset(&set, SIGHUP);
	r->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	return r->signal_fd >= 0 && sigprocmask(SIG_BLOCK, &set, &r->signals.mask) == 0 &&
	       sigaction(SIGPIPE, &ignore, &r->signals.pipe) == 0 &&
	       sigaction(SIGXFSZ, &ignore, &r->signals.file_size) == 0 &&
	       sigaction(SIGCHLD, &standard, &r->signals.child) == 0;
}

static int check_output(struct recording *r)
{
	struct output_options opt = {
		.path = r->opt.output,
		.force = r->opt.force,
		.sync = r->opt.sync,
		.series = options_several(&r->opt),
		.keep_files = r->opt.keep_files,
		.keep_bytes = r->opt.keep_bytes,
		.in_memory = r->opt.flight_bytes,
		.flight = { r->opt.flight_bytes, r->opt.flight_age },
	};
	struct output_error err;

	if (output_check(&opt, &r->output, &err))
		return EXIT_DONE;
	say("%s", err.text);
	return err.usage ? EXIT_USAGE : EXIT_FAILED;
}

static bool resolve_filters(struct recording *r)
{
	r->cgroup_mount = host_cgroup_mount();
	if (!r->initial_pids && options_follow(&r->opt)) {
		say("cannot follow a command or --pid inside a pid namespace; record with --all, "
		    "or in the host's pid namespace");
		return false;
	}
	if (filters_resolve(&r->opt.filters, r->cgroup_mount))
		return true;
	say("%s", r->opt.filters.error);
	return false;
}

static bool start_servants(struct recording *r)
{
	int error = servant_start("exectrace-names", 0, lookup_serve, &r->names);

	if (!error)
		error = servant_start("exectrace-files", LOOK_PRIVILEGE, look_serve, &r->files);
	if (!error && options_several(&r->opt))
		error = servant_start("exectrace-filer", FILER_PRIVILEGE, filer_serve, &r->filer);
	if (!error)
		error = service_start_servants(&r->service, &r->opt);
	if (error)
		say("cannot begin: %s", strerror(error));
	return !error;
}

static bool prepare_command(struct recording *r)
{
	struct command_options opt = {
		.argv = r->opt.command,
		.signals = &r->signals,
		.stdout_to_stderr = output_is_pipe(r->output),
	};

	if (!r->opt.command)
		return true;
	if (r->opt.user) {
		if (!command_user_find(r->opt.user, &r->user)) {
			if (errno)
				say("cannot look up user '%s': %s", r->opt.user, strerror(errno));
			else
				say("there is no user '%s'", r->opt.user);
			return false;
		}
		opt.user = &r->user;
	}
	if (command_start(&opt, &r->command))
		return true;
	say("cannot fork: %s", strerror(errno));
	return false;
}

static void servants(const struct recording *r, pid_t out[LOOP_SERVANTS])
{
	out[0] = servant_pid(r->names);
	out[1] = servant_pid(r->files);
	out[2] = r->filer ? servant_pid(r->filer) : 0;
	service_servants(&r->service, out + 3);
}

_Static_assert(LOOP_SERVANTS == 3 + SERVICE_SERVANTS, "the loop knows all servants");

/* --cpu, for what there is of the recorder and what it will start. */
static bool pin(struct recording *r)
{
	pid_t all[1 + LOOP_SERVANTS] = { 0 };
	unsigned missing;
	int error = 0;

	servants(r, all + 1);
	for (unsigned i = 0; r->opt.has_cpus && i < sizeof(all) / sizeof(all[0]) && !error; i++)
		error = schedule_pin(all[i], &r->opt.cpus, &missing);
	if (error == ENODEV)
		say("--cpu: the recorder may not run on CPU %u, or there is none", missing);
	else if (error)
		say("--cpu: %s", strerror(error));
	return !error;
}

static void say_hurry(const struct options *opt, int error)
{
	const char *option = opt->realtime ? "--realtime" : "--nice";

	if (error == EPERM || error == EACCES)
		say("%s: that takes CAP_SYS_NICE, or a limit that allows it (ulimit -%c)", option,
		    opt->realtime ? 'r' : 'e');
	else
		say("%s: %s", option, strerror(error));
}

static bool attach(struct recording *r)
{
	struct probe_options opt = {
		.ring_size = r->opt.ring_size,
		.max_args = r->opt.max_args,
		.max_env = r->opt.env ? r->opt.max_env : 0,
		.no_failed = r->opt.no_failed,
		.no_fork = r->opt.no_fork,
		.max_rate = r->opt.max_rate,
		.exec_duration = r->opt.exec_duration,
		.follow = options_follow(&r->opt),
		.filters = &r->opt.filters,
		.btf = r->opt.btf,
		/* In another pid namespace the number would be somebody else's. */
		.self = r->initial_pids ? (uint32_t)getpid() : 0,
	};
	const struct filters_list *pids = &r->opt.filters.of[FILTERS_PID];
	struct probe_error err;
	int ret = 0;

	privilege_lock_memory();
	if (probe_open(&opt, &r->probe, &err) != 0 ||
	    (pids->n && tree_follow(r->probe, pids->ids, pids->n, &err) != 0)) {
		say("%s", err.text);
		return false;
	}
	if (r->command && opt.follow)
		ret = probe_follow(r->probe, command_pid(r->command));
	if (ret < 0)
		say("cannot follow the command: %s", strerror(-ret));
	return ret >= 0;
}

/* Of a recording that is not one of everything: what of the processes there are it takes. */
static bool take_census(struct recording *r)
{
	struct census_options opt = {
		.filters = &r->opt.filters,
		.cgroup_mount = r->cgroup_mount,
		.followed = options_follow(&r->opt) ? r->probe : NULL,
		.command = r->command && !r->opt.all,
		.skip = r->command ? command_pid(r->command) : 0,
	};
	int error = options_select(&r->opt) && r->initial_pids ? census_take(&opt, &r->census) : 0;

	if (error)
		say("cannot read /proc: %s", strerror(error));
	return !error;
}

static bool open_output(struct recording *r)
{
	struct output_error err;

	if (output_open(r->output, r->filer ? servant_fd(r->filer) : -1, &err))
		return true;
	say("%s", err.text);
	return false;
}

/* Starts the writer thread; what comes after runs beside it. began: when attached. */
static bool start_writer(struct recording *r, uint64_t began)
{
	uint64_t error;
	struct et_clock clock = clock_measure(&error);
	unsigned parcels = r->opt.threads * PARCELS_PER_THREAD;
	struct writer_setup setup = {
		.output = r->output,
		.options = {
			.program = "exectrace " EXECTRACE_VERSION,
			.level = r->opt.level,
			.started = clock,
		},
		.names = servant_fd(r->names),
		/* Another namespace's pids would be wrong ones. */
		.with_snapshot = r->initial_pids,
		.several = options_several(&r->opt),
		.cut_bytes = r->opt.rotate_size,
		.everything = !options_select(&r->opt),
	};
	int ret;

	if (r->opt.flight_bytes) {
		setup.cut_bytes = r->opt.flight_bytes / FLIGHT_PARTS;
		if (r->opt.flight_age != UINT64_MAX)
			setup.cut_age = r->opt.flight_age / FLIGHT_PARTS;
	}

	setup.snapshot = (struct snapshot_options){
		.at = { began, clock.offset },
		.max_args = r->opt.max_args,
		.skip = r->command ? command_pid(r->command) : 0,
		.cgroup_mount = r->cgroup_mount,
		.census = options_select(&r->opt) ? &r->census : NULL,
	};
	host_boot_id(setup.options.boot_id);
	ret = packers_new(r->opt.threads, r->opt.level, &r->packers);
	if (ret) {
		say("cannot begin: %s", strerror(ret));
		return false;
	}
	r->queue = queue_new(parcels < PARCELS ? PARCELS : parcels, r->packers);
	r->binaries = binaries_new(servant_fd(r->files), setup.several);
	if (!r->queue || !r->binaries || !host_read(&r->host, r->argv, &r->opt, probe_features(r->probe))) {
		say("cannot begin: %s", strerror(r->queue && r->binaries ? ENOMEM : errno));
		return false;
	}
	setup.queue = r->queue;
	setup.binaries = r->binaries;
	setup.pairs = r->host.pairs;
	setup.n_pairs = r->host.n;
	r->drain = drain_new(r->probe, r->queue, r->binaries, r->opt.flush_interval, r->opt.env,
			     r->opt.trigger, &clock);
	if (r->drain)
		drain_limit(r->drain, r->opt.max_rate);
	ret = r->drain ? writer_start(&setup, &r->writer) : ENOMEM;
	if (ret) {
		say("cannot begin: %s", strerror(ret));
		return false;
	}
	if (r->opt.verbose)
		say_at(SAY_INFO, "clock offset known to %llu ns; ring of %u KiB%s; %s", (unsigned long long)error,
		       r->opt.ring_size / 1024, r->opt.ring_chosen ? " for this machine" : "",
		       probe_features(r->probe));
	return true;
}

/* Says why the command could not be run, once it is known. */
static void tell_command(struct recording *r)
{
	const char *failure;

	if (!r->command || !command_reap(r->command))
		return;
	failure = command_failure(r->command);
	if (failure)
		say("%s", failure);
}

/* The command's part of the exit code, when the recording is over. */
static int finish_command(struct recording *r, const struct loop *l,
			  const struct loop_result *result)
{
	int signo = result->signo;

	if (!r->command)
		return EXIT_DONE;
	if (!signo && command_runs(r->command) && loop_wait_command(l, &signo))
		tell_command(r);
	if (command_runs(r->command)) {
		say_at(SAY_NOTICE, "the command goes on as process %u", command_pid(r->command));
		return 128 + signo;
	}
	/* Never let go: something else has failed, or a signal came first. */
	if (!command_reap(r->command)) {
		say("the command was not run");
		return signo ? 128 + signo : EXIT_FAILED;
	}
	return command_exit_code(r->command);
}

static int record(struct recording *r, uint64_t began)
{
	struct loop l = {
		.options = &r->opt,
		.probe = r->probe,
		.drain = r->drain,
		.queue = r->queue,
		.writer = r->writer,
		.output = r->output,
		.progress = &r->progress,
		.command = r->command,
		.service = &r->service,
		.signals = r->signal_fd,
	};
	struct report report = { .options = &r->opt, .output = r->output };
	struct loop_result result;
	int ret, error, code;

	servants(r, l.servants);
	/* A command that writes to the terminal would be mixed with the line. */
	progress_init(&r->progress, !r->opt.quiet && !r->opt.command);
	error = loop_run(&l, &result);
	progress_clear(&r->progress);
	service_end(&r->service);
	if (error) {
		say("cannot wait for events: %s", strerror(error));
		return EXIT_FAILED;
	}
	writer_report(r->writer, &report.writer);
	/* A signal may have come before the loop saw that the capture had begun. */
	if (report.writer.error.code == ET_OK && !result.keep_error && !result.hurry_error)
		result.keep_error = output_keep(r->output);
	if (result.hurry_error)
		say_hurry(&r->opt, result.hurry_error);
	if (result.keep_error)
		say("cannot replace '%s': %s", output_name(r->output),
		    strerror(result.keep_error));
	if (result.drop_error)
		say("cannot drop privilege: %s", strerror(result.drop_error));
	if (result.release_error)
		say("cannot let the command go: %s", strerror(result.release_error));
	tell_command(r);
	report.elapsed = result.ended - began;
	drain_lost(r->drain, report.lost);
	ret = report_say(&report);
	if (result.release_error || result.hurry_error || result.keep_error || result.drop_error ||
	    result.dump_failed)
		ret = EXIT_FAILED;
	code = finish_command(r, &l, &result);
	return ret ? ret : code;
}

static void close_all(struct recording *r)
{
	/* The writer ends when the queue is closed, and needs the output until then. */
	if (r->writer) {
		queue_close(r->queue);
		writer_close(r->writer);
	}
	/* A file that was not kept goes with it, by way of a servant. */
	output_close(r->output);
	servant_close(r->names);
	servant_close(r->files);
	servant_close(r->filer);
	service_close(&r->service);
	drain_free(r->drain);
	packers_free(r->packers);
	queue_free(r->queue);
	binaries_free(r->binaries);
	probe_close(r->probe);
	command_close(r->command);
	command_user_free(&r->user);
	host_free(&r->host);
	census_free(&r->census);
	free(r->cgroup_mount);
	if (r->signal_fd >= 0)
		close(r->signal_fd);
	options_free(&r->opt);
}

int main(int argc, char **argv)
{
	struct recording r = {
		.argv = argv,
		.signal_fd = -1,
		.service = { .notify.fd = -1, .progress = &r.progress },
	};
	uint64_t began;
	int ret;

	if (!hold_standard_descriptors())
		return EXIT_FAILED;
	ret = options_parse(argc, argv, &r.opt);
	if (ret >= 0) {
		options_free(&r.opt);
		return ret;
	}
	if (r.opt.check) {
		ret = check_run(&r.opt);
		options_free(&r.opt);
		return ret;
	}
	if (r.opt.status) {
		ret = query_status(&r.opt);
		options_free(&r.opt);
		return ret;
	}
	service_begin(&r.service);
	r.initial_pids = host_initial_pids();
	ret = check_output(&r);
	if (ret)
		goto out;
	ret = EXIT_FAILED;
	if (!enough_descriptors())
		goto out;
	if (!take_signals(&r)) {
		say("cannot take signals: %s", strerror(errno));
		goto out;
	}
	/* Before there are descriptors and threads that they could inherit. */
	if (!start_servants(&r) || !resolve_filters(&r) || !prepare_command(&r) || !pin(&r) ||
	    !attach(&r) || !take_census(&r))
		goto out;
	began = clock_boot();
	if (!service_open(&r.service, &r.opt) || !open_output(&r) || !start_writer(&r, began))
		goto out;
	ret = record(&r, began);
out:
	close_all(&r);
	return ret;
}
