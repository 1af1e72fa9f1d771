/* SPDX-License-Identifier: BSD-2-Clause */
#include "say.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

#include "escape.h"
#include "out.h"

static const char *speaker;

int reason_set(struct reason *why, enum exit_code code, const char *fmt, ...)
{
	va_list ap;

	why->code = code;
	why->line[0] = why->caret[0] = '\0';
	va_start(ap, fmt);
	vsnprintf(why->text, sizeof(why->text), fmt, ap);
	va_end(ap);
	return -1;
}

void say_as(const char *command)
{
	speaker = command;
}

void say(const char *fmt, ...)
{
	char text[2048];
	struct out o;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);

	out_open(&o, STDERR_FILENO);
	out_text(&o, "exectrace");
	if (speaker) {
		out_char(&o, ' ');
		out_text(&o, speaker);
	}
	out_text(&o, ": ");
	escape_message(&o, text, strlen(text));
	out_char(&o, '\n');
	out_close(&o);
}
