// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// user/unwind/cache.c: tables come back as they were made, and no table that the sampler
// could not trust does, whatever the entry says and even if its checksum is right.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/base/crc32c.h"
#include "../../user/symbol/elf_view.h"
#include "../../user/unwind/cache.h"
#include "../../user/unwind/unwind.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of an entry: where the checksum is, what it covers, and what is the table's. */
enum { CRC_AT = 20, CRC_FROM = 24, CONTENT_AT = 80, ROWS_AT = 96 };

static char folder[] = "/tmp/tierscope-rules-XXXXXX", file_path[200], entry[600];
static struct unwind_table made;

static int set_up(void **state)
{
	char command[300];
	struct elf_view view;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("TIERSCOPE_CACHE", folder, 1);
	snprintf(file_path, sizeof(file_path), "%s/file", folder);
	snprintf(command, sizeof(command), "cat /lib/x86_64-linux-gnu/libc.so.6 > %s", file_path);
	assert_int_equal(system(command), 0);
	fd = open(file_path, O_RDONLY);
	assert_int_equal(elf_view__open(&view, fd), 0);
	assert_int_equal(unwind_table__read(&made, &view), 0);
	elf_view__close(&view);
	close(fd);
	assert_true(unwind_table__is_sound(&made));
	return 0;
}

static int tear_down(void **state)
{
	char command[200];

	(void)state;
	unwind_table__free(&made);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	return 0;
}

static void find_entry(void)
{
	DIR *list = opendir(folder);
	struct dirent *found;

	*entry = 0;
	while ((found = readdir(list)))
		if (strstr(found->d_name, ".rules.table"))
			snprintf(entry, sizeof(entry), "%s/%s", folder, found->d_name);
	closedir(list);
}

/* In memory of its own, as the reader makes it. */
static struct unwind_table copy_of(const struct unwind_table *table, uint32_t count)
{
	struct unwind_table copy = *table;

	copy.rows = calloc(count, sizeof(*copy.rows));
	assert_non_null(copy.rows);
	memcpy(copy.rows, table->rows,
	       (count < table->count ? count : table->count) * sizeof(*copy.rows));
	copy.count = copy.capacity = count;
	return copy;
}

/* One run: true when the table was there, in *ret_table; else `table` is kept for the next. */
static bool run(const struct unwind_table *table, struct unwind_table *ret_table)
{
	struct unwind_cache *cache = unwind_cache__open();
	int fd = open(file_path, O_RDONLY);
	bool there;

	assert_non_null(cache);
	there = !unwind_cache__load(cache, fd, ret_table);
	if (!there && table) {
		struct unwind_table copy = copy_of(table, table->count);

		unwind_cache__keep(cache, &copy);
		assert_null(copy.rows);
		unwind_table__free(&copy);
	}
	close(fd);
	unwind_cache__free(cache);
	return there;
}

static bool is_there(void)
{
	struct unwind_table table;
	bool there = run(NULL, &table);

	if (there) {
		assert_true(unwind_table__is_sound(&table));
		unwind_table__free(&table);
	}
	return there;
}

static void keep(const struct unwind_table *table)
{
	struct unwind_table none;

	assert_false(run(table, &none));
	find_entry();
	assert_true(*entry);
}

static void a_table_comes_back_as_it_was(void **state)
{
	struct unwind_table table;
	struct stat size;

	(void)state;
	keep(&made);
	assert_int_equal(stat(entry, &size), 0);
	assert_true(run(NULL, &table));
	assert_int_equal(table.count, made.count);
	assert_true(table.base == made.base);
	assert_memory_equal(table.rows, made.rows, made.count * sizeof(*made.rows));
	/* What was read of the disk, not what had to be read of the file once. */
	assert_int_equal(table.bytes_read, size.st_size);
	assert_int_equal(unwind_table__find(&table, made.base + made.rows[7].begin),
			 made.rows[7].shape);
	/* An upgrade that is written in place, under our hands. */
	assert_int_equal(truncate(entry, 4096), 0);
	assert_int_equal(table.rows[made.count - 1].begin, 0);
	unwind_table__free(&table);
	assert_false(is_there());
}

static void a_file_that_was_written_anew_has_none(void **state)
{
	struct timespec times[2] = {{1000, 0}, {1000, 0}};
	char other[900];

	(void)state;
	keep(&made);
	assert_true(is_there());
	assert_int_equal(utimensat(AT_FDCWD, file_path, times, 0), 0);
	assert_false(is_there());
	keep(&made);
	assert_int_equal(truncate(file_path, 4096), 0);
	assert_int_equal(utimensat(AT_FDCWD, file_path, times, 0), 0);
	assert_false(is_there());
	keep(&made);
	snprintf(other, sizeof(other), "cp -p %s %s.new && mv %s.new %s", file_path, file_path,
		 file_path, file_path);
	assert_int_equal(system(other), 0);
	assert_false(is_there());
}

