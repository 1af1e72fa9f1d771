/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of columns in SPEC.md 4.2 says the same as the field table. Takes the
 * path of SPEC.md.
 */
#include "check.h"

#include <exectrace.h>

#include <stdlib.h>
#include <string.h>

/* The text of a cell without the spaces around it; NULL behind the last. */
static char *next_cell(char **rest)
{
	char *text = strtok_r(NULL, "|", rest), *end;

	if (!text)
		return NULL;
	text += strspn(text, " ");
	for (end = text + strlen(text); end > text && end[-1] == ' ';)
		*--end = 0;
	return text;
}

static unsigned kinds_mask(char *names)
{
	unsigned mask = 0;

	for (char *name = strtok(names, " "); name; name = strtok(NULL, " ")) {
		CHECK_CASE(name, et_kind_parse(name));
		mask |= ET_KIND_BIT(et_kind_parse(name));
	}
	return mask;
}

static bool check_row(char *row)
{
	static const char *const types[] = { "", "UINT", "OPT", "STR", "LIST" };
	char *rest, *first = strtok_r(row, "|", &rest), *cells[4];
	unsigned id = first ? (unsigned)atoi(first) : 0;
	const struct et_field *f = id && id < ET_FIELD_END ? &et_fields[id] : NULL;

	CHECK_CASE(row, f && f->name);
	for (unsigned i = 0; i < 4; i++) {
		cells[i] = next_cell(&rest);
		CHECK_CASE(row, cells[i]);
		if (!cells[i])
			return false;
	}
	if (!f || !f->name)
		return false;
	CHECK_CASE(f->name, !strcmp(cells[0], f->name));
	CHECK_CASE(f->name, !strcmp(cells[1], types[f->type]));
	CHECK_CASE(f->name, atoi(cells[2]) == f->unit);
	CHECK_CASE(f->name, kinds_mask(cells[3]) == f->kinds);
	return true;
}

int main(int argc, char **argv)
{
	FILE *spec = argc > 1 ? fopen(argv[1], "r") : NULL;
	unsigned seen = 0, fields = 0;
	char line[1024];
	int inside = 0;

	CHECK(spec);
	while (spec && fgets(line, sizeof(line), spec)) {
		if (strstr(line, "<!-- columns:"))
			inside = 1;
		else if (inside && line[0] != '|')
			inside = 0;
		else if (inside && check_row(line))
			seen++;
	}
	for (unsigned i = 1; i < ET_FIELD_END; i++)
		fields += et_fields[i].name != NULL;
	CHECK(seen == fields);
	if (spec)
		fclose(spec);
	return check_result();
}
