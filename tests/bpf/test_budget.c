// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// How many instructions the verifier looks at, per program, against limits in a
// file.  It gives up at a million, and loading takes as long as it looks.
// With --write: measures and writes the limits, a fifth above.
#include "kernel_side.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

/* Options that take nothing out. */
static const struct sizes everything = {.kernel_stacks = 1};

static __u32 verified(const struct bpf_program *program)
{
	struct bpf_prog_info info = {};
	__u32 size = sizeof(info);

	assert_return_code(
		bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size), errno);
	return info.verified_insns;
}

/* "6.18": verifiers of different kernels count differently. */
static void kernel_series(char ret_series[32])
{
	struct utsname name;
	int major, minor;

	assert_return_code(uname(&name), errno);
	assert_int_equal(sscanf(name.release, "%d.%d", &major, &minor), 2);
	snprintf(ret_series, 32, "%d.%d", major, minor);
}

static FILE *open_budget(const char *mode)
{
	const char *path = getenv("TIERSCOPE_BUDGET");
	FILE *file = fopen(path ? path : "tests/bpf/verifier_budget.txt", mode);

	assert_non_null(file);
	return file;
}

/* The limit of one program, 0 when the file has none. */
static __u32 limit_of(const char *wanted)
{
	FILE *file = open_budget("r");
	char line[256], name[128];
	unsigned int limit, found = 0;

	while (fgets(line, sizeof(line), file))
		if (sscanf(line, "%127s %u", name, &limit) == 2 &&
		    !strcmp(name, wanted))
			found = limit;
	fclose(file);
	return found;
}

static void measured_on(char ret_series[32])
{
	FILE *file = open_budget("r");
	char line[256];

	ret_series[0] = 0;
	while (fgets(line, sizeof(line), file))
		sscanf(line, "# kernel %31s", ret_series);
	fclose(file);
}

static void no_program_exceeds_its_limit(void **state)
{
	struct kernel_side *kernel;
	struct bpf_program *program;
	char here[32], there[32];
	bool good = true;

	SKIP_IF_MISSING();
	kernel = kernel_side__open(&everything);
	kernel_series(here);
	measured_on(there);
	if (strcmp(here, there)) {
		kernel_side__close(kernel);
		print_message("the limits are those of kernel %s, this is %s\n", there,
			      here);
		skip();
	}
	bpf_object__for_each_program(program, kernel->skeleton->obj)
	{
		const char *name = bpf_program__name(program);
		__u32 limit = limit_of(name), count = verified(program);

		if (count <= limit)
			continue;
		good = false;
		if (limit)
			print_message("%s: %u instructions verified, the limit is %u\n",
				      name, count, limit);
		else
			print_message("%s: has no limit; run make bpf-golden\n", name);
	}
	kernel_side__close(kernel);
	assert_true(good);
}

/* A limit without a program hides a renamed one. */
static void every_limit_has_a_program(void **state)
{
	struct tierscope *skeleton = tierscope__open();
	FILE *file = open_budget("r");
	char line[256], name[128];
	unsigned int limit, limits = 0;

	assert_non_null(skeleton);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%127s %u", name, &limit) != 2)
			continue;
		limits++;
		if (!bpf_object__find_program_by_name(skeleton->obj, name))
			fail_msg("%s: no such program", name);
	}
	assert_int_not_equal(limits, 0);
	fclose(file);
	tierscope__destroy(skeleton);
}

static int write_limits(void)
{
	struct kernel_side *kernel;
	struct bpf_program *program;
	char series[32];
	FILE *file;

	if (kernel_side__missing()) {
		fprintf(stderr, "%s\n", kernel_side__missing());
		return 1;
	}
	kernel = kernel_side__open(&everything);
	file = open_budget("w");
	kernel_series(series);
	fprintf(file,
		"# Limits for the instructions that the verifier looks at: measured + "
		"20 %%.\n"
		"# Written by `make bpf-golden`.\n# kernel %s\n",
		series);
	bpf_object__for_each_program(program, kernel->skeleton->obj)
		fprintf(file, "%s %u\n", bpf_program__name(program),
			verified(program) + verified(program) / 5);
	fclose(file);
	kernel_side__close(kernel);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_program_exceeds_its_limit),
		cmocka_unit_test(every_limit_has_a_program),
	};

	if (argc == 2 && !strcmp(argv[1], "--write"))
		return write_limits();
	return cmocka_run_group_tests_name("bpf_budget", tests, NULL, NULL);
}
