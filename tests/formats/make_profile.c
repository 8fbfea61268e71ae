// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Writes one made-up recording in a format of another tool, for the decoders of
 * those tools.
 *
 *   make_profile pprof|speedscope plain|per-thread|perfmap|kernel|hostile|empty \
 *		> FILE
 *
 *   samples  thread             stack, root first
 *   5        web-10, Worker-11  Shop.Main() [r2r];Shop.Work(int) [tier0]
 *   3        web-10, Worker-11  Shop.Main() [r2r];Shop.Work(int) [tier1 #2]
 *   2        web-10, thread-12  Shop.Main() [r2r];Shop.Work(int) [tier1 #2];
 *                               libcoreclr.so!JIT_New
 *   1        web-10, thread-12  Shop.Main() [r2r];Shop.Work(int) [tier1 #2]
 *   4        job-20, Main-21    Shop.Main() [tier1];libc.so.6+0x1c99
 *   1        job-20, Main-21    [unknown: no_table]
 *
 * and with `kernel`
 *   6        web-10, Worker-11  Shop.Main() [r2r];do_syscall_64;vfs_read
 *   1        web-10, Worker-11  Shop.Main() [r2r];ext4_sync_fs [ext4]
 */
#include "../../user/view/view.h"

#include <stdio.h>
#include <string.h>

#define START  1000000000u
#define PERIOD 1003009u

struct maker {
	struct model *model;
	uint64_t time_ns;
};

static uint32_t process(struct maker *maker, int pid, const char *comm,
			const char *executable)
{
	return model__add_process(
		maker->model,
		&(struct model_process){
			.pid = pid,
			.parent = MODEL_NONE,
			.start_ns = START,
			.comm = model__string(maker->model, comm),
			.executable = model__string(maker->model, executable),
		});
}

/* A method's number is its FunctionID, and tells where its code lies. */
static uint32_t body(struct maker *maker, uint32_t owner, const char *name,
		     uint64_t function_id, uint32_t tier, uint32_t rejit_id)
{
	uint32_t number = model__bodies(maker->model);

	return model__add_body(
		maker->model,
		&(struct model_body){
			.process = owner,
			.function_id = function_id,
			.start = 0x7f1000000000 + 4096 * number,
			.size = 100,
			.tier = tier,
			.rejit_id = rejit_id,
			.osr_il_offset = TS_NO_IL_OFFSET,
			.module = model__string(maker->model, "/app/Shop.dll"),
			.name = model__string(maker->model, name),
			.born_ns = START,
		});
}

static uint32_t push(struct maker *maker, uint32_t stack, uint32_t code)
{
	struct model_frame frame = {.kind = MODEL_FRAME_BODY, .body = code};

	return model__add_stack(maker->model, stack,
				model__add_frame(maker->model, &frame));
}

static uint32_t push_other(struct maker *maker, uint32_t stack, uint32_t kind,
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

static void samples(struct maker *maker, uint32_t thread, uint32_t stack,
		    unsigned int count)
{
	for (; count; count--) {
		maker->time_ns += PERIOD;
		model__add_sample(maker->model, &(struct model_sample){
							.time_ns = maker->time_ns,
							.thread = thread,
							.stack = stack,
						});
	}
}

static void fill(struct maker *maker)
{
	struct model *model = maker->model;
	uint32_t job = process(maker, 20, "job", "/bin/dash");
	uint32_t web = process(maker, 10, "web", "/usr/bin/dotnet");
	uint32_t worker =
		model__add_thread(model, web, 11, model__string(model, "Worker"));
	uint32_t nameless = model__add_thread(model, web, 12, 0);
	uint32_t other =
		model__add_thread(model, job, 21, model__string(model, "Main"));
	uint32_t root =
		push(maker, 0,
		     body(maker, web, "Shop.Main()", 0x7000, TS_TIER_READY_TO_RUN, 0));
	uint32_t early =
		push(maker, root,
		     body(maker, web, "Shop.Work(int)", 0x7008, TS_TIER_QUICK, 0));
	uint32_t late = push(maker, root,
			     body(maker, web, "Shop.Work(int)", 0x7008, TS_TIER_1, 2));

	samples(maker, worker, early, 5);
	samples(maker, worker, late, 3);
	samples(maker, nameless,
		push_other(maker, late, MODEL_FRAME_NATIVE, "libcoreclr.so!JIT_New",
			   0x1c99a0),
		2);
	samples(maker, nameless, late, 1);
	root = push(maker, 0, body(maker, job, "Shop.Main()", 0x9000, TS_TIER_1, 0));
	samples(maker, other,
		push_other(maker, root, MODEL_FRAME_NATIVE, "libc.so.6", 0x1c99), 4);
	samples(maker, other, push_other(maker, 0, MODEL_FRAME_UNKNOWN, "no_table", 0),
		1);
	model__set_count(model, MODEL_LEDGER_SAMPLES_LOST, "ring_full", 7);
}

static void fill_kernel(struct maker *maker)
{
	struct model *model = maker->model;
	uint32_t web = process(maker, 10, "web", "/usr/bin/dotnet");
	uint32_t worker =
		model__add_thread(model, web, 11, model__string(model, "Worker"));
	uint32_t root =
		push(maker, 0,
		     body(maker, web, "Shop.Main()", 0x7000, TS_TIER_READY_TO_RUN, 0));
	uint32_t call =
		push_other(maker, root, MODEL_FRAME_KERNEL, "do_syscall_64", 0);

	samples(maker, worker,
		push_other(maker, call, MODEL_FRAME_KERNEL, "vfs_read", 0), 6);
	samples(maker, worker,
		push_other(maker, root, MODEL_FRAME_KERNEL, "ext4_sync_fs [ext4]", 0),
		1);
}

/* Each name for a body and for native code, all of one process.  Versions are
 * merged: a name alone must not be taken for a mangled one. */
static void fill_hostile(struct maker *maker)
{
	static const char *const names[] = {
		"Bad\xff\xc3(bytes)",
		"Red.\x1b[31mRed\n\r(int)",
		"std::vector<int, std::allocator<int> >::push_back(int)",
		"\"quote\\\"</script>",
		"Turn.\xe2\x80\xae"
		"around()",
		"",
		"\xe6\xb1\x89.\xf0\x9f\x94\xa5()",
	};
	struct model *model = maker->model;
	uint32_t owner = process(maker, 66, "\xff\x1b]0;title\x07", "");
	uint32_t thread = model__add_thread(model, owner, 67,
					    model__string(model, "\xc0\x80\"};\n"));

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		uint32_t stack = push(maker, 0,
				      body(maker, owner, names[i], 0x1000 + i,
					   UINT32_MAX, UINT32_MAX));

		samples(maker, thread, stack, 1);
		samples(maker, thread,
			push_other(maker, 0, MODEL_FRAME_NATIVE, names[i], 0), 1);
	}
	samples(maker, thread, 0, 1);
}

static void begin(struct maker *maker)
{
	struct model_about *about = model__about(maker->model);

	about->start_ns = START;
	about->end_ns = START + 2000000000u;
	about->start_unix_ns = 1763700000000000000;
	about->complete = true;
	about->command = model__string(maker->model, "web --port 80");
	model__add_event(maker->model,
			 &(struct model_event){
				 .name = model__string(maker->model, "cpu-clock"),
				 .period = PERIOD,
			 });
}

int main(int argc, char **argv)
{
	struct maker maker = {.model = model__new(), .time_ns = START};
	struct view_options options = {.note = "the recording was cut"};
	struct buf file = BUF_INIT;
	const char *what = argc == 3 ? argv[2] : "";
	int result = 2;

	begin(&maker);
	if (!strcmp(what, "hostile")) {
		fill_hostile(&maker);
		options.split = VIEW_SPLIT_NONE;
	} else if (!strcmp(what, "kernel")) {
		fill_kernel(&maker);
	} else if (strcmp(what, "empty")) {
		fill(&maker);
	}
	options.per_thread = !strcmp(what, "per-thread");
	if (!strcmp(what, "perfmap"))
		options.names = VIEW_NAMES_PERFMAP;
	if (argc != 3 ||
	    (!strcmp(argv[1], "pprof")
		     ? view_pprof__write(maker.model, &options, &file)
		     : view_speedscope__write(maker.model, &options, &file)))
		goto out;
	if (fwrite(file.data, 1, file.size, stdout) == file.size && !fflush(stdout))
		result = 0;
out:
	buf__free(&file);
	model__free(maker.model);
	return result;
}
