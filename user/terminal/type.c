// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The terminal's type, in a file of its own: term.h makes macros of words like "columns".
#include "type.h"

#include "terminal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <curses.h>
#include <term.h>

int terminal__check(struct trouble *ret_trouble)
{
	const char *type = getenv("TERM");
	int known;

	if (!isatty(STDOUT_FILENO))
		return trouble__set(ret_trouble, -ENOTTY, "standard output is no terminal");
	if (setupterm(NULL, STDOUT_FILENO, &known) != OK)
		return trouble__set(ret_trouble, -EINVAL,
				    "nothing is known of the terminal type '%s' (TERM)",
				    type ? type : "");
	if (!tigetstr("cup"))
		return trouble__set(ret_trouble, -EINVAL,
				    "a terminal of type '%s' (TERM) has no full screen", type);
	return 0;
}

/* A capability without its padding, "$<5>", which is for terminals of wire and iron. */
static size_t add(char *sequence, size_t room, size_t size, const char *name)
{
	const char *text = tigetstr(name);

	if (!text || text == (char *)-1)
		return size;
	while (*text && size < room) {
		const char *end = text[0] == '$' && text[1] == '<' ? strchr(text, '>') : NULL;

		if (end)
			text = end + 1;
		else
			sequence[size++] = *text++;
	}
	return size;
}

size_t type__endings(char *sequence, size_t room)
{
	static const char *const names[] = { "sgr0", "op", "rmacs", "rmkx", "cnorm", "rmcup" };
	size_t size = 0;

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		size = add(sequence, room, size, names[i]);
	for (const char *line = "\r\n"; *line && size < room; line++)
		sequence[size++] = *line;
	return size;
}
