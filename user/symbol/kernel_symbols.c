// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// /proc/kallsyms, a line per symbol, those of modules behind the kernel's own:
//
//   ffffffff81001f70 T do_syscall_64
//   ffffffffc0a1b000 t ext4_sync_fs	[ext4]
//
// It tells no sizes: a function ends where the next one starts.
#include "symbol.h"

#include "functions.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../base/text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define KALLSYMS "/proc/kallsyms"
/* A kernel with every module has a quarter of a million. */
#define SYMBOLS_MAX (2u << 20)
/* KSYM_NAME_LEN is 512 in Linux 6.1 and newer; a module's name has 56 bytes. */
#define NAME_MAX_SIZE	512
#define MODULE_MAX_SIZE 64
/* No function is longer; it ends before, at the next one. */
#define FUNCTION_MAX_SIZE (1u << 20)
#define PAGE_SIZE_MIN	  4096u

/* Of several names of one address the one that people know it by. */
enum { RANK_UNDERSCORE = 1, RANK_WEAK = 4, RANK_LOCAL = 8 };

struct kernel_symbols {
	struct functions functions;
	struct buf names; /* "vfs_read", "ext4_sync_fs [ext4]"; the first is "" */
};

struct line {
	uint64_t address;
	char type;
	char name[NAME_MAX_SIZE + 1];
	char module[MODULE_MAX_SIZE + 1]; /* "[ext4]", "" of the kernel itself */
};

static bool parse_line(const char *text, struct line *ret_line)
{
	ret_line->module[0] = 0;
	return sscanf(text, "%" SCNx64 " %c %512s %64s", &ret_line->address,
		      &ret_line->type, ret_line->name, ret_line->module) >= 3;
}

/* Code at an address of the kernel's half; per-CPU offsets are no addresses. */
static bool is_code(const struct line *line)
{
	return strchr("tTwW", line->type) && line->address >> 63;
}

static uint16_t rank_of(const struct line *line)
{
	uint16_t rank = 0;

	while (line->name[rank] == '_' && rank < 3)
		rank += RANK_UNDERSCORE;
	if (line->type == 't')
		rank += RANK_LOCAL;
	else if (line->type != 'T')
		rank += RANK_WEAK;
	return rank;
}

static void add_symbol(struct kernel_symbols *symbols, const struct line *line)
{
	struct function function = {.start = line->address,
				    .size = FUNCTION_MAX_SIZE,
				    .name = (uint32_t)symbols->names.size,
				    .rank = rank_of(line),
				    .until_next = true};

	if (symbols->functions.count >= SYMBOLS_MAX)
		return;
	text__append_utf8(&symbols->names, line->name, strlen(line->name));
	if (line->module[0] == '[') {
		buf__append_char(&symbols->names, ' ');
		text__append_utf8(&symbols->names, line->module, strlen(line->module));
	}
	buf__append_char(&symbols->names, 0);
	functions__add(&symbols->functions, &function);
}

static const char *name_of(const struct kernel_symbols *symbols,
			   const struct function *function)
{
	return buf__string(&symbols->names) + function->name;
}

static const char *module_of(const struct kernel_symbols *symbols,
			     const struct function *function)
{
	const char *module = strchr(name_of(symbols, function), '[');

	return module ? module : "";
}

/*
 * What follows the last function of a module is not that function: it may be
 * code that has no symbol, such as a BPF program's.
 */
static void cut_last_of_modules(struct kernel_symbols *symbols)
{
	struct function *items = symbols->functions.items;

	for (uint32_t i = 0; i < symbols->functions.count; i++) {
		uint32_t page = PAGE_SIZE_MIN -
				(uint32_t)(items[i].start & (PAGE_SIZE_MIN - 1));

		if (i + 1 < symbols->functions.count &&
		    !strcmp(module_of(symbols, &items[i]),
			    module_of(symbols, &items[i + 1])))
			continue;
		if (items[i].size > page)
			items[i].size = page;
	}
}

/* Adds every symbol of code.  -EACCES: there are some, all at address 0. */
static int read_lines(struct kernel_symbols *symbols, FILE *file, bool only_look)
{
	char *text = NULL;
	size_t capacity = 0;
	bool hidden = false, found = false;
	struct line line;

	while (!(found && only_look) && getline(&text, &capacity, file) > 0) {
		if (!parse_line(text, &line))
			continue;
		if (is_code(&line)) {
			found = true;
			if (!only_look)
				add_symbol(symbols, &line);
		} else if (!line.address && strchr("tT", line.type)) {
			hidden = true;
		}
	}
	free(text);
	if (ferror(file))
		return -EIO;
	if (found)
		return 0;
	return hidden ? -EACCES : -ENODATA;
}

int kernel_symbols__check(const char *path)
{
	FILE *file = fopen(path ? path : KALLSYMS, "re");
	int err;

	if (!file)
		return -errno;
	err = read_lines(NULL, file, true);
	fclose(file);
	return err;
}

int kernel_symbols__read(const char *path, struct kernel_symbols **ret_symbols)
{
	FILE *file = fopen(path ? path : KALLSYMS, "re");
	struct kernel_symbols *symbols;
	int err;

	if (!file)
		return -errno;
	symbols = alloc__zeroed(1, sizeof(*symbols));
	buf__append_char(&symbols->names, 0);
	err = read_lines(symbols, file, false);
	fclose(file);
	if (err) {
		kernel_symbols__free(symbols);
		return err;
	}
	functions__finish(&symbols->functions, buf__string(&symbols->names));
	cut_last_of_modules(symbols);
	log__verbose("kernel: %u functions by name", symbols->functions.count);
	*ret_symbols = symbols;
	return 0;
}

void kernel_symbols__free(struct kernel_symbols *symbols)
{
	if (!symbols)
		return;
	functions__free(&symbols->functions);
	buf__free(&symbols->names);
	free(symbols);
}

bool kernel_symbols__name(const struct kernel_symbols *symbols, uint64_t address,
			  struct buf *ret_name)
{
	const struct function *function = functions__find(&symbols->functions, address);

	if (function)
		buf__append_string(ret_name, name_of(symbols, function));
	return function;
}
