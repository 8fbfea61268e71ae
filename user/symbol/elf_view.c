// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Reading an ELF file through libelf: see elf_view.h.
#include "elf_view.h"

#include <errno.h>
#include <gelf.h>
#include <string.h>

#define SECTION_MAX	(128u << 20) /* a symbol table of 5 million */
#define PAGE		4096u
#define HDR_RELATIVE_S4 0x1b /* how every linker spells eh_frame_ptr */

static void read_loads(struct elf_view *view)
{
	size_t count;

	if (elf_getphdrnum(view->elf, &count))
		return;
	for (size_t i = 0; i < count && view->loads.count < ELF_LOADS_MAX; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(view->elf, (int)i, &header) ||
		    header.p_type != PT_LOAD ||
		    header.p_offset + header.p_filesz < header.p_offset ||
		    header.p_vaddr + header.p_memsz < header.p_vaddr)
			continue;
		view->loads.items[view->loads.count++] = (struct elf_load){
			.offset = header.p_offset,
			.file_size = header.p_filesz,
			.address = header.p_vaddr,
			.memory_size = header.p_memsz,
			.executable = header.p_flags & PF_X,
		};
	}
}

static int check(struct elf_view *view)
{
	const Elf64_Ehdr *header;

	if (!view->elf || elf_kind(view->elf) != ELF_K_ELF)
		goto refused;
	header = elf64_getehdr(view->elf);
	if (!header || header->e_ident[EI_DATA] != ELFDATA2LSB ||
	    header->e_machine != EM_X86_64 ||
	    (header->e_type != ET_DYN && header->e_type != ET_EXEC))
		goto refused;
	read_loads(view);
	return 0;
refused:
	elf_view__close(view);
	return -ENOEXEC;
}

int elf_view__open(struct elf_view *view, int fd)
{
	*view = (struct elf_view){.elf = NULL};
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;
	view->elf = elf_begin(fd, ELF_C_READ, NULL);
	return check(view);
}

int elf_view__open_memory(struct elf_view *view, void *image, size_t size)
{
	*view = (struct elf_view){.elf = NULL};
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -ENOEXEC;
	view->elf = elf_memory(image, size);
	return check(view);
}

void elf_view__close(struct elf_view *view)
{
	elf_end(view->elf);
	view->elf = NULL;
}

static int read_section(Elf_Scn *section, struct elf_bytes *ret_bytes)
{
	const Elf_Data *data;
	GElf_Shdr header;

	if (!gelf_getshdr(section, &header) || header.sh_type == SHT_NOBITS ||
	    header.sh_flags & SHF_COMPRESSED)
		return -ENOENT;
	if (header.sh_size > SECTION_MAX)
		return -EFBIG;
	data = elf_rawdata(section, NULL);
	if (!data || !data->d_buf || !data->d_size)
		return -ENOENT;
	*ret_bytes = (struct elf_bytes){
		.data = data->d_buf,
		.size = data->d_size,
		.address = header.sh_flags & SHF_ALLOC ? header.sh_addr : 0,
		.type = header.sh_type,
		.link = header.sh_link,
	};
	return 0;
}

int elf_view__section(const struct elf_view *view, const char *name,
		      struct elf_bytes *ret_bytes)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(view->elf, &names))
		return -ENOENT;
	while ((section = elf_nextscn(view->elf, section))) {
		const char *own;
		GElf_Shdr header;

		if (!gelf_getshdr(section, &header))
			continue;
		own = elf_strptr(view->elf, names, header.sh_name);
		if (own && !strcmp(own, name))
			return read_section(section, ret_bytes);
	}
	return -ENOENT;
}

int elf_view__section_at(const struct elf_view *view, uint32_t index,
			 struct elf_bytes *ret_bytes)
{
	Elf_Scn *section = elf_getscn(view->elf, index);

	return section ? read_section(section, ret_bytes) : -ENOENT;
}

