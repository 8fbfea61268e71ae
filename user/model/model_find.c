// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * From (process, address, time) to the JIT body that lay there then.
 *
 * Code addresses are used again, so a body is a rectangle in the plane of
 * addresses and times, [start, end) x [born, dead), and the question is in
 * which rectangle a point lies.  Two bodies can not share an address at one
 * time: a body is dead at the latest when another is born over it, whatever
 * is said (or not said) about its death.  That makes the rectangles disjoint.
 *
 * Each body stands in the one or two pages that it touches, where the page
 * size is the power of two that just holds it:
 *
 *   size 700, page size 1024           A page is a history, oldest first, and
 *   ...|----------|----------|...      at no time can more than three bodies
 *            [ body ]                  of its size class be alive in it.
 *
 * A look-up tries the page of each size class in use.  In it, it starts at the
 * youngest body born by then and goes back.  From a body that was dead by then
 * a link leads to the next older one that lived longer, so the dead in between
 * are never visited: a page that was used again 100,000 times costs a handful
 * of steps.
 *
 * Bodies wait in a list until somebody asks, are then sorted by birth and
 * indexed.  The one that is told of too late, after younger ones were indexed,
 * makes its process be indexed anew.
 */
#include "model_internal.h"

#include "../base/alloc.h"

#include <search.h>
#include <stdlib.h>

#define LEVEL_MIN 5  /* smaller bodies share pages of 32 bytes */
#define LEVEL_MAX 32 /* sizes have 32 bits */
#define FOREVER	  UINT64_MAX

struct page_entry {
	uint32_t body;
	uint32_t link; /* 1 + position of the next that lived longer */
};

struct page {
	struct page_entry *entries; /* by birth */
	uint32_t count, capacity;
};

/* What lies at a range of addresses at the moment that was indexed last. */
struct range {
	uint64_t start, end;
	uint32_t body;
};

struct find_process {
	uint32_t *waiting; /* bodies that are not indexed yet */
	uint32_t waiting_count, waiting_capacity;
	uint32_t *indexed; /* in the order of birth */
	uint32_t indexed_count, indexed_capacity;
	uint64_t levels; /* bit per page size in use */
	void *living;	 /* tree of ranges, none overlaps another */
};

struct lifetime {
	uint64_t dead_ns; /* FOREVER while alive */
	bool indexed;
};

struct model_find {
	struct find_process *processes;
	uint32_t processes_count, processes_capacity;
	struct lifetime *lifetimes; /* [body] */
	uint32_t lifetimes_room;
	struct page *pages;
	uint32_t pages_count, pages_capacity;
	struct map *page_numbers; /* (process, level), page */
};

/* Ranges that overlap are equal: all others have an order. */
static int compare_ranges(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	if (left->end <= right->start)
		return -1;
	return left->start >= right->end;
}

struct model_find *model_find__new(void)
{
	struct model_find *find = alloc__zeroed(1, sizeof(*find));

	find->page_numbers = map__new();
	return find;
}

void model_find__free(struct model_find *find)
{
	if (!find)
		return;
	for (uint32_t i = 0; i < find->processes_count; i++) {
		free(find->processes[i].waiting);
		free(find->processes[i].indexed);
		tdestroy(find->processes[i].living, free);
	}
	for (uint32_t i = 0; i < find->pages_count; i++)
		free(find->pages[i].entries);
	map__free(find->page_numbers);
	free(find->pages);
	free(find->lifetimes);
	free(find->processes);
	free(find);
}

static uint64_t end_of(const struct model_body *body)
{
	uint64_t end;

	return __builtin_add_overflow(body->start, body->size, &end) ? UINT64_MAX : end;
}

static uint64_t death_of(const struct model_body *body)
{
	return body->died_ns ? body->died_ns : FOREVER;
}

static bool is_jit(const struct model_body *body)
{
	return body->source != MODEL_SOURCE_IMAGE && body->start < end_of(body);
}

static unsigned int level_of(uint64_t size)
{
	unsigned int level = LEVEL_MIN;

	while (level < LEVEL_MAX && (1ULL << level) < size)
		level++;
	return level;
}

/* Older first; of two that were born at once the one that was told first. */
static bool is_older(const struct model *model, uint32_t left, uint32_t right)
{
	uint64_t left_ns = model->bodies[left].born_ns;
	uint64_t right_ns = model->bodies[right].born_ns;

	return left_ns != right_ns ? left_ns < right_ns : left < right;
}

