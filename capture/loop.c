/* SPDX-License-Identifier: BSD-2-Clause */
#include "loop.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "clock.h"
#include "command.h"
#include "drain.h"
#include "options.h"
#include "output.h"
#include "privilege.h"
#include "probe.h"
#include "progress.h"
#include "queue.h"
#include "requests.h"
#include "say.h"
#include "schedule.h"
#include "service.h"
#include "status.h"
#include "writer.h"

/* While events come in, the ring is emptied this often: in large gulps, few wakeups. */
#define GULP 20000000ull
/* A record that a CPU still writes holds up what is behind it for this long, usually less. */
#define IN_FLIGHT 1000000ull
/* A signal that comes again so soon is the same wish, sent to us and to our group. */
#define SAME_SIGNAL 300000000ull
#define NEVER UINT64_MAX

enum phase {
	PHASE_STARTING,		/* the writer writes what a capture begins with */
	PHASE_RUNNING,
	PHASE_EMPTYING,		/* detached; the ring still holds events */
	PHASE_CLOSING,		/* the writer ends the file */
	PHASE_DONE,
};

struct state {
	const struct loop *l;
	struct loop_result *result;
	enum phase phase;
	const char *reason;	/* why it ends */
	uint64_t detached;	/* ns of the boot clock: no event is later */
	int epoll;
	int step;		/* timerfd: the wall clock was set */
	int duration;		/* timerfd */
	struct requests requests;
	bool asked;		/* a signal has asked for the end */
	bool told;		/* of a failed sync */
	bool stalled;		/* no parcel was empty the last time */
	struct status_rate rate;
	int last_signo;		/* of these, and when; 0: none */
	uint64_t last_at;
};

static bool watch(struct state *s, int fd, uint32_t events)
{
	struct epoll_event ev = { .events = events, .data.fd = fd };

	return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &ev) == 0;
}

static bool set_up(struct state *s)
{
	const struct loop *l = s->l;

	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	s->step = clock_step_fd();
	s->duration = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	/*
	 * The ring's descriptor is ready as long as anything is in the ring: without
	 * EPOLLET each event would wake us, not only those that the programs wake for.
	 */
	return s->epoll >= 0 && s->step >= 0 && s->duration >= 0 &&
	       (!output_dumps(l->output) ||
		watch(s, dumper_fd(output_dumps(l->output)), EPOLLIN)) &&
	       watch(s, l->signals, EPOLLIN) && watch(s, probe_fd(l->probe), EPOLLIN | EPOLLET) &&
	       watch(s, queue_fd(l->queue), EPOLLIN) && watch(s, writer_fd(l->writer), EPOLLIN) &&
	       watch(s, s->step, EPOLLIN) && watch(s, s->duration, EPOLLIN) &&
	       (service_fd(l->service) < 0 || watch(s, service_fd(l->service), EPOLLIN));
}

static void tear_down(struct state *s)
{
	if (s->epoll >= 0)
		close(s->epoll);
	if (s->step >= 0)
		close(s->step);
	if (s->duration >= 0)
		close(s->duration);
}

static void stop(struct state *s, const char *reason)
{
	if (s->phase >= PHASE_EMPTYING)
		return;
	s->reason = reason;
	/* Detaching waits for the kernel, up to tenths of a second; events go on till then. */
	s->result->ended = clock_boot();
	probe_detach(s->l->probe);
	s->detached = clock_boot();
	s->phase = PHASE_EMPTYING;
	rotation_end(&s->requests.rotation);
	notify_stopping(&s->l->service->notify, "ending: %s", reason);
}

/* For this thread: the others were started before, and it starts none. */
static int hurry(const struct options *opt)
{
	if (opt->realtime)
		return schedule_realtime();
	if (opt->has_nice)
		return schedule_nice(opt->nice);
	schedule_first();
	return 0;
}

