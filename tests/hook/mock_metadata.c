/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Metadata, in two readers: the runtime's, and one that was opened aside, which knows
 * only the first methods and types.  And the image of a module that has it.
 */
#include "mock_runtime.h"

#include <stdio.h>
#include <stdlib.h>

#define SECTION_RVA   0x2000u
#define SECTION_FILE  0x200u
#define SECTION_BYTES 0x100u

static struct mock *the_mock;

/* Every name is made from its token. */
static void give_name(const char *name, uint32_t number, uint16_t *ret_name,
		      uint32_t capacity, uint32_t *ret_length)
{
	char ascii[32];
	uint32_t length = (uint32_t)snprintf(ascii, sizeof(ascii), name, number) + 1;

	*ret_length = length;
	for (uint32_t i = 0; i < length && i < capacity; i++)
		ret_name[i] = (uint16_t)ascii[i];
}

static hresult get_typedef_props(struct metadata *self, metadata_token type,
				 uint16_t *ret_name, uint32_t capacity,
				 uint32_t *ret_length, uint32_t *ret_flags,
				 metadata_token *ret_extends)
{
	(void)self;
	(void)ret_flags;
	(void)ret_extends;
	give_name((type & 0xff) == 0xff ? "NS.Gen`1" : "NS.Type%u", type & 0xff,
		  ret_name, capacity, ret_length);
	return S_OK;
}

static hresult get_method_props(struct metadata *self, metadata_token method,
				metadata_token *ret_class, uint16_t *ret_name,
				uint32_t capacity, uint32_t *ret_length,
				uint32_t *ret_attributes, const uint8_t **ret_signature,
				uint32_t *ret_signature_size, uint32_t *ret_rva,
				uint32_t *ret_implementation)
{
	static const uint8_t signature[] = {0x20, 0x01, 0x08, 0x0e};

	(void)self;
	*ret_class = 0x02000001;
	give_name("Method%u", method & 0xff, ret_name, capacity, ret_length);
	*ret_attributes = 0;
	*ret_signature = signature;
	*ret_signature_size = sizeof(signature);
	*ret_rva = 0;
	*ret_implementation = 0;
	return S_OK;
}

static hresult get_nested_class_props(struct metadata *self, metadata_token type,
				      metadata_token *ret_enclosing)
{
	(void)self;
	/* Type 9 lies in type 8. */
	if (type != 0x02000009)
		return E_FAIL;
	*ret_enclosing = 0x02000008;
	return S_OK;
}

static uint32_t one(struct unknown *self)
{
	(void)self;
	return 1;
}

static const struct metadata_table metadata_table = {
	.unknown = {NULL, one, one},
	.get_typedef_props = get_typedef_props,
	.get_method_props = get_method_props,
	.get_nested_class_props = get_nested_class_props,
};

/* --- the reader aside ------------------------------------------------------------- */

static hresult aside_typedef_props(struct metadata *self, metadata_token type,
				   uint16_t *ret_name, uint32_t capacity,
				   uint32_t *ret_length, uint32_t *ret_flags,
				   metadata_token *ret_extends)
{
	if ((type & 0xff) >= MOCK_ADDED_LATER && (type & 0xff) != 0xff)
		return E_FAIL;
	return get_typedef_props(self, type, ret_name, capacity, ret_length, ret_flags,
				 ret_extends);
}

static hresult aside_method_props(struct metadata *self, metadata_token method,
				  metadata_token *ret_class, uint16_t *ret_name,
				  uint32_t capacity, uint32_t *ret_length,
				  uint32_t *ret_attributes,
				  const uint8_t **ret_signature,
				  uint32_t *ret_signature_size, uint32_t *ret_rva,
				  uint32_t *ret_implementation)
{
	if ((method & 0xff) >= MOCK_ADDED_LATER)
		return E_FAIL;
	return get_method_props(self, method, ret_class, ret_name, capacity, ret_length,
				ret_attributes, ret_signature, ret_signature_size,
				ret_rva, ret_implementation);
}

