// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Everything that a crash needs is made ready before: the modes as they were, and the
 * sequences that end the full screen.  While a crash is handled the thread that draws may
 * still be at it: at worst a few characters of a frame stand on the restored screen.
 */
#include "restore.h"

#include "../base/alloc.h"
#include "type.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#define CRASH_PATIENCE_MS 200
#define STACK_BYTES	  (64u << 10)

static const int crashes[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT, SIGTRAP, SIGSYS,
			       SIGQUIT };
#define CRASHES (sizeof(crashes) / sizeof(crashes[0]))

static struct {
	volatile sig_atomic_t armed;
	int input, output;
	struct termios modes;
	char sequence[256];
	size_t size;
	void *stack;			/* for the thread that records, whose own may be full */
	struct sigaction before[CRASHES];
} saved;

static void on_crash(int number)
{
	sigset_t just;

	restore__now(CRASH_PATIENCE_MS);
	/* The handler is gone by now (SA_RESETHAND): this is the signal's own end. */
	sigemptyset(&just);
	sigaddset(&just, number);
	sigprocmask(SIG_UNBLOCK, &just, NULL);
	raise(number);
}

static void at_exit(void)
{
	restore__now(CRASH_PATIENCE_MS);
}

static void catch_crashes(void)
{
	struct sigaction action = { .sa_handler = on_crash,
				    .sa_flags = SA_RESETHAND | SA_ONSTACK };
	static bool registered;

	if (!saved.stack)
		saved.stack = alloc__zeroed(1, STACK_BYTES);
	sigaltstack(&(stack_t){ .ss_sp = saved.stack, .ss_size = STACK_BYTES }, NULL);
	for (unsigned int i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &action, &saved.before[i]);
	if (!registered)
		atexit(at_exit);
	registered = true;
}

int restore__arm(int input, int output)
{
	if (tcgetattr(input, &saved.modes))
		return -errno;
	saved.input = input;
	saved.output = output;
	saved.size = type__endings(saved.sequence, sizeof(saved.sequence));
	saved.armed = 1;
	catch_crashes();
	return 0;
}

void restore__crashes(sigset_t *ret_set)
{
	sigemptyset(ret_set);
	for (unsigned int i = 0; i < CRASHES; i++)
		sigaddset(ret_set, crashes[i]);
}

void restore__disarm(void)
{
	if (!saved.armed)
		return;
	saved.armed = 0;
	for (unsigned int i = 0; i < CRASHES; i++)
		sigaction(crashes[i], &saved.before[i], NULL);
}

/* In the background the terminal would stop who changes it. */
static void block_stopping(sigset_t *ret_old)
{
	sigset_t stop;

	sigemptyset(&stop);
	sigaddset(&stop, SIGTTOU);
	sigprocmask(SIG_BLOCK, &stop, ret_old);
}

void restore__let_go(void)
{
	sigset_t old;

	block_stopping(&old);
	tcflow(saved.output, TCOON);
	sigprocmask(SIG_SETMASK, &old, NULL);
}

void restore__now(int patience_ms)
{
	struct pollfd ready = { .fd = saved.output, .events = POLLOUT };
	int before = errno;
	sigset_t old;

	if (!saved.armed)
		return;
	saved.armed = 0;
	block_stopping(&old);
	tcflow(saved.output, TCOON);
	tcsetattr(saved.input, TCSANOW, &saved.modes);
	/* A terminal that takes nothing gets nothing: a write would not come back. */
	if (poll(&ready, 1, patience_ms) > 0 && ready.revents & POLLOUT)
		(void)!write(saved.output, saved.sequence, saved.size);
	sigprocmask(SIG_SETMASK, &old, NULL);
	errno = before;
}
