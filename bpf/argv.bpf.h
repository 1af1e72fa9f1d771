/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * argv.bpf.h - arguments and environment, from a new program's stack or from the
 * memory of one that asked for an exec in vain.
 *
 * Each copy from user memory costs about as much as the rest of an event, so
 * there are as few as possible: one for the whole argv of a new program; for a
 * failed call one for the pointers and, when the strings lie close together,
 * which is usual, one for all of them. Otherwise, each string costs one.
 */
#ifndef EXECTRACE_ARGV_BPF_H
#define EXECTRACE_ARGV_BPF_H

#include "record.bpf.h"

#define SPAN_SIZE 4096			/* the furthest apart that strings are read at once */
#define TAIL 128			/* of the last of them, read along with the others */
#define PAGE 4096			/* the smallest there is: what a fault cannot cut */

/* The most steps that are taken: pointers and strings of the kernel's own limit, and more. */
#define STRING_ROUNDS (1 << 23)
#define POINTER_ROUNDS (STRING_ROUNDS / POINTERS)

/* Bytes from at to the end of its page, but no more than n. */
static __always_inline __u32 in_page(__u64 at, __u32 n)
{
	__u32 rest = PAGE - (at & (PAGE - 1));

	return rest < n ? rest : n;
}

/*
 * Copies a string from user memory, at most size bytes with its NUL, and returns how many,
 * or an error. Older kernels do not count the NUL of an empty one.
 */
static __always_inline long user_string(void *to, __u32 size, __u64 from)
{
	long n = bpf_probe_read_user_str(to, size, (void *)from);

	return n ? n : 1;
}

/* A flag of argv's, for the list at hand. */
static __always_inline void flag(struct scratch *s, enum wire_flag argv_flag)
{
	s->flags |= argv_flag << (s->list & WIRE_LIST_ENV);
}

/* One chunk of a new program's list; sends the part before it when that is full. 0: the last. */
__noinline int program_chunk(void)
{
	struct scratch *s = scratch();
	__u32 used, n;

	if (!s || !s->left || s->failed)
		return 0;
	if (s->used > FIXED_SIZE)
		record_part(false);
	used = s->used;
	if (used > FIXED_SIZE)
		return 0;
	n = s->left;
	if (n > CHUNK_SIZE)
		n = CHUNK_SIZE;
	if (bpf_probe_read_user(s->rec.data + used, n, (void *)s->at)) {
		/* The copy is all or nothing: find out how far it can go. */
		n = in_page(s->at, n);
		if (n > CHUNK_SIZE ||
		    bpf_probe_read_user(s->rec.data + used, n, (void *)s->at)) {
			flag(s, WIRE_ARGV_UNREADABLE);
			return 0;
		}
	}
	s->used = used + n;
	s->at += n;
	s->left -= n;
	return s->left > 0;
}

static __always_inline __u32 list_size(__u64 start, __u64 end)
{
	return start > end ? 0 : end - start;
}

/* A list of a new program: the kernel has just written it, in one piece. */
static __always_inline void list_of_program(struct scratch *s, __u64 start, __u32 size, __u32 max)
{
	s->at = start;
	s->left = size;
	if (size > max) {
		s->left = max;
		flag(s, WIRE_ARGV_TRUNCATED);
	}
	/* Each but the last few takes CHUNK_SIZE, of 2 MiB at the most. */
	for (int i = 0; i < LOOP; i++)
		if (!program_chunk())
			break;
}

/* Loads pointers from the one numbered next on; false when there are none to be read. */
static __always_inline bool pointers_load(struct scratch *s)
{
	__u64 at;
	__u32 n;

	/* What lies behind the final NULL may not be there: stay on the page. */
	if (s->narrow) {
		at = s->array + (__u64)s->next * sizeof(__u32);
		n = in_page(at, sizeof(s->pointers32)) & -sizeof(__u32);
		if (!n)
			n = sizeof(__u32);	/* an unaligned one across the end of the page */
		if (n > sizeof(s->pointers32) || bpf_probe_read_user(s->pointers32, n, (void *)at))
			return false;
		for (int i = 0; i < POINTERS; i++)
			s->pointers[i] = s->pointers32[i];
		n /= sizeof(__u32);
	} else {
		at = s->array + (__u64)s->next * sizeof(__u64);
		n = in_page(at, sizeof(s->pointers)) & -sizeof(__u64);
		if (!n)
			n = sizeof(__u64);
		if (n > sizeof(s->pointers) || bpf_probe_read_user(s->pointers, n, (void *)at))
			return false;
		n /= sizeof(__u64);
	}
	s->first = s->next;
	s->loaded = s->next + n;
	return true;
}

