/* SPDX-License-Identifier: BSD-2-Clause */
#include "operand.h"

#include <string.h>

#include "container.h"
#include "derive.h"

_Static_assert(CONTAINER_MAX <= OPERAND_BUFFER, "a container's name fits");

/* What a later version adds may have any field. */
#define LATER (0xffffu & ~(ET_KIND_BIT(ET_KIND_END) - 1))
#define TASK                                                                                  \
	(ET_KIND_BIT(ET_EXEC) | ET_KIND_BIT(ET_FAIL) | ET_KIND_BIT(ET_FORK) |                 \
	 ET_KIND_BIT(ET_EXIT) | ET_KIND_BIT(ET_PROC))
#define ALL (TASK | ET_KIND_BIT(ET_LOST) | LATER)
#define EXIT ET_KIND_BIT(ET_EXIT)
#define OF(field) (1ull << (field))

/* clang-format off */
static const struct operand derived[OPERAND_END - ET_FIELD_END] = {
[OPERAND_TIME - ET_FIELD_END] = { "time", "when, by the wall clock", OF(ET_F_TS), ALL, OPERAND_MOMENT, ET_PLAIN, 0 },
[OPERAND_EXIT - ET_FIELD_END] = { "exit", "exit_code, or 128 and the signal that ended the process", OF(ET_F_EXIT_CODE) | OF(ET_F_SIGNAL), EXIT, OPERAND_NUMBER, ET_PLAIN, 0 },
[OPERAND_DURATION - ET_FIELD_END] = { "duration", "of an exit: time since the exec, or since it began", OF(ET_F_KIND) | OF(ET_F_TS) | OF(ET_F_EXEC_TS) | OF(ET_F_START), EXIT, OPERAND_NUMBER, ET_NS, 0 },
[OPERAND_USER - ET_FIELD_END] = { "user", "name of uid", OF(ET_F_UID), TASK | LATER, OPERAND_TEXT, ET_UID, EXPR_USERS },
[OPERAND_GROUP - ET_FIELD_END] = { "group", "name of gid", OF(ET_F_GID), TASK | LATER, OPERAND_TEXT, ET_GID, EXPR_USERS },
[OPERAND_LOGIN_USER - ET_FIELD_END] = { "login_user", "name of login_uid", OF(ET_F_LOGIN_UID), TASK | LATER, OPERAND_TEXT, ET_UID, EXPR_USERS },
[OPERAND_CONTAINER - ET_FIELD_END] = { "container", "id or name of the container, by the cgroup", OF(ET_F_CGROUP), TASK | LATER, OPERAND_TEXT, ET_PLAIN, EXPR_CGROUPS },
[OPERAND_FAILED - ET_FIELD_END] = { "failed", "kind is fail", OF(ET_F_KIND), TASK | LATER, OPERAND_NUMBER, ET_FLAG, 0 },
[OPERAND_OK - ET_FIELD_END] = { "ok", "kind is exec", OF(ET_F_KIND), TASK | LATER, OPERAND_NUMBER, ET_FLAG, 0 },
};
/* clang-format on */

static struct operand of_field(unsigned id)
{
	const struct et_field *f = &et_fields[id];

	return (struct operand){
		.name = f->name,
		.help = f->help,
		.fields = OF(id),
		.kinds = f->kinds | LATER,
		.type = f->type == ET_LIST				       ? OPERAND_LIST
			: f->type == ET_STR || f->unit == ET_CGROUP_ID ? OPERAND_TEXT
								       : OPERAND_NUMBER,
		.unit = f->unit,
		.names = f->unit == ET_CGROUP_ID ? EXPR_CGROUPS : 0,
	};
}

struct operand operand_get(unsigned id)
{
	return id < ET_FIELD_END ? of_field(id) : derived[id - ET_FIELD_END];
}

unsigned operand_find(const char *name, size_t len)
{
	for (unsigned id = 1; id < OPERAND_END; id++) {
		struct operand o = operand_get(id);

		if (o.name && strlen(o.name) == len && !memcmp(o.name, name, len))
			return id;
	}
	return 0;
}

/* ---- Names that are like others ------------------------------------------------------ */

#define NAME_MAX_LENGTH 31
#define DISTANCE_MAX 2

static unsigned least(unsigned a, unsigned b)
{
	return a < b ? a : b;
}

