// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The files whose code was sampled, each read once: see symbol.h.
#include "symbol.h"

#include "debug_file.h"
#include "mapped_file.h"
#include "packed_symbols.h"
#include "symbol_file.h"
#include "vdso.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../base/map.h"
#include "../base/text.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Of all files together: a process can map what it likes.  The native half of
 * .NET is 2 MB. */
#define MEMORY_MAX (64u << 20)

struct entry {
	struct mapped_file_state state;	/* when it was read */
	bool readable;	   /* an ELF file */
	struct buf module; /* "libcoreclr.so" */
	struct symbol_file file;
};

struct symbols {
	struct entry *entries;
	uint32_t count, capacity;
	struct map *by_inode; /* (device, inode) -> the newest of entries */
	uint32_t vdso;	      /* SYMBOLS_NONE: not asked for yet */
	size_t memory;
};

struct symbols *symbols__new(void)
{
	struct symbols *symbols = alloc__zeroed(1, sizeof(*symbols));

	symbols->by_inode = map__new();
	symbols->vdso = SYMBOLS_NONE;
	return symbols;
}

void symbols__free(struct symbols *symbols)
{
	if (!symbols)
		return;
	for (uint32_t i = 0; i < symbols->count; i++) {
		symbol_file__free(&symbols->entries[i].file);
		buf__free(&symbols->entries[i].module);
	}
	free(symbols->entries);
	map__free(symbols->by_inode);
	free(symbols);
}

static void append_module(struct buf *buf, const char *path)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;
	size_t size = strlen(name), mark = strlen(MAPPED_FILE_DELETED);

	if (size > mark && !strcmp(name + size - mark, MAPPED_FILE_DELETED))
		size -= mark;
	text__append_utf8(buf, name, size);
}

static uint32_t add_entry(struct symbols *symbols, const char *path)
{
	struct entry *entry;

	alloc__grow(symbols->entries, symbols->count, symbols->capacity);
	entry = &symbols->entries[symbols->count];
	memset(entry, 0, sizeof(*entry));
	append_module(&entry->module, path);
	return symbols->count++;
}

static void read_view(struct symbols *symbols, struct entry *entry,
		      const struct elf_view *view, const struct elf_view *debug)
{
	symbol_file__read(&entry->file, view, debug, MEMORY_MAX - symbols->memory);
	symbols->memory += symbol_file__memory(&entry->file);
	if (symbols->memory > MEMORY_MAX)
		symbols->memory = MEMORY_MAX;
	entry->readable = true;
	log__verbose("%s: %u native functions by name, %u by bounds",
		     buf__string(&entry->module), entry->file.named.count,
		     entry->file.bounds.count);
}

static void read_file(struct symbols *symbols, struct entry *entry, int fd,
		      const struct symbol_mapping *mapping)
{
	struct packed_symbols packed;
	struct debug_file debug;
	struct elf_bytes own;
	struct elf_view view;

	if (elf_view__open(&view, fd))
		return;
	if (!elf_view__section(&view, ".symtab", &own)) {
		read_view(symbols, entry, &view, NULL);
	} else if (!debug_file__open(&debug, &view, mapping->pid, mapping->path,
				     DEBUG_FILE_FOLDER)) {
		read_view(symbols, entry, &view, &debug.view);
		debug_file__close(&debug);
	} else if (!packed_symbols__open(&packed, &view)) {
		read_view(symbols, entry, &view, &packed.view);
		packed_symbols__close(&packed);
	} else {
		read_view(symbols, entry, &view, NULL);
	}
	elf_view__close(&view);
}

static uint32_t read_vdso(struct symbols *symbols)
{
	struct elf_view view;

	symbols->vdso = add_entry(symbols, VDSO);
	if (vdso__open(&view))
		return symbols->vdso;
	read_view(symbols, &symbols->entries[symbols->vdso], &view, NULL);
	elf_view__close(&view);
	return symbols->vdso;
}

/*
 * A process that is gone may still be known by what others have mapped.  The
 * worst effect: the inode number of a deleted library was used again for
 * another one within this recording, and the names are the old one's.
 */
static uint32_t file_of(struct symbols *symbols, const struct symbol_mapping *mapping)
{
	struct stat state;
	uint64_t known;
	bool found =
		map__get(symbols->by_inode, mapping->device, mapping->inode, &known);
	int fd = mapped_file__open(mapping, &state);
	struct entry *entry;
	uint32_t file;

	if (fd < 0)
		return found ? (uint32_t)known : SYMBOLS_NONE;
	if (found && mapped_file__is_same(&symbols->entries[known].state, &state)) {
		close(fd);
		return (uint32_t)known;
	}
	file = add_entry(symbols, mapping->path);
	entry = &symbols->entries[file];
	entry->state = mapped_file__state(&state);
	read_file(symbols, entry, fd, mapping);
	close(fd);
	map__set(symbols->by_inode, mapping->device, mapping->inode, file);
	return file;
}

uint32_t symbols__file(struct symbols *symbols, const struct symbol_mapping *mapping)
{
	uint32_t file;

	if (!strcmp(mapping->path, VDSO))
		file = symbols->vdso != SYMBOLS_NONE ? symbols->vdso
						     : read_vdso(symbols);
	else if (mapping->path[0] == '/')
		file = file_of(symbols, mapping);
	else
		return SYMBOLS_NONE;
	return file != SYMBOLS_NONE && symbols->entries[file].readable ? file
								       : SYMBOLS_NONE;
}

bool symbols__name(const struct symbols *symbols, uint32_t file, uint64_t file_offset,
		   struct buf *ret_name, uint64_t *ret_address)
{
	const struct entry *entry = &symbols->entries[file];
	const struct function *function = NULL;
	const char *name;
	uint64_t address;

	buf__append(ret_name, buf__string(&entry->module), entry->module.size);
	if (elf_loads__address(&entry->file.loads, file_offset, &address))
		function = symbol_file__find(&entry->file, address);
	else
		address = file_offset;
	if (!function) {
		*ret_address = address;
		return false;
	}
	*ret_address = function->start;
	buf__append_char(ret_name, '!');
	name = buf__string(&entry->file.names) + function->name;
	if (*name)
		text__append_utf8(ret_name, name, strlen(name));
	else
		buf__printf(ret_name, "+0x%" PRIx64, function->start);
	return true;
}

bool symbols__is_hijack_stub(const struct symbols *symbols, uint32_t file,
			     uint64_t file_offset)
{
	const struct symbol_file *of = &symbols->entries[file].file;
	uint64_t address;

	return of->hijack_stub && elf_loads__address(&of->loads, file_offset, &address) &&
	       address == of->hijack_stub;
}
