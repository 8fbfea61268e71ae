/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Lets the BPF headers compile natively: maps, rings and helpers as ordinary
 * memory, and a user address space that has only what a test puts there.
 * Include it before any bpf/ header, in one source of a program.
 *
 * Two hooks make interruptions repeatable: shim.on_store runs before each
 * WRITE_ONCE and compare-and-swap of the code map, shim.on_load before each
 * READ_ONCE.
 *
 * What the kernel refuses, this refuses: kernel addresses, full maps, full
 * rings, lookups with a key beyond an array.
 */
#ifndef TIERSCOPE_TESTS_BPF_SHIM_H
#define TIERSCOPE_TESTS_BPF_SHIM_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include <linux/types.h>

#include "bpf_vma.h"

/* The BPF headers are built with these off: callbacks have fixed parameters. */
#pragma GCC diagnostic ignored "-Wunused-function"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

#define SEC(name)
#define __weak		  __attribute__((weak))
#define __noinline	  __attribute__((noinline))
#define __uint(name, val) int(*name)[val]
#define __type(name, val) __typeof__(val) *name

#define SHIM_MAPS    20
#define SHIM_REGIONS 16
#define SHIM_RECORDS 256

struct shim_map {
	const void *map;
	__u32 type, key_size, value_size, max;
	__u32 count; /* hash: entries */
	__u8 *keys, *values;
	bool *used;
	int fail_updates; /* the next so many updates fail ... */
	int fail_with;	  /* ... with this */
};

struct shim_region {
	__u64 address;
	__u64 size;
	const void *bytes;
};

struct shim_record {
	const void *ring;
	void *bytes;
	__u64 size, flags;
	bool submitted;
};

static struct shim {
	struct shim_map maps[SHIM_MAPS];
	int maps_count;
	struct shim_region regions[SHIM_REGIONS];
	int regions_count;
	struct shim_record records[SHIM_RECORDS];
	int records_count;
	__u64 ring_room; /* bytes that a reservation may still take */
	__u64 pid_tgid, now;
	__u64 kernel_stack[128];
	__u32 kernel_stack_count;
	long kernel_stack_error;
	char comm[16];
	__u64 executable; /* first address of the memory that is, 64 KB of it */
	const char *executable_file; /* NULL: anonymous */
	void (*on_store)(void);
	void (*on_load)(void);
} shim;

/* Hides a value from the compiler, for the verifier's sake. */
#define barrier_var(var) __asm__ volatile("" : "+r"(var))

#define READ_ONCE(x)                             \
	({                                       \
		if (shim.on_load)                \
			shim.on_load();          \
		*(volatile __typeof__(x) *)&(x); \
	})
#define WRITE_ONCE(x, value)                               \
	do {                                               \
		if (shim.on_store)                         \
			shim.on_store();                   \
		*(volatile __typeof__(x) *)&(x) = (value); \
	} while (0)

#define __sync_val_compare_and_swap(at, old, new)                 \
	({                                                        \
		__typeof__(*(at)) swapped_in = (new);             \
		if (shim.on_store)                                \
			shim.on_store();                          \
		__sync_val_compare_and_swap(at, old, swapped_in); \
	})

/* --- maps ------------------------------------------------------------- */

static void shim__add_map(const void *map, __u32 type, __u32 key_size, __u32 value_size,
			  __u32 max)
{
	struct shim_map *m = &shim.maps[shim.maps_count++];

	assert_true(shim.maps_count <= SHIM_MAPS);
	memset(m, 0, sizeof(*m));
	m->map = map;
	m->type = type;
	m->key_size = key_size;
	m->value_size = value_size;
	m->max = max;
	m->keys = calloc(max, key_size ? key_size : 1);
	m->values = calloc(max, value_size);
	m->used = calloc(max, sizeof(bool));
	assert_true(m->keys && m->values && m->used);
}

/* Of the declared type and sizes, with a size of the test's own. */
#define SHIM_MAP(map, max)                                                           \
	shim__add_map(&(map), sizeof(*(map).type) / sizeof(int), sizeof(*(map).key), \
		      sizeof(*(map).value), max)