/* What is left to do takes what is open, and the command to be signalled, whoever it is. */
static int drop_privilege(const struct loop *l)
{
	pid_t children[1 + LOOP_SERVANTS] = { l->command ? (pid_t)command_pid(l->command) : 0 };
	int error = privilege_drop(l->command ? PRIVILEGE_KILL : 0), unsealed;

	memcpy(children + 1, l->servants, sizeof(l->servants));
	unsealed = error ? 0 : privilege_seal(children, 1 + LOOP_SERVANTS);

	if (unsealed && l->options->verbose) {
		progress_clear(l->progress);
		say_at(SAY_INFO, "no filter of system calls: %s", strerror(unsealed));
	}
	return error;
}

static void start(struct state *s)
{
	const struct loop *l = s->l;
	struct itimerspec after = {
		.it_value.tv_sec = (time_t)(l->options->duration / 1000000000),
		.it_value.tv_nsec = (long)(l->options->duration % 1000000000),
	};

	s->result->hurry_error = hurry(l->options);
	if (s->result->hurry_error) {
		stop(s, "error: the recorder's priority could not be set");
		return;
	}
	s->result->keep_error = output_keep(l->output);
	if (s->result->keep_error) {
		stop(s, "error: the capture could not get its name");
		return;
	}
	s->result->drop_error = drop_privilege(l);
	if (s->result->drop_error) {
		stop(s, "error: privilege could not be dropped");
		return;
	}
	s->phase = PHASE_RUNNING;
	s->result->began = clock_boot();
	rotation_begin(&s->requests.rotation, s->result->began);
	if (l->command) {
		s->result->release_error = command_release(l->command);
		if (s->result->release_error) {
			stop(s, "error: the command could not be let go");
			return;
		}
	}
	/* All zero, as without --duration, leaves it off. */
	timerfd_settime(s->duration, 0, &after, NULL);
	service_ready(l->service, output_name(l->output));
	if (l->options->verbose) {
		progress_clear(l->progress);
		say_at(SAY_INFO, "recording to %s", output_name(l->output));
	}
}

/*
 * Passes a signal on to the command, unless the terminal has sent it: that sends to
 * the whole foreground group.
 */
static void pass_on(const struct loop *l, const struct signalfd_siginfo *si)
{
	if (si->ssi_code != SI_KERNEL)
		command_kill(l->command, (int)si->ssi_signo);
}

/* True: it is the same wish again. Else it is the one to compare the next with. */
static bool is_echo(struct state *s, int signo, uint64_t now)
{
	if (s->last_signo == signo && now - s->last_at < SAME_SIGNAL)
		return true;
	s->last_signo = signo;
	s->last_at = now;
	return false;
}

static void on_signal(struct state *s, const struct signalfd_siginfo *si)
{
	const struct loop *l = s->l;
	int signo = (int)si->ssi_signo;
	uint64_t now = clock_boot();

	if (signo == SIGCHLD) {
		if (l->command && command_reap(l->command))
			stop(s, "command ended");
		return;
	}
	if (requests_signal(&s->requests, si) || is_echo(s, signo, now))
		return;
	if (s->phase >= PHASE_EMPTYING) {
		/* Only a pipe that nobody reads can hold up the end. */
		output_cancel(l->output);
		s->result->signo = signo;
	} else if (l->command && command_runs(l->command)) {
		pass_on(l, si);
		if (s->asked || signo == SIGHUP) {
			s->result->signo = signo;
			stop(s, "signal");
		}
	} else {
		s->result->signo = l->command ? signo : 0;
		stop(s, "signal");
	}
	s->asked = true;
}

/* --pid: all that was followed has ended. A command says itself when it does. */
static bool all_ended(const struct state *s)
{
	const struct loop *l = s->l;

	return s->phase == PHASE_RUNNING && !l->command && options_follow(l->options) &&
	       !probe_following(l->probe);
}

static void on_writer(struct state *s)
{
	char note[NOTE_SIZE];

	writer_fd_clear(s->l->writer);
	while (writer_take_note(s->l->writer, note)) {
		progress_clear(s->l->progress);
		say_at(SAY_WARNING, "%s", note);
	}
	switch (writer_state(s->l->writer)) {
	case WRITER_STARTING:
	case WRITER_BLOCKED:
		break;
	case WRITER_RUNNING:
		if (s->phase == PHASE_STARTING)
			start(s);
		break;
	case WRITER_FAILED:
		stop(s, "error: cannot write");
		break;
	case WRITER_DONE:
		s->phase = PHASE_DONE;
		break;
	}
}

