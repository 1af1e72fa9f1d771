/* SPDX-License-Identifier: BSD-2-Clause */
#include "elfinfo.h"

#include <elf.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>

/* More than any linker makes. */
#define HEADERS_MAX 128u
#define NOTE_SEGMENTS_MAX 8u
#define NOTES_MAX 16384u

struct file {
	int fd;
	bool wide;		/* 64 bits */
	bool big;		/* most significant byte first */
};

/* A program header, as far as it is needed. */
struct segment {
	uint32_t type;
	uint64_t offset, size, align;
};

static bool read_at(const struct file *f, uint64_t at, void *to, size_t n)
{
	char *p = to;

	while (n) {
		ssize_t got;

		if (at > INT64_MAX - n)
			return false;
		got = pread(f->fd, p, n, (off_t)at);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return false;
		p += got;
		at += (uint64_t)got;
		n -= (size_t)got;
	}
	return true;
}

/* An integer of size bytes. */
static uint64_t number(const struct file *f, const uint8_t *p, size_t size)
{
	uint64_t value = 0;

	for (size_t i = 0; i < size; i++)
		value |= (uint64_t)p[f->big ? size - 1 - i : i] << 8 * i;
	return value;
}

/* A member of a struct that differs by class only in its layout. */
#define MEMBER(f, bytes, type, member)                                                          \
	((f)->wide ? number(f, (bytes) + offsetof(Elf64_##type, member),                        \
			    sizeof(((Elf64_##type *)0)->member)) :                              \
		     number(f, (bytes) + offsetof(Elf32_##type, member),                        \
			    sizeof(((Elf32_##type *)0)->member)))

/* NUL-terminated, with nothing behind the NUL that would have to be told. */
static void read_interpreter(const struct file *f, const struct segment *s, struct elfinfo *out)
{
	if (s->size < 2 || s->size > sizeof(out->interpreter) ||
	    !read_at(f, s->offset, out->interpreter, s->size) ||
	    !memchr(out->interpreter, '\0', s->size))
		out->interpreter[0] = '\0';
}

/* How many bytes a name or a description takes, with what comes behind it. */
static uint64_t padded(uint64_t size, uint64_t align)
{
	return (size + align - 1) & ~(align - 1);
}

/* Notes, one behind the other: three numbers, a name, a description. */
static void find_build_id(const struct file *f, const uint8_t *p, size_t len, uint64_t align,
			  struct elfinfo *out)
{
	while (len >= sizeof(Elf32_Nhdr)) {
		uint64_t name = number(f, p, 4), desc = number(f, p + 4, 4);
		uint64_t type = number(f, p + 8, 4);
		/* Both are less than 2^32: no sum here comes near 2^64. */
		uint64_t desc_at = padded(sizeof(Elf32_Nhdr) + name, align);
		uint64_t next = padded(desc_at + desc, align);

		if (desc_at + desc > len)
			return;
		if (type == NT_GNU_BUILD_ID && name == 4 &&
		    !memcmp(p + sizeof(Elf32_Nhdr), "GNU", 4) && desc &&
		    desc <= sizeof(out->build_id)) {
			memcpy(out->build_id, p + desc_at, desc);
			out->build_id_len = desc;
			return;
		}
		if (next >= len)
			return;
		p += next;
		len -= next;
	}
}

static void read_notes(const struct file *f, const struct segment *s, struct elfinfo *out)
{
	uint8_t notes[NOTES_MAX];
	size_t len = s->size < sizeof(notes) ? s->size : sizeof(notes);

	if (read_at(f, s->offset, notes, len))
		find_build_id(f, notes, len, s->align == 8 ? 8 : 4, out);
}

bool elfinfo_read(int fd, struct elfinfo *out)
{
	struct file f = { .fd = fd };
	uint8_t head[sizeof(Elf64_Ehdr)];
	unsigned notes = 0;
	uint64_t at, n, size;

	out->build_id_len = 0;
	out->interpreter[0] = '\0';
	if (!read_at(&f, 0, head, EI_NIDENT) || memcmp(head, ELFMAG, SELFMAG) != 0 ||
	    (head[EI_CLASS] != ELFCLASS32 && head[EI_CLASS] != ELFCLASS64) ||
	    (head[EI_DATA] != ELFDATA2LSB && head[EI_DATA] != ELFDATA2MSB))
		return false;
	f.wide = head[EI_CLASS] == ELFCLASS64;
	f.big = head[EI_DATA] == ELFDATA2MSB;
	if (!read_at(&f, 0, head, f.wide ? sizeof(Elf64_Ehdr) : sizeof(Elf32_Ehdr)))
		return false;
	at = MEMBER(&f, head, Ehdr, e_phoff);
	n = MEMBER(&f, head, Ehdr, e_phnum);
	size = f.wide ? sizeof(Elf64_Phdr) : sizeof(Elf32_Phdr);
	if (MEMBER(&f, head, Ehdr, e_phentsize) != size || n > HEADERS_MAX)
		return false;
	for (uint64_t i = 0; i < n; i++) {
		uint8_t bytes[sizeof(Elf64_Phdr)];
		struct segment s;

		if (at > INT64_MAX || !read_at(&f, at + i * size, bytes, size))
			break;
		s.type = (uint32_t)MEMBER(&f, bytes, Phdr, p_type);
		s.offset = MEMBER(&f, bytes, Phdr, p_offset);
		s.size = MEMBER(&f, bytes, Phdr, p_filesz);
		s.align = MEMBER(&f, bytes, Phdr, p_align);
		if (s.type == PT_INTERP && !out->interpreter[0])
			read_interpreter(&f, &s, out);
		else if (s.type == PT_NOTE && !out->build_id_len && notes++ < NOTE_SEGMENTS_MAX)
			read_notes(&f, &s, out);
	}
	return true;
}
