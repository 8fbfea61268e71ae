// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// One entry per file: struct header | rows, as in memory, all under the entry's checksum.
#include "cache.h"

#include "unwind.h"

#include "../base/alloc.h"
#include "../base/file_view.h"
#include "../base/kept_files.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KIND	 "rules"
#define LAYOUT	 2	/* also to be raised when what makes rows learns more: see table.c */
#define HELD_MAX (16u << 20)	/* bytes of rows, until the end; a .NET program has 2 MB */

struct header {
	uint64_t base;
	uint64_t rows;
};

#define ROWS_AT (KEPT_CONTENT + sizeof(struct header))

struct held {
	struct kept_identity identity;
	struct unwind_table table;
};

struct unwind_cache {
	struct kept_files *files;
	struct kept_identity wanted;	/* of the last load */
	struct held *held;
	uint32_t count, capacity;
	uint64_t bytes;			/* of rows that are held */
};

struct unwind_cache *unwind_cache__open(void)
{
	struct kept_files *files = kept_files__open(KIND, LAYOUT);
	struct unwind_cache *cache;

	if (!files)
		return NULL;
	cache = alloc__zeroed(1, sizeof(*cache));
	cache->files = files;
	return cache;
}

/* The checksum holds, so these are our own numbers; but the sampler trusts them. */
static int take(struct unwind_table *table, struct file_view *view, size_t checked)
{
	struct header header;

	if (checked < ROWS_AT || checked != view->size)
		return -EBADMSG;
	memcpy(&header, view->data + KEPT_CONTENT, sizeof(header));
	if (header.rows != (checked - ROWS_AT) / sizeof(*table->rows) ||
	    (checked - ROWS_AT) % sizeof(*table->rows))
		return -EBADMSG;
	*table = (struct unwind_table){
		.rows = (struct ts_image_row *)(view->data + ROWS_AT),
		.count = (uint32_t)header.rows, .base = header.base,
		.bytes_read = view->size };
	if (header.rows > UINT32_MAX || !unwind_table__is_sound(table))
		return -EBADMSG;
	table->kept = view;
	return 0;
}

int unwind_cache__load(struct unwind_cache *cache, int fd, struct unwind_table *ret_table)
{
	struct unwind_table table;
	struct file_view *view;
	size_t checked;
	int err;

	if (!cache)
		return -ENOENT;
	err = kept_files__identify(fd, 0, &cache->wanted);
	if (!err)
		err = kept_files__load(cache->files, &cache->wanted, &view, &checked);
	if (err)
		return err;
	err = take(&table, view, checked);
	if (err)
		file_view__close(view);
	else
		*ret_table = table;
	return err;
}

/* Tables that were taken out for want of room are made again. */
static bool is_held(const struct unwind_cache *cache)
{
	for (uint32_t i = 0; i < cache->count; i++)
		if (!memcmp(&cache->held[i].identity, &cache->wanted, sizeof(cache->wanted)))
			return true;
	return false;
}

void unwind_cache__keep(struct unwind_cache *cache, struct unwind_table *table)
{
	uint64_t bytes = (uint64_t)table->count * sizeof(*table->rows);

	if (!cache || !cache->wanted.inode || bytes > HELD_MAX - cache->bytes || is_held(cache))
		return;
	alloc__grow(cache->held, cache->count, cache->capacity);
	cache->held[cache->count++] = (struct held){ cache->wanted, *table };
	cache->bytes += bytes;
	table->rows = NULL;
	table->count = table->capacity = 0;
}

static void write_one(struct unwind_cache *cache, const struct held *held)
{
	const struct unwind_table *table = &held->table;
	struct header header = { .base = table->base, .rows = table->count };
	size_t rows_size = table->count * sizeof(*table->rows);
	struct kept_piece pieces[] = {
		{ KEPT_CONTENT, &header, sizeof(header) },
		{ ROWS_AT, table->rows, rows_size },
	};

	kept_files__write(cache->files, &held->identity, &(struct kept_pieces){
		.items = pieces, .count = 2, .checked = ROWS_AT + rows_size,
		.size = ROWS_AT + rows_size });
}

void unwind_cache__free(struct unwind_cache *cache)
{
	if (!cache)
		return;
	for (uint32_t i = 0; i < cache->count; i++) {
		write_one(cache, &cache->held[i]);
		unwind_table__free(&cache->held[i].table);
	}
	kept_files__close(cache->files);
	free(cache->held);
	free(cache);
}
