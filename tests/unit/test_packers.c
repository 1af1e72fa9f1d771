/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parcels through the queue: whoever packs them, they come out packed, in order and
 * whole; the writer thread alone packs as long as it keeps up, and is helped when not.
 */
#include "check.h"
#include "memory_io.h"

#include "packers.h"
#include "queue.h"

#include <poll.h>
#include <pthread.h>
#include <time.h>

#define PARCELS 8
#define ROWS 40

static const uint64_t nothing_lost[ET_CAUSE_END];

/* ---- Packing as it is seen here: the linker leads all calls to this ----------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static pthread_t main_thread;
static unsigned by_main, by_others;	/* calls that are done */
static unsigned held;			/* others that wait to be let go on */
static unsigned hold;			/* they are to wait until by_main is that; 0: they are not */
static bool spoil;			/* packing fails */

int __real_et_packer_pack(struct et_packer *p, enum et_record_type type, const struct et_batch *b,
			  struct et_packed *out, struct et_error *err);
int __wrap_et_packer_pack(struct et_packer *p, enum et_record_type type, const struct et_batch *b,
			  struct et_packed *out, struct et_error *err);

int __wrap_et_packer_pack(struct et_packer *p, enum et_record_type type, const struct et_batch *b,
			  struct et_packed *out, struct et_error *err)
{
	bool is_main = pthread_equal(pthread_self(), main_thread);
	int code;

	pthread_mutex_lock(&lock);
	held += !is_main && hold;
	pthread_cond_broadcast(&changed);
	while (!is_main && by_main < hold)
		pthread_cond_wait(&changed, &lock);
	pthread_mutex_unlock(&lock);
	code = __real_et_packer_pack(p, spoil ? ET_REC_PROC : type, b, out, err);
	pthread_mutex_lock(&lock);
	*(is_main ? &by_main : &by_others) += 1;
	pthread_cond_broadcast(&changed);
	pthread_mutex_unlock(&lock);
	return code;
}

/* Until *count is that many. */
static void wait_for(const unsigned *count, unsigned n)
{
	struct timespec due;
	int error = 0;

	clock_gettime(CLOCK_REALTIME, &due);
	due.tv_sec += 60;
	pthread_mutex_lock(&lock);
	while (*count < n && !error)
		error = pthread_cond_timedwait(&changed, &lock, &due);
	CHECK(*count == n);
	pthread_mutex_unlock(&lock);
}

/* ---- A recorder without events from the kernel ------------------------------------------ */

struct line {
	struct packers *packers;
	struct queue *queue;
	struct et_writer *writer;
	struct sink sink;
	uint32_t sent;		/* rows */
	int code;		/* of the last that a thread wrote */
};

static void set_up_with(struct line *l, unsigned threads, unsigned parcels)
{
	struct et_writer_options opt = { .program = "test" };
	struct et_io io = sink_io(&l->sink);

	*l = (struct line){ 0 };
	by_main = by_others = held = hold = 0;
	CHECK(packers_new(threads, 1, &l->packers) == 0);
	l->queue = queue_new(parcels, l->packers);
	CHECK(l->queue && et_writer_open(&io, &opt, &l->writer, NULL) == ET_OK);
}

static void set_up(struct line *l, unsigned threads)
{
	set_up_with(l, threads, PARCELS);
}

/* Also with parcels in the queue that nobody took. */
static void tear_down(struct line *l)
{
	et_writer_close(l->writer);
	packers_free(l->packers);
	queue_free(l->queue);
	free(l->sink.data);
}

/* False: there is no empty parcel. */
static bool send_rows(struct line *l, unsigned rows)
{
	struct parcel *p = queue_take(l->queue);
	struct et_event ev = { 0 };

	if (!p)
		return false;
	et_set_uint(&ev, ET_F_KIND, ET_FORK);
	for (unsigned i = 0; i < rows; i++, l->sent++) {
		et_set_uint(&ev, ET_F_TS, 1000 + l->sent);
		et_set_uint(&ev, ET_F_PID, l->sent);
		CHECK(et_batch_add(p->rows, &ev, NULL) == ET_OK);
	}
	queue_put(l->queue, p);
	return true;
}

/* The next parcel into the file; ET_EOF: there is none, and none comes. */
static int write_one(struct line *l)
{
	struct parcel *p = queue_get(l->queue);
	int code;

	if (!p)
		return ET_EOF;
	code = et_writer_packed(l->writer, p->packed, nothing_lost, NULL);
	queue_return(l->queue, p);
	return code;
}

