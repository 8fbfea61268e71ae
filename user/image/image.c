// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The object.  Tables are built from a mapping of the file, by decoders that read each
 * value once.  Names are pointers into metadata, checked first and used after: for
 * these a copy is made, of the parts that names need, when the first one is asked for.
 * The cache keeps the copy, too: making it is most of what an image costs.
 */
#include "image.h"

#include "cache.h"
#include "image_object.h"
#include "instance.h"
#include "modules.h"
#include "signature.h"
#include "type_name.h"

#include "../../abi/journal.h"
#include "../base/alloc.h"
#include "../base/crc32c.h"
#include "../base/text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define PAGE	  4096u
#define FILE_MAX  (256u << 20) /* a target may map anything */
#define START_MAX (16 * PAGE) /* from an image in a file to its code */
#define START_ALIGNMENT 16
#define METADATA_MAX (64u << 20)
#define CANDIDATES 16 /* looked at; there are one or two */
#define TOKEN_ROW 0xffffffu

static int parse_metadata(struct image *image)
{
	int err = metadata__parse(pe__cursor(&image->pe, image->pe.metadata),
				  &image->metadata);

	if (!err && image->r2r.manifest.size)
		err = metadata__parse(pe__cursor(&image->pe, image->r2r.manifest),
				      &image->manifest);
	return err;
}

/* Where things lie; no more is read than the first pages. */
int image__parse(struct image *image, const void *data, size_t size)
{
	int err = pe__parse(data, size, &image->pe);

	return err ? err : r2r__parse(&image->pe, &image->r2r);
}

int image__build_tables(struct image *image)
{
	int err = parse_metadata(image);

	return err ? err : r2r__tables(&image->pe, &image->r2r,
				       image->metadata.tables[TABLE_METHOD_DEF].count,
				       metadata__is_assembly(&image->metadata,
							     MODULES_CORE_NAME),
				       &image->tables);
}

int image__open_memory(const void *data, size_t size, struct image **ret_image)
{
	struct image *image = alloc__zeroed(1, sizeof(*image));
	int err = image__parse(image, data, size);

	if (!err)
		err = image__build_tables(image);
	if (err) {
		image__free(image);
		return err;
	}
	*ret_image = image;
	return 0;
}

void image__name_ranges(const struct image *image,
			struct name_range ret_ranges[IMAGE_NAME_RANGES])
{
	const struct pe_range needed[IMAGE_NAME_RANGES] = {
		image->pe.metadata, image->r2r.manifest, image->r2r.instances,
		image->r2r.mvids};

	for (uint32_t i = 0; i < IMAGE_NAME_RANGES; i++) {
		int64_t offset = pe__offset(&image->pe, needed[i].rva, needed[i].size);

		ret_ranges[i] = offset < 0 ? (struct name_range){0}
					   : (struct name_range){(size_t)offset,
								 needed[i].size};
	}
}

uint32_t image__names_crc(const struct image *image, const uint8_t *bytes)
{
	struct name_range ranges[IMAGE_NAME_RANGES];
	uint32_t crc = 0;

	image__name_ranges(image, ranges);
	for (uint32_t i = 0; i < IMAGE_NAME_RANGES; i++)
		crc = crc32c__update(crc, bytes + ranges[i].offset, ranges[i].size);
	return crc;
}

