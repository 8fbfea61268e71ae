/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The image's CLI header says where its metadata lies.  What lies there is the metadata
 * library's business, which has to bear any bytes, as it does for the runtime.
 */
#include "scope.h"

#include "memory.h"
#include "pe.h"
#include "threads.h"

#include <string.h>

#define CLI_BYTES	   16 /* as far as it is read: its last eight say where */
#define METADATA_SIGNATURE 0x424a5342u
#define METADATA_MAX	   (1u << 30)

/* Where the metadata lies, and its size; 0 where none is to be found. */
static uint64_t find_metadata(uint64_t base, bool flat, uint32_t *ret_size)
{
	uint32_t cli[CLI_BYTES / 4], rva, signature;
	uint64_t address;
	struct pe pe;

	if (!pe__read(&pe, base) || !pe.cli_rva)
		return 0;
	address = pe__address(&pe, flat, pe.cli_rva, CLI_BYTES);
	if (!address || memory__read(cli, address, sizeof(cli)))
		return 0;
	rva = cli[2];
	*ret_size = cli[3];
	if (!rva || *ret_size > METADATA_MAX)
		return 0;
	address = pe__address(&pe, flat, rva, *ret_size);
	if (!address || memory__read(&signature, address, sizeof(signature)) ||
	    signature != METADATA_SIGNATURE)
		return 0;
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

static struct metadata_import *open_bytes(const struct hook *hook, uint64_t address,
				   uint32_t size)
{
	const struct variant safe = {.type = VARIANT_UINT32,
				     .value = METADATA_THREAD_SAFETY_ON};
	struct dispenser *dispenser = NULL;
	struct metadata_import *metadata = NULL;

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

uint64_t scope__find_bytes(struct hook *hook, module_id module, uint32_t *ret_size)
{
	const uint8_t *base = NULL;
	uint32_t length = 0, flags = 0;
	uintptr_t assembly = 0;

	if (FAILED(hook->info->table->get_module_info2(hook->info, module, &base, 0,
						       &length, NULL, &assembly,
						       &flags)) ||
	    !base || flags & (MODULE_INFO_DYNAMIC | MODULE_INFO_COLLECTIBLE))
		return 0;
	return find_metadata((uintptr_t)base, flags & MODULE_INFO_FLAT, ret_size);
}

static struct metadata_import *open_module(struct hook *hook, module_id module)
{
	uint32_t size;
	uint64_t address = scope__find_bytes(hook, module, &size);

	return address ? open_bytes(hook, address, size) : NULL;
}

static struct metadata_import *find(struct hook *hook, module_id module)
{
	uint32_t number = table__find(&hook->scope_numbers, module);

	return number ? hook->scopes[number - 1] : NULL;
}

/* To open a module each time that it is asked about would cost more than it saves. */
static bool has_room(const struct hook *hook)
{
	return __atomic_load_n(&hook->scopes_used, __ATOMIC_RELAXED) < HOOK_SCOPES;
}

/*
 * Two threads that open one module at once both keep what they opened; that of the one
 * that is late is not found again, and closed with the others.
 */
static void keep(struct hook *hook, module_id module, struct metadata_import *metadata)
{
	uint32_t turn = __atomic_fetch_add(&hook->scopes_used, 1, __ATOMIC_RELAXED);

	if (turn >= HOOK_SCOPES)
		return;
	unknown__add_ref(metadata);
	hook->scopes[turn] = metadata;
	(void)table__insert(&hook->scope_numbers, module, turn + 1);
}

struct metadata_import *scope__ask(struct hook *hook, module_id module)
{
	struct metadata_import *metadata = NULL;

	return FAILED(hook->info->table->get_module_metadata(hook->info, module, 0,
							     &iid_metadata_import,
							     (void **)&metadata))
		       ? NULL
		       : metadata;
}

struct metadata_import *scope__open(struct hook *hook, module_id module)
{
	struct metadata_import *metadata;

	/* It may change flags and names, which only the runtime's own reader shows. */
	if (hook->journal.header->main_profiler)
		return scope__ask(hook, module);
	metadata = find(hook, module);
	if (metadata) {
		unknown__add_ref(metadata);
		return metadata;
	}
	if (has_room(hook))
		metadata = open_module(hook, module);
	if (!metadata)
		return scope__ask(hook, module);
	keep(hook, module, metadata);
	return metadata;
}

void scope__close_all(struct hook *hook)
{
	for (unsigned int i = 0; i < HOOK_SCOPES; i++)
		unknown__release(hook->scopes[i]);
	table__destroy(&hook->scope_numbers);
}
