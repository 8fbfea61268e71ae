// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Executable memory of the processes: told by the kernel as it is mapped, read
// from /proc for what was there before.
#include "internal.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>

#define JIT_NAME "/" TS_CODE_MEMORY

static enum mapping_kind kind_of(const char *path, uint64_t inode)
{
	if (!strncmp(path, JIT_NAME, sizeof(JIT_NAME) - 1))
		return MAPPING_JIT;
	if (path[0] == '[')
		return MAPPING_SPECIAL;
	if (!inode || !path[0] || !strncmp(path, "//anon", 6))
		return MAPPING_ANONYMOUS;
	return MAPPING_FILE;
}

/* False: there is no room for it; the worst effect is that its code has no name. */
static bool add(struct recorder *recorder, struct process *process,
		struct mapping_list *list, const struct kernel_mapping *told)
{
	struct mapping mapping = {
		.start = told->start, .end = told->start + told->size,
		.file_offset = told->file_offset, .born_ns = told->time_ns,
		.kind = kind_of(told->path, told->inode), .file = NO_IMAGE,
		.device = makedev(told->device_major, told->device_minor),
		.inode = told->inode, .symbols = SYMBOLS_NONE,
	};
	struct buf path = BUF_INIT;

	if (list->count == MAPPINGS_MAX) {
		recorder->mappings_dropped++;
		return false;
	}
	text__append_utf8(&path, told->path, strlen(told->path));
	mapping.path = model__string(recorder->model, buf__string(&path));
	buf__free(&path);
	if (mapping.kind == MAPPING_FILE)
		mapping.file = images__open(recorder, process, &mapping, told->path);
	else if (mapping.kind == MAPPING_ANONYMOUS)
		mapping.file = unpacked__open(recorder, process, &mapping);
	if (mapping.file != NO_IMAGE || mapping.unreadable)	/* as good as a file */
		mapping.kind = MAPPING_FILE;
	alloc__grow(list->items, list->count, list->capacity);
	list->items[list->count++] = mapping;
	memset(process->cache, 0, sizeof(process->cache));
	return true;
}

/*
 * Tells the sampler what is in that memory, once the space is the right one.  Where
 * the slots are full, its samples come with a piece of stack: dear, but right.
 */
static void publish(struct recorder *recorder, const struct process *process,
		    struct mapping *mapping)
{
	uint32_t kind = mapping->kind == MAPPING_JIT || mapping->kind == MAPPING_ANONYMOUS ?
			TS_SLOT_JIT : TS_SLOT_NATIVE;

	if (mapping->file != NO_IMAGE)
		images__publish(recorder, process, mapping);
	else if (!rules__publish(recorder, process, mapping))
		(void)kernel__map_other(recorder->kernel, process->space, kind,
					mapping->start, mapping->end);
}

/* How long after its mapping an image can be sampled by its table. */
static void note_ready(struct recorder *recorder, const struct kernel_mapping *mapping)
{
	uint64_t now = clock__now();
	uint64_t ns = now > mapping->time_ns ? now - mapping->time_ns : 0;

	recorder->tables_ready++;
	recorder->tables_ready_ns += ns;
	if (ns > recorder->table_ready_most_ns)
		recorder->table_ready_most_ns = ns;
	log__debug("%s: its table was ready %llu us after it was mapped", mapping->path,
		   (unsigned long long)ns / 1000);
}

void mappings__on_mapping(struct recorder *recorder, const struct kernel_mapping *mapping)
{
	struct process *process = process__by_pid(recorder, mapping->pid);

	if (!process || !process->alive)
		return;
	recorder->mapped_ns = clock__now();
	/* An exec that is over: its event came through the other ring first. */
	if (mapping->is_exec && mapping->time_ns <= process->born_ns)
		return;
	if (mapping->is_exec || process->next.count) {
		if (add(recorder, process, &process->next, mapping))
			process->next.items[process->next.count - 1].is_exec =
				mapping->is_exec;
		return;
	}
	if (!add(recorder, process, &process->mappings, mapping))
		return;
	publish(recorder, process, &process->mappings.items[process->mappings.count - 1]);
	if (process->mappings.items[process->mappings.count - 1].file != NO_IMAGE)
		note_ready(recorder, mapping);
}

