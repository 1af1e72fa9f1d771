/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * newfile.h - a file that is made anew in a directory, and is there for good only when it is
 * kept. Nothing that exists is opened, and no link is followed.
 *
 * One that is to replace another has a name that nobody can guess until then: who has the
 * old one open, or linked elsewhere, sees nothing of the new one, and at every moment there
 * is a readable file under the name: the old one, or the new one.
 */
#ifndef EXECTRACE_NEWFILE_H
#define EXECTRACE_NEWFILE_H

#include <stdbool.h>
#include <sys/types.h>

struct newfile {
	int dir;		/* borrowed */
	const char *name;	/* that it is to have there; borrowed */
	char beside[32];	/* that it has until it is kept; empty: the same */
	dev_t dev;
	ino_t ino;
};

/* Open for writing. -1 and errno: there is none. */
int newfile_create(struct newfile *f, int dir, const char *name, bool replace);
/* Gives it its name for good. 0 or an errno. */
int newfile_keep(const struct newfile *f);
/* Removes one that was not kept, unless somebody has put another file under its name. */
void newfile_discard(const struct newfile *f);

#endif