static int compare_births(const void *a, const void *b, void *model)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	if (left == right)
		return 0;
	return is_older(model, left, right) ? -1 : 1;
}

static struct page *find_page(const struct model_find *find, uint32_t process,
			      unsigned int level, uint64_t number)
{
	uint64_t page;

	if (!map__get(find->page_numbers, (uint64_t)process << 32 | level, number,
		      &page))
		return NULL;
	return &find->pages[page];
}

static void add_to_page(struct model_find *find, uint32_t process, unsigned int level,
			uint64_t number, uint32_t body)
{
	struct page *page = find_page(find, process, level, number);

	if (!page) {
		alloc__grow(find->pages, find->pages_count, find->pages_capacity);
		page = &find->pages[find->pages_count];
		*page = (struct page){0};
		map__set(find->page_numbers, (uint64_t)process << 32 | level, number,
			 find->pages_count++);
	}
	alloc__grow(page->entries, page->count, page->capacity);
	page->entries[page->count++] = (struct page_entry){.body = body};
}

/*
 * Links a body that is dead now to the next older one that lived longer.  When
 * that one's death becomes known later the link stays right, only longer.
 */
static void link_in_page(struct model_find *find, const struct model *model,
			 struct page *page, uint32_t body)
{
	uint32_t low = 0, high = page->count;
	uint32_t link;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (is_older(model, page->entries[middle].body, body))
			low = middle + 1;
		else
			high = middle;
	}
	if (low == page->count || page->entries[low].body != body)
		return;
	link = low;
	while (link) {
		const struct page_entry *entry = &page->entries[link - 1];

		if (find->lifetimes[entry->body].dead_ns >
		    find->lifetimes[body].dead_ns)
			break;
		link = entry->link;
	}
	page->entries[low].link = link;
}

/* The body was dead at that time, if not before. */
static void end_life(struct model_find *find, const struct model *model, uint32_t index,
		     uint64_t dead_ns)
{
	const struct model_body *body = &model->bodies[index];
	unsigned int level = level_of(body->size);
	uint64_t number = body->start >> level;
	uint64_t last = (end_of(body) - 1) >> level;

	if (dead_ns >= find->lifetimes[index].dead_ns)
		return;
	find->lifetimes[index].dead_ns = dead_ns;
	for (; number <= last; number++) {
		struct page *page = find_page(find, body->process, level, number);

		if (page)
			link_in_page(find, model, page, index);
	}
}

/* Whatever lies where the body was born is dead from then on. */
static void take_place(struct model_find *find, const struct model *model,
		       uint32_t index)
{
	const struct model_body *body = &model->bodies[index];
	struct find_process *process = &find->processes[body->process];
	struct range *range = alloc__zeroed(1, sizeof(*range));
	struct range **found;

	*range = (struct range){body->start, end_of(body), index};
	while ((found = tfind(range, &process->living, compare_ranges))) {
		struct range *covered = *found;

		tdelete(covered, &process->living, compare_ranges);
		end_life(find, model, covered->body, body->born_ns);
		free(covered);
	}
	/* Out of memory: nothing will end this body's life but its own death. */
	if (!tsearch(range, &process->living, compare_ranges))
		free(range);
}

static void index_body(struct model_find *find, const struct model *model,
		       uint32_t index)
{
	const struct model_body *body = &model->bodies[index];
	struct find_process *process = &find->processes[body->process];
	unsigned int level = level_of(body->size);

	alloc__grow(process->indexed, process->indexed_count,
		    process->indexed_capacity);
	process->indexed[process->indexed_count++] = index;
	find->lifetimes[index] = (struct lifetime){FOREVER, true};
	take_place(find, model, index);
	process->levels |= 1ULL << level;
	for (uint64_t number = body->start >> level;
	     number <= (end_of(body) - 1) >> level; number++)
		add_to_page(find, body->process, level, number, index);
	end_life(find, model, index, death_of(body));
}

static void wait_for_index(struct find_process *process, uint32_t index)
{
	alloc__grow(process->waiting, process->waiting_count,
		    process->waiting_capacity);
	process->waiting[process->waiting_count++] = index;
}

