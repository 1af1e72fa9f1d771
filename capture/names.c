/* SPDX-License-Identifier: BSD-2-Clause */
#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A kernfs file handle (include/linux/exportfs.h): the 64-bit id alone. */
#define HANDLE_KERNFS 0xfe

/* Entries of one record at most, whatever a snapshot brings. */
#define RECORD_NAMES 512u
#define ENTRY_MAX (1u << 20)
/* Bytes of a name at most (SPEC.md 2.4). */
#define NAME_LIMIT 4096u

struct names {
	struct id_set done[ID_KINDS];
	char *mount;		/* as the kernel writes it; NULL: none */
	int mount_fd;
	char *buf;		/* for the entries of getpwuid_r and getgrgid_r */
	size_t buf_size;
	struct et_name out[RECORD_NAMES];
	uint32_t n_out;
	char *text;		/* the names in out, one behind the other */
	size_t text_len, text_size;
};

void names_free(struct names *n)
{
	if (!n)
		return;
	for (unsigned i = 0; i < ID_KINDS; i++)
		id_set_free(&n->done[i]);
	if (n->mount_fd >= 0)
		close(n->mount_fd);
	free(n->mount);
	free(n->buf);
	free(n->text);
	free(n);
}

/* The path behind a descriptor. */
static bool path_of(int fd, char path[PATH_MAX])
{
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, PATH_MAX);
	if (len <= 0 || len == PATH_MAX)
		return false;
	path[len] = '\0';
	return true;
}

struct names *names_new(const char *cgroup_mount)
{
	struct names *n = calloc(1, sizeof(*n));
	char path[PATH_MAX];

	if (!n)
		return NULL;
	n->mount_fd = -1;
	n->buf_size = 16384;
	n->buf = malloc(n->buf_size);
	if (!n->buf)
		goto fail;
	if (!cgroup_mount)
		return n;
	n->mount_fd = open(cgroup_mount, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (n->mount_fd < 0 || !path_of(n->mount_fd, path))
		return n;
	n->mount = strdup(path);
	if (!n->mount)
		goto fail;
	return n;
fail:
	names_free(n);
	return NULL;
}

/* A name over the limit, or without memory for it, is left out. */
static void put(struct names *n, uint64_t id, bool group, const char *name)
{
	size_t len = strlen(name);

	if (!len || len > NAME_LIMIT)
		return;
	if (n->text_len + len > n->text_size) {
		size_t size = n->text_len + len + 4096;
		char *text = realloc(n->text, size);

		if (!text)
			return;
		n->text = text;
		n->text_size = size;
	}
	memcpy(n->text + n->text_len, name, len);
	n->text_len += len;
	/* The text may still move: the pointers are set when it is complete. */
	n->out[n->n_out++] = (struct et_name){ id, group, { NULL, (uint32_t)len } };
}

static bool grow(struct names *n)
{
	size_t size = n->buf_size * 2;
	char *buf = size > ENTRY_MAX ? NULL : realloc(n->buf, size);

	if (!buf)
		return false;
	n->buf = buf;
	n->buf_size = size;
	return true;
}

static void look_up_user(struct names *n, uint64_t id)
{
	struct passwd entry, *found = NULL;
	int ret;

	do
		ret = getpwuid_r((uid_t)id, &entry, n->buf, n->buf_size, &found);
	while (ret == EINTR || (ret == ERANGE && grow(n)));
	if (!ret && found)
		put(n, id, false, found->pw_name);
}

static void look_up_group(struct names *n, uint64_t id)
{
	struct group entry, *found = NULL;
	int ret;

	do
		ret = getgrgid_r((gid_t)id, &entry, n->buf, n->buf_size, &found);
	while (ret == EINTR || (ret == ERANGE && grow(n)));
	if (!ret && found)
		put(n, id, true, found->gr_name);
}

/* The id is a file handle: no walk through the hierarchy. Gone cgroups have no name. */
static void look_up_cgroup(struct names *n, uint64_t id)
{
	union {
		struct file_handle handle;
		char room[sizeof(struct file_handle) + sizeof(uint64_t)];
	} h;
	size_t len = n->mount ? strlen(n->mount) : 0;
	char path[PATH_MAX];
	int fd;

	if (!n->mount)
		return;
	memset(&h, 0, sizeof(h));
	h.handle.handle_bytes = sizeof(id);
	h.handle.handle_type = HANDLE_KERNFS;
	memcpy(h.handle.f_handle, &id, sizeof(id));
	fd = open_by_handle_at(n->mount_fd, &h.handle, O_PATH | O_CLOEXEC);
	if (fd < 0)
		return;
	if (path_of(fd, path) && strncmp(path, n->mount, len) == 0) {
		if (path[len] == '\0')
			put(n, id, false, "/");
		else if (path[len] == '/')
			put(n, id, false, path + len);
	}
	close(fd);
}

static int flush(struct names *n, struct et_writer *w, enum et_record_type type,
		 struct et_error *err)
{
	const char *at = n->text;
	int code;

	for (uint32_t i = 0; i < n->n_out; i++) {
		n->out[i].name.ptr = at;
		at += n->out[i].name.len;
	}
	code = et_writer_names(w, type, n->out, n->n_out, err);
	n->n_out = 0;
	n->text_len = 0;
	return code;
}

static void look_up(struct names *n, const struct id *id)
{
	switch (id->kind) {
	case ID_USER:
		look_up_user(n, id->id);
		break;
	case ID_GROUP:
		look_up_group(n, id->id);
		break;
	default:
		look_up_cgroup(n, id->id);
		break;
	}
}

int names_write(struct names *n, struct et_writer *w, const struct id_list *l,
		struct et_error *err)
{
	static const enum et_record_type types[] = { ET_REC_USERS, ET_REC_CGROUPS };
	int code = ET_OK;

	for (unsigned t = 0; t < 2 && code == ET_OK; t++) {
		for (uint32_t i = 0; i < l->n && code == ET_OK; i++) {
			const struct id *id = &l->v[i];

			if ((id->kind == ID_CGROUP) != (types[t] == ET_REC_CGROUPS) ||
			    !id_set_add(&n->done[id->kind], id->id))
				continue;
			look_up(n, id);
			if (n->n_out == RECORD_NAMES)
				code = flush(n, w, types[t], err);
		}
		if (code == ET_OK && n->n_out)
			code = flush(n, w, types[t], err);
	}
	return code;
}
