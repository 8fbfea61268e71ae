// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Words of the runtime, and a Module's maps from tokens (dotnet/runtime v8 to v10,
// src/coreclr/vm/lookupmap.h): see version_walk.h.
#include "version_walk.h"

#include <errno.h>

#define MAP_PARTS_MAX	  64u
#define ENTRY_FLAGS	  0x3u	/* of what a map holds: pointers of more bits */
#define TOKEN_ROW	  0xffffffu

struct map_part {
	uint64_t next;
	uint64_t entries;
	uint32_t count;
	uint32_t padding;
};

int version_walk__fetch(const struct version_walk *walk, uint64_t address, void *ret_bytes,
			size_t size)
{
	if (address % sizeof(uint64_t))
		return -EBADMSG;
	return walk->reader->read(walk->reader->context, address, ret_bytes, size) ? 0 :
										     -EFAULT;
}

int version_walk__read_entry(const struct version_walk *walk, uint64_t place,
			     uint64_t *ret_entry)
{
	int err = version_walk__fetch(walk, place, ret_entry, sizeof(*ret_entry));

	*ret_entry &= ~(uint64_t)ENTRY_FLAGS;
	return err;
}

/* What a map of the module has for the method, and where. */
static int look_up(const struct version_walk *walk, uint64_t map, uint64_t *ret_entry,
		   uint64_t *ret_place)
{
	uint32_t row = walk->token & TOKEN_ROW;

	*ret_entry = *ret_place = 0;
	for (uint32_t i = 0; map && i < MAP_PARTS_MAX; i++) {
		struct map_part part;
		int err = version_walk__fetch(walk, map, &part, sizeof(part));

		if (err)
			return err;
		if (row < part.count) {
			*ret_place = part.entries + 8ull * row;
			return version_walk__read_entry(walk, *ret_place, ret_entry);
		}
		row -= part.count;
		map = part.next;
	}
	return map ? -EBADMSG : 0;
}

int version_walk__find_method(const struct version_walk *walk, uint64_t *ret_method)
{
	uint64_t place;

	return look_up(walk, walk->module + walk->layout->methods, ret_method, &place);
}

int version_walk__find_il(const struct version_walk *walk, uint64_t *ret_state,
			  uint64_t *ret_place)
{
	return look_up(walk, walk->module + walk->layout->il_map, ret_state, ret_place);
}
