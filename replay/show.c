/* SPDX-License-Identifier: BSD-2-Clause */
#include "show.h"

#include <errno.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "order.h"
#include "print.h"
#include "printer.h"
#include "tempfile.h"
#include "tempo.h"

/* Columns of the terminal that output goes to; 0 when it goes elsewhere. */
static size_t terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

void show_prepare(struct options *opt)
{
	opt->screen = terminal_width();
	opt->colored = color_wanted(opt->color);
	if (!options_ordered(opt))
		return;
	opt->temp = tempfile_open();
	opt->temp_error = errno;
	/* In another order a day is not told by a line above. */
	opt->date |= opt->sort.n > 0;
}

static void flush(void *ctx)
{
	out_flush(ctx);
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

/* Keeps the row, if it can be among those that are shown. */
static int keep_row(struct order *order, const struct printer *p, const struct sort *sort,
		    const struct input_row *row, struct out *key, struct out *made,
		    struct reason *why)
{
	struct order_line line = { .wall = row->wall, .offset = row->source->offset };

	key->len = made->len = 0;
	sort_key(sort, key, row);
	if (!order_wants(order, key->buf, key->len))
		return 0;
	printer_make(p, made, row);
	if (key->error || made->error)
		return reason_set(why, EXIT_FAILED, "out of memory");
	if (!made->len)
		return 0;
	line.key = key->buf;
	line.key_len = (uint32_t)key->len;
	line.made = made->buf;
	line.len = (uint32_t)made->len;
	return order_add(order, &line, why);
}

static int keep_rows(struct input *in, const struct options *opt, const struct printer *p,
		     struct order *order, struct reason *why)
{
	struct input_row row;
	struct out key, made;
	int r = 0, next = ET_OK;

	out_open(&key, -1);
	out_open(&made, -1);
	while (!r && !(next = input_next(in, &row)))
		r = keep_row(order, p, &opt->sort, &row, &key, &made, why);
	if (!r && next != ET_EOF)
		r = reason_set(why, EXIT_FAILED, "out of memory");
	out_close(&key);
	out_close(&made);
	return r ? r : order_end(order, why);
}

/* All rows are read before the first line is printed. -1 fills *why. */
static int show_ordered(struct input *in, const struct options *opt, struct printer *p,
			struct out *o, struct reason *why)
{
	const struct order_options how = {
		.backwards = opt->reverse,
		.first = opt->limit,
		.last = opt->tail,
		.memory = ORDER_MEMORY,
		.fd = opt->temp,
		.error = opt->temp_error,
	};
	struct order *order = order_new(&how);
	struct order_line line;
	int r;

	if (!order)
		return reason_set(why, EXIT_FAILED, "out of memory");
	r = keep_rows(in, opt, p, order, why);
	while (!r && !o->error) {
		int more = order_next(order, &line, why);

		if (more <= 0) {
			r = more;
			break;
		}
		printer_line(p, o, line.made, line.len, line.wall, line.offset);
	}
	order_free(order);
	return r;
}

/* Returns EXIT_DONE, or tells why not. */
static int show(struct input *in, const struct options *opt, struct out *o)
{
	struct reason why;
	struct printer p;
	int r;

	reason_set(&why, EXIT_FAILED, "out of memory");
	if (opt->count) {
		r = show_count(in, opt, o);
	} else {
		printer_open(&p, opt);
		r = options_ordered(opt) ? show_ordered(in, opt, &p, o, &why)
					 : show_rows(in, opt, &p, o);
		printer_end(&p, o);
		printer_close(&p);
	}
	if (!r || r == ET_EOF)
		return EXIT_DONE;
	say("%s", why.text);
	return why.code;
}

int show_sources(struct source **sources, size_t n, struct options *opt)
{
	struct input_options io = {
		.filter = &opt->filter,
		.utc = opt->utc,
		.whole = opt->fail_on_loss,
		.idle = flush,
	};
	int code;
	struct input *in;
	struct out o;

	/* A count is of events, and those lost are none. */
	if (opt->count)
		opt->filter.unasked |= ET_KIND_BIT(ET_LOST);
	io.ctx = &o;
	if (input_open(sources, n, &io, &in)) {
		say("out of memory");
		return EXIT_FAILED;
	}
	out_open(&o, STDOUT_FILENO);
	code = command_end(&o, show(in, opt, &o));
	report_series(input_ledger(in), sources, n);
	for (size_t i = 0; i < n; i++)
		code = report_worse(code, report_source(sources[i], opt));
	report_names(opt, sources, n);
	input_close(in);
	if (opt->temp >= 0)
		close(opt->temp);
	return code;
}
