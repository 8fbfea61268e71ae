/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Finds bodies where they lie.  In front of each jitted body, in 8, 9 and 10,
 * stands the address of its header, which holds its method (dotnet/runtime
 * src/coreclr/vm/codeman.h, CodeHeader and RealCodeHeader):
 *
 *      start - 8             start
 *      ┌────────────────────┬──────────────────
 *      │ address of header ─┼→ +24 MethodDesc*      (values up to 15: stubs)
 *      └────────────────────┴──────────────────
 *
 * Every aligned word of the executable memory that belongs to no file is such a
 * candidate.  What makes it a body is that the runtime itself says that the next
 * address is code of that very method, and that the code starts there; nothing is
 * believed on the strength of the bytes alone.
 */
#include "found.h"

#include "asking.h"
#include "bodies.h"
#include "memory.h"

#include "../abi/body.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define HEADER_METHOD 24u
#define RANGES_MAX    8192u
#define CHUNK_BYTES   65536u
#define LINE_BYTES    4352u /* a path of 4096 and the rest */
#define ADDRESS_LIMIT (1ull << 47)

struct range {
	uint64_t start;
	uint64_t end;
};

/* Too large for a stack. */
struct heaps {
	struct range ranges[RANGES_MAX];
	uint32_t count;
	uint64_t words[CHUNK_BYTES / 8];
	char line[LINE_BYTES];
};

static uint64_t parse_hex(const char **text)
{
	uint64_t value = 0;

	for (;; (*text)++) {
		char c = **text;

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint64_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint64_t)(c - 'a' + 10);
		else
			return value;
	}
}

/* "7f1234560000-7f1234570000 r-xs 00000000 00:01 2 /memfd:doublemapper ..." */
static void take_line(struct heaps *heaps, const char *line)
{
	static const char mapper[] = "/" TS_CODE_MEMORY;
	struct range range;
	const char *path;

	range.start = parse_hex(&line);
	line += *line == '-';
	range.end = parse_hex(&line);
	if (strlen(line) < 5 || line[1] != 'r' || line[3] != 'x')
		return;
	path = strchr(line, '/');
	/* With W^X code lies in a memory file of that name, else in no file. */
	if ((path && strncmp(path, mapper, sizeof(mapper) - 1)) || strchr(line, '['))
		return;
	if (heaps->count < RANGES_MAX && range.start < range.end)
		heaps->ranges[heaps->count++] = range;
}

static int list_ranges(struct heaps *heaps)
{
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	char chunk[4096];
	size_t length = 0;
	ssize_t got;

	if (fd < 0)
		return -errno;
	while ((got = read(fd, chunk, sizeof(chunk))) > 0) {
		for (ssize_t i = 0; i < got; i++) {
			if (chunk[i] != '\n') {
				if (length < LINE_BYTES - 1)
					heaps->line[length++] = chunk[i];
				continue;
			}
			heaps->line[length] = '\0';
			take_line(heaps, heaps->line);
			length = 0;
		}
	}
	close(fd);
	return got < 0 ? -EIO : 0;
}

bool found__is_jitted(function_id function, uint64_t start)
{
	uint64_t header, method;

	return !memory__read(&header, start - 8, sizeof(header)) && header >= 65536 &&
	       !memory__read(&method, header + HEADER_METHOD, sizeof(method)) &&
	       method == function;
}

static void consider(struct found *found, uint64_t header, uint64_t start)
{
	struct profiler_info *info = found->hook->info;
	function_id function = 0;
	rejit_id rejit = 0;
	uint64_t method;

	if (header < 65536 || header >= ADDRESS_LIMIT || header % 8 ||
	    bodies__find(found->hook, start) ||
	    memory__read(&method, header + HEADER_METHOD, sizeof(method)) || !method ||
	    method % 8 || !found__may_ask(found, method))
		return;
	/* The word may be old: what lies there now is another method's, perhaps. */
	if (found__is_jitted(method, start) &&
	    !FAILED(info->table->get_function_from_ip3(info, start, &function, &rejit)) &&
	    function == method)
		found__body(found, function, start, (uint32_t)rejit);
	asking__end(found->hook);
}

static void scan_range(struct found *found, struct heaps *heaps,
		       const struct range *range)
{
	uint64_t step;

	for (uint64_t at = range->start; at < range->end; at += step) {
		size_t size =
			range->end - at < CHUNK_BYTES ? range->end - at : CHUNK_BYTES;

		step = size;
		/* Heaps come and go; what cannot be read is no code any more. */
		if (memory__read(heaps->words, at, size))
			continue;
		for (size_t i = 0; i < size / 8; i++)
			consider(found, heaps->words[i], at + 8 * i + 8);
	}
}

void found__code_heaps(struct found *found)
{
	struct heaps *heaps = memory__map(sizeof(*heaps));

	if (!heaps || list_ranges(heaps)) {
		hook__count(found->hook, TS_HOOK_API_FAILED);
		goto out;
	}
	for (uint32_t i = 0; i < heaps->count; i++)
		scan_range(found, heaps, &heaps->ranges[i]);
out:
	memory__unmap(heaps, sizeof(*heaps));
}
