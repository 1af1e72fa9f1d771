/* SPDX-License-Identifier: BSD-2-Clause */
#include "dumper.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "flight.h"
#include "series.h"
#include "thread.h"

/* Who asks for more of them takes them: one under way, one at the end. */
#define RESULTS 8u

struct dumper {
	struct series *series;
	struct flight *flight;
	bool sync;
	int event;
	pthread_t thread;
	bool threaded;

	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct flight_copy *copy;	/* to be written, or being written */
	bool over;
	struct dump done[RESULTS];	/* that were not taken yet, oldest first */
	unsigned n_done;
};

static int write_piece(void *ctx, const void *data, size_t len)
{
	const int *fd = ctx;
	const char *p = data;

	while (len) {
		ssize_t n = write(*fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : EIO;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* A file that is cut short holds whole segments, which is a capture. */
static struct dump cut(struct dumper *d, int fd, int error, uint64_t whole)
{
	struct dump dump = { .error = error, .cut = true, .bytes = whole };

	if (!whole || ftruncate(fd, (off_t)whole) != 0) {
		series_discard(d->series);
		dump.bytes = 0;
	}
	return dump;
}

static struct dump write_copy(struct dumper *d, const struct flight_copy *c)
{
	struct dump dump = { .bytes = flight_copy_bytes(c) };
	uint64_t whole;
	int fd;

	dump.error = series_make(d->series, &fd);
	if (dump.error) {
		dump.bytes = 0;
		return dump;
	}
	series_next(d->series);
	dump.error = series_room(d->series, dump.bytes);
	whole = 0;
	if (!dump.error)
		dump.error = flight_copy_write(c, write_piece, &fd, &whole);
	if (dump.error)
		dump = cut(d, fd, dump.error, whole);
	if (d->sync && fsync(fd) != 0 && !dump.error)
		dump.error = errno;
	/* Some file systems report a failed write only now. */
	if (close(fd) != 0 && !dump.error)
		dump.error = errno;
	if (d->sync && !dump.error)
		dump.error = series_sync(d->series);
	/* Only now that there is another one; if an old one cannot go, the next time. */
	if (!dump.error)
		series_thin(d->series, 0);
	return dump;
}

static void tell(const struct dumper *d)
{
	const uint64_t one = 1;

	/* Fails only when the counter is full, and then it is readable anyway. */
	if (write(d->event, &one, sizeof(one)) < 0)
		return;
}

/* With the lock. */
static void put(struct dumper *d, struct dump dump)
{
	if (d->n_done < RESULTS)
		d->done[d->n_done++] = dump;
	else
		free(dump.path);
	pthread_cond_broadcast(&d->changed);
	tell(d);
}

static void dumper_main(void *arg)
{
	struct dumper *d = arg;

	pthread_mutex_lock(&d->lock);
	for (;;) {
		struct flight_copy *c;
		struct dump dump;

		while (!d->copy && !d->over)
			pthread_cond_wait(&d->changed, &d->lock);
		if (!d->copy)
			break;
		c = d->copy;
		pthread_mutex_unlock(&d->lock);

		dump = write_copy(d, c);
		dump.path = strdup(series_path(d->series));
		flight_copy_drop(d->flight, c);

		pthread_mutex_lock(&d->lock);
		d->copy = NULL;
		put(d, dump);
	}
	pthread_mutex_unlock(&d->lock);
}

int dumper_new(struct series *series, struct flight *flight, bool sync, struct dumper **out)
{
	struct dumper *d = calloc(1, sizeof(*d));
	int ret;

	*out = NULL;
	if (!d)
		return ENOMEM;
	d->series = series;
	d->flight = flight;
	d->sync = sync;
	pthread_mutex_init(&d->lock, NULL);
	pthread_cond_init(&d->changed, NULL);
	d->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	/* What is open takes no privilege. */
	ret = d->event < 0 ? errno : thread_start(&d->thread, 0, dumper_main, d);
	d->threaded = !ret;
	if (ret)
		dumper_free(d);
	else
		*out = d;
	return ret;
}

void dumper_write(struct dumper *d, struct flight_copy *c)
{
	pthread_mutex_lock(&d->lock);
	while (d->copy)
		pthread_cond_wait(&d->changed, &d->lock);
	d->copy = c;
	if (!c)
		put(d, (struct dump){ .error = ENOMEM });
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
}

int dumper_fd(const struct dumper *d)
{
	return d->event;
}

bool dumper_take(struct dumper *d, struct dump *out)
{
	uint64_t n;
	bool any;

	while (read(d->event, &n, sizeof(n)) < 0 && errno == EINTR)
		;
	pthread_mutex_lock(&d->lock);
	any = d->n_done;
	if (any) {
		*out = d->done[0];
		memmove(d->done, d->done + 1, --d->n_done * sizeof(d->done[0]));
	}
	pthread_mutex_unlock(&d->lock);
	return any;
}

void dumper_finish(struct dumper *d)
{
	pthread_mutex_lock(&d->lock);
	while (d->copy)
		pthread_cond_wait(&d->changed, &d->lock);
	pthread_mutex_unlock(&d->lock);
}

void dumper_free(struct dumper *d)
{
	if (!d)
		return;
	pthread_mutex_lock(&d->lock);
	d->over = true;
	pthread_cond_broadcast(&d->changed);
	pthread_mutex_unlock(&d->lock);
	if (d->threaded)
		pthread_join(d->thread, NULL);
	while (d->n_done)
		free(d->done[--d->n_done].path);
	if (d->event >= 0)
		close(d->event);
	pthread_cond_destroy(&d->changed);
	pthread_mutex_destroy(&d->lock);
	free(d);
}
