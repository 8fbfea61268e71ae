/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* The hook's side of a journal, small, and a reader that looks at all of it. */
#ifndef TIERSCOPE_TESTS_JOURNAL_FIXTURE_H
#define TIERSCOPE_TESTS_JOURNAL_FIXTURE_H

#include "../../user/target/journal_map.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define BYTES	    262144u
#define CAPACITY    64u
#define TEXT_OFFSET (TS_JOURNAL_RECORDS_OFFSET + CAPACITY * 128u)
#define SEALS	    (F_SEAL_SHRINK | F_SEAL_GROW)
#define CODE_TEXT   "NS.T\0M\0void  ()\0\0"

struct writer {
	int fd;
	unsigned char *memory;
	struct ts_journal_header *header;
	struct ts_journal_record *records;
	char *text;
};

static inline void writer__fill(struct writer *writer)
{
	*writer->header = (struct ts_journal_header){
		.magic = TS_JOURNAL_MAGIC,
		.layout = TS_JOURNAL_LAYOUT,
		.header_bytes = sizeof(struct ts_journal_header),
		.total_bytes = BYTES,
		.record_bytes = sizeof(struct ts_journal_record),
		.records_capacity = CAPACITY,
		.records_offset = TS_JOURNAL_RECORDS_OFFSET,
		.text_offset = TEXT_OFFSET,
		.text_capacity = BYTES - TEXT_OFFSET,
		.precompiled_offset = BYTES,
		.records_used = 1,
		.pid = (uint32_t)getpid(),
		.state = TS_HOOK_LIVE,
		.live_ns = 42,
		.hook_version = "0.1.0",
	};
	memset(writer->records, 0, CAPACITY * sizeof(*writer->records));
	writer->records[0] = (struct ts_journal_record){
		.state = 2,
		.kind = TS_RECORD_CODE,
		.sequence = 1,
		.function_id = 0x1000,
		.start = 0x7f0000001000,
		.size = 64,
		.text_offset = 8,
		.text_size = sizeof(CODE_TEXT) - 1,
		.tier = TS_TIER_1,
		.shape = TS_SHAPE(TS_FRAME_FRAMED, 4, 0),
	};
	memcpy(writer->text + 8, CODE_TEXT, sizeof(CODE_TEXT) - 1);
}

static inline void writer__open(struct writer *writer, int seals)
{
	writer->fd = memfd_create(TS_JOURNAL_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	assert_return_code(writer->fd, errno);
	assert_return_code(ftruncate(writer->fd, BYTES), errno);
	writer->memory =
		mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, writer->fd, 0);
	assert_ptr_not_equal(writer->memory, MAP_FAILED);
	writer->header = (void *)writer->memory;
	writer->records = (void *)(writer->memory + TS_JOURNAL_RECORDS_OFFSET);
	writer->text = (char *)writer->memory + TEXT_OFFSET;
	writer__fill(writer);
	assert_return_code(fcntl(writer->fd, F_ADD_SEALS, seals), errno);
}

static inline void writer__close(struct writer *writer)
{
	munmap(writer->memory, BYTES);
	close(writer->fd);
}

static inline int writer__setup(void **state)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	writer__open(writer, SEALS);
	*state = writer;
	return 0;
}

static inline int writer__teardown(void **state)
{
	writer__close(*state);
	free(*state);
	return 0;
}

/* The last record seen, and how many. */
struct seen {
	unsigned int count;
	struct ts_journal_record record;
	char text[64];
	uint32_t text_size;
	uint32_t unreadable;
	int stop;
};

static inline int see(void *context, const struct ts_journal_record *record,
		      const char *text, uint32_t text_size)
{
	struct seen *seen = context;

	assert_true(text_size >= 1);
	assert_int_equal(text[text_size - 1], 0);
	seen->count++;
	seen->record = *record;
	seen->text_size = text_size;
	if (text_size <= sizeof(seen->text))
		memcpy(seen->text, text, text_size);
	return seen->stop;
}

static inline struct seen read_all(struct writer *writer)
{
	struct seen seen = {0};
	struct journal *journal;

	assert_int_equal(journal__map(writer->fd, &journal), 0);
	assert_int_equal(journal__each(journal, see, &seen, &seen.unreadable), 0);
	journal__free(journal);
	return seen;
}

#endif /* TIERSCOPE_TESTS_JOURNAL_FIXTURE_H */
