// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// A look at a page that the file has lost is a SIGBUS: the handler puts an empty page
// there and lets the look go on.  A SIGBUS anywhere else ends the program, as ever.
#include "file_view.h"

#include "alloc.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static struct file_view *views;
static uintptr_t page_size;

/* On the thread that looked, in the middle of the look: system calls only. */
static void on_bus_error(int number, siginfo_t *info, void *context)
{
	uintptr_t address = (uintptr_t)info->si_addr;
	int saved = errno;

	(void)context;
	for (const struct file_view *view = views; view; view = view->next) {
		uintptr_t start = (uintptr_t)view->data - view->before;
		uintptr_t bytes = view->before + view->size;

		/* Wide loads look at all of the last page. */
		if (address < start || (address - start) / page_size > (bytes - 1) / page_size)
			continue;
		if (mmap((void *)(address & ~(page_size - 1)), page_size, PROT_READ,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			break;
		errno = saved;
		return;
	}
	signal(number, SIG_DFL);	/* and the same look again ends it */
}

static int install(void)
{
	struct sigaction action = { .sa_sigaction = on_bus_error, .sa_flags = SA_SIGINFO };

	/* Each time: a library may have set its own meanwhile. */
	if (sigaction(SIGBUS, &action, NULL))
		return -errno;
	page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	return 0;
}

int file_view__open(int fd, uint64_t offset, size_t size, struct file_view **ret_view)
{
	struct file_view *view;
	size_t before;
	uint8_t *data;
	int err = install();

	if (err)
		return err;
	before = offset % page_size;
	data = mmap(NULL, before + size, PROT_READ, MAP_PRIVATE, fd, (off_t)(offset - before));
	if (data == MAP_FAILED)
		return -errno;
	view = alloc__zeroed(1, sizeof(*view));
	view->data = data + before;
	view->before = before;
	view->size = size;
	view->next = views;
	views = view;
	*ret_view = view;
	return 0;
}

void file_view__close(struct file_view *view)
{
	struct file_view **at = &views;

	if (!view)
		return;
	while (*at && *at != view)
		at = &(*at)->next;
	if (*at)
		*at = view->next;
	munmap((void *)(view->data - view->before), view->before + view->size);
	free(view);
}

void file_view__rest(const struct file_view *view)
{
	if (view)	/* if it fails, we only keep more memory */
		(void)madvise((void *)(view->data - view->before), view->before + view->size,
			      MADV_DONTNEED);
}
