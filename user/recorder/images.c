// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Precompiled images: each file is read once, by device and inode (and again where it was
// written anew in its place), its table goes to the sampler, its bodies get names when they
// are sampled.  A claimed path alone decides nothing: where files beside an image are read,
// their contents and owner have to match.
#include "internal.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../base/text.h"
#include "../image/cache.h"
#include "../image/image.h"
#include "../symbol/mapped_file.h"
#include "../target/proc.h"
#include "../target/root.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define IMAGE_EXTENSION ".dll"
#define PRELOAD_MAX 512 /* files of one folder */
#define COMPONENTS_TRIES 8
#define PARTS_MAX 1024 /* images inside files, of all files */
#define REWRITTEN_MAX 1024 /* times that files are read again */

uint32_t images__find(const struct recorder *recorder, uint64_t device, uint64_t inode,
		      uint64_t mapped, uint32_t owner)
{
	/* The newest first: of a file that was written anew there are several. */
	for (uint32_t i = recorder->files_count; i-- > 0;) {
		const struct image_file *file = &recorder->files[i];

		if (file->device == device && file->inode == inode &&
		    file->mapped == mapped && (!(mapped & UNPACKED) || file->owner == owner))
			return i;
	}
	return NO_IMAGE;
}

uint32_t images__keep(struct recorder *recorder, const struct image_file *file,
		      const char *path)
{
	struct image_file added = *file;

	if (added.image && kernel__add_image(recorder->kernel, added.image, &added.number))
		log__verbose("%s: the sampler's image tables are full", path);
	alloc__grow(recorder->files, recorder->files_count, recorder->files_capacity);
	recorder->files[recorder->files_count] = added;
	return recorder->files_count++;
}

static const char *why_not(int err)
{
	switch (err) {
	case -EBADMSG:
		return "the file is damaged";
	case -ENOTSUP:
		return "it is not for x86-64 Linux";
	case -EFBIG:
		return "the file is too large";
	default:
		return strerror(-err);
	}
}

static bool is_called_image(const char *path)
{
	size_t length = strlen(path), extension = strlen(IMAGE_EXTENSION);

	return length > extension && !strcmp(path + length - extension, IMAGE_EXTENSION);
}

/*
 * Which lie beside the composite image.  One that is not found has no names.  All
 * processes that map the image share them, so they have to be as trustworthy as it is:
 * a stranger could map it in a place of his own, beside files of his own.
 */
static bool give_components(struct image *image, uid_t owner, int folder)
{
	struct buf name = BUF_INIT;
	struct stat state;
	bool all = true;

	for (uint32_t i = 0; i < image__components(image); i++) {
		const char *assembly = image__component_name(image, i);
		int fd;

		if (!*assembly || strchr(assembly, '/'))
			continue;
		buf__clear(&name);
		buf__printf(&name, "%s" IMAGE_EXTENSION, assembly);
		fd = mapped_file__reopen(root__open_name(folder, buf__string(&name), O_PATH),
					 &state);
		if (fd < 0 || (state.st_uid && state.st_uid != owner) ||
		    image__give_component(image, i, fd))
			all = false;
		if (fd >= 0)
			close(fd);
	}
	buf__free(&name);
	return all;
}

/* As the process sees it. */
static int open_folder_of(const struct process *process, const char *path)
{
	const char *slash = strrchr(path, '/');
	int directory = proc__open(process->pid);
	int root = directory < 0 ? directory : root__open(directory);
	struct buf folder = BUF_INIT;
	int fd = -ENOENT;

	if (slash && root >= 0) {
		buf__append(&folder, path, (size_t)(slash - path) + 1);
		fd = root__open_path(root, buf__string(&folder), O_PATH | O_DIRECTORY);
	}
	if (root >= 0)
		close(root);
	if (directory >= 0)
		close(directory);
	buf__free(&folder);
	return fd;
}

/*
 * False: some are not there, or there is no way to the folder, perhaps since the process
 * is gone.  Others that map the image may know more.
 */
static bool find_components(const struct process *process, struct image *image, uid_t owner,
			    const char *path)
{
	int folder = open_folder_of(process, path);
	bool all;

	if (folder < 0)
		return false;
	all = give_components(image, owner, folder);
	close(folder);
	return all;
}

static void note_state(struct image_file *file, const struct stat *state)
{
	file->owner = state->st_uid;
	file->state = mapped_file__state(state);
}

/* Since it was read. */
static bool was_written_anew(struct recorder *recorder, const struct image_file *file,
			     const struct stat *state)
{
	if (mapped_file__is_same(&file->state, state))
		return false;
	if (recorder->rewritten >= REWRITTEN_MAX)
		return false;
	recorder->rewritten++;
	return true;
}

/* What a process maps, open; -ENOENT where it is gone and cannot show it any more. */
struct shown {
	int fd;
	struct stat state;
};

