/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Methods are named from metadata; dynamic ones, which have none, from their
 * descriptor, read as memory: another thread may be taking it down.
 *
 *   DynamicMethodDesc (dotnet/runtime src/coreclr/vm/method.hpp), after the base
 *   of a MethodDesc, 16 bytes in 9 and 10, 8 bytes in 8:
 *   { signature*; u32 signature size; u32 flags; char *name; resolver* }
 */
#include "found.h"

#include "memory.h"
#include "names.h"
#include "signature.h"

#define DESCRIPTOR_FLAGS       6 /* u16 of a MethodDesc */
#define CLASSIFICATION_MASK    7u
#define CLASSIFICATION_DYNAMIC 7u
#define CLASS_NAME_DYNAMIC     "dynamicClass"
#define TYPEREF_TABLE	       0x01000000u
#define TYPEDEF_TABLE	       0x02000000u

struct type_names {
	struct found *found;
	struct metadata *metadata;
};

/* A TypeDef's or TypeRef's own name, without the types around it. */
static void append_type_token(void *context, uint32_t token, struct name *name)
{
	struct type_names *names = context;
	struct metadata *metadata = names->metadata;
	uint16_t *units = names->found->units;
	uint32_t length = 0, table = token & 0xff000000;
	hresult result = E_FAIL;
	metadata_token scope;

	if (metadata && table == TYPEDEF_TABLE)
		result = metadata->table->get_typedef_props(
			metadata, token, units, FOUND_NAME_UNITS, &length, NULL, NULL);
	else if (metadata && table == TYPEREF_TABLE)
		result = metadata->table->get_typeref_props(
			metadata, token, &scope, units, FOUND_NAME_UNITS, &length);
	if (FAILED(result) || !length || length > FOUND_NAME_UNITS) {
		name__append_string(name, "?");
		return;
	}
	name->size +=
		text__convert((struct utf16){(const uint8_t *)units, length - 1},
			      name->bytes + name->size, name->capacity - name->size);
}

/* At most `capacity` - 1 bytes; never reads over the end of a 64-byte line. */
static size_t read_string(char *ret_string, size_t capacity, uint64_t address)
{
	size_t size = 0;

	while (size < capacity - 1) {
		size_t chunk = 64 - (address + size) % 64;
		char *end;

		chunk = chunk < capacity - 1 - size ? chunk : capacity - 1 - size;
		if (memory__read(ret_string + size, address + size, chunk))
			return 0;
		end = memchr(ret_string + size, 0, chunk);
		if (end)
			return (size_t)(end - ret_string);
		size += chunk;
	}
	return size;
}

static bool is_dynamic(function_id function)
{
	uint16_t flags;

	return !memory__read(&flags, function + DESCRIPTOR_FLAGS, sizeof(flags)) &&
	       (flags & CLASSIFICATION_MASK) == CLASSIFICATION_DYNAMIC;
}

struct dynamic_descriptor {
	uint64_t signature;
	uint32_t signature_size;
	uint32_t flags;
	uint64_t name;
};

static void name_dynamic(struct found *found, function_id function, struct text *text)
{
	struct type_names names = {found, NULL};
	struct name signature = {found->signature, 0, sizeof(found->signature), false};
	uint64_t base = found->hook->runtime_major >= 9 ? 16 : 8;
	struct dynamic_descriptor descriptor;
	size_t size = 0;

	text->parts[0] =
		text_part__utf8(CLASS_NAME_DYNAMIC, sizeof(CLASS_NAME_DYNAMIC) - 1);
	if (!memory__read(&descriptor, function + base, sizeof(descriptor))) {
		size = read_string(found->method, sizeof(found->method),
				   descriptor.name);
		if (descriptor.signature_size <= sizeof(found->signature_blob) &&
		    !memory__read(found->signature_blob, descriptor.signature,
				  descriptor.signature_size))
			(void)signature__append(found->signature_blob,
						descriptor.signature_size,
						append_type_token, &names, &signature);
	}
	text->parts[1] = text_part__utf8(found->method, size);
	text->parts[2] = text_part__utf8(found->signature, signature.size);
}

static void name_method(struct found *found, struct metadata *metadata,
			metadata_token token, struct text *text,
			bool *ret_no_optimization)
{
	struct type_names names = {found, metadata};
	struct name signature = {found->signature, 0, sizeof(found->signature), false};
	uint32_t length = 0, attributes, blob_size = 0, rva, implementation = 0;
	const uint8_t *blob = NULL;
	metadata_token class;
	size_t size;

	if (hook__failed(found->hook,
			 metadata->table->get_method_props(
				 metadata, token, &class, found->units,
				 FOUND_NAME_UNITS, &length, &attributes, &blob,
				 &blob_size, &rva, &implementation)))
		return;
	*ret_no_optimization = implementation & METHOD_IMPLEMENTATION_NO_OPTIMIZATION;
	length = length < FOUND_NAME_UNITS ? length : FOUND_NAME_UNITS;
	size = text__convert((struct utf16){(const uint8_t *)found->units,
					    length ? length - 1 : 0},
			     found->method, sizeof(found->method));
	text->parts[1] = text_part__utf8(found->method, size);
	if (blob)
		(void)signature__append(blob, blob_size, append_type_token, &names,
					&signature);
	text->parts[2] = text_part__utf8(found->signature, signature.size);
}

static void set_generic_flags(struct ts_journal_record *draft, const struct name *type,
			      const struct name *arguments)
{
	static const char canon[] = "System.__Canon";

	if (!arguments->size && !memchr(type->bytes, '[', type->size))
		return;
	draft->flags |= TS_RECORD_GENERIC;
	if (memmem(type->bytes, type->size, canon, sizeof(canon) - 1) ||
	    memmem(arguments->bytes, arguments->size, canon, sizeof(canon) - 1))
		draft->flags |= TS_RECORD_SHARED_GENERIC;
}

void found__name(struct found *found, struct ts_journal_record *draft,
		 struct text *ret_text, bool *ret_no_optimization)
{
	struct name type = {found->type, 0, sizeof(found->type), false};
	struct name arguments = {found->arguments, 0, sizeof(found->arguments), false};
	struct hook *hook = found->hook;
	struct metadata *metadata = NULL;
	metadata_token token = 0;
	module_id module = 0;
	class_id class = 0;
	uint32_t count;

	*ret_text = (struct text){.parts_count = 4};
	if (hook__failed(hook, hook->info->table->get_function_info2(
				       hook->info, draft->function_id, 0, &class,
				       &module, &token, 0, &count, NULL)))
		return;
	draft->module_id = module;
	if (is_dynamic(draft->function_id)) {
		draft->flags |= TS_RECORD_DYNAMIC;
		name_dynamic(found, draft->function_id, ret_text);
		return;
	}
	draft->token = token;
	names__append_class(hook, class ? class : names__class_of(draft->function_id),
			    &type);
	names__append_method_arguments(hook, draft->function_id, &arguments);
	ret_text->parts[0] = text_part__utf8(found->type, type.size);
	ret_text->parts[3] = text_part__utf8(found->arguments, arguments.size);
	set_generic_flags(draft, &type, &arguments);
	if (hook__failed(hook, hook->info->table->get_module_metadata(
				       hook->info, module, 0, &iid_metadata_import,
				       (void **)&metadata)) ||
	    !metadata)
		return;
	name_method(found, metadata, token, ret_text, ret_no_optimization);
	unknown__release(metadata);
}
