/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Names of native code.  A file is read once, when its first frame asks, and
 * known by device and inode; its symbols and the function bounds of its
 * unwind table answer every later question without touching the file.
 * Everything in such a file is hostile.  One thread at a time.
 */
#ifndef TIERSCOPE_SYMBOL_H
#define TIERSCOPE_SYMBOL_H

#include "../base/buf.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define SYMBOLS_NONE UINT32_MAX

/* Executable memory of a process, and what the kernel says is mapped there. */
struct symbol_mapping {
	pid_t pid;
	uint64_t start, end;	/* exactly the mapping's */
	uint64_t device, inode; /* device as makedev() has it */
	const char *path;	/* as in /proc/PID/maps; "[vdso]" too */
};

struct symbols;

struct symbols *symbols__new(void);
void symbols__free(struct symbols *symbols);

/*
 * The number of a mapped file, SYMBOLS_NONE if it cannot be opened or is not
 * an ELF file for x86-64.  Ask once per mapping: where it could not be opened,
 * another process may still show it.
 */
uint32_t symbols__file(struct symbols *symbols, const struct symbol_mapping *mapping);

/*
 * Whose code is at an offset of the file.  True: a function; appends
 * "libc.so.6!memmove", or "libcoreclr.so!+0x1c99a0" where only its bounds are
 * known, and returns its first address.  False: appends "libcoreclr.so" and
 * returns the address itself.  Addresses are the file's own (as nm and
 * readelf print them); what is appended is valid UTF-8.
 */
bool symbols__name(const struct symbols *symbols, uint32_t file, uint64_t file_offset,
		   struct buf *ret_name, uint64_t *ret_address);

/*
 * Whether what is at an offset of the file is the function to which the runtime lets
 * a return address point while it suspends a thread: no call returns there.
 */
bool symbols__is_hijack_stub(const struct symbols *symbols, uint32_t file,
			     uint64_t file_offset);

/* Names of the kernel's own functions, as the kernel tells them now. */
struct kernel_symbols;

/*
 * Reads them; `path` NULL: /proc/kallsyms.  0; -EACCES: addresses are hidden from
 * this user (kernel.kptr_restrict); -ENODATA: it names no code; -Exxx of reading.
 * Modules that are loaded later stay without names.
 */
int kernel_symbols__read(const char *path, struct kernel_symbols **ret_symbols);
/* The same answer, at less cost. */
int kernel_symbols__check(const char *path);
void kernel_symbols__free(struct kernel_symbols *symbols);

/* Appends "vfs_read", "ext4_sync_fs [ext4]"; false: no function is there. */
bool kernel_symbols__name(const struct kernel_symbols *symbols, uint64_t address,
			  struct buf *ret_name);

#endif /* TIERSCOPE_SYMBOL_H */
