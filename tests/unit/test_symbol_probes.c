// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Probes as notes tell of them: those of this program, and what they are not.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define _SDT_HAS_SEMAPHORES 1
#define STAP_SDT_ARG_CONSTRAINT r
#include <sys/sdt.h>

#include "../../abi/probe.h"
#include "../../user/symbol/probe_sites.h"

/* Another value than 0, so that its place in the file can be told. */
__extension__ volatile unsigned short unit_real_semaphore
	__attribute__((section(".probes"), visibility("hidden"), used)) = 0x5107;
__extension__ volatile unsigned short unit_twice_semaphore
	__attribute__((section(".probes"), visibility("hidden"), used));

#define NOTE(name, arguments)                                                       \
	__asm__(".pushsection .note.stapsdt,\"\",\"note\"\n .balign 4\n"            \
		".4byte 8, 2f-1f, 3\n .asciz \"stapsdt\"\n"                         \
		"1: .8byte main, _.stapsdt.base, 0\n"                               \
		".asciz \"unit\"\n .asciz \"" name "\"\n .asciz \"" arguments "\"\n" \
		"2: .balign 4\n .popsection\n")

NOTE("none", "");
NOTE("sizes", "8@%r15 4@%r8d 2@%bp 1@%sil -4@%eax -1@%bl");
NOTE("nine", "8@%rax 8@%rbx 8@%rcx 8@%rdx 8@%rsi 8@%rdi 8@%r8 8@%r9 8@$7");
NOTE("constant", "8@%rax 4@$5");
NOTE("memory", "8@-8(%rbp)");
NOTE("stack_pointer", "8@%rsp");
NOTE("vector", "8@%xmm0");
NOTE("odd_size", "3@%rax");
NOTE("cut", "8@");

static void __attribute__((noinline)) fire(uint64_t value)
{
	STAP_PROBE2(unit, real, value, (uint32_t)value);
	STAP_PROBE1(unit, twice, value);
	STAP_PROBE1(unit, twice, value + 1);
}

struct own {
	uint8_t *image;
	size_t size;
	struct elf_view view;
	struct probe_site sites[PROBE_SITES_MAX];
};

static int open_own(void **state)
{
	struct own *own = calloc(1, sizeof(*own));
	int fd = open("/proc/self/exe", O_RDONLY);
	struct stat file;

	if (fd < 0 || fstat(fd, &file))
		return 1;
	own->size = (size_t)file.st_size;
	own->image = malloc(own->size);
	for (size_t done = 0; done < own->size;) {
		ssize_t more = read(fd, own->image + done, own->size - done);

		if (more <= 0)
			return 1;
		done += (size_t)more;
	}
	close(fd);
	*state = own;
	return elf_view__open_memory(&own->view, own->image, own->size);
}

static int close_own(void **state)
{
	struct own *own = *state;

	elf_view__close(&own->view);
	free(own->image);
	free(own);
	return 0;
}

static uint8_t argument(const struct probe_site *site, unsigned int index)
{
	return (uint8_t)(site->arguments >> 8 * index);
}

static void a_site_is_where_the_compiler_put_it(void **state)
{
	struct own *own = *state;
	uint16_t semaphore;

	fire(1);
	assert_int_equal(probe_sites__read(&own->view, "unit", "real", own->sites), 1);
	assert_int_equal(own->image[own->sites[0].offset], 0x90); /* nop */
	memcpy(&semaphore, own->image + own->sites[0].semaphore, sizeof(semaphore));
	assert_int_equal(semaphore, 0x5107);
	assert_int_equal(argument(&own->sites[0], 0) >> 4, 3);
	assert_int_equal(argument(&own->sites[0], 1) >> 4, 2);
	for (unsigned int i = 2; i < TS_PROBE_ARGUMENTS; i++)
		assert_int_equal(argument(&own->sites[0], i), TS_PROBE_NONE);
	assert_int_equal(probe_sites__read(&own->view, "unit", "twice", own->sites), 2);
	assert_int_not_equal(own->sites[0].offset, own->sites[1].offset);
}

