/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The one thing that flows back to a target: questions and commands for the hook's
 * helper thread, through the mailbox in its journal (abi/journal.h).  The memory is
 * the target's: whatever comes back is only a number, and nobody waits here.
 */
#ifndef TIERSCOPE_TARGET_MAILBOX_H
#define TIERSCOPE_TARGET_MAILBOX_H

#include "../../abi/journal.h"

#include <stdbool.h>
#include <stdint.h>

/*
 * Maps the mailbox of a file that journal_map__map has found safe to map.  NULL when
 * it cannot be written to.
 */
struct ts_mailbox *mailbox__map(int file);
void mailbox__unmap(struct ts_mailbox *mailbox);

/*
 * Asks for the function at an address; mailbox__ring after the last one.  -EAGAIN:
 * there is no room until the hook has answered some.
 */
int mailbox__ask(struct ts_mailbox *mailbox, uint64_t address);
void mailbox__ring(struct ts_mailbox *mailbox);

/* Stores a command and rings.  -EBUSY: another one is being carried out. */
int mailbox__command(struct ts_mailbox *mailbox, enum ts_hook_command command);
/* Takes it back; false: it is too late, it has been carried out. */
bool mailbox__withdraw(struct ts_mailbox *mailbox, enum ts_hook_command command);
/* Whether it has been carried out; then ret_result has its HRESULT. */
bool mailbox__is_done(const struct ts_mailbox *mailbox, enum ts_hook_command command,
		      uint32_t *ret_result);

#endif /* TIERSCOPE_TARGET_MAILBOX_H */
