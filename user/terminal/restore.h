/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Private to the room: the terminal's modes, and what gives them back when all else fails. */
#ifndef TIERSCOPE_TERMINAL_RESTORE_H
#define TIERSCOPE_TERMINAL_RESTORE_H

#include <signal.h>

/*
 * Remembers the modes of the terminal, and has them restored by a crash (SIGSEGV, SIGABRT and
 * so on) and by exit().  After setupterm.  0 or -Exxx.
 */
int restore__arm(int input, int output);
/* Signals that restore the terminal; they must not be blocked. */
void restore__crashes(sigset_t *ret_set);
/* It was restored in order. */
void restore__disarm(void);
/* Output that its user has stopped (Ctrl-S) goes on. */
void restore__let_go(void);
/* Restores it now, from a signal's handler too; waits `patience_ms` at most.  Once. */
void restore__now(int patience_ms);

#endif /* TIERSCOPE_TERMINAL_RESTORE_H */
