/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first byte chooses what a capture, the rest, is made into: a trace, stacks, a
 * timeline, or a look at each event for what a compiler does. Nothing may hold a control
 * byte but newlines.
 */
#include "driver.h"
#include "folded.h"
#include "input.h"
#include "location.h"
#include "perfetto.h"
#include "timeline.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define ROWS 4000

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(struct out *o)
{
	for (size_t i = 0; i < o->len; i++) {
		unsigned char c = (unsigned char)o->buf[i];

		if ((c < 0x20 && c != '\n') || c == 0x7f)
			abort();
	}
	out_close(o);
}

static void make_trace(struct input *in, struct out *o)
{
	struct perfetto *t = perfetto_new(o);
	struct input_row row;

	for (unsigned i = 0; i < ROWS && !input_next(in, &row); i++)
		perfetto_row(t, &row);
	perfetto_end(t);
	perfetto_free(t);
}

static void make_stacks(struct input *in, struct out *o, enum folded_weight weight)
{
	struct folded *f = folded_new(weight);
	struct input_row row;

	for (unsigned i = 0; i < ROWS && !input_next(in, &row); i++)
		folded_row(f, &row);
	folded_end(f, o);
	folded_free(f);
}

static void make_timeline(struct input *in, struct out *o, const struct timeline_options *opt,
			  const struct timeline_style *style)
{
	struct timeline *t = timeline_new(opt);
	struct input_row row;

	for (unsigned i = 0; i < ROWS && !input_next(in, &row); i++)
		timeline_row(t, &row);
	timeline_end(t, style->ascii);
	timeline_print(t, style, o);
	timeline_free(t);
}

static void look_for_compilers(struct input *in, struct out *o)
{
	static const struct et_str cwd = { "/a/b", 4 };
	char glob[] = "*";
	char *globs[] = { glob };
	const struct driver_globs all = { globs, 1 };
	struct driver d = { 0 };
	enum driver_task task;
	struct input_row row;

	for (unsigned i = 0; i < ROWS && !input_next(in, &row); i++) {
		if (driver_read(&d, &row.ev, &all, &task))
			abort();
		for (uint32_t k = 0; task == DRIVER_COMPILES && k < d.n_sources; k++) {
			if (!driver_is_source(&d, d.sources[k]))
				abort();
			o->len = 0;
			location_put(o, cwd, d.argv[d.sources[k]]);
			if (!o->len || *o->buf != '/')
				abort();
		}
	}
	/* Paths are bytes still. */
	o->len = 0;
	driver_free(&d);
}

static void make(struct source *source, unsigned what)
{
	struct filter filter = { .has_since = what & 8, .has_until = what & 16,
				 .since = { MOMENT_RELATIVE, false, 0, 5 },
				 .until = { MOMENT_RELATIVE, false, 0, 500000 } };
	const struct filter none = { 0 };
	const struct timeline_options opt = { .filter = &filter, .top = 5, .by_command = what & 32 };
	const struct timeline_style style = { .width = 60 + (what >> 6) * 20, .ascii = what & 64,
					      .header = true };
	const struct input_options io = { .filter = &none, .all = true };
	struct input *in;
	struct out o;

	if (input_open(&source, 1, &io, &in))
		return;
	out_open(&o, -1);
	if ((what & 7) == 0)
		make_trace(in, &o);
	else if ((what & 7) < 4)
		make_stacks(in, &o, (enum folded_weight)((what & 7) - 1));
	else if ((what & 7) < 7)
		make_timeline(in, &o, &opt, &style);
	else
		look_for_compilers(in, &o);
	check_text(&o);
	input_close(in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = size ? memfd_create("capture", MFD_CLOEXEC) : -1;
	struct source *source;
	struct reason why;

	if (fd < 0)
		return 0;
	if (write(fd, data + 1, size - 1) != (ssize_t)(size - 1) || lseek(fd, 0, SEEK_SET)) {
		close(fd);
		return 0;
	}
	if (source_open_fd(fd, "capture", &source, &why))
		return 0;
	if (source_begin(source, &why))
		source_close(source);
	else
		make(source, data[0]);
	return 0;
}
