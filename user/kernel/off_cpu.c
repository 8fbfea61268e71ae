// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Off the CPU: the programs at the scheduler's tracepoints, and the rows of threads that
// they keep.  Where nobody asks for it no program is loaded, and all there is is one row.
#include "internal.h"

#include "../base/clock.h"
#include "tierscope.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <sys/mman.h>

/* Alive at a time, a power of two; those without a place are counted as threads_full. */
#define THREADS_MAX 32768u

static struct bpf_program *program(const struct kernel *kernel, unsigned int which)
{
	struct bpf_program *programs[OFF_CPU_LINKS] = { kernel->skeleton->progs.on_switch,
							kernel->skeleton->progs.on_wakeup,
							kernel->skeleton->progs.on_wakeup_new };

	return programs[which];
}

void off_cpu__configure(struct kernel *kernel, const struct kernel_options *options)
{
	struct tierscope *skeleton = kernel->skeleton;

	kernel->off_cpu = options->off_cpu;
	for (unsigned int i = 0; i < OFF_CPU_LINKS; i++)
		bpf_program__set_autoload(program(kernel, i), options->off_cpu);
	bpf_map__set_autocreate(skeleton->maps.off_cpu_scratch, options->off_cpu);
	bpf_map__set_autocreate(skeleton->maps.off_cpu_budget, options->off_cpu);
	if (!options->off_cpu)
		return;
	skeleton->rodata->off_cpu_event = options->events_count;
	skeleton->rodata->off_cpu_caches = kernel->cpus;
	skeleton->rodata->off_cpu_grain = 1000000000 / options->frequency;
	skeleton->rodata->threads_max = THREADS_MAX;
	bpf_map__set_max_entries(skeleton->maps.threads, THREADS_MAX);
}

int off_cpu__attach(struct kernel *kernel)
{
	for (unsigned int i = 0; kernel->off_cpu && i < OFF_CPU_LINKS; i++) {
		kernel->off_cpu_links[i] = bpf_program__attach(program(kernel, i));
		if (!kernel->off_cpu_links[i])
			return -errno;
	}
	return 0;
}

/* The programs do nothing before they see this, and nothing after it is 0 again. */
static void set_since(struct kernel *kernel, uint64_t since)
{
	__atomic_store_n(&kernel->skeleton->bss->off_cpu_since, since, __ATOMIC_RELEASE);
}

void off_cpu__start(struct kernel *kernel)
{
	if (!kernel->off_cpu)
		return;
	kernel->off_cpu_since = clock__now();
	set_since(kernel, kernel->off_cpu_since);
}

void off_cpu__stop(struct kernel *kernel)
{
	if (!kernel->off_cpu)
		return;
	set_since(kernel, 0);
	kernel->off_cpu_until = clock__now();
}

void off_cpu__close(struct kernel *kernel)
{
	for (unsigned int i = 0; i < OFF_CPU_LINKS; i++)
		bpf_link__destroy(kernel->off_cpu_links[i]);
}

uint64_t kernel__off_cpu_since(const struct kernel *kernel)
{
	return kernel->off_cpu_since;
}

uint64_t kernel__off_cpu_until(const struct kernel *kernel)
{
	return kernel->off_cpu_until;
}

int kernel__threads(struct kernel *kernel,
		    void (*each)(void *context, const struct ts_thread *thread),
		    void *context)
{
	size_t bytes = THREADS_MAX * sizeof(struct ts_thread);
	const struct ts_thread *rows;

	if (!kernel->off_cpu)
		return 0;
	rows = mmap(NULL, bytes, PROT_READ, MAP_SHARED,
		    bpf_map__fd(kernel->skeleton->maps.threads), 0);
	if (rows == MAP_FAILED)
		return -errno;
	for (uint32_t i = 0; i < THREADS_MAX; i++) {
		struct ts_thread row = rows[i];	/* it goes on while we read */

		if (row.tid)
			each(context, &row);
	}
	munmap((void *)rows, bytes);
	return 0;
}
