/* SPDX-License-Identifier: BSD-2-Clause */
#include "btffile.h"

#include <bpf/btf.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "btf.h"
#include "btfcheck.h"
#include "explain.h"

/* Several times what the largest kernels have. */
#define SIZE_LIMIT (64u << 20)
/* Of a name in a message, which has more to say. */
#define NAME_SHOWN 200

#ifndef MFD_NOEXEC_SEAL	/* Linux 6.3 */
#define MFD_NOEXEC_SEAL 0x8u
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define OWN_ORDER ELFDATA2LSB
#else
#define OWN_ORDER ELFDATA2MSB
#endif

/* Where a system call has its number when the programs look at it. */
#if defined(__x86_64__)
#define NUMBER_MEMBER "orig_ax"
#elif defined(__aarch64__)
#define NUMBER_MEMBER "syscallno"
#endif

struct btffile {
	struct btf *btf;
	int copy;
	char path[32];		/* of copy */
	char name[NAME_SHOWN + 4];
};

static int fail(struct probe_error *err, const struct btffile *f, const char *what)
{
	explain(err, "'%s' %s; --btf needs the BTF of exactly the kernel that runs", f->name, what);
	return -1;
}

static int fail_errno(struct probe_error *err, const struct btffile *f, const char *what)
{
	explain(err, "cannot %s '%s': %s", what, f->name, strerror(errno));
	return -1;
}

/* All of size bytes at offset at; false, with errno 0 where the file ends before that. */
static bool read_at(int fd, uint64_t at, void *to, size_t size)
{
	char *p = to;

	while (size) {
		ssize_t n = at > INT64_MAX - size ? 0 : pread(fd, p, size, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			errno = n ? errno : 0;
			return false;
		}
		p += n;
		at += (uint64_t)n;
		size -= (size_t)n;
	}
	return true;
}

/* Finds the section .BTF; what is wrong, or NULL. */
static const char *find_section(int fd, uint64_t *at, uint64_t *size)
{
	static const char wanted[] = ".BTF", cut[] = "is an ELF file that is cut off";
	Elf64_Shdr names, section;
	char name[sizeof(wanted)];
	Elf64_Ehdr head;

	if (!read_at(fd, 0, &head, sizeof(head)))
		return cut;
	if (head.e_ident[EI_CLASS] != ELFCLASS64 || head.e_ident[EI_DATA] != OWN_ORDER)
		return "is an ELF file of another machine";
	if (!head.e_shnum || head.e_shentsize != sizeof(section) || head.e_shstrndx >= head.e_shnum)
		return "is an ELF file without a section .BTF";
	if (!read_at(fd, head.e_shoff + head.e_shstrndx * sizeof(names), &names, sizeof(names)))
		return cut;
	for (unsigned i = 0; i < head.e_shnum; i++) {
		if (!read_at(fd, head.e_shoff + i * sizeof(section), &section, sizeof(section)))
			return cut;
		if (!read_at(fd, names.sh_offset + section.sh_name, name, sizeof(name)) ||
		    memcmp(name, wanted, sizeof(name)) != 0)
			continue;
		if (section.sh_type == SHT_NOBITS || section.sh_flags & SHF_COMPRESSED)
			return "has a section .BTF that is compressed, or empty";
		*at = section.sh_offset;
		*size = section.sh_size;
		return NULL;
	}
	return "is an ELF file without a section .BTF";
}

/* Reads what there is of BTF, to be freed. */
static int read_btf(struct btffile *f, int fd, void **out, size_t *out_size,
		    struct probe_error *err)
{
	uint64_t at = 0, size;
	char magic[SELFMAG];
	const char *fault;
	struct stat st;

	if (fstat(fd, &st) != 0)
		return fail_errno(err, f, "look at");
	if (!S_ISREG(st.st_mode))
		return fail(err, f, "is not a regular file");
	size = (uint64_t)st.st_size;
	if (read_at(fd, 0, magic, sizeof(magic)) && !memcmp(magic, ELFMAG, SELFMAG)) {
		fault = find_section(fd, &at, &size);
		if (fault)
			return fail(err, f, fault);
	}
	if (size > SIZE_LIMIT)
		return fail(err, f, "is larger than any kernel's BTF, 64 MiB");
	*out = malloc(size + 1);
	if (!*out)
		return fail_errno(err, f, "read");
	if (!read_at(fd, at, *out, size))
		return errno ? fail_errno(err, f, "read") : fail(err, f, "is cut off");
	*out_size = size;
	return 0;
}

/* Whether it can be a kernel's, of this kind of machine. What is wrong, or NULL. */
static const char *check_kernel(const struct btf *btf)
{
	if (!btf_has_member(btf, "task_struct", "pid"))
		return "is BTF, but not of a kernel: it has no task_struct";
	if (btf__pointer_size(btf) != sizeof(void *) || !btf_has_member(btf, "pt_regs", NUMBER_MEMBER))
		return "is the BTF of another kind of machine";
	return NULL;
}

/* So that libbpf, which takes a path, has what was checked. */
static int copy(struct btffile *f, const char *data, size_t size, struct probe_error *err)
{
	f->copy = memfd_create("btf", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
	if (f->copy < 0)
		f->copy = memfd_create("btf", MFD_CLOEXEC);
	if (f->copy < 0)
		return fail_errno(err, f, "copy");
	while (size) {
		ssize_t n = write(f->copy, data, size);

		if (n < 0)
			return fail_errno(err, f, "copy");
		data += n;
		size -= (size_t)n;
	}
	snprintf(f->path, sizeof(f->path), "/proc/self/fd/%d", f->copy);
	return 0;
}

static int load(struct btffile *f, int fd, struct probe_error *err)
{
	void *data = NULL;
	const char *fault;
	size_t size = 0;
	int ret;

	ret = read_btf(f, fd, &data, &size, err);
	if (ret)
		goto out;
	fault = btfcheck(data, size);
	if (!fault) {
		f->btf = btf__new(data, (__u32)size);
		fault = f->btf ? check_kernel(f->btf) : "is not taken by libbpf";
	}
	ret = fault ? fail(err, f, fault) : copy(f, data, size, err);
out:
	free(data);
	return ret;
}

int btffile_open(const char *path, struct btffile **out, struct probe_error *err)
{
	struct btffile *f;
	int fd, ret;

	*out = NULL;
	if (getauxval(AT_SECURE)) {
		explain(err, "--btf is not for a recorder that has more rights than its caller "
			"(capabilities of its file): the file would say where in the kernel it "
			"reads; run it with sudo");
		return -1;
	}
	f = calloc(1, sizeof(*f));
	if (!f) {
		explain(err, "out of memory");
		return -1;
	}
	f->copy = -1;
	snprintf(f->name, sizeof(f->name), "%.*s%s", NAME_SHOWN, path,
		 strlen(path) > NAME_SHOWN ? "..." : "");
	/* What is no file has nothing begin or wait. */
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	ret = fd < 0 ? fail_errno(err, f, "open") : load(f, fd, err);
	if (fd >= 0)
		close(fd);
	if (ret) {
		btffile_close(f);
		return ret;
	}
	*out = f;
	return 0;
}

const struct btf *btffile_btf(const struct btffile *f)
{
	return f->btf;
}

const char *btffile_path(const struct btffile *f)
{
	return f->path;
}

const char *btffile_name(const struct btffile *f)
{
	return f->name;
}

void btffile_close(struct btffile *f)
{
	if (!f)
		return;
	btf__free(f->btf);
	if (f->copy >= 0)
		close(f->copy);
	free(f);
}