static struct shim_map *shim__map(const void *map)
{
	for (int i = 0; i < shim.maps_count; i++)
		if (shim.maps[i].map == map)
			return &shim.maps[i];
	fail_msg("a map that the test did not make");
	return NULL;
}

static bool shim__is_array(const struct shim_map *m)
{
	return m->type == BPF_MAP_TYPE_ARRAY || m->type == BPF_MAP_TYPE_PERCPU_ARRAY;
}

static void *bpf_map_lookup_elem(void *map, const void *key)
{
	struct shim_map *m = shim__map(map);
	__u32 index;

	if (shim__is_array(m)) {
		memcpy(&index, key, sizeof(index));
		return index < m->max ? m->values + (size_t)index * m->value_size
				      : NULL;
	}
	for (__u32 i = 0; i < m->max; i++)
		if (m->used[i] &&
		    !memcmp(m->keys + (size_t)i * m->key_size, key, m->key_size))
			return m->values + (size_t)i * m->value_size;
	return NULL;
}

static long bpf_map_update_elem(void *map, const void *key, const void *value,
				__u64 flags)
{
	struct shim_map *m = shim__map(map);
	void *old = bpf_map_lookup_elem(map, key);

	if (m->fail_updates > 0) {
		m->fail_updates--;
		return m->fail_with;
	}
	if (old && flags == BPF_NOEXIST)
		return -EEXIST;
	if (old) {
		memcpy(old, value, m->value_size);
		return 0;
	}
	for (__u32 i = 0; i < m->max; i++) {
		if (m->used[i])
			continue;
		memcpy(m->keys + (size_t)i * m->key_size, key, m->key_size);
		memcpy(m->values + (size_t)i * m->value_size, value, m->value_size);
		m->used[i] = true;
		m->count++;
		return 0;
	}
	return -E2BIG;
}

static long bpf_map_delete_elem(void *map, const void *key)
{
	struct shim_map *m = shim__map(map);
	__u8 *value = bpf_map_lookup_elem(map, key);

	if (!value)
		return -ENOENT;
	m->used[(value - m->values) / m->value_size] = false;
	m->count--;
	return 0;
}

/* --- user memory, process, time ----------------------------------------- */

/* `bytes` is borrowed and stays visible to changes. */
static void shim__add_memory(__u64 address, const void *bytes, __u64 size)
{
	assert_true(shim.regions_count < SHIM_REGIONS);
	shim.regions[shim.regions_count++] =
		(struct shim_region){.address = address, .size = size, .bytes = bytes};
}

static long bpf_probe_read_user(void *to, __u32 size, const void *from)
{
	__u64 address = (__u64)(uintptr_t)from;

	for (int i = 0; i < shim.regions_count; i++) {
		struct shim_region *r = &shim.regions[i];

		if (address >= r->address && size <= r->size &&
		    address - r->address <= r->size - size) {
			memcpy(to, (const __u8 *)r->bytes + (address - r->address),
			       size);
			return 0;
		}
	}
	memset(to, 0, size);
	return -EFAULT;
}

/* The kernel's stack, leaf first, as far as there is room; in bytes. */
static long bpf_get_stack(void *context, void *to, __u32 size, __u64 flags)
{
	assert_int_equal(flags, 0);
	if (shim.kernel_stack_error)
		return shim.kernel_stack_error;
	if (size > 8 * shim.kernel_stack_count)
		size = 8 * shim.kernel_stack_count;
	memcpy(to, shim.kernel_stack, size);
	return size;
}

static __u64 bpf_get_current_pid_tgid(void)
{
	return shim.pid_tgid;
}

static __u64 bpf_ktime_get_ns(void)
{
	return ++shim.now;
}

