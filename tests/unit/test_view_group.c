// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Frames of the runtime, in groups: by everything that can tell, and nothing by guess.
#include "view_fixture.h"

#include "../../user/view/runtime_group.h"

#define STACK_MOST 32

/* Frames divided by ';': with a '(' managed, in instrumented code after a '~', and of the kernel
 * after a '#'.  Runs of one group are one, as in the views. */
static void assert_groups(const char *thread, const char *stack, const char *wanted)
{
	struct runtime_frame frames[STACK_MOST];
	enum runtime_group groups[STACK_MOST];
	struct buf found = BUF_INIT;
	char *copy = strdup(stack), *rest = copy, *name;
	size_t count = 0;

	while ((name = strsep(&rest, ";"))) {
		assert_true(count < STACK_MOST);
		frames[count] = (struct runtime_frame){ .managed = strchr(name, '('),
							.instrumented = *name == '~' };
		frames[count].native = !frames[count].managed && *name != '#';
		frames[count++].name = name + (*name == '~' || *name == '#');
	}
	runtime_group__of_stack(frames, count, thread, groups);
	for (size_t i = 0; i < count; i++) {
		if (groups[i] && i && groups[i] == groups[i - 1])
			continue;
		if (i)
			buf__append_char(&found, ';');
		buf__append_string(&found, groups[i] ? runtime_group__name(groups[i]) :
						       frames[i].name);
	}
	assert_string_equal(buf__string(&found), wanted);
	buf__free(&found);
	free(copy);
}

static void a_file_tells(void **state)
{
	(void)state;
	assert_groups("", "A();libclrgc.so!+0x10;libclrgc.so!+0x20", "A();[GC]");
	assert_groups("", "A();libclrgcexp.so!+0x10", "A();[GC]");
	assert_groups("", "A();libSystem.Native.so!SystemNative_Read;libc.so.6!read;#vfs_read",
		      "A();[interop];libc.so.6!read;vfs_read");
	assert_groups("", "A();libc.so.6!read", "A();libc.so.6!read");
	assert_groups("", "A();libmine.so!libclrjit", "A();libmine.so!libclrjit");
	assert_groups("", "#libclrjit.so", "libclrjit.so");
	assert_groups("", "A();libcoreclr.so!+0x10;libcoreclr.so!+0x20", "A();[runtime]");
}

static void what_the_jit_calls_is_the_jits(void **state)
{
	(void)state;
	assert_groups("", "A();libcoreclr.so!+0x1;libcoreclr.so!+0x2;libclrjit.so!+0x3;libcoreclr.so!+0x4",
		      "A();[JIT]");
	assert_groups("", "A();libclrjit.so!+0x3;libc.so.6!malloc", "A();[JIT];libc.so.6!malloc");
	assert_groups("", "A();libcoreclr.so!+0x1;libclrjit.so!+0x3;libc.so.6!qsort;libclrjit.so!+0x4",
		      "A();[JIT];libc.so.6!qsort;[JIT]");
	/* A class is initialized, for which its initializer is compiled. */
	assert_groups("", "System.Runtime.CompilerServices.InitHelpers.InitClassSlow();libcoreclr.so!+0x1;libclrjit.so!+0x3",
		      "System.Runtime.CompilerServices.InitHelpers.InitClassSlow();[type loading];[JIT]");
	/* Whatever method it is that calls another for the first time. */
	assert_groups("", "System.Threading.Monitor.Enter(object);libcoreclr.so!+0x1;libclrjit.so!+0x3",
		      "System.Threading.Monitor.Enter(object);[JIT]");
}

static void managed_methods_tell(void **state)
{
	(void)state;
	assert_groups("", "System.GC.Collect();libcoreclr.so!+0x1;libc.so.6!memset",
		      "System.GC.Collect();[GC];libc.so.6!memset");
	assert_groups("", "System.Threading.Thread.PollGC();libcoreclr.so!+0x1",
		      "System.Threading.Thread.PollGC();[GC]");
	assert_groups("", "System.Threading.Thread.Sleep(int);libcoreclr.so!+0x1;libc.so.6!clock_nanosleep",
		      "System.Threading.Thread.Sleep(int);[threads];libc.so.6!clock_nanosleep");
	assert_groups("", "Interop.Crypto.Open();libcoreclr.so!+0x1", "Interop.Crypto.Open();[interop]");
	assert_groups("", "A();libcoreclr.so!+0x1;libcoreclr.so!+0x2;B..cctor()",
		      "A();[type loading];B..cctor()");
	assert_groups("", "A();libcoreclr.so!+0x1;B()", "A();[runtime];B()");
	/* Not what a method calls that the called one calls. */
	assert_groups("", "System.GC.Collect();A();libcoreclr.so!+0x1",
		      "System.GC.Collect();A();[runtime]");
	/* Called by native code of somebody else. */
	assert_groups("", "A();libc.so.6!qsort;libcoreclr.so!+0x1;B()", "A();libc.so.6!qsort;[interop];B()");
	/* It counts a call. */
	assert_groups("", "~System.GC.Collect();libcoreclr.so!+0x1", "System.GC.Collect();[runtime]");
}

