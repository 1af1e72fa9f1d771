/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filer.h - a servant that makes and removes the files of a series, since a recorder can
 * open and remove nothing once it records. It does so in one directory, and of no other
 * name than those of the series. What it makes is new: it follows no link and opens
 * nothing that is there.
 */
#ifndef EXECTRACE_FILER_H
#define EXECTRACE_FILER_H

#include <stdbool.h>
#include <stdint.h>

#include "privilege.h"

/* What it takes to write into the directory of anybody, and to give the file to them. */
#define FILER_PRIVILEGE (PRIVILEGE_CHOWN | PRIVILEGE_DAC_OVERRIDE | PRIVILEGE_FOWNER)

/* A file that is there. */
struct filer_file {
	uint64_t ms;		/* of its name */
	uint64_t bytes;		/* in whole blocks of the file system */
};

/* What a file of that size takes of the disk. */
uint64_t filer_blocks(uint64_t bytes);

/* In the servant: answers until fd ends. */
void filer_serve(int fd);

/* The recorder's side; used by one thread. */
struct filer;

struct filer_owner {
	bool given;
	uint32_t uid, gid;
};

/*
 * Each returns 0 or an errno value. ETIMEDOUT: no answer yet; one that still comes is
 * undone. EPIPE: nobody answers, and never will.
 *
 * fd: where filer_serve answers, borrowed. directory: open, of whatever kind; base: as in
 * seriesname.h. Files are given to the owner, if there is one.
 */
int filer_open(int fd, int directory, const char *base, const struct filer_owner *owner,
	       struct filer **out);
void filer_close(struct filer *f);	/* NULL is fine */
/* Those of the series that are there: *out is the caller's, oldest first. */
int filer_list(struct filer *f, struct filer_file **out, unsigned *n);
/* Makes one and opens it for writing. EEXIST: there is one. */
int filer_make(struct filer *f, uint64_t ms, int *out);
int filer_remove(struct filer *f, uint64_t ms);
/* Names that were made are on the disk then. */
int filer_sync(struct filer *f);

#endif
