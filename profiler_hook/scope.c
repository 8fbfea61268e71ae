/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Where the metadata lies, from the image's own headers:
 *
 *   base ─→ PE header ─→ directory 14: CLI header ─→ metadata "BSJB" ...
 *
 * Addresses in it are RVAs; in a flat module, which is the file as it is, the section
 * table makes file offsets of them.  All is read without trust: these are bytes of a
 * file.  What lies there is the metadata library's business, which has to bear any
 * bytes, as it does when the runtime reads them.
 */
#include "scope.h"

#include "memory.h"
#include "threads.h"

#include <string.h>

#define PE_OFFSET_AT	   0x3c
#define PE_OFFSET_MAX	   0x10000u
#define COFF_BYTES	   24 /* signature included */
#define OPTIONAL_BYTES	   240
#define MAGIC_PE32	   0x10b
#define MAGIC_PE32_PLUS	   0x20b
#define DIRECTORIES_PE32   96
#define DIRECTORIES_PLUS   112
#define CLI_DIRECTORY	   14
#define SECTION_BYTES	   40
#define SECTIONS_MAX	   96
#define CLI_BYTES	   16 /* as far as it is read */
#define CLI_METADATA_AT	   8
#define METADATA_SIGNATURE 0x424a5342u
#define METADATA_MAX	   (1u << 30)

#define PROBES 16u

struct range {
	uint32_t rva, size;
};

