/* SPDX-License-Identifier: BSD-2-Clause */
/* Compilers' command lines: who is a driver, what it compiles, and where that lies. */
#include "check.h"
#include "driver.h"
#include "location.h"
#include "out.h"

#include <stdlib.h>
#include <string.h>

/* An exec whose arguments are words between blanks; _ is an empty one. */
struct exec {
	struct et_event ev;
	char words[512];
};

static void make_exec(struct exec *x, const char *words, const char *exe, const char *script)
{
	struct et_list l = { x->words, 0, 1 };

	memset(&x->ev, 0, sizeof(x->ev));
	strcpy(x->words, words);
	l.len = (uint32_t)strlen(words) + 1;
	for (char *p = x->words; *p; p++) {
		if (*p == ' ') {
			*p = 0;
			l.n++;
		}
	}
	et_set_uint(&x->ev, ET_F_KIND, ET_EXEC);
	x->ev.known |= 1ull << ET_F_ARGV;
	x->ev.v[ET_F_ARGV].l = l;
	if (exe)
		et_set_str(&x->ev, ET_F_EXE, exe, (uint32_t)strlen(exe));
	if (script) {
		et_set_str(&x->ev, ET_F_FILENAME, script, (uint32_t)strlen(script));
		et_set_str(&x->ev, ET_F_INTERPRETER, "/bin/sh", 7);
	}
}

/* Sources between commas, a > and the output where there is one; "-": other, "@": hidden. */
static void describe(struct out *o, const struct driver *d, enum driver_task task)
{
	o->len = 0;
	if (task != DRIVER_COMPILES)
		out_char(o, task == DRIVER_HIDDEN ? '@' : '-');
	for (uint32_t i = 0; task == DRIVER_COMPILES && i < d->n_sources; i++) {
		if (i)
			out_char(o, ',');
		out_bytes(o, d->argv[d->sources[i]].ptr, d->argv[d->sources[i]].len);
	}
	if (task == DRIVER_COMPILES && d->output.ptr) {
		out_char(o, '>');
		out_bytes(o, d->output.ptr, d->output.len);
	}
	out_char(o, 0);
}