static void check_file(struct line *l)
{
	struct et_reader_stats stats;
	struct et_reader *r = NULL;
	struct et_record rec;
	struct et_io io;
	uint64_t row = 0;

	CHECK(et_writer_end(l->writer, (struct et_clock){ 1u << 30, 0 }, nothing_lost, "test", NULL) == ET_OK);
	CHECK(et_io_memory(l->sink.data, l->sink.len, &io) == ET_OK);
	CHECK(et_verify(&io, NULL, NULL, &stats, NULL) == ET_OK);
	CHECK(stats.rows[ET_FORK] == l->sent);
	CHECK(et_io_memory(l->sink.data, l->sink.len, &io) == ET_OK && et_reader_open(&io, NULL, NULL, &r, NULL) == ET_OK);
	while (et_reader_next(r, &rec, NULL) == ET_OK) {
		const uint64_t *pids;
		struct et_chunk *c;

		if (!rec.rows || et_reader_chunk(r, &c, NULL) != ET_OK)
			continue;
		CHECK(et_chunk_uints(c, ET_F_PID, &pids, NULL) == ET_OK);
		for (uint32_t i = 0; i < rec.rows; i++)
			CHECK(pids[i] == row++);
		et_chunk_free(c);
	}
	CHECK(row == l->sent);
	et_reader_close(r);
}

/* ---- Tests ---------------------------------------------------------------------------------- */

/* One parcel at a time: nobody else is woken, however many there are. */
static void test_alone(void)
{
	struct line l;

	set_up(&l, 4);
	for (unsigned i = 0; i < 100; i++)
		CHECK(send_rows(&l, ROWS) && write_one(&l) == ET_OK);
	CHECK(by_main == 100 && !by_others);
	check_file(&l);
	tear_down(&l);
}

/* Nothing but the writer thread packs. */
static void test_one_thread(void)
{
	struct line l;

	set_up(&l, 1);
	for (unsigned i = 0; i < PARCELS; i++)
		CHECK(send_rows(&l, ROWS));
	for (unsigned i = 0; i < PARCELS; i++)
		CHECK(write_one(&l) == ET_OK);
	CHECK(by_main == PARCELS && !by_others);
	check_file(&l);
	tear_down(&l);
}

/* The writer thread is away: the others pack all but the one that it is about to take. */
static void test_backlog(void)
{
	struct line l;

	set_up(&l, 3);
	for (unsigned i = 0; i < PARCELS; i++)
		CHECK(send_rows(&l, i % 2 ? 4000 : ROWS));
	CHECK(!send_rows(&l, ROWS));
	wait_for(&by_others, PARCELS - 1);
	queue_close(l.queue);
	for (unsigned i = 0; i < PARCELS; i++)
		CHECK(write_one(&l) == ET_OK);
	CHECK(write_one(&l) == ET_EOF);
	CHECK(by_main == 1 && by_others == PARCELS - 1);
	check_file(&l);
	tear_down(&l);
}

/* Two threads have the oldest two parcels and are slow: the writer thread packs the rest. */
static void test_slow_others(void)
{
	struct line l;

	set_up(&l, 3);
	hold = PARCELS - 2;
	CHECK(send_rows(&l, ROWS) && send_rows(&l, ROWS));
	wait_for(&held, 1);
	CHECK(send_rows(&l, ROWS));
	wait_for(&held, 2);
	for (unsigned i = 3; i < PARCELS; i++)
		CHECK(send_rows(&l, ROWS));
	/* Without that, its own first one would never be packed. */
	for (unsigned i = 0; i < PARCELS; i++)
		CHECK(write_one(&l) == ET_OK);
	CHECK(by_main == PARCELS - 2 && by_others == 2);
	check_file(&l);
	tear_down(&l);
}

/* As in a recording: parcels come, and are written, at the same time. */
static void *write_all(void *arg)
{
	struct line *l = arg;

	while ((l->code = write_one(l)) == ET_OK)
		;
	return NULL;
}