static uint16_t u16_at(const uint8_t *bytes)
{
	uint16_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint32_t u32_at(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static uint64_t address_in_flat(uint64_t base, uint64_t sections, unsigned int count,
				struct range range)
{
	uint8_t section[SECTION_BYTES];

	for (unsigned int i = 0; i < count && i < SECTIONS_MAX; i++) {
		uint32_t rva, size, offset;

		if (memory__read(section, sections + i * SECTION_BYTES,
				 SECTION_BYTES))
			return 0;
		rva = u32_at(section + 12);
		size = u32_at(section + 16);
		offset = u32_at(section + 20);
		if (range.rva >= rva && range.rva - rva < size &&
		    range.size <= size - (range.rva - rva))
			return base + offset + (range.rva - rva);
	}
	return 0;
}

/* Where the metadata lies, and its size; 0 where none is to be found. */
static uint64_t find_metadata(uint64_t base, bool flat, uint32_t *ret_size)
{
	uint8_t headers[COFF_BYTES + OPTIONAL_BYTES], cli[CLI_BYTES];
	const uint8_t *optional = headers + COFF_BYTES, *directory;
	uint64_t sections, address;
	struct range range;
	unsigned int count;
	uint32_t offset, signature;

	if (memory__read(&offset, base + PE_OFFSET_AT, sizeof(offset)) ||
	    offset > PE_OFFSET_MAX ||
	    memory__read(headers, base + offset, sizeof(headers)) ||
	    memcmp(headers, "PE\0\0", 4))
		return 0;
	if (u16_at(optional) == MAGIC_PE32_PLUS)
		directory = optional + DIRECTORIES_PLUS;
	else if (u16_at(optional) == MAGIC_PE32)
		directory = optional + DIRECTORIES_PE32;
	else
		return 0;
	count = u16_at(headers + 6);
	sections = base + offset + COFF_BYTES + u16_at(headers + 20);
	directory += CLI_DIRECTORY * 8;
	range = (struct range){u32_at(directory), CLI_BYTES};
	address = flat ? address_in_flat(base, sections, count, range)
		       : base + range.rva;
	if (!range.rva || !address || memory__read(cli, address, sizeof(cli)))
		return 0;
	range = (struct range){u32_at(cli + CLI_METADATA_AT),
			       u32_at(cli + CLI_METADATA_AT + 4)};
	address = flat ? address_in_flat(base, sections, count, range)
		       : base + range.rva;
	if (!range.rva || range.size > METADATA_MAX || !address ||
	    memory__read(&signature, address, sizeof(signature)) ||
	    signature != METADATA_SIGNATURE)
		return 0;
	*ret_size = range.size;
	return address;
}

/*
 * An export of the library that the runtime is, or, in a single-file application, of
 * the executable.
 */
void scope__prepare(struct hook *hook)
{
	const void *inside = (const void *)(uintptr_t)hook->info->table->get_module_info2;
	void *library = NULL;
	Dl_info info;

	if (dladdr(inside, &info))
		library = dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD);
	if (!library)
		library = dlopen(NULL, RTLD_LAZY);
	if (!library)
		return;
	*(void **)&hook->get_dispenser = dlsym(library, "MetaDataGetDispenser");
	dlclose(library); /* it stays: we are called by it */
}

static struct metadata *open_bytes(const struct hook *hook, uint64_t address,
				   uint32_t size)
{
	const struct variant safe = {.type = VARIANT_UINT32,
				     .value = METADATA_THREAD_SAFETY_ON};
	struct dispenser *dispenser = NULL;
	struct metadata *metadata = NULL;

	if (!hook->get_dispenser ||
	    FAILED(hook->get_dispenser(&clsid_dispenser, &iid_dispenser_ex,
				       (void **)&dispenser)))
		return NULL;
	/* Without the option two readers at once are not safe. */
	if (!FAILED(dispenser->table->set_option(dispenser, &option_thread_safety,
						 &safe)) &&
	    FAILED(dispenser->table->open_scope_on_memory(
		    dispenser, (const void *)(uintptr_t)address, size,
		    METADATA_READ_ONLY, &iid_metadata_import, (void **)&metadata)))
		metadata = NULL;
	unknown__release(dispenser);
	return metadata;
}

/* NULL where the module can go, or has no bytes. */
static struct metadata *open_module(struct hook *hook, module_id module)
{
	const uint8_t *base = NULL;
	uint32_t length = 0, flags = 0, size;
	uintptr_t assembly = 0;
	uint64_t address;

	if (FAILED(hook->info->table->get_module_info2(hook->info, module, &base, 0,
						       &length, NULL, &assembly,
						       &flags)) ||
	    !base || flags & (MODULE_INFO_DYNAMIC | MODULE_INFO_COLLECTIBLE))
		return NULL;
	address = find_metadata((uintptr_t)base, flags & MODULE_INFO_FLAT, &size);
	return address ? open_bytes(hook, address, size) : NULL;
}

static struct module_scope *slot_of(struct hook *hook, module_id module,
				    unsigned int probe)
{
	return &hook->scopes[((module >> 12 ^ module >> 4) + probe) % HOOK_SCOPES];
}

static struct metadata *find(struct hook *hook, module_id module)
{
	for (unsigned int i = 0; i < PROBES; i++) {
		struct module_scope *slot = slot_of(hook, module, i);
		uintptr_t held = __atomic_load_n(&slot->module, __ATOMIC_ACQUIRE);

		if (held == module)
			return __atomic_load_n(&slot->metadata, __ATOMIC_ACQUIRE);
		if (!held)
			return NULL;
	}
	return NULL;
}

/*
 * Two threads that open one module at once both get what they opened; the one that is
 * late keeps it to itself.  A full table costs an opening each time.
 */
static void keep(struct hook *hook, module_id module, struct metadata *metadata)
{
	for (unsigned int i = 0; i < PROBES; i++) {
		struct module_scope *slot = slot_of(hook, module, i);
		uintptr_t held = 0;

		if (__atomic_compare_exchange_n(&slot->module, &held, module, 0,
						__ATOMIC_ACQ_REL, __ATOMIC_ACQUIRE)) {
			unknown__add_ref(metadata);
			__atomic_store_n(&slot->metadata, metadata, __ATOMIC_RELEASE);
			return;
		}
		if (held == module)
			return;
	}
}

struct metadata *scope__ask(struct hook *hook, module_id module)
{
	struct metadata *metadata = NULL;

	return hook__failed(hook, hook->info->table->get_module_metadata(
					  hook->info, module, 0, &iid_metadata_import,
					  (void **)&metadata))
		       ? NULL
		       : metadata;
}

struct metadata *scope__open(struct hook *hook, module_id module)
{
	struct metadata *metadata = find(hook, module);

	if (metadata) {
		unknown__add_ref(metadata);
		return metadata;
	}
	metadata = open_module(hook, module);
	if (!metadata)
		return scope__ask(hook, module);
	keep(hook, module, metadata);
	return metadata;
}

void scope__close_all(struct hook *hook)
{
	for (unsigned int i = 0; i < HOOK_SCOPES; i++) {
		struct metadata *metadata = hook->scopes[i].metadata;

		hook->scopes[i] = (struct module_scope){0};
		if (metadata)
			unknown__release(metadata);
	}
}
