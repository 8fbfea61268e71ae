/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The terminal: shows cells, tells of keys, and is left as it was, whatever happens.
 *
 * A thread of its own draws and reads keys, and calls the handlers; it alone waits where a
 * terminal is slow, stopped (Ctrl-S) or hung.  Other threads only ask it for another look.
 * There is one terminal in a program.  Signals are the whole program's: SIGTSTP, SIGCONT,
 * SIGWINCH, and those that a crash brings, are taken while it is open.
 */
#ifndef TIERSCOPE_TERMINAL_TERMINAL_H
#define TIERSCOPE_TERMINAL_TERMINAL_H

#include "../base/trouble.h"
#include "cells.h"

struct terminal_handlers {
	void *context;
	/* Fills the cells, which are blank. */
	void (*draw)(void *context, struct cells *cells);
	/* A character, or an enum cells_key. */
	void (*key)(void *context, uint32_t key);
	/* Nobody is there any more to type one. */
	void (*gone)(void *context);
};

/* Whether standard output is a terminal that can be written to anywhere.  0; -ENOTTY,
 * -EINVAL: its type is not known, or cannot do it. */
int terminal__check(struct trouble *ret_trouble);

/* Switches to a full screen.  0 or -Exxx; handlers have to stay. */
int terminal__open(const struct terminal_handlers *handlers, struct trouble *ret_trouble);
/* Has the screen drawn again, soon.  Never waits. */
void terminal__redraw(void);
/*
 * Leaves the terminal as it was.  A thread that the terminal holds up is waited for a second
 * and left behind: the handlers' context has to stay then (false).
 */
bool terminal__close(void);

#endif /* TIERSCOPE_TERMINAL_TERMINAL_H */