static uint32_t aside_add_ref(struct unknown *self)
{
	(void)self;
	return __atomic_add_fetch(&the_mock->aside_references, 1, __ATOMIC_ACQ_REL);
}

static uint32_t aside_release(struct unknown *self)
{
	(void)self;
	return __atomic_sub_fetch(&the_mock->aside_references, 1, __ATOMIC_ACQ_REL);
}

static const struct metadata_table aside_table = {
	.unknown = {NULL, aside_add_ref, aside_release},
	.get_typedef_props = aside_typedef_props,
	.get_method_props = aside_method_props,
	.get_nested_class_props = get_nested_class_props,
};

static hresult open_scope_on_memory(struct dispenser *self, const void *bytes,
				    uint32_t size, uint32_t open_flags,
				    const struct guid *iid, void **ret_metadata)
{
	(void)self;
	if (size != MOCK_METADATA_BYTES || memcmp(bytes, "BSJB", 4) ||
	    open_flags != METADATA_READ_ONLY || !the_mock->aside_is_safe ||
	    !guid__equals(iid, &iid_metadata_import))
		return E_FAIL;
	the_mock->aside_opened++;
	aside_add_ref(NULL);
	*ret_metadata = &the_mock->aside;
	return S_OK;
}

static hresult set_option(struct dispenser *self, const struct guid *option,
			  const struct variant *value)
{
	(void)self;
	if (!guid__equals(option, &option_thread_safety) ||
	    value->type != VARIANT_UINT32 || value->value != METADATA_THREAD_SAFETY_ON)
		return E_INVALIDARG;
	the_mock->aside_is_safe = true;
	return S_OK;
}

/* An export of the runtime, found by its name. */
hresult MetaDataGetDispenser(const struct guid *clsid, const struct guid *iid,
			     void **ret_object);
hresult MetaDataGetDispenser(const struct guid *clsid, const struct guid *iid,
			     void **ret_object)
{
	static const struct dispenser_table table = {
		.unknown = {NULL, one, one},
		.open_scope_on_memory = open_scope_on_memory,
		.set_option = set_option,
	};
	static struct dispenser dispenser = {&table};

	if (!guid__equals(clsid, &clsid_dispenser) ||
	    !guid__equals(iid, &iid_dispenser_ex))
		return E_NOINTERFACE;
	the_mock->aside_is_safe = false;
	*ret_object = &dispenser;
	return S_OK;
}

/* --- an image ---------------------------------------------------------------------- */

static void put(uint8_t *image, uint32_t at, uint32_t value)
{
	memcpy(image + at, &value, sizeof(value));
}

/*
 *   0x000 DOS header    0x080 PE header    0x188 one section
 *   0x200 or 0x2000     CLI header (16 bytes of it), then the metadata
 */
void mock__give_image(struct mock_module *module)
{
	uint32_t at = module->flags & MODULE_INFO_FLAT ? SECTION_FILE : SECTION_RVA;
	uint8_t *image = module->image = calloc(1, SECTION_RVA + SECTION_BYTES);

	if (!image)
		abort();
	put(image, 0x3c, 0x80);
	memcpy(image + 0x80, "PE\0\0", 4);
	put(image, 0x86, 1);			/* sections */
	put(image, 0x94, 0xf0);			/* bytes of the optional header */
	put(image, 0x98, 0x20b);
	put(image, 0x98 + 112 + 14 * 8, SECTION_RVA);
	put(image, 0x188 + 12, SECTION_RVA);
	put(image, 0x188 + 16, SECTION_BYTES);
	put(image, 0x188 + 20, SECTION_FILE);
	put(image, at + 8, SECTION_RVA + 0x40);
	put(image, at + 12, MOCK_METADATA_BYTES);
	memcpy(image + at + 0x40, "BSJB", 4);
}

void mock__give_metadata(struct mock *mock)
{
	the_mock = mock;
	mock->metadata.table = &metadata_table;
	mock->aside.table = &aside_table;
}
