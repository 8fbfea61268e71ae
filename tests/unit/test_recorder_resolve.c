// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// From the words of a sample to frames: return addresses that a runtime has hijacked,
// and code that is told of after it was sampled.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/base/clock.h"
#include "../../user/recorder/internal.h"
#include "image_files.h"
#include "no_image_arrays.h"
#include "no_kernel.h"
#include "symbol_fixture.h"

#include <sys/sysmacros.h>

/* Where the runtime's own function begins (hijack_stub.c). */
#define FIRST_PUSHES                                                       \
	"push %rax\\n push %rbp\\n push %rbx\\n push %r15\\n push %r14\\n" \
	"push %r13\\n push %r12\\n"

/* A library that looks like a runtime; before the function lies another, not
 * padding, so that the byte before it has a name too. */
static const char *const runtime_source =
	"int caller(int x) { return x * 3; }\n"
	"__asm__(\".text\\n"
	".globl before\\n .type before, @function\\n"
	"before:\\n .cfi_startproc\\n nop\\n ret\\n .cfi_endproc\\n"
	".size before, .-before\\n"
	".globl trip\\n .type trip, @function\\n"
	"trip:\\n .cfi_startproc\\n" FIRST_PUSHES "nop\\n ret\\n .cfi_endproc\\n"
	".size trip, .-trip\\n\");\n";
static const char *const second_stub =
	"__asm__(\".text\\n trip2:\\n .cfi_startproc\\n" FIRST_PUSHES
	"ret\\n .cfi_endproc\\n\");\n";

struct hijack_fixture {
	struct fixture library;
	struct model *model;
	struct recorder *recorder;
	struct {
		struct ts_sample sample;
		uint64_t frames[8 + TS_CODE_BYTES / 8];
	} of;
};

static bool build(const struct fixture *fixture, const char *more)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/library.c", fixture->folder);
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(runtime_source, file);
	fputs(more, file);
	fclose(file);
	return !run("cd %s && cc -O1 -shared -fPIC -Wl,-Ttext-segment=%#llx -o libfull.so "
		    "library.c && strip -o libstripped.so libfull.so",
		    fixture->folder, LIBRARY_BASE);
}

static bool open_library(struct fixture *fixture)
{
	snprintf(fixture->path, sizeof(fixture->path), "%s/libstripped.so",
		 fixture->folder);
	return library_map(fixture->path, &fixture->mapping);
}

static uint64_t offset_of(const struct fixture *fixture, const char *name)
{
	uint64_t size, address = library_symbol(fixture->folder, name, &size);

	assert_true(address >= LIBRARY_BASE);
	return address - LIBRARY_BASE; /* one segment's worth: offset = address */
}

/* How many places of the file are taken for the runtime's function. */
static unsigned int stubs(struct fixture *fixture, uint64_t *ret_offset)
{
	unsigned int count = 0;

	fixture->file = symbols__file(fixture->symbols, &fixture->mapping);
	assert_int_not_equal(fixture->file, SYMBOLS_NONE);
	for (uint64_t at = 0; at < fixture->mapping.end - fixture->mapping.start; at++)
		if (symbols__is_hijack_stub(fixture->symbols, fixture->file, at)) {
			*ret_offset = at;
			count++;
		}
	library_unmap(&fixture->mapping);
	return count;
}

static void the_function_is_found_by_its_first_bytes(void **state)
{
	struct fixture *fixture = &((struct hijack_fixture *)*state)->library;
	uint64_t offset = 0;

	if (!build(fixture, "int g_dacTable = 1;\n"))
		skip();
	assert_true(open_library(fixture));
	assert_int_equal(stubs(fixture, &offset), 1);
	assert_int_equal(offset, offset_of(fixture, "trip"));
}

static void other_libraries_have_none(void **state)
{
	struct fixture *fixture = &((struct hijack_fixture *)*state)->library;
	uint64_t offset;

	if (!build(fixture, ""))
		skip();
	assert_true(open_library(fixture));
	assert_int_equal(stubs(fixture, &offset), 0);
}

/* Two that begin so: none of them is known to be it. */
static void what_is_not_certain_is_not_taken(void **state)
{
	struct fixture *fixture = &((struct hijack_fixture *)*state)->library;
	char more[1024];
	uint64_t offset;

	snprintf(more, sizeof(more), "int g_dacTable = 1;\n%s", second_stub);
	if (!build(fixture, more))
		skip();
	assert_true(open_library(fixture));
	assert_int_equal(stubs(fixture, &offset), 0);
}

