// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Reading SystemTap's notes (<sys/sdt.h>, version 3).  Section .note.stapsdt has one a site:
//
//   u32 size of the owner's name, u32 size of what follows it, u32 3, "stapsdt\0"
//   u64 address of the site, u64 of .stapsdt.base when it was linked, u64 of the semaphore
//   provider, name and arguments, each up to its 0; then up to a multiple of 4
//
// An argument is SIZE@%REGISTER, a signed one's size has a minus; a blank between two.
#include "probe_sites.h"

#include "../../abi/probe.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define NOTE_TYPE  3
#define NOTE_OWNER "stapsdt"

struct note_header {
	uint32_t owner_size, size, type;
	char owner[sizeof(NOTE_OWNER)];
	uint64_t site, base, semaphore;
} __attribute__((packed));
_Static_assert(sizeof(struct note_header) == 44, "layout of a note");

/* By their places in struct pt_regs; of 8, 4, 2 and 1 bytes. */
static const char *const register_names[TS_PROBE_REGISTERS][4] = {
	{ "r15b", "r15w", "r15d", "r15" }, { "r14b", "r14w", "r14d", "r14" },
	{ "r13b", "r13w", "r13d", "r13" }, { "r12b", "r12w", "r12d", "r12" },
	{ "bpl", "bp", "ebp", "rbp" },	   { "bl", "bx", "ebx", "rbx" },
	{ "r11b", "r11w", "r11d", "r11" }, { "r10b", "r10w", "r10d", "r10" },
	{ "r9b", "r9w", "r9d", "r9" },	   { "r8b", "r8w", "r8d", "r8" },
	{ "al", "ax", "eax", "rax" },	   { "cl", "cx", "ecx", "rcx" },
	{ "dl", "dx", "edx", "rdx" },	   { "sil", "si", "esi", "rsi" },
	{ "dil", "di", "edi", "rdi" },
};

static int register_place(const char *name, size_t length)
{
	for (int place = 0; place < TS_PROBE_REGISTERS; place++)
		for (int width = 0; width < 4; width++)
			if (strlen(register_names[place][width]) == length &&
			    !memcmp(register_names[place][width], name, length))
				return place;
	return -EOPNOTSUPP;
}

/* The byte for one argument, which ends at a blank or a 0. */
static int argument_of(const char *text)
{
	bool is_signed = *text == '-';
	int place;

	text += is_signed;
	if (!*text || !strchr("1248", *text) || strncmp(text + 1, "@%", 2))
		return -EOPNOTSUPP;
	place = register_place(text + 3, strcspn(text + 3, " "));
	if (place < 0)
		return place;
	return TS_PROBE_ARGUMENT(place, __builtin_ctz(*text - '0')) |
	       (is_signed ? TS_PROBE_SIGNED : 0);
}

/* Those after the eighth are nobody's. */
static int arguments_of(const char *text, uint64_t *ret_arguments)
{
	*ret_arguments = 0;
	for (unsigned int i = 0; i < TS_PROBE_ARGUMENTS; i++) {
		int argument = TS_PROBE_NONE;

		text += strspn(text, " ");
		if (*text)
			argument = argument_of(text);
		if (argument < 0)
			return argument;
		*ret_arguments |= (uint64_t)argument << 8 * i;
		text += strcspn(text, " ");
	}
	return 0;
}

static int offset_of(const struct elf_loads *loads, uint64_t address, bool executable,
		     uint64_t *ret_offset)
{
	for (uint32_t i = 0; i < loads->count; i++) {
		const struct elf_load *load = &loads->items[i];

		if (address < load->address || address - load->address >= load->file_size ||
		    load->executable != executable)
			continue;
		*ret_offset = load->offset + (address - load->address);
		return 0;
	}
	return -ENOEXEC;
}

/* The three texts of a note; false: they do not end within it. */
static bool texts_of(const char *at, size_t size, const char *ret_texts[3])
{
	for (unsigned int i = 0; i < 3; i++) {
		const char *end = memchr(at, 0, size);

		if (!end)
			return false;
		ret_texts[i] = at;
		size -= (size_t)(end + 1 - at);
		at = end + 1;
	}
	return true;
}

/* 1: a site of the probe, 0: of another, or -Exxx. */
static int read_note(const struct elf_view *view, const struct note_header *note,
		     const char *rest, size_t size, const char *const wanted[2],
		     struct probe_site *ret_site)
{
	struct elf_bytes base = { .address = note->base };
	const char *texts[3];
	uint64_t moved;
	int err;

	if (!texts_of(rest, size, texts))
		return -ENOEXEC;
	if (strcmp(texts[0], wanted[0]) || strcmp(texts[1], wanted[1]))
		return 0;
	/* What has moved everything since it was linked (prelink) has moved this too. */
	(void)elf_view__section(view, ".stapsdt.base", &base);
	moved = base.address - note->base;
	ret_site->semaphore = 0;
	err = arguments_of(texts[2], &ret_site->arguments);
	if (!err)
		err = offset_of(&view->loads, note->site + moved, true, &ret_site->offset);
	if (!err && note->semaphore)
		err = offset_of(&view->loads, note->semaphore + moved, false,
				&ret_site->semaphore);
	return err ? err : 1;
}

static size_t aligned(size_t size)
{
	return (size + 3) & ~(size_t)3;
}

int probe_sites__read(const struct elf_view *view, const char *provider, const char *name,
		      struct probe_site ret_sites[PROBE_SITES_MAX])
{
	const char *const wanted[2] = { provider, name };
	const size_t named = offsetof(struct note_header, owner);
	struct elf_bytes notes;
	unsigned int count = 0;

	if (elf_view__section(view, ".note.stapsdt", &notes))
		return -ENOENT;
	for (size_t at = 0; notes.size - at >= sizeof(struct note_header);) {
		const char *bytes = (const char *)notes.data + at;
		struct probe_site site;
		struct note_header note;
		size_t size;
		int found = 0;

		memcpy(&note, bytes, sizeof(note));
		size = named + aligned(note.owner_size) + aligned(note.size);
		if (note.owner_size > notes.size || note.size > notes.size ||
		    size > notes.size - at)
			return -ENOEXEC;
		at += size;
		if (note.type == NOTE_TYPE && note.owner_size == sizeof(note.owner) &&
		    !memcmp(note.owner, NOTE_OWNER, sizeof(note.owner)) &&
		    size >= sizeof(note))
			found = read_note(view, &note, bytes + sizeof(note),
					  size - sizeof(note), wanted, &site);
		if (found < 0)
			return found;
		if (found && count == PROBE_SITES_MAX)
			return -E2BIG;
		if (found)
			ret_sites[count++] = site;
	}
	return count ? (int)count : -ENOENT;
}
