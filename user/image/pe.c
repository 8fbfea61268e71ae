// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Layout: Microsoft's PE/COFF specification and ECMA-335 II.25.  The runtime
 * stores Machine xor-ed with a number of the operating system, so that no
 * other loader takes the file for its own (dotnet/runtime
 * src/coreclr/inc/pedecoder.h, IMAGE_FILE_MACHINE_OS_OVERRIDE, v8 to v10).
 */
#include "pe.h"

#include <errno.h>

#define MACHINE_AMD64		0x8664
#define MACHINE_OS_LINUX	0x7b79 /* 0x8664 ^ 0x7b79 = 0xfd1d on disk */
#define OPTIONAL_MAGIC_PE32	0x10b
#define OPTIONAL_MAGIC_PE32PLUS 0x20b
#define SECTION_EXECUTABLE	0x20000000u
#define DIRECTORY_CLI		14
#define SIZE_SLACK		(16u << 20)

struct headers {
	uint16_t machine, sections, optional_size;
	struct pe_range cli;
};

static int parse_sections(struct pe *pe, struct cursor *cursor, uint16_t count,
			  uint32_t file_size)
{
	if (count > PE_SECTIONS_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < count; i++) {
		struct image_section *section = &pe->sections[i];
		const uint8_t *name = cursor__take(cursor, 8);

		if (name)
			memcpy(section->name, name, 8);
		section->virtual_size = cursor__u32(cursor);
		section->rva = cursor__u32(cursor);
		section->file_size = cursor__u32(cursor);
		section->file_offset = cursor__u32(cursor);
		cursor__take(cursor, 12);
		section->executable = cursor__u32(cursor) & SECTION_EXECUTABLE;
		if (cursor->bad ||
		    (uint64_t)section->file_offset + section->file_size > file_size ||
		    (uint64_t)section->rva + section->virtual_size > UINT32_MAX)
			return -EBADMSG;
	}
	pe->sections_count = count;
	return 0;
}

static struct pe_range read_range(struct cursor *cursor)
{
	struct pe_range range;

	range.rva = cursor__u32(cursor);
	range.size = cursor__u32(cursor);
	return range;
}

/* The optional header, which on an image is not optional. */
static int parse_optional(struct pe *pe, struct cursor optional,
			  struct headers *headers)
{
	uint16_t magic = cursor__u16(&optional);
	uint32_t directories;

	if (magic != OPTIONAL_MAGIC_PE32 && magic != OPTIONAL_MAGIC_PE32PLUS)
		return -EBADMSG;
	cursor__seek(&optional, 56);
	pe->image_size = cursor__u32(&optional);
	cursor__seek(&optional, magic == OPTIONAL_MAGIC_PE32PLUS ? 108 : 92);
	directories = cursor__u32(&optional);
	if (optional.bad)
		return -EBADMSG;
	for (uint32_t i = 0; i < directories && i <= DIRECTORY_CLI; i++) {
		struct pe_range range = read_range(&optional);

		if (i == DIRECTORY_CLI)
			headers->cli = range;
	}
	return optional.bad ? -EBADMSG : 0;
}

static int parse_headers(struct pe *pe, uint32_t file_size, struct headers *headers)
{
	struct cursor cursor = cursor__of(pe->data, pe->size);
	struct cursor optional;
	int err;

	if (cursor__u16(&cursor) != 0x5a4d) /* "MZ" */
		return -ENOEXEC;
	cursor__seek(&cursor, 0x3c);
	cursor__seek(&cursor, cursor__u32(&cursor));
	if (cursor__u32(&cursor) != 0x4550 || cursor.bad) /* "PE\0\0" */
		return -ENOEXEC;
	headers->machine = cursor__u16(&cursor);
	headers->sections = cursor__u16(&cursor);
	cursor__take(&cursor, 12);
	headers->optional_size = cursor__u16(&cursor);
	cursor__take(&cursor, 2);
	optional = cursor__of(cursor__take(&cursor, headers->optional_size),
			      headers->optional_size);
	if (cursor.bad)
		return -EBADMSG;
	err = parse_optional(pe, optional, headers);
	if (err)
		return err;
	return parse_sections(pe, &cursor, headers->sections, file_size);
}

/* The headers of a file of `file_size` bytes, of which `size` are there. */
static int begin(const void *data, size_t size, uint32_t file_size, struct pe *ret_pe,
		 struct headers *ret_headers)
{
	memset(ret_pe, 0, sizeof(*ret_pe));
	memset(ret_headers, 0, sizeof(*ret_headers));
	if (size > INT32_MAX)
		return -EFBIG;
	ret_pe->data = data;
	ret_pe->size = (uint32_t)size;
	return parse_headers(ret_pe, file_size, ret_headers);
}

int pe__parse(const void *data, size_t size, struct pe *ret_pe)
{
	struct headers headers;
	struct cursor cli;
	int err = begin(data, size, (uint32_t)size, ret_pe, &headers);

	if (err)
		return err;
	if (!headers.cli.rva)
		return -ENODATA;
	cli = pe__cursor(ret_pe, headers.cli);
	cursor__seek(&cli, 8);
	ret_pe->metadata = read_range(&cli);
	cursor__seek(&cli, 64);
	ret_pe->native_header = read_range(&cli);
	if (cli.bad)
		return -EBADMSG;
	/* It is to be mapped, 64 KB by 64 KB: not more than the file can be meant for. */
	if (ret_pe->image_size > 4ull * ret_pe->size + SIZE_SLACK)
		return -EBADMSG;
	if (headers.machine != (MACHINE_AMD64 ^ MACHINE_OS_LINUX) &&
	    ret_pe->native_header.rva)
		return -ENOTSUP;
	return 0;
}

int pe__parse_layout(const void *data, size_t size, struct pe *ret_pe)
{
	struct headers headers;
	int err = begin(data, size, INT32_MAX, ret_pe, &headers);

	for (uint32_t i = 0; i < ret_pe->sections_count; i++) {
		const struct image_section *section = &ret_pe->sections[i];
		uint32_t end = section->file_offset + section->file_size;

		ret_pe->size = end > ret_pe->size ? end : ret_pe->size;
	}
	return err;
}

int64_t pe__offset(const struct pe *pe, uint32_t rva, uint32_t size)
{
	for (uint32_t i = 0; i < pe->sections_count; i++) {
		const struct image_section *section = &pe->sections[i];
		uint32_t inside = rva - section->rva;

		if (rva >= section->rva && inside < section->file_size &&
		    size <= section->file_size - inside)
			return (int64_t)section->file_offset + inside;
	}
	return -1;
}

struct cursor pe__cursor(const struct pe *pe, struct pe_range range)
{
	int64_t offset = pe__offset(pe, range.rva, range.size);
	struct cursor none = {.bad = true};

	return offset < 0 ? none : cursor__of(pe->data + offset, range.size);
}