/* The runtime that is installed here has exactly one. */
static void the_runtime_has_one(void **state)
{
	struct fixture *fixture = &((struct hijack_fixture *)*state)->library;
	char framework[1024], path[2048];
	uint64_t offset = 0;

	if (!image_files__framework(framework, sizeof(framework))) {
		print_message("no .NET framework\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/libcoreclr.so", framework);
	assert_true(library_map(path, &fixture->mapping));
	assert_int_equal(stubs(fixture, &offset), 1);
}

/* --- stacks ----------------------------------------------------------------- */

static uint32_t add_body(struct hijack_fixture *fixture, uint32_t row, uint32_t tier,
			 uint64_t function_id)
{
	uint32_t body = model__add_body(fixture->model, &(struct model_body){
								.function_id = function_id,
								.start = 0x1000 * row,
								.size = 0x100,
								.tier = tier,
							});

	map__set(fixture->recorder->rows, row, 1, body);
	return body;
}

static uint64_t frame_of_row(uint32_t row)
{
	return TS_FRAME_MAKE(TS_FRAME_TAG_BODY, 1, row);
}

static bool start_recorder(struct hijack_fixture *fixture)
{
	struct fixture *library = &fixture->library;
	struct recorder *recorder = fixture->recorder;

	if (!build(library, "int g_dacTable = 1;\n"))
		return false;
	assert_true(open_library(library));
	model__add_event(fixture->model, &(struct model_event){.period = 1});
	process__new(recorder, 1, getpid(), 100, MODEL_NONE, MODEL_NONE);
	mappings__on_mapping(recorder,
			     &(struct kernel_mapping){
				     .pid = getpid(),
				     .time_ns = 110,
				     .start = library->mapping.start,
				     .size = library->mapping.end - library->mapping.start,
				     .device_major = major(library->mapping.device),
				     .device_minor = minor(library->mapping.device),
				     .inode = library->mapping.inode,
				     .path = library->path,
			     });
	fixture->of.sample.header = (struct ts_event){.type = TS_EVENT_SAMPLE,
						      .time_ns = 200,
						      .space = 1,
						      .pid = (__u32)getpid(),
						      .tid = (__u32)getpid()};
	return true;
}

/* The byte before a return address of the library, as the sampler gives it. */
static uint64_t before(struct hijack_fixture *fixture, const char *name, uint64_t more)
{
	return fixture->library.mapping.start + offset_of(&fixture->library, name) +
	       more - 1;
}

/* Resolves the sample; its frames, leaf first: N native, B body, ? hijacked, U unknown. */
static const char *resolve(struct hijack_fixture *fixture, unsigned int frames)
{
	static char text[16];
	const struct model *model = fixture->model;
	const struct model_sample *sample;
	unsigned int size = 0;

	fixture->of.sample.frames_count = (__u16)frames;
	buf__append(&fixture->recorder->pending, &fixture->of,
		    kernel_sample__size(&fixture->of.sample));
	samples__resolve(fixture->recorder, true);
	sample = model__sample(model, model__samples(model) - 1);
	for (uint32_t at = sample->stack; at; at = model__stack(model, at)->parent) {
		const struct model_frame *frame =
			model__frame(model, model__stack(model, at)->frame);

		bool hijacked = !strcmp(model__text(model, frame->name),
					"hijacked return address");

		text[size++] = frame->kind == MODEL_FRAME_BODY	   ? 'B'
			       : frame->kind == MODEL_FRAME_NATIVE ? 'N'
			       : hijacked			   ? '?'
								   : 'U';
	}
	text[size] = 0;
	assert_int_equal(!!(sample->flags & TS_SAMPLE_HIJACKED),
			 strchr(text, '?') != NULL);
	return text;
}

static void a_hijacked_address_is_no_caller(void **state)
{
	struct hijack_fixture *fixture = *state;

	if (!start_recorder(fixture))
		skip();
	add_body(fixture, 7, TS_TIER_1, 0x70);
	add_body(fixture, 8, TS_TIER_1, 0x80);
	fixture->of.frames[0] = frame_of_row(7);
	fixture->of.frames[1] = before(fixture, "trip", 0);
	fixture->of.frames[2] = frame_of_row(8);
	fixture->of.frames[3] = before(fixture, "caller", 4);
	assert_string_equal(resolve(fixture, 4), "B?BN");
	assert_int_equal(fixture->recorder->hijacked, 1);
	/* Within that function a return address is one, and a leaf may be anywhere. */
	fixture->of.frames[1] = before(fixture, "trip", 5);
	assert_string_equal(resolve(fixture, 4), "BNBN");
	fixture->of.frames[0] = before(fixture, "trip", 1);
	assert_string_equal(resolve(fixture, 4), "NNBN");
	fixture->of.frames[0] = before(fixture, "trip", 0);
	assert_string_equal(resolve(fixture, 4), "NNBN");
	assert_int_equal(fixture->recorder->hijacked, 1);
	library_unmap(&fixture->library.mapping);
}

/* The last instruction of a function may be a call: what is before is asked for. */
static void a_caller_is_where_its_call_is(void **state)
{
	struct hijack_fixture *fixture = *state;
	const struct model_frame *frame = NULL;
	uint64_t size;

	if (!start_recorder(fixture))
		skip();
	library_symbol(fixture->library.folder, "before", &size);
	fixture->of.frames[0] = before(fixture, "caller", 1);
	fixture->of.frames[1] = before(fixture, "before", size - 1);
	assert_string_equal(resolve(fixture, 2), "NN");
	for (uint32_t i = 0; i < model__frames(fixture->model); i++)
		if (strstr(model__text(fixture->model,
				       model__frame(fixture->model, i)->name),
			   "before"))
			frame = model__frame(fixture->model, i);
	assert_non_null(frame);
	library_unmap(&fixture->library.mapping);
}

/* Beyond it stands perhaps the false return address of an OSR frame. */
static void a_perhaps_false_caller_ends_the_stack(void **state)
{
	struct hijack_fixture *fixture = *state;

	if (!start_recorder(fixture))
		skip();
	add_body(fixture, 7, TS_TIER_1, 0x70);
	add_body(fixture, 8, TS_TIER_QUICK, 0x80);
	add_body(fixture, 9, TS_TIER_QUICK_INSTRUMENTED, 0x90);
	fixture->of.frames[0] = frame_of_row(7);
	fixture->of.frames[1] = before(fixture, "trip", 0);
	fixture->of.frames[2] = frame_of_row(8);
	fixture->of.frames[3] = frame_of_row(9);
	assert_string_equal(resolve(fixture, 4), "B?BB");
	add_body(fixture, 10, TS_TIER_1_OSR, 0x90);
	assert_string_equal(resolve(fixture, 4), "B?BB");
	add_body(fixture, 11, TS_TIER_1_OSR, 0x80);
	assert_string_equal(resolve(fixture, 4), "B?");
	/* Where nothing is hidden the walk knows an OSR frame as such. */
	fixture->of.frames[1] = frame_of_row(7);
	assert_string_equal(resolve(fixture, 4), "BBBB");
	library_unmap(&fixture->library.mapping);
}

/* While a hook is still writing down what was there before it, nobody knows bodies. */
static void samples_wait_for_a_catch_up(void **state)
{
	struct hijack_fixture *fixture = *state;
	struct process *process;

	if (!start_recorder(fixture))
		skip();
	process = process__by_pid(fixture->recorder, getpid());
	fixture->of.sample.frames_count = 1;
	fixture->of.frames[0] = frame_of_row(7);
	buf__append(&fixture->recorder->pending, &fixture->of,
		    kernel_sample__size(&fixture->of.sample));
	process->hold_until_ns = UINT64_MAX;
	samples__resolve(fixture->recorder, false);
	assert_int_equal(model__samples(fixture->model), 0);
	add_body(fixture, 7, TS_TIER_1, 0x70);
	process->hold_until_ns = 0;
	assert_string_equal(resolve(fixture, 1), "B");
	assert_int_equal(model__samples(fixture->model), 2);
	assert_int_equal(fixture->recorder->leaf_causes[LEAF_JIT_UNKNOWN], 0);
	/* Nobody waits for one that is dead, nor at the end. */
	process->hold_until_ns = UINT64_MAX;
	assert_string_equal(resolve(fixture, 1), "B");
	process->alive = false;
	buf__append(&fixture->recorder->pending, &fixture->of,
		    kernel_sample__size(&fixture->of.sample));
	samples__resolve(fixture->recorder, false);
	assert_int_equal(model__samples(fixture->model), 4);
	library_unmap(&fixture->library.mapping);
}

static void map_code_of_the_jit(struct hijack_fixture *fixture)
{
	mappings__on_mapping(fixture->recorder,
			     &(struct kernel_mapping){.pid = getpid(), .time_ns = 110,
						      .start = 0x10000, .size = 0x10000,
						      .path = "/memfd:doublemapper (deleted)"});
}

/* How many samples there are after a sample at that time, with those bytes around it. */
static size_t samples_after(struct hijack_fixture *fixture, uint64_t time_ns, const void *bytes,
			    size_t size)
{
	struct ts_sample *sample = &fixture->of.sample;

	sample->header.time_ns = time_ns;
	sample->flags = TS_SAMPLE_CODE;
	sample->frames_count = 1;
	fixture->of.frames[0] = 0x10010;
	memset(&fixture->of.frames[1], 0xcc, TS_CODE_BYTES);
	memcpy((char *)&fixture->of.frames[1] + TS_CODE_BEFORE, bytes, size);
	buf__append(&fixture->recorder->pending, sample, kernel_sample__size(sample));
	samples__resolve(fixture->recorder, false);
	return model__samples(fixture->model);
}

/* A thread can run a body before the one that compiled it has told of it. */
static void samples_wait_for_the_event_of_their_body(void **state)
{
	static const uint8_t body[] = {0x55, 0x48, 0x89, 0xe5};
	static const uint8_t stub[] = {0x4c, 0x8b, 0x15, 0xf9, 0x3f, 0, 0, 0xff, 0x25, 0xfb, 0x3f, 0, 0};
	struct hijack_fixture *fixture = *state;
	uint64_t now = clock__now();

	if (!start_recorder(fixture))
		skip();
	map_code_of_the_jit(fixture);
	/* A stub has no event; and a second later none is to come. */
	assert_int_equal(samples_after(fixture, now, stub, sizeof(stub)), 1);
	assert_int_equal(samples_after(fixture, now - BODY_LATE_NS, body, sizeof(body)), 2);
	assert_int_equal(fixture->recorder->leaf_causes[LEAF_JIT_UNKNOWN], 1);
	/* Far ahead: so it waits, however slow this machine is. */
	now += 3600 * BODY_LATE_NS;
	assert_int_equal(samples_after(fixture, now, body, sizeof(body)), 2);
	model__add_body(fixture->model,
			&(struct model_body){.function_id = 1, .start = 0x10000, .size = 0x100,
					     .born_ns = now + BODY_LATE_NS / 2});
	samples__resolve(fixture->recorder, false);
	assert_int_equal(model__samples(fixture->model), 3);
	assert_int_equal(fixture->recorder->body_late, 1);
	assert_int_equal(fixture->recorder->leaf_causes[LEAF_JIT_UNKNOWN], 1);
	library_unmap(&fixture->library.mapping);
}

/* Told of after a sample, but it was there: unless its code could be another's by now. */
static void what_a_catch_up_found_was_there_before(void **state)
{
	static const struct {
		uint32_t source, flags;
		bool was_there;
	} bodies[] = {
		{MODEL_SOURCE_CATCH_UP, 0, true},
		{MODEL_SOURCE_CATCH_UP, MODEL_BODY_COLLECTIBLE, false},
		{MODEL_SOURCE_CATCH_UP, MODEL_BODY_DYNAMIC, false},
		{MODEL_SOURCE_EVENT, 0, false},
	};
	struct hijack_fixture *fixture = *state;
	uint64_t later = fixture->of.sample.header.time_ns + 2 * BODY_LATE_NS;

	if (!start_recorder(fixture))
		skip();
	map_code_of_the_jit(fixture);
	for (uint32_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]); i++) {
		model__add_body(fixture->model,
				&(struct model_body){.function_id = 1,
						     .start = 0x10000 + 0x100 * i,
						     .size = 0x100,
						     .born_ns = later,
						     .source = bodies[i].source,
						     .flags = bodies[i].flags});
		fixture->of.frames[0] = 0x10010 + 0x100 * i;
		assert_string_equal(resolve(fixture, 1), bodies[i].was_there ? "B" : "U");
	}
	library_unmap(&fixture->library.mapping);
}