static void dispatch(struct state *s, int fd)
{
	const struct loop *l = s->l;
	struct signalfd_siginfo si;
	uint64_t ticks;

	if (fd == l->signals) {
		while (read(fd, &si, sizeof(si)) == sizeof(si))
			on_signal(s, &si);
	} else if (fd == queue_fd(l->queue)) {
		queue_fd_clear(l->queue);
	} else if (fd == writer_fd(l->writer)) {
		on_writer(s);
	} else if (output_dumps(l->output) && fd == dumper_fd(output_dumps(l->output))) {
		requests_dumped(&s->requests);
	} else if (fd == s->step) {
		clock_step_rearm(fd);
		drain_clock_step(l->drain);
	} else if (fd == s->duration && read(fd, &ticks, sizeof(ticks)) == sizeof(ticks)) {
		stop(s, "duration");
	}
	/* The ring's descriptor, and the service's: waking was all they had to do. */
}

static struct progress_state progress_of(const struct state *s)
{
	uint64_t lost[ET_CAUSE_END];
	struct progress_state p = {
		.events = drain_events(s->l->drain),
		.bytes = writer_bytes(s->l->writer),
	};

	drain_lost(s->l->drain, lost);
	for (unsigned i = 1; i < ET_CAUSE_END; i++)
		p.lost += lost[i];
	return p;
}

static enum status_state state_of(const struct state *s)
{
	if (writer_state(s->l->writer) == WRITER_FAILED)
		return STATUS_FAILED;
	if (s->phase == PHASE_STARTING)
		return STATUS_STARTING;
	if (s->phase >= PHASE_EMPTYING)
		return STATUS_ENDING;
	if (s->stalled || writer_state(s->l->writer) == WRITER_BLOCKED)
		return STATUS_BLOCKED;
	return output_dumps(s->l->output) ? STATUS_FLIGHT : STATUS_RECORDING;
}

static void tell_status(void *ctx, struct status *st)
{
	struct state *s = ctx;
	uint64_t began = s->result->began;
	uint64_t now = s->phase >= PHASE_EMPTYING ? s->result->ended : clock_boot();

	*st = (struct status){ .state = state_of(s), .rate = s->rate, .elapsed = now - began };
	st->since = (int64_t)began + drain_clock(s->l->drain, began).offset;
	status_take(st, s->l);
	if (output_dumps(s->l->output))
		st->files = s->requests.dumps;
}

static void trigger(void *ctx, uint64_t client)
{
	struct state *s = ctx;

	requests_trigger(&s->requests, client);
}

static void rotate(void *ctx, uint64_t client)
{
	struct state *s = ctx;

	requests_rotate(&s->requests, client);
}

/* At once: what can still be done about it may not wait for the end. */
static void tell_sync(struct state *s)
{
	const struct loop *l = s->l;
	struct syncer_report sync;

	if (s->told)
		return;
	output_sync_report(l->output, &sync);
	if (!sync.failed)
		return;
	s->told = true;
	notify_status(&l->service->notify, "recording to %s, which cannot be synced: %s",
		      output_name(l->output), strerror(sync.error));
	progress_clear(l->progress);
	say_at(SAY_WARNING, "cannot sync %s: %s; recording goes on, but what a crash of the "
	       "machine costs is not known", output_name(l->output), strerror(sync.error));
}

/* The ring is empty and nothing more comes in: the writer may end the file. */
static void hand_out(struct state *s)
{
	const struct loop *l = s->l;
	uint64_t lost[ET_CAUSE_END];

	drain_lost(l->drain, lost);
	writer_set_end(l->writer, drain_clock(l->drain, s->detached), lost, s->reason);
	queue_close(l->queue);
	s->phase = PHASE_CLOSING;
}

