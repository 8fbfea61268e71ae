// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Exported names of an executable: see exports.h.  The string table alone is
// read: the names looked for are so peculiar that the symbols add nothing.
#include "exports.h"

#include "../base/alloc.h"

#include <elf.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define HEADERS_MAX 512
#define DYNAMIC_MAX 4096
#define STRINGS_MAX (32u << 20)

static int read_exactly(int file, void *data, size_t size, uint64_t offset)
{
	if (offset > INT64_MAX - size)
		return -ENOEXEC;
	while (size > 0) {
		ssize_t got = pread(file, data, size, (off_t)offset);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return got ? -errno : -ENOEXEC;
		data = (char *)data + got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	return 0;
}

/* File offset of an address, and how many bytes the file has from there. */
static int locate(const Elf64_Phdr *headers, unsigned int count, uint64_t address,
		  uint64_t *ret_offset, uint64_t *ret_room)
{
	for (unsigned int i = 0; i < count; i++) {
		const Elf64_Phdr *header = &headers[i];

		if (header->p_type != PT_LOAD || address < header->p_vaddr ||
		    address - header->p_vaddr >= header->p_filesz)
			continue;
		if (header->p_offset > INT64_MAX - header->p_filesz)
			return -ENOEXEC;
		*ret_offset = header->p_offset + (address - header->p_vaddr);
		*ret_room = header->p_filesz - (address - header->p_vaddr);
		return 0;
	}
	return -ENOEXEC;
}

/* Address and size of the dynamic string table. */
static int find_strings(int file, const Elf64_Phdr *headers, unsigned int count,
			uint64_t *ret_address, uint64_t *ret_size)
{
	const Elf64_Phdr *dynamic = NULL;
	uint64_t address = 0, size = 0;

	for (unsigned int i = 0; i < count; i++)
		if (headers[i].p_type == PT_DYNAMIC)
			dynamic = &headers[i];
	if (!dynamic)
		return -ENOEXEC;
	for (unsigned int i = 0; i < DYNAMIC_MAX; i++) {
		Elf64_Dyn entry;
		uint64_t at = (uint64_t)i * sizeof(entry);
		int err;

		if (at + sizeof(entry) > dynamic->p_filesz)
			break;
		if (dynamic->p_offset > INT64_MAX - at)
			return -ENOEXEC;
		err = read_exactly(file, &entry, sizeof(entry), dynamic->p_offset + at);
		if (err)
			return err;
		if (entry.d_tag == DT_NULL)
			break;
		if (entry.d_tag == DT_STRTAB)
			address = entry.d_un.d_ptr;
		if (entry.d_tag == DT_STRSZ)
			size = entry.d_un.d_val;
	}
	if (!address || !size || size > STRINGS_MAX)
		return -ENOEXEC;
	*ret_address = address;
	*ret_size = size;
	return 0;
}

static int read_program_headers(int file, Elf64_Phdr **ret_headers,
				unsigned int *ret_count)
{
	Elf64_Ehdr elf;
	Elf64_Phdr *headers;
	int err = read_exactly(file, &elf, sizeof(elf), 0);

	if (err)
		return err;
	if (memcmp(elf.e_ident, ELFMAG, SELFMAG) ||
	    elf.e_ident[EI_CLASS] != ELFCLASS64 ||
	    elf.e_phentsize != sizeof(*headers) || !elf.e_phnum ||
	    elf.e_phnum > HEADERS_MAX)
		return -ENOEXEC;
	headers = alloc__zeroed(elf.e_phnum, sizeof(*headers));
	err = read_exactly(file, headers, elf.e_phnum * sizeof(*headers), elf.e_phoff);
	if (err) {
		free(headers);
		return err;
	}
	*ret_headers = headers;
	*ret_count = elf.e_phnum;
	return 0;
}

int exports__find(int file, const char *const *names, unsigned int count,
		  bool *ret_found)
{
	Elf64_Phdr *headers = NULL;
	char *strings = NULL;
	unsigned int headers_count;
	uint64_t address, size, offset, room;
	int err = read_program_headers(file, &headers, &headers_count);

	if (err)
		goto out;
	err = find_strings(file, headers, headers_count, &address, &size);
	if (err)
		goto out;
	err = locate(headers, headers_count, address, &offset, &room);
	if (!err && size > room)
		err = -ENOEXEC;
	if (err)
		goto out;
	strings = alloc__zeroed(size, 1);
	err = read_exactly(file, strings, size, offset);
	if (err)
		goto out;
	/* With its closing NUL; a name may be the tail of a longer one. */
	for (unsigned int i = 0; i < count; i++)
		ret_found[i] = memmem(strings, size, names[i], strlen(names[i]) + 1);
out:
	free(strings);
	free(headers);
	return err;
}
