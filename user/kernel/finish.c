// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Finishing a walk: the sampler's own code goes on over the copy of the stack that the
// sample brought along, once the slots say what was in its way.
#include "internal.h"

#include "tierscope.skel.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>
#include <sys/mman.h>

int finish__open(struct kernel *kernel)
{
	void *memory = mmap(NULL, sizeof(*kernel->finishing), PROT_READ | PROT_WRITE,
			    MAP_SHARED, bpf_map__fd(kernel->skeleton->maps.finishing), 0);

	if (memory == MAP_FAILED)
		return -errno;
	kernel->finishing = memory;
	return 0;
}

void finish__close(struct kernel *kernel)
{
	if (kernel->finishing)
		munmap(kernel->finishing, sizeof(*kernel->finishing));
	kernel->finishing = NULL;
}

static void fill(struct ts_finish *finish, const struct ts_sample *sample,
		 const struct ts_stack_piece *piece)
{
	finish->space = sample->header.space;
	finish->event = sample->event;
	finish->first = sample->frames_count - 1u;
	finish->ip = piece->ip;
	finish->sp = piece->sp;
	finish->bp = piece->bp;
	finish->r10 = piece->r10;
	finish->rbx = piece->rbx;
	finish->bytes = piece->bytes;
	memcpy(finish->stack, piece->stack, piece->bytes);
	/* The code bytes are the leaf's. */
	finish->code_bytes = 0;
	if (finish->first || !(sample->flags & TS_SAMPLE_CODE))
		return;
	finish->code_bytes = TS_CODE_BYTES;
	memcpy(finish->code, kernel_sample__code(sample), TS_CODE_BYTES);
}

int kernel__finish_walk(struct kernel *kernel, const struct ts_sample *sample,
			uint64_t ret_frames[TS_FRAMES_MAX + 1], uint32_t *ret_count,
			uint32_t *ret_flags)
{
	const struct ts_stack_piece *piece = kernel_sample__piece(sample);
	struct ts_finish *finish = kernel->finishing;
	LIBBPF_OPTS(bpf_test_run_opts, options);

	if (!piece)
		return -ENODATA;
	fill(finish, sample, piece);
	if (bpf_prog_test_run_opts(bpf_program__fd(kernel->skeleton->progs.door_finish),
				   &options))
		return -errno;
	if (options.retval || finish->count <= finish->first ||
	    finish->count > TS_FRAMES_MAX)
		return -EBADMSG;
	for (uint32_t i = finish->first; i < finish->count; i++)
		ret_frames[i] = finish->frames[i];
	*ret_count = finish->count;
	*ret_flags = finish->flags;
	return 0;
}
