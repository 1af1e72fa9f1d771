/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * argv.bpf.h - arguments, from a new program's stack or from the memory of one
 * that asked for an exec in vain.
 *
 * Each copy from user memory costs about as much as the rest of an event, so
 * there are as few as possible: one for the whole argv of a new program; for a
 * failed call one for the pointers and, when the strings lie close together,
 * which is usual, two for all of them. Otherwise, each string costs one.
 */
#ifndef EXECTRACE_ARGV_BPF_H
#define EXECTRACE_ARGV_BPF_H

#include "record.bpf.h"

#define SPAN_SIZE 4096			/* the furthest apart that strings are read at once */
#define ARGV_STEPS (1 << 23)		/* the most rounds that bpf_loop allows */
#define PAGE 4096			/* the smallest there is: what a fault cannot cut */

/* Bytes from at to the end of its page, but no more than n. */
static __always_inline __u32 in_page(__u64 at, __u32 n)
{
	__u32 rest = PAGE - (at & (PAGE - 1));

	return rest < n ? rest : n;
}

/* One chunk of a new program's argv; sends the part before it when that is full. */
static long argv_chunk(__u32 i, void *ctx)
{
	struct scratch *s = *(struct scratch **)ctx;
	__u32 used, n = s->left;

	if (!n || s->failed)
		return 1;
	if (s->used > FIXED_SIZE)
		record_part(s, false);
	used = s->used;
	if (used > FIXED_SIZE)
		return 1;
	if (n > CHUNK_SIZE)
		n = CHUNK_SIZE;
	if (bpf_probe_read_user(s->rec.data + used, n, (void *)s->at)) {
		/* The copy is all or nothing: find out how far it can go. */
		n = in_page(s->at, n);
		if (n > CHUNK_SIZE ||
		    bpf_probe_read_user(s->rec.data + used, n, (void *)s->at)) {
			s->flags |= WIRE_ARGV_UNREADABLE;
			return 1;
		}
	}
	s->used = used + n;
	s->at += n;
	s->left -= n;
	return 0;
}

/* argv of a new program: the kernel has just written it, in one piece. */
static __always_inline void argv_of_program(struct scratch *s, __u64 start, __u64 end)
{
	__u64 size = end - start;

	if (start > end)
		size = 0;
	s->rec.exec.argv_size = size;
	s->at = start;
	s->left = size;
	if (size > max_args) {
		s->left = max_args;
		s->flags |= WIRE_ARGV_TRUNCATED;
	}
	/* Nearly always one is enough, and a call costs less than the loop. */
	argv_chunk(0, &s);
	if (s->left)
		bpf_loop(ARGV_STEPS, argv_chunk, &s, 0);
}

/* Loads pointers from argument next on; false when there are none to be read. */
static __always_inline bool pointers_load(struct scratch *s)
{
	__u64 at = s->argv + (__u64)s->next * sizeof(__u64);
	/* What lies behind the final NULL may not be there: stay on the page. */
	__u32 n = in_page(at, sizeof(s->pointers)) & -sizeof(__u64);

	if (!n)
		n = sizeof(__u64);	/* an unaligned one across the end of the page */
	if (n > sizeof(s->pointers) || bpf_probe_read_user(s->pointers, n, (void *)at))
		return false;
	s->first = s->next;
	s->loaded = s->next + n / sizeof(__u64);
	return true;
}

/*
 * Counts pointers up to the NULL among those loaded, notes the lowest and the
 * highest, and puts them where argv_span wants them. True when the NULL was there.
 */
static __always_inline bool pointers_count(struct scratch *s)
{
	__u32 i, n = s->loaded - s->first;
	__u64 low = s->low, high = s->high, p = 1;
	/* Beyond POINTERS it comes round; argv_span takes no more than that anyway. */
	__u64 *out = (__u64 *)s->rec.data + s->first % POINTERS;

	for (i = 0; i < POINTERS; i++) {
		if (i >= n)
			break;
		p = s->pointers[i];
		out[i] = p;
		if (!p)
			break;
		if (p < low)
			low = p;
		if (p > high)
			high = p;
	}
	s->argc = s->first + i;
	s->low = low;
	s->high = high;
	return !p;
}

static long pointers_step(__u32 i, void *ctx)
{
	struct scratch *s = *(struct scratch **)ctx;

	s->next = s->loaded;
	if (!pointers_load(s)) {
		s->flags |= WIRE_ARGV_UNREADABLE;
		return 1;
	}
	if (!pointers_count(s))
		return 0;
	s->flags |= WIRE_ARGC_KNOWN;
	return 1;
}