static void nothing_is_written_before_the_end_and_nothing_twice(void **state)
{
	struct unwind_cache *cache = unwind_cache__open();
	struct unwind_table table, again = copy_of(&made, made.count);
	struct unwind_table large = copy_of(&made, 3u << 20);
	int fd = open(file_path, O_RDONLY), other = open("/proc/self/exe", O_RDONLY);

	(void)state;
	assert_int_not_equal(unwind_cache__load(cache, fd, &table), 0);
	table = copy_of(&made, made.count);
	unwind_cache__keep(cache, &table);
	assert_null(table.rows);
	find_entry();
	assert_false(*entry);
	unwind_cache__keep(cache, &again);
	assert_non_null(again.rows);
	/* More than is held until the end. */
	assert_int_not_equal(unwind_cache__load(cache, other, &table), 0);
	unwind_cache__keep(cache, &large);
	assert_non_null(large.rows);
	unwind_table__free(&again);
	unwind_table__free(&large);
	unwind_cache__free(cache);
	find_entry();
	assert_true(*entry);
	close(fd);
	close(other);
}

static void it_can_be_switched_off(void **state)
{
	struct unwind_table table = copy_of(&made, 4);

	(void)state;
	setenv("TIERSCOPE_CACHE", "", 1);
	assert_null(unwind_cache__open());
	assert_int_not_equal(unwind_cache__load(NULL, 0, &table), 0);
	unwind_cache__keep(NULL, &table);
	assert_non_null(table.rows);
	unwind_table__free(&table);
	unwind_cache__free(NULL);
}

/* --- entries whose checksum is right ----------------------------------------- */

static void tables_that_are_none_do_not_come_back(void **state)
{
	struct unwind_table table;
	uint32_t last = made.count - 1;

	(void)state;
#define REFUSED(change) do {					\
		table = copy_of(&made, made.count);		\
		change;						\
		keep(&table);					\
		assert_false(is_there());			\
		unwind_table__free(&table);			\
	} while (0)
	REFUSED(table.rows[8].begin = table.rows[7].begin);
	REFUSED(table.rows[0].begin = table.rows[1].begin + 1);
	REFUSED(table.rows[last].begin = 0);
	REFUSED(table.rows[last].begin = UINT32_MAX);
	REFUSED(table.rows[last].shape = TS_SHAPE(TS_RULE_RSP, 0, 1));	/* no fence */
	REFUSED(table.count--);
	REFUSED(table.rows[5].shape = TS_SHAPE(TS_RULE_COUNT, 0, 1));
	REFUSED(table.rows[5].shape = TS_SHAPE(1, 0, 1));		/* a body's */
	REFUSED(table.base++);
	REFUSED(table.count = 0);
	REFUSED(table.rows[last].begin = table.rows[last - 1].begin);
#undef REFUSED
	table = copy_of(&made, made.count);
	keep(&table);
	assert_true(is_there());
	unwind_table__free(&table);
}

static uint64_t next_random(void)
{
	static uint64_t seed = 0x5eed;

	seed = seed * 6364136223846793005ull + 1442695040888963407ull;
	return seed >> 24;
}

/* Whatever the content is, and however long: no table, or a sound one. */
static void random_content_does_no_harm(void **state)
{
	uint32_t count = 300;
	struct unwind_table few = copy_of(&made, count);
	uint8_t whole[ROWS_AT + 300 * 8 + 64] = {0}, bytes[sizeof(whole)];
	size_t size = ROWS_AT + 300 * 8;
	int good = 0;

	(void)state;
	few.rows[count - 1].shape = TS_SHAPE_GAP;
	keep(&few);
	for (int round = 0; round < 3000; round++) {
		int fd = open(entry, O_RDWR);
		size_t cut = round % 3 ? size : CONTENT_AT + 1 +
				       next_random() % (sizeof(whole) - CONTENT_AT - 1);
		uint64_t checked = round % 5 ? cut : next_random() % (2 * cut);
		uint32_t crc;

		if (!round)
			assert_int_equal(pread(fd, whole, size, 0), size);
		memcpy(bytes, whole, sizeof(bytes));
		memcpy(bytes + CRC_FROM + 48, &checked, sizeof(checked));
		for (int i = 0; i < round % 4; i++)
			bytes[CONTENT_AT + next_random() % (round % 7 ? cut - CONTENT_AT : 16)] =
				(uint8_t)next_random();
		crc = crc32c__update(0, bytes + CRC_FROM,
				     (checked < cut && checked > CRC_FROM ? checked : cut) - CRC_FROM);
		memcpy(bytes + CRC_AT, &crc, sizeof(crc));
		assert_int_equal(ftruncate(fd, 0), 0);
		assert_int_equal(pwrite(fd, bytes, cut, 0), cut);
		close(fd);
		good += is_there();
	}
	assert_true(good > 300 && good < 2000);
	unwind_table__free(&few);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_table_comes_back_as_it_was),
		TEST(a_file_that_was_written_anew_has_none),
		TEST(nothing_is_written_before_the_end_and_nothing_twice),
		TEST(it_can_be_switched_off),
		TEST(tables_that_are_none_do_not_come_back),
		TEST(random_content_does_no_harm),
	};

	return cmocka_run_group_tests_name("unwind_cache", tests, NULL, NULL);
}
