/* SPDX-License-Identifier: BSD-2-Clause */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "units.h"

#define DRAW_EVERY 250000000ull
/* A rate that is not 0 is shown for at least so long, then it is measured again. */
#define RATE_EVERY 1000000000ull
#define NS_PER_S 1000000000ull

void progress_init(struct progress *p, bool wanted)
{
	/* In the background the terminal belongs to somebody else. */
	*p = (struct progress){
		.on = wanted && isatty(STDERR_FILENO) && tcgetpgrp(STDERR_FILENO) == getpgrp(),
	};
}

uint64_t progress_due(const struct progress *p, const struct progress_state *s)
{
	if (!p->on)
		return UINT64_MAX;
	if (!p->drawn)
		return 0;
	if (memcmp(s, &p->shown, sizeof(*s)) != 0)
		return p->drawn_at + DRAW_EVERY;
	return p->rate ? p->drawn_at + RATE_EVERY : UINT64_MAX;
}

void progress_draw(struct progress *p, const struct progress_state *s, uint64_t now)
{
	uint64_t since = now - p->drawn_at;
	char line[160], size[UNITS_TEXT];
	struct winsize w;
	int n;

	if (progress_due(p, s) > now)
		return;
	p->rate = p->drawn ? (s->events - p->shown.events) * NS_PER_S / (since ? since : 1) : 0;
	n = snprintf(line, sizeof(line),
		     "recording: %" PRIu64 " events, %" PRIu64 "/s, %" PRIu64 " lost, %s; Ctrl-C ends",
		     s->events, p->rate, s->lost, units_show_size(s->bytes, size));
	/* One that wraps could not be drawn over. */
	if (ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col && n >= w.ws_col)
		line[w.ws_col - 1] = '\0';
	fprintf(stderr, "\r%s\033[K", line);
	p->shown = *s;
	p->drawn = true;
	p->drawn_at = now;
}

void progress_clear(struct progress *p)
{
	if (p->drawn)
		fputs("\r\033[K", stderr);
	p->drawn = false;
}
