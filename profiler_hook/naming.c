/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Methods are named from metadata; dynamic ones, which have none, by the runtime
 * where it holds them, else from their descriptor, read as memory: another thread may
 * be taking it down.
 *
 *   DynamicMethodDesc (dotnet/runtime src/coreclr/vm/method.hpp), after the base
 *   of a MethodDesc, 16 bytes in 9 and 10, 8 bytes in 8:
 *   { signature*; u32 signature size; u32 flags; char *name; resolver* }
 */
#include "naming.h"

#include "image_names.h"
#include "memory.h"
#include "names.h"
#include "scope.h"
#include "signature.h"

#define DESCRIPTOR_FLAGS       6 /* u16 of a MethodDesc */
#define CLASSIFICATION_MASK    7u
#define CLASSIFICATION_DYNAMIC 7u
#define CLASS_NAME_DYNAMIC     "dynamicClass"
#define TYPEREF_TABLE	       0x01000000u
#define TYPEDEF_TABLE	       0x02000000u

struct type_names {
	struct naming *naming;
	struct metadata_import *metadata;
};

/* A TypeDef's or TypeRef's own name, without the types around it. */
static void append_type_token(void *context, uint32_t token, struct name *name)
{
	struct type_names *names = context;
	struct metadata_import *metadata = names->metadata;
	uint16_t *units = names->naming->units;
	uint32_t length = 0, table = token & 0xff000000;
	hresult result = E_FAIL;
	metadata_token scope;

	if (metadata && table == TYPEDEF_TABLE)
		result = metadata->table->get_typedef_props(
			metadata, token, units, NAMING_UNITS, &length, NULL, NULL);
	else if (metadata && table == TYPEREF_TABLE)
		result = metadata->table->get_typeref_props(
			metadata, token, &scope, units, NAMING_UNITS, &length);
	if (FAILED(result) || !length || length > NAMING_UNITS) {
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

bool naming__is_dynamic(function_id function)
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

/* What there is of a dynamic method; its name is in naming->method. */
struct dynamic_parts {
	const uint8_t *signature;
	uint32_t signature_size;
	size_t name_size;
};

/* From the runtime, a tenth as dear as to read it: of one that cannot go away meanwhile. */
static bool ask_dynamic(struct hook *hook, struct naming *naming, function_id function,
			struct dynamic_parts *ret_parts)
{
	uint32_t length = 0;
	module_id module;

	/* What it would cut off, reading has whole. */
	if (FAILED(hook->info->table->get_dynamic_function_info(
		    hook->info, function, &module, &ret_parts->signature,
		    &ret_parts->signature_size, NAMING_UNITS, &length, naming->units)) ||
	    !length || length >= NAMING_UNITS)
		return false;
	ret_parts->name_size =
		text__convert((struct utf16){(const uint8_t *)naming->units, length - 1},
			      naming->method, sizeof(naming->method));
	return true;
}

static bool read_dynamic(struct hook *hook, struct naming *naming, function_id function,
			 struct dynamic_parts *ret_parts)
{
	uint64_t base = hook->runtime_major >= 9 ? 16 : 8;
	struct dynamic_descriptor descriptor;

	if (memory__read(&descriptor, function + base, sizeof(descriptor)))
		return false;
	*ret_parts = (struct dynamic_parts){
		.signature = naming->signature_blob,
		.name_size = read_string(naming->method, sizeof(naming->method),
					 descriptor.name),
	};
	if (descriptor.signature_size <= sizeof(naming->signature_blob) &&
	    !memory__read(naming->signature_blob, descriptor.signature,
			  descriptor.signature_size))
		ret_parts->signature_size = descriptor.signature_size;
	return true;
}

static void name_dynamic(struct hook *hook, struct naming *naming, function_id function,
			 bool held, struct text *text)
{
	struct type_names names = {naming, NULL};
	struct name signature = {naming->signature, 0, sizeof(naming->signature), false,
				 NULL};
	struct dynamic_parts parts = {0};

	if (!(held && ask_dynamic(hook, naming, function, &parts)) &&
	    !read_dynamic(hook, naming, function, &parts))
		parts = (struct dynamic_parts){0};
	if (parts.signature_size && parts.signature_size <= sizeof(naming->signature_blob))
		(void)signature__append(parts.signature, parts.signature_size,
					append_type_token, &names, &signature);
	text->parts[0] =
		text_part__utf8(CLASS_NAME_DYNAMIC, sizeof(CLASS_NAME_DYNAMIC) - 1);
	text->parts[1] = text_part__utf8(naming->method, parts.name_size);
	text->parts[2] = text_part__utf8(naming->signature, signature.size);
}

static uint32_t implementation_of(uint32_t implementation, uint32_t attributes)
{
	uint32_t constructor = (attributes & METHOD_ATTRIBUTES_CLASS_CONSTRUCTOR) ==
					       METHOD_ATTRIBUTES_CLASS_CONSTRUCTOR
				       ? METHOD_IMPLEMENTATION_CLASS_CONSTRUCTOR
				       : 0;

	return (implementation & 0xffff) | constructor;
}

/* Of the metadata of a module's own bytes. */
struct image_types {
	const struct metadata *image;
	bool unknown; /* one of them was not told */
};

static void append_image_type(void *context, uint32_t token, struct name *name)
{
	struct image_types *types = context;

	types->unknown |= !image_names__append_type(types->image, token, name);
}

/* False where the module's bytes do not tell it all. */
static bool name_method_in_place(struct naming *naming, const struct metadata *image,
				 metadata_token token, struct text *text,
				 uint32_t *ret_implementation)
{
	struct image_types types = {.image = image};
	struct name signature = {naming->signature, 0, sizeof(naming->signature), false,
				 NULL};
	struct image_method method;

	if (!image || !image_names__method(image, token, &method))
		return false;
	(void)signature__append(method.signature.data, method.signature.size,
				append_image_type, &types, &signature);
	if (types.unknown)
		return false;
	text->parts[1] = text_part__utf8(method.name, method.name_size);
	text->parts[2] = text_part__utf8(naming->signature, signature.size);
	*ret_implementation = implementation_of(method.implementation, method.flags);
	return true;
}

/* False where this reader does not know the method. */
static bool name_method(struct naming *naming, struct metadata_import *metadata,
			metadata_token token, struct text *text,
			uint32_t *ret_implementation)
{
	struct type_names names = {naming, metadata};
	struct name signature = {naming->signature, 0, sizeof(naming->signature), false,
				 NULL};
	uint32_t length = 0, attributes, blob_size = 0, rva, implementation = 0;
	const uint8_t *blob = NULL;
	metadata_token class;
	size_t size;

	if (FAILED(metadata->table->get_method_props(
		    metadata, token, &class, naming->units, NAMING_UNITS, &length,
		    &attributes, &blob, &blob_size, &rva, &implementation)))
		return false;
	*ret_implementation = implementation_of(implementation, attributes);
	length = length < NAMING_UNITS ? length : NAMING_UNITS;
	size = text__convert((struct utf16){(const uint8_t *)naming->units,
					    length ? length - 1 : 0},
			     naming->method, sizeof(naming->method));
	text->parts[1] = text_part__utf8(naming->method, size);
	if (blob)
		(void)signature__append(blob, blob_size, append_type_token, &names,
					&signature);
	text->parts[2] = text_part__utf8(naming->signature, signature.size);
	return true;
}

/* Releases the reader, which may be NULL. */
static bool name_method_by(struct naming *naming, struct metadata_import *metadata,
			   metadata_token token, struct text *text,
			   uint32_t *ret_implementation)
{
	bool known = metadata &&
		     name_method(naming, metadata, token, text, ret_implementation);

	unknown__release(metadata);
	return known;
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

void naming__function(struct hook *hook, struct naming *naming,
		      struct ts_journal_record *draft, bool held, struct text *ret_text,
		      uint32_t *ret_implementation)
{
	struct name type = {naming->type, 0, sizeof(naming->type), false,
			    naming->known};
	struct name arguments = {naming->arguments, 0, sizeof(naming->arguments), false,
				 naming->known};
	class_id classes[NAMES_ARGUMENTS_MAX];
	metadata_token token = 0;
	module_id module = 0;
	class_id class = 0;
	uint32_t count = 0;

	*ret_text = (struct text){.parts_count = 4};
	if (hook__failed(hook,
			 hook->info->table->get_function_info2(
				 hook->info, draft->function_id, 0, &class, &module,
				 &token, NAMES_ARGUMENTS_MAX, &count, classes)))
		return;
	draft->module_id = module;
	if (draft->flags & TS_RECORD_DYNAMIC) {
		name_dynamic(hook, naming, draft->function_id, held, ret_text);
		return;
	}
	draft->token = token;
	names__append_class(hook, class ? class : names__class_of(draft->function_id),
			    &type);
	names__append_classes(hook, classes, count, &arguments);
	ret_text->parts[0] = text_part__utf8(naming->type, type.size);
	ret_text->parts[3] = text_part__utf8(naming->arguments, arguments.size);
	set_generic_flags(draft, &type, &arguments);
	if (!name_method_in_place(naming, image_names__of(hook, module), token,
				  ret_text, ret_implementation) &&
	    !name_method_by(naming, scope__open(hook, module), token, ret_text,
			    ret_implementation) &&
	    !name_method_by(naming, scope__ask(hook, module), token, ret_text,
			    ret_implementation))
		hook__count(hook, TS_HOOK_API_FAILED);
}

void naming__module(struct hook *hook, struct ts_journal_record *draft)
{
	metadata_token token = 0;
	module_id module = 0;
	class_id class;
	uint32_t count;

	if (hook__failed(hook, hook->info->table->get_function_info2(
				       hook->info, draft->function_id, 0, &class,
				       &module, &token, 0, &count, NULL)))
		return;
	draft->module_id = module;
	draft->token = token;
}

struct naming *naming__take(struct hook *hook)
{
	for (unsigned int i = 0; i < HOOK_NAMINGS; i++) {
		if (!__atomic_exchange_n(&hook->naming_taken[i], 1, __ATOMIC_ACQUIRE))
			return &hook->namings[i];
	}
	return NULL;
}

void naming__give_back(struct hook *hook, struct naming *naming)
{
	if (naming)
		__atomic_store_n(&hook->naming_taken[naming - hook->namings], 0,
				 __ATOMIC_RELEASE);
}
