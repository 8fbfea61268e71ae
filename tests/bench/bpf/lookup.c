// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Address to body: the code map beside an LPM trie with the same bodies.
//
//     lookup BODIES SLICES
//
// One line per slice: nanoseconds per look-up in the code map, in the trie, in the
// trie once more; a slice looks up as many random addresses as lookup.h says, and each
// answer is checked.  And a last line: prefixes in the trie.
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../../abi/codemap.h"
#include "../../../abi/journal.h"
#include "../../../abi/space.h"
#include "lookup.h"
#include "lookup.skel.h"

#define HEAP  0x7f1000000000ull
#define BATCH 65536

struct body {
	__u64 start;
	__u32 size, row;
};

static struct lookup *programs;
static struct body *bodies;
static unsigned long bodies_count, prefixes_count;

static void die(const char *what)
{
	fprintf(stderr, "lookup: %s: %s\n", what, strerror(errno));
	exit(1);
}

static __u64 random_below(__u64 end)
{
	static __u64 state = 0x9e3779b97f4a7c15ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state % end;
}

/*
 * One behind the other as the JIT lays them, each with a header before it; as many
 * between 32 and 64 bytes as between 512 and 1024.
 */
static void draw_bodies(void)
{
	__u64 at = HEAP;

	bodies = calloc(bodies_count, sizeof(*bodies));
	if (!bodies)
		die("memory");
	for (unsigned long i = 0; i < bodies_count; i++) {
		__u32 least = 32u << random_below(5);

		bodies[i].start = (at + 8 + 31) & ~31ull;
		bodies[i].size = least + (__u32)random_below(least);
		at = bodies[i].start + bodies[i].size;
	}
}

static void open_programs(void)
{
	const struct body *last = &bodies[bodies_count - 1];
	__u32 pages = (__u32)((last->start + last->size - HEAP) >> TS_PAGE_SHIFT) + 2;
	__u32 rows = (__u32)bodies_count + 1;

	programs = lookup__open();
	if (!programs)
		die("the programs");
	/* One space may take three quarters of the pages. */
	pages += pages / 2;
	programs->rodata->rows_max = rows;
	programs->rodata->pages_max = pages;
	programs->rodata->space_bodies_max = rows;
	bpf_map__set_max_entries(programs->maps.bodies, rows);
	bpf_map__set_max_entries(programs->maps.leaf_counts, rows);
	bpf_map__set_max_entries(programs->maps.free_rows, rows);
	bpf_map__set_max_entries(programs->maps.jit_slots, pages);
	bpf_map__set_max_entries(programs->maps.jit_granules, pages);
	bpf_map__set_max_entries(programs->maps.free_pages, pages);
	/* At most two prefixes of each length below that of the body. */
	bpf_map__set_max_entries(programs->maps.trie, 16 * rows);
	if (lookup__load(programs))
		die("the programs");
}

static void fill_code_map(void)
{
	for (unsigned long i = 0; i < bodies_count; i++) {
		struct ts_journal_record record = {.start = bodies[i].start,
						   .size = bodies[i].size,
						   .function_id = bodies[i].start,
						   .sequence = i};

		LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = &record,
			    .ctx_size_in = sizeof(record));

		if (bpf_prog_test_run_opts(bpf_program__fd(programs->progs.insert),
					   &options))
			die("the code map");
		bodies[i].row = options.retval;
		if (!bodies[i].row) {
			fprintf(stderr, "lookup: body %lu has no room\n", i);
			exit(1);
		}
	}
}

static struct prefix keys[BATCH];
static __u32 values[BATCH], batched;

static void send_prefixes(void)
{
	__u32 count = batched;

	if (count && bpf_map_update_batch(bpf_map__fd(programs->maps.trie), keys,
					  values, &count, NULL))
		die("the trie");
	prefixes_count += batched;
	batched = 0;
}

/* A range as the fewest blocks that are aligned to their size; granules, as ours. */
static void fill_trie(void)
{
	for (unsigned long i = 0; i < bodies_count; i++) {
		__u64 at = bodies[i].start;
		__u64 end = (at + bodies[i].size + 15) & ~15ull;

		while (at < end) {
			unsigned int bits = 4;

			while (!(at >> bits & 1) && at + (2ull << bits) <= end)
				bits++;
			keys[batched] =
				(struct prefix){.length = 96 - bits,
						.space = 1,
						.address = __builtin_bswap64(at)};
			values[batched++] = bodies[i].row;
			if (batched == BATCH)
				send_prefixes();
			at += 1ull << bits;
		}
	}
	send_prefixes();
}

static void draw_addresses(void)
{
	struct draw *draws = mmap(NULL, DRAWS * sizeof(*draws), PROT_READ | PROT_WRITE,
				  MAP_SHARED, bpf_map__fd(programs->maps.draws), 0);

	if (draws == MAP_FAILED)
		die("the addresses");
	for (int i = 0; i < DRAWS; i++) {
		const struct body *body = &bodies[random_below(bodies_count)];

		draws[i].address = body->start + random_below(body->size);
		draws[i].row = body->row;
	}
	munmap(draws, DRAWS * sizeof(*draws));
}

static double measure(bool in_trie)
{
	__u8 packet[64] = {};
	LIBBPF_OPTS(bpf_test_run_opts, options, .data_in = packet,
		    .data_size_in = sizeof(packet));

	programs->bss->in_trie = in_trie;
	if (bpf_prog_test_run_opts(bpf_program__fd(programs->progs.look_up), &options))
		die("the look-ups");
	if (programs->bss->wrong) {
		fprintf(stderr, "lookup: %u wrong answers\n", programs->bss->wrong);
		exit(1);
	}
	return (double)programs->bss->time_ns / DRAWS;
}

int main(int argc, char **argv)
{
	static const int order[] = {0, 1, 2, 2, 1, 0};

	if (argc != 3) {
		fprintf(stderr, "usage: lookup BODIES SLICES\n");
		return 3;
	}
	bodies_count = strtoul(argv[1], NULL, 10);
	if (!bodies_count || bodies_count > 1 << 22) {
		fprintf(stderr, "lookup: too many bodies, or none\n");
		return 3;
	}
	draw_bodies();
	open_programs();
	fill_code_map();
	fill_trie();
	for (int slice = -1; slice < atoi(argv[2]); slice++) {
		double time[3];

		draw_addresses();
		for (int i = 0; i < 3; i++) {
			int which = order[slice & 1 ? 3 + i : i];

			time[which] = measure(which > 0);
		}
		if (slice >= 0) /* the first only warms */
			printf("%.1f %.1f %.1f\n", time[0], time[1], time[2]);
		fflush(stdout);
	}
	printf("%lu\n", prefixes_count);
	return 0;
}
