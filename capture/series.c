/* SPDX-License-Identifier: BSD-2-Clause */
#include "series.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "filer.h"
#include "seriesname.h"

struct series {
	struct series_options opt;
	struct filer *filer;
	struct filer_file *older;	/* all but the current one, oldest first; room for one more */
	unsigned n;
	bool has_current;
	struct filer_file current;
	uint64_t next;			/* ms, of one that was made */
	uint64_t ours;			/* the latest that we made or found taken, */
	uint64_t there;			/* and of those that are there; 0: none */
	uint64_t made;
	char *path;			/* of the current one */
};

struct series *series_new(const struct series_options *opt, struct filer *filer)
{
	struct series *s = calloc(1, sizeof(*s));

	if (!s)
		return NULL;
	s->opt = *opt;
	s->filer = filer;
	s->path = calloc(1, strlen(opt->path) + SERIES_NAME);
	if (!s->path) {
		free(s);
		return NULL;
	}
	return s;
}

void series_free(struct series *s)
{
	if (!s)
		return;
	free(s->older);
	free(s->path);
	free(s);
}

/* Looks what there is: others may have removed files meanwhile. */
static int look(struct series *s)
{
	struct filer_file *list, *roomy;
	unsigned n, kept = 0;
	int error = filer_list(s->filer, &list, &n);

	if (error)
		return error;
	s->there = n ? list[n - 1].ms : 0;
	for (unsigned i = 0; i < n; i++) {
		if (!s->has_current || list[i].ms != s->current.ms)
			list[kept++] = list[i];
	}
	roomy = realloc(list, (kept + 1) * sizeof(*list));
	if (!roomy) {
		free(list);
		return ENOMEM;
	}
	free(s->older);
	s->older = roomy;
	s->n = kept;
	return 0;
}

/* Removes the oldest that can be removed. *bytes: what it took. */
static int remove_oldest(struct series *s, uint64_t *bytes)
{
	int error = 0;

	for (unsigned i = 0; i < s->n; i++) {
		error = filer_remove(s->filer, s->older[i].ms);
		if (error && error != ENOENT)
			continue;
		*bytes = s->older[i].bytes;
		s->n--;
		memmove(s->older + i, s->older + i + 1, (s->n - i) * sizeof(s->older[0]));
		return 0;
	}
	return error;
}

/* Whatever the clock says, the name is later than all others. 0 or an errno: there is none. */
static int next_time(const struct series *s, uint64_t *ms)
{
	const uint64_t last = s->ours > s->there ? s->ours : s->there;
	char name[SERIES_NAME];
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	*ms = now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	if (last && *ms <= last)
		*ms = last + 1;
	if (*ms > SERIES_LAST)
		return EOVERFLOW;
	return series_name(s->opt.base, *ms, name) ? 0 : ENAMETOOLONG;
}

static void set_path(struct series *s)
{
	size_t len = strlen(s->opt.path) - strlen(s->opt.base);
	char name[SERIES_NAME] = "";

	series_name(s->opt.base, s->current.ms, name);
	memcpy(s->path, s->opt.path, len);
	strcpy(s->path + len, name);
}

int series_check(struct series *s)
{
	uint64_t ms;
	int error = look(s);

	return error ? error : next_time(s, &ms);
}

int series_make(struct series *s, int *fd)
{
	uint64_t ms = 0;
	int error = look(s);

	if (error)
		return error;
	do {
		error = next_time(s, &ms);
		if (!error)
			error = filer_make(s->filer, ms, fd);
		if (!error || error == EEXIST)
			s->ours = ms;
	} while (error == EEXIST);
	s->next = ms;
	return error;
}

const char *series_why(int error)
{
	switch (error) {
	case ENOENT:
		return "its directory was removed";
	case EOVERFLOW:
		return "one of its name is of the end of the year 9999, and no name is later; "
		       "move that elsewhere";
	default:
		return strerror(error);
	}
}

void series_next(struct series *s)
{
	if (s->has_current)
		s->older[s->n++] = s->current;
	s->current = (struct filer_file){ .ms = s->next };
	s->has_current = true;
	s->made++;
	set_path(s);
}

int series_thin(struct series *s, unsigned more)
{
	int error = s->opt.keep_files ? look(s) : 0;
	uint64_t bytes;

	while (!error && s->n && s->opt.keep_files &&
	       s->n + s->has_current + more > s->opt.keep_files)
		error = remove_oldest(s, &bytes);
	return error;
}

int series_room(struct series *s, uint64_t bytes)
{
	uint64_t taken = filer_blocks(bytes);
	int error;

	s->current.bytes = taken;
	if (!s->opt.keep_bytes)
		return 0;
	/* Removing all others would not suffice. */
	if (taken > s->opt.keep_bytes)
		return EDQUOT;
	for (unsigned i = 0; i < s->n; i++)
		taken += s->older[i].bytes;
	while (taken > s->opt.keep_bytes) {
		uint64_t gone;

		error = s->n ? remove_oldest(s, &gone) : EDQUOT;
		if (error)
			return error;
		taken -= gone;
	}
	return 0;
}

void series_discard(struct series *s)
{
	if (!s->has_current)
		return;
	filer_remove(s->filer, s->current.ms);
	s->has_current = false;
	s->made--;
}

int series_sync(struct series *s)
{
	return filer_sync(s->filer);
}

const char *series_path(const struct series *s)
{
	return s->path;
}

uint64_t series_made(const struct series *s)
{
	return s->made;
}
