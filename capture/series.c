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
	unsigned first, n;		/* those of them that are left */
	bool has_current;
	struct filer_file current;
	uint64_t next;			/* ms, of one that was made */
	uint64_t last;			/* the latest that there ever was */
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
	for (unsigned i = 0; i < n; i++) {
		if (list[i].ms > s->last)
			s->last = list[i].ms;
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
	s->first = 0;
	s->n = kept;
	return 0;
}

static int remove_oldest(struct series *s)
{
	int error = filer_remove(s->filer, s->older[s->first].ms);

	if (error && error != ENOENT)
		return error;
	s->first++;
	return 0;
}

/* Until there are at most so many files, if there are that many beside the current one. */
static int thin_out(struct series *s, uint64_t files)
{
	int error = 0;

	while (s->opt.keep_files && !error && s->first < s->n &&
	       s->n - s->first + s->has_current > files)
		error = remove_oldest(s);
	return error;
}

/* Whatever the clock says, the name is later than all others. */
static uint64_t next_time(const struct series *s)
{
	struct timespec now;
	uint64_t ms;

	clock_gettime(CLOCK_REALTIME, &now);
	ms = now.tv_sec < 0 ? 0 : (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	return s->last && ms <= s->last ? s->last + 1 : ms;
}

static void set_path(struct series *s)
{
	size_t len = strlen(s->opt.path) - strlen(s->opt.base);
	char name[SERIES_NAME] = "";

	series_name(s->opt.base, s->current.ms, name);
	memcpy(s->path, s->opt.path, len);
	strcpy(s->path + len, name);
}

int series_make(struct series *s, int *fd)
{
	uint64_t ms;
	int error = look(s);

	if (!error)
		error = thin_out(s, s->opt.keep_files - 1);
	if (error)
		return error;
	do {
		ms = next_time(s);
		error = filer_make(s->filer, ms, fd);
		if (!error || error == EEXIST)
			s->last = ms;
	} while (error == EEXIST);
	s->next = ms;
	return error;
}

void series_next(struct series *s)
{
	if (s->has_current)
		s->older[s->n++] = s->current;
	s->current = (struct filer_file){ .ms = s->next };
	s->has_current = true;
	s->made++;
	set_path(s);
	/* If this cannot be done now it is tried before the next one. */
	thin_out(s, s->opt.keep_files);
}

int series_room(struct series *s, uint64_t bytes)
{
	uint64_t taken = filer_blocks(bytes);
	int error;

	s->current.bytes = taken;
	if (!s->opt.keep_bytes)
		return 0;
	for (unsigned i = s->first; i < s->n; i++)
		taken += s->older[i].bytes;
	while (taken > s->opt.keep_bytes) {
		if (s->first == s->n)
			return EDQUOT;
		taken -= s->older[s->first].bytes;
		error = remove_oldest(s);
		if (error)
			return error;
	}
	return 0;
}

void series_discard(struct series *s)
{
	if (s->has_current)
		filer_remove(s->filer, s->current.ms);
	s->has_current = false;
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
