/* SPDX-License-Identifier: BSD-2-Clause */
#include "host.h"

#include <ctype.h>
#include <mntent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "line.h"
#include "options.h"

/* Bytes of a value at most (SPEC.md 2.4). */
#define VALUE_MAX 4096u

/* Inode of the initial pid namespace, fixed in the kernel (include/linux/proc_ns.h). */
#define INITIAL_PID_NS 0xeffffffcu

/*
 * Takes ownership of value; NULL is no memory. A longer one, of a command with many
 * arguments, is cut: they are all in its exec.
 */
static bool add(struct host *h, const char *key, char *value)
{
	static const char cut[] = " ...";

	if (!value || h->n == HOST_PAIRS) {
		free(value);
		return false;
	}
	if (strlen(value) > VALUE_MAX)
		strcpy(value + VALUE_MAX - strlen(cut), cut);
	h->pairs[h->n++] = (struct et_pair){ key, { value, (uint32_t)strlen(value) } };
	return true;
}

static bool add_copy(struct host *h, const char *key, const char *value)
{
	return add(h, key, strdup(value));
}

static bool add_number(struct host *h, const char *key, long value)
{
	char text[24];

	snprintf(text, sizeof(text), "%ld", value);
	return add_copy(h, key, text);
}

static bool is_plain(const char *word)
{
	if (!*word)
		return false;
	for (const char *p = word; *p; p++)
		if (!isalnum((unsigned char)*p) && !strchr("_-+=/.,:@%^", *p))
			return false;
	return true;
}

static void quote(FILE *out, const char *word)
{
	bool control = false;

	if (is_plain(word)) {
		fputs(word, out);
		return;
	}
	for (const char *p = word; *p; p++)
		control |= (unsigned char)*p < ' ' || *p == 0x7f;
	fputs(control ? "$'" : "'", out);
	for (const char *p = word; *p; p++) {
		if (control && ((unsigned char)*p < ' ' || *p == 0x7f))
			fprintf(out, "\\%03o", (unsigned char)*p);
		else if (control && (*p == '\\' || *p == '\''))
			fprintf(out, "\\%c", *p);
		else if (*p == '\'')
			fputs("'\\''", out);
		else
			putc(*p, out);
	}
	putc('\'', out);
}

/* The words behind the first one as a shell would take them; NULL: no memory. */
static char *join(const char *first, char *const *words, int n)
{
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool failed;

	if (!out)
		return NULL;
	if (first)
		fputs(first, out);
	for (int i = 0; i < n; i++) {
		if (first || i)
			putc(' ', out);
		quote(out, words[i]);
	}
	failed = ferror(out);
	if (fclose(out) != 0 || failed) {
		free(text);
		return NULL;
	}
	return text;
}

/* The IANA name of the zone that utc_offset is about, where the system tells it. */
static bool add_timezone(struct host *h)
{
	const char *tz = getenv("TZ");
	char text[512];
	ssize_t len;
	char *name;

	if (tz && *tz)
		return add_copy(h, "timezone", *tz == ':' ? tz + 1 : tz);
	len = readlink("/etc/localtime", text, sizeof(text) - 1);
	if (len > 0) {
		text[len] = '\0';
		name = strstr(text, "zoneinfo/");
		if (name)
			return add_copy(h, "timezone", name + strlen("zoneinfo/"));
	}
	if (line_read("/etc/timezone", text, sizeof(text)))
		return add_copy(h, "timezone", text);
	return true;
}

static const char *scope(const struct options *opt)
{
	if (filters_count(&opt->filters, FILTERS_PID))
		return "pid";
	return options_follow(opt) ? "command" : "all";
}

/* What was asked for beside the command, as options: ids instead of names that vary. */
static bool add_filter(struct host *h, const struct filters *f)
{
	static const char *const options[FILTERS_KINDS] = {
		[FILTERS_PID] = "--pid",
		[FILTERS_UID] = "--uid",
		[FILTERS_CGROUP] = "--cgroup",
		[FILTERS_COMM_NAME] = "--comm",
	};
	char *text = NULL;
	size_t size;
	FILE *out = open_memstream(&text, &size);
	bool failed;

	if (!out)
		return false;
	for (unsigned kind = 0; kind < FILTERS_KINDS; kind++) {
		const struct filters_list *l = &f->of[kind];

		for (size_t i = 0; i < l->n; i++) {
			fprintf(out, "%s%s ", ftell(out) ? " " : "", options[kind]);
			if (kind == FILTERS_PID || kind == FILTERS_UID)
				fprintf(out, "%llu", (unsigned long long)l->ids[i]);
			else
				quote(out, l->words[i]);
		}
	}
	failed = ferror(out);
	failed |= fclose(out) != 0;
	if (!failed && *text)
		return add(h, "filter", text);
	free(text);
	return !failed;
}

bool host_read(struct host *h, char **argv, const struct options *opt, const char *features)
{
	int own = opt->command ? opt->command_at - 2 : opt->command_at - 1;
	int n = 0;
	time_t now = time(NULL);
	struct utsname u;
	struct tm tm;
	bool ok;

	*h = (struct host){ .n = 0 };
	if (uname(&u) == 0) {
		ok = add_copy(h, "hostname", u.nodename) && add_copy(h, "kernel", u.release) &&
		     add_copy(h, "kernel_version", u.version) &&
		     add_copy(h, "machine", u.machine);
		if (!ok)
			return false;
	}
	ok = add_number(h, "cpus", sysconf(_SC_NPROCESSORS_ONLN)) && add_timezone(h);
	if (ok && localtime_r(&now, &tm))
		ok = add_number(h, "utc_offset", tm.tm_gmtoff);
	ok = ok && add_copy(h, "recorder", "exectrace " EXECTRACE_VERSION) &&
	     add(h, "options", join("exectrace record", argv + 1, own));
	while (opt->command && opt->command[n])
		n++;
	if (ok && n)
		ok = add(h, "command", join(NULL, opt->command, n));
	return ok && add_copy(h, "scope", scope(opt)) && add_filter(h, &opt->filters) &&
	       add_copy(h, "features", features);
}

void host_free(struct host *h)
{
	union {
		const char *borrowed;
		void *owned;
	} value;

	for (size_t i = 0; i < h->n; i++) {
		value.borrowed = h->pairs[i].value.ptr;
		free(value.owned);
	}
	h->n = 0;
}

void host_boot_id(uint8_t id[16])
{
	char text[64];
	unsigned n = 0;

	memset(id, 0, 16);
	if (!line_read("/proc/sys/kernel/random/boot_id", text, sizeof(text)))
		return;
	for (const char *p = text; *p && n < 32; p++) {
		unsigned digit;

		if (!isxdigit((unsigned char)*p))
			continue;
		digit = isdigit((unsigned char)*p) ? (unsigned)(*p - '0')
						   : (unsigned)(tolower(*p) - 'a' + 10);
		id[n / 2] = (uint8_t)(id[n / 2] << 4 | digit);
		n++;
	}
	if (n != 32)
		memset(id, 0, 16);
}

char *host_cgroup_mount(void)
{
	FILE *mounts = setmntent("/proc/self/mounts", "re");
	char *found = NULL;
	char buf[8192];
	struct mntent m;

	if (!mounts)
		return NULL;
	while (!found && getmntent_r(mounts, &m, buf, sizeof(buf)))
		if (strcmp(m.mnt_type, "cgroup2") == 0)
			found = strdup(m.mnt_dir);
	endmntent(mounts);
	return found;
}

bool host_initial_pids(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) != 0 || st.st_ino == INITIAL_PID_NS;
}
