/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first line is the command line, words between spaces; the rest is a capture.
 * Options are parsed, and what they choose of the capture is put in order and printed
 * in the format that they ask for and as JSON, and what the capture lacks; or counted,
 * with --top as an overview, with --by in groups; behind the word tree, its processes. Text must hold no control byte but
 * newlines, and what a template of the user's own has between fields.
 */
#include "certificate.h"
#include "grouping.h"
#include "input.h"
#include "options.h"
#include "overview.h"
#include "print.h"
#include "printer.h"
#include "ranking.h"
#include "scan.h"
#include "tree.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define WORDS 32

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned split(char *line, char *words[WORDS + 1])
{
	unsigned n = 1;

	words[0] = (char *)(uintptr_t)"replay";
	for (char *w = strtok(line, " "); w && n < WORDS; w = strtok(NULL, " "))
		words[n++] = w;
	words[n] = NULL;
	return n;
}

static void check_text(const struct out *o)
{
	for (size_t i = 0; i < o->len; i++) {
		unsigned char c = (unsigned char)o->buf[i];

		if ((c < 0x20 && c != '\n') || c == 0x7f)
			abort();
	}
}

static void render(const void *ctx, const struct input_row *row, struct out *o)
{
	printer_make(ctx, o, row);
}

static void show(struct source *source, const struct options *opt, unsigned jobs)
{
	struct printer printer;
	struct input_options io = {
		.filter = &opt->filter,
		.utc = opt->utc,
		.jobs = jobs,
		.render = jobs > 2 ? render : NULL,
		.ctx = &printer,
	};
	struct out text, json, key;
	struct input_row row;
	struct input *in;
	unsigned rows = 0;
	uint64_t count;

	if (input_open(&source, 1, &io, &in))
		return;
	out_open(&text, -1);
	out_open(&json, -1);
	out_open(&key, -1);
	printer_open(&printer, opt);
	if (opt->count) {
		input_count(in, opt->limit, &count);
	} else {
		while (rows++ < 2000 && input_next(in, &row) == ET_OK) {
			printer_row(&printer, &text, &row);
			if (row.text)
				continue;
			json_row(&json, &row);
			key.len = 0;
			sort_key(&opt->sort, &key, &row);
		}
	}
	printer_end(&printer, &text);
	certificate_losses(&text, source->own, 3, 5, 0);
	certificate_gaps(&text, input_ledger(in), true, 5, 0);
	certificate_json_losses(&json, source->own, 3);
	certificate_json_series(&json, source->own);
	if (!opt->template)
		check_text(&text);
	out_close(&text);
	out_close(&json);
	out_close(&key);
	input_close(in);
	printer_close(&printer);
}

/* ---- What summary does --------------------------------------------------------------- */

struct counted {
	const struct options *opt;
	struct overview *overview;
	struct grouping *grouping;
};

static void *begin(void *ctx)
{
	return ctx;
}

static int chunk(void *ctx, void *state, const struct scan_chunk *c)
{
	struct counted *n = state;

	(void)ctx;
	return overview_take(n->overview, c) ||
	       grouping_take(n->grouping, &n->opt->by, c, n->opt->utc) ? -1 : 0;
}

static int ended(void *ctx, void *state)
{
	(void)ctx, (void)state;
	return 0;
}

static void print_counted(struct counted *n, const struct input *in, struct out *text)
{
	struct overview_context ctx = { .ledger = input_ledger(in), .top = n->opt->top, .width = 100 };
	struct overview *sum = overview_new(5);
	struct ranking_order order;
	struct ranking r;
	struct reason why;
	struct out json;

	out_open(&json, -1);
	if (sum && !overview_merge(sum, n->overview) && !overview_end(sum)) {
		overview_text(sum, &ctx, text);
		overview_json(sum, &ctx, &json);
	}
	overview_free(sum);
	if (!ranking_parse(&order, n->opt->order ? n->opt->order : "p50", &n->opt->by, &why)) {
		if (!ranking_open(&r, &n->grouping->groups, &n->opt->by, order, n->opt->top)) {
			ranking_text(&r, text, 80);
			ranking_csv(&r, text);
			ranking_json(&r, &json);
		}
		ranking_close(&r);
	}
	out_close(&json);
}

