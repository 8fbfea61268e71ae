/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Reads go through the kernel: an address that is not mapped gives an error
 * there, where a load would throw the process off its feet.
 */
#include "memory.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

void *memory__map(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE,
			    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return NULL;
	/* Most of it is never used: a process shall not get 2 MB for the first byte. */
	(void)madvise(memory, size, MADV_NOHUGEPAGE);
	return memory;
}

void memory__clear(void *memory, size_t size)
{
	if (madvise(memory, size, MADV_DONTNEED)) /* it is locked, by mlockall say */
		memset(memory, 0, size);
}

void memory__unmap(void *memory, size_t size)
{
	if (memory)
		munmap(memory, size);
}

/* Asked for once: libc makes a system call of every getpid.  The runtime does not
 * live on in a forked child, so the answer stays true where it matters. */
static pid_t own_pid(void)
{
	static pid_t known;
	pid_t pid = __atomic_load_n(&known, __ATOMIC_RELAXED);

	if (!pid) {
		pid = getpid();
		__atomic_store_n(&known, pid, __ATOMIC_RELAXED);
	}
	return pid;
}

int memory__read(void *ret_bytes, uint64_t address, size_t size)
{
	struct iovec local = {ret_bytes, size};
	struct iovec remote = {(void *)(uintptr_t)address, size};
	ssize_t got = process_vm_readv(own_pid(), &local, 1, &remote, 1, 0);

	if (got < 0)
		return -errno;
	return (size_t)got == size ? 0 : -EFAULT;
}

int memory__read_each(void *ret_bytes, size_t size, const uint64_t *addresses,
		      size_t count)
{
	struct iovec remote[MEMORY_READ_EACH_MAX];
	struct iovec local = {ret_bytes, size * count};
	ssize_t got;

	if (count > MEMORY_READ_EACH_MAX)
		return -EINVAL;
	for (size_t i = 0; i < count; i++)
		remote[i] = (struct iovec){(void *)(uintptr_t)addresses[i], size};
	got = process_vm_readv(own_pid(), &local, 1, remote, count, 0);
	if (got < 0)
		return -errno;
	return (size_t)got == size * count ? 0 : -EFAULT;
}
