// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Which rules a mapping of this very program gets: one table per file, whoever maps it,
// room that is made when nobody does, files that are written anew, and the vdso.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/recorder/internal.h"
#include "no_image_arrays.h"
#include "no_kernel.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

struct fixture {
	struct model *model;
	struct recorder *recorder;
	struct process *first, *second;
};

static void set_up_with(void **state, const char *cache)
{
	static struct fixture fixture;

	setenv("TIERSCOPE_CACHE", cache, 1);
	fixture.model = model__new();
	fixture.recorder = recorder__new(NULL, fixture.model);
	fixture.first = process__new(fixture.recorder, 1, getpid(), 100, MODEL_NONE, MODEL_NONE);
	fixture.second = process__new(fixture.recorder, 2, getpid(), 100, MODEL_NONE, MODEL_NONE);
	memset(&no_image_rules, 0, sizeof(no_image_rules));
	memset(&no_kernel_rules, 0, sizeof(no_kernel_rules));
	no_image_rules.room = 64;
	*state = &fixture;
}

static int set_up(void **state)
{
	set_up_with(state, "");
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	recorder__free(fixture->recorder);
	model__free(fixture->model);
	return 0;
}

/* Executable memory of ours whose path holds `name`, as the recorder knows mappings. */
static struct mapping mapping_of(struct fixture *fixture, const char *name)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	struct mapping mapping = {.kind = MAPPING_FILE, .file = NO_IMAGE};
	unsigned int major, minor;
	char line[512], protection[5];
	int at;

	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		line[strcspn(line, "\n")] = 0;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
			   &mapping.start, &mapping.end, protection, &mapping.file_offset,
			   &major, &minor, &mapping.inode, &at) < 7 ||
		    protection[2] != 'x' || !strstr(line + at, name))
			continue;
		mapping.device = makedev(major, minor);
		mapping.path = model__string(fixture->model, line + at);
		if (line[at] == '[')
			mapping.kind = MAPPING_SPECIAL;
		fclose(maps);
		return mapping;
	}
	fail_msg("nothing of %s is mapped", name);
	return mapping;
}

struct wanted {
	const char *name;
	uint64_t base;	/* of its lowest code, to 64 bytes */
};

static int on_library(struct dl_phdr_info *library, size_t size, void *context)
{
	struct wanted *wanted = context;

	(void)size;
	if (!strstr(library->dlpi_name, wanted->name))
		return 0;
	for (int i = 0; i < library->dlpi_phnum; i++)
		if (library->dlpi_phdr[i].p_type == PT_LOAD &&
		    library->dlpi_phdr[i].p_flags & PF_X)
			wanted->base = (library->dlpi_addr +
					library->dlpi_phdr[i].p_vaddr) & ~63ull;
	return 1;
}

static void a_file_is_read_once_for_all(void **state)
{
	struct fixture *fixture = *state;
	struct mapping mapping = mapping_of(fixture, "libc.so.6"), other = mapping;
	struct wanted wanted = {.name = "libc.so.6"};

	assert_true(rules__publish(fixture->recorder, fixture->first, &mapping));
	assert_int_equal(no_image_rules.added, 1);
	dl_iterate_phdr(on_library, &wanted);
	assert_true(wanted.base && no_kernel_rules.base == wanted.base);
	assert_true(no_kernel_rules.start == mapping.start);
	assert_true(no_kernel_rules.end == mapping.end);
	assert_true(rules__publish(fixture->recorder, fixture->second, &other));
	assert_int_equal(no_image_rules.added, 1);
	assert_int_equal(no_kernel_rules.times, 2);
	assert_int_equal(fixture->recorder->rules.count, 1);
}

static void room_is_made_of_files_that_nobody_maps(void **state)
{
	struct fixture *fixture = *state;
	struct mapping c = mapping_of(fixture, "libc.so.6"), again = c;
	struct mapping elf = mapping_of(fixture, "libelf");

	no_image_rules.room = 1;
	assert_true(rules__publish(fixture->recorder, fixture->first, &c));
	assert_true(rules__publish(fixture->recorder, fixture->second, &again));
	assert_false(rules__publish(fixture->recorder, fixture->first, &elf));
	rules__unpublish(fixture->recorder, &c);
	rules__unpublish(fixture->recorder, &c);	/* has no effect */
	assert_false(rules__publish(fixture->recorder, fixture->first, &elf));
	assert_int_equal(no_image_rules.dropped, 0);
	rules__unpublish(fixture->recorder, &again);
	assert_int_equal(no_image_rules.dropped, 0);	/* there is no need yet */
	assert_true(rules__publish(fixture->recorder, fixture->first, &elf));
	assert_int_equal(no_image_rules.dropped, 1);
	/* It comes back when there is room again. */
	assert_false(rules__publish(fixture->recorder, fixture->first, &c));
	rules__unpublish(fixture->recorder, &elf);
	assert_true(rules__publish(fixture->recorder, fixture->first, &c));
	assert_int_equal(no_image_rules.added, 3);
	assert_int_equal(fixture->recorder->rules.count, 2);
}

