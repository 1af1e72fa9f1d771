/* SPDX-License-Identifier: BSD-2-Clause */
#include "driver.h"

#include <stdlib.h>
#include <string.h>

#include "glob.h"

void driver_free(struct driver *d)
{
	free(d->argv);
	free(d->sources);
	*d = (struct driver){ 0 };
}

static bool is(struct et_str s, const char *text)
{
	return s.len == strlen(text) && !memcmp(s.ptr, text, s.len);
}

static bool begins(struct et_str s, const char *text)
{
	return s.len >= strlen(text) && !memcmp(s.ptr, text, strlen(text));
}

static bool ends(struct et_str s, const char *text)
{
	size_t n = strlen(text);

	return s.len >= n && !memcmp(s.ptr + s.len - n, text, n);
}

static bool is_one_of(struct et_str s, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (is(s, list[i]))
			return true;
	return false;
}

#define ONE_OF(s, list) is_one_of(s, list, sizeof(list) / sizeof((list)[0]))

/* ---- Who is a driver --------------------------------------------------------------- */

static struct et_str base_of(struct et_str path)
{
	const char *slash = path.len ? memrchr(path.ptr, '/', path.len) : NULL;
	uint32_t skip = slash ? (uint32_t)(slash + 1 - path.ptr) : 0;

	return (struct et_str){ path.ptr + skip, path.len - skip };
}

/*
 * The name without what says of which version it is: gcc-12, clang-16.0.6, gcc-12-posix.
 * A number alone says that of no driver: cc1 is another program.
 */
static struct et_str unversioned(struct et_str s)
{
	/* Of MinGW, which has one of each. */
	static const char *const threads[] = { "-posix", "-win32" };
	uint32_t n;

	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++)
		if (ends(s, threads[i]))
			s.len -= (uint32_t)strlen(threads[i]);
	n = s.len;
	while (n && ((s.ptr[n - 1] >= '0' && s.ptr[n - 1] <= '9') || s.ptr[n - 1] == '.'))
		n--;
	return (struct et_str){ s.ptr, n < s.len && n && s.ptr[n - 1] == '-' ? n - 1 : s.len };
}

static bool is_driver_name(struct et_str name)
{
	static const char *const names[] = { "cc", "gcc", "clang", "c++", "g++", "clang++" };
	struct et_str s = unversioned(name);
	const char *dash = s.len ? memrchr(s.ptr, '-', s.len) : NULL;
	uint32_t skip = dash ? (uint32_t)(dash + 1 - s.ptr) : 0;

	return ONE_OF(((struct et_str){ s.ptr + skip, s.len - skip }), names);
}

static bool is_driver(struct et_str path, const struct driver_globs *more)
{
	if (is_driver_name(base_of(path)))
		return true;
	for (size_t i = 0; i < more->n; i++)
		if (glob_match_path(more->v[i], path.ptr, path.len))
			return true;
	return false;
}

static bool is_wrapper(struct et_str path)
{
	static const char *const names[] = { "ccache", "distcc", "icecc", "sccache" };

	return ONE_OF(base_of(path), names);
}

static struct et_str text_of(const struct et_event *ev, enum et_field_id id)
{
	return ET_HAS(ev, id) ? ev->v[id].s : (struct et_str){ "", 0 };
}

/* Where the driver's arguments begin, argc when there is no driver. */
static uint32_t find_driver(const struct driver *d, const struct et_event *ev,
			    const struct driver_globs *more)
{
	struct et_str file = text_of(ev, ET_F_FILENAME);
	uint32_t i = 0;

	/* Of a script: the interpreter, at most one argument of it, and the script. */
	if (ET_HAS(ev, ET_F_INTERPRETER)) {
		for (i = 1; i < d->argc && i <= 2; i++)
			if (d->argv[i].len == file.len &&
			    !memcmp(d->argv[i].ptr, file.ptr, file.len))
				return is_driver(file, more) ? i : d->argc;
		return d->argc;
	}
	/* ccache takes settings, as in KEY=VALUE, in front of the compiler. */
	while (i < d->argc && is_wrapper(d->argv[i]))
		for (i++; i < d->argc && d->argv[i].ptr[0] != '-' &&
			  memchr(d->argv[i].ptr, '=', d->argv[i].len);)
			i++;
	if (i < d->argc && is_driver(d->argv[i], more))
		return i;
	return !i && d->argc && is_driver(text_of(ev, ET_F_EXE), more) ? 0 : d->argc;
}

/* ---- What it is told ---------------------------------------------------------------- */

