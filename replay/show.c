/* SPDX-License-Identifier: BSD-2-Clause */
#include "show.h"

#include <errno.h>
#include <unistd.h>

#include "order.h"
#include "print.h"
#include "printer.h"
#include "scan.h"
#include "tempfile.h"
#include "tempo.h"
#include "terminal.h"

void show_prepare(struct options *opt)
{
	size_t lines;

	terminal_size(&opt->screen, &lines);
	opt->colored = color_wanted(opt->color);
	if (!options_ordered(opt))
		return;
	opt->temp = tempfile_open();
	opt->temp_error = errno;
	/* In another order a day is not told by a line above. */
	opt->date |= opt->sort.n > 0;
}

/* What the input calls back for. */
struct caller {
	struct out *o;
	const struct printer *printer;
};

static void flush(void *ctx)
{
	out_flush(((struct caller *)ctx)->o);
}

static void render(const void *ctx, const struct input_row *row, struct out *o)
{
	printer_make(((const struct caller *)ctx)->printer, o, row);
}

static int show_count(struct input *in, const struct options *opt, struct out *o)
{
	uint64_t n;
	int r = input_count(in, opt->fail_on_loss ? UINT64_MAX : opt->limit, &n);

	if (r)
		return r;
	n = n < opt->limit ? n : opt->limit;
	if (opt->json) {
		json_uint(o, "{", "count", n);
		out_char(o, '}');
	} else {
		out_uint(o, n);
	}
	out_char(o, '\n');
	return ET_OK;
}

static int show_rows(struct input *in, const struct options *opt, struct printer *p,
		     struct out *o)
{
	struct tempo tempo = { .speed = opt->speed };
	struct input_row row;
	uint64_t left = opt->limit;
	int r = ET_OK;

	while (left && !o->error) {
		r = input_next(in, &row);
		if (r)
			break;
		tempo_wait(&tempo, o, row.wall);
		if (printer_row(p, o, &row))
			left--;
	}
	/* Whether anything is missing is asked of all, not of what is shown. */
	if (!r && !left && opt->fail_on_loss && !opt->endless)
		r = input_rest(in);
	return r;
}

/* What is shown in another order than it comes in. */
struct ordered {
	struct order *order;
	const struct sort *sort;
	struct source **sources;
	size_t n;
	struct out key, made; /* of a row */
};

/* Which of the sources a row is of, or of a part of which. */
static uint32_t whose(const struct ordered *w, const struct source *s)
{
	uint32_t i = 0;

	while (i + 1 < w->n && w->sources[i] != s && w->sources[i] != s->whole)
		i++;
	return i;
}

/* Keeps the row, if it can be among those that are shown. */
static int keep_row(struct ordered *w, const struct printer *p, const struct input_row *row,
		    struct reason *why)
{
	struct order_line line = { .wall = row->wall, .offset = row->source->offset };

	w->key.len = w->made.len = 0;
	sort_key(w->sort, &w->key, row);
	if (!order_wants(w->order, w->key.buf, w->key.len))
		return 0;
	if (!row->text)
		printer_make(p, &w->made, row);
	if (w->key.error || w->made.error)
		return reason_set(why, EXIT_FAILED, "out of memory");
	line.key = w->key.buf;
	line.key_len = (uint32_t)w->key.len;
	line.made = row->text ? row->text : w->made.buf;
	line.len = (uint32_t)(row->text ? row->text_len : w->made.len);
	if (!line.len)
		return 0;
	line.whose = whose(w, row->source);
	return order_add(w->order, &line, why);
}

static int keep_rows(struct ordered *w, struct input *in, const struct printer *p,
		     struct reason *why)
{
	struct input_row row;
	int r = 0, next = ET_OK;

	while (!r && !(next = input_next(in, &row)))
		r = keep_row(w, p, &row, why);
	if (!r && next != ET_EOF)
		r = reason_set(why, EXIT_FAILED, "out of memory");
	/* What is shown of each begins now. */
	for (size_t i = 0; i < w->n; i++)
		w->sources[i]->shown = 0;
	return r ? r : order_end(w->order, why);
}

/* All rows are read before the first line is printed. -1 fills *why. */
static int show_ordered(struct ordered *w, struct input *in, const struct options *opt,
			struct printer *p, struct out *o, struct reason *why)
{
	const struct order_options how = {
		.backwards = opt->reverse,
		.first = opt->limit,
		.last = opt->tail,
		.memory = ORDER_MEMORY,
		.fd = opt->temp,
		.error = opt->temp_error,
	};
	struct order_line line;
	int r;

	w->order = order_new(&how);
	if (!w->order)
		return reason_set(why, EXIT_FAILED, "out of memory");
	out_open(&w->key, -1);
	out_open(&w->made, -1);
	r = keep_rows(w, in, p, why);
	while (!r && !o->error && (r = order_next(w->order, &line, why)) > 0) {
		source_shown(w->sources[line.whose]);
		printer_line(p, o, line.made, line.len, line.wall, line.offset);
		r = 0;
	}
	out_close(&w->made);
	out_close(&w->key);
	order_free(w->order);
	return r;
}

/* Returns EXIT_DONE, or tells why not. */
static int show(struct source **sources, size_t n, struct input *in, const struct options *opt,
		struct printer *p, struct out *o)
{
	struct ordered w = { .sort = &opt->sort, .sources = sources, .n = n };
	struct reason why;
	int r;

	reason_set(&why, EXIT_FAILED, "out of memory");
	if (opt->count) {
		r = show_count(in, opt, o);
	} else {
		r = options_ordered(opt) ? show_ordered(&w, in, opt, p, o, &why)
					 : show_rows(in, opt, p, o);
		printer_end(p, o);
	}
	if (!r || r == ET_EOF)
		return EXIT_DONE;
	say("%s", why.text);
	return why.code;
}

/* Whether nothing is on the terminal while it is read, which may take long. */
static bool is_silent(const struct options *opt)
{
	if (opt->pager || opt->speed > 0)
		return false;
	return opt->count || options_ordered(opt) ||
	       (!isatty(STDOUT_FILENO) && opt->limit == UINT64_MAX);
}

int show_sources(struct source **sources, size_t n, struct options *opt)
{
	struct input_options io = {
		.filter = &opt->filter,
		.utc = opt->utc,
		.whole = opt->fail_on_loss,
		.jobs = opt->jobs,
		.progress = opt->progress && is_silent(opt),
		/* A row that is sorted is looked at first. */
		.render = opt->count || opt->sort.n ? NULL : render,
		.idle = flush,
	};
	struct printer printer;
	struct caller caller;
	struct input *in;
	struct out o;
	int code;

	/* A count is of events, and those lost are none. */
	if (opt->count)
		opt->filter.unasked |= ET_KIND_BIT(ET_LOST);
	caller = (struct caller){ &o, &printer };
	io.ctx = &caller;
	if (input_open(sources, n, &io, &in)) {
		say("out of memory");
		return EXIT_FAILED;
	}
	out_open(&o, STDOUT_FILENO);
	printer_open(&printer, opt);
	code = command_end(&o, show(sources, n, in, opt, &printer, &o));
	code = report_input(in, sources, n, opt, code);
	printer_close(&printer);
	if (opt->temp >= 0)
		close(opt->temp);
	return code;
}
