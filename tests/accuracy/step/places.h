/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The stepped program: its memory, its ranges of code from /proc/PID/maps, and what lies
 * there: bodies from the hook's journal, functions of precompiled images.
 */
#ifndef TIERSCOPE_TESTS_PLACES_H
#define TIERSCOPE_TESTS_PLACES_H

#include "../../../user/image/image.h"
#include "../../../user/target/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#define BODIES_MAX 65536
#define RANGES_MAX 2048

struct body {
	__u64 start;
	__u32 size, shape, tier;
	bool seen;
	char name[64];
};

enum range_kind { RANGE_JIT, RANGE_IMAGE, RANGE_NATIVE };

struct range {
	__u64 start, end;
	enum range_kind kind;
	struct image *image;
	__u64 base;
};

static pid_t pid;
static struct journal *journal;
static struct body known_bodies[BODIES_MAX];
static struct range ranges[RANGES_MAX];
static unsigned int bodies_count, ranges_count;
static struct {
	__u64 page;
	__u8 bytes[4096];
} cache[64];

static bool read_page(__u64 page, __u8 *to)
{
	struct iovec local = { to, 4096 }, remote = { (void *)page, 4096 };

	return process_vm_readv(pid, &local, 1, &remote, 1, 0) == 4096;
}

static void forget_memory(void)
{
	for (unsigned int i = 0; i < sizeof(cache) / sizeof(cache[0]); i++)
		cache[i].page = 0;
}

/* Memory as it is at this step: pages are kept until the next. */
static bool read_memory(__u64 address, void *to, __u32 size)
{
	while (size) {
		__u64 page = address & ~4095ull;
		__u32 part = 4096 - (address & 4095), slot = (page >> 12) % 64;

		if (part > size)
			part = size;
		if (cache[slot].page != page) {
			cache[slot].page = 0;
			if (!read_page(page, cache[slot].bytes))
				return false;
			cache[slot].page = page;
		}
		memcpy(to, cache[slot].bytes + (address & 4095), part);
		to = (char *)to + part;
		address += part;
		size -= part;
	}
	return true;
}

static const struct range *range_at(__u64 address)
{
	for (unsigned int i = 0; i < ranges_count; i++)
		if (address >= ranges[i].start && address < ranges[i].end)
			return &ranges[i];
	return NULL;
}

static struct body *body_at(__u64 address)
{
	unsigned int low = 0, high = bodies_count;

	while (low < high) {
		unsigned int middle = (low + high) / 2;

		if (known_bodies[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address - known_bodies[low - 1].start >= known_bodies[low - 1].size)
		return NULL;
	return &known_bodies[low - 1];
}

/* The row of an image, NULL if no function is there. */
static const struct image_row *row_at(__u64 address, const struct range *range)
{
	const struct image_row *rows;
	__u32 count = image__rows(range->image, &rows), low = 0, high = count;
	__u64 rva = address - range->base;

	while (low < high) {
		__u32 middle = (low + high) / 2;

		if (rows[middle].begin <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	return low && rva < rows[low - 1].end ? &rows[low - 1] : NULL;
}

/* Is this a call from within a body to another place of it than its start? */
static bool is_to_funclet(__u64 from, __u64 to)
{
	const struct body *body = body_at(to);
	const struct range *range = range_at(to);
	const struct image_row *row, *calling;
	const struct image_body *image_bodies;

	if (body)
		return body == body_at(from) && to != body->start;
	if (!range || range->kind != RANGE_IMAGE || range_at(from) != range)
		return false;
	row = row_at(to, range);
	calling = row_at(from, range);
	if (!row || !calling || row->body != calling->body ||
	    row->body >= image__bodies(range->image, &image_bodies))
		return false;
	return to - range->base != image_bodies[row->body].begin;
}

static int add_body(void *context, const struct ts_journal_record *record,
		    const char *text, uint32_t text_size)
{
	struct body *body = &known_bodies[bodies_count];
	const char *method = text + strlen(text) + 1;

	if (record->kind != TS_RECORD_CODE || record->death_sequence)
		return 0;
	if (bodies_count == BODIES_MAX)
		return -E2BIG;
	*body = (struct body){ .start = record->start, .size = record->size,
			       .shape = record->shape, .tier = record->tier };
	snprintf(body->name, sizeof(body->name), "%.30s.%.30s", text,
		 method < text + text_size ? method : "");
	bodies_count++;
	return 0;
}

static int by_start(const void *a, const void *b)
{
	__u64 x = ((const struct body *)a)->start, y = ((const struct body *)b)->start;

	return x < y ? -1 : x > y;
}

static void add_range(__u64 start, __u64 end, __u64 offset, const char *path)
{
	const char *dot = strrchr(path, '.');
	struct range *range = &ranges[ranges_count];
	int fd;

	if (ranges_count == RANGES_MAX)
		return;
	*range = (struct range){ .start = start, .end = end, .kind = RANGE_NATIVE };
	if (path[0] != '/' || strstr(path, "doublemapper")) {
		range->kind = path[0] == '[' ? RANGE_NATIVE : RANGE_JIT;
	} else if (dot && !strcmp(dot, ".dll")) {
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && !image__open(fd, 0, NULL, &range->image)) {
			range->kind = RANGE_IMAGE;
			range->base = image__base_of_mapping(range->image, start, offset);
		}
		if (fd >= 0)
			close(fd);
	}
	ranges_count++;
}

static void read_bodies(void)
{
	__u32 unreadable;

	bodies_count = 0;
	if (journal__each(journal, add_body, NULL, &unreadable))
		exit(2);
	qsort(known_bodies, bodies_count, sizeof(known_bodies[0]), by_start);
}

static void read_ranges(void)
{
	char path[64], line[1024];
	FILE *maps;

	snprintf(path, sizeof(path), "/proc/%d/maps", pid);
	maps = fopen(path, "r");
	if (!maps)
		exit(2);
	for (unsigned int i = 0; i < ranges_count; i++)
		image__free(ranges[i].image);
	ranges_count = 0;
	while (fgets(line, sizeof(line), maps)) {
		unsigned long long start, end, offset;
		char mode[8], file[900] = "";

		if (sscanf(line, "%llx-%llx %7s %llx %*s %*s %899[^\n]", &start, &end, mode,
			   &offset, file) >= 4 && mode[2] == 'x')
			add_range(start, end, offset, file);
	}
	fclose(maps);
}

#endif
