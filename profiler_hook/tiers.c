/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The runtime's rule (dotnet/runtime v9.0 and v10.0, src/coreclr/vm:
 * PrepareCodeConfig::GetJitOptimizationTier in method.hpp,
 * TieredCompilationManager::GetInitialOptimizationTier in tieredcompilation.cpp,
 * MethodDesc::IsJitOptimizationDisabled in method.cpp):
 *
 *   eligible for tiering?  yes: call counting disabled? → Optimized, else tier 0
 *                          no:  optimization disabled?  → MinOpt, else Optimized
 *
 * On 8 a method with AggressiveOptimization is eligible, and begins at tier 1; a class
 * constructor that is not eligible is not optimized by the JIT.
 *
 * Call counting is disabled for a method when the JIT, asked for tier 0, chose to
 * optimize, for example because of a loop that OSR cannot leave.  Such methods are
 * in a hash of the loader allocator's call counting manager:
 *
 *   Module → loader allocator → call counting manager, which starts with a
 *   struct runtime_hash of
 *   { u32 kind, 2 for a default version; MethodDesc*; stub*; u16 calls; u8 stage }
 *
 * The offsets are those of 8.0.31, 9.0.20 and 10.0.12.  What is read must look like
 * this hash, or nothing is believed.
 *
 * A method that was compiled this moment is looked up in the hash as the runtime does
 * it (the key is the method's address, plus the version's id, which is 0).  Its MethodDesc
 * and Module are alive, so they are read by plain loads.  The loader allocator that all but
 * collectible modules share lives as long as the process: once its hash has been read
 * through the kernel, it is read by plain loads too.  The slots never are: another thread
 * may free them when the hash grows.  What was read of them counts only if the hash still
 * has them afterwards.  And mostly they need not be read at all: a method is put into the
 * hash while it is compiled, so where the hash is as it was when the thread began, the
 * method is not in it.  (For the worst, a method's tier taken for tier 0, another thread has
 * to take one entry out of the hash and this one has to reuse its place, within one
 * compilation.)
 *
 * Methods with UnmanagedCallersOnly are the exception: the runtime does not tier them,
 * and puts them into the hash right before it tells of the compilation's begin
 * (MethodDesc::PrepareILBasedCode in prestub.cpp).  They are static, so for a static
 * method the hash must be as it was when the thread began the compilation before.  Where
 * one compilation leads to another inside it, the outer method is looked up.
 */
#include "tiers.h"

#include "hash_reader.h"
#include "memory.h"

#include "../publication/runtime_layout.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define SLOTS_MAX		   (1u << 22)
#define SLOTS_AT_ONCE		   MEMORY_READ_EACH_MAX
#define KIND_NODE		   1u
#define KIND_DEFAULT		   2u
#define STAGE_DISABLED		   4u	   /* the last one in 8, 9 and 10 */
#define FLAG_STATIC		   0x80u   /* MethodDesc +6 */
#define MODULE_ALLOWS_OPTIMIZATION 0x800u  /* DEBUGGER_ALLOW_JIT_OPTS_PRIV */

struct offsets {
	uint32_t module_allocator;
	uint32_t module_flags;
	uint32_t allocator_manager;
};

struct counting_info {
	uint32_t kind;
	uint32_t padding;
	uint64_t method;
	uint64_t stub;
	uint16_t calls;
	uint8_t stage;
	uint8_t padding2[5];
};

_Static_assert(sizeof(struct counting_info) == 32, "call counting info layout");

static const struct offsets *offsets_of(const struct hook *hook)
{
	static const struct offsets v8 = {248, 280, 2344};
	static const struct offsets v9 = {248, 296, 2664};
	static const struct offsets v10 = {176, 232, 1992};

	if (hook->runtime_major == 8)
		return &v8;
	if (hook->runtime_major == 9)
		return &v9;
	return hook->runtime_major == 10 ? &v10 : NULL;
}

static bool is_info(const struct counting_info *info)
{
	return (info->kind == KIND_NODE || info->kind == KIND_DEFAULT) &&
	       info->stage <= STAGE_DISABLED;
}

/* false when an entry is not what it should be. */
static bool take_entries(struct tiers *tiers, const uint64_t *addresses, uint32_t count)
{
	struct counting_info infos[SLOTS_AT_ONCE];

	if (memory__read_each(infos, sizeof(infos[0]), addresses, count))
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!is_info(&infos[i]))
			return false;
		if (infos[i].kind == KIND_DEFAULT && infos[i].stage == STAGE_DISABLED)
			(void)table__insert(&tiers->switched, infos[i].method, 1);
	}
	return true;
}