static void test_command_lines(void)
{
	static const struct {
		const char *words, *says;
	} cases[] = {
		/* Names of drivers, and names that are none. */
		{ "gcc -c a.c", "a.c" },
		{ "cc -c a.c", "a.c" },
		{ "c++ -c a.cc", "a.cc" },
		{ "clang++ -c a.cc", "a.cc" },
		{ "/usr/bin/x86_64-linux-gnu-gcc-12 -c a.c", "a.c" },
		{ "aarch64-linux-gnu-g++-12.2.0 -c a.cc", "a.cc" },
		{ "x86_64-w64-mingw32-gcc-12-posix -c a.c", "a.c" },
		{ "clang-14 -c a.c", "a.c" },
		{ "clang15 -c a.c", "-" },
		{ "clang++-16 -c a.c", "a.c" },
		{ "gcc-ar -c a.c", "-" },
		{ "gcc-12-nm a.c", "-" },
		{ "clang-tidy a.c", "-" },
		{ "clang-format-14 a.c", "-" },
		{ "clang-cpp a.c", "-" },
		{ "/usr/lib/gcc/x86_64-linux-gnu/12/cc1 a.c", "-" },
		{ "cc1 a.c", "-" },
		{ "cpp a.c", "-" },
		{ "12 a.c", "-" },
		{ "- a.c", "-" },
		{ "gcc/ -c a.c", "-" },
		{ "make -c a.c", "-" },
		/* The compiler proper, which Clang is too. */
		{ "clang -cc1 -emit-obj a.c", "-" },
		{ "clang-14 -cc1as a.s", "-" },
		/* Wrappers. */
		{ "ccache gcc -c a.c -o a.o", "a.c>a.o" },
		{ "/usr/bin/ccache sloppiness=x,y /opt/cc -c a.c", "a.c" },
		{ "ccache distcc clang++ -c a.cc", "a.cc" },
		{ "ccache -s", "-" },
		{ "ccache", "-" },
		{ "ccache make a.c", "-" },
		{ "env gcc -c a.c", "-" },
		/* Outputs. */
		{ "gcc -c a.c -o x/a.o", "a.c>x/a.o" },
		{ "gcc -ox/a.o -c a.c", "a.c>x/a.o" },
		{ "gcc --output x.o -c a.c", "a.c>x.o" },
		{ "gcc --output=x.o -c a.c", "a.c>x.o" },
		{ "gcc --output-pch=x.o -c a.c", "a.c" },
		{ "gcc -c a.c -o", "a.c" },
		/* What is compiled, and what goes to the linker. */
		{ "gcc a.c b.c c.o libd.a -lm -o p", "a.c,b.c>p" },
		{ "gcc a.o b.o -o p", "-" },
		{ "gcc -S a.c", "a.c" },
		{ "gcc -c a.S b.s c.sx", "a.S,b.s,c.sx" },
		{ "gcc -c a.i b.ii", "a.i,b.ii" },
		{ "gcc a.h", "a.h" },
		{ "gcc -fsyntax-only a.c", "a.c" },
		{ "gcc -c a.txt", "-" },
		{ "gcc -c dir.c/a", "-" },
		{ "gcc -c .c", ".c" },
		{ "gcc -c a.c.in", "-" },
		{ "gcc -v", "-" },
		{ "gcc", "-" },
		{ "gcc _", "-" },
		/* Nothing is compiled. */
		{ "gcc -E a.c", "-" },
		{ "gcc -E a.c -o a.i", "-" },
		{ "gcc -M a.c", "-" },
		{ "gcc -MM a.c", "-" },
		{ "gcc -### -c a.c", "-" },
		{ "clang --analyze a.c", "-" },
		{ "gcc --version -c a.c", "-" },
		/* Dependencies on the way are no matter. */
		{ "gcc -MD -MP -MF a.d -MT x.c -c a.c", "a.c" },
		{ "gcc -MMD -c a.c", "a.c" },
		/* Values of options are no files. */
		{ "gcc -include x.h -c a.c", "a.c" },
		{ "gcc -includex.h -c a.c", "a.c" },
		{ "gcc -I inc.c -D x.c -U y.c -isystem z.c -c a.c", "a.c" },
		{ "gcc -Iinc.c -Dx.c -c a.c", "a.c" },
		{ "gcc -Xclang x.c -mllvm y.c -Xlinker z.c -c a.c", "a.c" },
		{ "gcc --param x.c -c a.c", "a.c" },
		{ "gcc --param=x -c a.c", "a.c" },
		{ "gcc -c a.c -I", "a.c" },
		/* Languages. */
		{ "gcc -x c -c a.txt", "a.txt" },
		{ "gcc -xc++ -c a.txt -x none b.txt c.c", "a.txt,c.c" },
		{ "gcc --language=c -c a.txt", "a.txt" },
		{ "gcc --language c -c a.txt", "a.txt" },
		{ "g++ -x c++-header -c pch.hxx.cxx -o pch.gch", "pch.hxx.cxx>pch.gch" },
		{ "gcc -xlto -c a.ltrans0.o", "-" },
		{ "gcc -x ir -c a.c", "-" },
		{ "gcc -c a.c -x", "a.c" },
		/* No files. */
		{ "gcc -x c -c -", "-" },
		{ "gcc -x c -c - a.c", "a.c" },
		{ "gcc -c -x c /dev/null -o /dev/null", "-" },
		{ "gcc -x c /dev/stdin", "-" },
		/* Response files. */
		{ "gcc @args a.c -o x", "a.c>x" },
		{ "gcc -c @args", "@" },
		{ "gcc @objects -o x", "-" },
		{ "gcc -I @dir -c a.c", "a.c" },
		/* Behind -- all are files. */
		{ "clang -c -- -a.c", "-a.c" },
		{ "clang -c -- @a.c", "@a.c" },
	};
	const struct driver_globs none = { NULL, 0 };
	struct driver d = { 0 };
	enum driver_task task;
	struct exec x;
	struct out o;

	out_open(&o, -1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_exec(&x, cases[i].words, NULL, NULL);
		for (char *p = x.words; p < x.words + strlen(cases[i].words); p++)
			if (*p == '_' && !p[1] && !p[-1])
				*p = 0;
		CHECK_CASE(cases[i].words, !driver_read(&d, &x.ev, &none, &task));
		describe(&o, &d, task);
		CHECK_CASE(cases[i].words, !strcmp(o.buf, cases[i].says));
	}
	out_close(&o);
	driver_free(&d);
}