/* Its rules are made once, and nobody else's are taken out for them. */
static void a_file_with_more_rules_than_there_is_room_is_left_alone(void **state)
{
	struct fixture *fixture = *state;
	struct mapping c = mapping_of(fixture, "libc.so.6");
	struct mapping elf = mapping_of(fixture, "libelf");
	uint64_t bytes;

	assert_true(rules__publish(fixture->recorder, fixture->first, &c));
	rules__unpublish(fixture->recorder, &c);
	no_image_rules.too_big = true;
	assert_false(rules__publish(fixture->recorder, fixture->first, &elf));
	bytes = fixture->recorder->rules.bytes;
	assert_false(rules__publish(fixture->recorder, fixture->second, &elf));
	assert_true(fixture->recorder->rules.bytes == bytes);
	assert_int_equal(no_image_rules.dropped, 0);
}

static void the_vdso_has_rules_and_other_memory_has_none(void **state)
{
	struct fixture *fixture = *state;
	struct mapping mapping = mapping_of(fixture, "[vdso]");

	if (getauxval(AT_SYSINFO_EHDR) != mapping.start)
		skip();
	assert_true(rules__publish(fixture->recorder, fixture->first, &mapping));
	assert_true(no_kernel_rules.base == mapping.start);
	mapping.path = model__string(fixture->model, "[vsyscall]");
	assert_false(rules__publish(fixture->recorder, fixture->first, &mapping));
	mapping.kind = MAPPING_JIT;
	assert_false(rules__publish(fixture->recorder, fixture->first, &mapping));
	assert_int_equal(no_image_rules.added, 1);
}

static void copy_over(const char *path, const char *from)
{
	char command[512];

	snprintf(command, sizeof(command), "cat %s > %s", from, path);
	assert_int_equal(system(command), 0);
}

/* What is mapped from now on is what is in the file now. */
static void a_file_that_was_written_anew_is_read_anew(void **state)
{
	struct fixture *fixture = *state;
	struct mapping mapping, self = mapping_of(fixture, "libelf");
	char path[] = "/tmp/tierscope-rules-XXXXXX", elf[256];
	int fd = mkstemp(path);
	void *code;

	snprintf(elf, sizeof(elf), "%s", model__text(fixture->model, self.path));
	assert_return_code(fd, errno);
	copy_over(path, "/proc/self/status");
	code = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	if (code == MAP_FAILED && errno == EPERM)
		skip();
	assert_ptr_not_equal(code, MAP_FAILED);
	mapping = mapping_of(fixture, path);
	for (int again = 0; again < 2; again++)
		assert_false(rules__publish(fixture->recorder, fixture->first, &mapping));
	assert_int_equal(fixture->recorder->rules.count, 1);
	copy_over(path, elf);
	mapping.file_offset = self.file_offset;
	assert_true(rules__publish(fixture->recorder, fixture->first, &mapping));
	assert_int_equal(fixture->recorder->rules.count, 2);
	munmap(code, 4096);
	close(fd);
	unlink(path);
}

/* Of an entry; the vdso, which is ours in each run, has none. */
static uint64_t kept_bytes(const char *folder, uint32_t *ret_entries)
{
	DIR *list = opendir(folder);
	uint64_t bytes = 0;
	struct dirent *found;
	struct stat state;

	assert_non_null(list);
	*ret_entries = 0;
	while ((found = readdir(list))) {
		if (!strstr(found->d_name, ".table"))
			continue;
		assert_int_equal(fstatat(dirfd(list), found->d_name, &state, 0), 0);
		bytes += (uint64_t)state.st_size;
		++*ret_entries;
	}
	closedir(list);
	return bytes;
}

/* What the next run reads is what was kept, and the sampler gets the same of it. */
static void what_a_run_has_read_the_next_one_need_not(void **state)
{
	char folder[] = "/tmp/tierscope-cache-XXXXXX", command[64];
	uint64_t bytes[2], bases[2], kept = 0;
	uint32_t entries;

	assert_non_null(mkdtemp(folder));
	for (int run = 0; run < 2; run++) {
		struct mapping c, vdso;
		struct fixture *fixture;

		tear_down(state);
		set_up_with(state, folder);
		fixture = *state;
		c = mapping_of(fixture, "libc.so.6");
		vdso = mapping_of(fixture, "[vdso]");
		kept = kept_bytes(folder, &entries);
		assert_int_equal(entries, run);
		assert_true(rules__publish(fixture->recorder, fixture->first, &c));
		bytes[run] = fixture->recorder->rules.bytes;
		bases[run] = no_kernel_rules.base;
		rules__publish(fixture->recorder, fixture->first, &vdso);
	}
	assert_true(bases[0] == bases[1]);
	assert_true(bytes[1] == kept && bytes[0] != kept);
	snprintf(command, sizeof(command), "rm -r %s", folder);
	assert_int_equal(system(command), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_read_once_for_all),
		TEST(room_is_made_of_files_that_nobody_maps),
		TEST(a_file_with_more_rules_than_there_is_room_is_left_alone),
		TEST(the_vdso_has_rules_and_other_memory_has_none),
		TEST(a_file_that_was_written_anew_is_read_anew),
		TEST(what_a_run_has_read_the_next_one_need_not),
	};

	return cmocka_run_group_tests_name("recorder_rules", tests, NULL, NULL);
}
