// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Names of native code in the files that every .NET process maps, against what
// nm and readelf say of them.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>

#include "../../user/symbol/elf_view.h"
#include "image_files.h"
#include "symbol_fixture.h"

static uint64_t code_offset(const char *path, uint64_t address)
{
	struct elf_view view;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint64_t offset = UINT64_MAX;

	assert_int_equal(elf_view__open(&view, fd), 0);
	for (uint32_t i = 0; i < view.loads.count; i++)
		if (view.loads.items[i].executable)
			offset = address - view.loads.items[i].address +
				 view.loads.items[i].offset;
	elf_view__close(&view);
	close(fd);
	return offset;
}

static bool open_path(struct fixture *fixture, const char *path)
{
	if (!library_map(path, &fixture->mapping))
		return false;
	fixture->file = symbols__file(fixture->symbols, &fixture->mapping);
	library_unmap(&fixture->mapping);
	return fixture->file != SYMBOLS_NONE;
}

/* First, middle and last byte of what readelf calls an FDE. */
static unsigned int check_fdes(struct fixture *fixture, const char *path,
			       uint64_t slide)
{
	char command[1024], line[512], want[128];
	unsigned long long start, end;
	unsigned int named = 0, count = 0;
	const char *at;
	FILE *readelf;

	snprintf(command, sizeof(command),
		 "readelf --debug-dump=frames '%s' 2>/dev/null | grep ' FDE '", path);
	readelf = popen(command, "r");
	assert_non_null(readelf);
	while (fgets(line, sizeof(line), readelf)) {
		at = strstr(line, "pc=");
		if (!at || sscanf(at, "pc=%llx..%llx", &start, &end) != 2 ||
		    start == end)
			continue;
		count++;
		for (int i = 0; i < 3; i++) {
			uint64_t address = !i	    ? start
					   : i == 1 ? start + (end - start) / 2
						    : end - 1;
			uint64_t found = 0;

			buf__clear(&fixture->label);
			assert_true(symbols__name(fixture->symbols, fixture->file,
						  address - slide, &fixture->label,
						  &found));
			snprintf(want, sizeof(want), "%s!+0x%llx",
				 strrchr(path, '/') + 1, start);
			if (strcmp(buf__string(&fixture->label), want)) {
				assert_null(
					strstr(buf__string(&fixture->label), "!+0x"));
				named++;
			} else {
				assert_int_equal(found, start);
			}
		}
	}
	pclose(readelf);
	print_message("%s: %u FDEs, %u of %u places have a symbol\n", path, count,
		      named, 3 * count);
	return count;
}

static void test_runtime(void **state)
{
	struct fixture *fixture = *state;
	char framework[1024], path[2048];

	if (!image_files__framework(framework, sizeof(framework))) {
		print_message("SKIP: no .NET framework\n");
		skip();
	}
	snprintf(path, sizeof(path), "%s/libcoreclr.so", framework);
	assert_true(open_path(fixture, path));
	assert_true(check_fdes(fixture, path, 0 - code_offset(path, 0)) > 10000);
}

/* Each exported function of the C library, against nm. */
static void test_libc(void **state)
{
	struct fixture *fixture = *state;
	char command[1024], line[512], name[256], type;
	unsigned long long start, size;
	unsigned int count = 0, same = 0;
	uint64_t slide;
	FILE *nm;

	run("ldd /bin/sh | sed -n 's/.*=> \\(.*libc.so.6\\) .*/\\1/p' > %s/path",
	    fixture->folder);
	snprintf(command, sizeof(command), "%s/path", fixture->folder);
	nm = fopen(command, "r");
	if (!nm || fscanf(nm, "%511s", line) != 1 || !open_path(fixture, line)) {
		print_message("SKIP: no shared C library\n");
		skip();
	}
	fclose(nm);
	slide = 0 - code_offset(line, 0);
	check_fdes(fixture, line, slide);
	snprintf(command, sizeof(command), "nm -D -S --defined-only %s", line);
	nm = popen(command, "r");
	while (fgets(line, sizeof(line), nm)) {
		uint64_t found = 0;
		const char *label;

		if (sscanf(line, "%llx %llx %c %255[^@\n]", &start, &size, &type,
			   name) != 4 ||
		    !strchr("TtWi", type))
			continue;
		for (int i = 0; i < 2; i++) {
			buf__clear(&fixture->label);
			assert_true(symbols__name(fixture->symbols, fixture->file,
						  start + (i ? size - 1 : 0) - slide,
						  &fixture->label, &found));
			assert_int_equal(found, start);
		}
		label = strchr(buf__string(&fixture->label), '!') + 1;
		assert_true(*label != '+');
		/* With installed symbols a resolver has a name of its own. */
		if (type == 'i')
			assert_true(strstr(label, " [resolver]") ||
				    strstr(label, "ifunc"));
		else
			assert_null(strstr(label, " [resolver]"));
		same += !strncmp(label, name, strlen(name));
		count++;
	}
	pclose(nm);
	print_message("%u exported functions, %u by the very name, else an alias\n",
		      count, same);
	assert_true(count > 1500 && same > count / 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_runtime, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_libc, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
