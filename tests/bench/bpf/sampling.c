// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// BPF time per sample: the sampler of a `tierscope record` that runs already,
// beside two copies of peer.bpf.c, all at once on the same process.
//
//     sampling PID HERTZ SLICES SECONDS
//
// One line per slice of SECONDS: nanoseconds of BPF per sample of the process, ours,
// the peer's, the peer's once more, from the kernel's own statistics; runs for other
// processes are in the time of all three.  And a last line: samples of ours, the peer's
// mean frames, and its samples without a stack.
//
// The three clocks differ a little in period: so their phases drift through all
// there are, and none comes always second, to a stack that the other has warmed.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "../../../abi/ledger.h"
#include "program.h"
#include "peer.skel.h"

#define CPUS_MAX   512
#define FRAMES	   127
#define STACKS_MAX 40960

static __u64 counted(int ledger, __u32 what)
{
	__u64 values[CPUS_MAX] = {}, sum = 0;

	if (bpf_map_lookup_elem(ledger, &what, values))
		die("the ledger");
	for (int cpu = 0; cpu < CPUS_MAX; cpu++)
		sum += values[cpu];
	return sum;
}

static struct peer *open_peer(__u32 pid, __u64 period_ns)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_CPU_CLOCK,
				       .sample_period = period_ns};
	struct peer *peer = peer__open();

	if (!peer)
		die("the peer's program");
	peer->rodata->target = pid;
	if (peer__load(peer))
		die("the peer's program");
	for (int cpu = 0; cpu < libbpf_num_possible_cpus(); cpu++) {
		int fd = (int)syscall(SYS_perf_event_open, &attr, -1, cpu, -1,
				      PERF_FLAG_FD_CLOEXEC);

		if (fd < 0 && errno == ENODEV && cpu)
			continue; /* a CPU that is off */
		/* Stays attached until this program ends. */
		if (fd < 0 ||
		    !bpf_program__attach_perf_event(peer->progs.on_peer_sample, fd))
			die("the peer's event");
	}
	return peer;
}

static struct {
	__u32 pid;
	__s32 stack;
} keys[STACKS_MAX];
static __u64 counts[STACKS_MAX];

/* What the peer has counted so far, into `keys` and `counts`; how many of them. */
static __u32 read_counts(const struct peer *peer)
{
	__u32 count = STACKS_MAX, position;

	if (bpf_map_lookup_batch(bpf_map__fd(peer->maps.counts), NULL, &position, keys,
				 counts, &count, NULL) &&
	    errno != ENOENT)
		die("the peer's counts");
	return count;
}

static __u64 samples_of(const struct peer *peer)
{
	__u64 samples = 0;

	for (__u32 left = read_counts(peer); left--;)
		samples += counts[left];
	return samples;
}

/* Mean frames of its samples, and the share of those without a stack. */
static void print_stacks(const struct peer *peer)
{
	__u64 with = 0, without = 0, frames = 0, stack[FRAMES];

	for (__u32 left = read_counts(peer); left--;) {
		if (keys[left].stack < 0 ||
		    bpf_map_lookup_elem(bpf_map__fd(peer->maps.stacks),
					&keys[left].stack, stack)) {
			without += counts[left];
			continue;
		}
		with += counts[left];
		for (int i = 0; i < FRAMES && stack[i]; i++)
			frames += counts[left];
	}
	if (with)
		printf("%.1f %.4f\n", (double)frames / (double)with,
		       (double)without / (double)(with + without));
}

/* All that a slice is made of. */
struct reading {
	struct usage usage[3];
	__u64 samples[3];
};

static struct peer *peers[2];
static int sampler, ledger;

static struct reading now(void)
{
	struct reading reading;

	reading.usage[0] = usage_of(sampler);
	reading.samples[0] = counted(ledger, TS_LEDGER_RUNS) -
			     counted(ledger, TS_LEDGER_OUT_OF_SCOPE);
	for (int i = 0; i < 2; i++) {
		reading.usage[1 + i] =
			usage_of(bpf_program__fd(peers[i]->progs.on_peer_sample));
		reading.samples[1 + i] = samples_of(peers[i]);
	}
	return reading;
}

static void wait_for(double seconds)
{
	struct timespec time = {(time_t)seconds,
				(long)(1e9 * (seconds - (double)(time_t)seconds))};

	while (nanosleep(&time, &time) && errno == EINTR)
		;
}

static void one_slice(double seconds)
{
	struct reading before = now(), after;

	wait_for(seconds);
	after = now();
	for (int i = 0; i < 3; i++) {
		__u64 samples = after.samples[i] - before.samples[i];

		if (!samples) {
			fprintf(stderr, "sampling: no sample in a slice\n");
			exit(1);
		}
		printf("%.1f ",
		       (double)(after.usage[i].time_ns - before.usage[i].time_ns) /
			       (double)samples);
	}
	printf("\n");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	__u64 period, began;

	if (argc != 5) {
		fprintf(stderr, "usage: sampling PID HERTZ SLICES SECONDS\n");
		return 3;
	}
	sampler = open_program("on_sample", (__u32)atoi(argv[1]));
	ledger = sampler < 0 ? -1 : open_map(sampler, "ledger");
	if (ledger < 0) {
		fprintf(stderr, "sampling: process %s is not being recorded\n",
			argv[1]);
		return 1;
	}
	if (bpf_enable_stats(BPF_STATS_RUN_TIME) < 0)
		die("the kernel's statistics");
	period = 1000000000ull / strtoull(argv[2], NULL, 10);
	peers[0] = open_peer((__u32)atoi(argv[1]), period + period / 173);
	peers[1] = open_peer((__u32)atoi(argv[1]), period + period / 71);
	wait_for(1); /* until each has seen its first stacks */
	began = now().samples[0];
	for (int i = 0; i < atoi(argv[3]); i++)
		one_slice(atof(argv[4]));
	printf("%llu ", (unsigned long long)(now().samples[0] - began));
	print_stacks(peers[0]);
	return 0;
}
