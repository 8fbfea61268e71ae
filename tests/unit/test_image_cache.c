// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// user/image/cache.c: tables, and what names need, come back as they were, and only
// for the file that they were made from; what is damaged, or writable for others, is made anew.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "image_files.h"

#include "../../user/image/cache.h"
#include "../../user/image/image.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[] = "/tmp/tierscope-cache-XXXXXX", table[512], file_path[512];
static bool missing;

static int set_up(void **state)
{
	struct buf file = BUF_INIT;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(folder));
	setenv("TIERSCOPE_CACHE", folder, 1);
	snprintf(file_path, sizeof(file_path), "%s/image", folder);
	missing = !image_files__read("System.Console.dll", &file);
	if (missing)
		return 0;
	fd = open(file_path, O_CREAT | O_EXCL | O_WRONLY, 0600);
	assert_int_equal(write(fd, file.data, file.size), file.size);
	close(fd);
	buf__free(&file);
	return 0;
}

static int tear_down(void **state)
{
	char command[600];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	assert_int_equal(system(command), 0);
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	return 0;
}

#define NEED_FRAMEWORK()                                           \
	do {                                                       \
		if (missing) {                                     \
			print_message("no .NET framework here\n"); \
			skip();                                    \
		}                                                  \
	} while (0)

static struct image *open_image(struct image_cache *cache)
{
	struct image *image = NULL;
	int fd = open(file_path, O_RDONLY);

	assert_int_equal(image__open(fd, 0, cache, &image), 0);
	close(fd);
	return image;
}

/* One run, which asks for all names if it is given where to put them; true when nothing
 * was written, because all came from the cache. */
static bool run_with_names(struct buf *names)
{
	struct image_cache *cache = image_cache__open();
	struct image *image = open_image(cache);
	struct stat before = {0}, after = {0};
	const struct image_body *bodies;
	bool there;

	for (uint32_t i = 0; names && i < image__bodies(image, &bodies); i++)
		(void)image__body_text(image, i, names);
	there = *table && !stat(table, &before);
	image_cache__free(cache);
	if (!*table) {
		DIR *list = opendir(folder);
		struct dirent *entry;

		while ((entry = readdir(list)))
			if (strstr(entry->d_name, ".table"))
				snprintf(table, sizeof(table), "%s/%.200s", folder,
					 entry->d_name);
		closedir(list);
	}
	assert_int_equal(stat(table, &after), 0);
	image__free(image);
	return there && before.st_ino == after.st_ino;
}

static bool run(void)
{
	return run_with_names(NULL);
}

static void tables_come_back_as_they_were(void **state)
{
	const struct image_row *rows[2];
	const struct image_body *bodies[2];
	struct buf names[2] = {BUF_INIT, BUF_INIT};
	struct image_cache *cache;
	struct image *images[2];
	uint32_t count;

	(void)state;
	NEED_FRAMEWORK();
	*table = 0;
	assert_false(run());
	assert_true(run());
	cache = image_cache__open();
	images[0] = open_image(NULL);
	images[1] = open_image(cache);
	count = image__rows(images[0], &rows[0]);
	assert_int_equal(image__rows(images[1], &rows[1]), count);
	assert_true(count > 100);
	assert_memory_equal(rows[0], rows[1], count * sizeof(*rows[0]));
	count = image__bodies(images[0], &bodies[0]);
	assert_int_equal(image__bodies(images[1], &bodies[1]), count);
	assert_memory_equal(bodies[0], bodies[1], count * sizeof(*bodies[0]));
	image__rest(images[1]);
	for (uint32_t i = 0; i < count; i++)
		assert_int_equal(image__body_text(images[0], i, &names[0]),
				 image__body_text(images[1], i, &names[1]));
	assert_int_equal(names[0].size, names[1].size);
	assert_memory_equal(names[0].data, names[1].data, names[0].size);
	image_cache__free(cache);
	for (int i = 0; i < 2; i++) {
		buf__free(&names[i]);
		image__free(images[i]);
	}
}

static void change_byte(const char *path, off_t at)
{
	int fd = open(path, O_RDWR);
	char byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, at), 1);
	byte ^= 0x40;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
	close(fd);
}

