// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Names of native code, from the outside: a library compiled here with known
// functions, with and without its symbols.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <inttypes.h>
#include <elf.h>
#include <sys/auxv.h>

#include "../../user/symbol/debug_file.h"
#include "symbol_fixture.h"

static void need_library(struct fixture *fixture)
{
	if (library_build(fixture->folder))
		return;
	print_message("SKIP: no C compiler to build the library with\n");
	skip();
}

/* Maps a file of the folder and asks for its number. */
static void open_file(struct fixture *fixture, const char *name)
{
	snprintf(fixture->path, sizeof(fixture->path), "%s/%s", fixture->folder, name);
	assert_true(library_map(fixture->path, &fixture->mapping));
	fixture->file = symbols__file(fixture->symbols, &fixture->mapping);
	library_unmap(&fixture->mapping);
}

/* "name at address" of what is at an address of the library. */
static const char *label_at(struct fixture *fixture, uint64_t address)
{
	uint64_t start = 0;

	buf__clear(&fixture->label);
	symbols__name(fixture->symbols, fixture->file, address - LIBRARY_BASE,
		      &fixture->label, &start);
	buf__printf(&fixture->label, " at %" PRIx64, start);
	return buf__string(&fixture->label);
}

static void check_all(struct fixture *fixture, uint64_t start, uint64_t size,
		      const char *want)
{
	for (uint64_t i = 0; i < size; i++)
		assert_string_equal(label_at(fixture, start + i), want);
}

/* Every byte of a function, under the name that is wanted for it. */
static void check_function(struct fixture *fixture, const char *symbol, uint64_t size,
			   const char *label)
{
	uint64_t known, start = library_symbol(fixture->folder, symbol, &known);
	char want[128];

	assert_int_not_equal(start, 0);
	snprintf(want, sizeof(want), "%s at %" PRIx64, label, start);
	check_all(fixture, start, size ? size : known, want);
}

static void check_bare(struct fixture *fixture, const char *module, uint64_t start,
		       uint64_t size)
{
	char want[128];

	for (uint64_t i = 0; i < size; i++) {
		snprintf(want, sizeof(want), "%s at %" PRIx64, module, start + i);
		assert_string_equal(label_at(fixture, start + i), want);
	}
}

static void check_without_frames(struct fixture *fixture, const char *module)
{
	uint64_t size, start = library_symbol(fixture->folder, "with_frame", &size);

	check_bare(fixture, module, start + 4, 4); /* behind its FDE */
	start = library_symbol(fixture->folder, "without_frame", &size);
	check_bare(fixture, module, start, 3);
	start = library_symbol(fixture->folder, "not_code", &size);
	assert_int_equal(size, 8);
	check_bare(fixture, module, start - LIBRARY_BASE, 0);
}

static void test_full(void **state)
{
	struct fixture *fixture = *state;

	need_library(fixture);
	open_file(fixture, "libfull.so");
	assert_int_not_equal(fixture->file, SYMBOLS_NONE);
	check_function(fixture, "exported", 0, "libfull.so!exported");
	check_function(fixture, "internal", 0, "libfull.so!internal");
	check_function(fixture, "caller", 0, "libfull.so!alias_of_caller");
	check_function(fixture, "with_frame", 4, "libfull.so!with_frame");
	check_function(fixture, "sized_code", 0, "libfull.so!sized_code");
	check_without_frames(fixture, "libfull.so");
}

static void test_stripped(void **state)
{
	struct fixture *fixture = *state;
	uint64_t size, start;
	char label[128];

	need_library(fixture);
	open_file(fixture, "libstripped.so");
	assert_int_not_equal(fixture->file, SYMBOLS_NONE);
	check_function(fixture, "exported", 0, "libstripped.so!exported");
	start = library_symbol(fixture->folder, "internal", &size);
	assert_true(size > 8);
	snprintf(label, sizeof(label), "libstripped.so!+0x%" PRIx64, start);
	check_function(fixture, "internal", 0, label);
	check_function(fixture, "with_frame", 4, "libstripped.so!with_frame");
	check_without_frames(fixture, "libstripped.so");
}

