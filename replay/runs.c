/* SPDX-License-Identifier: BSD-2-Clause */
#include "runs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "out.h"
#include "tempfile.h"

#define BUFFER_MIN 4096u
#define BUFFER_MAX (1u << 20)

/* ---- Items -------------------------------------------------------------------------- */

struct item *item_new(const struct order_line *line, uint64_t seq)
{
	struct item *item = malloc(sizeof(*item) + line->key_len + line->len);

	if (!item)
		return NULL;
	item->head = (struct item_head){ .seq = seq,
					 .wall = line->wall,
					 .key_len = line->key_len,
					 .len = line->len,
					 .offset = line->offset,
					 .whose = line->whose };
	if (line->key_len)
		memcpy(item->bytes, line->key, line->key_len);
	memcpy(item->bytes + line->key_len, line->made, line->len);
	return item;
}

size_t item_bytes(const struct item *item)
{
	/* And what malloc and the list of them take. */
	return sizeof(*item) + item->head.key_len + item->head.len + 16 + sizeof(item);
}

void item_line(const struct item_head *head, const char *bytes, struct order_line *line)
{
	*line = (struct order_line){ .key = bytes,
				     .made = bytes + head->key_len,
				     .key_len = head->key_len,
				     .len = head->len,
				     .wall = head->wall,
				     .offset = head->offset,
				     .whose = head->whose };
}

int item_compare(const struct item_head *a, const char *a_key, const struct item_head *b,
		 const char *b_key, bool backwards)
{
	uint32_t n = a->key_len < b->key_len ? a->key_len : b->key_len;
	/* Of two keys none is the beginning of the other. */
	int side = n ? memcmp(a_key, b_key, n) : 0;

	if (!side)
		side = a->seq < b->seq ? -1 : 1;
	return backwards ? -side : side;
}

/* ---- Runs --------------------------------------------------------------------------- */

struct run {
	uint64_t at, end; /* of the file, what is not yet in the buffer */
	char *buf;
	size_t begin, len, cap;
	struct item_head head; /* of the item at begin, all of which is there */
};

struct runs {
	int fd, error;
	size_t memory, buffered;
	bool backwards;
	struct run *v;
	size_t n, cap;
	uint64_t items, size;
	size_t *heap; /* indices in v, of those that are not at their ends */
	size_t n_heap;
	bool lent;    /* the first of the heap was handed out */
};

struct runs *runs_new(int fd, int error, size_t memory)
{
	struct runs *r = calloc(1, sizeof(*r));

	if (r)
		*r = (struct runs){ .fd = fd, .error = error, .memory = memory };
	return r;
}

void runs_free(struct runs *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->n; i++)
		free(r->v[i].buf);
	free(r->v);
	free(r->heap);
	free(r);
}

uint64_t runs_items(const struct runs *r)
{
	return r->items;
}

static int no_memory(struct reason *why)
{
	return reason_set(why, EXIT_FAILED, "out of memory");
}

static int no_file(struct reason *why, const char *what, int error)
{
	return reason_set(why, EXIT_FAILED,
			  "what is to be sorted is more than memory is used for, and a file in "
			  "%s cannot be %s: %s (TMPDIR says where)",
			  tempfile_folder(), what, strerror(error));
}

int runs_add(struct runs *r, struct item *const *items, size_t n, struct reason *why)
{
	struct run *run;
	struct out o;

	if (r->fd < 0)
		return no_file(why, "made", r->error);
	if (r->n == r->memory / BUFFER_MIN)
		return reason_set(why, EXIT_FAILED,
				  "this is too much to be sorted: choose fewer events, or --limit");
	if (r->n == r->cap) {
		run = reallocarray(r->v, r->cap ? r->cap * 2 : 16, sizeof(*run));
		if (!run)
			return no_memory(why);
		r->v = run;
		r->cap = r->cap ? r->cap * 2 : 16;
	}
	run = &r->v[r->n++];
	*run = (struct run){ .at = r->size };
	out_open(&o, r->fd);
	for (size_t i = 0; i < n; i++) {
		const struct item_head *head = &items[i]->head;

		out_bytes(&o, head, sizeof(*head));
		out_bytes(&o, items[i]->bytes, (size_t)head->key_len + head->len);
		r->size += sizeof(*head) + head->key_len + head->len;
	}
	run->end = r->size;
	r->items += n;
	out_close(&o);
	return o.error ? no_file(why, "written", o.error) : 0;
}

