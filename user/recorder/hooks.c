// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Attached hooks rest while nobody listens: waking them at the start of a recording,
// letting them rest at its end.
#include "internal.h"

#include "../target/mailbox.h"

#include <errno.h>
#include <time.h>

#define REST_TRIES 100		/* half a second */
#define REST_PAUSE_NS 5000000
#define WAKE_NS 3000000000ull	/* a catch-up takes a tenth of that */

/*
 * Told to resume after the probes are armed, a hook does not go to rest under us, and
 * has caught up when it is done.  One that lives and does not hear (its thread could
 * not be made) serves as it is.  Without a mailbox, attaching again wakes it.
 */
static int wake(struct process *process, uint32_t state, uint64_t now)
{
	struct ts_mailbox *mailbox = journal__mailbox(process->journal);
	uint32_t result;

	if (!mailbox)
		return state == TS_HOOK_LIVE ? 0 : -ENOENT;
	if (!process->wake_ns)
		process->wake_ns = now;
	if (!process->told_to_resume)
		process->told_to_resume = !mailbox__command(mailbox, TS_COMMAND_RESUME);
	if (process->told_to_resume &&
	    mailbox__is_done(mailbox, TS_COMMAND_RESUME, &result))
		return 0;
	if (now - process->wake_ns < WAKE_NS)
		return -EAGAIN;
	if (process->told_to_resume)
		(void)mailbox__withdraw(mailbox, TS_COMMAND_RESUME);
	process->told_to_resume = false;
	process->wake_ns = 0;
	return state == TS_HOOK_LIVE ? 0 : -ETIMEDOUT;
}

int process__wake_hook(struct process *process)
{
	struct ts_journal_header header;
	int err;

	if (!process->journal) {
		err = journal__open(process->pid, &process->journal);
		if (err)
			return err;
	}
	journal__header(process->journal, &header);
	switch (header.state) {
	case TS_HOOK_GONE:	/* another one may come */
		journal__free(process->journal);
		process->journal = NULL;
		return -ENOENT;
	case TS_HOOK_STARTING:
		return -EAGAIN;
	default:
		return header.attached ? wake(process, header.state, clock__now()) : 0;
	}
}

/* 0: told, or there is nothing to tell; -EBUSY: try again. */
static int tell_to_rest(struct process *process)
{
	struct ts_mailbox *mailbox;
	struct ts_journal_header header;

	if (!process->alive || !process->journal)
		return 0;
	journal__header(process->journal, &header);
	mailbox = journal__mailbox(process->journal);
	if (!header.attached || header.state != TS_HOOK_LIVE || !mailbox)
		return 0;
	return mailbox__command(mailbox, TS_COMMAND_REST);
}

void recorder__rest_hooks(struct recorder *recorder)
{
	const struct timespec pause = { 0, REST_PAUSE_NS };
	uint32_t busy = recorder->processes_count, result;

	for (unsigned int i = 0; i < REST_TRIES && busy; i++) {
		busy = 0;
		for (uint32_t j = 0; j < recorder->processes_count; j++) {
			struct process *process = recorder->processes[j];

			if (!process->told_to_rest)
				process->told_to_rest = !tell_to_rest(process);
			busy += process->alive && process->journal &&
				journal__mailbox(process->journal) &&
				(!process->told_to_rest ||
				 !mailbox__is_done(journal__mailbox(process->journal),
						   TS_COMMAND_REST, &result));
		}
		if (busy)
			nanosleep(&pause, NULL);
	}
}