/* Each range to its place; of the file's size only what is copied is ever touched. */
static int copy_names(struct image *image)
{
	struct name_range ranges[IMAGE_NAME_RANGES];
	uint8_t *memory = mmap(NULL, image->file->size, PROT_READ | PROT_WRITE,
			       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (memory == MAP_FAILED)
		return -ENOMEM;
	image__name_ranges(image, ranges);
	for (uint32_t i = 0; i < IMAGE_NAME_RANGES; i++)
		memcpy(memory + ranges[i].offset, image->file->data + ranges[i].offset,
		       ranges[i].size);
	file_view__rest(image->file);
	image->memory = memory;
	image->memory_size = image->file->size;
	return 0;
}

int image__want_names(struct image *image)
{
	int err = 0;

	if (image->names_broken || image->pe.metadata.size > METADATA_MAX)
		return -EBADMSG;
	if (image->names_ready || !image->file)
		return 0;
	if (image->kept_names &&
	    image__names_crc(image, image->kept_names) != image->kept_names_crc)
		image->kept_names = NULL;
	if (!image->kept_names)
		err = copy_names(image);
	if (err)
		return err;
	image->pe.data = image->kept_names ? image->kept_names : image->memory;
	image->names_ready = true;
	err = parse_metadata(image);
	if (err)
		image__drop_names(image);
	return err;
}

void image__drop_names(struct image *image)
{
	if (image->memory)
		munmap(image->memory, image->memory_size);
	image->memory = NULL;
	image->names_broken = true;
}

/* Most executable mappings are ELF: those need not be read to be refused. */
static bool begins_as_image(int fd, uint64_t offset)
{
	char magic[2];

	return pread(fd, magic, sizeof(magic), (off_t)offset) == sizeof(magic) &&
	       !memcmp(magic, "MZ", sizeof(magic));
}

/* What follows the image in the file is in view, but nothing leads there. */
static int open_view(int fd, uint64_t offset, struct file_view **ret_view)
{
	struct stat status;
	uint64_t size;

	if (fstat(fd, &status) < 0)
		return -errno;
	if (!S_ISREG(status.st_mode) || (uint64_t)status.st_size <= offset ||
	    !begins_as_image(fd, offset))
		return -ENOEXEC;
	size = (uint64_t)status.st_size - offset;
	if (size > FILE_MAX && !offset)
		return -EFBIG;
	return file_view__open(fd, offset, size < FILE_MAX ? size : FILE_MAX, ret_view);
}

static int open_at(int fd, uint64_t offset, struct image **ret_image)
{
	struct image *image = alloc__zeroed(1, sizeof(*image));
	int err = open_view(fd, offset, &image->file);

	image->offset = offset;
	if (!err)
		err = image__parse(image, image->file->data, image->file->size);
	if (err)
		image__free(image);
	else
		*ret_image = image;
	return err;
}

int image__open(int fd, uint64_t offset, struct image_cache *cache,
		struct image **ret_image)
{
	struct image *image;
	int err = open_at(fd, offset, &image);

	if (err)
		return err;
	if (image_cache__load(cache, fd, offset, image))
		err = image__build_tables(image);
	if (!err)
		image_cache__keep(cache, image);
	if (err) {
		image__free(image);
		return err;
	}
	file_view__rest(image->file);
	*ret_image = image;
	return 0;
}

static uint64_t page_of(const struct image *image, const struct image_section *section)
{
	return (image->offset + section->file_offset) / PAGE * PAGE;
}

static bool begins_code(const struct image *image, uint64_t mapped)
{
	for (uint32_t i = 0; i < image->pe.sections_count; i++) {
		const struct image_section *section = &image->pe.sections[i];

		if (section->executable && page_of(image, section) == mapped)
			return true;
	}
	return false;
}

/* In the page that is mapped, or a few before; where its code begins decides. */
int image__find_start(int fd, uint64_t mapped, uint64_t *ret_offset)
{
	uint64_t from = mapped > START_MAX ? mapped - START_MAX : 0;
	size_t wanted = (size_t)(mapped - from) + PAGE;
	uint8_t *bytes = alloc__zeroed(1, wanted);
	ssize_t at = pread(fd, bytes, wanted, (off_t)from);
	int candidates = CANDIDATES, err = -ENOENT;

	for (at -= 2; at >= 0 && err && candidates; at--) {
		uint64_t offset = from + (uint64_t)at;
		struct image *image;

		if (memcmp(bytes + at, "MZ", 2) || offset % START_ALIGNMENT)
			continue;
		candidates--;
		if (open_at(fd, offset, &image))
			continue;
		if (begins_code(image, mapped)) {
			*ret_offset = offset;
			err = 0;
		}
		image__free(image);
	}
	free(bytes);
	return err;
}

void image__rest(const struct image *image)
{
	file_view__rest(image->cached);
}

size_t image__memory_bytes(const struct image *image)
{
	return image->memory_size + image->tables.rows_count * sizeof(*image->tables.rows) +
	       image->tables.bodies_count * sizeof(*image->tables.bodies);
}

void image__free(struct image *image)
{
	if (!image)
		return;
	if (!image->cached) {	/* else they lie in it */
		free(image->tables.rows);
		free(image->tables.bodies);
	}
	file_view__close(image->cached);
	if (image->memory)
		munmap(image->memory, image->memory_size);
	file_view__close(image->file);
	for (uint32_t i = 0; image->components && i < image__components(image); i++)
		image__free(image->components[i]);
	free(image->components);
	image__drop_inlinings(image);
	free(image);
}

uint32_t image__components(const struct image *image)
{
	return r2r__components(&image->r2r);
}

const char *image__component_name(struct image *image, uint32_t component)
{
	return image__want_names(image) ? "" : modules__name(image, modules__of_component(component));
}

int image__give_component(struct image *image, uint32_t component, int fd)
{
	struct image *given;
	int err;

	if (component >= image__components(image))
		return -EINVAL;
	given = alloc__zeroed(1, sizeof(*given));
	err = open_view(fd, 0, &given->file);
	if (!err)
		err = pe__parse(given->file->data, given->file->size, &given->pe);
	if (err) {
		image__free(given);
		return err;
	}
	file_view__rest(given->file);
	if (!image->components)
		image->components = alloc__zeroed(image__components(image),
						  sizeof(*image->components));
	image__free(image->components[component]);
	image->components[component] = given;
	return 0;
}

uint32_t image__size(const struct image *image)
{
	return image->pe.image_size;
}

const uint8_t *image__mvid(struct image *image)
{
	return image__want_names(image) ? NULL : metadata__mvid(&image->metadata);
}

const char *image__assembly(struct image *image)
{
	return image__want_names(image) ? "" : metadata__string(&image->metadata, TABLE_ASSEMBLY, 1, ASSEMBLY_NAME);
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
			uint64_t start = image->offset + section->file_offset;

			if (section->executable != executable ||
			    file_offset < page_of(image, section) ||
			    file_offset >= start + section->file_size)
				continue;
			/* May wrap below RVA 0 for the page before the section. */
			return address - (section->rva + file_offset - start);
		}
	}
	return 0;
}

