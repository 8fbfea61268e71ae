// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * make_large FILE [SAMPLES [STACKS]]: a made-up recording, by default of a million
 * samples in exactly 100,000 distinct stacks, as wide and deep as those of a busy
 * server: 6,000 methods with names of usual length, 12 to 40 frames, 24 threads,
 * ten minutes.  The hottest stacks have most of the samples, as everywhere.
 */
#include "../../user/base/alloc.h"
#include "../../user/model/model.h"
#include "../../user/recording/recording.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BODIES		6000
#define THREADS		24
#define START		5000000000000ull
#define DURATION	600000000000ull
#define CALLEES		7	/* of each method */

struct maker {
	struct model *model;
	uint64_t seed;
	uint32_t process, event;
	uint32_t bodies[BODIES], threads[THREADS];
};

/* splitmix64: the same file on every machine. */
static uint64_t next_random(struct maker *maker)
{
	uint64_t z = maker->seed += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

static void make_bodies(struct maker *maker)
{
	struct model *model = maker->model;
	struct model_body body = { .process = maker->process,
				   .osr_il_offset = TS_NO_IL_OFFSET };
	char text[160];

	for (uint32_t i = 0; i < BODIES; i++) {
		/* Three versions of each method. */
		snprintf(text, sizeof(text),
			 "Company.Product.Area%u.Type%u<__Canon>.Method%u(System.String, int, Company.Product.Type%u)",
			 i / 300, i / 30, i / 3, i / 9);
		body.name = model__string(model, text);
		snprintf(text, sizeof(text), "/srv/product/Company.Product.Area%u.dll", i / 300);
		body.module = model__string(model, text);
		body.function_id = 0x7f0000001000 + 0x40ull * (i / 3);
		body.native_version = i % 3;
		body.token = 0x06000001 + i / 3;
		body.tier = 1 + i % (TS_TIER_COUNT - 1);
		body.start = 0x7f3a40000000 + 1024ull * i;
		body.size = 700;
		body.born_ns = START + DURATION / BODIES / 4 * i;
		maker->bodies[i] = model__add_body(model, &body);
	}
}

static void make_about(struct maker *maker)
{
	struct model_about *about = model__about(maker->model);
	struct model *model = maker->model;

	about->start_ns = START;
	about->end_ns = START + DURATION;
	about->cpus = 16;
	about->complete = true;
	about->kernel = model__string(model, "6.1.0");
	about->version = model__string(model, TIERSCOPE_VERSION);
	maker->event = model__add_event(model, &(struct model_event){
		.name = model__string(model, "cpu-clock"), .period = 10101010 });
	maker->process = model__add_process(model, &(struct model_process){
		.pid = 4711, .flags = MODEL_PROCESS_HOOKED, .parent = MODEL_NONE,
		.start_ns = START, .comm = model__string(model, "server"),
		.cmdline = model__string(model, "dotnet server.dll") });
	for (uint32_t i = 0; i < THREADS; i++)
		maker->threads[i] = model__add_thread(model, maker->process,
						      4711 + (int32_t)i,
						      model__string(model, ".NET TP Worker"));
}

static uint32_t push(struct maker *maker, uint32_t stack, uint32_t body)
{
	struct model_frame frame = { .kind = MODEL_FRAME_BODY, .body = maker->bodies[body] };

	return model__add_stack(maker->model, stack, model__add_frame(maker->model, &frame));
}

/* A way down the calls: near the root few methods, each with its few callees. */
static uint32_t make_stack(struct maker *maker)
{
	uint32_t depth = 12 + (uint32_t)(next_random(maker) % 29), stack = 0, body = 0;

	for (uint32_t i = 0; i < depth; i++) {
		uint64_t choice = next_random(maker);
		/* Every second call has one callee only, as most code has. */
		uint32_t callee = i % 2 ? (uint32_t)(choice % CALLEES) : 0;

		stack = push(maker, stack, body);
		body = (body * CALLEES + callee + 1) % BODIES;
	}
	return stack;
}

/* Each stack once, then by a power law: half of the rest has one stack in a hundred. */
static uint32_t choose(struct maker *maker, uint32_t sample, uint32_t stacks)
{
	uint64_t wide;

	if (sample < stacks)
		return sample;
	wide = next_random(maker) % stacks;
	if (next_random(maker) % 2)
		wide /= 100;
	return (uint32_t)wide;
}

static uint32_t *make_stacks(struct maker *maker, uint32_t count)
{
	uint32_t *stacks = alloc__zeroed(count, sizeof(*stacks)), made = 0;
	uint8_t *seen = NULL;
	size_t seen_size = 0;

	while (made < count) {
		uint32_t stack = make_stack(maker);

		if (stack >= seen_size) {
			size_t size = 2 * (size_t)stack + 1024;

			seen = realloc(seen, size);
			if (!seen)
				abort();
			memset(seen + seen_size, 0, size - seen_size);
			seen_size = size;
		}
		if (!seen[stack])
			stacks[made++] = stack;
		seen[stack] = 1;
	}
	free(seen);
	return stacks;
}

static void make_samples(struct maker *maker, uint32_t samples, uint32_t count)
{
	uint32_t *stacks = make_stacks(maker, count);
	struct model *model = maker->model;

	for (uint32_t i = 0; i < samples; i++)
		model__add_sample(model, &(struct model_sample){
			.time_ns = START + DURATION / samples * i,
			.thread = maker->threads[next_random(maker) % THREADS],
			.stack = stacks[choose(maker, i, count)],
			.event = maker->event });
	free(stacks);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "due", samples);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "fired", samples);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "kept", samples);
}

int main(int argc, char **argv)
{
	struct maker maker = { .model = model__new(), .seed = 4 };
	uint32_t samples = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 0) : 1000000;
	uint32_t stacks = argc > 3 ? (uint32_t)strtoul(argv[3], NULL, 0) : 100000;
	struct recording_writer *writer = NULL;
	int err;

	if (argc < 2 || !stacks || samples < stacks) {
		fprintf(stderr, "usage: make_large FILE [SAMPLES [STACKS]]\n");
		return 2;
	}
	make_about(&maker);
	make_bodies(&maker);
	make_samples(&maker, samples, stacks);
	err = recording_writer__open(argv[1], &writer);
	if (!err)
		err = recording_writer__finish(writer, maker.model);
	recording_writer__free(writer);
	model__free(maker.model);
	if (err)
		fprintf(stderr, "make_large: %s: %s\n", argv[1], strerror(-err));
	return err ? 1 : 0;
}
