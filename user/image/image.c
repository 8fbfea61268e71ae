// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The object.  A file is read, not mapped: whoever owns it may cut it while we
 * look, and then a mapping faults.  Once the tables are built, the pages of
 * the copy that hold neither metadata nor instances are given back: of
 * CoreLib's 15 MB, 4 stay.
 */
#include "image.h"

#include "image_object.h"
#include "instance.h"
#include "signature.h"
#include "type_name.h"

#include "../../abi/journal.h"
#include "../base/alloc.h"
#include "../base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE	  4096u
#define FILE_MAX  (256u << 20) /* a target may map anything */
#define TOKEN_ROW 0xffffffu

static int parse(struct image *image, const void *data, size_t size)
{
	struct cursor manifest;
	int err;

	err = pe__parse(data, size, &image->pe);
	if (err)
		return err;
	err = r2r__parse(&image->pe, &image->r2r);
	if (err)
		return err;
	err = metadata__parse(pe__cursor(&image->pe, image->pe.metadata),
			      &image->metadata);
	if (err)
		return err;
	manifest = pe__cursor(&image->pe, image->r2r.manifest);
	if (image->r2r.manifest.size) {
		err = metadata__parse(manifest, &image->manifest);
		if (err)
			return err;
	}
	return r2r__tables(&image->pe, &image->r2r,
			   image->metadata.tables[TABLE_METHOD_DEF].count,
			   &image->tables);
}

int image__open_memory(const void *data, size_t size, struct image **ret_image)
{
	struct image *image = alloc__zeroed(1, sizeof(*image));
	int err = parse(image, data, size);

	if (err) {
		image__free(image);
		return err;
	}
	*ret_image = image;
	return 0;
}

static int read_whole(int fd, uint8_t *memory, size_t size)
{
	size_t done = 0;

	while (done < size) {
		ssize_t count = pread(fd, memory + done, size - done, (off_t)done);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0)
			return -errno;
		if (!count)
			return -EBADMSG; /* cut while we read */
		done += (size_t)count;
	}
	return 0;
}

/* Gives back the whole pages of the copy in [from, to). */
static void drop(struct image *image, int64_t from, int64_t to)
{
	uint64_t first = ((uint64_t)from + PAGE - 1) / PAGE * PAGE;
	uint64_t end = (uint64_t)to / PAGE * PAGE;

	/* If it fails we only keep more memory. */
	if (first < end)
		(void)madvise((uint8_t *)image->memory + first, end - first,
			      MADV_DONTNEED);
}

static void keep_names_only(struct image *image)
{
	struct pe_range kept[3] = {image->pe.metadata, image->r2r.manifest,
				   image->r2r.instances};
	int64_t at = 0;

	for (;;) {
		int64_t next = (int64_t)image->memory_size, end = next;

		for (size_t i = 0; i < 3; i++) {
			int64_t offset =
				pe__offset(&image->pe, kept[i].rva, kept[i].size);

			if (offset >= 0 && kept[i].size && offset + kept[i].size > at &&
			    offset < next) {
				next = offset;
				end = offset + kept[i].size;
			}
		}
		drop(image, at, next);
		if (next == (int64_t)image->memory_size)
			break;
		at = end;
	}
}

/* Most executable mappings are ELF: those need not be read to be refused. */
static bool begins_as_image(int fd)
{
	char magic[2];

	return pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       !memcmp(magic, "MZ", sizeof(magic));
}

int image__open(int fd, struct image **ret_image)
{
	struct image *image = NULL;
	void *memory = MAP_FAILED;
	struct stat status;
	size_t size = 0;
	int err;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode) || !begins_as_image(fd))
		return -ENOEXEC;
	if (status.st_size > FILE_MAX)
		return -EFBIG;
	size = (size_t)status.st_size;
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		      -1, 0);
	if (memory == MAP_FAILED)
		return -ENOMEM;
	err = read_whole(fd, memory, size);
	if (!err)
		err = image__open_memory(memory, size, &image);
	if (err) {
		munmap(memory, size);
		return err;
	}
	image->memory = memory;
	image->memory_size = size;
	keep_names_only(image);
	*ret_image = image;
	return 0;
}