/* Takes all bodies of a process out of the index; they wait again. */
static void forget(struct model_find *find, const struct model *model,
		   struct find_process *process)
{
	for (uint32_t i = 0; i < process->indexed_count; i++) {
		uint32_t index = process->indexed[i];
		const struct model_body *body = &model->bodies[index];
		unsigned int level = level_of(body->size);

		find->lifetimes[index].indexed = false;
		wait_for_index(process, index);
		for (uint64_t number = body->start >> level;
		     number <= (end_of(body) - 1) >> level; number++)
			find_page(find, body->process, level, number)->count = 0;
	}
	process->indexed_count = 0;
	tdestroy(process->living, free);
	process->living = NULL;
}

static void index_waiting(struct model_find *find, const struct model *model,
			  struct find_process *process)
{
	uint32_t last;

	if (!process->waiting_count)
		return;
	qsort_r(process->waiting, process->waiting_count, sizeof(*process->waiting),
		compare_births, (void *)model);
	last = process->indexed_count ? process->indexed[process->indexed_count - 1]
				      : 0;
	if (process->indexed_count && is_older(model, process->waiting[0], last)) {
		forget(find, model, process);
		qsort_r(process->waiting, process->waiting_count,
			sizeof(*process->waiting), compare_births, (void *)model);
	}
	for (uint32_t i = 0; i < process->waiting_count; i++) {
		uint32_t index = process->waiting[i];

		/* It may have changed, and wait twice. */
		if (is_jit(&model->bodies[index]) && !find->lifetimes[index].indexed)
			index_body(find, model, index);
	}
	process->waiting_count = 0;
}

void model_find__added(struct model_find *find, const struct model *model,
		       uint32_t index)
{
	uint32_t process = model->bodies[index].process;

	while (find->processes_count <= process) {
		alloc__grow(find->processes, find->processes_count,
			    find->processes_capacity);
		find->processes[find->processes_count++] = (struct find_process){0};
	}
	find->lifetimes = alloc__room(find->lifetimes, &find->lifetimes_room, index + 1,
				      sizeof(*find->lifetimes));
	find->lifetimes[index] = (struct lifetime){0};
	/* Precompiled bodies are never asked for here, and born before all others. */
	if (is_jit(&model->bodies[index]))
		wait_for_index(&find->processes[process], index);
}

void model_find__changing(struct model_find *find, const struct model *model,
			  uint32_t index, const struct model_body *body)
{
	const struct model_body *old = &model->bodies[index];
	const struct lifetime *lifetime = &find->lifetimes[index];

	if (!is_jit(old) && is_jit(body))
		wait_for_index(&find->processes[old->process], index);
	if (!lifetime->indexed)
		return;
	if (body->start != old->start || body->size != old->size ||
	    body->born_ns != old->born_ns || !is_jit(body) ||
	    (lifetime->dead_ns == death_of(old) && death_of(body) > death_of(old)))
		forget(find, model, &find->processes[old->process]);
	else
		end_life(find, model, index, death_of(body));
}

static uint32_t search_page(const struct model_find *find, const struct model *model,
			    const struct page *page, uint64_t address, uint64_t time_ns)
{
	uint32_t low = 0, high = page->count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (model->bodies[page->entries[middle].body].born_ns <= time_ns)
			low = middle + 1;
		else
			high = middle;
	}
	while (low) {
		const struct page_entry *entry = &page->entries[low - 1];
		const struct model_body *body = &model->bodies[entry->body];

		if (find->lifetimes[entry->body].dead_ns <= time_ns) {
			low = entry->link;
			continue;
		}
		if (address >= body->start && address < end_of(body))
			return entry->body;
		low--;
	}
	return MODEL_NONE;
}

uint32_t model__find_body(const struct model *model, uint32_t process, uint64_t address,
			  uint64_t time_ns)
{
	struct model_find *find = model->find;
	uint64_t levels;

	if (process >= find->processes_count)
		return MODEL_NONE;
	if (time_ns == FOREVER)
		time_ns--; /* the end of time is not later than every death */
	index_waiting(find, model, &find->processes[process]);
	levels = find->processes[process].levels;
	for (unsigned int level = LEVEL_MIN; level <= LEVEL_MAX; level++) {
		const struct page *page;
		uint32_t body;

		if (!(levels & 1ULL << level))
			continue;
		page = find_page(find, process, level, address >> level);
		if (!page)
			continue;
		body = search_page(find, model, page, address, time_ns);
		if (body != MODEL_NONE)
			return body;
	}
	return MODEL_NONE;
}