/* clang-format off */
/* Options that, when nothing stands behind them in the same argument, take the next one. */
static const char *const takes_next[] = {
	"-A", "-B", "-D", "-F", "-G", "-I", "-L", "-MF", "-MJ", "-MQ", "-MT", "-T", "-Tbss",
	"-Tdata", "-Ttext", "-U", "-Xanalyzer", "-Xarch_device", "-Xarch_host", "-Xassembler",
	"-Xclang", "-Xcuda-fatbinary", "-Xcuda-ptxas", "-Xlinker", "-Xopenmp-target",
	"-Xpreprocessor", "-arch", "-aux-info", "-c-isystem", "-cxx-isystem", "-dumpbase",
	"-dumpbase-ext", "-dumpdir", "-e", "-framework", "-gcc-toolchain", "-idirafter",
	"-iframework", "-imacros", "-imultiarch", "-imultilib", "-include", "-include-pch", "-iplugindir",
	"-iprefix", "-iquote", "-isysroot", "-isystem", "-isystem-after", "-ivfsoverlay",
	"-iwithprefix", "-iwithprefixbefore", "-iwithsysroot", "-l", "-mllvm", "-target", "-u",
	"-working-directory", "-wrapper", "-z", "--assert", "--config", "--define-macro",
	"--dumpbase", "--dumpdir", "--entry", "--force-link", "--for-linker", "--for-assembler",
	"--imacros", "--include", "--include-directory", "--include-directory-after",
	"--include-prefix", "--include-with-prefix", "--library-directory", "--param",
	"--prefix", "--serialize-diagnostics", "--specs", "--sysroot", "--undefine-macro",
};

/* With one of these nothing is compiled: it preprocesses, lists, analyses or only says. */
static const char *const no_compiling[] = {
	"-E", "-M", "-MM", "-###", "--analyze", "--dependencies", "--help", "--preprocess",
	"--user-dependencies", "--version",
};

/* As GCC and Clang go by a file's name where -x says nothing; else the linker gets it. */
static const char *const suffixes[] = {
	".c",	 ".i",	 ".C",	 ".cc",	 ".cp",	 ".cxx",  ".cpp",  ".CPP",  ".c++",  ".ii",
	".m",	 ".mi",	 ".M",	 ".mm",	 ".mii", ".cu",	  ".hip",  ".cl",   ".cppm", ".ccm",
	".cxxm", ".c++m", ".ixx", ".h",	 ".H",	 ".hh",	  ".hp",   ".hpp",  ".HPP",  ".hxx",
	".h++",	 ".tcc", ".s",	 ".S",	 ".sx",
};

/* Of -x: what somebody wrote, and not what a compiler hands to another as lto and ir. */
static const char *const languages[] = {
	"c", "c++", "objective-c", "objective-c++", "cuda", "hip", "cl", "assembler",
	"assembler-with-cpp", "cpp-output", "c++-cpp-output", "objective-c-cpp-output",
	"objective-c++-cpp-output", "c-header", "c++-header", "c++-system-header",
	"c++-user-header", "c++-module", "objective-c-header", "objective-c++-header",
};

/* clang-format on */

/* It ends before the linker, so that what it is given is to be compiled. */
static const char *const no_linking[] = { "-c", "-S", "--assemble", "--compile" };

struct reading {
	struct driver *d;
	struct et_str language; /* of -x; len 0: by the suffix */
	bool idle;              /* it compiles nothing */
	bool unlinked;          /* and links nothing */
	bool response;          /* some arguments stand in a file */
	bool operands;          /* no options follow */
};

static int add_source(struct driver *d, uint32_t place)
{
	if (d->n_sources == d->sources_cap) {
		uint32_t cap = d->sources_cap ? d->sources_cap * 2 : 16;
		uint32_t *more = reallocarray(d->sources, cap, sizeof(*more));

		if (!more)
			return ET_NOMEM;
		d->sources = more;
		d->sources_cap = cap;
	}
	d->sources[d->n_sources++] = place;
	return ET_OK;
}

static int take_operand(struct reading *r, uint32_t place)
{
	struct et_str s = r->d->argv[place], base = base_of(s);
	const char *dot = base.len ? memrchr(base.ptr, '.', base.len) : NULL;
	uint32_t skip = dot ? (uint32_t)(dot - base.ptr) : base.len;

	/* - is standard input, and what is below /dev is no file either. */
	if (!s.len || is(s, "-") || begins(s, "/dev/"))
		return ET_OK;
	if (r->language.len
		    ? !ONE_OF(r->language, languages)
		    : !ONE_OF(((struct et_str){ base.ptr + skip, base.len - skip }), suffixes))
		return ET_OK;
	return add_source(r->d, place);
}