static void test_stream(unsigned threads)
{
	pthread_t writer;
	struct line l;

	set_up(&l, threads);
	CHECK(pthread_create(&writer, NULL, write_all, &l) == 0);
	for (unsigned sent = 0; sent < 400;) {
		if (send_rows(&l, sent % 5 ? ROWS : 3000)) {
			sent++;
			continue;
		}
		CHECK(poll(&(struct pollfd){ queue_fd(l.queue), POLLIN, 0 }, 1, 60000) == 1);
		queue_fd_clear(l.queue);
	}
	queue_close(l.queue);
	pthread_join(writer, NULL);
	CHECK(l.code == ET_EOF);
	CHECK(by_others && !by_main);
	check_file(&l);
	tear_down(&l);
}

/* A failure of whoever packs is told to the writer. */
static void test_failure(void)
{
	struct line l;

	for (unsigned threads = 1; threads <= 2; threads++) {
		set_up(&l, threads);
		spoil = true;
		for (unsigned i = 0; i < 3; i++)
			CHECK(send_rows(&l, ROWS));
		if (threads == 2)
			wait_for(&by_others, 2);
		for (unsigned i = 0; i < 3; i++)
			CHECK(write_one(&l) == ET_MISUSE);
		spoil = false;
		l.sent = 0;
		CHECK(send_rows(&l, ROWS) && write_one(&l) == ET_OK);
		check_file(&l);
		tear_down(&l);
	}
}

/* Parcels are still waiting, or in work, when all ends. */
static void test_left(void)
{
	struct line l;

	set_up(&l, 4);
	for (unsigned i = 0; i < PARCELS; i++)
		CHECK(send_rows(&l, 2000));
	tear_down(&l);
}

/* ---- Memory ------------------------------------------------------------------------------------ */

#define LARGE_ARGS (2u << 20)
#define MANY 32

/* One event with the arguments of which an exec may have the most; they are not alike. */
static bool send_large(struct line *l)
{
	static char args[LARGE_ARGS];
	static uint32_t state = 1;
	struct parcel *p = queue_take(l->queue);
	struct et_event ev = { 0 };

	if (!p)
		return false;
	for (unsigned i = 0; i < LARGE_ARGS; i++) {
		state = state * 1664525 + 1013904223;
		args[i] = i % 8 == 7 ? '\0' : (char)('a' + (state >> 24) % 26);
	}
	et_set_uint(&ev, ET_F_KIND, ET_EXEC);
	et_set_uint(&ev, ET_F_TS, 1000 + l->sent);
	et_set_uint(&ev, ET_F_PID, l->sent++);
	ev.known |= 1ull << ET_F_ARGV;
	ev.v[ET_F_ARGV].l = (struct et_list){ args, sizeof(args), LARGE_ARGS / 8 };
	CHECK(et_batch_add(p->rows, &ev, NULL) == ET_OK);
	queue_put(l->queue, p);
	return true;
}

/* However large events are and however many parcels: those on their way are bounded together. */
static void test_memory(void)
{
	struct et_event ev = { 0 };
	struct line l;
	unsigned n = 0;
	uint64_t each;
	struct parcel *p;

	set_up_with(&l, 1, MANY);
	p = queue_take(l.queue);
	each = et_batch_memory(p->rows);
	et_set_uint(&ev, ET_F_KIND, ET_EXEC);
	et_set_uint(&ev, ET_F_TS, 1);
	CHECK(et_batch_add(p->rows, &ev, NULL) == ET_OK);
	queue_put(l.queue, p);
	CHECK(write_one(&l) == ET_OK);
	l.sent = 0;
	while (send_large(&l))
		n++;
	CHECK(n >= 2 && n < MANY / 2);
	/* Small ones are not kept from being sent by that when these are gone. */
	for (unsigned i = 0; i < n; i++)
		CHECK(write_one(&l) == ET_OK);
	for (n = 0; send_rows(&l, ROWS); n++)
		;
	CHECK(n == MANY);
	for (unsigned i = 0; i < MANY; i++)
		CHECK(write_one(&l) == ET_OK);
	/* What has grown large has given that back. */
	for (unsigned i = n = 0; i < MANY; i++) {
		p = queue_take(l.queue);
		n += et_batch_memory(p->rows) > 4 * each + (1u << 20);
		queue_put(l.queue, p);
	}
	CHECK(n < MANY / 4);
	for (unsigned i = 0; i < MANY; i++)
		CHECK(write_one(&l) == ET_OK);
	tear_down(&l);
}

int main(void)
{
	main_thread = pthread_self();
	test_memory();
	test_alone();
	test_one_thread();
	test_backlog();
	test_slow_others();
	test_failure();
	test_left();
	test_stream(1);
	test_stream(4);
	return check_result();
}