/* Counts pointers up to the NULL among those loaded. True when the NULL was there. */
static __always_inline bool pointers_count(struct scratch *s)
{
	__u32 i, n = s->loaded - s->first;
	__u64 p = 1;

	for (i = 0; i < POINTERS; i++) {
		if (i >= n)
			break;
		p = s->pointers[i];
		if (!p)
			break;
	}
	s->count = s->first + i;
	return !p;
}

/* Counts some pointers; 0 when there are no further ones. */
__noinline int caller_pointers(void)
{
	struct scratch *s = scratch();

	if (!s)
		return 0;
	s->next = s->loaded;
	if (!pointers_load(s)) {
		flag(s, WIRE_ARGV_UNREADABLE);
		return 0;
	}
	if (!pointers_count(s))
		return 1;
	flag(s, WIRE_ARGC_KNOWN);
	return 0;
}

__noinline int caller_pointers_loop(void)
{
	for (int i = 0; i < LOOP; i++)
		if (!caller_pointers())
			return 0;
	return 1;
}

/* Begins a list of a caller: how many pointers there are, up to NULL or as far as they go. */
static __always_inline void caller_count(struct scratch *s, __u64 array, __u32 max)
{
	s->array = array;
	s->at = 0;
	s->left = max;
	s->count = 0;
	s->next = 0;
	s->loaded = 0;
	if (!array) {
		flag(s, WIRE_ARGC_KNOWN);	/* which Linux takes as an empty one */
		return;
	}
	for (int i = 0; i < POINTER_ROUNDS / LOOP; i++)
		if (!caller_pointers_loop())
			break;
}

/* Takes the caller's next string, or a piece of it if it is long; 0: there is no further one. */
__noinline int caller_string(void)
{
	struct scratch *s = scratch();
	__u32 used, size;
	long n;

	if (!s || s->failed)
		return 0;
	if (!s->at) {
		if (s->next >= s->count)
			return 0;
		if (!s->left) {
			flag(s, WIRE_ARGV_TRUNCATED);
			return 0;
		}
		if (s->next >= s->loaded && !pointers_load(s)) {
			flag(s, WIRE_ARGV_UNREADABLE);
			return 0;
		}
		s->at = s->pointers[(s->next - s->first) % POINTERS];
	}
	if (s->used > FIXED_SIZE)
		record_part(false);
	used = s->used;
	if (used > FIXED_SIZE)
		return 0;
	size = s->left < CHUNK_SIZE ? s->left + 1 : CHUNK_SIZE;
	/* Hides where it comes from: else the compiler checks a register and uses another. */
	asm volatile("" : "+r"(size));
	if (size > CHUNK_SIZE)
		return 0;
	n = user_string(s->rec.data + used, size, s->at);
	if (n <= 0 || n > CHUNK_SIZE) {
		flag(s, WIRE_ARGV_UNREADABLE);
		return 0;
	}
	if (n < size) {
		s->at = 0;
		s->next++;
	} else {
		/* Its end may be further on: leave the NUL that the copy has put. */
		n--;
		s->at += n;
	}
	s->used = used + n;
	s->left -= n;
	if (s->at && !s->left) {
		flag(s, WIRE_ARGV_TRUNCATED);
		return 0;
	}
	return 1;
}

__noinline int caller_strings(void)
{
	for (int i = 0; i < LOOP; i++)
		if (!caller_string())
			return 0;
	return 1;
}

__noinline int caller_strings_loop(void)
{
	for (int i = 0; i < LOOP; i++)
		if (!caller_strings())
			return 0;
	return 1;
}

/* The strings of a list that was counted, one by one. */
static __always_inline void caller_list(struct scratch *s)
{
	s->next = 0;
	s->loaded = 0;
	for (int i = 0; i < STRING_ROUNDS / LOOP / LOOP; i++)
		if (!caller_strings_loop())
			break;
}

/* The same value, of which the verifier knows nothing any more: not one state for each. */
static __always_inline __u32 forget(__u32 *at, __u32 value)
{
	*(volatile __u32 *)at = value;
	return *(volatile __u32 *)at;
}

#define EACH_BYTE 0x0101010101010101ull

/* Of a string that begins in a word, how many bytes up to its NUL and with it; 0: it goes on. */
static __always_inline __u32 up_to_nul(__u64 word)
{
	/* Marks its zero bytes, of which the first counts: a borrow may mark others behind it. */
	__u64 marks = (word - EACH_BYTE) & ~word & EACH_BYTE << 7;

	/* All bits below the first mark: one of each byte, added up in the uppermost byte. */
	return marks ? (((marks & -marks) - 1) & EACH_BYTE) * EACH_BYTE >> 56 : 0;
}

/* The length of a string with its NUL, of which TAIL bytes lie at data; 0: its end does not. */
static __always_inline __u32 tail_length(const char *data)
{
	for (__u32 i = 0; i < TAIL; i += sizeof(__u64)) {
		__u32 n = up_to_nul(*(const __u64 *)(data + i));

		if (n)
			return i + n;
	}
	return 0;
}

