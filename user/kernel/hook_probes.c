// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Arming probes, in one of two ways:
//
//   a link       one for all sites of a probe, which knows the process as such.  Linux 6.6 has
//                it; until that was mended (6.10, and in stable kernels) it heard of one thread
//                of the process only.  Debian 12's libbpf is older than that, so the system call
//                is made here.
//   perf events  one for each site, of a thread of the process.  The kernel then looks at each
//                switch of every thread in the system whether such an event is to be taken off
//                or on: 1 % of a program that is switched 100,000 times a second.
#include "hook_probes.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../base/threads.h"
#include "../symbol/probe_sites.h"
#include "tierscope.skel.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PROVIDER  "tierscope"
#define FINALIZER ".NET Finalizer"	/* .NET 8 to 10 */
#define PROBES	  6

#define ATTACH_SITES 48			/* BPF_TRACE_UPROBE_MULTI, linux/bpf.h of 6.6 */

/* The call's arguments, as linux/bpf.h of 6.6 has them in union bpf_attr. */
struct link_sites {
	uint32_t program, target, attach, flags;
	uint64_t path, offsets, semaphores, cookies;
	uint32_t count, sites_flags, pid, reserved;
};
_Static_assert(sizeof(struct link_sites) == 64, "layout of a link's arguments");

struct armed {
	int link;			/* -1: by perf events */
	struct bpf_link *events[PROBE_SITES_MAX];
};

struct hook_probes {
	struct armed armed[PROBES];
};

struct wanted {
	struct bpf_program *program;
	const char *name;
	bool needed;			/* else: a hook of an earlier version does without */
};

static void list_probes(struct tierscope *skeleton, struct wanted list[PROBES])
{
	list[0] = (struct wanted){ skeleton->progs.code_load, "code_load", true };
	list[1] = (struct wanted){ skeleton->progs.code_unload, "code_unload", true };
	list[2] = (struct wanted){ skeleton->progs.module_load, "module_load", true };
	list[3] = (struct wanted){ skeleton->progs.module_unload, "module_unload", true };
	list[4] = (struct wanted){ skeleton->progs.tiering, "tiering", false };
	/* Without it, cells are read from outside. */
	list[5] = (struct wanted){ skeleton->progs.stub_patches, "stub_patches", false };
}

/* The descriptor of the link, or -Exxx.  pid 0: all processes. */
static int link_sites(int program, const char *path, const struct probe_site *sites,
		      unsigned int count, uint32_t pid)
{
	uint64_t offsets[PROBE_SITES_MAX], semaphores[PROBE_SITES_MAX], cookies[PROBE_SITES_MAX];
	struct link_sites link = {
		.program = (uint32_t)program, .attach = ATTACH_SITES,
		.path = (uintptr_t)path, .offsets = (uintptr_t)offsets,
		.semaphores = (uintptr_t)semaphores, .cookies = (uintptr_t)cookies,
		.count = count, .pid = pid,
	};
	int fd;

	for (unsigned int i = 0; i < count; i++) {
		offsets[i] = sites[i].offset;
		semaphores[i] = sites[i].semaphore;
		cookies[i] = sites[i].arguments;
	}
	fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &link, sizeof(link));
	return fd < 0 ? -errno : fd;
}

/*
 * A folder is no program, which only a kernel that has such links gets to see; and only one
 * that takes `pid` for a process finds first that this cannot be one.
 */
static bool has_links(void)
{
	static const struct bpf_insn nothing[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	static const struct probe_site site = { .offset = 0 };
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = ATTACH_SITES);
	int program = bpf_prog_load(BPF_PROG_TYPE_KPROBE, NULL, "GPL", nothing, 2, &options);
	bool has;

	if (program < 0)
		return false;
	has = link_sites(program, "/", &site, 1, 0) == -EBADF &&
	      link_sites(program, "/", &site, 1, (uint32_t)-1) == -EINVAL;
	close(program);
	return has;
}

static bool is_linked(const struct bpf_program *program)
{
	return (int)bpf_program__expected_attach_type(program) == ATTACH_SITES;
}

