/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A small shared library that the tests of user/symbol compile, and variants
 * of it.  Its first segment is linked at LIBRARY_BASE, so that an address is
 * never taken for a file offset unnoticed.
 */
#ifndef TIERSCOPE_TESTS_SYMBOL_FIXTURE_H
#define TIERSCOPE_TESTS_SYMBOL_FIXTURE_H

#include "../../user/base/buf.h"
#include "../../user/symbol/symbol.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIBRARY_BASE 0x700000ull

/*
 * with_frame has no size but an FDE; without_frame has neither; hidden_label
 * lies inside sized_code and has no FDE of its own; not_code is a function by
 * its type only.
 */
static const char library_source[] =
	"int exported(int x) { return x * 3 + 1; }\n"
	"__attribute__((noinline)) static int internal(int x)\n"
	"{ for (int i = 0; i < x; i++) x += exported(i); return x; }\n"
	"int caller(int x) { return internal(x) + 1; }\n"
	"int alias_of_caller(int x) __attribute__((alias(\"caller\")));\n"
	"int __caller(int x) __attribute__((alias(\"caller\")));\n"
	"__asm__(\".text\\n"
	".globl with_frame\\n .type with_frame, @function\\n"
	"with_frame:\\n .cfi_startproc\\n nop\\n nop\\n nop\\n ret\\n .cfi_endproc\\n"
	"nop\\n nop\\n nop\\n nop\\n"
	".globl without_frame\\n .type without_frame, @function\\n"
	"without_frame:\\n nop\\n nop\\n ret\\n"
	".globl sized_code\\n .type sized_code, @function\\n"
	"sized_code:\\n .cfi_startproc\\n nop\\n nop\\n"
	".globl hidden_label\\n .type hidden_label, @function\\n"
	"hidden_label:\\n nop\\n nop\\n ret\\n .cfi_endproc\\n"
	".size sized_code, .-sized_code\\n"
	".section .rodata\\n .globl not_code\\n .type not_code, @function\\n"
	"not_code:\\n .quad 0\\n .size not_code, 8\\n .text\\n\");\n";

static inline int run(const char *format, ...) __attribute__((format(printf, 1, 2)));

static inline int run(const char *format, ...)
{
	char command[2048];
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(command, sizeof(command), format, arguments);
	va_end(arguments);
	return system(command);
}

/* FOLDER/libfull.so with symbols, FOLDER/libstripped.so; false: no compiler. */
static inline bool library_build(const char *folder)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/library.c", folder);
	file = fopen(path, "w");
	if (!file)
		return false;
	fputs(library_source, file);
	fclose(file);
	return !run(
		"cd %s && cc -O1 -fno-toplevel-reorder -shared -fPIC -Wl,--build-id "
		"-Wl,-Ttext-segment=%#llx -o libfull.so library.c && "
		"strip -o libstripped.so libfull.so",
		folder, LIBRARY_BASE);
}

/* A file mapped into this process as a loader would; length in end - start. */
static inline bool library_map(const char *path, struct symbol_mapping *ret_mapping)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat state;
	void *memory;

	if (fd < 0 || fstat(fd, &state))
		return false;
	memory = mmap(NULL, (size_t)state.st_size, PROT_READ | PROT_EXEC, MAP_PRIVATE,
		      fd, 0);
	close(fd);
	if (memory == MAP_FAILED)
		return false;
	*ret_mapping = (struct symbol_mapping){
		.pid = getpid(),
		.start = (uint64_t)(uintptr_t)memory,
		.end = ((uint64_t)(uintptr_t)memory + (uint64_t)state.st_size + 4095) &
		       ~4095ull,
		.device = state.st_dev,
		.inode = state.st_ino,
		.path = path,
	};
	return true;
}

static inline void library_unmap(const struct symbol_mapping *mapping)
{
	munmap((void *)(uintptr_t)mapping->start, mapping->end - mapping->start);
}

/* The address of a symbol of FOLDER/libfull.so, and its size (0: none), by nm. */
static inline uint64_t library_symbol(const char *folder, const char *name,
				      uint64_t *ret_size)
{
	char command[1024], line[512], symbol[256], type[8];
	uint64_t address = 0;
	FILE *nm;

	snprintf(command, sizeof(command), "nm -S %s/libfull.so", folder);
	nm = popen(command, "r");
	*ret_size = 0;
	while (nm && fgets(line, sizeof(line), nm)) {
		unsigned long long start, size = 0;

		if (sscanf(line, "%llx %llx %7s %255s", &start, &size, type, symbol) !=
		    4) {
			size = 0;
			if (sscanf(line, "%llx %7s %255s", &start, type, symbol) != 3)
				continue;
		}
		if (!strcmp(symbol, name)) {
			address = start;
			*ret_size = size;
		}
	}
	if (nm)
		pclose(nm);
	return address;
}

/* What a test of labels needs: a folder, the object, the file at hand. */
struct fixture {
	char folder[64], path[256];
	struct symbols *symbols;
	struct symbol_mapping mapping;
	uint32_t file;
	struct buf label;
};

static inline int fixture_setup(void **state)
{
	struct fixture *fixture = calloc(1, sizeof(*fixture));

	strcpy(fixture->folder, "/tmp/tierscope-symbol-XXXXXX");
	*state = fixture;
	if (!mkdtemp(fixture->folder))
		return -1;
	fixture->symbols = symbols__new();
	return 0;
}

static inline int fixture_teardown(void **state)
{
	struct fixture *fixture = *state;

	symbols__free(fixture->symbols);
	buf__free(&fixture->label);
	run("rm -rf %s", fixture->folder);
	free(fixture);
	return 0;
}

#endif /* TIERSCOPE_TESTS_SYMBOL_FIXTURE_H */
