/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* The programs of a `tierscope record` that runs already, and what the kernel's own
 * statistics say of them. */
#ifndef TIERSCOPE_BENCH_PROGRAM_H
#define TIERSCOPE_BENCH_PROGRAM_H

#include <bpf/bpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../../abi/space.h"

static void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

struct usage {
	__u64 time_ns, runs;
};

static struct usage usage_of(int program)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &size))
		die("statistics of a program");
	return (struct usage){info.run_time_ns, info.run_cnt};
}

/* A map of a program, by its name; -1 if it has none. */
static int open_map(int program, const char *name)
{
	__u32 ids[64];
	struct bpf_prog_info info = {.nr_map_ids = 64, .map_ids = (__u64)(long)ids};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(program, &info, &size))
		return -1;
	for (__u32 i = 0; i < info.nr_map_ids && i < 64; i++) {
		struct bpf_map_info map = {};
		int fd = bpf_map_get_fd_by_id(ids[i]);

		size = sizeof(map);
		if (fd >= 0 && !bpf_obj_get_info_by_fd(fd, &map, &size) &&
		    !strcmp(map.name, name))
			return fd;
		close(fd);
	}
	return -1;
}

/* Is it of that name, and of a recording of this process? */
static bool is_program(int program, const char *name, __u32 pid)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);
	struct ts_space space;
	int spaces;
	bool found;

	if (bpf_obj_get_info_by_fd(program, &info, &size) ||
	    strcmp(info.name, name))
		return false;
	spaces = open_map(program, "spaces");
	found = spaces >= 0 && !bpf_map_lookup_elem(spaces, &pid, &space);
	close(spaces);
	return found;
}

/* -1: there is none. */
static int open_program(const char *name, __u32 pid)
{
	__u32 id = 0;

	while (!bpf_prog_get_next_id(id, &id)) {
		int fd = bpf_prog_get_fd_by_id(id);

		if (fd >= 0 && is_program(fd, name, pid))
			return fd;
		close(fd);
	}
	return -1;
}

#endif /* TIERSCOPE_BENCH_PROGRAM_H */
