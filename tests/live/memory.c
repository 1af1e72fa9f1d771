/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * memory.c - arguments in memory that is not there yet, not there any more, or
 * never was: cold pages of files, swapped pages, bad pointers, a killer meanwhile.
 *
 * The kernel reads the arguments of an execution that succeeds, so they are known
 * whatever memory they lay in. Where a call fails before that, nobody has read
 * them, and a recorder that may not wait for a page can only say so.
 */
#include "hostile.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <unistd.h>

#define COLD_STRINGS 300
#define COLD_SIZE (256 << 10)

static const char *const nowhere = "/nonexistent/program";

/* The arguments and their pointers, all in one file, as they lie at address base. */
struct block {
	char *data;
	size_t size;
	char **argv, **env; /* our own copy, to say what they are */
};

static struct block block;
static char *where; /* the mapping in the child */
static int swap_fd = -1;

static char *at_base(size_t offset)
{
	return (char *)0x200000000000 + offset; /* the same in each child, free in all */
}

static void block_make(void)
{
	size_t at = 4096 * 2, n = 0, envs = 3;
	char **pointers;

	block.data = calloc(1, COLD_SIZE);
	block.argv = calloc(COLD_STRINGS + 1, sizeof(char *));
	block.env = calloc(envs + 1, sizeof(char *));
	check(block.data && block.argv && block.env, "calloc");
	pointers = (char **)(void *)block.data;
	for (; n < COLD_STRINGS; n++) {
		block.argv[n] = block.data + at;
		pointers[n] = at_base(at);
		at += (size_t)sprintf(block.data + at, "cold argument %zu%*s", n,
				      (int)(n % 50 * 13), "x") +
		      1;
	}
	for (size_t i = 0; i < envs; i++) {
		block.env[i] = block.data + at;
		pointers[COLD_STRINGS + 1 + i] = at_base(at);
		at += (size_t)sprintf(block.data + at,
				      i ? "COLD_%zu=value of a cold one" : "HOSTILE_DO=exit 0",
				      i) +
		      1;
	}
	check(at < COLD_SIZE, "the cold block");
	block.size = COLD_SIZE;
}

static void call_block(const struct attempt *a, char *const *env)
{
	(void)env;
	execve(a->filename, (char **)(void *)where, (char **)(void *)where + COLD_STRINGS + 1);
}

/* A private mapping of a file that nobody has touched, its pages dropped from memory. */
static void map_cold(void)
{
	int fd = open("cold", O_RDONLY | O_CLOEXEC);

	where = mmap(at_base(0), block.size, PROT_READ, MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd,
		     0);
	if (where != at_base(0))
		unable("mmap at a fixed place");
	close(fd);
}

/* Memory of a process's own, filled and given up again. */
static void map_out(void)
{
	where = mmap(at_base(0), block.size, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
	if (where != at_base(0))
		unable("mmap at a fixed place");
	memcpy(where, block.data, block.size);
	if (madvise(where, block.size, MADV_PAGEOUT) != 0)
		unable("MADV_PAGEOUT");
}

/* Whether no page is mapped: then each must be fetched from somewhere
 * (Documentation/admin-guide/mm/pagemap.rst). */
static bool is_out(void)
{
	size_t page = (size_t)getpagesize(), pages = block.size / page;
	uint64_t entry, there = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		unable("/proc/self/pagemap");
	for (size_t i = 0; i < pages; i++) {
		check(pread(fd, &entry, sizeof(entry),
			    (off_t)(((uintptr_t)where / page + i) * sizeof(entry))) ==
			      sizeof(entry),
		      "/proc/self/pagemap");
		there += entry >> 63;
	}
	close(fd);
	return there == 0;
}

static void map_swapped(void)
{
	map_out();
	for (int tries = 0; !is_out(); tries++) {
		if (tries == 50) {
			errno = EBUSY;
			unable("pages stay in memory");
		}
		nap(10);
		madvise(where, block.size, MADV_PAGEOUT);
	}
}

/* Each in memory that has to be read first. */
static void cold_block(const char *kind, void (*prepare)(void))
{
	static const struct {
		const char *step, *file;
		enum argv_mode mode;
	} rows[] = {
		{ "executed", NULL, ARGV_EXACT },
		{ "failing before they are read", "/nonexistent/program", ARGV_MAYBE },
		/* The format of a file is looked at after the arguments were copied. */
		{ "failing after they were read", "./format", ARGV_EXACT },
	};
	static char step[128];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		snprintf(step, sizeof(step), "%s, %s", kind, rows[i].step);
		attempt(&(struct attempt){ .step = step,
					   .filename = rows[i].file ? rows[i].file : target,
					   .argv = block.argv,
					   .env = block.env,
					   .cold = true,
					   .argv_mode = rows[i].mode,
					   .env_mode = rows[i].mode,
					   .prepare = prepare,
					   .call = call_block });
	}
}