/* Moves items [from, from + count) to the end of another list. */
static void move(struct mapping_list *to, const struct mapping_list *list, uint32_t from,
		 uint32_t count)
{
	for (uint32_t i = 0; i < count; i++) {
		alloc__grow(to->items, to->count, to->capacity);
		to->items[to->count++] = list->items[from + i];
	}
}

/*
 * After exec.  Mappings and process events come through two rings, so by now
 * `next` of the old program can hold nothing of this exec, its mappings, or
 * those of a later exec as well:
 *
 *   exec  mapping  mapping ...  exec  mapping ...
 *   └─ of this program ──────┘  └─ of the next ─┘
 */
void mappings__exec(struct recorder *recorder, struct process *old, struct process *process)
{
	struct mapping_list *next = old ? &old->next : NULL;
	uint32_t first = 0, last;

	for (uint32_t i = 0; next && i < next->count; i++)
		if (next->items[i].is_exec && next->items[i].born_ns <= process->born_ns)
			first = i + 1;
	if (!first) {
		mappings__read(recorder, process);
		return;
	}
	for (last = first; last < next->count && !next->items[last].is_exec;)
		last++;
	move(&process->mappings, next, first, last - first);
	move(&process->next, next, last, next->count - last);
	mappings__free_list(next);
	for (uint32_t i = 0; i < process->mappings.count; i++)
		publish(recorder, process, &process->mappings.items[i]);
}

/* (start, end) of all. */
static struct map *list_ranges(const struct mapping_list *list)
{
	struct map *ranges = map__new();

	for (uint32_t i = 0; i < list->count; i++)
		map__set(ranges, list->items[i].start, list->items[i].end, 0);
	return ranges;
}

void mappings__read(struct recorder *recorder, struct process *process)
{
	struct kernel_mapping told = { .pid = process->pid, .time_ns = 0 };
	struct map *known;
	char path[64], *line = NULL;
	size_t capacity = 0;
	ssize_t length;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/maps", process->pid);
	file = fopen(path, "re");
	if (!file)
		return;
	known = list_ranges(&process->mappings);
	while ((length = getline(&line, &capacity, file)) > 0) {
		uint64_t start, end;
		char protection[5];
		int name_at = 0;

		line[length - 1] = 0;
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 " %n",
			   &start, &end, protection, &told.file_offset, &told.device_major,
			   &told.device_minor, &told.inode, &name_at) < 7 ||
		    protection[2] != 'x' || map__get(known, start, end, NULL))
			continue;
		told.start = start;
		told.size = end - start;
		told.path = name_at ? line + name_at : "";
		if (!add(recorder, process, &process->mappings, &told))
			break;
		publish(recorder, process,
			&process->mappings.items[process->mappings.count - 1]);
	}
	map__free(known);
	free(line);
	fclose(file);
}

/*
 * The mapping that held an address at a time: the youngest born by then.  What
 * was unmapped meanwhile is not told; the worst effect is a native frame with
 * the name of a file that had been there before.
 */
struct mapping *mappings__find(struct process *process, uint64_t address,
			       uint64_t time_ns)
{
	uint32_t *cache = &process->cache[(address >> TS_PAGE_SHIFT) % MAPPING_CACHE];
	struct mapping *items = process->mappings.items;

	if (*cache) {
		struct mapping *mapping = &items[*cache - 1];

		if (address >= mapping->start && address < mapping->end &&
		    mapping->born_ns <= time_ns)
			return mapping;
	}
	for (uint32_t i = process->mappings.count; i > 0; i--) {
		struct mapping *mapping = &items[i - 1];

		if (address < mapping->start || address >= mapping->end ||
		    mapping->born_ns > time_ns)
			continue;
		*cache = i;
		return mapping;
	}
	return NULL;
}

void mappings__free_list(struct mapping_list *list)
{
	free(list->items);
	*list = (struct mapping_list){ NULL, 0, 0 };
}
