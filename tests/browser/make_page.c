// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Writes flame graph pages of made-up recordings, for the browser test.
 *
 *   make_page demo|hostile|large|empty|busy|threads|waits > page.html
 *
 *   demo     one server, twelve seconds, methods that go through their tiers
 *   hostile  names that try to be markup, control characters, bidi, too long
 *   large    100,000 distinct stacks
 *   empty    no samples at all
 *   busy     several processes, losses, a cut recording
 *   threads  one process whose stacks begin with their threads
 *   waits    time off the CPU too
 */
#include "make_page.h"

#include "../../user/base/alloc.h"
#include "../../user/view/view.h"

#include <stdio.h>
#include <string.h>

/* splitmix64: the same pages on every machine. */
uint64_t maker__random(struct maker *maker)
{
	uint64_t z = maker->seed += 0x9e3779b97f4a7c15u;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint32_t maker__process(struct maker *maker, int pid, const char *comm,
			const char *cmdline)
{
	struct model *model = maker->model;

	return model__add_process(
		model, &(struct model_process){
			       .pid = pid,
			       .flags = MODEL_PROCESS_HOOKED,
			       .parent = MODEL_NONE,
			       .start_ns = START,
			       .comm = model__string(model, comm),
			       .executable = model__string(model, "/usr/bin/dotnet"),
			       .cmdline = model__string(model, cmdline),
			       .runtime = model__string(model, "10.0.12"),
			       .hook_version = model__string(model, "0.1.0"),
		       });
}

uint32_t maker__body(struct maker *maker, const struct model_body *given,
		     const char *name, const char *module)
{
	struct model_body body = *given;

	body.name = model__string(maker->model, name);
	body.module = model__string(maker->model, module);
	body.start = maker->next_address;
	body.size = 64 + (uint32_t)(maker__random(maker) % 1900);
	maker->next_address += (body.size + 31) & ~31u;
	if (body.tier != TS_TIER_1_OSR)
		body.osr_il_offset = TS_NO_IL_OFFSET;
	return model__add_body(maker->model, &body);
}

uint32_t maker__push_body(struct maker *maker, uint32_t stack, uint32_t body)
{
	struct model_frame frame = {.kind = MODEL_FRAME_BODY, .body = body};

	return model__add_stack(maker->model, stack,
				model__add_frame(maker->model, &frame));
}

uint32_t maker__push_other(struct maker *maker, uint32_t stack, uint32_t kind,
			   const char *name, uint64_t address)
{
	struct model_frame frame = {
		.kind = kind,
		.body = MODEL_NONE,
		.name = model__string(maker->model, name),
		.address = address,
	};

	return model__add_stack(maker->model, stack,
				model__add_frame(maker->model, &frame));
}

void maker__sample(struct maker *maker, uint32_t process, uint64_t time_ns,
		   uint32_t stack)
{
	uint32_t thread = model__add_thread(
		maker->model, process, model__process(maker->model, process)->pid, 0);

	model__add_sample(maker->model, &(struct model_sample){
						.time_ns = time_ns,
						.thread = thread,
						.stack = stack,
						.event = maker->event,
					});
}

/* A ledger in balance, given what was lost. */
void maker__ledger(struct maker *maker, uint64_t lost, uint64_t not_delivered)
{
	struct model *model = maker->model;
	uint64_t kept = model__samples(model);

	model__set_count(model, MODEL_LEDGER_SAMPLES, "due",
			 kept + lost + not_delivered);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "fired", kept + lost);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "kept", kept);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "not_delivered", not_delivered);
	model__set_count(model, MODEL_LEDGER_SAMPLES, "out_of_scope", 8123);
	model__set_count(model, MODEL_LEDGER_SAMPLES_LOST, "ring_full", lost);
	model__set_count(model, MODEL_LEDGER_NOTES, "truncated", 12);
	model__set_count(model, MODEL_LEDGER_EVENTS, "code_events",
			 model__bodies(model));
	model__set_count(model, MODEL_LEDGER_EVENTS, "code_sent", model__bodies(model));
}

static void make_hostile(struct maker *maker)
{
	static const char *const names[] = {
		"</script><img src=x onerror=\"window.hacked=1\">",
		"<b>bold</b>.Method(int)",
		"Evil.\xe2\x80\xae"
		"drawkcab\xe2\x80\xac.Method()",
		"Control.\x1b[31mRed\x07\n\r\tMethod()",
		"Quote\"'`&amp;\\.Method()",
		"Line\xe2\x80\xa8Separator\xe2\x80\xa9.Method()",
		"<!--.Comment(",
		"]]>",
		"__proto__",
		"constructor",
		"",
		"\xf0\x9f\x94\xa5"
		"Emoji.\xe6\xb1\x89\xe5\xad\x97.Method()",
	};
	uint32_t process = maker__process(maker, 66, "</title><script>",
					  "dotnet \x1b[2J</script>.dll");
	uint32_t root = maker__push_other(maker, 0, MODEL_FRAME_NATIVE,
					  "lib<script>alert(1)</script>.so", 0x1234);
	struct model_body body = {.process = process, .tier = TS_TIER_1};
	char *huge = alloc__zeroed(10001, 1);

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		uint32_t stack = maker__push_body(
			maker, root, maker__body(maker, &body, names[i], "</style>"));

		for (uint64_t n = 0; n < 40; n++)
			maker__sample(maker, process, START + n * 20000000, stack);
	}
	memset(huge, 'A', 10000);
	root = maker__push_body(maker, root, maker__body(maker, &body, huge, huge));
	for (uint64_t n = 0; n < 40; n++)
		maker__sample(maker, process, START + n * 20000000, root);
	free(huge);
	model__about(maker->model)->command =
		model__string(maker->model, "</title><img src=x onerror=\"hacked=1\">");
	maker__ledger(maker, 0, 0);
}