static void cold(void)
{
	int fd;

	block_make();
	write_text("format", "text without a first line that says how\n", 0755);
	write_file("cold", block.data, block.size, 0644);
	fd = open("cold", O_RDONLY | O_CLOEXEC);
	check(fd >= 0 && fsync(fd) == 0, "cold");
	check(posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0, "fadvise");
	close(fd);
	cold_block("cold pages of a file", map_cold);
	cold_block("pages given up", map_out);
}

/* ---- Swapped out ---------------------------------------------------------------- */

#define SWAP_PAGES 1024

/* As mkswap(8): a header at the begin of the first page, its name at the end. */
static bool swap_make(const char *name)
{
	size_t page = (size_t)getpagesize();
	char *data = calloc(SWAP_PAGES, page);
	uint32_t version = 1, last = SWAP_PAGES - 1;

	check(data, "calloc");
	memcpy(data + 1024, &version, 4);
	memcpy(data + 1028, &last, 4);
	memcpy(data + page - 10, "SWAPSPACE2", 10);
	write_file(name, data, SWAP_PAGES * page, 0600);
	free(data);
	swap_fd = open(name, O_RDONLY | O_CLOEXEC);
	check(swap_fd >= 0 && fsync(swap_fd) == 0, name);
	return swapon(name, 0) == 0;
}

static void swapped(void)
{
	char reason[128];

	if (!swap_make("swap")) {
		snprintf(reason, sizeof(reason), "swapon: %s", strerror(errno));
		say_skip("swapped pages", reason);
	} else {
		cold_block("swapped pages", map_swapped);
		check(swapoff("swap") == 0, "swapoff");
	}
	close(swap_fd);
	unlink("swap");
}

/* ---- Bad pointers --------------------------------------------------------------- */

/* The last bytes of a mapping, with nothing behind it. */
static char *edge(size_t room)
{
	size_t page = (size_t)getpagesize();
	char *p = mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		       0);

	check(p != MAP_FAILED && munmap(p + 2 * page, 2 * page) == 0, "mmap");
	memset(p, 'e', 2 * page);
	return p + 2 * page - room;
}

