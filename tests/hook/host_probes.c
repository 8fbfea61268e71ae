/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The probes of the real hook, listened to through perf events on the sites that
 * its ELF notes name: with the semaphore raised each load fires once, without it
 * none does, and the record is committed when it fires.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_runtime.h"

#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* File offsets of a probe's nop and of its semaphore. */
struct site {
	uint64_t offset;
	uint64_t semaphore;
};

static uint64_t file_offset(Elf *elf, uint64_t address)
{
	size_t count = 0;
	GElf_Phdr header;

	elf_getphdrnum(elf, &count);
	for (size_t i = 0; i < count; i++) {
		if (gelf_getphdr(elf, (int)i, &header) && header.p_type == PT_LOAD &&
		    address >= header.p_vaddr &&
		    address < header.p_vaddr + header.p_filesz)
			return address - header.p_vaddr + header.p_offset;
	}
	return 0;
}

static bool find_in_notes(Elf *elf, Elf_Data *data, const char *name,
			  struct site *ret_site)
{
	size_t at = 0, name_at, description_at;
	GElf_Nhdr note;

	while ((at = gelf_getnote(data, at, &note, &name_at, &description_at)) > 0) {
		const char *description = (const char *)data->d_buf + description_at;
		const char *provider = description + 24;
		const char *probe = provider + strlen(provider) + 1;
		uint64_t addresses[3];

		if (note.n_type != 3 || strcmp(provider, "tierscope") ||
		    strcmp(probe, name))
			continue;
		memcpy(addresses, description, sizeof(addresses));
		ret_site->offset = file_offset(elf, addresses[0]);
		ret_site->semaphore = file_offset(elf, addresses[2]);
		return true;
	}
	return false;
}

static bool find_site(const char *path, const char *name, struct site *ret_site)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	Elf_Scn *section = NULL;
	bool found = false;
	GElf_Shdr header;
	Elf *elf;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ, NULL);
	while (elf && !found && (section = elf_nextscn(elf, section)) != NULL) {
		if (gelf_getshdr(section, &header) && header.sh_type == SHT_NOTE)
			found = find_in_notes(elf, elf_getdata(section, NULL), name,
					      ret_site);
	}
	elf_end(elf);
	close(fd);
	return found;
}

/* The type of uprobe events, -1 when this kernel has none. */
static int uprobe_type(void)
{
	FILE *file = fopen("/sys/bus/event_source/devices/uprobe/type", "r");
	int type = -1;

	if (!file || fscanf(file, "%d", &type) != 1)
		type = -1;
	if (file)
		fclose(file);
	return type;
}

/* Counts hits of a site in this process; with `semaphore` it raises that too. */
static int listen_to(const char *path, const struct site *site, bool semaphore)
{
	struct perf_event_attr attributes = {
		.type = (uint32_t)uprobe_type(),
		.size = sizeof(attributes),
		.config = semaphore ? site->semaphore << 32 : 0,
		.config1 = (uint64_t)(uintptr_t)path,
		.config2 = site->offset,
	};

	return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

static uint64_t hits(int fd)
{
	uint64_t count = 0;

	assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
	return count;
}

static void load_some(struct mock *mock, uint64_t from, uint64_t count)
{
	for (uint64_t i = from; i < from + count; i++) {
		struct mock_event event = {
			.function = 0x10000 + 32 * i,
			.module = 0x5000,
			.start = MOCK_AREA + 64 * i,
			.size = 32,
			.type = u"T",
			.method = u"M",
			.signature = u"S",
		};

		mock__load(mock, &event);
		mock__unload(mock, &event);
	}
}

/* Hits of a site while `count` bodies come and go; false when it cannot be had. */
static bool hits_of(struct mock *mock, const struct site *site, bool semaphore,
		    uint64_t from, uint64_t count, uint64_t *ret_hits)
{
	int fd = listen_to(getenv("TIERSCOPE_TEST_HOOK"), site, semaphore);

	if (fd < 0) {
		print_message("SKIP no uprobe events here: %s\n", strerror(errno));
		return false;
	}
	load_some(mock, from, count);
	*ret_hits = hits(fd);
	close(fd);
	return true;
}

static void probes_fire_only_when_listened_to(void **state)
{
	static const char *const names[] = {"code_load", "code_unload"};
	struct mock *mock = mock__new();
	const struct ts_journal_header *journal;

	(void)state;
	assert_non_null(mock);
	assert_int_equal(mock__launch(mock), S_OK);
	journal = mock__journal();
	for (uint64_t i = 0; i < 2; i++) {
		struct site site = {0, 0};
		uint64_t count;

		assert_true(find_site(getenv("TIERSCOPE_TEST_HOOK"), names[i], &site));
		assert_true(site.offset && site.semaphore);
		/* At the site, but the semaphore is down. */
		if (!hits_of(mock, &site, false, 1000 * i, 10, &count))
			goto skipped;
		assert_int_equal(count, 0);
		assert_true(hits_of(mock, &site, true, 1000 * i + 10, 7, &count));
		assert_int_equal(count, 7);
		/* The listener has gone: down again. */
		assert_true(hits_of(mock, &site, false, 1000 * i + 20, 5, &count));
		assert_int_equal(count, 0);
	}
	assert_int_equal(journal->counters[TS_HOOK_CODE_LOADS], 44);
	mock__unmap_journal(journal);
	mock__free(mock);
	return;
skipped:
	mock__unmap_journal(journal);
	mock__free(mock);
	skip();
}

static void modules_fire_too(void **state)
{
	const char *path = getenv("TIERSCOPE_TEST_HOOK");
	struct mock *mock = mock__new();
	struct mock_module *module = mock__module(mock, u"/lib/Core.dll", 0);
	struct site load, unload;
	int loads, unloads;

	(void)state;
	assert_int_equal(mock__launch(mock), S_OK);
	assert_true(find_site(path, "module_load", &load));
	assert_true(find_site(path, "module_unload", &unload));
	loads = listen_to(path, &load, true);
	if (loads < 0) {
		print_message("SKIP no uprobe events here: %s\n", strerror(errno));
		skip();
	}
	unloads = listen_to(path, &unload, true);
	assert_return_code(unloads, errno);
	mock__module_event(mock, 152, module);
	mock__module_event(mock, 152, module); /* known already */
	assert_int_equal(hits(loads), 1);
	assert_int_equal(hits(unloads), 0);
	mock__module_event(mock, 153, module);
	assert_int_equal(hits(unloads), 1);
	close(loads);
	close(unloads);
	mock__unmap_journal(mock__journal());
	mock__free(mock);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(probes_fire_only_when_listened_to),
		cmocka_unit_test(modules_fire_too),
	};

	return cmocka_run_group_tests_name("hook probes", tests, NULL, NULL);
}
