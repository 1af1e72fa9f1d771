/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verified.c - loads a BPF object and prints, a line for each program, how many
 * instructions the kernel's verifier went through, and its name.
 *
 *     verified OBJECT [VARIABLE=NUMBER...]
 *
 * VARIABLE is one of the object's constants, as the recorder sets them before it loads.
 */
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LOG_STATS 4		/* BPF_LOG_STATS of the kernel's include/linux/bpf_verifier.h */
#define LOG_SIZE (8 << 20)
#define PROGRAMS 64

static struct bpf_map *constants(struct bpf_object *object)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, object)
		if (strstr(bpf_map__name(map), ".rodata"))
			return map;
	return NULL;
}

/* Sets what word says; 0 or -1. */
static int set(struct bpf_object *object, const char *word)
{
	const struct btf *btf = bpf_object__btf(object);
	struct bpf_map *map = constants(object);
	int section = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);
	size_t name_len = strcspn(word, "="), size;
	const struct btf_type *t;
	char *memory;

	if (section < 0 || !map || !word[name_len])
		return -1;
	memory = (char *)(uintptr_t)bpf_map__initial_value(map, &size);
	t = btf__type_by_id(btf, (__u32)section);
	for (unsigned i = 0; i < btf_vlen(t); i++) {
		const struct btf_var_secinfo *v = btf_var_secinfos(t) + i;
		const char *name = btf__name_by_offset(btf, btf__type_by_id(btf, v->type)->name_off);
		uint64_t value = strtoull(word + name_len + 1, NULL, 0);

		if (strlen(name) != name_len || strncmp(name, word, name_len) != 0)
			continue;
		if (v->size > sizeof(value) || v->offset + v->size > size)
			return -1;
		memcpy(memory + v->offset, &value, v->size);
		return 0;
	}
	return -1;
}

int main(int argc, char **argv)
{
	static char logs[PROGRAMS][LOG_SIZE];
	static const char stats[] = "processed ";
	struct bpf_object *object = argc > 1 ? bpf_object__open_file(argv[1], NULL) : NULL;
	struct bpf_program *program;
	unsigned n = 0;
	int ret;

	if (!object) {
		fprintf(stderr, "verified: cannot open %s\n", argc > 1 ? argv[1] : "nothing");
		return 2;
	}
	for (int i = 2; i < argc; i++) {
		if (set(object, argv[i])) {
			fprintf(stderr, "verified: there is no constant like %s\n", argv[i]);
			return 2;
		}
	}
	bpf_object__for_each_program(program, object) {
		if (n == PROGRAMS)
			return 2;
		bpf_program__set_log_level(program, LOG_STATS);
		bpf_program__set_log_buf(program, logs[n++], LOG_SIZE);
	}
	ret = bpf_object__load(object);
	n = 0;
	bpf_object__for_each_program(program, object) {
		const char *log = logs[n++], *found = strstr(log, stats);
		struct bpf_prog_info info = { 0 };
		__u32 size = sizeof(info);

		if (ret) {
			fprintf(stderr, "verified: %s: %s\n", bpf_program__name(program), log);
			continue;
		}
		/* Before Linux 5.16 only the log says it. */
		bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size);
		if (!info.verified_insns && found)
			info.verified_insns = (__u32)strtoul(found + sizeof(stats) - 1, NULL, 10);
		printf("%u %s\n", info.verified_insns, bpf_program__name(program));
	}
	bpf_object__close(object);
	return ret != 0;
}
