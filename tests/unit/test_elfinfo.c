/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * test_elfinfo.c - ELF files made by hand, good and bad, of both classes and byte
 * orders; and any bytes at all, with a sanitizer watching.
 */
#include "check.h"

#include "elfinfo.h"

#include <elf.h>
#include <endian.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define SIZE 8192u
#define HEADERS 3u		/* there is room for */
#define INTERP_AT 512u
#define NOTES_AT 1024u
#define NAME "/lib/ld.so"

static uint8_t image[SIZE];
static bool wide, big;

static void put(size_t at, uint64_t value, size_t size)
{
	for (size_t i = 0; i < size; i++)
		image[at + (big ? size - 1 - i : i)] = (uint8_t)(value >> 8 * i);
}

#define PUT(at, type, member, value)                                                           \
	do {                                                                                   \
		if (wide)                                                                      \
			put((at) + offsetof(Elf64_##type, member), value,                      \
			    sizeof(((Elf64_##type *)0)->member));                              \
		else                                                                           \
			put((at) + offsetof(Elf32_##type, member), value,                      \
			    sizeof(((Elf32_##type *)0)->member));                              \
	} while (0)

static size_t header_at(unsigned i)
{
	return wide ? sizeof(Elf64_Ehdr) + i * sizeof(Elf64_Phdr) :
		      sizeof(Elf32_Ehdr) + i * sizeof(Elf32_Phdr);
}

static void segment(unsigned i, uint32_t type, uint64_t offset, uint64_t size, uint64_t align)
{
	PUT(header_at(i), Phdr, p_type, type);
	PUT(header_at(i), Phdr, p_offset, offset);
	PUT(header_at(i), Phdr, p_filesz, size);
	PUT(header_at(i), Phdr, p_align, align);
}

static size_t note(size_t at, uint32_t type, const char *name, uint32_t name_len, uint32_t len,
		   size_t align)
{
	size_t desc = (at + 12 + name_len + align - 1) & ~(align - 1);

	put(at, name_len, 4);
	put(at + 4, len, 4);
	put(at + 8, type, 4);
	memcpy(image + at + 12, name, name_len);
	for (uint32_t i = 0; i < len; i++)
		image[desc + i] = (uint8_t)(i + 1);
	return (desc + len + align - 1) & ~(align - 1);
}

/* A sound file: an interpreter, and a build-id of 20 bytes behind another note. */
static void make(bool is_wide, bool is_big)
{
	size_t end;

	wide = is_wide;
	big = is_big;
	memset(image, 0, sizeof(image));
	memcpy(image, ELFMAG, SELFMAG);
	image[EI_CLASS] = wide ? ELFCLASS64 : ELFCLASS32;
	image[EI_DATA] = big ? ELFDATA2MSB : ELFDATA2LSB;
	PUT(0, Ehdr, e_phoff, header_at(0));
	PUT(0, Ehdr, e_phentsize, header_at(1) - header_at(0));
	PUT(0, Ehdr, e_phnum, HEADERS);
	memcpy(image + INTERP_AT, NAME, sizeof(NAME));
	segment(1, PT_INTERP, INTERP_AT, sizeof(NAME), 1);
	end = note(NOTES_AT, NT_GNU_ABI_TAG, "GNU", 4, 16, 4);
	end = note(end, NT_GNU_BUILD_ID, "GNU", 4, 20, 4);
	segment(2, PT_NOTE, NOTES_AT, end - NOTES_AT, 4);
}

static bool look(size_t size, struct elfinfo *out)
{
	int fd = memfd_create("elf", MFD_CLOEXEC);
	bool ok = fd >= 0 && write(fd, image, size) == (ssize_t)size;

	CHECK(ok);
	ok = ok && elfinfo_read(fd, out);
	close(fd);
	return ok;
}

static bool has_id(const struct elfinfo *e, size_t len)
{
	if (e->build_id_len != len)
		return false;
	for (size_t i = 0; i < len; i++)
		if (e->build_id[i] != i + 1)
			return false;
	return true;
}

static void check_sound(void)
{
	for (unsigned kind = 0; kind < 4; kind++) {
		struct elfinfo e;

		make(kind & 1, kind & 2);
		CHECK(look(SIZE, &e) && has_id(&e, 20) && !strcmp(e.interpreter, NAME));
	}
}

static void wide_alignment(void)
{
	size_t end = note(NOTES_AT, NT_GNU_PROPERTY_TYPE_0, "GNU", 4, 20, 8);

	end = note(end, NT_GNU_BUILD_ID, "GNU", 4, 8, 8);
	segment(2, PT_NOTE, NOTES_AT, end - NOTES_AT, 8);
}

static void longest_id(void)
{
	segment(2, PT_NOTE, NOTES_AT, note(NOTES_AT, NT_GNU_BUILD_ID, "GNU", 4, 64, 4) - NOTES_AT, 4);
}

static void too_long_id(void)
{
	segment(2, PT_NOTE, NOTES_AT, note(NOTES_AT, NT_GNU_BUILD_ID, "GNU", 4, 65, 4) - NOTES_AT, 4);
}

static void no_id(void)
{
	segment(2, PT_NOTE, NOTES_AT, note(NOTES_AT, NT_GNU_BUILD_ID, "GNU", 4, 0, 4) - NOTES_AT, 4);
}

static void another_name(void)
{
	segment(2, PT_NOTE, NOTES_AT, note(NOTES_AT, NT_GNU_BUILD_ID, "GNX", 4, 20, 4) - NOTES_AT, 4);
}

static void name_of_4_gib(void)
{
	put(NOTES_AT, 0xffffffff, 4);
}

static void id_of_4_gib(void)
{
	put(NOTES_AT + 36, 0xffffffff, 4);
}

static void notes_cut(void)
{
	segment(2, PT_NOTE, NOTES_AT, 32 + 16 + 19, 4);
}

static void notes_beyond(void)
{
	segment(2, PT_NOTE, SIZE - 4, 4096, 4);
}

static void notes_far_away(void)
{
	segment(2, PT_NOTE, UINT64_MAX - 3, 4096, 4);
}

static void interpreter_open(void)
{
	segment(1, PT_INTERP, INTERP_AT, sizeof(NAME) - 1, 1);
}

static void interpreter_long(void)
{
	segment(1, PT_INTERP, INTERP_AT, ELFINFO_INTERPRETER_MAX + 1, 1);
}

static void headers_beyond(void)
{
	PUT(0, Ehdr, e_phoff, UINT64_MAX);
}

static void headers_many(void)
{
	PUT(0, Ehdr, e_phnum, 0xffff);
}

static void headers_odd(void)
{
	PUT(0, Ehdr, e_phentsize, 1);
}

static void no_magic(void)
{
	image[3] = 'G';
}

static void no_class(void)
{
	image[EI_CLASS] = 3;
}

static void no_order(void)
{
	image[EI_DATA] = 0;
}

static const struct {
	const char *name;
	void (*change)(void);
	bool is_elf;
	size_t id;
	const char *interpreter;
} cases[] = {
	{ "notes aligned to 8", wide_alignment, true, 8, NAME },
	{ "the longest build-id", longest_id, true, 64, NAME },
	{ "a longer build-id", too_long_id, true, 0, NAME },
	{ "an empty build-id", no_id, true, 0, NAME },
	{ "a note of somebody else", another_name, true, 0, NAME },
	{ "a name of 4 GiB", name_of_4_gib, true, 0, NAME },
	{ "a build-id of 4 GiB", id_of_4_gib, true, 0, NAME },
	{ "a segment ends in the build-id", notes_cut, true, 0, NAME },
	{ "notes behind the end", notes_beyond, true, 0, NAME },
	{ "notes where no file reaches", notes_far_away, true, 0, NAME },
	{ "an interpreter without end", interpreter_open, true, 20, "" },
	{ "an interpreter that is too long", interpreter_long, true, 20, "" },
	{ "headers where no file reaches", headers_beyond, true, 0, "" },
	{ "too many headers", headers_many, false, 0, "" },
	{ "headers of another size", headers_odd, false, 0, "" },
	{ "no ELF", no_magic, false, 0, "" },
	{ "no such class", no_class, false, 0, "" },
	{ "no such byte order", no_order, false, 0, "" },
};

static void check_cases(void)
{
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct elfinfo e;

		make(true, false);
		cases[i].change();
		CHECK_CASE(cases[i].name, look(SIZE, &e) == cases[i].is_elf);
		CHECK_CASE(cases[i].name, has_id(&e, cases[i].id));
		CHECK_CASE(cases[i].name, !strcmp(e.interpreter, cases[i].interpreter));
	}
}

/* Each length that a cut file can have up to what is needed. */
static void check_cuts(void)
{
	for (size_t size = 0; size < NOTES_AT + 128; size++) {
		struct elfinfo e;

		make(true, false);
		look(size, &e);
		CHECK(e.build_id_len == 0 || size >= NOTES_AT + 32 + 16 + 20);
		CHECK(!e.interpreter[0] || size >= INTERP_AT + sizeof(NAME));
	}
}

static void check_mutations(void)
{
	uint64_t random = 88172645463325252u;
	unsigned found = 0;

	for (unsigned i = 0; i < 100000; i++) {
		struct elfinfo e;

		make(i & 1, i & 2);
		for (unsigned change = 0; change < 1 + i % 4; change++) {
			size_t at;

			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			/* Headers and notes, where a change matters. */
			at = random & 1 ? random / 2 % header_at(HEADERS) : NOTES_AT + random / 2 % 68;
			image[at] = (uint8_t)(random >> 56);
		}
		if (!look(NOTES_AT + 256, &e))
			continue;
		CHECK(e.build_id_len <= sizeof(e.build_id));
		CHECK(memchr(e.interpreter, '\0', sizeof(e.interpreter)) != NULL);
		found += e.build_id_len > 0;
	}
	CHECK(found > 10000 && found < 100000);
}

int main(void)
{
	check_sound();
	check_cases();
	check_cuts();
	check_mutations();
	return check_result();
}