/* Without section headers only the segments lead to the unwind table. */
static void test_no_sections(void **state)
{
	struct fixture *fixture = *state;
	uint64_t size, start;
	char label[128];
	Elf64_Ehdr header;
	FILE *file;

	need_library(fixture);
	snprintf(label, sizeof(label), "%s/libfull.so", fixture->folder);
	file = fopen(label, "r+");
	assert_int_equal(fread(&header, sizeof(header), 1, file), 1);
	header.e_shoff = 0;
	header.e_shnum = header.e_shstrndx = 0;
	rewind(file);
	assert_int_equal(fwrite(&header, sizeof(header), 1, file), 1);
	fclose(file);
	open_file(fixture, "libfull.so");
	assert_int_not_equal(fixture->file, SYMBOLS_NONE);
	run("cd %s && cc -O1 -fno-toplevel-reorder -shared -fPIC -Wl,--build-id "
	    "-Wl,-Ttext-segment=%#llx -o libfull.so library.c",
	    fixture->folder, LIBRARY_BASE);
	start = library_symbol(fixture->folder, "internal", &size);
	snprintf(label, sizeof(label), "libfull.so!+0x%" PRIx64, start);
	check_function(fixture, "internal", 0, label);
}

/* The separate symbols give the names back, if they are this library's. */
static void test_debug_link(void **state)
{
	struct fixture *fixture = *state;
	uint64_t size, start;
	char label[128];

	need_library(fixture);
	assert_int_equal(
		run("cd %s && objcopy --only-keep-debug libfull.so l.dbg && "
		    "objcopy --add-gnu-debuglink=l.dbg libstripped.so liba.so && "
		    "cp liba.so libb.so",
		    fixture->folder),
		0);
	open_file(fixture, "liba.so");
	check_function(fixture, "internal", 0, "liba.so!internal");

	/* Unoptimized, its functions lie elsewhere in the same pages: another build id.
	 */
	assert_int_equal(run("cd %s && cc -O0 -shared -fPIC -Wl,--build-id "
			     "-Wl,-Ttext-segment=%#llx -o l.dbg library.c",
			     fixture->folder, LIBRARY_BASE),
			 0);
	open_file(fixture, "libb.so");
	start = library_symbol(fixture->folder, "internal", &size);
	snprintf(label, sizeof(label), "libb.so!+0x%" PRIx64, start);
	check_function(fixture, "internal", 0, label);
}

/* No build id: the checksum in the link decides. */
static void test_debug_checksum(void **state)
{
	struct fixture *fixture = *state;
	uint64_t size, start;
	char label[128];

	need_library(fixture);
	assert_int_equal(
		run("cd %s && objcopy -R .note.gnu.build-id libfull.so n.so && "
		    "objcopy --only-keep-debug n.so n.dbg && strip -o liba.so n.so && "
		    "objcopy --add-gnu-debuglink=n.dbg liba.so && cp liba.so libb.so",
		    fixture->folder),
		0);
	open_file(fixture, "liba.so");
	check_function(fixture, "internal", 0, "liba.so!internal");
	assert_int_equal(run("printf x >> %s/n.dbg", fixture->folder), 0);
	open_file(fixture, "libb.so");
	start = library_symbol(fixture->folder, "internal", &size);
	snprintf(label, sizeof(label), "libb.so!+0x%" PRIx64, start);
	check_function(fixture, "internal", 0, label);
}

/* Symbols that a stripped file brings along, packed, as Fedora's do. */
static void test_packed_symbols(void **state)
{
	static const char pack[] =
		"cd %s && cp libfull.so mini && strip --only-keep-debug mini && "
		"objcopy --strip-debug mini && xz -k -f mini && "
		"%s objcopy --add-section .gnu_debugdata=mini.xz libstripped.so %s";
	struct fixture *fixture = *state;
	uint64_t size, start;
	char label[128];

	need_library(fixture);
	assert_int_equal(run(pack, fixture->folder, "", "liba.so"), 0);
	open_file(fixture, "liba.so");
	check_function(fixture, "internal", 0, "liba.so!internal");

	/* Cut: as if there were none. */
	assert_int_equal(
		run(pack, fixture->folder, "truncate -s -40 mini.xz &&", "libb.so"), 0);
	open_file(fixture, "libb.so");
	start = library_symbol(fixture->folder, "internal", &size);
	snprintf(label, sizeof(label), "libb.so!+0x%" PRIx64, start);
	check_function(fixture, "internal", 0, label);
}