void image__free(struct image *image)
{
	if (!image)
		return;
	free(image->tables.rows);
	free(image->tables.bodies);
	if (image->memory)
		munmap(image->memory, image->memory_size);
	free(image);
}

uint32_t image__size(const struct image *image)
{
	return image->pe.image_size;
}

const uint8_t *image__mvid(const struct image *image)
{
	return metadata__mvid(&image->metadata);
}

const char *image__assembly(const struct image *image)
{
	return metadata__string(&image->metadata, TABLE_ASSEMBLY, 1, ASSEMBLY_NAME);
}

uint32_t image__sections(const struct image *image,
			 const struct image_section **ret_sections)
{
	*ret_sections = image->pe.sections;
	return image->pe.sections_count;
}

/*
 * The runtime maps each section by the pages it touches, so the first page of
 * a section often holds the end of another one as well, and the headers and
 * .text may both be mapped from offset 0: an executable section goes first.
 */
uint64_t image__base_of_mapping(const struct image *image, uint64_t address,
				uint64_t file_offset)
{
	for (int executable = 1; executable >= 0; executable--) {
		for (uint32_t i = 0; i < image->pe.sections_count; i++) {
			const struct image_section *section = &image->pe.sections[i];
			uint64_t first = section->file_offset / PAGE * PAGE;
			uint64_t end =
				(uint64_t)section->file_offset + section->file_size;
			uint64_t distance;

			if (section->executable != executable || file_offset < first ||
			    file_offset >= end)
				continue;
			/* May wrap below RVA 0 for the page before the section. */
			distance = section->rva + file_offset - section->file_offset;
			return address - distance;
		}
	}
	return 0;
}

uint32_t image__rows(const struct image *image, const struct ts_image_row **ret_rows)
{
	*ret_rows = image->tables.rows;
	return image->tables.rows_count;
}

uint32_t image__bodies(const struct image *image, const struct image_body **ret_bodies)
{
	*ret_bodies = image->tables.bodies;
	return image->tables.bodies_count;
}

int64_t image__find(const struct image *image, uint32_t rva)
{
	const struct image_body *bodies = image->tables.bodies;
	uint32_t low = 0, high = image->tables.bodies_count;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (bodies[middle].end <= rva)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < image->tables.bodies_count && bodies[low].begin <= rva)
		return low;
	return -1;
}

static int append_method_text(const struct metadata *metadata, uint32_t row,
			      struct buf *buf)
{
	const char *name =
		metadata__string(metadata, TABLE_METHOD_DEF, row, METHOD_DEF_NAME);
	int err;

	err = type_name__append_def(buf, metadata,
				    metadata__type_of_method(metadata, row));
	if (err)
		return err;
	buf__append_char(buf, 0);
	text__append_utf8(buf, name, strlen(name));
	buf__append_char(buf, 0);
	err = signature__append(buf, metadata,
				metadata__blob(metadata, TABLE_METHOD_DEF, row,
					       METHOD_DEF_SIGNATURE));
	buf__append(buf, "\0", 2);
	return err;
}

int image__body_text(const struct image *image, uint32_t body, struct buf *buf)
{
	const struct image_body *found;
	size_t before = buf->size;
	struct cursor cursor;
	int err;

	if (body >= image->tables.bodies_count)
		return -EINVAL;
	found = &image->tables.bodies[body];
	if (found->instance != R2R_NO_INSTANCE) {
		cursor = cursor__of(image->pe.data, image->pe.size);
		cursor__seek(&cursor, found->instance);
		err = instance__append_text(image, cursor, buf);
	} else if (found->token) {
		err = append_method_text(&image->metadata, found->token & TOKEN_ROW,
					 buf);
	} else {
		err = -ENOENT;
	}
	if (!err && buf->size - before > TS_TEXT_MAX)
		err = -EBADMSG;
	if (err)
		buf->size = before;
	return err;
}
