// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// BPF time per switch: the programs of a `tierscope record --off-cpu` that runs already,
// beside one that does nothing.
//
//     switches PID SLICES SECONDS
//
// One line per slice: switches of the whole machine per second, ns of ours per switch,
// wake-ups included, and ns of the empty one.
#include <bpf/libbpf.h>
#include <time.h>

#include "program.h"
#include "empty.skel.h"

static void one_slice(const int programs[3], double seconds)
{
	struct timespec time = {(time_t)seconds,
				(long)(1e9 * (seconds - (double)(time_t)seconds))};
	struct usage before[3], spent[3];

	for (int i = 0; i < 3; i++)
		before[i] = usage_of(programs[i]);
	while (nanosleep(&time, &time) && errno == EINTR)
		;
	for (int i = 0; i < 3; i++) {
		spent[i] = usage_of(programs[i]);
		spent[i].time_ns -= before[i].time_ns;
		spent[i].runs -= before[i].runs;
	}
	if (!spent[0].runs || !spent[2].runs) {
		fprintf(stderr, "switches: no switch in a slice\n");
		exit(1);
	}
	printf("%.0f %.1f %.1f\n", (double)spent[0].runs / seconds,
	       (double)(spent[0].time_ns + spent[1].time_ns) / (double)spent[0].runs,
	       (double)spent[2].time_ns / (double)spent[2].runs);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	struct empty *empty;
	int programs[3];

	if (argc != 4) {
		fprintf(stderr, "usage: switches PID SLICES SECONDS\n");
		return 3;
	}
	programs[0] = open_program("on_switch", (__u32)atoi(argv[1]));
	programs[1] = open_program("on_wakeup", (__u32)atoi(argv[1]));
	if (programs[0] < 0 || programs[1] < 0) {
		fprintf(stderr, "switches: process %s is not being recorded\n", argv[1]);
		return 1;
	}
	empty = empty__open_and_load();
	if (!empty || empty__attach(empty))
		die("the empty program");
	programs[2] = bpf_program__fd(empty->progs.on_switch_empty);
	if (bpf_enable_stats(BPF_STATS_RUN_TIME) < 0)
		die("the kernel's statistics");
	for (int i = 0; i < atoi(argv[2]); i++)
		one_slice(programs, atof(argv[3]));
	return 0;
}