/* xorshift: the same in every run. */
static __u32 bpf_get_prandom_u32(void)
{
	static __u32 state = 2463534242u;

	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

static __u32 bpf_get_smp_processor_id(void)
{
	return 1;
}

static long bpf_get_current_comm(void *to, __u32 size)
{
	memcpy(to, shim.comm, size < sizeof(shim.comm) ? size : sizeof(shim.comm));
	return 0;
}

#define bpf_loop(count, callback, context, flags)                        \
	({                                                               \
		__u64 bpf_loop_i;                                        \
		for (bpf_loop_i = 0; bpf_loop_i < (count); bpf_loop_i++) \
			if (callback(bpf_loop_i, context))               \
				break;                                   \
		(long)bpf_loop_i;                                        \
	})

/* The kernel's structs, as far as bpf/process.bpf.h reads them. */
struct task_struct {
	int pid, tgid, exit_code;
	struct task_struct *group_leader;
	struct signal_struct {
		struct {
			int counter;
		} live;
		unsigned int flags;
		int group_exit_code;
	} * signal;
};
#define SHIM_CORE_1(source, a)	       ((source)->a)
#define SHIM_CORE_2(source, a, b)      ((source)->a->b)
#define SHIM_CORE_PICK(_1, _2, x, ...) x
#define BPF_CORE_READ(source, ...) \
	SHIM_CORE_PICK(__VA_ARGS__, SHIM_CORE_2, SHIM_CORE_1)(source, __VA_ARGS__)

static struct task_struct *bpf_get_current_task_btf(void)
{
	return NULL;
}

#define bpf_find_vma(task, address, callback, context, flags)                \
	({                                                                   \
		char shim_name[64] = {};                                     \
		struct dentry shim_dentry = {{shim_name}};                   \
		struct file shim_file = {{&shim_dentry}};                    \
		struct vm_area_struct shim_vma = {                           \
			(address) - shim.executable < 0x10000 ? 4 : 3,       \
			shim.executable_file ? &shim_file : NULL};           \
		if (shim.executable_file)                                    \
			strcpy(shim_name, shim.executable_file);             \
		callback(task, &shim_vma, context);                          \
		0L;                                                          \
	})

static long bpf_probe_read_kernel(void *to, __u32 size, const void *from)
{
	memcpy(to, from, size);
	return 0;
}

/* --- rings ---------------------------------------------------------------- */

static void *bpf_ringbuf_reserve(void *ring, __u64 size, __u64 flags)
{
	struct shim_record *record = &shim.records[shim.records_count];

	if (size > shim.ring_room)
		return NULL;
	assert_true(shim.records_count < SHIM_RECORDS);
	shim.ring_room -= size;
	shim.records_count++;
	/* Reserved memory holds whatever was in the ring before. */
	*record =
		(struct shim_record){.ring = ring, .bytes = malloc(size), .size = size};
	memset(record->bytes, 0xa5, size);
	return record->bytes;
}

static __u64 bpf_ringbuf_query(void *ring, __u64 what)
{
	__u64 size = 0;

	assert_int_equal(what, BPF_RB_AVAIL_DATA);
	for (int i = 0; i < shim.records_count; i++)
		size += shim.records[i].ring == ring ? shim.records[i].size : 0;
	return size;
}

static void bpf_ringbuf_submit(void *bytes, __u64 flags)
{
	for (int i = 0; i < shim.records_count; i++) {
		if (shim.records[i].bytes != bytes)
			continue;
		assert_false(shim.records[i].submitted);
		shim.records[i].submitted = true;
		shim.records[i].flags = flags;
		return;
	}
	fail_msg("submitted what was not reserved");
}

static long bpf_ringbuf_output(void *ring, const void *data, __u64 size, __u64 flags)
{
	void *bytes = bpf_ringbuf_reserve(ring, size, 0);

	if (!bytes)
		return -EAGAIN;
	memcpy(bytes, data, size);
	bpf_ringbuf_submit(bytes, flags);
	return 0;
}

/* --- life ------------------------------------------------------------------- */

static void shim__clear(void)
{
	for (int i = 0; i < shim.maps_count; i++) {
		free(shim.maps[i].keys);
		free(shim.maps[i].values);
		free(shim.maps[i].used);
	}
	for (int i = 0; i < shim.records_count; i++)
		free(shim.records[i].bytes);
	memset(&shim, 0, sizeof(shim));
	shim.ring_room = 1 << 20;
}

#endif /* TIERSCOPE_TESTS_BPF_SHIM_H */