static int read_chunk(const struct elf_view *view, uint64_t address, uint64_t size,
		      struct elf_bytes *ret_bytes)
{
	for (uint32_t i = 0; i < view->loads.count; i++) {
		const struct elf_load *load = &view->loads.items[i];
		uint64_t at = address - load->address;
		const Elf_Data *data;

		if (address < load->address || at >= load->file_size)
			continue;
		if (size > load->file_size - at)
			size = load->file_size - at;
		if (size > SECTION_MAX)
			return -EFBIG;
		data = elf_getdata_rawchunk(view->elf, (int64_t)(load->offset + at),
					    size, ELF_T_BYTE);
		if (!data || !data->d_buf || !data->d_size)
			return -ENOENT;
		*ret_bytes = (struct elf_bytes){
			.data = data->d_buf,
			.size = data->d_size,
			.address = address,
		};
		return 0;
	}
	return -ENOENT;
}

/*
 * PT_GNU_EH_FRAME: version 1, three bytes of how things are spelled, where the
 * table is.  How long it is, is not said: to the end of its segment at most.
 */
static int eh_frame_of_segment(const struct elf_view *view, struct elf_bytes *ret_bytes)
{
	struct elf_bytes head;
	GElf_Phdr header;
	size_t count;
	int32_t distance;

	if (elf_getphdrnum(view->elf, &count))
		return -ENOENT;
	for (size_t i = 0; i < count; i++) {
		if (!gelf_getphdr(view->elf, (int)i, &header) ||
		    header.p_type != PT_GNU_EH_FRAME)
			continue;
		if (read_chunk(view, header.p_vaddr, 8, &head) || head.size < 8 ||
		    head.data[0] != 1 || head.data[1] != HDR_RELATIVE_S4)
			return -ENOENT;
		memcpy(&distance, head.data + 4, sizeof(distance));
		return read_chunk(view, head.address + 4 + (uint64_t)(int64_t)distance,
				  UINT64_MAX, ret_bytes);
	}
	return -ENOENT;
}

int elf_view__eh_frame(const struct elf_view *view, struct elf_bytes *ret_bytes)
{
	int err = elf_view__section(view, ".eh_frame", ret_bytes);

	return err == -ENOENT ? eh_frame_of_segment(view, ret_bytes) : err;
}

/* A note: sizes of name and content, type, name, content, each padded to 4. */
size_t elf_view__build_id(const struct elf_view *view, uint8_t *ret_id)
{
	struct elf_bytes bytes;
	Elf64_Nhdr note;

	if (elf_view__section(view, ".note.gnu.build-id", &bytes) ||
	    bytes.size < sizeof(note) + 4)
		return 0;
	memcpy(&note, bytes.data, sizeof(note));
	if (note.n_type != NT_GNU_BUILD_ID || note.n_namesz != 4 ||
	    memcmp(bytes.data + sizeof(note), "GNU", 4) ||
	    note.n_descsz > bytes.size - sizeof(note) - 4 ||
	    note.n_descsz > ELF_BUILD_ID_MAX)
		return 0;
	memcpy(ret_id, bytes.data + sizeof(note) + 4, note.n_descsz);
	return note.n_descsz;
}

bool elf_loads__is_code(const struct elf_loads *loads, uint64_t address, uint64_t size)
{
	for (uint32_t i = 0; i < loads->count; i++) {
		const struct elf_load *load = &loads->items[i];

		if (load->executable && address >= load->address &&
		    address - load->address < load->memory_size &&
		    size <= load->memory_size - (address - load->address))
			return true;
	}
	return false;
}

/* Whole pages are mapped, so what lies around a segment is mapped with it. */
static bool holds(const struct elf_load *load, uint64_t file_offset, bool pages)
{
	uint64_t low = load->offset, high = load->offset + load->file_size;

	if (pages) {
		low &= ~(uint64_t)(PAGE - 1);
		high = high > UINT64_MAX - PAGE
			       ? high
			       : (high + PAGE - 1) & ~(uint64_t)(PAGE - 1);
	}
	return load->executable && file_offset >= low && file_offset < high;
}

bool elf_loads__address(const struct elf_loads *loads, uint64_t file_offset,
			uint64_t *ret_address)
{
	for (int pages = 0; pages < 2; pages++)
		for (uint32_t i = 0; i < loads->count; i++) {
			const struct elf_load *load = &loads->items[i];

			if (!holds(load, file_offset, pages))
				continue;
			*ret_address = load->address + (file_offset - load->offset);
			return true;
		}
	return false;
}
