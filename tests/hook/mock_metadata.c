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
#define SECTION_BYTES 0x200u
#define METADATA_AT   0x40u /* in the section */

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

static hresult get_typedef_props(struct metadata_import *self, metadata_token type,
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

static hresult get_method_props(struct metadata_import *self, metadata_token method,
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

static hresult get_nested_class_props(struct metadata_import *self, metadata_token type,
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

static const struct metadata_import_table metadata_table = {
	.unknown = {NULL, one, one},
	.get_typedef_props = get_typedef_props,
	.get_method_props = get_method_props,
	.get_nested_class_props = get_nested_class_props,
};

/* --- the reader aside ------------------------------------------------------------- */

static hresult aside_typedef_props(struct metadata_import *self, metadata_token type,
				   uint16_t *ret_name, uint32_t capacity,
				   uint32_t *ret_length, uint32_t *ret_flags,
				   metadata_token *ret_extends)
{
	if ((type & 0xff) >= MOCK_ADDED_LATER && (type & 0xff) != 0xff)
		return E_FAIL;
	return get_typedef_props(self, type, ret_name, capacity, ret_length, ret_flags,
				 ret_extends);
}

static hresult aside_method_props(struct metadata_import *self, metadata_token method,
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

static const struct metadata_import_table aside_table = {
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
	put(image, at + 8, SECTION_RVA + METADATA_AT);
	put(image, at + 12, MOCK_METADATA_BYTES);
	memcpy(image + at + METADATA_AT, "BSJB", 4);
}

struct writer {
	uint8_t *bytes;
	uint32_t at;
};

static void write_bytes(struct writer *writer, const void *bytes, uint32_t size)
{
	if (writer->at + size > MOCK_METADATA_BYTES)
		abort();
	memcpy(writer->bytes + writer->at, bytes, size);
	writer->at += size;
}

static void write_number(struct writer *writer, uint64_t number, uint32_t size)
{
	write_bytes(writer, &number, size);
}

static void write_stream(struct writer *writer, uint32_t at, uint32_t size,
			 const char *name, uint32_t name_bytes)
{
	write_number(writer, at, 4);
	write_number(writer, size, 4);
	write_bytes(writer, name, name_bytes);
}

/* TypeDef, MethodDef and NestedClass: type 3 lies in type 2. */
static void write_tables(struct writer *writer)
{
	static const struct {
		uint16_t flags, name, space;
	} types[MOCK_IN_PLACE_ROWS] = {{0, 0x01, 0}, {1, 0x0d, 0x0a}, {2, 0x13, 0}, {1, 0x27, 0}};
	static const uint16_t methods[MOCK_IN_PLACE_ROWS] = {0x01, 0x1a, 0x1f, 0x27};

	write_number(writer, 0, 4);
	write_number(writer, 2, 4); /* version 2.0; all indexes have two bytes */
	write_number(writer, 1ull << 0x02 | 1ull << 0x06 | 1ull << 0x29, 8);
	write_number(writer, 0, 8);
	write_number(writer, MOCK_IN_PLACE_ROWS, 4);
	write_number(writer, MOCK_IN_PLACE_ROWS, 4);
	write_number(writer, 1, 4);
	for (uint32_t i = 0; i < MOCK_IN_PLACE_ROWS; i++) {
		write_number(writer, types[i].flags, 4);
		write_number(writer, types[i].name, 2);
		write_number(writer, types[i].space, 2);
		write_number(writer, 0, 2); /* extends */
		write_number(writer, 1, 2); /* fields */
		write_number(writer, i + 1, 2);
	}
	for (uint32_t i = 0; i < MOCK_IN_PLACE_ROWS; i++) {
		write_number(writer, 0, 4);
		write_number(writer, 0, 2);
		write_number(writer, 0, 2);
		write_number(writer, methods[i], 2);
		write_number(writer, 1, 2); /* signature */
		write_number(writer, 1, 2); /* parameters */
	}
	write_number(writer, 3, 2);
	write_number(writer, 2, 2);
}

void mock__give_whole_image(struct mock_module *module)
{
	static const char strings[0x30] = "\0<Module>\0NS\0Place\0Nested\0Here\0There\0"
					  "\0\0\303\226\0";
	/* instance class NS.Place (int32) */
	static const uint8_t blobs[8] = {0, 5, 0x20, 1, 0x12, 2 << 2, 0x08};
	struct writer writer = {.at = 0};
	uint32_t root;

	mock__give_image(module);
	root = (module->flags & MODULE_INFO_FLAT ? SECTION_FILE : SECTION_RVA) + METADATA_AT;
	writer.bytes = module->image + root;
	write_bytes(&writer, "BSJB\1\0\1\0\0\0\0\0\4\0\0\0v4.0\0\0\3\0", 24);
	write_stream(&writer, 0x50, 0x30, "#Strings\0\0\0", 12);
	write_stream(&writer, 0x80, 0x08, "#Blob\0\0", 8);
	write_stream(&writer, 0x90, MOCK_METADATA_BYTES - 0x90, "#~\0", 4);
	writer.at = 0x50;
	write_bytes(&writer, strings, sizeof(strings));
	write_bytes(&writer, blobs, sizeof(blobs));
	writer.at = 0x90;
	write_tables(&writer);
}

void mock__give_metadata(struct mock *mock)
{
	the_mock = mock;
	mock->metadata.table = &metadata_table;
	mock->aside.table = &aside_table;
}