static void test_who(void)
{
	static const struct {
		const char *words, *exe, *script, *glob, *says, *first;
	} cases[] = {
		/* By the executable, whatever argument 0 says. */
		{ "x -c a.c", "/usr/bin/x86_64-linux-gnu-gcc-12", NULL, NULL, "a.c", "x" },
		{ "x -c a.c", "/usr/bin/make", NULL, NULL, "-", NULL },
		{ "gcc -c a.c", "/usr/bin/ccache", NULL, NULL, "a.c", "gcc" },
		{ "ccache x a.c", "/usr/bin/gcc", NULL, NULL, "-", NULL },
		/* By a glob. */
		{ "nvcc -c a.cu", "/opt/cuda/bin/nvcc", NULL, "nvcc", "a.cu", "nvcc" },
		{ "nvcc -c a.cu", "/opt/cuda/bin/nvcc", NULL, "*/cuda/*", "a.cu", "nvcc" },
		{ "nvcc -c a.cu", "/opt/cuda/bin/nvcc", NULL, "*/other/*", "-", NULL },
		{ "ccache nvcc -c a.cu", "/usr/bin/ccache", NULL, "nv*", "a.cu", "nvcc" },
		/* Scripts, behind their interpreter and its argument. */
		{ "/bin/sh /opt/gcc -c a.c", "/bin/dash", "/opt/gcc", NULL, "a.c", "/opt/gcc" },
		{ "/bin/sh -e /opt/gcc -c a.c", "/bin/dash", "/opt/gcc", NULL, "a.c", "/opt/gcc" },
		{ "/bin/sh /opt/emcc -c a.c", "/bin/dash", "/opt/emcc", NULL, "-", NULL },
		{ "/bin/sh /opt/emcc -c a.c", "/bin/dash", "/opt/emcc", "emcc", "a.c",
		  "/opt/emcc" },
		{ "/bin/sh x y /opt/gcc -c a.c", "/bin/dash", "/opt/gcc", NULL, "-", NULL },
	};
	struct driver d = { 0 };
	enum driver_task task;
	struct exec x;
	struct out o;

	out_open(&o, -1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char glob[32] = "", *globs[] = { glob };
		const struct driver_globs more = { globs, cases[i].glob ? 1 : 0 };

		if (cases[i].glob)
			strcpy(glob, cases[i].glob);
		make_exec(&x, cases[i].words, cases[i].exe, cases[i].script);
		CHECK_CASE(cases[i].words, !driver_read(&d, &x.ev, &more, &task));
		describe(&o, &d, task);
		CHECK_CASE(cases[i].words, !strcmp(o.buf, cases[i].says));
		CHECK_CASE(cases[i].words, !cases[i].first || !strcmp(d.argv[0].ptr, cases[i].first));
	}
	/* An exec without arguments, and one whose arguments nobody knows. */
	make_exec(&x, "gcc", NULL, NULL);
	x.ev.v[ET_F_ARGV].l = (struct et_list){ NULL, 0, 0 };
	CHECK(!driver_read(&d, &x.ev, &(struct driver_globs){ NULL, 0 }, &task));
	CHECK(task == DRIVER_OTHER);
	x.ev.known = 0;
	CHECK(!driver_read(&d, &x.ev, &(struct driver_globs){ NULL, 0 }, &task));
	CHECK(task == DRIVER_OTHER);
	out_close(&o);
	driver_free(&d);
}