static void bad(void)
{
	char *last = edge(20), **list, *open_end = edge(20);
	int fd;
	char *page;

	memcpy(last, "ends with the page.", 20);
	list = (char **)(void *)edge(3 * sizeof(char *));
	list[0] = S("list ends with the page");
	list[1] = last;
	list[2] = NULL;
	attempt(&(struct attempt){
		.step = "at the end of a mapping", .filename = target, .argv = list });
	attempt(&(struct attempt){ .step = "at the end of a mapping, failing",
				   .filename = nowhere,
				   .argv = list });

	/* Memory of the caller that cannot be read must be called so. */
#define TRY(name, file, ...)                                                                  \
	attempt(&(struct attempt){ .step = name,                                              \
				   .filename = file,                                          \
				   .argv = __VA_ARGS__,                                       \
				   .argv_mode = ARGV_UNREADABLE })
	TRY("EFAULT", target, (char **)8);
	TRY("EFAULT, address of the kernel", target, (char **)-4096);
	TRY("EFAULT, no address at all", target, (char **)0x8000000000000000u);
	TRY("bad pointer among arguments", nowhere, ARGV(S("a"), (char *)8, S("c")));
	TRY("bad pointer among arguments, EFAULT", target, ARGV(S("a"), (char *)8, S("c")));
	TRY("pointer into the kernel among arguments", nowhere,
	    ARGV(S("a"), (char *)-4096, S("c")));
	TRY("bad pointer at the end", nowhere, ARGV(S("a"), S("b"), (char *)8));
	TRY("argument without an end", target, ARGV(S("a"), open_end));
	TRY("argument without an end, failing", nowhere, ARGV(S("a"), open_end, S("c")));
	list = (char **)(void *)edge(2 * sizeof(char *));
	list[0] = S("list");
	list[1] = S("without an end");
	TRY("list without an end", target, list);
	TRY("list without an end, failing", nowhere, list);
#undef TRY
	attempt(&(struct attempt){
		.step = "no filename", .filename = NULL, .argv = ARGV(S("a"), S("b")) });
	attempt(&(struct attempt){ .step = "filename in the kernel",
				   .filename = (char *)-4096,
				   .no_filename = true,
				   .argv = ARGV(S("a"), S("b")) });
	attempt(&(struct attempt){ .step = "filename without an end",
				   .filename = open_end,
				   .no_filename = true,
				   .argv = ARGV(S("a"), S("b")) });
	attempt(&(struct attempt){ .step = "environment at a bad pointer",
				   .filename = target,
				   .argv = ARGV(S("a")),
				   .env = (char **)8,
				   .env_mode = ARGV_UNREADABLE });
	attempt(&(struct attempt){ .step = "bad pointer in the environment",
				   .filename = nowhere,
				   .argv = ARGV(S("a")),
				   .env = ARGV(S("A=1"), (char *)8),
				   .env_mode = ARGV_UNREADABLE });

	/* A page that nobody has touched: the kernel looks for the file first. */
	write_text("words", "untouched argument", 0644);
	fd = open("words", O_RDONLY | O_CLOEXEC);
	page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
	check(fd >= 0 && page != MAP_FAILED, "mmap");
	close(fd);
	attempt(&(struct attempt){ .step = "untouched page",
				   .filename = nowhere,
				   .argv = ARGV(S("a"), page),
				   .argv_mode = ARGV_MAYBE });
}

/* ---- Killed while the kernel copies ------------------------------------------------ */

static char *awaited; /* a page that a call waits for, for ever */

static void map_awaited(void)
{
	size_t page = (size_t)getpagesize();
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC);

	if (fd < 0 || ioctl(fd, UFFDIO_API, &api) != 0)
		unable("userfaultfd");
	awaited = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	reg.range.start = (uintptr_t)awaited;
	reg.range.len = page;
	if (awaited == MAP_FAILED || ioctl(fd, UFFDIO_REGISTER, &reg) != 0)
		unable("UFFDIO_REGISTER");
	/* The file must stay open until the end: execve closes it only when it cannot fail any
	 * more. */
}

static void call_awaited(const struct attempt *a, char *const *env)
{
	char *argv[] = { S("killed"), S("meanwhile"), awaited, S("rest"), NULL };

	note->stage = 1;
	execve(a->filename, argv, env);
}

static void kill_asleep(pid_t pid)
{
	until_asleep(pid);
	kill(pid, SIGKILL);
}

static void killed(void)
{
	attempt(&(struct attempt){ .step = "killed while the kernel copies",
				   .filename = target,
				   .argv = ARGV(S("killed")),
				   .argv_mode = ARGV_UNREADABLE,
				   .outcome = HIDDEN,
				   .error = EFAULT,
				   .prepare = map_awaited,
				   .call = call_awaited,
				   .meanwhile = kill_asleep });
}

void memory(void)
{
	cold();
	swapped();
	bad();
	killed();
}
