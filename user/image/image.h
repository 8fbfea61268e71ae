/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A precompiled (ReadyToRun) image: its code bodies with bounds, unwind shape,
 * metadata token and name, read once per file.  Every byte of the file is
 * hostile, and it may change while it is open.  One thread at a time.
 *
 * A body is a method entry point plus the funclet entries that follow it, up
 * to the next entry point; each RUNTIME_FUNCTION keeps its own shape.
 */
#ifndef TIERSCOPE_IMAGE_H
#define TIERSCOPE_IMAGE_H

#include "../../abi/codemap.h"
#include "../base/buf.h"

#include <stdbool.h>
#include <stdint.h>

struct image;
struct image_cache;

struct image_section {
	char name[9];
	uint32_t rva, virtual_size, file_offset, file_size;
	bool executable;
};

/* One RUNTIME_FUNCTION. */
struct image_row {
	uint32_t begin, end;	  /* RVA */
	uint32_t shape;		  /* TS_SHAPE */
	uint32_t body;		  /* index of the body that it is part of */
};

struct image_body {
	uint32_t begin, end;	  /* RVA: entry point, end of last funclet */
	uint32_t token;		  /* MethodDef 0x06......; 0 unknown */
	uint32_t module;	  /* private to image: whose token; 0 its own */
	uint32_t instance;	  /* private to image: instance entry, or ~0 */
	uint32_t first_row, rows; /* its RUNTIME_FUNCTIONs */
};

/*
 * Opens from memory that holds the file as it is on disk; the caller keeps
 * `data` alive, and as it is, as long as the image.  -ENOEXEC not a PE file,
 * -ENODATA a PE file without ReadyToRun code of its own, -EBADMSG damaged,
 * -ENOTSUP not for x86-64 Linux, -EFBIG 2 GB and more.
 */
int image__open_memory(const void *data, size_t size, struct image **ret_image);
/* Maps the file (by descriptor, which the caller may close), from where the image
 * begins in it.  The tables come from the cache (cache.h; NULL none), where they are.
 * Also -EFBIG for a file above 256 MB that is an image as a whole, -Exxx of fstat, mmap. */
int image__open(int fd, uint64_t offset, struct image_cache *cache,
		struct image **ret_image);
/*
 * Where the image begins whose code is mapped from `mapped`, an offset in the file: a
 * single-file application holds its images one behind the other.  0, -ENOENT.
 */
int image__find_start(int fd, uint64_t mapped, uint64_t *ret_offset);
/* Reads bytes of a process's memory; false if it cannot. */
typedef bool (*image_reader)(void *context, uint64_t address, void *bytes, size_t size);
/*
 * Opens an image that lies in memory without a file, section by section, as a compressed
 * single-file application unpacks it; `code` is where its executable memory begins.
 * Also where RVA 0 lies.  -ENOENT no image is there, -EFBIG more than 64 MB, else as
 * image__open_memory.
 */
int image__open_loaded(image_reader read, void *context, uint64_t code,
		       struct image **ret_image, uint64_t *ret_base);
/* Whether such an image is there, and no other memory by now. */
bool image__is_still_loaded(const struct image *image, image_reader read, void *context,
			    uint64_t base);
size_t image__memory_bytes(const struct image *image);	/* of ours, that it takes */
/*
 * A composite image holds the code of several assemblies, and the names are in their own
 * files, of which the caller gives what it finds.  0: it is no composite image.
 */
uint32_t image__components(const struct image *image);
const char *image__component_name(struct image *image, uint32_t component);
/* The caller may close fd.  -Exxx as of image__open; whether it is the very assembly is
 * found out when a name is asked for. */
int image__give_component(struct image *image, uint32_t component, int fd);
/* Gives memory back that can be had again. */
void image__rest(const struct image *image);
void image__free(struct image *image);

uint32_t image__size(const struct image *image);	/* SizeOfImage */
const uint8_t *image__mvid(struct image *image);	/* 16 bytes or NULL */
const char *image__assembly(struct image *image);	/* simple name or "" */
uint32_t image__sections(const struct image *image,
			 const struct image_section **ret_sections);
/* Where the image's RVA 0 lies when `file_offset`, of the whole file, is mapped executable
 * at `address`; 0 if no section has that offset.  Several sections may begin in
 * one page of the file, so only executable mappings are told reliably. */
uint64_t image__base_of_mapping(const struct image *image, uint64_t address,
				uint64_t file_offset);

/* RUNTIME_FUNCTIONs sorted by begin, `body` filled in, shapes decoded. */
uint32_t image__rows(const struct image *image, const struct image_row **ret_rows);
uint32_t image__bodies(const struct image *image, const struct image_body **ret_bodies);
/* The body that covers an RVA, or -1.  Padding between two RUNTIME_FUNCTIONs of
 * one body is covered. */
int64_t image__find(const struct image *image, uint32_t rva);

/* The simple name of the assembly whose method a body is, or "". */
const char *image__body_assembly(struct image *image, uint32_t body);
/*
 * The runtime's spellings of a body's name, as in abi/journal.h (four strings,
 * each ended by NUL): appended to buf, which stays as it was on error.  0,
 * -ENOENT the name is not in this image, -EBADMSG damaged, -EINVAL no such body.
 */
int image__body_text(struct image *image, uint32_t body, struct buf *buf);

/*
 * Calls `each` with the bodies into which the compiler has inlined the method, however deep
 * in them: the MethodDef of the assembly of that simple name.  When `each` gives false it is
 * enough.  Bodies of other images' generic methods, which have no token here, do not come.
 * Methods of assemblies outside of the version bubble are not known.  0, -EBADMSG, -EFBIG,
 * -ENOMEM.
 */
typedef bool (*image_inliner)(void *context, uint32_t body);
int image__each_inliner(struct image *image, const char *assembly, uint32_t token,
			image_inliner each, void *context);

#endif /* TIERSCOPE_IMAGE_H */