static bool read_hash(struct tiers *tiers, const struct runtime_hash *hash)
{
	uint64_t slots[SLOTS_AT_ONCE];
	uint32_t entries = 0;

	for (uint32_t at = 0; at < hash->size; at += SLOTS_AT_ONCE) {
		uint32_t count = hash->size - at, used = 0;

		count = count < SLOTS_AT_ONCE ? count : SLOTS_AT_ONCE;
		if (memory__read(slots, hash->slots + 8ull * at,
				 count * sizeof(slots[0])))
			return false;
		for (uint32_t i = 0; i < count; i++) {
			if (runtime_hash__is_element(slots[i]))
				slots[used++] = slots[i];
		}
		if (used && !take_entries(tiers, slots, used))
			return false;
		entries += used;
	}
	/* Another thread may add or delete a few meanwhile. */
	return entries <= hash->max;
}

static bool find_hash(struct hook *hook, module_id module, uint64_t *ret_address,
		      struct runtime_hash *ret_hash)
{
	const struct offsets *offsets = offsets_of(hook);
	uint64_t allocator;

	return offsets &&
	       !memory__read(&allocator, module + offsets->module_allocator, 8) &&
	       !memory__read(ret_address, allocator + offsets->allocator_manager, 8) &&
	       !memory__read(ret_hash, *ret_address, sizeof(*ret_hash)) &&
	       runtime_hash__is_plausible(ret_hash, SLOTS_MAX);
}

static bool min_opts_wanted(void)
{
	const char *min_opts = getenv("DOTNET_JITMinOpts");

	return min_opts && *min_opts && strcmp(min_opts, "0");
}

void tiers__load(struct hook *hook, struct tiers *tiers, module_id module)
{
	struct runtime_hash hash, again;
	uint64_t address;

	memset(tiers, 0, sizeof(*tiers));
	tiers->min_opts = min_opts_wanted();
	/* The hash moves when it grows: then it is read again, a few times. */
	for (int attempt = 0; attempt < 3 && !tiers->known; attempt++) {
		if (!find_hash(hook, module, &address, &hash) ||
		    table__create(&tiers->switched, hash.size))
			return;
		tiers->known = read_hash(tiers, &hash) &&
			       !memory__read(&again, address, sizeof(again)) &&
			       again.slots == hash.slots;
		if (!tiers->known)
			table__destroy(&tiers->switched);
	}
}

void tiers__unload(struct tiers *tiers)
{
	if (tiers->known)
		table__destroy(&tiers->switched);
	tiers->known = false;
}

static bool is_unoptimized(const struct hook *hook, uint32_t implementation)
{
	if (hook->runtime_major == 8 &&
	    implementation & METHOD_IMPLEMENTATION_CLASS_CONSTRUCTOR)
		return true;
	return implementation & METHOD_IMPLEMENTATION_NO_OPTIMIZATION;
}

static enum ts_tier without_tiering(bool no_optimization, uint32_t module_flags)
{
	if (no_optimization || !(module_flags & MODULE_ALLOWS_OPTIMIZATION))
		return TS_TIER_MIN_OPT;
	return TS_TIER_OPTIMIZED;
}

enum ts_tier tiers__of_default(struct hook *hook, const struct tiers *tiers,
			       function_id function, module_id module,
			       uint32_t implementation)
{
	const struct offsets *offsets = offsets_of(hook);
	uint32_t module_flags;
	uint16_t flags;

	if (!tiers->known || memory__read(&flags, function, sizeof(flags)) ||
	    memory__read(&module_flags, module + offsets->module_flags,
			 sizeof(module_flags)))
		return TS_TIER_UNKNOWN;
	if (flags & METHOD_IS_ELIGIBLE && hook->runtime_major == 8 &&
	    implementation & METHOD_IMPLEMENTATION_AGGRESSIVE_OPTIMIZATION)
		return TS_TIER_1;
	if (flags & METHOD_IS_ELIGIBLE)
		return table__find(&tiers->switched, function) ? TS_TIER_OPTIMIZED
							       : TS_TIER_QUICK;
	return without_tiering(tiers->min_opts || is_unoptimized(hook, implementation),
			       module_flags);
}

/* --- one method at the moment of its compilation -------------------------------- */

/* 1 switched, 0 not, -EBADMSG it is no such hash, -EFAULT the slots are gone. */
static int look_up(const struct runtime_hash *hash, function_id function)
{
	struct runtime_hash_walk walk = runtime_hash__walk(hash, function);
	struct counting_info info;
	uint64_t element;
	int found;

	while ((found = hash_reader__next(hash, &walk, &element)) > 0) {
		if (memory__read(&info, element, sizeof(info)))
			return -EFAULT;
		if (!is_info(&info))
			return -EBADMSG;
		if (info.kind == KIND_DEFAULT && info.method == function)
			return info.stage == STAGE_DISABLED;
	}
	return found;
}

/* For objects that are alive for certain. */
static uint64_t load(uint64_t address)
{
	uint64_t word;

	memcpy(&word, (const void *)(uintptr_t)address, sizeof(word));
	return word;
}

/*
 * The address of the hash that counts the calls of the module's methods; 0 none.
 * Methods of collectible modules are not tiered, so the first one is the common one.
 */