/*
 * The value of an option: of -o behind it in the same argument, of --output behind = there,
 * of both else the next argument.
 */
static bool take_value(const struct reading *r, uint32_t *place, const char *name,
		       struct et_str *value)
{
	struct et_str s = r->d->argv[*place];
	uint32_t skip = (uint32_t)strlen(name);
	bool wordy = name[1] == '-';

	if (!begins(s, name) || (wordy && s.len > skip && s.ptr[skip] != '='))
		return false;
	if (s.len > skip) {
		skip += wordy;
		*value = (struct et_str){ s.ptr + skip, s.len - skip };
	} else if (*place + 1 < r->d->argc) {
		*value = r->d->argv[++*place];
	}
	return true;
}

static int take_argument(struct reading *r, uint32_t *place)
{
	struct et_str s = r->d->argv[*place];

	if (r->operands || !s.len || (s.ptr[0] != '-' && s.ptr[0] != '@') || is(s, "-"))
		return take_operand(r, *place);
	if (s.ptr[0] == '@')
		r->response = true;
	else if (is(s, "--"))
		r->operands = true;
	else if (ONE_OF(s, no_compiling))
		r->idle = true;
	else if (ONE_OF(s, no_linking))
		r->unlinked = true;
	else if (!take_value(r, place, "-o", &r->d->output) &&
		 !take_value(r, place, "--output", &r->d->output) &&
		 !take_value(r, place, "-x", &r->language) &&
		 !take_value(r, place, "--language", &r->language) && ONE_OF(s, takes_next))
		++*place;
	if (is(r->language, "none"))
		r->language.len = 0;
	return ET_OK;
}

/* Argument 0 of the driver becomes that of d. */
static void drop_before(struct driver *d, uint32_t first)
{
	d->argc -= first;
	memmove(d->argv, d->argv + first, d->argc * sizeof(*d->argv));
}

/* What was looked for along PATH is called by the path at which it was found. */
static void give_path(struct driver *d, const struct et_event *ev)
{
	struct et_str path = text_of(ev, ET_F_FILENAME), base = base_of(path);

	if (begins(path, "/") && d->argv[0].len == base.len &&
	    !memcmp(d->argv[0].ptr, base.ptr, base.len))
		d->argv[0] = path;
}

static int take_argv(struct driver *d, const struct et_list *l)
{
	struct et_str item;
	uint32_t at = 0;

	if (d->cap < l->n) {
		struct et_str *more = reallocarray(d->argv, l->n, sizeof(*more));

		if (!more)
			return ET_NOMEM;
		d->argv = more;
		d->cap = l->n;
	}
	for (d->argc = 0; d->argc < l->n && et_list_next(l, &at, &item); d->argc++)
		d->argv[d->argc] = item;
	return ET_OK;
}

int driver_read(struct driver *d, const struct et_event *ev, const struct driver_globs *more,
		enum driver_task *task)
{
	struct reading r = { .d = d, .language = { "", 0 } };
	uint32_t first;
	int error = ET_OK;

	*task = DRIVER_OTHER;
	d->n_sources = 0;
	d->output = (struct et_str){ NULL, 0 };
	if (!ET_HAS(ev, ET_F_ARGV))
		return ET_OK;
	if (take_argv(d, &ev->v[ET_F_ARGV].l))
		return ET_NOMEM;
	first = find_driver(d, ev, more);
	if (first >= d->argc)
		return ET_OK;
	drop_before(d, first);
	if (!first)
		give_path(d, ev);
	/* clang -cc1: the compiler proper, whose driver was seen. */
	if (d->argc > 1 && begins(d->argv[1], "-cc1"))
		return ET_OK;
	for (uint32_t i = 1; i < d->argc && !error; i++)
		error = take_argument(&r, &i);
	if (error || r.idle)
		return error;
	if (d->n_sources)
		*task = DRIVER_COMPILES;
	else if (r.response && r.unlinked)
		*task = DRIVER_HIDDEN;
	return ET_OK;
}

bool driver_is_source(const struct driver *d, uint32_t place)
{
	uint32_t low = 0, high = d->n_sources;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (d->sources[middle] == place)
			return true;
		if (d->sources[middle] < place)
			low = middle + 1;
		else
			high = middle;
	}
	return false;
}
