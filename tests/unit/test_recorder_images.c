// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Which image a mapping of this very program is: files that are told apart, and one that
// is written anew in its place.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/image/image.h"
#include "../../user/recorder/internal.h"
#include "image_files.h"
#include "no_image_arrays.h"
#include "no_kernel.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE 4096u

struct fixture {
	struct model *model;
	struct recorder *recorder;
	struct process *process;
	char path[64];
	struct buf first, second; /* contents of two images, empty without a framework */
};

static int set_up(void **state)
{
	static struct fixture fixture;
	int fd;

	fixture = (struct fixture){ .model = model__new(), .first = BUF_INIT, .second = BUF_INIT,
				    .path = "/tmp/tierscope-image-XXXXXX" };
	setenv("TIERSCOPE_CACHE", "", 1);
	fixture.recorder = recorder__new(NULL, fixture.model);
	fixture.process = process__new(fixture.recorder, 1, getpid(), 100, MODEL_NONE, MODEL_NONE);
	fd = mkstemp(fixture.path);
	assert_return_code(fd, errno);
	close(fd);
	*state = &fixture;
	if (!image_files__read("System.Collections.dll", &fixture.first) ||
	    !image_files__read("System.Linq.dll", &fixture.second))
		print_message("no .NET framework here\n");
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *fixture = *state;

	unlink(fixture->path);
	recorder__free(fixture->recorder);
	model__free(fixture->model);
	buf__free(&fixture->first);
	buf__free(&fixture->second);
	return 0;
}

/* As a copy over it does: the inode stays. */
static void write_in_place(const struct fixture *fixture, const struct buf *contents)
{
	int fd = open(fixture->path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_return_code(fd, errno);
	assert_int_equal(write(fd, contents->data, contents->size), contents->size);
	close(fd);
}

static uint64_t code_offset(const struct buf *contents)
{
	const struct image_section *sections;
	struct image *image;
	uint64_t offset = 0;

	assert_int_equal(image__open_memory(contents->data, contents->size, &image), 0);
	for (uint32_t i = image__sections(image, &sections); i-- > 0;)
		if (sections[i].executable)
			offset = sections[i].file_offset & ~(uint64_t)(PAGE - 1);
	image__free(image);
	return offset;
}

/* Maps the file's code, as the runtime does, and asks which image that is.  Skips where
 * nothing may be executed from the temporary folder. */
static uint32_t open_mapped(struct fixture *fixture, const struct buf *contents)
{
	struct mapping mapping = { .kind = MAPPING_FILE, .file = NO_IMAGE,
				   .file_offset = code_offset(contents) };
	int fd = open(fixture->path, O_RDONLY | O_CLOEXEC);
	struct stat file;
	uint32_t number;
	void *code;

	assert_return_code(fd, errno);
	assert_return_code(fstat(fd, &file), errno);
	code = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd,
		    (off_t)mapping.file_offset);
	close(fd);
	if (code == MAP_FAILED && errno == EPERM)
		skip();
	assert_ptr_not_equal(code, MAP_FAILED);
	mapping.start = (uintptr_t)code;
	mapping.end = mapping.start + PAGE;
	mapping.device = file.st_dev;
	mapping.inode = file.st_ino;
	number = images__open(fixture->recorder, fixture->process, &mapping, fixture->path);
	munmap(code, PAGE);
	return number;
}

static void a_file_is_read_once(void **state)
{
	struct fixture *fixture = *state;
	uint32_t number;

	if (!fixture->second.size)
		skip();
	write_in_place(fixture, &fixture->first);
	number = open_mapped(fixture, &fixture->first);
	assert_int_not_equal(number, NO_IMAGE);
	assert_int_equal(open_mapped(fixture, &fixture->first), number);
	assert_int_equal(fixture->recorder->files_count, 1);
}

/* What a process maps after that has another table and other names. */
static void a_file_that_was_written_anew_is_another_image(void **state)
{
	struct fixture *fixture = *state;
	uint32_t first, second;

	if (!fixture->second.size)
		skip();
	write_in_place(fixture, &fixture->first);
	first = open_mapped(fixture, &fixture->first);
	write_in_place(fixture, &fixture->second);
	second = open_mapped(fixture, &fixture->second);
	assert_int_not_equal(second, NO_IMAGE);
	assert_int_not_equal(second, first);
	assert_int_not_equal(image__size(fixture->recorder->files[second].image),
			     image__size(fixture->recorder->files[first].image));
	assert_int_equal(open_mapped(fixture, &fixture->second), second);
	assert_int_equal(fixture->recorder->files_count, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_file_is_read_once),
		TEST(a_file_that_was_written_anew_is_another_image),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