static void names_of_functions_tell(void **state)
{
	(void)state;
	assert_groups("", "A();libcoreclr.so!JIT_New;libcoreclr.so!+0x1", "A();[GC]");
	assert_groups("", "A();libcoreclr.so!+0x1;libcoreclr.so!_ZN3WKS7gc_heap3gc1Ev;libcoreclr.so!+0x2",
		      "A();[runtime];[GC]");
	assert_groups("", "A();libcoreclr.so!ThePreStub;libcoreclr.so!+0x1;libcoreclr.so!_Z17UnsafeJitFunctionv;libclrjit.so!jitStartup",
		      "A();[type loading];[JIT]");
	/* Of another library it says nothing. */
	assert_groups("", "A();libmine.so!JIT_New", "A();libmine.so!JIT_New");
}

static void threads_tell(void **state)
{
	(void)state;
	assert_groups(".NET Tiered Com", "libc.so.6!clone3;libcoreclr.so!+0x1;libclrjit.so!+0x2",
		      "libc.so.6!clone3;[JIT]");
	assert_groups(".NET BGC", "libc.so.6!clone3;libcoreclr.so!+0x1", "libc.so.6!clone3;[GC]");
	assert_groups(".NET Finalizer", "libc.so.6!clone3;libcoreclr.so!+0x1;System.GC.RunFinalizers();A.Finalize();libcoreclr.so!+0x1",
		      "libc.so.6!clone3;[GC];System.GC.RunFinalizers();A.Finalize();[runtime]");
	assert_groups("worker", "libc.so.6!clone3;libcoreclr.so!+0x1;A()", "libc.so.6!clone3;[threads];A()");
	assert_groups("worker", "libc.so.6!clone3;libcoreclr.so!+0x1", "libc.so.6!clone3;[runtime]");
	assert_groups("app", "libc.so.6!__libc_start_main;dotnet!main;libhostfxr.so!+0x1;libcoreclr.so!+0x1;A()",
		      "libc.so.6!__libc_start_main;[runtime];A()");
	assert_groups("", "", "");
}

/* --- in the views --------------------------------------------------------- */

static char *folded(const struct model *model, bool per_thread)
{
	struct view_options options = { .per_thread = per_thread };
	struct buf buf = BUF_INIT;

	assert_int_equal(view_folded__write(model, &options, &buf), 0);
	return buf__steal(&buf);
}

static void sums_stay(void **state)
{
	struct model *model = *state;
	uint32_t work = fixture_push(model, 0, MODEL_FRAME_BODY, BODY_MAIN, "", 0), other;
	uint64_t before[MODEL_FRAME_KINDS];
	char *text;

	/* Two addresses of one library are one frame of a group. */
	work = fixture_push(model, work, MODEL_FRAME_BODY, BODY_TIER1, "", 0);
	other = fixture_push(model, work, MODEL_FRAME_NATIVE, MODEL_NONE, "libcoreclr.so", 0x2000);
	other = fixture_push(model, other, MODEL_FRAME_NATIVE, MODEL_NONE, "libcoreclr.so", 0x2100);
	fixture_samples(model, 0, other, 5);
	for (uint32_t kind = 0; kind < MODEL_FRAME_KINDS; kind++)
		before[kind] = model__leaf_samples(model, 0, kind)[0];
	view__group_runtime(model);
	for (uint32_t kind = 0; kind < MODEL_FRAME_KINDS; kind++)
		assert_int_equal(model__leaf_samples(model, 0, kind)[0], before[kind]);
	text = folded(model, false);
	assert_string_equal(text, "Main [r2r];Work(int) [tier0] 4\n"
				  "Main [r2r];Work(int) [tier0];Work(int) [osr@0x1a] 2\n"
				  "Main [r2r];Work(int) [tier1 #2];[runtime] 8\n"
				  "[unknown: no_table] 1\n");
	free(text);
	view__group_runtime(model);
	text = folded(model, false);
	assert_contains(text, "Main [r2r];Work(int) [tier1 #2];[runtime] 8\n");
	free(text);
}

static void one_stack_of_two_threads_is_two(void **state)
{
	struct model *model = *state;
	uint32_t stack = fixture_push(model, 0, MODEL_FRAME_NATIVE, MODEL_NONE, "libcoreclr.so!+0x10", 0x10);
	static const char *const names[] = { ".NET BGC", "other" };
	char *text;

	for (int i = 0; i < 2; i++)
		model__add_sample(model, &(struct model_sample){
			.thread = model__add_thread(model, 0, 12 + i, model__string(model, names[i])),
			.stack = stack });
	view__group_runtime(model);
	text = folded(model, true);
	assert_contains(text, ".NET BGC-12;[GC] 1\n");
	assert_contains(text, "other-13;[runtime] 1\n");
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_tells),
		cmocka_unit_test(what_the_jit_calls_is_the_jits),
		cmocka_unit_test(managed_methods_tell),
		cmocka_unit_test(names_of_functions_tell),
		cmocka_unit_test(threads_tell),
		cmocka_unit_test_setup_teardown(sums_stay, fixture_setup, fixture_teardown),
		cmocka_unit_test_setup_teardown(one_stack_of_two_threads_is_two, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests_name("view_group", tests, NULL, NULL);
}