static void the_parts_of_a_sample_lie_one_behind_the_other(void **state)
{
	enum {
		OTHERS = 0xffff & ~(TS_SAMPLE_CODE | TS_SAMPLE_HIT | TS_SAMPLE_STACK |
				    TS_SAMPLE_OFF_CPU)
	};
	static const struct {
		uint16_t flags;
		size_t plain, whole;
		ptrdiff_t code, hit, piece, off; /* 0: none */
	} rows[] = {
		{0, 104, 104, 0, 0, 0, 0},
		{TS_SAMPLE_CODE, 296, 296, 104, 0, 0, 0},
		{TS_SAMPLE_HIT, 104, 120, 0, 104, 0, 0},
		{TS_SAMPLE_CODE | TS_SAMPLE_HIT, 296, 312, 104, 296, 0, 0},
		{TS_SAMPLE_STACK, 104, 192, 0, 0, 104, 0},
		{TS_SAMPLE_CODE | TS_SAMPLE_STACK, 296, 384, 104, 0, 296, 0},
		{TS_SAMPLE_HIT | TS_SAMPLE_STACK, 104, 208, 0, 192, 104, 0},
		{TS_SAMPLE_CODE | TS_SAMPLE_HIT | TS_SAMPLE_STACK, 296, 400, 104, 384, 296, 0},
		{TS_SAMPLE_OFF_CPU, 104, 112, 0, 0, 0, 104},
		{TS_SAMPLE_CODE | TS_SAMPLE_STACK | TS_SAMPLE_OFF_CPU, 296, 392, 104, 0, 296, 384},
	};

	(void)state;
	for (size_t i = 0; i < 2 * sizeof(rows) / sizeof(rows[0]); i++) {
		_Alignas(8) char bytes[400] = {0};
		struct ts_sample *sample = (struct ts_sample *)bytes;
		const void *parts[4];

		sample->frames_count = 3;
		sample->kernel_count = 2;
		sample->flags = rows[i / 2].flags | (i % 2 ? OTHERS : 0);
		if (rows[i / 2].piece)
			((struct ts_stack_piece *)(bytes + rows[i / 2].piece))->bytes = 40;
		parts[0] = kernel_sample__code(sample);
		parts[1] = kernel_sample__hit(sample);
		parts[2] = kernel_sample__piece(sample);
		parts[3] = kernel_sample__off_cpu(sample);
		assert_int_equal(kernel_sample__plain_size(sample), rows[i / 2].plain);
		assert_int_equal(kernel_sample__size(sample), rows[i / 2].whole);
		assert_ptr_equal(parts[0], rows[i / 2].code ? bytes + rows[i / 2].code : NULL);
		assert_ptr_equal(parts[1], rows[i / 2].hit ? bytes + rows[i / 2].hit : NULL);
		assert_ptr_equal(parts[2], rows[i / 2].piece ? bytes + rows[i / 2].piece : NULL);
		assert_ptr_equal(parts[3], rows[i / 2].off ? bytes + rows[i / 2].off : NULL);
	}
}

