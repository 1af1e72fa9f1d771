/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first line is the command line, words between spaces; the rest is a capture.
 * Options are parsed, and what they choose of the capture is put in order and printed
 * in the format that they ask for and as JSON, and what the capture lacks. Text must hold
 * no control byte but newlines, and what a template of the user's own has between fields.
 */
#include "certificate.h"
#include "input.h"
#include "scan.h"
#include "options.h"
#include "print.h"
#include "printer.h"

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

static void show(struct source *source, const struct options *opt)
{
	struct input_options io = { .filter = &opt->filter, .utc = opt->utc };
	struct printer printer;
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
			json_row(&json, &row);
			key.len = 0;
			sort_key(&opt->sort, &key, &row);
		}
	}
	printer_end(&printer, &text);
	printer_close(&printer);
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
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *end = memchr(data, '\n', size);
	char *words[WORDS + 1], line[512];
	struct options opt;
	struct source *source;
	struct reason why;
	size_t len;
	int fd;

	if (!end || (size_t)(end - data) >= sizeof(line))
		return 0;
	len = (size_t)(end - data);
	memcpy(line, data, len);
	line[len] = '\0';
	if (!options_parse(&opt, OPTIONS_FILTER | OPTIONS_SHOW | OPTIONS_EVENTS | OPTIONS_ORDER |
				   OPTIONS_ENDING,
			   (int)split(line, words), words, &why)) {
		fd = memfd_create("capture", MFD_CLOEXEC);
		if (fd >= 0 && write(fd, end + 1, size - len - 1) == (ssize_t)(size - len - 1) &&
		    lseek(fd, 0, SEEK_SET) == 0) {
			if (!source_open_fd(fd, "capture", &source, &why)) {
				if (source_begin(source, &why))
					source_close(source);
				else
					show(source, &opt);
			}
		} else if (fd >= 0) {
			close(fd);
		}
	}
	options_free(&opt);
	return 0;
}
