/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * An ELF file while it is being read: segments, and sections by name.  It is
 * read, never mapped: its owner may cut it at any moment, and a mapping would
 * fault.
 */
#ifndef TIERSCOPE_SYMBOL_ELF_VIEW_H
#define TIERSCOPE_SYMBOL_ELF_VIEW_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ELF_LOADS_MAX	 32
#define ELF_BUILD_ID_MAX 64

/* A PT_LOAD segment: how a file offset becomes an address. */
struct elf_load {
	uint64_t offset, file_size, address, memory_size;
	bool executable;
};

struct elf_loads {
	struct elf_load items[ELF_LOADS_MAX];
	uint32_t count;
};

struct elf_view {
	Elf *elf;
	struct elf_loads loads;
};

/* Bytes of a section; they live as long as the view. */
struct elf_bytes {
	const uint8_t *data;
	size_t size;
	uint64_t address;    /* of data[0], 0 if it is not loaded */
	uint32_t type, link; /* sh_type, sh_link */
};

/* 0 or -ENOEXEC: not an ELF program or library for x86-64.  fd stays the
 * caller's, open as long as the view. */
int elf_view__open(struct elf_view *view, int fd);
/* The same of an image in memory, which stays the caller's and is not changed. */
int elf_view__open_memory(struct elf_view *view, void *image, size_t size);
void elf_view__close(struct elf_view *view);

/* 0; -ENOENT: no such section, or without bytes; -EFBIG: not a sane size. */
int elf_view__section(const struct elf_view *view, const char *name,
		      struct elf_bytes *ret_bytes);
int elf_view__section_at(const struct elf_view *view, uint32_t index,
			 struct elf_bytes *ret_bytes);

/* The unwind table, by section or, where sections are stripped, by segment. */
int elf_view__eh_frame(const struct elf_view *view, struct elf_bytes *ret_bytes);

/* The bytes in the build id; 0: it has none. */
size_t elf_view__build_id(const struct elf_view *view, uint8_t *ret_id);

/* Whether the whole range lies in one executable segment. */
bool elf_loads__is_code(const struct elf_loads *loads, uint64_t address, uint64_t size);

/* The address of a byte of the file that is mapped as code. */
bool elf_loads__address(const struct elf_loads *loads, uint64_t file_offset,
			uint64_t *ret_address);

#endif /* TIERSCOPE_SYMBOL_ELF_VIEW_H */