/*
 * All pointers at once, and all strings: memory from the lowest pointer to the end of the
 * string that begins at the highest. The NUL there ends whatever string reaches that far, so
 * that none leads out. When the filename lies near, it comes along as one more string.
 * 0: there are too many, they are too far apart, or not all of it is there.
 */
__noinline int argv_span(__u64 filename, __u64 array)
{
	struct scratch *s = scratch();
	__u64 low = -1, high = 0;
	__u32 argc, used, size, tail;
	__u64 *pointers;
	long n;

	if (!s)
		return 0;
	/* What lies behind the final NULL may not be there: stay on the page. */
	size = in_page(array, POINTERS * sizeof(__u64)) & -sizeof(__u64);
	if (size > POINTERS * sizeof(__u64) ||
	    bpf_probe_read_user(s->rec.data, size, (void *)array))
		return 0;
	pointers = (__u64 *)s->rec.data;
	for (argc = 0; argc < POINTERS; argc++) {
		__u64 p = pointers[argc];

		if (argc >= size / sizeof(__u64))
			return 0;
		if (!p)
			break;
		if (p < low)
			low = p;
		if (p > high)
			high = p;
	}
	argc = forget(&s->count, argc);
	if (!argc || argc >= POINTERS || high - low > SPAN_SIZE)
		return 0;
	used = argc * sizeof(__u64);
	if ((filename < low ? high - filename : filename - low) <= SPAN_SIZE) {
		*(__u64 *)(s->rec.data + used) = filename;
		used += sizeof(__u64);
		s->rec.exec.filename_len = WIRE_IN_SPAN;
		if (filename < low)
			low = filename;
		if (filename > high)
			high = filename;
	} else {
		n = user_string(s->rec.data + used, PATH_SIZE, filename);
		if (n <= 0)
			return 0;
		s->rec.exec.filename_len = n - 1;
		used += n - 1;
	}

	/* The beginning of the last string comes along; nearly always that is all of it. */
	tail = in_page(high, TAIL) == TAIL ? TAIL : 0;
	size = high - low;
	/* For the verifier; the compiler knows, or believes that it need not. */
	asm volatile("" : "+r"(size), "+r"(used), "+r"(tail));
	if (size > SPAN_SIZE || tail > TAIL || used > FIXED_SIZE - SPAN_SIZE - TAIL)
		return 0;
	if (bpf_probe_read_user(s->rec.data + used, size + tail, (void *)low))
		return 0;
	used += size;
	n = forget(&s->left, tail ? tail_length(s->rec.data + used) : 0);
	if (!n)
		n = user_string(s->rec.data + used, CHUNK_SIZE, high);
	if (n <= 0 || n >= CHUNK_SIZE || size + n > max_args)
		return 0;
	s->rec.exec.span = low;
	s->rec.exec.argc = argc;
	s->flags |= WIRE_ARGC_KNOWN;
	s->used = used + n;
	return 1;
}

/* filename and argv of a call that failed, from the memory of its caller. */
static __always_inline void argv_of_caller(struct scratch *s, __u64 filename, __u64 argv)
{
	long n;

	if (!s->narrow && argv_span(filename, argv))
		return;
	caller_count(s, argv, max_args);
	s->rec.exec.argc = s->count;
	n = user_string(s->rec.data, PATH_SIZE, filename);
	if (n > 0)
		s->used = n - 1;
	s->rec.exec.filename_len = n > 0 ? n - 1 : WIRE_NONE;
	if (s->count)
		caller_list(s);
}

/* What comes before the strings of an environment, in a part of its own. */
static __always_inline struct wire_env *env_begin(struct scratch *s)
{
	struct wire_env *e = (struct wire_env *)s->rec.data;

	record_part(false);
	s->flags |= WIRE_ENV;
	s->list = WIRE_LIST_ENV;
	return e;
}

/* The environment of a new program. */
static __always_inline void env_of_program(struct scratch *s, __u64 start, __u32 size, __u32 count)
{
	struct wire_env *e = env_begin(s);

	s->used = sizeof(*e);
	e->max = max_env;
	e->count = count;
	e->size = size;
	e->pad = 0;
	s->flags |= WIRE_ENVC_KNOWN;
	list_of_program(s, start, size, max_env);
}

/* The environment that a call that failed has asked for. */
static __always_inline void env_of_caller(struct scratch *s, __u64 envp)
{
	struct wire_env *e = env_begin(s);

	caller_count(s, envp, max_env);
	s->used = sizeof(*e);
	e->max = max_env;
	e->count = s->count;
	e->size = 0;
	e->pad = 0;
	if (s->count)
		caller_list(s);
}

#endif
