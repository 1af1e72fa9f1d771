/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * example_reader - prints the execs of a capture, also those that failed: kind, pid,
 * comm and arguments, a tab between fields and a space between arguments.
 *
 *	cc -o example_reader example_reader.c $(pkg-config --cflags --libs exectrace)
 *	./example_reader [FILE]
 *
 * Exit code 0: the capture is whole and was read to its end. 1: standard error says why
 * it is not.
 */
#include <exectrace.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* A capture holds any bytes, also such as steer a terminal. */
static void put_bytes(struct et_str s)
{
	for (uint32_t i = 0; i < s.len; i++) {
		unsigned char c = (unsigned char)s.ptr[i];

		printf(c > ' ' && c < 0x7f && c != '\\' ? "%c" : "\\x%02x", c);
	}
}

static void put_exec(const struct et_event *ev)
{
	struct et_str arg;
	uint32_t at = 0;

	printf("%s\t%" PRIu64 "\t", et_kind_name((unsigned)ev->v[ET_F_KIND].u), ev->v[ET_F_PID].u);
	if (ET_HAS(ev, ET_F_COMM))
		put_bytes(ev->v[ET_F_COMM].s);
	if (ET_HAS(ev, ET_F_ARGV)) {
		for (char c = '\t'; et_list_next(&ev->v[ET_F_ARGV].l, &at, &arg); c = ' ') {
			putchar(c);
			put_bytes(arg);
		}
	}
	putchar('\n');
}

/* Prints the execs of the record that the reader has just given. */
static int put_execs(struct et_reader *reader, struct et_error *err)
{
	struct et_chunk *chunk;
	struct et_event ev;
	int code = et_reader_chunk(reader, &chunk, err);

	if (code)
		return code;
	for (uint32_t row = 0; row < et_chunk_rows(chunk); row++) {
		code = et_chunk_event(chunk, row, &ev, err);
		if (code)
			break;
		if (ev.v[ET_F_KIND].u == ET_EXEC || ev.v[ET_F_KIND].u == ET_FAIL)
			put_exec(&ev);
	}
	et_chunk_free(chunk);
	return code;
}

struct input {
	const char *name;
	bool bad;
};

static void tell(void *ctx, const struct et_error *err)
{
	struct input *in = ctx;

	fprintf(stderr, "%s: at byte %" PRIu64 ": %s\n", in->name, err->at,
		err->sys ? strerror(err->sys) : err->what);
	in->bad = true;
}

static void tell_losses(struct input *in, const struct et_reader *reader)
{
	struct et_reader_stats st;
	uint64_t lost;

	et_reader_stats(reader, &st);
	lost = st.lost_other;
	for (unsigned cause = 0; cause < ET_CAUSE_END; cause++)
		lost += st.lost[cause];
	if (lost || st.missing || st.unclean) {
		fprintf(stderr, "%s: %" PRIu64 " events lost, %" PRIu64 " missing%s\n", in->name,
			lost, st.missing, st.unclean ? ", not ended" : "");
		in->bad = true;
	}
}

int main(int argc, char **argv)
{
	struct input in = { .name = argc == 2 ? argv[1] : "/dev/stdin" };
	struct et_reader *reader = NULL;
	int fd = open(in.name, O_RDONLY), code;
	struct et_record rec;
	struct et_error err;
	struct et_io io;

	if (fd < 0 || et_io_fd(fd, &io)) {
		perror(in.name);
		return 1;
	}
	/* tell also hears of the damage that the reader passes over. */
	code = et_reader_open(&io, tell, &in, &reader, &err);
	while (!code && !(code = et_reader_next(reader, &rec, &err))) {
		/* The head says what a record holds: other bodies are not even read. */
		if (rec.rows && (rec.kinds[ET_EXEC] || rec.kinds[ET_FAIL]))
			code = put_execs(reader, &err);
		if (code == ET_CORRUPT || code == ET_UNSUPPORTED) {
			/* What lies behind it may be sound. */
			tell(&in, &err);
			code = ET_OK;
		}
	}
	if (code != ET_EOF || !reader)
		tell(&in, &err);
	if (reader)
		tell_losses(&in, reader);
	et_reader_close(reader);
	if (fflush(stdout) || ferror(stdout)) {
		perror("standard output");
		in.bad = true;
	}
	return in.bad;
}