static int set_up(void **state)
{
	struct hijack_fixture *fixture = calloc(1, sizeof(*fixture));

	setenv("TIERSCOPE_CACHE", "", 1);
	fixture->model = model__new();
	fixture->recorder = recorder__new(NULL, fixture->model);
	fixture->library.symbols = symbols__new();
	strcpy(fixture->library.folder, "/tmp/tierscope-hijack-XXXXXX");
	*state = fixture;
	return mkdtemp(fixture->library.folder) ? 0 : -1;
}

static int tear_down(void **state)
{
	struct hijack_fixture *fixture = *state;

	recorder__free(fixture->recorder);
	model__free(fixture->model);
	symbols__free(fixture->library.symbols);
	run("rm -rf %s", fixture->library.folder);
	free(fixture);
	return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(the_function_is_found_by_its_first_bytes),
		TEST(other_libraries_have_none),
		TEST(what_is_not_certain_is_not_taken),
		TEST(the_runtime_has_one),
		TEST(a_hijacked_address_is_no_caller),
		TEST(a_caller_is_where_its_call_is),
		TEST(a_perhaps_false_caller_ends_the_stack),
		TEST(samples_wait_for_a_catch_up),
		TEST(samples_wait_for_the_event_of_their_body),
		TEST(what_a_catch_up_found_was_there_before),
		TEST(the_parts_of_a_sample_lie_one_behind_the_other),
	};

	return cmocka_run_group_tests_name("recorder_resolve", tests, NULL, NULL);
}
