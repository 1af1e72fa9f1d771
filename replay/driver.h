/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * driver.h - what the driver of a compiler was asked to do, read from its arguments as
 * GCC and Clang read them: which source files it compiles, and into what.
 *
 * A driver is gcc, g++, cc, c++, clang or clang++, with what a cross compiler has in
 * front of that and a version behind it, and whatever else a glob names. What a driver
 * executes itself, as cc1, is none. Behind ccache, distcc, icecc and sccache stands one.
 */
#ifndef EXECTRACE_DRIVER_H
#define EXECTRACE_DRIVER_H

#include <exectrace.h>

struct driver_globs {
	char *const *v;	/* borrowed */
	size_t n;
};

enum driver_task {
	DRIVER_OTHER,	 /* no driver, or it compiles no file */
	DRIVER_COMPILES, /* .sources */
	DRIVER_HIDDEN,	 /* what it compiles is named in a response file alone */
};

/* Start it zeroed; strings are borrowed from the event. */
struct driver {
	struct et_str *argv; /* of the driver itself, which wrappers and interpreters precede */
	uint32_t argc, cap;
	uint32_t *sources; /* places in argv, ascending */
	uint32_t n_sources, sources_cap;
	struct et_str output; /* ptr is NULL: not told */
};

void driver_free(struct driver *d);
/* Reads an event of kind exec. *task says whether d holds anything. ET_OK or ET_NOMEM. */
int driver_read(struct driver *d, const struct et_event *ev, const struct driver_globs *more,
		enum driver_task *task);
/* Whether the place is one of .sources. */
bool driver_is_source(const struct driver *d, uint32_t place);

#endif
