/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * print_sh.c - an exec as a line that a shell does again: cd DIR && FILE ARGS.
 *
 * Each line stands for itself and holds no control byte. Where argument 0 is another than
 * the file or its name, exec -a says it, which dash does not have and bash, zsh, ksh and
 * busybox do.
 *
 * What cannot be done again as it was is a comment: a line that runs something else, or
 * the same somewhere else, would be worse than none. So is an exec that failed: it ran
 * nothing, and where it was tried is not recorded.
 */
#include "print.h"

#include "codes.h"
#include "escape.h"

/* An exec as it is to be done again. */
struct again {
	struct et_str file, name; /* what is executed, and argument 0 */
	struct et_list args;      /* and the others, from at on */
	uint32_t at;
	struct et_str cwd;
	const char *hindrance; /* why it cannot be; NULL: it can */
};

static bool flag(const struct et_event *ev, enum et_field_id id)
{
	return ET_HAS(ev, id) && ev->v[id].u;
}

static struct et_str text_of(const struct et_event *ev, enum et_field_id id)
{
	return ET_HAS(ev, id) ? ev->v[id].s : (struct et_str){ NULL, 0 };
}

static bool same(struct et_str a, struct et_str b)
{
	return a.len == b.len && (!a.len || !memcmp(a.ptr, b.ptr, a.len));
}

static bool has_slash(struct et_str s)
{
	return s.len && memchr(s.ptr, '/', s.len);
}

static bool begins(struct et_str s, const char *with)
{
	size_t n = strlen(with);

	return s.len >= n && !memcmp(s.ptr, with, n);
}

/* Whether name is the last part of the path: what a search along PATH makes of it. */
static bool is_name_of(struct et_str name, struct et_str path)
{
	return name.len && name.len <= path.len && !has_slash(name) &&
	       !memcmp(path.ptr + path.len - name.len, name.ptr, name.len) &&
	       (name.len == path.len || path.ptr[path.len - name.len - 1] == '/');
}

/*
 * The file to execute. Of a script it is the interpreter, as the kernel put that in front of
 * the arguments; of an exec through a descriptor what that was open on.
 */
static struct et_str file_of(const struct et_event *ev, struct et_str name)
{
	struct et_str file = text_of(ev, ET_F_FILENAME);

	if (ET_HAS(ev, ET_F_INTERPRETER))
		return same(name, text_of(ev, ET_F_INTERPRETER)) ? name : text_of(ev, ET_F_EXE);
	return !file.len || begins(file, "/dev/fd/") ? text_of(ev, ET_F_EXE) : file;
}

static const char *hindrance(const struct et_event *ev, const struct again *a, bool any)
{
	if (flag(ev, ET_F_ARGV_TRUNCATED))
		return "the arguments are cut";
	if (flag(ev, ET_F_ARGV_UNREADABLE))
		return "some arguments could not be read";
	if (!ET_HAS(ev, ET_F_ARGV))
		return "the arguments are not known";
	if (!any)
		return "there was not even an argument 0";
	if (ET_HAS(ev, ET_F_ERRNO)) {
		const char *name = errno_name(ev->v[ET_F_ERRNO].u);

		return name ? name : "it failed";
	}
	if (flag(ev, ET_F_EXE_MEMFD) || flag(ev, ET_F_EXE_DELETED))
		return "the file had no name any more";
	if (ET_HAS(ev, ET_F_INTERPRETER) && begins(text_of(ev, ET_F_FILENAME), "/dev/fd/"))
		return "a script from a descriptor";
	if (!a->file.len)
		return "the file is not known";
	if (!begins(a->cwd, "/"))
		return "the directory is not known";
	return NULL;
}

static struct again again_of(const struct et_event *ev)
{
	struct again a = { .cwd = text_of(ev, ET_F_CWD) };
	bool any;

	if (ET_HAS(ev, ET_F_ARGV))
		a.args = ev->v[ET_F_ARGV].l;
	any = et_list_next(&a.args, &a.at, &a.name);
	a.file = file_of(ev, a.name);
	a.hindrance = hindrance(ev, &a, any);
	return a;
}

/* ---- Lines -------------------------------------------------------------------------- */

static bool ends_line(struct et_str s)
{
	return escape_ends_line(s.ptr, s.len);
}

/* Whether one of the words needs $_n. */
static bool needs_n(const struct again *a)
{
	bool any = ends_line(a->cwd) || ends_line(a->file) || ends_line(a->name);
	struct et_str item;
	uint32_t at = a->at;

	while (!any && et_list_next(&a->args, &at, &item))
		any = ends_line(item);
	return any;
}

static void put_word(struct out *o, struct et_str s)
{
	escape_posix(o, s.ptr, s.len);
}

static void put_line(struct out *o, struct again *a)
{
	bool renamed = !same(a->name, a->file) && !is_name_of(a->name, a->file);
	bool set = needs_n(a);
	struct et_str item;

	if (set)
		out_text(o, "(" ESCAPE_SET_N);
	if (a->cwd.len) {
		out_text(o, "cd ");
		put_word(o, a->cwd);
		out_text(o, " && ");
	}
	if (renamed) {
		out_text(o, set ? "exec -a " : "(exec -a ");
		put_word(o, a->name);
		out_char(o, ' ');
	}
	/* Without a slash it would be searched for. */
	if (!has_slash(a->file))
		out_text(o, "./");
	put_word(o, a->file);
	while (et_list_next(&a->args, &a->at, &item)) {
		out_char(o, ' ');
		put_word(o, item);
	}
	if (set || renamed)
		out_char(o, ')');
}

void sh_row(struct out *o, const struct input_row *row)
{
	const struct et_event *ev = &row->ev;
	uint64_t kind = ev->v[ET_F_KIND].u;
	struct again a;

	if (kind == ET_LOST) {
		out_text(o, "# ");
		print_command(o, ev);
		out_char(o, '\n');
		return;
	}
	if (kind != ET_EXEC && kind != ET_FAIL)
		return;
	a = again_of(ev);
	if (a.hindrance) {
		out_text(o, "# ");
		out_text(o, a.hindrance);
		out_text(o, ": ");
	}
	if (a.file.len)
		put_line(o, &a);
	else
		print_command(o, ev);
	out_char(o, '\n');
}