/* A few kilobytes that would become gigabytes. */
static void test_packed_bomb(void **state)
{
	struct fixture *fixture = *state;
	uint64_t size, start;
	char label[128];

	need_library(fixture);
	assert_int_equal(
		run("cd %s && head -c 200000000 /dev/zero | xz -0 > bomb.xz && "
		    "objcopy --add-section .gnu_debugdata=bomb.xz libstripped.so libc.so",
		    fixture->folder),
		0);
	open_file(fixture, "libc.so");
	start = library_symbol(fixture->folder, "internal", &size);
	snprintf(label, sizeof(label), "libc.so!+0x%" PRIx64, start);
	check_function(fixture, "internal", 0, label);
}

/* By build id in the folder of installed symbols. */
static void test_debug_build_id(void **state)
{
	struct fixture *fixture = *state;
	uint8_t id[ELF_BUILD_ID_MAX];
	struct elf_view view;
	struct debug_file debug;
	struct elf_bytes table;
	char path[256], fetched[256];
	size_t size;
	int fd;

	need_library(fixture);
	snprintf(path, sizeof(path), "%s/libstripped.so", fixture->folder);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(elf_view__open(&view, fd), 0);
	size = elf_view__build_id(&view, id);
	assert_int_equal(size, 20);
	assert_int_not_equal(
		debug_file__open(&debug, &view, getpid(), path, fixture->folder), 0);
	snprintf(path, sizeof(path), "%s/.build-id/%02x", fixture->folder, id[0]);
	assert_int_equal(run("mkdir -p %s", path), 0);
	for (size_t i = 1; i < size; i++)
		snprintf(path + strlen(path), sizeof(path) - strlen(path), "%s%02x",
			 i == 1 ? "/" : "", id[i]);
	assert_int_equal(run("objcopy --only-keep-debug %s/libfull.so %s.debug",
			     fixture->folder, path),
			 0);
	assert_int_equal(
		debug_file__open(&debug, &view, getpid(), "/x", fixture->folder), 0);
	assert_int_equal(elf_view__section(&debug.view, ".symtab", &table), 0);
	debug_file__close(&debug);
	/* The same where debuginfod's clients keep what they fetched. */
	snprintf(fetched, sizeof(fetched), "%s/cache/", fixture->folder);
	setenv("DEBUGINFOD_CACHE_PATH", fetched, 1);
	for (size_t i = 0; i < size; i++)
		snprintf(fetched + strlen(fetched), sizeof(fetched) - strlen(fetched),
			 "%02x", id[i]);
	assert_int_not_equal(debug_file__open(&debug, &view, getpid(), "/x", "/nowhere"),
			     0);
	assert_int_equal(run("mkdir -p %s && cp %s.debug %s/debuginfo", fetched, path,
			     fetched),
			 0);
	assert_int_equal(debug_file__open(&debug, &view, getpid(), "/x", "/nowhere"), 0);
	debug_file__close(&debug);
	/* Of another library under that name: not this one's. */
	assert_int_equal(run("cc -shared -Wl,--build-id -o %s/debuginfo -x c /dev/null",
			     fetched),
			 0);
	assert_int_not_equal(debug_file__open(&debug, &view, getpid(), "/x", "/nowhere"),
			     0);
	unsetenv("DEBUGINFOD_CACHE_PATH");
	/* Something else than a file under that name is not even opened. */
	assert_int_equal(run("rm %s.debug && mkfifo %s.debug", path, path), 0);
	assert_int_not_equal(
		debug_file__open(&debug, &view, getpid(), "/x", fixture->folder), 0);
	elf_view__close(&view);
	close(fd);
}

