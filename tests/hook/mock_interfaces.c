/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The interfaces.  Class ids are made up: their low byte says what they are.
 *
 *   0x..01  a plain class: TypeDef row = bits 8..15, module index = bits 16..23
 *   0x..02  an array of rank 1 of the class in bits 8.. (shifted)
 *   0x..03  Gen`1 of the class in bits 8.. (shifted), in module 0
 */
#include "mock_runtime.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct mock *the_mock; /* the interfaces carry no context of ours */

static uint32_t one(struct unknown *self)
{
	(void)self;
	return 1;
}

static hresult info_query(struct unknown *self, const struct guid *iid,
			  void **ret_object)
{
	bool known = guid__equals(iid, &iid_profiler_info12);

	*ret_object = known ? self : NULL;
	return known ? S_OK : E_NOINTERFACE;
}

static struct mock_method *method_of(function_id function)
{
	for (uint32_t i = 0; i < the_mock->methods_count; i++) {
		struct mock_method *method = &the_mock->methods[i];

		if ((function_id)&method->descriptor != function)
			continue;
		the_mock->asked_about_dying +=
			the_mock->sessions && method->listed && !method->module->listed;
		return method;
	}
	return NULL;
}

static struct mock_module *module_of(module_id module)
{
	for (uint32_t i = 0; i < the_mock->modules_count; i++) {
		if ((module_id)the_mock->modules[i].bytes == module)
			return &the_mock->modules[i];
	}
	return NULL;
}

static hresult is_array_class(struct profiler_info *self, class_id class,
			      uint32_t *ret_element_type, class_id *ret_element,
			      uint32_t *ret_rank)
{
	(void)self;
	if ((class & 0xff) != 2)
		return 1;
	*ret_element_type = 0x1d;
	*ret_element = class >> 8;
	*ret_rank = 1;
	return S_OK;
}

static hresult get_module_metadata(struct profiler_info *self, module_id module,
				   uint32_t flags, const struct guid *iid, void **ret)
{
	struct mock_module *asked = module_of(module);

	(void)self;
	(void)flags;
	if (!asked || !guid__equals(iid, &iid_metadata_import))
		return E_FAIL;
	asked->asked_for_metadata++;
	*ret = &the_mock->metadata;
	return S_OK;
}

static hresult get_function_info2(struct profiler_info *self, function_id function,
				  uintptr_t frame, class_id *ret_class,
				  module_id *ret_module, metadata_token *ret_token,
				  uint32_t capacity, uint32_t *ret_count,
				  class_id *ret_arguments)
{
	struct mock_method *method = method_of(function);

	(void)self;
	(void)frame;
	if (!method || method->nameless)
		return E_FAIL;
	*ret_class = method->class;
	*ret_module = (module_id)method->module->bytes;
	*ret_token = method->token;
	*ret_count = method->arguments_count;
	for (uint32_t i = 0; i < capacity && i < method->arguments_count; i++)
		ret_arguments[i] = method->arguments[i];
	return S_OK;
}

/* A name of ASCII; cut off where the buffer ends, as the runtime does. */
static hresult get_dynamic_function_info(struct profiler_info *self, function_id function,
					 module_id *ret_module,
					 const uint8_t **ret_signature,
					 uint32_t *ret_signature_size, uint32_t capacity,
					 uint32_t *ret_length, uint16_t *ret_name)
{
	struct mock_method *method = method_of(function);
	const char *name;
	uint32_t length = 0;

	(void)self;
	if (!method || the_mock->dynamic_refused)
		return E_FAIL;
	the_mock->dynamic_told++;
	name = (const char *)(uintptr_t)method->descriptor.name;
	*ret_module = (module_id)method->module->bytes;
	*ret_signature = (const uint8_t *)(uintptr_t)method->descriptor.signature;
	*ret_signature_size = method->descriptor.signature_size;
	while (length < capacity - 1 && name[length]) {
		ret_name[length] = (uint8_t)name[length];
		length++;
	}
	ret_name[length] = 0;
	*ret_length = length + 1;
	return S_OK;
}

static hresult get_class_id_info2(struct profiler_info *self, class_id class,
				  module_id *ret_module, metadata_token *ret_token,
				  class_id *ret_parent, uint32_t capacity,
				  uint32_t *ret_count, class_id *ret_arguments)
{
	bool generic = (class & 0xff) == 3;

	(void)self;
	(void)ret_parent;
	if (!generic && (class & 0xff) != 1)
		return E_FAIL;
	*ret_module =
		(module_id)the_mock->modules[generic ? 0 : class >> 16 & 0xff].bytes;
	*ret_token = 0x02000000 | (generic ? 0xff : (class >> 8 & 0xff));
	*ret_count = generic;
	if (generic && capacity)
		ret_arguments[0] = class >> 8;
	return S_OK;
}

/* Both enumerations: a list of fixed-size elements, made when asked for. */
struct list {
	struct enumerator iface;
	uint8_t elements[MOCK_METHODS_MAX * 4 * sizeof(struct profiler_function)];
	size_t element_size;
	uint32_t count;
	uint32_t next;
};

static hresult list_next(struct enumerator *self, uint32_t count, void *ret_elements,
			 uint32_t *ret_fetched)
{
	struct list *list = (struct list *)(void *)self;
	uint32_t left = list->count - list->next;

	count = count < left ? count : left;
	memcpy(ret_elements, list->elements + list->next * list->element_size,
	       count * list->element_size);
	list->next += count;
	*ret_fetched = count;
	return count ? S_OK : 1;
}

static hresult list_get_count(struct enumerator *self, uint32_t *ret_count)
{
	*ret_count = ((struct list *)(void *)self)->count;
	return S_OK;
}

static uint32_t list_release(struct unknown *self)
{
	free(self);
	return 0;
}

static struct list *new_list(size_t element_size)
{
	static const struct enumerator_table table = {.unknown = {NULL, one,
								  list_release},
						      .get_count = list_get_count,
						      .next = list_next};
	struct list *list = calloc(1, sizeof(*list));

	if (!list)
		abort();
	list->iface.table = &table;
	list->element_size = element_size;
	return list;
}

static void list_add(struct list *list, const void *element)
{
	memcpy(list->elements + list->count++ * list->element_size, element,
	       list->element_size);
}

static hresult enum_modules(struct profiler_info *self, struct enumerator **ret)
{
	struct list *list = new_list(sizeof(module_id));

	(void)self;
	for (uint32_t i = 0; i < the_mock->modules_count; i++) {
		module_id module = (module_id)the_mock->modules[i].bytes;

		if (the_mock->modules[i].listed)
			list_add(list, &module);
	}
	*ret = &list->iface;
	return S_OK;
}

static hresult enum_jited_functions2(struct profiler_info *self,
				     struct enumerator **ret)
{
	struct list *list = new_list(sizeof(struct profiler_function));

	(void)self;
	for (uint32_t i = 0; i < the_mock->methods_count; i++) {
		struct mock_method *method = &the_mock->methods[i];
		struct profiler_function element = {(function_id)&method->descriptor,
						    0};

		for (uint32_t b = 0; method->listed && b < method->bodies_count; b++)
			list_add(list, &element);
	}
	*ret = &list->iface;
	return S_OK;
}

static hresult get_runtime_information(struct profiler_info *self,
				       uint16_t *ret_instance, uint32_t *ret_type,
				       uint16_t *ret_major, uint16_t *ret_minor,
				       uint16_t *ret_build, uint16_t *ret_revision,
				       uint32_t capacity, uint32_t *ret_length,
				       uint16_t *ret_version)
{
	(void)self;
	(void)ret_instance;
	(void)capacity;
	(void)ret_length;
	(void)ret_version;
	*ret_type = 2;
	*ret_major = the_mock->major;
	*ret_minor = 0;
	*ret_build = 12;
	*ret_revision = 0;
	return S_OK;
}

static hresult get_module_info2(struct profiler_info *self, module_id id,
				const uint8_t **ret_base, uint32_t capacity,
				uint32_t *ret_length, uint16_t *ret_name,
				uintptr_t *ret_assembly, uint32_t *ret_flags)
{
	struct mock_module *module = module_of(id);
	uint32_t length = 0;

	(void)self;
	(void)ret_assembly;
	if (!module)
		return E_FAIL;
	*ret_base = module->image;
	*ret_flags = module->flags;
	while (module->path[length++])
		;
	*ret_length = length;
	if (capacity >= length)
		memcpy(ret_name, module->path, length * sizeof(*ret_name));
	return S_OK;
}

static struct mock_body *body_at(uintptr_t address, struct mock_method **ret_method)
{
	for (uint32_t i = 0; i < the_mock->methods_count; i++) {
		struct mock_method *method = &the_mock->methods[i];

		for (uint32_t b = 0; b < method->bodies_count; b++) {
			uintptr_t start = (uintptr_t)method->bodies[b]->code;

			if (address < start ||
			    address >= start + method->bodies[b]->size)
				continue;
			*ret_method = method;
			return method->bodies[b];
		}
	}
	return NULL;
}

static hresult get_function_from_ip3(struct profiler_info *self, uintptr_t address,
				     function_id *ret_function, rejit_id *ret_rejit)
{
	struct mock_method *method;

	(void)self;
	the_mock->asked_on_session_thread +=
		(uint32_t)syscall(SYS_gettid) == the_mock->session_thread;
	if (!body_at(address, &method))
		return E_FAIL;
	*ret_function = (function_id)&method->descriptor;
	*ret_rejit = 0;
	return S_OK;
}

static hresult get_native_code_start_addresses(struct profiler_info *self,
					       function_id function, rejit_id rejit,
					       uint32_t capacity, uint32_t *ret_count,
					       uintptr_t *ret_starts)
{
	struct mock_method *method = method_of(function);

	(void)self;
	(void)rejit;
	if (!method)
		return E_FAIL;
	*ret_count = method->bodies_count;
	for (uint32_t i = 0; i < capacity && i < method->bodies_count; i++)
		ret_starts[i] = (uintptr_t)method->bodies[i]->code;
	return S_OK;
}

static hresult get_code_info4(struct profiler_info *self, uintptr_t start,
			      uint32_t capacity, uint32_t *ret_count,
			      struct code_info *ret_infos)
{
	struct mock_method *method;
	struct mock_body *body = body_at(start, &method);

	(void)self;
	if (!body || !capacity)
		return E_FAIL;
	if (the_mock->at_question)
		the_mock->at_question(the_mock, start);
	*ret_count = 1;
	ret_infos[0] = (struct code_info){(uintptr_t)body->code, body->size};
	return S_OK;
}

static hresult set_event_mask2(struct profiler_info *self, uint32_t low, uint32_t high)
{
	(void)self;
	the_mock->mask_low = low;
	the_mock->mask_high = high;
	the_mock->masks++;
	return S_OK;
}

static hresult event_pipe_start_session(struct profiler_info *self, uint32_t count,
					struct event_pipe_provider *providers,
					int32_t rundown, uint64_t *ret_session)
{
	(void)self;
	(void)rundown;
	the_mock->session_thread = (uint32_t)syscall(SYS_gettid);
	__atomic_fetch_add(&the_mock->sessions, count == 1, __ATOMIC_ACQ_REL);
	the_mock->provider = providers[0];
	*ret_session = 1;
	return the_mock->session_result;
}

static hresult event_pipe_stop_session(struct profiler_info *self, uint64_t session)
{
	(void)self;
	__atomic_fetch_add(&the_mock->stops, session == 1, __ATOMIC_ACQ_REL);
	return S_OK;
}

static hresult get_event_mask2(struct profiler_info *self, uint32_t *ret_low,
			       uint32_t *ret_high)
{
	(void)self;
	*ret_low = the_mock->mask_low;
	*ret_high = the_mock->mask_high;
	return S_OK;
}

static hresult request_profiler_detach(struct profiler_info *self, uint32_t expected_ms)
{
	(void)self;
	(void)expected_ms;
	__atomic_fetch_add(&the_mock->detaches, 1, __ATOMIC_ACQ_REL);
	return the_mock->detach_result;
}

static hresult event_pipe_get_provider_info(struct profiler_info *self, provider_id id,
					    uint32_t capacity, uint32_t *ret_length,
					    uint16_t *ret_name)
{
	static const uint16_t runtime[] = u"Microsoft-Windows-DotNETRuntime";
	static const uint16_t other[] = u"Somebody-Else";
	const uint16_t *name = id == 1 ? runtime : other;
	uint32_t length = id == 1 ? sizeof(runtime) / 2 : sizeof(other) / 2;

	(void)self;
	*ret_length = length;
	if (capacity >= length)
		memcpy(ret_name, name, length * sizeof(*ret_name));
	return S_OK;
}

static const struct profiler_info_table info_table = {
	.unknown = {info_query, one, one},
	.is_array_class = is_array_class,
	.get_module_metadata = get_module_metadata,
	.get_function_info2 = get_function_info2,
	.get_class_id_info2 = get_class_id_info2,
	.request_profiler_detach = request_profiler_detach,
	.enum_modules = enum_modules,
	.get_runtime_information = get_runtime_information,
	.get_module_info2 = get_module_info2,
	.enum_jited_functions2 = enum_jited_functions2,
	.get_event_mask2 = get_event_mask2,
	.get_function_from_ip3 = get_function_from_ip3,
	.get_dynamic_function_info = get_dynamic_function_info,
	.get_native_code_start_addresses = get_native_code_start_addresses,
	.get_code_info4 = get_code_info4,
	.set_event_mask2 = set_event_mask2,
	.event_pipe_start_session = event_pipe_start_session,
	.event_pipe_stop_session = event_pipe_stop_session,
	.event_pipe_get_provider_info = event_pipe_get_provider_info,
};

void mock__give_interfaces(struct mock *mock)
{
	the_mock = mock;
	mock->info.table = &info_table;
	mock__give_metadata(mock);
}