/* A tree of 40 children, each with 50, each with 50: 100,000 leaves, 9 deep. */
static void make_large(struct maker *maker)
{
	uint32_t process = maker__process(maker, 7, "large", "large");
	struct model_body body = {.process = process};
	uint32_t bodies[400], stack, number = 0;
	char name[64];

	for (uint32_t i = 0; i < 400; i++) {
		body.tier = 1 + i % (TS_TIER_COUNT - 1);
		body.function_id = 0x1000 + i;
		snprintf(name, sizeof(name), "Large.Type%u.Method%u(int)", i / 7, i);
		bodies[i] = maker__body(maker, &body, name, "/large.dll");
	}
	for (number = 0; number < 100000; number++) {
		stack = maker__push_body(maker, 0, bodies[0]);
		stack = maker__push_body(maker, stack, bodies[1]);
		for (uint32_t place = 1, depth = 0; depth < 5; depth++, place *= 10)
			stack = maker__push_body(
				maker, stack,
				bodies[depth * 10 + 10 + number / place % 10]);
		/* The first ten are as wide as all the others. */
		for (uint32_t n = 0; n < (number < 10 ? 10000u : 1u); n++)
			maker__sample(maker, process,
				      START + maker__random(maker) % DURATION, stack);
	}
	maker__ledger(maker, 0, 0);
}

static void make_busy(struct maker *maker)
{
	maker__demo(maker, 4001, "dotnet", 6000);
	maker__demo(maker, 4002, "worker", 3000);
	model__set_count(maker->model, MODEL_LEDGER_EVENTS_LOST, "rows_full", 4);
	model__about(maker->model)->complete = false;
	maker__ledger(maker, 1234, 17);
}

/* A named thread of the first process, in the stack of its first sample. */
static void make_thread(struct maker *maker)
{
	struct model_sample sample = *model__sample(maker->model, 0);

	sample.thread = model__add_thread(
		maker->model, 0, 4002, model__string(maker->model, ".NET TP Worker"));
	for (unsigned int i = 0; i < 500; i++)
		model__add_sample(maker->model, &sample);
}

static void make_about(struct maker *maker)
{
	struct model_about *about = model__about(maker->model);

	about->start_ns = START;
	about->end_ns = START + DURATION;
	about->start_unix_ns = 1763700000000000000;
	about->cpus = 2;
	about->complete = true;
	about->kernel = model__string(maker->model, "6.1.0-28-amd64");
	about->machine = model__string(maker->model, "x86_64");
	about->version = model__string(maker->model, "0.1.0");
	about->command = model__string(
		maker->model,
		"dotnet bin/Release/Shop.dll --urls http://localhost:5000");
	maker->event = model__add_event(
		maker->model, &(struct model_event){
				      .name = model__string(maker->model, "cpu-clock"),
				      .period = 1003009,
			      });
}

/* Eleven waits of 100 ms each, where samples are too. */
static void make_waits(struct maker *maker)
{
	struct model *model = maker->model;
	uint32_t off_cpu = model__add_event(
		model, &(struct model_event){.name = model__string(model, "off-cpu"),
					     .period = 1});

	maker__demo(maker, 4001, "dotnet", 1000);
	for (uint32_t i = 0; i < 11; i++) {
		struct model_sample sample = *model__sample(model, 50 * i);

		sample.event = off_cpu;
		sample.weight = 100000000;
		sample.stack = maker__push_other(maker, sample.stack, MODEL_FRAME_KERNEL,
						 "off-cpu futex", 0);
		model__add_sample(model, &sample);
	}
	maker__ledger(maker, 0, 0);
}

static int fill(struct maker *maker, const char *what)
{
	if (!strcmp(what, "demo")) {
		maker__demo(maker, 4001, "dotnet", 12000);
		maker__ledger(maker, 0, 0);
	} else if (!strcmp(what, "hostile")) {
		make_hostile(maker);
	} else if (!strcmp(what, "large")) {
		make_large(maker);
	} else if (!strcmp(what, "busy")) {
		make_busy(maker);
	} else if (!strcmp(what, "threads")) {
		maker__demo(maker, 4001, "dotnet", 3000);
		make_thread(maker);
		maker__ledger(maker, 0, 0);
	} else if (!strcmp(what, "waits")) {
		make_waits(maker);
	} else if (strcmp(what, "empty")) {
		return -1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	struct maker maker = {
		.model = model__new(),
		.seed = 12612,
		.next_address = 0x7f3a40000000,
	};
	struct view_options options = {.split = VIEW_SPLIT_VERSION};
	struct buf page = BUF_INIT;
	int result = 2;

	make_about(&maker);
	if (argc != 2 || fill(&maker, argv[1])) {
		fprintf(stderr,
			"usage: make_page demo|hostile|large|empty|busy|threads|waits\n");
		goto out;
	}
	options.per_thread = !strcmp(argv[1], "threads");
	if (view_html__write(maker.model, &options, &page))
		goto out;
	if (fwrite(page.data, 1, page.size, stdout) == page.size && !fflush(stdout))
		result = 0;
out:
	buf__free(&page);
	model__free(maker.model);
	return result;
}