/* `mapped` 0: the file as a whole, else the part of it that is mapped from there. */
static uint32_t read_file(struct recorder *recorder, const struct process *process,
			  const struct mapping *mapping, uint64_t mapped, const char *path,
			  const struct shown *shown)
{
	struct image_file file = { .device = mapping->device, .inode = mapping->inode,
				   .mapped = mapped, .number = NO_IMAGE };
	int err = 0;

	if (shown->fd < 0)
		return NO_IMAGE;	/* perhaps another process shows it later */
	if (mapped)
		err = image__find_start(shown->fd, mapped, &file.offset);
	if (!err && mapped && recorder->parts++ >= PARTS_MAX)
		err = -EFBIG;
	if (!err)
		err = image__open(shown->fd, file.offset, recorder->image_cache, &file.image);
	note_state(&file, &shown->state);
	if (!err && image__components(file.image))
		file.components_given = find_components(process, file.image, file.owner, path);
	if (err && err != -ENOENT && err != -ENOEXEC && err != -ENODATA) {
		file.unreadable = true;
		log__warn("%s: its precompiled code cannot be read (%s); samples in it will have no names",
			  path, why_not(err));
	}
	return images__keep(recorder, &file, path);
}

/* What is no image is not kept: another mapping of it will say so. */
static void preload_file(struct recorder *recorder, int folder, const char *name)
{
	struct image_file file = { .number = NO_IMAGE };
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat state;

	if (fd < 0)
		return;
	if (!fstat(fd, &state)) {
		file.device = state.st_dev;
		file.inode = state.st_ino;
		note_state(&file, &state);
		if (images__find(recorder, file.device, file.inode, 0, 0) == NO_IMAGE &&
		    !image__open(fd, 0, recorder->image_cache, &file.image)) {
			file.components_given = give_components(file.image, state.st_uid,
								folder);
			images__keep(recorder, &file, name);
			image__rest(file.image);
		}
	}
	close(fd);
}

void recorder__preload(struct recorder *recorder, const char *path)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	for (int count = 0; folder && count < PRELOAD_MAX && (entry = readdir(folder));) {
		if (!is_called_image(entry->d_name))
			continue;
		preload_file(recorder, dirfd(folder), entry->d_name);
		count++;
	}
	if (folder)
		closedir(folder);
}

static uint32_t find_or_read(struct recorder *recorder, const struct process *process,
			     const struct mapping *mapping, uint64_t mapped,
			     const char *path, const struct shown *shown)
{
	uint32_t number = images__find(recorder, mapping->device, mapping->inode, mapped, 0);
	struct image_file *file;

	if (number == NO_IMAGE ||
	    (shown->fd >= 0 &&
	     was_written_anew(recorder, &recorder->files[number], &shown->state)))
		return read_file(recorder, process, mapping, mapped, path, shown);
	file = &recorder->files[number];
	if (file->image && image__components(file->image) && !file->components_given &&
	    file->components_tries++ < COMPONENTS_TRIES)
		file->components_given = find_components(process, file->image, file->owner,
							 path);
	return number;
}

uint32_t images__open(struct recorder *recorder, const struct process *process,
		      struct mapping *mapping, const char *path)
{
	struct symbol_mapping place = { .pid = process->pid, .start = mapping->start,
					.end = mapping->end, .device = mapping->device,
					.inode = mapping->inode, .path = path };
	const struct image_file *file;
	struct shown shown;
	uint32_t number;

	shown.fd = mapped_file__open(&place, &shown.state);
	number = find_or_read(recorder, process, mapping, 0, path, &shown);
	if (number != NO_IMAGE && !recorder->files[number].image &&
	    !recorder->files[number].unreadable && mapping->file_offset)
		number = find_or_read(recorder, process, mapping, mapping->file_offset, path,
				      &shown);
	if (shown.fd >= 0)
		close(shown.fd);
	if (number == NO_IMAGE) {
		mapping->unreadable = is_called_image(path);
		return NO_IMAGE;
	}
	file = &recorder->files[number];
	mapping->unreadable = file->unreadable;
	if (!file->image)
		return NO_IMAGE;
	mapping->image_base = image__base_of_mapping(file->image, mapping->start,
						     mapping->file_offset);
	if (!mapping->image_base)
		return NO_IMAGE;
	return number;
}

void images__publish(struct recorder *recorder, const struct process *process,
		     const struct mapping *mapping)
{
	const struct image_file *file = &recorder->files[mapping->file];

	if (file->number != NO_IMAGE &&
	    kernel__map_image(recorder->kernel, process->space, file->number,
			      mapping->image_base, image__size(file->image)))
		log__verbose("process %d: no room to map an image for the sampler",
			     process->pid);
}

