/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Loading the hook, and modules and methods for it to find.
 */
#include "mock_runtime.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#define CODE_AREA (1u << 20)

static hresult create(struct mock *mock)
{
	static const struct guid clsid = {TS_HOOK_CLSID_BYTES};
	static const struct guid callback2 =
		GUID(0x8a8cc829, 0xccf2, 0x49fe, 0xbb, 0xae, 0x0f, 0x02, 0x22, 0x28,
		     0x07, 0x1a);
	hresult (*get)(const struct guid *, const struct guid *, void **);
	struct class_factory *factory;
	hresult result;

	*(void **)&get = dlsym(mock->library, "DllGetClassObject");
	if (!get)
		return E_FAIL;
	result = get(&clsid, &iid_class_factory, (void **)&factory);
	if (FAILED(result))
		return result;
	return factory->table->create_instance(factory, NULL, &callback2,
					       (void **)&mock->callback);
}

struct mock *mock__new(void)
{
	struct mock *mock = calloc(1, sizeof(*mock));

	if (!mock)
		return NULL;
	mock->major = 10;
	mock->main_profiler = true;
	mock__give_interfaces(mock);
	mock->code = mmap(NULL, CODE_AREA, PROT_READ | PROT_WRITE | PROT_EXEC,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (mmap((void *)MOCK_AREA, MOCK_AREA_BYTES, PROT_READ,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return NULL;
	mock->library = dlopen(getenv("TIERSCOPE_TEST_HOOK"), RTLD_NOW | RTLD_LOCAL);
	if (mock->code == MAP_FAILED || !mock->library || create(mock)) {
		fprintf(stderr, "cannot load the hook: %s\n", dlerror());
		free(mock);
		return NULL;
	}
	return mock;
}

/* As the runtime does it, once the hook has asked. */
void mock__leave(struct mock *mock)
{
	const struct profiler_callback_table *table = mock->callback->table;
	struct ts_mailbox *mailbox = mock__mailbox();

	if (!mailbox)
		return;
	mock->detach_result = S_OK;
	mock->detaches = 0;
	while (!__atomic_load_n(&mock->detaches, __ATOMIC_ACQUIRE)) {
		/* Refused as long as somebody listens: whoever records with this library. */
		if (!__atomic_load_n(&mailbox->command, __ATOMIC_ACQUIRE)) {
			mailbox->command = TS_COMMAND_DETACH;
			mock__ring(mailbox);
		}
		usleep(1000);
	}
	table->profiler_detach_succeeded(mock->callback);
	mock__unmap_mailbox(mailbox);
}

void mock__free(struct mock *mock)
{
	mock__leave(mock);
	dlclose(mock->library);
	munmap(mock->code, CODE_AREA);
	for (uint32_t i = 0; i < mock->modules_count; i++)
		free(mock->modules[i].image);
	free(mock);
}

hresult mock__launch(struct mock *mock)
{
	hresult result;

	if (mock->main_profiler)
		setenv("CORECLR_ENABLE_PROFILING", "1", 1);
	result = mock->callback->table->initialize(
		mock->callback, (struct unknown *)(void *)&mock->info);
	unsetenv("CORECLR_ENABLE_PROFILING");
	return result;
}

const struct ts_journal_header *mock__launched(struct mock *mock)
{
	return mock__launch(mock) == S_OK ? mock__journal() : NULL;
}

hresult mock__attach(struct mock *mock)
{
	const struct profiler_callback_table *table = mock->callback->table;
	hresult result = table->initialize_for_attach(
		mock->callback, (struct unknown *)(void *)&mock->info, NULL, 0);

	return FAILED(result) ? result
			      : table->profiler_attach_complete(mock->callback);
}

struct mock_module *mock__module(struct mock *mock, const uint16_t *path,
				 uint32_t flags)
{
	struct mock_module *module = &mock->modules[mock->modules_count++];
	uint64_t allocator = (uint64_t)(uintptr_t)module->allocator;
	uint32_t allows_optimization = 0x800;

	module->path = path;
	module->flags = flags;
	module->method_table[4] = (uint64_t)(uintptr_t)module->auxiliary;
	module->auxiliary[1] = (uint64_t)(uintptr_t)module->bytes;
	memcpy(module->bytes + 176, &allocator, sizeof(allocator));
	memcpy(module->bytes + 232, &allows_optimization, sizeof(allows_optimization));
	return module;
}

struct mock_method *mock__method(struct mock *mock, struct mock_module *module)
{
	struct mock_method *method = &mock->methods[mock->methods_count++];

	method->module = module;
	method->chunk[0] = (uint64_t)(uintptr_t)module->method_table;
	method->token = 0x06000000 | mock->methods_count;
	method->class = 0x000101;
	method->descriptor.code_data = (uint64_t)(uintptr_t)&method->code_data;
	method->header.method = (uint64_t)(uintptr_t)&method->descriptor;
	return method;
}

uint64_t mock__body(struct mock *mock, struct mock_method *method, const uint8_t *code,
		    uint32_t size)
{
	struct mock_body *body =
		(struct mock_body *)(void *)(mock->code + mock->code_used);

	mock->code_used += (sizeof(*body) + 63) & ~63ull;
	body->header_address = (uint64_t)(uintptr_t)&method->header;
	memcpy(body->code, code, size);
	body->size = size;
	method->bodies[method->bodies_count++] = body;
	return (uint64_t)(uintptr_t)body->code;
}

struct mock_node *mock__node(struct mock_method *method, uint64_t start, uint32_t tier)
{
	struct mock_node *node = &method->nodes[method->nodes_count++];

	*node = (struct mock_node){
		.native_code = start,
		.method = (uint64_t)(uintptr_t)&method->descriptor,
		.next = method->state.first_node,
		.version = method->nodes_count,
		.tier = tier,
		.patchpoints = (uint64_t)(uintptr_t)&method->patchpoints,
	};
	method->code_data.state = (uint64_t)(uintptr_t)&method->state;
	method->state.first_node = (uint64_t)(uintptr_t)node;
	return node;
}
