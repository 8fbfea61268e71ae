/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Events into the hook, and the journal that comes out of it.
 */
#include "mock_runtime.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/futex.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static size_t put(uint8_t *bytes, size_t at, const void *value, size_t size)
{
	memcpy(bytes + at, value, size);
	return at + size;
}

static size_t put_string(uint8_t *bytes, size_t at, const uint16_t *string)
{
	size_t units = 0;

	while (string && string[units])
		units++;
	at = string ? put(bytes, at, string, units * 2) : at;
	return put(bytes, at, u"", 2);
}

size_t mock__payload(const struct mock_event *event, uint8_t *ret_bytes)
{
	uint16_t instance = 9;
	size_t at = 0;

	at = put(ret_bytes, at, &event->function, 8);
	at = put(ret_bytes, at, &event->module, 8);
	at = put(ret_bytes, at, &event->start, 8);
	at = put(ret_bytes, at, &event->size, 4);
	at = put(ret_bytes, at, &event->token, 4);
	at = put(ret_bytes, at, &event->flags, 4);
	at = put_string(ret_bytes, at, event->type);
	at = put_string(ret_bytes, at, event->method);
	at = put_string(ret_bytes, at, event->signature);
	at = put(ret_bytes, at, &instance, 2);
	if (event->native_version)
		at = put(ret_bytes, at, &event->native_version, 8);
	return at;
}

void mock__deliver(struct mock *mock, uint32_t event, uint32_t version,
		   const uint8_t *payload, size_t size)
{
	mock->callback->table->event_pipe_event_delivered(mock->callback, 1, event,
							  version, 0, NULL,
							  (uint32_t)size, payload, NULL,
							  NULL, 0, 0, NULL);
}

static void deliver(struct mock *mock, uint32_t number, const struct mock_event *event)
{
	static __thread uint8_t payload[512 << 10];
	size_t size = mock__payload(event, payload);

	mock__deliver(mock, number, event->native_version ? 2 : 1, payload, size);
}

void mock__load(struct mock *mock, const struct mock_event *event)
{
	deliver(mock, 143, event);
}

void mock__unload(struct mock *mock, const struct mock_event *event)
{
	deliver(mock, 144, event);
}

void mock__module_event(struct mock *mock, uint32_t event,
			const struct mock_module *module)
{
	uint64_t id = (uint64_t)(uintptr_t)module->bytes;
	uint8_t payload[4096];
	size_t at = 0;

	at = put(payload, at, &id, 8);
	at = put(payload, at, &id, 8);
	at = put(payload, at, "\0\0\0\0\0\0\0", 8);
	at = put_string(payload, at, module->path);
	at = put_string(payload, at, NULL);
	at = put(payload, at, u"", 2);
	mock__deliver(mock, event, 2, payload, at);
}

/* --- journal --------------------------------------------------------------------- */

/* The journal's first `bytes`, or all of it with 0. */
static void *map_journal(size_t bytes, int protection)
{
	DIR *folder = opendir("/proc/self/fd");
	struct dirent *entry;
	void *memory = NULL;
	char target[64];
	struct stat status;

	while (folder && !memory && (entry = readdir(folder)) != NULL) {
		ssize_t size = readlinkat(dirfd(folder), entry->d_name, target,
					  sizeof(target) - 1);
		int fd;

		if (size < 0)
			continue;
		target[size] = '\0';
		if (strncmp(target, "/memfd:" TS_JOURNAL_NAME, 24))
			continue;
		fd = openat(dirfd(folder), entry->d_name, O_RDWR | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &status))
			break;
		memory = mmap(NULL, bytes ? bytes : (size_t)status.st_size, protection,
			      MAP_SHARED, fd, 0);
		close(fd);
	}
	if (folder)
		closedir(folder);
	return memory == MAP_FAILED ? NULL : memory;
}

const struct ts_journal_header *mock__journal(void)
{
	return map_journal(0, PROT_READ);
}

void mock__unmap_journal(const struct ts_journal_header *header)
{
	munmap((void *)(uintptr_t)header, header->total_bytes);
}

const struct ts_journal_record *mock__record(const struct ts_journal_header *header,
					     uint32_t index)
{
	const char *base = (const char *)header + header->records_offset;

	if (index >= header->records_used)
		return NULL;
	return (const struct ts_journal_record *)(const void *)base + index;
}

const struct ts_journal_record *mock__record_of(const struct ts_journal_header *header,
						uint64_t start)
{
	const struct ts_journal_record *found = NULL, *record;

	for (uint32_t i = 0; (record = mock__record(header, i)) != NULL; i++) {
		if (record->kind != TS_RECORD_CODE || record->start != start ||
		    !record->state || record->state % 2)
			continue;
		if (!found || record->sequence > found->sequence)
			found = record;
	}
	return found;
}

const char *mock__text(const struct ts_journal_header *header,
		       const struct ts_journal_record *record, unsigned int part)
{
	const char *text =
		(const char *)header + header->text_offset + record->text_offset;

	if (!record->text_size)
		return NULL;
	while (part--)
		text += strlen(text) + 1;
	return text;
}

/* --- the mailbox ------------------------------------------------------------------- */

struct ts_mailbox *mock__mailbox(void)
{
	char *memory = map_journal(TS_JOURNAL_RECORDS_OFFSET, PROT_READ | PROT_WRITE);

	return memory ? (void *)(memory + TS_MAILBOX_OFFSET) : NULL;
}

void mock__unmap_mailbox(struct ts_mailbox *mailbox)
{
	munmap((char *)mailbox - TS_MAILBOX_OFFSET, TS_JOURNAL_RECORDS_OFFSET);
}

void mock__ring(struct ts_mailbox *mailbox)
{
	__atomic_fetch_add(&mailbox->bell, 1, __ATOMIC_RELEASE);
	(void)syscall(SYS_futex, &mailbox->bell, FUTEX_WAKE, INT_MAX, NULL, NULL, 0);
}

hresult mock__command(struct ts_mailbox *mailbox, uint32_t command)
{
	__atomic_store_n(&mailbox->command, command, __ATOMIC_RELEASE);
	mock__ring(mailbox);
	while (__atomic_load_n(&mailbox->command, __ATOMIC_ACQUIRE))
		usleep(100);
	return (hresult)mailbox->result;
}

/* Opens `file` of the index-th thread of that name; NULL beyond the last one. */
static FILE *helper_file(const char *file, unsigned int index)
{
	DIR *folder = opendir("/proc/self/task");
	struct dirent *entry;
	FILE *found = NULL;

	while (folder && !found && (entry = readdir(folder)) != NULL) {
		char path[320], text[16] = "";
		FILE *name;

		snprintf(path, sizeof(path), "/proc/self/task/%s/comm", entry->d_name);
		name = fopen(path, "re");
		if (name && fgets(text, sizeof(text), name) &&
		    !strcmp(text, "tierscope\n") && !index--) {
			snprintf(path, sizeof(path), "/proc/self/task/%s/%s",
				 entry->d_name, file);
			found = fopen(path, "re");
		}
		if (name)
			fclose(name);
	}
	if (folder)
		closedir(folder);
	return found;
}

unsigned int mock__helpers(void)
{
	unsigned int count = 0;
	FILE *file;

	while ((file = helper_file("comm", count)) != NULL) {
		fclose(file);
		count++;
	}
	return count;
}

FILE *mock__helper_status(void)
{
	return helper_file("status", 0);
}