/* Letters to put in, leave out, change or exchange with their neighbour. */
static unsigned distance(const char *a, size_t n, const char *b, size_t m)
{
	unsigned d[NAME_MAX_LENGTH + 1][NAME_MAX_LENGTH + 1];

	for (unsigned i = 0; i <= n; i++)
		d[i][0] = i;
	for (unsigned k = 0; k <= m; k++)
		d[0][k] = k;
	for (size_t i = 1; i <= n; i++) {
		for (size_t k = 1; k <= m; k++) {
			unsigned change = d[i - 1][k - 1] + (a[i - 1] != b[k - 1]);

			d[i][k] = least(change, 1 + least(d[i - 1][k], d[i][k - 1]));
			if (i > 1 && k > 1 && a[i - 1] == b[k - 2] && a[i - 2] == b[k - 1])
				d[i][k] = least(d[i][k], 1 + d[i - 2][k - 2]);
		}
	}
	return d[n][m];
}

const char *operand_like(const char *name, size_t len)
{
	unsigned best = DISTANCE_MAX + 1;
	const char *like = NULL;

	for (unsigned id = 1; len <= NAME_MAX_LENGTH && id < OPERAND_END; id++) {
		const char *known = operand_get(id).name;
		size_t n = known ? strlen(known) : 0;
		unsigned far;

		if (!n || n > NAME_MAX_LENGTH)
			continue;
		far = distance(name, len, known, n);
		/* Of a short name not much may be other. */
		if (far < best && far < len && far < n) {
			best = far;
			like = known;
		}
	}
	return like;
}

/* ---- Values ------------------------------------------------------------------------- */

uint64_t operand_number(unsigned id, const struct et_event *ev, bool writing)
{
	uint64_t kind = ev->v[ET_F_KIND].u;

	switch (id) {
	case OPERAND_EXIT:
		return derive_status(ev);
	case OPERAND_DURATION:
		return derive_duration(ev);
	case OPERAND_FAILED:
		return kind == ET_FAIL;
	case OPERAND_OK:
		return kind == ET_EXEC;
	}
	if (ET_HAS(ev, id))
		return ev->v[id].u;
	return writing && et_fields[id].type == ET_UINT && kind < ET_KIND_END ? 0 : ET_NONE;
}

static bool take_text(const char *text, struct et_str *out)
{
	if (!text)
		return false;
	*out = (struct et_str){ text, (uint32_t)strlen(text) };
	return true;
}

static bool take_name(const char *(*name)(void *ctx, uint64_t id), void *ctx,
		      const struct et_event *ev, unsigned field, struct et_str *out)
{
	return name && ET_HAS(ev, field) && take_text(name(ctx, ev->v[field].u), out);
}

static bool take_container(const struct et_str *path, char *buffer, struct et_str *out)
{
	size_t len = container_find(path->ptr, path->len, buffer);

	*out = (struct et_str){ buffer, (uint32_t)len };
	return len > 0;
}

bool operand_text(unsigned id, const struct et_event *ev, const struct expr_scope *scope,
		  char buffer[OPERAND_BUFFER], struct et_str *out)
{
	static const struct expr_scope nothing;
	const struct expr_scope *s = scope ? scope : &nothing;
	struct et_str path;

	switch (id) {
	case OPERAND_USER:
		return take_name(s->user, s->ctx, ev, ET_F_UID, out);
	case OPERAND_GROUP:
		return take_name(s->group, s->ctx, ev, ET_F_GID, out);
	case OPERAND_LOGIN_USER:
		return take_name(s->user, s->ctx, ev, ET_F_LOGIN_UID, out);
	case OPERAND_CONTAINER:
		return take_name(s->cgroup, s->ctx, ev, ET_F_CGROUP, &path) &&
		       take_container(&path, buffer, out);
	}
	switch (et_fields[id].unit) {
	case ET_UID:
		return take_name(s->user, s->ctx, ev, id, out);
	case ET_GID:
		return take_name(s->group, s->ctx, ev, id, out);
	case ET_CGROUP_ID:
		return take_name(s->cgroup, s->ctx, ev, id, out);
	}
	if (ET_HAS(ev, id))
		*out = ev->v[id].s;
	return ET_HAS(ev, id);
}
