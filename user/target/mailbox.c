// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The asker's half of the mailbox: see mailbox.h and abi/journal.h.
#include "mailbox.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MAP_BYTES TS_JOURNAL_RECORDS_OFFSET	/* header and mailbox: one page */
#define ASK_TRIES 64				/* other askers at the same time */

struct ts_mailbox *mailbox__map(int file)
{
	char path[32];
	char *memory;
	int writable;

	/* The same file again, whatever the target does with its descriptors. */
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	writable = open(path, O_RDWR | O_CLOEXEC);
	if (writable < 0)
		return NULL;
	memory = mmap(NULL, MAP_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, writable, 0);
	close(writable);
	return memory == MAP_FAILED ? NULL : (void *)(memory + TS_MAILBOX_OFFSET);
}

void mailbox__unmap(struct ts_mailbox *mailbox)
{
	if (mailbox)
		munmap((char *)mailbox - TS_MAILBOX_OFFSET, MAP_BYTES);
}

int mailbox__ask(struct ts_mailbox *mailbox, uint64_t address)
{
	uint32_t turn = __atomic_load_n(&mailbox->asked, __ATOMIC_ACQUIRE);

	for (unsigned int i = 0; i < ASK_TRIES; i++) {
		uint32_t taken = __atomic_load_n(&mailbox->taken, __ATOMIC_ACQUIRE);

		if (turn - taken >= TS_MAILBOX_SLOTS)
			return -EAGAIN;
		if (!__atomic_compare_exchange_n(&mailbox->asked, &turn, turn + 1, false,
						 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
			continue;
		__atomic_store_n(&mailbox->addresses[turn % TS_MAILBOX_SLOTS], address,
				 __ATOMIC_RELEASE);
		return 0;
	}
	return -EAGAIN;
}

void mailbox__ring(struct ts_mailbox *mailbox)
{
	__atomic_fetch_add(&mailbox->bell, 1, __ATOMIC_RELEASE);
	(void)syscall(SYS_futex, &mailbox->bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

int mailbox__command(struct ts_mailbox *mailbox, enum ts_hook_command command)
{
	uint32_t expected = TS_COMMAND_NONE;

	if (!__atomic_compare_exchange_n(&mailbox->command, &expected, command, false,
					 __ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE))
		return -EBUSY;
	mailbox__ring(mailbox);
	return 0;
}

bool mailbox__withdraw(struct ts_mailbox *mailbox, enum ts_hook_command command)
{
	uint32_t expected = command;

	return __atomic_compare_exchange_n(&mailbox->command, &expected, TS_COMMAND_NONE,
					   false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
}

bool mailbox__is_done(const struct ts_mailbox *mailbox, enum ts_hook_command command,
		      uint32_t *ret_result)
{
	if (__atomic_load_n(&mailbox->command, __ATOMIC_ACQUIRE) == (uint32_t)command)
		return false;
	*ret_result = __atomic_load_n(&mailbox->result, __ATOMIC_RELAXED);
	return true;
}
