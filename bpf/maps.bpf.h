/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Every map of the kernel side.  They are weak so that code.bpf.c and
 * sample.bpf.c, each a program file of its own, share one copy when linked.
 * Sizes here are defaults; the loader sets them before it loads.
 */
#ifndef TIERSCOPE_MAPS_BPF_H
#define TIERSCOPE_MAPS_BPF_H

#include "../abi/codemap.h"
#include "../abi/ledger.h"
#include "../abi/offcpu.h"
#include "../abi/ring.h"
#include "../abi/space.h"

/* Set by the loader before it loads, constant then; the unit tests set it freely. */
#ifdef __bpf__
#define KNOB const volatile
#else
#define KNOB volatile
#endif

/* Not 0: kernel frames too.  The verifier takes the code out where it is 0. */
KNOB __u32 kernel_stacks __weak = 0;

/* tgid -> the process as we number it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct ts_space);
} spaces SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct ts_address_key);
	__type(value, struct ts_slot);
} slots SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 8192);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct ts_address_key);
	__type(value, struct ts_jit_slot);
} jit_slots SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, struct ts_jit_page);
} jit_granules SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 131072);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ts_body_row);
} bodies SEC(".maps") __weak;

/*
 * Samples whose leaf lies in a body: of each row, one for each event that is recorded.
 * The loader makes it as large as its events ask for.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 131072);
	__type(key, __u32);
	__type(value, __u64);
} leaf_counts SEC(".maps") __weak;

/* Rows and pages that were given back: freelist.bpf.h. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 131072);
	__type(key, __u32);
	__type(value, __u32);
} free_rows SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 8192);
	__type(key, __u32);
	__type(value, __u32);
} free_pages SEC(".maps") __weak;

/* Tables of precompiled images and of native files; the loader writes them through mmap. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1536);
	__type(key, __u32);
	__type(value, struct ts_image);
} images SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 81920); /* 80 MB of code */
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ts_image_granules);
} image_granules SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 917504);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ts_image_row);
} image_rows SEC(".maps") __weak;

/* The one walk that is being finished. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ts_finish);
} finishing SEC(".maps") __weak;

/* The return-address cache, TS_RETURNS for each CPU, with --off-cpu as many again for
 * switches: returns.bpf.h.  Mapped memory begins with a page, so that no entry lies on two
 * cache lines. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16 * TS_RETURNS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ts_return);
} returns SEC(".maps") __weak;

/* Beside each of those caches: TS_LEAVES leaves, TS_PATHS walks before. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16 * TS_LEAVES);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ts_leaf);
} leaf_cache SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 16 * TS_PATHS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ts_path);
} paths SEC(".maps") __weak;

/* Where the time of threads goes, by TS_THREAD_INDEX; one row when nobody asks. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct ts_thread);
} threads SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20);
} samples SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 2 << 20);
} code_events SEC(".maps") __weak;

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, TS_LEDGER_SLOTS);
	__type(key, __u32);
	__type(value, __u64);
} ledger SEC(".maps") __weak;

#endif /* TIERSCOPE_MAPS_BPF_H */
