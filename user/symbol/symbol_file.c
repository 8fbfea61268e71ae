// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Functions of an ELF file: symbols that have a size own their bytes; symbols
// without one only where the unwind table says that a function starts there;
// all other functions have bounds and no name.
#include "symbol_file.h"

#include "eh_frame.h"
#include "hijack_stub.h"

#include <string.h>

/* Longer ones are cut: templates can spell out kilobytes. */
#define NAME_MAX_SIZE 1024

/* Of names for the same code the one that people call it by. */
enum { RANK_UNDERSCORE = 1, RANK_LOCAL = 8, RANK_RESOLVER = 16 };

struct reading {
	struct symbol_file *file;
	size_t room;
};

static bool take_room(struct reading *reading, size_t size)
{
	if (size > reading->room)
		return false;
	reading->room -= size;
	return true;
}

static void add_bounds(void *context, const struct eh_function *found)
{
	struct reading *reading = context;
	uint64_t start = found->start, size = found->size;

	if (size > UINT32_MAX ||
	    !elf_loads__is_code(&reading->file->loads, start, size) ||
	    !take_room(reading, sizeof(struct function)))
		return;
	functions__add(&reading->file->bounds,
		       &(struct function){.start = start, .size = (uint32_t)size});
}

static void read_bounds(struct reading *reading, const struct elf_view *view)
{
	struct elf_bytes bytes;

	if (elf_view__eh_frame(view, &bytes))
		return;
	eh_frame__read(&(struct eh_frame){bytes.data, bytes.size, bytes.address},
		       add_bounds, reading);
}

static uint16_t rank_of(const char *name, const Elf64_Sym *symbol)
{
	uint16_t rank = 0;

	while (name[rank] == '_' && rank < 3)
		rank += RANK_UNDERSCORE;
	if (ELF64_ST_BIND(symbol->st_info) == STB_LOCAL)
		rank += RANK_LOCAL;
	if (ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC)
		rank += RANK_RESOLVER;
	return rank;
}

/* Its bytes, and whether they are a bound only.  False: they are not known. */
static bool size_of(const struct symbol_file *file, const Elf64_Sym *symbol,
		    struct function *function)
{
	const struct function *bounds;

	function->start = symbol->st_value;
	if (symbol->st_size) {
		function->size =
			symbol->st_size > UINT32_MAX ? 0 : (uint32_t)symbol->st_size;
	} else {
		bounds = functions__find(&file->bounds, symbol->st_value);
		if (!bounds || bounds->start != symbol->st_value)
			return false;
		function->size = bounds->size;
		function->until_next = true;
	}
	return function->size &&
	       elf_loads__is_code(&file->loads, function->start, function->size);
}

/* "memmove@@GLIBC_2.2.5" is memmove: the version is the linker's concern. */
static size_t length_of(const char *name, size_t limit)
{
	size_t size = 0;

	if (limit > NAME_MAX_SIZE)
		limit = NAME_MAX_SIZE;
	while (size < limit && name[size] && (name[size] != '@' || !size))
		size++;
	return size;
}

/*
 * An indirect function's symbol is the code that chooses, once, which
 * implementation calls go to; none of these is in it.
 */
static void add_symbol(struct reading *reading, const Elf64_Sym *symbol,
		       const char *name, size_t limit)
{
	bool resolver = ELF64_ST_TYPE(symbol->st_info) == STT_GNU_IFUNC;
	struct symbol_file *file = reading->file;
	struct function function = {.rank = rank_of(name, symbol)};
	size_t size = length_of(name, limit);

	if (!size || !size_of(file, symbol, &function) ||
	    !take_room(reading, sizeof(function) + size + sizeof(" [resolver]")))
		return;
	function.name = (uint32_t)file->names.size;
	buf__append(&file->names, name, size);
	if (resolver)
		buf__append_string(&file->names, " [resolver]");
	buf__append_char(&file->names, 0);
	functions__add(&file->named, &function);
}

static bool is_function(const Elf64_Sym *symbol)
{
	unsigned int type = ELF64_ST_TYPE(symbol->st_info);

	return (type == STT_FUNC || type == STT_GNU_IFUNC) &&
	       symbol->st_shndx != SHN_UNDEF &&
	       (symbol->st_shndx < SHN_LORESERVE || symbol->st_shndx == SHN_XINDEX);
}

static void read_symbols(struct reading *reading, const struct elf_view *view,
			 const char *section)
{
	struct elf_bytes table, names;
	Elf64_Sym symbol;

	if (elf_view__section(view, section, &table) ||
	    (table.type != SHT_SYMTAB && table.type != SHT_DYNSYM) ||
	    elf_view__section_at(view, table.link, &names) ||
	    names.type != SHT_STRTAB || names.data[names.size - 1])
		return;
	for (size_t i = 0; i < table.size / sizeof(symbol); i++) {
		memcpy(&symbol, table.data + i * sizeof(symbol), sizeof(symbol));
		if (is_function(&symbol) && symbol.st_name < names.size)
			add_symbol(reading, &symbol,
				   (const char *)names.data + symbol.st_name,
				   names.size - symbol.st_name);
	}
}

/* Calls to other libraries go through here; no symbol and no fixed size per call. */
static void add_linkage_tables(struct reading *reading, const struct elf_view *view)
{
	static const char *const sections[] = {".plt", ".plt.sec", ".plt.got"};
	static const char name[] = "[plt]";
	struct symbol_file *file = reading->file;
	struct elf_bytes bytes;

	for (size_t i = 0; i < sizeof(sections) / sizeof(sections[0]); i++) {
		if (elf_view__section(view, sections[i], &bytes) ||
		    !elf_loads__is_code(&file->loads, bytes.address, bytes.size) ||
		    !take_room(reading, sizeof(struct function) + sizeof(name)))
			continue;
		functions__add(&file->named,
			       &(struct function){.start = bytes.address,
						  .size = (uint32_t)bytes.size,
						  .name = (uint32_t)file->names.size});
		buf__append(&file->names, name, sizeof(name));
	}
}

void symbol_file__read(struct symbol_file *file, const struct elf_view *view,
		       const struct elf_view *debug, size_t room)
{
	struct reading reading = {.file = file,
				  .room = room < UINT32_MAX ? room : UINT32_MAX};

	file->loads = view->loads;
	buf__append_char(&file->names, 0);
	read_bounds(&reading, view);
	functions__finish(&file->bounds, buf__string(&file->names));
	file->hijack_stub = hijack_stub__find(view, &file->bounds);
	add_linkage_tables(&reading, view);
	read_symbols(&reading, view, ".dynsym");
	read_symbols(&reading, view, ".symtab");
	if (debug)
		read_symbols(&reading, debug, ".symtab");
	functions__finish(&file->named, buf__string(&file->names));
}

size_t symbol_file__memory(const struct symbol_file *file)
{
	return ((size_t)file->named.capacity + file->bounds.capacity) *
		       sizeof(struct function) +
	       file->names.capacity;
}

void symbol_file__free(struct symbol_file *file)
{
	functions__free(&file->named);
	functions__free(&file->bounds);
	buf__free(&file->names);
}

const struct function *symbol_file__find(const struct symbol_file *file,
					 uint64_t address)
{
	const struct function *function = functions__find(&file->named, address);

	return function ? function : functions__find(&file->bounds, address);
}
