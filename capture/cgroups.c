/* SPDX-License-Identifier: BSD-2-Clause */
#include "cgroups.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/*
 * Whoever was handed a part of the hierarchy can make as many cgroups as they like, as
 * deep as they like.
 */
#define WALK_MAX 16384u  /* directories */
#define PATH_BYTES 4096u /* of a name at most (SPEC.md 2.4) */

struct walk {
	int root;
	const uint64_t *ids;
	char **paths;
	size_t n;
	size_t found;
	/* From the root, "" or "/a/b"; met and not yet read are those from at on. */
	char *met[WALK_MAX];
	size_t n_met, at;
};

/* True: the walk is over. */
static bool meet(struct walk *w, uint64_t id, const char *path)
{
	for (size_t i = 0; i < w->n; i++) {
		if (w->ids[i] != id || w->paths[i])
			continue;
		w->paths[i] = strdup(*path ? path : "/");
		if (w->paths[i])
			w->found++;
	}
	return w->found == w->n;
}

static bool is_parent(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* The number of an entry is the cgroup's: no look at it is needed. */
static bool read_directory(struct walk *w, DIR *list, const char *path)
{
	struct dirent *entry;

	while ((entry = readdir(list))) {
		char *below;
		bool done;

		if (entry->d_type != DT_DIR || is_parent(entry->d_name) ||
		    w->n_met == WALK_MAX)
			continue;
		if (asprintf(&below, "%s/%s", path, entry->d_name) < 0)
			return true;
		done = meet(w, entry->d_ino, below);
		if (done || strlen(below) >= PATH_BYTES)
			free(below);
		else
			w->met[w->n_met++] = below;
		if (done)
			return true;
	}
	return false;
}

/* Breadth first: what machines put their services into lies high. */
static void walk_on(struct walk *w)
{
	bool done = false;

	while (w->at < w->n_met && !done) {
		const char *path = w->met[w->at++];
		int fd = openat(w->root, *path ? path + 1 : ".",
				O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		DIR *list = fd >= 0 ? fdopendir(fd) : NULL;

		if (!list) {
			if (fd >= 0)
				close(fd);
			continue;
		}
		done = read_directory(w, list, path);
		closedir(list);
	}
}

void cgroups_find(int root, const uint64_t *ids, char **paths, size_t n)
{
	struct walk *w = calloc(1, sizeof(*w));
	struct stat st;

	memset(paths, 0, n * sizeof(*paths));
	if (!w)
		return;
	w->root = root;
	w->ids = ids;
	w->paths = paths;
	w->n = n;
	w->met[0] = strdup("");
	w->n_met = w->met[0] != NULL;
	if (w->n_met && fstat(root, &st) == 0 && !meet(w, st.st_ino, ""))
		walk_on(w);
	for (size_t i = 0; i < w->n_met; i++)
		free(w->met[i]);
	free(w);
}