static void arguments_are_told_by_register_and_size(void **state)
{
	struct own *own = *state;
	static const uint8_t sizes[] = {
		TS_PROBE_ARGUMENT(0, 3), TS_PROBE_ARGUMENT(9, 2), TS_PROBE_ARGUMENT(4, 1),
		TS_PROBE_ARGUMENT(13, 0), TS_PROBE_ARGUMENT(10, 2) | TS_PROBE_SIGNED,
		TS_PROBE_ARGUMENT(5, 0) | TS_PROBE_SIGNED, TS_PROBE_NONE, TS_PROBE_NONE };
	static const uint8_t nine[] = { 10, 5, 11, 12, 13, 14, 9, 8 };

	assert_int_equal(probe_sites__read(&own->view, "unit", "none", own->sites), 1);
	assert_int_equal(own->sites[0].semaphore, 0);
	for (unsigned int i = 0; i < TS_PROBE_ARGUMENTS; i++)
		assert_int_equal(argument(&own->sites[0], i), TS_PROBE_NONE);
	assert_int_equal(probe_sites__read(&own->view, "unit", "sizes", own->sites), 1);
	for (unsigned int i = 0; i < TS_PROBE_ARGUMENTS; i++)
		assert_int_equal(argument(&own->sites[0], i), sizes[i]);
	assert_int_equal(probe_sites__read(&own->view, "unit", "nine", own->sites), 1);
	for (unsigned int i = 0; i < TS_PROBE_ARGUMENTS; i++)
		assert_int_equal(argument(&own->sites[0], i), TS_PROBE_ARGUMENT(nine[i], 3));
}

/* As the kernel side does. */
static void arguments_are_taken_out_of_registers(void **state)
{
	__u64 registers[TS_PROBE_REGISTERS + 1] = { [10] = 0xfedcba9876543280 };
	const struct { uint8_t how; uint64_t value; } wanted[] = {
		{ TS_PROBE_ARGUMENT(10, 3), 0xfedcba9876543280 },
		{ TS_PROBE_ARGUMENT(10, 2), 0x76543280 },
		{ TS_PROBE_ARGUMENT(10, 1), 0x3280 },
		{ TS_PROBE_ARGUMENT(10, 0), 0x80 },
		{ TS_PROBE_ARGUMENT(10, 0) | TS_PROBE_SIGNED, (uint64_t)-128 },
		{ TS_PROBE_ARGUMENT(10, 1) | TS_PROBE_SIGNED, 0x3280 },
		{ TS_PROBE_NONE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		for (unsigned int at = 0; at < TS_PROBE_ARGUMENTS; at++)
			assert_int_equal(ts_probe__argument(registers,
							    (uint64_t)wanted[i].how << 8 * at,
							    at), wanted[i].value);
}

static void what_lies_in_no_register_is_refused(void **state)
{
	static const char *const names[] = { "constant", "memory", "stack_pointer", "vector",
					     "odd_size", "cut" };
	struct own *own = *state;

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_int_equal(probe_sites__read(&own->view, "unit", names[i], own->sites),
				 -EOPNOTSUPP);
}

static void probes_that_are_not_there(void **state)
{
	struct own *own = *state;

	assert_int_equal(probe_sites__read(&own->view, "unit", "nothing", own->sites), -ENOENT);
	assert_int_equal(probe_sites__read(&own->view, "unity", "real", own->sites), -ENOENT);
}

/* libelf gives the bytes of the image itself, so that they can be changed. */
static void notes_can_hold_anything(void **state)
{
	static const uint8_t values[] = { 0, 1, 0x7f, 0x80, 0xff };
	struct own *own = *state;
	struct elf_bytes notes;

	assert_int_equal(elf_view__section(&own->view, ".note.stapsdt", &notes), 0);
	assert_in_range((uintptr_t)notes.data, (uintptr_t)own->image,
			(uintptr_t)own->image + own->size - notes.size);
	for (size_t i = 0; i < notes.size * sizeof(values); i++) {
		uint8_t *byte = own->image + (notes.data - own->image) + i / sizeof(values);
		uint8_t before = *byte;
		int count;

		*byte = values[i % sizeof(values)];
		count = probe_sites__read(&own->view, "unit", "real", own->sites);
		assert_true(count == 1 || count == 2 || count == -ENOENT ||
			    count == -ENOEXEC || count == -EOPNOTSUPP);
		for (int site = 0; site < count; site++)
			assert_true(own->sites[site].offset < own->size);
		*byte = before;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_site_is_where_the_compiler_put_it, open_own,
						close_own),
		cmocka_unit_test_setup_teardown(arguments_are_told_by_register_and_size,
						open_own, close_own),
		cmocka_unit_test(arguments_are_taken_out_of_registers),
		cmocka_unit_test_setup_teardown(what_lies_in_no_register_is_refused, open_own,
						close_own),
		cmocka_unit_test_setup_teardown(probes_that_are_not_there, open_own, close_own),
		cmocka_unit_test_setup_teardown(notes_can_hold_anything, open_own, close_own),
	};

	return cmocka_run_group_tests_name("symbol_probes", tests, NULL, NULL);
}