void hook_probes__configure(struct tierscope *skeleton)
{
	struct wanted list[PROBES];
	bool links = has_links();

	log__verbose("probes are armed by %s", links ? "links" : "perf events");
	list_probes(skeleton, list);
	for (unsigned int i = 0; links && i < PROBES; i++)
		bpf_program__set_expected_attach_type(list[i].program,
						      (enum bpf_attach_type)ATTACH_SITES);
}

/*
 * A perf event hears of all threads of its thread's process, but the kernel takes it off and
 * on whenever that one is switched, which takes more than a microsecond.  So it is one that
 * hardly ever runs, and lives as long as the process; where there is none, the first.
 */
static pid_t choose_thread(pid_t pid)
{
	pid_t finalizer = pid > 0 ? threads__find(pid, FINALIZER) : 0;

	return finalizer > 0 ? finalizer : pid;
}

/* Where, and in which process and thread. */
struct place {
	struct elf_view view;
	char path[32];			/* of the descriptor */
	pid_t pid, thread;
};

static int open_events(struct bpf_program *program, const struct place *place,
		       const struct probe_site *sites, unsigned int count, struct armed *armed)
{
	for (unsigned int i = 0; i < count; i++) {
		LIBBPF_OPTS(bpf_uprobe_opts, options, .bpf_cookie = sites[i].arguments,
			    .ref_ctr_offset = sites[i].semaphore);

		armed->events[i] = bpf_program__attach_uprobe_opts(
			program, place->thread, place->path, sites[i].offset, &options);
		if (!armed->events[i])
			return -errno;
	}
	return 0;
}

static int arm(const struct place *place, const struct wanted *wanted, struct armed *armed)
{
	struct probe_site sites[PROBE_SITES_MAX];
	int count = probe_sites__read(&place->view, PROVIDER, wanted->name, sites);

	if (count == -ENOENT && !wanted->needed)
		return 0;
	if (count < 0)
		return count;
	if (!is_linked(wanted->program))
		return open_events(wanted->program, place, sites, (unsigned int)count, armed);
	armed->link = link_sites(bpf_program__fd(wanted->program), place->path, sites,
				 (unsigned int)count,
				 place->pid > 0 ? (uint32_t)place->pid : 0);
	return armed->link < 0 ? armed->link : 0;
}

static int arm_all(struct tierscope *skeleton, const struct place *place, const char *path,
		   bool patches, struct hook_probes *probes, struct trouble *ret_trouble)
{
	unsigned int count = patches ? PROBES : PROBES - 1;
	struct wanted list[PROBES];

	list_probes(skeleton, list);
	for (unsigned int i = 0; i < count; i++) {
		int err = arm(place, &list[i], &probes->armed[i]);

		if (err)
			return trouble__set(ret_trouble, err,
					    "cannot attach to probe %s of %s: %s",
					    list[i].name, path,
					    err == -ENOENT ? "it has no such probe" :
							     strerror(-err));
	}
	return 0;
}

int hook_probes__arm(struct tierscope *skeleton, const struct hook_file *file, pid_t pid,
		     bool patches, struct hook_probes **ret_probes,
		     struct trouble *ret_trouble)
{
	struct hook_probes *probes = alloc__zeroed(1, sizeof(*probes));
	struct place place = { .pid = pid, .thread = choose_thread(pid) };
	int err;

	for (unsigned int i = 0; i < PROBES; i++)
		probes->armed[i].link = -1;
	snprintf(place.path, sizeof(place.path), "/proc/self/fd/%d", file->fd);
	err = elf_view__open(&place.view, file->fd);
	if (err)
		trouble__set(ret_trouble, err, "cannot read the hook library %s: %s",
			     file->path, strerror(-err));
	else
		err = arm_all(skeleton, &place, file->path, patches, probes, ret_trouble);
	elf_view__close(&place.view);
	if (err) {
		hook_probes__free(probes);
		return err;
	}
	*ret_probes = probes;
	return 0;
}

void hook_probes__free(struct hook_probes *probes)
{
	if (!probes)
		return;
	for (unsigned int i = 0; i < PROBES; i++) {
		struct armed *armed = &probes->armed[i];

		if (armed->link >= 0)
			close(armed->link);
		for (unsigned int j = 0; j < PROBE_SITES_MAX; j++)
			bpf_link__destroy(armed->events[j]);
	}
	free(probes);
}