uint32_t image__rows(const struct image *image, const struct image_row **ret_rows)
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

const char *image__body_assembly(struct image *image, uint32_t body)
{
	if (body >= image->tables.bodies_count || !image->tables.bodies[body].token ||
	    image__want_names(image))
		return "";
	return modules__name(image, image->tables.bodies[body].module);
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

int image__body_text(struct image *image, uint32_t body, struct buf *buf)
{
	const struct metadata *metadata;
	const struct image_body *found;
	size_t before = buf->size;
	struct cursor cursor;
	int err;

	if (body >= image->tables.bodies_count)
		return -EINVAL;
	err = image__want_names(image);
	if (err)
		return err;
	found = &image->tables.bodies[body];
	if (found->instance != R2R_NO_INSTANCE) {
		cursor = cursor__of(image->pe.data, image->pe.size);
		cursor__seek(&cursor, found->instance);
		err = instance__append_text(image, cursor, buf);
	} else {
		metadata = found->token ? modules__metadata(image, found->module) : NULL;
		err = metadata ? append_method_text(metadata, found->token & TOKEN_ROW, buf)
			       : -ENOENT;
	}
	if (!err && buf->size - before > TS_TEXT_MAX)
		err = -EBADMSG;
	if (err)
		buf->size = before;
	return err;
}