/* Takes the next argument, or a piece of it if it is long. */
static long argv_string(__u32 i, void *ctx)
{
	struct scratch *s = *(struct scratch **)ctx;
	__u32 used, size;
	long n;

	if (s->failed)
		return 1;
	if (!s->at) {
		if (s->next >= s->argc)
			return 1;
		if (!s->left) {
			s->flags |= WIRE_ARGV_TRUNCATED;
			return 1;
		}
		if (s->next >= s->loaded && !pointers_load(s)) {
			s->flags |= WIRE_ARGV_UNREADABLE;
			return 1;
		}
		s->at = s->pointers[(s->next - s->first) % POINTERS];
	}
	if (s->used > FIXED_SIZE)
		record_part(s, false);
	used = s->used;
	if (used > FIXED_SIZE)
		return 1;
	size = s->left < CHUNK_SIZE ? s->left + 1 : CHUNK_SIZE;
	n = bpf_probe_read_user_str(s->rec.data + used, size, (void *)s->at);
	if (n <= 0 || n > CHUNK_SIZE) {
		s->flags |= WIRE_ARGV_UNREADABLE;
		return 1;
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
		s->flags |= WIRE_ARGV_TRUNCATED;
		return 1;
	}
	return 0;
}

/*
 * All strings at once: memory from the lowest pointer to the highest, then the
 * string that begins there. Its NUL ends whatever string reaches that far, so
 * that none leads out. When the filename lies near, it comes along as one more
 * string. False: they are too far apart, or not all of it is there.
 */
static __always_inline bool argv_span(struct scratch *s, const char *filename)
{
	__u64 low = s->low, high = s->high, name = (__u64)filename;
	__u32 argc = s->argc, used, size;
	long n;

	if (argc >= POINTERS || high - low > SPAN_SIZE)
		return false;
	used = argc * sizeof(__u64);
	if ((name < low ? high - name : name - low) <= SPAN_SIZE) {
		*(__u64 *)(s->rec.data + used) = name;
		used += sizeof(__u64);
		s->rec.exec.filename_len = WIRE_IN_SPAN;
		if (name < low)
			low = name;
		if (name > high)
			high = name;
	} else {
		n = bpf_probe_read_user_str(s->rec.data + used, PATH_SIZE, filename);
		if (n <= 0)
			return false;
		s->rec.exec.filename_len = n - 1;
		used += n - 1;
	}

	/* For the verifier; the compiler knows, or believes that it need not. */
	size = high - low;
	asm volatile("" : "+r"(size), "+r"(used));
	if (size > SPAN_SIZE || used > FIXED_SIZE - SPAN_SIZE)
		return false;
	if (bpf_probe_read_user(s->rec.data + used, size, (void *)low))
		return false;
	used += size;
	n = bpf_probe_read_user_str(s->rec.data + used, CHUNK_SIZE, (void *)high);
	if (n <= 0 || n >= CHUNK_SIZE || size + n > max_args)
		return false;
	s->rec.exec.span = low;
	s->used = used + n;
	return true;
}

/* filename and argv of a call that failed, from the memory of its caller. */
static __always_inline void argv_of_caller(struct scratch *s, const char *filename, __u64 argv)
{
	long n;

	s->argv = argv;
	s->at = 0;
	s->left = max_args;
	s->argc = 0;
	s->next = 0;
	s->loaded = 0;
	s->low = -1;
	s->high = 0;
	if (!argv) {
		s->flags |= WIRE_ARGC_KNOWN;	/* which Linux takes as no arguments */
	} else if (pointers_step(0, &s), !(s->flags & (WIRE_ARGC_KNOWN | WIRE_ARGV_UNREADABLE))) {
		bpf_loop(ARGV_STEPS / POINTERS, pointers_step, &s, 0);
	}
	s->rec.exec.argc = s->argc;
	if (s->argc && s->flags & WIRE_ARGC_KNOWN && argv_span(s, filename))
		return;

	n = bpf_probe_read_user_str(s->rec.data, PATH_SIZE, filename);
	if (n > 0)
		s->used = n - 1;
	s->rec.exec.filename_len = n > 0 ? n - 1 : WIRE_NONE;
	s->next = 0;
	s->loaded = 0;
	if (s->argc)
		bpf_loop(ARGV_STEPS, argv_string, &s, 0);
}

#endif
