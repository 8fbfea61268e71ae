// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// How native files are unwound: each is read once, by device and inode (and again where it
// was written anew in its place), and its table goes to the sampler, for all processes that
// map it.  When nobody does, it stays until there is need for its room; and it is kept for
// the next run.
#include "internal.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../symbol/elf_view.h"
#include "../symbol/mapped_file.h"
#include "../symbol/vdso.h"
#include "../unwind/cache.h"
#include "../unwind/unwind.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Of all files: what reading them may cost.  A .NET process has 30, with 8 MB. */
#define FILES_MAX 4096
#define BYTES_MAX (512ull << 20)

struct rules_file {
	uint64_t device, inode;		/* 0: [vdso] */
	struct mapped_file_state state;	/* when it was read */
	struct elf_loads loads;
	uint64_t base;			/* of its table, as the file is linked */
	uint32_t number;		/* in the kernel's tables; 0: not there */
	uint32_t users;			/* mappings that were told to the sampler */
	bool unreadable;		/* or without rules, or with too many */
};

/* The newest first: of a file that was written anew there are several. */
static struct rules_file *find(const struct rules *rules, const struct mapping *mapping,
			       const struct stat *state)
{
	for (uint32_t i = rules->count; i-- > 0;) {
		struct rules_file *file = &rules->files[i];

		if (file->device == mapping->device && file->inode == mapping->inode &&
		    mapped_file__is_same(&file->state, state))
			return file;
	}
	return NULL;
}

/* Takes one table that nobody needs out; false: there is none. */
static bool make_room(struct recorder *recorder)
{
	struct rules *rules = &recorder->rules;

	for (uint32_t i = 0; i < rules->count; i++) {
		struct rules_file *file = &rules->files[i];

		if (!file->number || file->users)
			continue;
		kernel__drop_rules(recorder->kernel, file->number);
		file->number = 0;
		return true;
	}
	return false;
}

static int hand_over(struct recorder *recorder, struct rules_file *file,
		     const struct unwind_table *table)
{
	int err;

	do {
		err = kernel__add_rules(recorder->kernel, table, &file->number);
	} while (err == -ENOSPC && make_room(recorder));
	return err;
}

/* What was kept, or else the file itself. */
static int read_table(struct rules_file *file, int fd, struct unwind_cache *cache,
		      struct unwind_table *table)
{
	struct elf_view view;
	/* First, because it notes in which state the file is: one that is written anew while it
	 * is read will be found in another. */
	bool kept = !unwind_cache__load(cache, fd, table);
	int err = fd < 0 ? vdso__open(&view) : elf_view__open(&view, fd);

	if (err)
		return err;
	file->loads = view.loads;
	if (!kept)
		err = unwind_table__read(table, &view);
	elf_view__close(&view);
	return err;
}

static void read_file(struct recorder *recorder, struct rules_file *file, int fd,
		      const char *path)
{
	struct unwind_cache *cache = fd < 0 ? NULL : recorder->rules.cache;
	struct unwind_table table = { .rows = NULL };
	int err = read_table(file, fd, cache, &table);

	recorder->rules.bytes += table.bytes_read;
	if (!err) {
		file->base = table.base;
		err = hand_over(recorder, file, &table);
		log__verbose("%s: %u rules of unwinding%s%s", path, table.count,
			     table.kept ? ", kept from an earlier run" : "",
			     err ? ", for which the sampler has no room" : "");
		if (!table.kept)
			unwind_cache__keep(cache, &table);
	}
	unwind_table__free(&table);
	/* Where there is no room now, there may be some later. */
	file->unreadable = err && err != -ENOSPC;
}

static struct rules_file *add(struct rules *rules, const struct mapping *mapping,
			      const struct stat *state)
{
	if (rules->count >= FILES_MAX)
		return NULL;
	alloc__grow(rules->files, rules->count, rules->capacity);
	rules->files[rules->count] = (struct rules_file){
		.device = mapping->device, .inode = mapping->inode,
		.state = mapped_file__state(state) };
	return &rules->files[rules->count++];
}

/* NULL: it cannot be opened, or too much was read already. */
static struct rules_file *find_or_read(struct recorder *recorder,
				       const struct process *process,
				       const struct mapping *mapping, const char *path)
{
	struct symbol_mapping place = { .pid = process->pid, .start = mapping->start,
					.end = mapping->end, .device = mapping->device,
					.inode = mapping->inode, .path = path };
	bool is_vdso = mapping->kind == MAPPING_SPECIAL;
	struct stat state = { .st_size = 0 };
	int fd = is_vdso ? -1 : mapped_file__open(&place, &state);
	struct rules_file *file;

	if (fd < 0 && !is_vdso)
		return NULL;
	file = find(&recorder->rules, mapping, &state);
	if (!file)
		file = add(&recorder->rules, mapping, &state);
	/* Also where its table was taken out since. */
	if (file && !file->number && !file->unreadable &&
	    recorder->rules.bytes < BYTES_MAX)
		read_file(recorder, file, fd, path);
	if (fd >= 0)
		close(fd);
	return file;
}

bool rules__publish(struct recorder *recorder, const struct process *process,
		    struct mapping *mapping)
{
	const char *path = model__text(recorder->model, mapping->path);
	struct rules_file *file;
	uint64_t address;

	if (mapping->kind != MAPPING_FILE && strcmp(path, VDSO))
		return false;
	file = find_or_read(recorder, process, mapping, path);
	if (!file || !file->number ||
	    !elf_loads__address(&file->loads, mapping->file_offset, &address) ||
	    kernel__map_rules(recorder->kernel, process->space, file->number,
			      mapping->start - (address - file->base), mapping->start,
			      mapping->end))
		return false;
	file->users++;
	mapping->rules = (uint32_t)(file - recorder->rules.files) + 1;
	return true;
}

void rules__unpublish(struct recorder *recorder, struct mapping *mapping)
{
	if (mapping->rules)
		recorder->rules.files[mapping->rules - 1].users--;
	mapping->rules = 0;
}

void rules__init(struct rules *rules)
{
	rules->cache = unwind_cache__open();
}

void rules__free(struct rules *rules)
{
	unwind_cache__free(rules->cache);	/* writes tables */
	free(rules->files);
	*rules = (struct rules){ .files = NULL };
}