/* A bare name becomes the path at which it was found, and nothing else does. */
static void test_path_of_driver(void)
{
	static const struct {
		const char *words, *filename, *first;
	} cases[] = {
		{ "cc -c a.c", "/usr/bin/cc", "/usr/bin/cc" },
		{ "cc -c a.c", "/usr/lib/ccache/cc", "/usr/lib/ccache/cc" },
		{ "cc -c a.c", "/usr/bin/gcc", "cc" },
		{ "cc -c a.c", "bin/cc", "cc" },
		{ "./cc -c a.c", "/usr/bin/cc", "./cc" },
		{ "ccache cc -c a.c", "/usr/bin/ccache", "cc" },
	};
	const struct driver_globs none = { NULL, 0 };
	struct driver d = { 0 };
	enum driver_task task;
	struct exec x;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *path = cases[i].filename;

		make_exec(&x, cases[i].words, NULL, NULL);
		et_set_str(&x.ev, ET_F_FILENAME, path, (uint32_t)strlen(path));
		CHECK_CASE(path, !driver_read(&d, &x.ev, &none, &task));
		CHECK_CASE(path, task == DRIVER_COMPILES);
		CHECK_CASE(path, d.argv[0].len == strlen(cases[i].first) &&
					 !memcmp(d.argv[0].ptr, cases[i].first, d.argv[0].len));
	}
	driver_free(&d);
}

static void test_is_source(void)
{
	const struct driver_globs none = { NULL, 0 };
	struct driver d = { 0 };
	enum driver_task task;
	struct exec x;

	make_exec(&x, "cc a.c -lm b.c c.c -o p d.c", NULL, NULL);
	CHECK(!driver_read(&d, &x.ev, &none, &task));
	for (uint32_t i = 0; i < d.argc; i++)
		CHECK(driver_is_source(&d, i) == (i == 1 || i == 3 || i == 4 || i == 7));
	CHECK(!driver_is_source(&d, 100));
	driver_free(&d);
}

static void test_locations(void)
{
	static const struct {
		const char *cwd, *path, *is;
	} cases[] = {
		{ "/b", "a.c", "/b/a.c" },
		{ "/b/", "a.c", "/b/a.c" },
		{ "/", "a.c", "/a.c" },
		{ "/b", "/x/a.c", "/x/a.c" },
		{ "/b", "//x/./a.c", "/x/a.c" },
		{ "/b", "./a.c", "/b/a.c" },
		{ "/b/c", "../a.c", "/b/a.c" },
		{ "/b/c", ".././../a.c", "/a.c" },
		{ "/b/c", "../../../a.c", "/a.c" },
		{ "/b/c/", "../a.c", "/b/a.c" },
		/* sub may be a symbolic link. */
		{ "/b", "sub/../a.c", "/b/sub/../a.c" },
		{ "/b", "../sub/../a.c", "/sub/../a.c" },
		{ "/b", "sub//x/./a.c", "/b/sub/x/a.c" },
		{ "/b", "", "/b" },
		{ "/b", ".", "/b" },
		{ "/b", "..", "/" },
		{ "/b", "/", "/" },
		{ "/", ".", "/" },
		{ "/b", "/..", "/" },
		{ "/b", "...", "/b/..." },
		{ "/b", "..a", "/b/..a" },
	};
	struct out o;

	out_open(&o, -1);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		o.len = 0;
		location_put(&o,
			     (struct et_str){ cases[i].cwd, (uint32_t)strlen(cases[i].cwd) },
			     (struct et_str){ cases[i].path, (uint32_t)strlen(cases[i].path) });
		out_char(&o, 0);
		CHECK_CASE(cases[i].is, !strcmp(o.buf, cases[i].is));
	}
	out_close(&o);
}

int main(void)
{
	test_command_lines();
	test_who();
	test_path_of_driver();
	test_is_source();
	test_locations();
	return check_result();
}
