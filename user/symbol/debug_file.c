// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Finding separate symbols: see debug_file.h.  They belong to the program when
// the build ids are equal; a program without one names a checksum instead.
#include "debug_file.h"

#include "mapped_file.h"

#include "../base/buf.h"
#include "../base/folders.h"
#include "../target/proc.h"
#include "../target/root.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#define LINK_NAME_MAX 255
#define CHECKSUM_MAX  (256u << 20) /* not more is read to prove a checksum */

/* What the program says about its symbols. */
struct wanted {
	const struct elf_view *program;
	uint8_t build_id[ELF_BUILD_ID_MAX];
	size_t build_id_size;
	char link[LINK_NAME_MAX + 1]; /* "" if none */
	uint32_t checksum;
	const char *path, *folder;
};

/* .gnu_debuglink: a file name, its NUL, padding to 4, CRC-32 of the file. */
static void read_link(struct wanted *wanted)
{
	struct elf_bytes bytes;
	size_t size, at;

	if (elf_view__section(wanted->program, ".gnu_debuglink", &bytes))
		return;
	size = strnlen((const char *)bytes.data, bytes.size);
	at = (size + 4) & ~(size_t)3;
	if (size > LINK_NAME_MAX || at + sizeof(wanted->checksum) > bytes.size ||
	    memchr(bytes.data, '/', size))
		return;
	memcpy(wanted->link, bytes.data, size);
	wanted->link[size] = 0;
	memcpy(&wanted->checksum, bytes.data + at, sizeof(wanted->checksum));
}

static bool checksum_fits(int fd, uint32_t wanted)
{
	uint8_t block[65536];
	uint32_t sum = 0;
	off_t at = 0;
	ssize_t size;

	while ((size = pread(fd, block, sizeof(block), at)) > 0 && at < CHECKSUM_MAX) {
		sum = (uint32_t)crc32(sum, block, (unsigned int)size);
		at += size;
	}
	return !size && sum == wanted;
}

static bool belongs(const struct wanted *wanted, const struct debug_file *file)
{
	uint8_t build_id[ELF_BUILD_ID_MAX];

	if (!wanted->build_id_size)
		return checksum_fits(file->fd, wanted->checksum);
	return elf_view__build_id(&file->view, build_id) == wanted->build_id_size &&
	       !memcmp(build_id, wanted->build_id, wanted->build_id_size);
}

static int try_path(struct debug_file *file, const struct wanted *wanted, int root,
		    const char *path)
{
	struct stat state;

	file->fd = mapped_file__reopen(root__open_path(root, path, O_PATH), &state);
	if (file->fd < 0)
		return -ENOENT;
	if (!elf_view__open(&file->view, file->fd)) {
		if (belongs(wanted, file))
			return 0;
		elf_view__close(&file->view);
	}
	close(file->fd);
	file->fd = -1;
	return -ENOENT;
}

static void append_hex(struct buf *buf, const uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		buf__printf(buf, "%02x", bytes[i]);
}

/* FOLDER/.build-id/ab/cdef...debug */
static int try_build_id(struct debug_file *file, const struct wanted *wanted, int root)
{
	struct buf path = BUF_INIT;
	int err;

	if (wanted->build_id_size < 2)
		return -ENOENT;
	buf__printf(&path, "%s/.build-id/%02x/", wanted->folder, wanted->build_id[0]);
	append_hex(&path, wanted->build_id + 1, wanted->build_id_size - 1);
	buf__append_string(&path, ".debug");
	err = try_path(file, wanted, root, buf__string(&path));
	buf__free(&path);
	return err;
}

/*
 * What debuginfod's clients have fetched (debuginfod_find_debuginfo(3)).  We do not ask a
 * server: a profiler has no business on the network, and sampling would wait for it.
 */
static int try_fetched(struct debug_file *file, const struct wanted *wanted, int root)
{
	const char *cache = getenv("DEBUGINFOD_CACHE_PATH");
	struct buf path = BUF_INIT;
	int err = -ENOENT;

	if (cache && *cache)
		buf__append_string(&path, cache);
	else
		folders__append_cache(&path, "debuginfod_client");
	if (path.size && wanted->build_id_size) {
		buf__append_char(&path, '/');
		append_hex(&path, wanted->build_id, wanted->build_id_size);
		buf__append_string(&path, "/debuginfo");
		err = try_path(file, wanted, root, buf__string(&path));
	}
	buf__free(&path);
	return err;
}

/* DIRECTORY/NAME, DIRECTORY/.debug/NAME, FOLDER/DIRECTORY/NAME */
static int try_link(struct debug_file *file, const struct wanted *wanted, int root)
{
	const char *slash = strrchr(wanted->path, '/');
	struct buf path = BUF_INIT;
	int err = -ENOENT;

	if (!wanted->link[0] || !slash)
		return -ENOENT;
	for (int i = 0; i < 3 && err; i++) {
		buf__clear(&path);
		if (i == 2)
			buf__append_string(&path, wanted->folder);
		buf__append(&path, wanted->path, (size_t)(slash - wanted->path));
		buf__append_string(&path, i == 1 ? "/.debug/" : "/");
		buf__append_string(&path, wanted->link);
		err = try_path(file, wanted, root, buf__string(&path));
	}
	buf__free(&path);
	return err;
}

static int try_root(struct debug_file *file, const struct wanted *wanted, int root)
{
	int err = try_build_id(file, wanted, root);

	return err ? try_link(file, wanted, root) : 0;
}

static void close_one(int fd)
{
	if (fd >= 0)
		close(fd);
}

int debug_file__open(struct debug_file *file, const struct elf_view *program, pid_t pid,
		     const char *path, const char *folder)
{
	struct wanted wanted = {.program = program, .path = path, .folder = folder};
	int directory = proc__open(pid), err = -ENOENT;
	int theirs = directory < 0 ? -1 : root__open(directory);
	int ours = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	file->fd = -1;
	wanted.build_id_size = elf_view__build_id(program, wanted.build_id);
	read_link(&wanted);
	if (theirs >= 0)
		err = try_root(file, &wanted, theirs);
	if (err && ours >= 0)
		err = try_root(file, &wanted, ours);
	if (err && ours >= 0)
		err = try_fetched(file, &wanted, ours);
	close_one(directory);
	close_one(theirs);
	close_one(ours);
	return err;
}

void debug_file__close(struct debug_file *file)
{
	elf_view__close(&file->view);
	close(file->fd);
}