/* A file is read once; another one under the same name, or number, is another. */
static void test_identity(void **state)
{
	struct fixture *fixture = *state;
	struct symbol_mapping other;
	uint32_t first;

	need_library(fixture);
	open_file(fixture, "libfull.so");
	first = fixture->file;
	open_file(fixture, "libfull.so");
	assert_int_equal(fixture->file, first);
	open_file(fixture, "libstripped.so");
	assert_int_not_equal(fixture->file, first);

	/* What the mapping was told of is not what the path leads to now. */
	other = fixture->mapping;
	other.inode++;
	other.pid = 0;
	assert_int_equal(symbols__file(fixture->symbols, &other), SYMBOLS_NONE);

	/* Written again in place: the same inode, other functions. */
	assert_int_equal(
		run("cd %s && cat libfull.so > libstripped.so", fixture->folder), 0);
	open_file(fixture, "libstripped.so");
	check_function(fixture, "internal", 0, "libstripped.so!internal");
}

static void test_not_elf(void **state)
{
	struct fixture *fixture = *state;
	struct symbol_mapping mapping = {.pid = getpid(), .path = "[vsyscall]"};

	assert_int_equal(symbols__file(fixture->symbols, &mapping), SYMBOLS_NONE);
	mapping.path = "/memfd:doublemapper (deleted)";
	assert_int_equal(symbols__file(fixture->symbols, &mapping), SYMBOLS_NONE);
	assert_int_equal(
		run("cd %s && echo no > text && printf '\\177ELF\\1\\1' > elf32",
		    fixture->folder),
		0);
	open_file(fixture, "text");
	assert_int_equal(fixture->file, SYMBOLS_NONE);
	open_file(fixture, "text");
	assert_int_equal(fixture->file, SYMBOLS_NONE);
	open_file(fixture, "elf32");
	assert_int_equal(fixture->file, SYMBOLS_NONE);
}

/* The deleted library is still the mapped one, where map_files may be used. */
static void test_deleted(void **state)
{
	struct fixture *fixture = *state;
	char path[256];

	need_library(fixture);
	snprintf(path, sizeof(path), "%s/libfull.so", fixture->folder);
	assert_true(library_map(path, &fixture->mapping));
	assert_int_equal(run("mv %s %s.old && cp %s/libstripped.so %s && rm %s.old",
			     path, path, fixture->folder, path, path),
			 0);
	strcat(path, " (deleted)");
	fixture->file = symbols__file(fixture->symbols, &fixture->mapping);
	library_unmap(&fixture->mapping);
	if (fixture->file == SYMBOLS_NONE) {
		print_message("SKIP: map_files needs CAP_CHECKPOINT_RESTORE\n");
		skip();
	}
	assert_int_equal(run("cd %s && cc -O1 -fno-toplevel-reorder -shared -fPIC "
			     "-Wl,--build-id -Wl,-Ttext-segment=%#llx -o libfull.so "
			     "library.c",
			     fixture->folder, LIBRARY_BASE),
			 0);
	check_function(fixture, "internal", 0, "libfull.so!internal");
}

static void test_vdso(void **state)
{
	struct fixture *fixture = *state;
	struct symbol_mapping mapping = {.pid = getpid(), .path = "[vdso]"};
	uintptr_t base = getauxval(AT_SYSINFO_EHDR);
	uint64_t start = 0;
	uint32_t file;

	if (!base) {
		print_message("SKIP: no vdso here\n");
		skip();
	}
	file = symbols__file(fixture->symbols, &mapping);
	assert_int_not_equal(file, SYMBOLS_NONE);
	assert_int_equal(symbols__file(fixture->symbols, &mapping), file);
	for (uint64_t offset = 0; offset < 4096; offset++) {
		buf__clear(&fixture->label);
		if (symbols__name(fixture->symbols, file, offset, &fixture->label,
				  &start) &&
		    !strcmp(buf__string(&fixture->label), "[vdso]!clock_gettime"))
			break;
	}
	assert_string_equal(buf__string(&fixture->label), "[vdso]!clock_gettime");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_full, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_stripped, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_no_sections, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_debug_link, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_debug_checksum, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_packed_symbols, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_packed_bomb, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_debug_build_id, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_identity, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_not_elf, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_deleted, fixture_setup,
						fixture_teardown),
		cmocka_unit_test_setup_teardown(test_vdso, fixture_setup,
						fixture_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