static void count(struct source *source, const struct options *opt)
{
	struct input_options io = { .filter = &opt->filter, .utc = opt->utc };
	struct counted n = { opt, overview_new(5), grouping_new() };
	struct scan_calls calls = { &n, overview_fields() | groups_fields | keys_fields(&opt->by),
				    begin, chunk, ended };
	struct input *in;
	struct out text;

	if (!n.overview || !n.grouping)
		abort();
	if (input_open(&source, 1, &io, &in))
		return;
	out_open(&text, -1);
	if (!input_scan(in, &calls))
		print_counted(&n, in, &text);
	check_text(&text);
	out_close(&text);
	overview_free(n.overview);
	grouping_free(n.grouping);
	input_close(in);
}

static void show_tree(struct source *source, const struct options *opt)
{
	const struct input_options io = { .filter = &opt->filter, .utc = opt->utc, .all = true };
	const struct tree_options shape = { .roots = opt->rooted ? &opt->filter.descendants : NULL,
					    .depth = opt->depth,
					    .fold = !opt->no_fold };
	const struct tree_style style = { .header = true, .rooted = opt->rooted, .width = 100 };
	struct tree *tree = tree_new(&shape);
	struct tree_bounds bounds;
	struct tree_json *json;
	struct out text, lines;
	struct input_row row;
	struct input *in;
	unsigned rows = 0;

	out_open(&text, -1);
	out_open(&lines, -1);
	json = tree_json_new(&lines, &shape);
	if (tree && json && !input_open(&source, 1, &io, &in)) {
		while (rows++ < 2000 && input_next(in, &row) == ET_OK)
			if (tree_take(tree, &row) || tree_json_take(json, &row))
				abort();
		tree_print(&text, tree, tree_end(tree), &style);
		tree_json_end(json, &bounds);
		check_text(&text);
		check_text(&lines);
		input_close(in);
	}
	tree_free(tree);
	tree_json_free(json);
	out_close(&text);
	out_close(&lines);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	char *words[WORDS + 1], line[512];
	unsigned groups = OPTIONS_FILTER | OPTIONS_SHOW | OPTIONS_ENDING;
	struct options opt;
	struct source *source;
	struct reason why;
	size_t len;
	bool tree;
	int fd;

	if (!end || (size_t)(end - data) >= sizeof(line))
		return 0;
	len = (size_t)(end - data);
	memcpy(line, data, len);
	line[len] = '\0';
	tree = !strncmp(line, "tree ", 5);
	if (tree)
		memset(line, ' ', 5);
	/* Of options of one name each command has its own. */
	if (tree)
		groups |= OPTIONS_TREE;
	else if (strstr(line, "--by") || strstr(line, "--top"))
		groups |= OPTIONS_TOP;
	else
		groups |= OPTIONS_EVENTS | OPTIONS_ORDER;
	if (!options_parse(&opt, groups, (int)split(line, words), words, &why)) {
		fd = memfd_create("capture", MFD_CLOEXEC);
		if (fd >= 0 && write(fd, end + 1, size - len - 1) == (ssize_t)(size - len - 1) &&
		    lseek(fd, 0, SEEK_SET) == 0) {
			if (!source_open_fd(fd, "capture", &source, &why)) {
				if (source_begin(source, &why))
					source_close(source);
				else if (tree)
					show_tree(source, &opt);
				else if (opt.by.n || opt.top)
					count(source, &opt);
				else
					show(source, &opt, 1 + size % 3);
			}
		} else if (fd >= 0) {
			close(fd);
		}
	}
	options_free(&opt);
	return 0;
}
