/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
// Perf events on the sites that the library's ELF notes name.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "mock_probes.h"

#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

int mock_probe__listen(const char *name, bool semaphore)
{
	const char *path = getenv("TIERSCOPE_TEST_HOOK");
	struct perf_event_attr attributes = {
		.type = (uint32_t)uprobe_type(),
		.size = sizeof(attributes),
		.config1 = (uint64_t)(uintptr_t)path,
	};
	struct site site = {0, 0};

	assert_true(find_site(path, name, &site));
	assert_true(site.offset && site.semaphore);
	attributes.config = semaphore ? site.semaphore << 32 : 0;
	attributes.config2 = site.offset;
	return (int)syscall(SYS_perf_event_open, &attributes, 0, -1, -1,
			    PERF_FLAG_FD_CLOEXEC);
}

uint64_t mock_probe__hits(int fd)
{
	uint64_t count = 0;

	assert_int_equal(read(fd, &count, sizeof(count)), sizeof(count));
	return count;
}