/* Empties the ring. Returns when to come again at the latest; 0: at once. */
static uint64_t empty_ring(struct state *s)
{
	struct drain *d = s->l->drain;
	enum drain_result got;
	uint64_t now, due;

	if (s->phase >= PHASE_CLOSING)
		return NEVER;
	got = drain_run(d);
	s->stalled = got == DRAIN_STALLED;
	if (s->phase == PHASE_EMPTYING) {
		if (got == DRAIN_SOME || got == DRAIN_MORE)
			return 0;
		if (got != DRAIN_STALLED && drain_finish(d))
			hand_out(s);
		return NEVER;
	}

	now = clock_boot();
	rotation_run(&s->requests.rotation, now);
	drain_flush(d, now);
	due = drain_pace(d, now);
	if (got == DRAIN_MORE)
		return 0;
	if (got == DRAIN_EMPTY && !probe_arm(s->l->probe))
		return now + IN_FLIGHT;
	/* Stalled: an empty parcel wakes us, whatever is due. */
	if (got == DRAIN_STALLED || drain_due(d) <= now)
		return due;
	if (drain_due(d) < due)
		due = drain_due(d);
	return got == DRAIN_SOME && now + GULP < due ? now + GULP : due;
}

static int timeout_ms(uint64_t due)
{
	uint64_t now;

	if (due == NEVER)
		return -1;
	now = clock_boot();
	if (due <= now)
		return 0;
	due = (due - now + 999999) / 1000000;
	return due > 3600000 ? 3600000 : (int)due;
}

int loop_run(const struct loop *l, struct loop_result *result)
{
	struct state s = {
		.l = l,
		.result = result,
		.reason = "",
		.requests = {
			.rotation = { .options = l->options, .drain = l->drain, .output = l->output },
			.service = l->service,
		},
	};
	const struct service_calls calls = { tell_status, trigger, rotate, &s };
	struct epoll_event events[8];
	int ret = 0;

	*result = (struct loop_result){ .began = clock_boot() };
	s.rate.at = result->began;
	if (!set_up(&s)) {
		ret = errno;
		stop(&s, "error: cannot wait for events");
		hand_out(&s);
		tear_down(&s);
		return ret;
	}
	while (s.phase != PHASE_DONE) {
		struct progress_state p;
		uint64_t due = empty_ring(&s), now = clock_boot(), told;
		int n;

		tell_sync(&s);
		requests_answer(&s.requests);
		p = progress_of(&s);
		status_measure(&s.rate, p.events, now);
		told = service_turn(l->service, &calls, now);
		if (told < due)
			due = told;
		progress_draw(l->progress, &p, now);
		if (progress_due(l->progress, &p) < due)
			due = progress_due(l->progress, &p);
		if (rotation_due(&s.requests.rotation, clock_boot()) < due)
			due = rotation_due(&s.requests.rotation, clock_boot());
		/* Without an empty parcel it is that which wakes us. */
		if (drain_is_marked(l->drain) && !s.stalled && clock_boot() + IN_FLIGHT < due)
			due = clock_boot() + IN_FLIGHT;
		n = epoll_wait(s.epoll, events, 8, timeout_ms(due));
		for (int i = 0; i < n; i++)
			dispatch(&s, events[i].data.fd);
		if (all_ended(&s))
			stop(&s, "followed processes ended");
	}
	/* The last ones may be told by nobody else. */
	if (output_dumps(l->output))
		requests_dumped(&s.requests);
	result->dump_failed = s.requests.dump_failed;
	tear_down(&s);
	return 0;
}

bool loop_wait_command(const struct loop *l, int *signo)
{
	struct state s = { .l = l };
	struct signalfd_siginfo si;

	while (!command_reap(l->command)) {
		struct pollfd p = { l->signals, POLLIN, 0 };

		if (poll(&p, 1, -1) < 0 || read(l->signals, &si, sizeof(si)) != sizeof(si))
			continue;
		*signo = (int)si.ssi_signo;
		if (*signo == SIGCHLD || *signo == SIGUSR1 || is_echo(&s, *signo, clock_boot()))
			continue;
		/* For a file that is ended already. */
		if (*signo == SIGHUP && si.ssi_code != SI_KERNEL && output_is_series(l->output))
			continue;
		pass_on(l, &si);
		if (s.asked || *signo == SIGHUP)
			return false;
		s.asked = true;
	}
	return true;
}