static uint64_t hash_of(struct hook *hook, module_id module)
{
	uint64_t allocator = load(module + offsets_of(hook)->module_allocator);
	struct runtime_hash hash;
	uint64_t address, none = 0;

	if (allocator == __atomic_load_n(&hook->counting_allocator, __ATOMIC_ACQUIRE))
		return hook->counting_hash;
	if (!find_hash(hook, module, &address, &hash))
		return 0;
	if (__atomic_compare_exchange_n(&hook->counting_hash, &none, address, 0,
					__ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
		__atomic_store_n(&hook->counting_allocator, allocator,
				 __ATOMIC_RELEASE);
	return address;
}

static struct compiler *compiler_of(struct hook *hook, uintptr_t thread)
{
	return &hook->compilers[hook__slot_of(thread, HOOK_COMPILERS)];
}

static bool is_same(const struct compiler *compiler, const struct runtime_hash *hash)
{
	return compiler->slots == hash->slots && compiler->size == hash->size &&
	       compiler->count == hash->count && compiler->occupied == hash->occupied;
}

/* A thread inside another's slot finds the other's name, and looks the method up. */
void tiers__begin(struct hook *hook, function_id function)
{
	uintptr_t thread = (uintptr_t)__builtin_thread_pointer();
	struct compiler *compiler = compiler_of(hook, thread);
	uint64_t address = __atomic_load_n(&hook->counting_hash, __ATOMIC_ACQUIRE);
	struct runtime_hash hash;
	bool quiet;

	if (!address)
		return;
	memcpy(&hash, (const void *)(uintptr_t)address, sizeof(hash));
	quiet = __atomic_load_n(&compiler->thread, __ATOMIC_ACQUIRE) == thread &&
		is_same(compiler, &hash);
	__atomic_store_n(&compiler->thread, 0, __ATOMIC_RELAXED);
	__atomic_thread_fence(__ATOMIC_RELEASE);
	compiler->function = function;
	compiler->quiet = quiet;
	compiler->slots = hash.slots;
	compiler->size = hash.size;
	compiler->count = hash.count;
	compiler->occupied = hash.occupied;
	__atomic_store_n(&compiler->thread, thread, __ATOMIC_RELEASE);
}

static bool is_static(function_id function)
{
	uint16_t flags;

	memcpy(&flags, (const uint8_t *)function + 6, sizeof(flags));
	return flags & FLAG_STATIC;
}

/* Nobody put the function there: see above. */
static bool is_as_it_was(struct hook *hook, uint64_t address,
			 const struct runtime_hash *hash, function_id function)
{
	uintptr_t thread = (uintptr_t)__builtin_thread_pointer();
	struct compiler *compiler = compiler_of(hook, thread);
	bool same;

	if (address != __atomic_load_n(&hook->counting_hash, __ATOMIC_ACQUIRE) ||
	    __atomic_load_n(&compiler->thread, __ATOMIC_ACQUIRE) != thread)
		return false;
	same = compiler->function == function && is_same(compiler, hash) &&
	       (compiler->quiet || !is_static(function));
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
	return same && __atomic_load_n(&compiler->thread, __ATOMIC_RELAXED) == thread;
}

/* 1 the JIT chose to optimize a method of tier 0, 0 it did not, or -Exxx. */
static int is_switched(struct hook *hook, function_id function, module_id module)
{
	uint64_t address = hash_of(hook, module);
	struct runtime_hash hash, again;
	int result = -EBADMSG;

	for (int attempt = 0; address && attempt < 3; attempt++) {
		memcpy(&hash, (const void *)(uintptr_t)address, sizeof(hash));
		if (!runtime_hash__is_plausible(&hash, SLOTS_MAX))
			continue; /* caught while it grows */
		if (hash.size <= 1 || !hash.count ||
		    is_as_it_was(hook, address, &hash, function))
			return 0;
		result = look_up(&hash, function);
		memcpy(&again, (const void *)(uintptr_t)address, sizeof(again));
		if (again.slots == hash.slots && again.size == hash.size)
			break;
		result = -EAGAIN;
	}
	return result;
}

enum ts_tier tiers__of_new(struct hook *hook, function_id function, module_id module,
			   uint32_t implementation)
{
	const struct offsets *offsets = offsets_of(hook);
	uint16_t flags;
	int switched;

	if (!offsets || !module)
		return TS_TIER_UNKNOWN;
	memcpy(&flags, (const void *)function, sizeof(flags));
	if (!(flags & METHOD_IS_ELIGIBLE))
		return without_tiering(is_unoptimized(hook, implementation) ||
					       min_opts_wanted(),
				       (uint32_t)load(module + offsets->module_flags));
	switched = is_switched(hook, function, module);
	if (switched < 0)
		return TS_TIER_UNKNOWN;
	return switched ? TS_TIER_OPTIMIZED : TS_TIER_QUICK;
}