void images__unpublish(struct recorder *recorder, const struct process *process,
		       const struct mapping *mapping)
{
	const struct image_file *file = &recorder->files[mapping->file];

	kernel__unmap(recorder->kernel, process->space, mapping->image_base,
		      mapping->image_base + image__size(file->image));
}

static string_id image_body_name(struct recorder *recorder, struct image *image,
				 uint32_t index)
{
	const struct image_body *bodies;
	struct buf text = BUF_INIT;
	string_id id;

	if (image__body_text(image, index, &text)) {
		/* Its name is in another image, or damaged: the token tells it. */
		image__bodies(image, &bodies);
		buf__printf(&text, "method 0x%08x", bodies[index].token);
		id = model__string(recorder->model, buf__string(&text));
	} else {
		id = bodies__name(recorder->model, buf__string(&text), (uint32_t)text.size);
	}
	buf__free(&text);
	return id;
}

string_id images__beside(struct recorder *recorder, const char *path, const char *assembly)
{
	const char *slash = strrchr(path, '/');
	struct buf name = BUF_INIT;
	string_id whole;

	if (slash)
		buf__append(&name, path, (size_t)(slash - path) + 1);
	text__append_utf8(&name, assembly, strlen(assembly));
	buf__append_string(&name, IMAGE_EXTENSION);
	whole = model__string(recorder->model, buf__string(&name));
	buf__free(&name);
	return whole;
}

/*
 * The module whose method it is, as the runtime calls it too: in a single-file application
 * by the assembly's name alone, in a composite image by the assembly's file beside it.
 */
static string_id module_of(struct recorder *recorder, const struct image_file *file,
			   uint32_t body, string_id path)
{
	const char *assembly = image__body_assembly(file->image, body);

	if (!*assembly && file->mapped)
		assembly = image__assembly(file->image);
	if (!*assembly || (!file->mapped && !image__components(file->image)))
		return path;
	return images__beside(recorder, file->mapped ? "" : model__text(recorder->model, path),
			      assembly);
}

static uint64_t key_of(uint32_t file, int64_t index)
{
	return (uint64_t)file << 32 | (uint32_t)index;
}

/* The model's body of an image's, MODEL_NONE if it has none yet. */
static uint32_t find_known(const struct process *process, uint32_t file, uint64_t base,
			   int64_t index)
{
	uint64_t known;

	return map__get(process->image_bodies, base, key_of(file, index), &known) ?
	       (uint32_t)known : MODEL_NONE;
}

uint32_t images__known(const struct process *process, const struct mapping *mapping,
		       uint32_t body)
{
	return find_known(process, mapping->file, mapping->image_base, body);
}

uint32_t images__known_body(const struct recorder *recorder, struct process *process,
			    uint64_t address, uint64_t time_ns)
{
	const struct mapping *mapping = mappings__find(process, address, time_ns);
	int64_t index;

	if (!mapping || mapping->file == NO_IMAGE)
		return MODEL_NONE;
	index = image__find(recorder->files[mapping->file].image,
			    (uint32_t)(address - mapping->image_base));
	return index < 0 ? MODEL_NONE :
	       find_known(process, mapping->file, mapping->image_base, index);
}

/* The model's body for an RVA of an image, MODEL_NONE if no function is there. */
uint32_t images__body(struct recorder *recorder, struct process *process,
		      uint32_t file, uint64_t base, uint32_t rva, string_id path)
{
	struct image *image = recorder->files[file].image;
	const struct image_body *bodies;
	int64_t index = image__find(image, rva);
	struct model_body body;
	uint32_t known;

	if (index < 0)
		return MODEL_NONE;
	known = find_known(process, file, base, index);
	if (known != MODEL_NONE)
		return known;
	image__bodies(image, &bodies);
	body = (struct model_body){
		.process = process->index,
		.flags = MODEL_BODY_FUNCTION_UNKNOWN | MODEL_BODY_VERSION_UNKNOWN,
		.start = base + bodies[index].begin,
		.size = bodies[index].end - bodies[index].begin,
		.token = bodies[index].token,
		.tier = TS_TIER_READY_TO_RUN, .source = MODEL_SOURCE_IMAGE,
		.osr_il_offset = TS_NO_IL_OFFSET,
		.module = module_of(recorder, &recorder->files[file], (uint32_t)index, path),
		.name = image_body_name(recorder, image, (uint32_t)index),
	};
	known = model__add_body(recorder->model, &body);
	function_ids__wait_for(process, known, body.start);
	map__set(process->image_bodies, base, key_of(file, index), known);
	return known;
}

void images__free(struct recorder *recorder)
{
	image_cache__free(recorder->image_cache);	/* writes tables of images */
	for (uint32_t i = 0; i < recorder->files_count; i++)
		image__free(recorder->files[i].image);
	free(recorder->files);
	recorder->files = NULL;
	recorder->files_count = 0;
}