/* A run that needs no names keeps none; once they are kept, nobody copies them again. */
static void what_names_need_is_kept_too(void **state)
{
	struct buf names[4] = {BUF_INIT, BUF_INIT, BUF_INIT, BUF_INIT};
	struct stat without, with;

	(void)state;
	NEED_FRAMEWORK();
	*table = 0;
	assert_false(run());
	assert_int_equal(stat(table, &without), 0);
	assert_false(run_with_names(&names[0]));
	assert_int_equal(stat(table, &with), 0);
	assert_true(with.st_blocks > without.st_blocks);
	assert_true(run_with_names(&names[1]));
	assert_true(run());
	assert_true(names[0].size > 1000);
	/* Damaged, they are copied again, and kept. */
	for (off_t at = without.st_size + 4096; at < with.st_size; at += 512)
		change_byte(table, at);
	assert_true(run());
	assert_false(run_with_names(&names[2]));
	assert_true(run_with_names(&names[3]));
	for (int i = 1; i < 4; i++) {
		assert_int_equal(names[i].size, names[0].size);
		assert_memory_equal(names[i].data, names[0].data, names[0].size);
	}
	for (int i = 0; i < 4; i++)
		buf__free(&names[i]);
}

/* Each byte of both headers, some of the rest; then a shorter and a longer file. */
static void what_is_damaged_is_made_anew(void **state)
{
	struct stat whole;

	(void)state;
	NEED_FRAMEWORK();
	*table = 0;
	assert_false(run());
	assert_int_equal(stat(table, &whole), 0);
	for (off_t at = 0; at < whole.st_size; at += at < 96 ? 1 : whole.st_size / 7) {
		change_byte(table, at);
		assert_false(run());
		assert_true(run());
	}
	for (off_t size = 0; size <= 2 * whole.st_size; size += whole.st_size / 3 + 1) {
		assert_int_equal(truncate(table, size), 0);
		assert_false(run());
		assert_true(run());
	}
}

static void a_table_is_for_one_state_of_one_file(void **state)
{
	(void)state;
	NEED_FRAMEWORK();
	*table = 0;
	assert_false(run());
	assert_true(run());
	change_byte(file_path, 0x40); /* of the DOS stub, which nobody reads */
	assert_false(run());
	assert_true(run());
}

static void what_others_can_write_is_not_used(void **state)
{
	char other[600];

	(void)state;
	NEED_FRAMEWORK();
	*table = 0;
	assert_false(run());
	assert_int_equal(chmod(table, 0622), 0);
	assert_false(run());
	assert_true(run());
	/* A link is not followed, and is replaced by a table. */
	snprintf(other, sizeof(other), "%s/other", folder);
	assert_int_equal(rename(table, other), 0);
	assert_int_equal(symlink(other, table), 0);
	assert_false(run());
	assert_true(run());
	assert_int_equal(chmod(folder, 0777), 0);
	assert_null(image_cache__open());
}

/* The oldest go first; what is not a table of ours stays. */
static void the_folder_is_kept_below_its_size(void **state)
{
	struct timespec old[2] = {{1000, 0}, {1000, 0}};
	char path[3][600];

	(void)state;
	NEED_FRAMEWORK();
	*table = 0;
	for (int i = 0; i < 3; i++) {
		int fd;

		snprintf(path[i], sizeof(path[i]), "%s/%d%s", folder, i,
			 i < 2 ? ".table" : ".other");
		fd = open(path[i], O_CREAT | O_WRONLY, 0600);
		assert_int_equal(posix_fallocate(fd, 0, 40 << 20), 0);
		old[1].tv_sec = 1000 - i;
		assert_int_equal(futimens(fd, old), 0);
		close(fd);
	}
	assert_false(run());
	assert_int_equal(access(path[0], F_OK), 0);
	assert_int_equal(access(path[1], F_OK), -1);
	assert_int_equal(access(path[2], F_OK), 0);
}

static void it_can_be_switched_off(void **state)
{
	(void)state;
	setenv("TIERSCOPE_CACHE", "", 1);
	assert_null(image_cache__open());
	setenv("TIERSCOPE_CACHE", "/proc/no/such/place", 1);
	assert_null(image_cache__open());
}

/* The file is upgraded in place, under our hands: no name, and no fault. */
static void a_file_that_is_cut_after_it_was_opened_has_no_names(void **state)
{
	struct buf name = BUF_INIT;
	struct image *image;

	(void)state;
	NEED_FRAMEWORK();
	image = open_image(NULL);
	assert_int_equal(truncate(file_path, 4096), 0);
	assert_int_not_equal(image__body_text(image, 0, &name), 0);
	assert_int_not_equal(image__body_text(image, 1, &name), 0);
	assert_int_equal(name.size, 0);
	image__free(image);
	buf__free(&name);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(tables_come_back_as_they_were),
		TEST(what_names_need_is_kept_too),
		TEST(what_is_damaged_is_made_anew),
		TEST(a_table_is_for_one_state_of_one_file),
		TEST(what_others_can_write_is_not_used),
		TEST(the_folder_is_kept_below_its_size),
		TEST(it_can_be_switched_off),
		TEST(a_file_that_is_cut_after_it_was_opened_has_no_names),
	};

	return cmocka_run_group_tests_name("image_cache", tests, NULL, NULL);
}
