/* SPDX-License-Identifier: BSD-2-Clause */
#include "container.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* A component of a path, or a part of one. */
struct part {
	const char *p;
	size_t len;
};

enum id {
	ID_HEX,   /* 64 hexadecimal digits */
	ID_TOKEN, /* letters and digits, 20 or more */
	ID_NAME,  /* any name */
	ID_UNIT,  /* any name, as systemd escapes it */
};

/*
 * What engines call the cgroup of a container. A NULL prefix or suffix: none; below: a
 * component further up that has to be there, right above where adjacent.
 */
static const struct form {
	const char *prefix, *suffix, *below;
	bool adjacent;
	enum id id;
} forms[] = {
	/* Docker and its rootless self, with systemd and without. */
	{ "docker-", ".scope", NULL, false, ID_HEX },
	{ NULL, NULL, "docker", false, ID_HEX },
	/* Kubernetes: containerd and CRI-O, with systemd and without. */
	{ "cri-containerd-", ".scope", NULL, false, ID_HEX },
	{ "crio-", ".scope", NULL, false, ID_HEX },
	{ "crio-", NULL, NULL, false, ID_HEX },
	{ NULL, NULL, "kubepods", false, ID_HEX },
	{ NULL, NULL, "kubepods.slice", false, ID_HEX },
	/* containerd by nerdctl. */
	{ "nerdctl-", ".scope", NULL, false, ID_HEX },
	/* Podman; libpod-conmon is what watches over a container. */
	{ "libpod-", ".scope", NULL, false, ID_HEX },
	{ "libpod-payload-", ".scope", NULL, false, ID_HEX },
	{ "libpod-payload-", NULL, NULL, false, ID_HEX },
	{ "libpod-", NULL, NULL, false, ID_HEX },
	/* Amazon ECS. */
	{ NULL, NULL, "ecs", false, ID_HEX },
	/* BuildKit, below dockerd or on its own. */
	{ NULL, NULL, "buildkit", true, ID_TOKEN },
	/* LXC before 4 and since; lxc.monitor is what watches over a container. */
	{ NULL, NULL, "lxc", true, ID_NAME },
	{ NULL, NULL, "lxc.payload", true, ID_NAME },
	{ "lxc.payload.", NULL, NULL, false, ID_NAME },
	/* systemd-nspawn, started by hand and as a service. */
	{ "machine-", ".scope", NULL, false, ID_UNIT },
	{ "systemd-nspawn@", ".service", NULL, false, ID_UNIT },
};

/* Of machines that are no containers. */
static const char *const virtual_machines[] = { "qemu-", "libvirt-" };

static bool is(struct part c, const char *text)
{
	return c.len == strlen(text) && !memcmp(c.p, text, c.len);
}

/* Takes a prefix and a suffix off; false: they are not there, or nothing is left. */
static bool strip(struct part *c, const char *prefix, const char *suffix)
{
	size_t before = prefix ? strlen(prefix) : 0, behind = suffix ? strlen(suffix) : 0;

	if (c->len <= before + behind || (before && memcmp(c->p, prefix, before)) ||
	    (behind && memcmp(c->p + c->len - behind, suffix, behind)))
		return false;
	c->p += before;
	c->len -= before + behind;
	return true;
}

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
}

static bool is_token(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z');
}

static bool all(struct part c, bool (*test)(char))
{
	for (size_t i = 0; i < c.len; i++)
		if (!test(c.p[i]))
			return false;
	return true;
}

static int digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : is_hex(c) ? c - 'a' + 10 : -1;
}

/* systemd.unit(5): \xNN is a byte. */
static size_t unescape(struct part c, char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < c.len; i++) {
		bool escaped = c.len - i >= 4 && c.p[i] == '\\' && c.p[i + 1] == 'x' &&
			       is_hex(c.p[i + 2]) && is_hex(c.p[i + 3]);

		out[n++] = escaped ? (char)(digit(c.p[i + 2]) << 4 | digit(c.p[i + 3]))
				   : c.p[i];
		i += escaped ? 3 : 0;
	}
	return n;
}

/* The id in what is left of a component; 0: it is none. */
static size_t take_id(struct part c, enum id id, char *out)
{
	if (c.len > CONTAINER_MAX || (id == ID_HEX && (c.len != 64 || !all(c, is_hex))) ||
	    (id == ID_TOKEN && (c.len < 20 || !all(c, is_token))))
		return 0;
	if (id != ID_UNIT) {
		memcpy(out, c.p, c.len);
		return c.len;
	}
	c.len = unescape(c, out);
	for (size_t i = 0; i < sizeof(virtual_machines) / sizeof(virtual_machines[0]); i++) {
		size_t n = strlen(virtual_machines[i]);

		if (c.len >= n && !memcmp(out, virtual_machines[i], n))
			return 0;
	}
	return c.len;
}

/* above: bits of the forms whose `below` was met further up; parent: right above. */
static size_t take_component(struct part c, struct part parent, uint32_t above, char *out)
{
	char id[CONTAINER_MAX];
	const char *colon = c.len ? memrchr(c.p, ':', c.len) : NULL;
	size_t n;

	/* A slice and a container in one component: containerd without systemd's help. */
	if (colon && colon - c.p > 15 && !memcmp(colon - 15, ":cri-containerd", 15)) {
		struct part rest = { colon + 1, (size_t)(c.p + c.len - (colon + 1)) };

		return take_id(rest, ID_HEX, out);
	}
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		const struct form *f = &forms[i];
		struct part rest = c;

		if (f->below && (f->adjacent ? !is(parent, f->below) : !(above >> i & 1)))
			continue;
		if (!strip(&rest, f->prefix, f->suffix))
			continue;
		n = take_id(rest, f->id, id);
		if (!n)
			continue;
		memcpy(out, id, n);
		return n;
	}
	return 0;
}

/* Of most paths it is soon clear that no form is in them: none has an id or one of the names. */
static bool may_hold(struct part c)
{
	static const char *const names[] = { "lxc", "machine-", "systemd-nspawn@", "buildkit" };

	if (c.len >= 64)
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (c.len && *c.p == *names[i] && c.len >= strlen(names[i]) &&
		    !memcmp(c.p, names[i], strlen(names[i])))
			return true;
	return false;
}

static bool path_may_hold(const char *path, const char *end)
{
	while (path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));

		if (may_hold((struct part){ path, (size_t)((slash ? slash : end) - path) }))
			return true;
		path = slash ? slash + 1 : end;
	}
	return false;
}

size_t container_find(const char *path, size_t len, char out[CONTAINER_MAX])
{
	const char *end = path + len;
	struct part parent = { path, 0 };
	uint32_t above = 0;
	size_t found = 0;

	_Static_assert(sizeof(forms) / sizeof(forms[0]) <= 32, "a bit for each form");
	if (!path_may_hold(path, end))
		return 0;
	while (path < end) {
		const char *slash = memchr(path, '/', (size_t)(end - path));
		struct part c = { path, (size_t)((slash ? slash : end) - path) };
		size_t n = c.len ? take_component(c, parent, above, out) : 0;

		found = n ? n : found;
		for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
			if (forms[i].below && is(c, forms[i].below))
				above |= 1u << i;
		parent = c;
		path = slash ? slash + 1 : end;
	}
	return found;
}
