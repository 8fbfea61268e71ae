// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Where .NET 8 keeps the versioning states (dotnet/runtime v8.0 src/coreclr/vm/codeversion.h,
 * inc/shash.h; offsets found by matching live values of 8.0.31): in the CodeVersionManager of
 * the application domain, two hashes, one behind the other:
 *
 *   Module               +296  → assembly, which starts with → application domain
 *   application domain  +2496  struct runtime_hash of → IL versioning state, by module and token
 *                       +2520  struct runtime_hash of → versioning state, by MethodDesc
 *   IL versioning state   +32  module  +40 token (u32)
 *   versioning state       +0  MethodDesc
 *
 * The runtime makes a larger hash when one is full, and frees the old one: what was not found
 * counts if the hash is still the same.  The layout is believed once a state was found where
 * its function leads to, which names that function.
 */
#include "version_walk.h"

#include "../../publication/runtime_hash.h"

#include <errno.h>

#define HASH_MAX   (1u << 24)
#define PROBES_MAX 1024u

/* An element begins with these words; which of them name it, its kind says. */
struct element {
	uint64_t words[6];
};

typedef bool names(const struct version_walk *walk, const struct element *element);

static bool is_il_state(const struct version_walk *walk, const struct element *element)
{
	return element->words[4] == walk->module && (uint32_t)element->words[5] == walk->token;
}

static bool is_state(const struct version_walk *walk, const struct element *element)
{
	return element->words[0] == walk->function;
}

static int read_hash(const struct version_walk *walk, uint64_t address,
		     struct runtime_hash *ret_hash)
{
	int err = version_walk__fetch(walk, address, ret_hash, sizeof(*ret_hash));

	if (err)
		return err;
	return runtime_hash__is_plausible(ret_hash, HASH_MAX) ? 0 : -EBADMSG;
}

/* 0: it is not there. */
static int search(const struct version_walk *walk, const struct runtime_hash *hash,
		  uint64_t key, uint32_t words, names *is_it, uint64_t *ret_address)
{
	struct runtime_hash_walk places = runtime_hash__walk(hash, key);
	uint64_t place;

	*ret_address = 0;
	for (uint32_t i = 0; i < PROBES_MAX && runtime_hash__next_place(hash, &places, &place);
	     i++) {
		struct element element = { { 0 } };
		uint64_t entry;
		int err = version_walk__fetch(walk, place, &entry, sizeof(entry));

		if (err || !entry)
			return err;
		if (!runtime_hash__is_element(entry))
			continue;
		err = version_walk__fetch(walk, entry, &element, 8ull * words);
		if (err)
			return err;
		if (is_it(walk, &element)) {
			*ret_address = entry;
			return 0;
		}
	}
	return 0;
}

static int find(const struct version_walk *walk, uint32_t offset, uint64_t key,
		uint32_t words, names *is_it, uint64_t *ret_address)
{
	struct runtime_hash hash, again;
	int err = read_hash(walk, walk->domain + offset, &hash);

	if (err)
		return err;
	err = search(walk, &hash, key, words, is_it, ret_address);
	if (!err && *ret_address)
		return 0;
	if (read_hash(walk, walk->domain + offset, &again) || again.slots != hash.slots)
		return -EAGAIN;
	return err;
}

int domain_states__find_domain(struct version_walk *walk)
{
	uint64_t assembly;
	int err;

	if (!walk->module)
		return -ENOTSUP;
	err = version_walk__fetch(walk, walk->module + walk->layout->assembly, &assembly,
				  sizeof(assembly));
	return err ? err : version_walk__fetch(walk, assembly, &walk->domain,
					       sizeof(walk->domain));
}

int domain_states__find_il(const struct version_walk *walk, uint64_t *ret_state)
{
	return find(walk, walk->layout->il_states, walk->module ^ walk->token, 6, is_il_state,
		    ret_state);
}

int domain_states__find(const struct version_walk *walk, uint64_t *ret_state)
{
	int err = find(walk, walk->layout->states, walk->function, 3, is_state, ret_state);

	if (!err && *ret_state)
		walk->layout->is_proven = true;
	return !err && !walk->layout->is_proven ? -ENOTSUP : err;
}
