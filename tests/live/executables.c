/* SPDX-License-Identifier: BSD-2-Clause */
/* executables - prints the executables of a capture as JSON Lines. */
#include <exectrace.h>

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>

static void say_bytes(const char *key, const struct et_str *s)
{
	if (!s->len)
		return;
	printf(",\"%s\":\"", key);
	for (uint32_t i = 0; i < s->len; i++)
		printf("%02x", (unsigned char)s->ptr[i]);
	putchar('"');
}

int main(int argc, char **argv)
{
	struct et_context *context = et_context_new();
	int fd = argc == 2 ? open(argv[1], O_RDONLY) : -1, code;
	struct et_reader *reader = NULL;
	const struct et_exe *exes;
	struct et_record rec;
	struct et_error err;
	struct et_io io;
	size_t n;

	if (!context || fd < 0 || et_io_fd(fd, &io)) {
		fprintf(stderr, "usage: executables FILE\n");
		return 2;
	}
	code = et_reader_open(&io, NULL, NULL, &reader, &err);
	while (!code && !(code = et_reader_next(reader, &rec, &err)))
		code = et_context_take(context, reader, &rec, &err);
	n = et_context_exes(context, &exes);
	for (size_t i = 0; i < n; i++) {
		printf("{\"dev\":%" PRIu64 ",\"inode\":%" PRIu64, exes[i].dev, exes[i].inode);
		if (exes[i].known & ET_EXE_SIZE)
			printf(",\"size\":%" PRIu64, exes[i].size);
		if (exes[i].known & ET_EXE_MTIME)
			printf(",\"mtime\":%" PRId64, exes[i].mtime);
		say_bytes("path", &exes[i].path);
		say_bytes("build_id", &exes[i].build_id);
		say_bytes("interpreter", &exes[i].interpreter);
		puts("}");
	}
	et_context_free(context);
	et_reader_close(reader);
	return code != ET_EOF;
}
