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
#include <sys/signalfd.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "drain.h"
#include "host.h"
#include "loop.h"
#include "options.h"
#include "output.h"
#include "probe.h"
#include "progress.h"
#include "queue.h"
#include "report.h"
#include "say.h"
#include "writer.h"

/* Chunks on their way to the disk: a few MiB, seconds of a busy machine. */
#define PARCELS 8

/* All that a recording holds; freed by close_all in any state. */
struct recording {
	struct options opt;
	char **argv;
	struct command_signals signals;
	int signal_fd;
	bool initial_pids;
	struct output *output;
	struct command_user user;
	struct command *command;
	struct probe *probe;
	struct host host;
	char *cgroup_mount;
	struct queue *queue;
	struct drain *drain;
	struct writer *writer;
	struct progress progress;
};

/* 0, 1 and 2 are never another file's: a message must not land in the capture. */
static bool hold_standard_descriptors(void)
{
	for (int fd = 0; fd < 3; fd++) {
		/* The direction that makes its use an error. */
		int flags = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", flags) != fd)
			return false;
	}
	return true;
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
	struct output_error err;

	if (output_check(r->opt.output, r->opt.force, &r->output, &err))
		return EXIT_DONE;
	say("%s", err.text);
	return err.usage ? EXIT_USAGE : EXIT_FAILED;
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
	if (!r->initial_pids && options_follow(&r->opt)) {
		say("cannot follow a command inside a pid namespace; record with --all, or "
		    "in the host's pid namespace");
		return false;
	}
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

static bool attach(struct recording *r)
{
	struct probe_options opt = {
		.ring_size = r->opt.ring_size,
		.max_args = r->opt.max_args,
		.no_failed = r->opt.no_failed,
		.no_fork = r->opt.no_fork,
		.follow = options_follow(&r->opt),
		/* In another pid namespace the number would be somebody else's. */
		.self = r->initial_pids ? (uint32_t)getpid() : 0,
	};
	struct probe_error err;
	int ret;

	if (probe_open(&opt, &r->probe, &err) != 0) {
		say("%s", err.text);
		return false;
	}
	if (!opt.follow)
		return true;
	ret = probe_follow(r->probe, command_pid(r->command));
	if (ret)
		say("cannot follow the command: %s", strerror(-ret));
	return !ret;
}

static bool open_output(struct recording *r)
{
	struct output_error err;

	if (output_open(r->output, &err))
		return true;
	say("%s", err.text);
	return false;
}

/* Starts the writer thread; what comes after runs beside it. began: when attached. */
static bool start_writer(struct recording *r, uint64_t began)
{
	uint64_t error;
	struct writer_setup setup = {
		.output = r->output,
		.options = { .program = "exectrace " EXECTRACE_VERSION, .level = r->opt.level },
		.clock = clock_measure(&error),
		/* Another namespace's pids would be wrong ones. */
		.with_snapshot = r->initial_pids,
	};
	int ret;

	r->cgroup_mount = host_cgroup_mount();
	setup.snapshot = (struct snapshot_options){
		.ts = began,
		.max_args = r->opt.max_args,
		.skip = r->command ? command_pid(r->command) : 0,
		.cgroup_mount = r->cgroup_mount,
		.ancestors = options_follow(&r->opt),
	};
	host_boot_id(setup.options.boot_id);
	r->queue = queue_new(PARCELS);
	if (!r->queue || !host_read(&r->host, r->argv, &r->opt, probe_features(r->probe))) {
		say("cannot begin: %s", strerror(r->queue ? ENOMEM : errno));
		return false;
	}
	setup.queue = r->queue;
	setup.pairs = r->host.pairs;
	setup.n_pairs = r->host.n;
	r->drain = drain_new(r->probe, r->queue, r->opt.flush_interval, &setup.clock);
	ret = r->drain ? writer_start(&setup, &r->writer) : ENOMEM;
	if (ret) {
		say("cannot begin: %s", strerror(ret));
		return false;
	}
	if (r->opt.verbose)
		say("clock offset known to %llu ns; ring of %u KiB; %s", (unsigned long long)error,
		    r->opt.ring_size / 1024, probe_features(r->probe));
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
		say("the command goes on as process %u", command_pid(r->command));
		return 128 + signo;
	}
	/* Never let go: something else has failed, or a signal came first. */
	if (!command_reap(r->command))
		return signo ? 128 + signo : EXIT_FAILED;
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
		.signals = r->signal_fd,
	};
	struct report report = { .options = &r->opt, .output = r->output };
	struct loop_result result;
	int ret, error, code;

	/* A command that writes to the terminal would be mixed with the line. */
	progress_init(&r->progress, !r->opt.quiet && !r->opt.command);
	error = loop_run(&l, &result);
	progress_clear(&r->progress);
	if (error) {
		say("cannot wait for events: %s", strerror(error));
		return EXIT_FAILED;
	}
	writer_report(r->writer, &report.writer);
	/* A signal may have come before the loop saw that the capture had begun. */
	if (report.writer.error.code == ET_OK && !result.keep_error)
		result.keep_error = output_keep(r->output);
	if (result.keep_error)
		say("cannot replace '%s': %s", output_name(r->output),
		    strerror(result.keep_error));
	if (result.release_error)
		say("cannot let the command go: %s", strerror(result.release_error));
	tell_command(r);
	report.elapsed = result.ended - began;
	drain_lost(r->drain, report.lost);
	ret = report_say(&report);
	if (result.release_error || result.keep_error)
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
	drain_free(r->drain);
	queue_free(r->queue);
	probe_close(r->probe);
	command_close(r->command);
	command_user_free(&r->user);
	output_close(r->output);
	host_free(&r->host);
	free(r->cgroup_mount);
	if (r->signal_fd >= 0)
		close(r->signal_fd);
}

int main(int argc, char **argv)
{
	struct recording r = { .argv = argv, .signal_fd = -1 };
	uint64_t began;
	int ret;

	if (!hold_standard_descriptors())
		return EXIT_FAILED;
	ret = options_parse(argc, argv, &r.opt);
	if (ret >= 0)
		return ret;
	r.initial_pids = host_initial_pids();
	ret = check_output(&r);
	if (ret)
		goto out;
	ret = EXIT_FAILED;
	if (!take_signals(&r)) {
		say("cannot take signals: %s", strerror(errno));
		goto out;
	}
	/* Before there are descriptors and threads that it could inherit. */
	if (!prepare_command(&r) || !attach(&r))
		goto out;
	began = clock_boot();
	if (!open_output(&r) || !start_writer(&r, began))
		goto out;
	ret = record(&r, began);
out:
	close_all(&r);
	return ret;
}