/* ---- Merging ------------------------------------------------------------------------ */

static int grow(struct runs *r, struct run *run, size_t need, struct reason *why)
{
	char *buf;

	/* Lines of megabytes, in each run one. */
	if (need > run->cap && need - run->cap > 2 * r->memory - r->buffered)
		return reason_set(why, EXIT_FAILED, "the lines are too long to be sorted");
	buf = realloc(run->buf, need);
	if (!buf)
		return no_memory(why);
	r->buffered += need - run->cap;
	run->buf = buf;
	run->cap = need;
	return 0;
}

/* Has need bytes from begin on in the buffer; the file has them. */
static int fill(struct runs *r, struct run *run, size_t need, struct reason *why)
{
	size_t have = run->len - run->begin;

	if (have >= need)
		return 0;
	if (run->begin)
		memmove(run->buf, run->buf + run->begin, have);
	run->begin = 0;
	run->len = have;
	if (need > run->cap && grow(r, run, need, why))
		return -1;
	while (run->len < need) {
		size_t room = run->cap - run->len;
		ssize_t n;

		if (room > run->end - run->at)
			room = (size_t)(run->end - run->at);
		n = pread(r->fd, run->buf + run->len, room, (off_t)run->at);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return no_file(why, "read", n ? errno : EIO);
		run->len += (size_t)n;
		run->at += (uint64_t)n;
	}
	return 0;
}

static bool at_end(const struct run *run)
{
	return run->begin == run->len && run->at == run->end;
}

/* The item at begin, in full. */
static int load(struct runs *r, struct run *run, struct reason *why)
{
	if (fill(r, run, sizeof(run->head), why))
		return -1;
	memcpy(&run->head, run->buf + run->begin, sizeof(run->head));
	return fill(r, run, sizeof(run->head) + run->head.key_len + run->head.len, why);
}

static const char *bytes_of(const struct run *run)
{
	return run->buf + run->begin + sizeof(run->head);
}

static bool before(const struct runs *r, size_t a, size_t b)
{
	const struct run *x = &r->v[r->heap[a]], *y = &r->v[r->heap[b]];

	return item_compare(&x->head, bytes_of(x), &y->head, bytes_of(y), r->backwards) < 0;
}

/* Everything below i is a heap; makes it one with i. */
static void sink(struct runs *r, size_t i)
{
	for (;;) {
		size_t child = 2 * i + 1, index = r->heap[i];

		if (child >= r->n_heap)
			return;
		if (child + 1 < r->n_heap && before(r, child + 1, child))
			child++;
		if (!before(r, child, i))
			return;
		r->heap[i] = r->heap[child];
		r->heap[child] = index;
		i = child;
	}
}

int runs_merge(struct runs *r, bool backwards, struct reason *why)
{
	size_t size = r->memory / r->n;

	r->backwards = backwards;
	r->heap = calloc(r->n, sizeof(*r->heap));
	if (!r->heap)
		return no_memory(why);
	if (size > BUFFER_MAX)
		size = BUFFER_MAX;
	for (size_t i = 0; i < r->n; i++) {
		if (at_end(&r->v[i]))
			continue;
		if (grow(r, &r->v[i], size, why) || load(r, &r->v[i], why))
			return -1;
		r->heap[r->n_heap++] = i;
	}
	for (size_t i = r->n_heap / 2; i-- > 0;)
		sink(r, i);
	return 0;
}

/* Past the first item of all. */
static int advance(struct runs *r, struct reason *why)
{
	struct run *run = &r->v[r->heap[0]];

	run->begin += sizeof(run->head) + run->head.key_len + run->head.len;
	if (at_end(run))
		r->heap[0] = r->heap[--r->n_heap];
	else if (load(r, run, why))
		return -1;
	if (r->n_heap)
		sink(r, 0);
	return 0;
}

int runs_next(struct runs *r, struct order_line *line, struct reason *why)
{
	struct run *run;

	if (r->lent && advance(r, why))
		return -1;
	r->lent = r->n_heap > 0;
	if (!r->n_heap)
		return 0;
	run = &r->v[r->heap[0]];
	item_line(&run->head, bytes_of(run), line);
	return 1;
}
