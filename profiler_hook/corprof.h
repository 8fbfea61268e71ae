/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The runtime's profiling and metadata interfaces, as far as the hook uses
 * them.  The slot order is the declaration order of dotnet/runtime
 * src/coreclr/inc/corprof.idl and cor.h (the same in 8, 9 and 10).  Slots that
 * the hook never calls, or never wants to be called on, are gaps; each slot
 * in use is pinned by its index.
 */
#ifndef TIERSCOPE_HOOK_CORPROF_H
#define TIERSCOPE_HOOK_CORPROF_H

#include "com.h"

#include <stddef.h>

#define ASSERT_SLOT(type, member, index)                                   \
	_Static_assert(offsetof(type, member) == (index) * sizeof(void *), \
		       #type "." #member " is slot " #index)

/* Type parameters of the interfaces are names only: see clr documentation. */
typedef uintptr_t function_id;
typedef uintptr_t module_id;
typedef uintptr_t class_id;
typedef uintptr_t thread_id;
typedef uintptr_t rejit_id;
typedef uintptr_t provider_id;
typedef uint32_t metadata_token;

/* --- class factory ----------------------------------------------------- */

struct class_factory;

struct class_factory_table {
	hresult (*query_interface)(struct class_factory *self, const struct guid *iid,
				   void **ret_object);
	uint32_t (*add_ref)(struct class_factory *self);
	uint32_t (*release)(struct class_factory *self);
	hresult (*create_instance)(struct class_factory *self, struct unknown *outer,
				   const struct guid *iid, void **ret_object);
	hresult (*lock_server)(struct class_factory *self, int32_t lock);
};

struct class_factory {
	const struct class_factory_table *table;
};

ASSERT_SLOT(struct class_factory_table, create_instance, 3);
ASSERT_SLOT(struct class_factory_table, lock_server, 4);

/* --- what the runtime calls: ICorProfilerCallback .. 11 ------------------ */

struct profiler_callback;

/* Every argument is in a register or cleaned up by the caller, so that one
 * function without parameters can stand in all slots that are not used. */
typedef hresult (*callback_unused)(void);

struct profiler_callback_table {
	hresult (*query_interface)(struct profiler_callback *self,
				   const struct guid *iid, void **ret_object);
	uint32_t (*add_ref)(struct profiler_callback *self);
	uint32_t (*release)(struct profiler_callback *self);
	hresult (*initialize)(struct profiler_callback *self, struct unknown *info);
	hresult (*shutdown)(struct profiler_callback *self);
	callback_unused unused_5_to_13[9];
	hresult (*module_load_finished)(struct profiler_callback *self,
					module_id module, hresult result);
	hresult (*module_unload_started)(struct profiler_callback *self,
					 module_id module);
	callback_unused unused_16_to_22[7];
	hresult (*jit_compilation_started)(struct profiler_callback *self,
					   function_id function,
					   int32_t is_safe_to_block);
	hresult (*jit_compilation_finished)(struct profiler_callback *self,
					    function_id function, hresult result,
					    int32_t is_safe_to_block);
	callback_unused unused_25[1];
	hresult (*jit_cached_function_search_finished)(struct profiler_callback *self,
						       function_id function,
						       uint32_t result);
	callback_unused unused_27_to_79[53];
	hresult (*initialize_for_attach)(struct profiler_callback *self,
					 struct unknown *info, const void *client_data,
					 uint32_t client_data_size);
	hresult (*profiler_attach_complete)(struct profiler_callback *self);
	hresult (*profiler_detach_succeeded)(struct profiler_callback *self);
	callback_unused unused_83_to_92[10];
	hresult (*dynamic_method_jit_compilation_finished)(
		struct profiler_callback *self, function_id function, hresult result,
		int32_t is_safe_to_block);
	hresult (*dynamic_method_unloaded)(struct profiler_callback *self,
					   function_id function);
	hresult (*event_pipe_event_delivered)(
		struct profiler_callback *self, provider_id provider, uint32_t event,
		uint32_t version, uint32_t metadata_size, const uint8_t *metadata,
		uint32_t payload_size, const uint8_t *payload,
		const struct guid *activity, const struct guid *related_activity,
		thread_id thread, uint32_t frames_count, const uintptr_t *frames);
	callback_unused unused_96[1];
	hresult (*load_as_notification_only)(struct profiler_callback *self,
					     int32_t *ret_notification_only);
};

struct profiler_callback {
	const struct profiler_callback_table *table;
};

ASSERT_SLOT(struct profiler_callback_table, initialize, 3);
ASSERT_SLOT(struct profiler_callback_table, shutdown, 4);
ASSERT_SLOT(struct profiler_callback_table, module_load_finished, 14);
ASSERT_SLOT(struct profiler_callback_table, module_unload_started, 15);
ASSERT_SLOT(struct profiler_callback_table, jit_compilation_started, 23);
ASSERT_SLOT(struct profiler_callback_table, jit_compilation_finished, 24);
ASSERT_SLOT(struct profiler_callback_table, jit_cached_function_search_finished, 26);
ASSERT_SLOT(struct profiler_callback_table, initialize_for_attach, 80);
ASSERT_SLOT(struct profiler_callback_table, profiler_attach_complete, 81);
ASSERT_SLOT(struct profiler_callback_table, profiler_detach_succeeded, 82);
ASSERT_SLOT(struct profiler_callback_table, dynamic_method_jit_compilation_finished, 93);
ASSERT_SLOT(struct profiler_callback_table, dynamic_method_unloaded, 94);
ASSERT_SLOT(struct profiler_callback_table, event_pipe_event_delivered, 95);
ASSERT_SLOT(struct profiler_callback_table, load_as_notification_only, 97);

/* COR_PRF_MONITOR and COR_PRF_HIGH_MONITOR: what an event mask asks for. */
#define MONITOR_MODULE_LOADS		  0x4u
#define MONITOR_JIT_COMPILATION		  0x20u
#define MONITOR_CACHE_SEARCHES		  0x20000u
#define HIGH_MONITOR_DYNAMIC_UNLOADS	  0x4u
#define CACHED_FUNCTION_FOUND		  0u /* COR_PRF_JIT_CACHE */

/* --- what the hook calls: ICorProfilerInfo .. 12 -------------------------- */

struct code_info {
	uintptr_t start;
	size_t size;
};

struct profiler_function {
	function_id function;
	rejit_id rejit;
};

struct event_pipe_provider {
	const uint16_t *name;
	uint64_t keywords;
	uint32_t level;
	uint32_t padding;
	const uint16_t *filter;
};

_Static_assert(sizeof(struct event_pipe_provider) == 32, "provider layout");

#define MODULE_INFO_DYNAMIC	0x4u  /* COR_PRF_MODULE_DYNAMIC */
#define MODULE_INFO_COLLECTIBLE 0x8u  /* COR_PRF_MODULE_COLLECTIBLE */
#define MODULE_INFO_FLAT	0x20u /* COR_PRF_MODULE_FLAT_LAYOUT */

/* Both enumerators have the same slots; only their element differs. */
struct enumerator;

struct enumerator_table {
	struct unknown_table unknown;
	const void *unused_3_to_5[3];
	hresult (*get_count)(struct enumerator *self, uint32_t *ret_count);
	hresult (*next)(struct enumerator *self, uint32_t count, void *ret_elements,
			uint32_t *ret_fetched);
};

struct enumerator {
	const struct enumerator_table *table;
};

ASSERT_SLOT(struct enumerator_table, get_count, 6);
ASSERT_SLOT(struct enumerator_table, next, 7);

struct profiler_info;

struct profiler_info_table {
	struct unknown_table unknown;
	const void *unused_3_to_10[8];
	hresult (*is_array_class)(struct profiler_info *self, class_id class,
				  uint32_t *ret_element_type, class_id *ret_element,
				  uint32_t *ret_rank);
	const void *unused_12_to_20[9];
	hresult (*get_module_metadata)(struct profiler_info *self, module_id module,
				       uint32_t open_flags, const struct guid *iid,
				       void **ret_metadata);
	const void *unused_22_to_37[16];
	hresult (*get_function_info2)(struct profiler_info *self, function_id function,
				      uintptr_t frame, class_id *ret_class,
				      module_id *ret_module, metadata_token *ret_token,
				      uint32_t capacity, uint32_t *ret_count,
				      class_id *ret_arguments);
	const void *unused_39_to_40[2];
	hresult (*get_class_id_info2)(struct profiler_info *self, class_id class,
				      module_id *ret_module, metadata_token *ret_token,
				      class_id *ret_parent, uint32_t capacity,
				      uint32_t *ret_count, class_id *ret_arguments);
	const void *unused_42_to_57[16];
	hresult (*request_profiler_detach)(struct profiler_info *self,
					   uint32_t expected_ms);
	const void *unused_59_to_65[7];
	hresult (*enum_modules)(struct profiler_info *self,
				struct enumerator **ret_enumerator);
	hresult (*get_runtime_information)(struct profiler_info *self,
					   uint16_t *ret_instance, uint32_t *ret_type,
					   uint16_t *ret_major, uint16_t *ret_minor,
					   uint16_t *ret_build, uint16_t *ret_revision,
					   uint32_t capacity, uint32_t *ret_length,
					   uint16_t *ret_version);
	const void *unused_68_to_69[2];
	hresult (*get_module_info2)(struct profiler_info *self, module_id module,
				    const uint8_t **ret_base, uint32_t capacity,
				    uint32_t *ret_length, uint16_t *ret_name,
				    uintptr_t *ret_assembly, uint32_t *ret_flags);
	const void *unused_71_to_78[8];
	hresult (*enum_jited_functions2)(struct profiler_info *self,
					 struct enumerator **ret_enumerator);
	const void *unused_80[1];
	hresult (*get_event_mask2)(struct profiler_info *self, uint32_t *ret_low,
				   uint32_t *ret_high);
	hresult (*set_event_mask2)(struct profiler_info *self, uint32_t low,
				   uint32_t high);
	const void *unused_83_to_87[5];
	hresult (*get_function_from_ip3)(struct profiler_info *self, uintptr_t address,
					 function_id *ret_function,
					 rejit_id *ret_rejit);
	/* The name's length counts the zero at its end; the signature is the runtime's own. */
	hresult (*get_dynamic_function_info)(struct profiler_info *self,
					     function_id function, module_id *ret_module,
					     const uint8_t **ret_signature,
					     uint32_t *ret_signature_size,
					     uint32_t capacity, uint32_t *ret_length,
					     uint16_t *ret_name);
	hresult (*get_native_code_start_addresses)(struct profiler_info *self,
						   function_id function, rejit_id rejit,
						   uint32_t capacity,
						   uint32_t *ret_count,
						   uintptr_t *ret_starts);
	const void *unused_91[1];
	hresult (*get_code_info4)(struct profiler_info *self, uintptr_t start,
				  uint32_t capacity, uint32_t *ret_count,
				  struct code_info *ret_infos);
	const void *unused_93_to_100[8];
	hresult (*event_pipe_start_session)(struct profiler_info *self,
					    uint32_t providers_count,
					    struct event_pipe_provider *providers,
					    int32_t rundown, uint64_t *ret_session);
	const void *unused_102[1];
	hresult (*event_pipe_stop_session)(struct profiler_info *self,
					   uint64_t session);
	const void *unused_104[1];
	hresult (*event_pipe_get_provider_info)(struct profiler_info *self,
						provider_id provider, uint32_t capacity,
						uint32_t *ret_length,
						uint16_t *ret_name);
};

struct profiler_info {
	const struct profiler_info_table *table;
};

ASSERT_SLOT(struct profiler_info_table, is_array_class, 11);
ASSERT_SLOT(struct profiler_info_table, get_module_metadata, 21);
ASSERT_SLOT(struct profiler_info_table, get_function_info2, 38);
ASSERT_SLOT(struct profiler_info_table, get_class_id_info2, 41);
ASSERT_SLOT(struct profiler_info_table, request_profiler_detach, 58);
ASSERT_SLOT(struct profiler_info_table, enum_modules, 66);
ASSERT_SLOT(struct profiler_info_table, get_runtime_information, 67);
ASSERT_SLOT(struct profiler_info_table, get_module_info2, 70);
ASSERT_SLOT(struct profiler_info_table, enum_jited_functions2, 79);
ASSERT_SLOT(struct profiler_info_table, get_event_mask2, 81);
ASSERT_SLOT(struct profiler_info_table, set_event_mask2, 82);
ASSERT_SLOT(struct profiler_info_table, get_function_from_ip3, 88);
ASSERT_SLOT(struct profiler_info_table, get_dynamic_function_info, 89);
ASSERT_SLOT(struct profiler_info_table, get_native_code_start_addresses, 90);
ASSERT_SLOT(struct profiler_info_table, get_code_info4, 92);
ASSERT_SLOT(struct profiler_info_table, event_pipe_start_session, 101);
ASSERT_SLOT(struct profiler_info_table, event_pipe_stop_session, 103);
ASSERT_SLOT(struct profiler_info_table, event_pipe_get_provider_info, 105);

/* --- IMetaDataImport2 ------------------------------------------------------ */

struct metadata_import;

struct metadata_import_table {
	struct unknown_table unknown;
	const void *unused_3_to_11[9];
	hresult (*get_typedef_props)(struct metadata_import *self, metadata_token type,
				     uint16_t *ret_name, uint32_t capacity,
				     uint32_t *ret_length, uint32_t *ret_flags,
				     metadata_token *ret_extends);
	const void *unused_13[1];
	hresult (*get_typeref_props)(struct metadata_import *self, metadata_token type,
				     metadata_token *ret_scope, uint16_t *ret_name,
				     uint32_t capacity, uint32_t *ret_length);
	const void *unused_15_to_29[15];
	hresult (*get_method_props)(struct metadata_import *self, metadata_token method,
				    metadata_token *ret_class, uint16_t *ret_name,
				    uint32_t capacity, uint32_t *ret_length,
				    uint32_t *ret_attributes,
				    const uint8_t **ret_signature,
				    uint32_t *ret_signature_size, uint32_t *ret_rva,
				    uint32_t *ret_implementation);
	const void *unused_31_to_61[31];
	hresult (*get_nested_class_props)(struct metadata_import *self, metadata_token type,
					  metadata_token *ret_enclosing);
};

struct metadata_import {
	const struct metadata_import_table *table;
};

ASSERT_SLOT(struct metadata_import_table, get_typedef_props, 12);
ASSERT_SLOT(struct metadata_import_table, get_typeref_props, 14);
ASSERT_SLOT(struct metadata_import_table, get_method_props, 30);
ASSERT_SLOT(struct metadata_import_table, get_nested_class_props, 62);

/* --- IMetaDataDispenserEx ---------------------------------------------------- */

/* VARIANT, as far as an option needs it (src/coreclr/pal/inc/rt/palrt.h). */
struct variant {
	uint16_t type;
	uint16_t reserved[3];
	uint64_t value;
	uint64_t more;
};

_Static_assert(sizeof(struct variant) == 24, "variant layout");

#define VARIANT_UINT32		  19u	/* VT_UI4 */
#define METADATA_THREAD_SAFETY_ON 1u	/* MDThreadSafetyOn */
#define METADATA_READ_ONLY	  0x10u /* ofReadOnly */

struct dispenser;

struct dispenser_table {
	struct unknown_table unknown;
	const void *unused_3_to_4[2];
	hresult (*open_scope_on_memory)(struct dispenser *self, const void *bytes,
					uint32_t size, uint32_t open_flags,
					const struct guid *iid, void **ret_metadata);
	hresult (*set_option)(struct dispenser *self, const struct guid *option,
			      const struct variant *value);
};

struct dispenser {
	const struct dispenser_table *table;
};

/* MetaDataGetDispenser, an export of the runtime. */
typedef hresult (*get_dispenser)(const struct guid *clsid, const struct guid *iid,
				 void **ret_object);

ASSERT_SLOT(struct dispenser_table, open_scope_on_memory, 5);
ASSERT_SLOT(struct dispenser_table, set_option, 6);

/* CorMethodImpl */
#define METHOD_IMPLEMENTATION_NO_OPTIMIZATION	      0x40u
#define METHOD_IMPLEMENTATION_AGGRESSIVE_OPTIMIZATION 0x200u
/* Ours, beyond the bits of CorMethodImpl: what its attributes say, CorMethodAttr. */
#define METHOD_IMPLEMENTATION_CLASS_CONSTRUCTOR 0x10000u
#define METHOD_ATTRIBUTES_CLASS_CONSTRUCTOR	0x1010u /* static, name for the runtime */

/* --- interface identifiers -------------------------------------------------- */

static const struct guid iid_unknown =
	GUID(0x00000000, 0x0000, 0x0000, 0xc0, 0, 0, 0, 0, 0, 0, 0x46);
static const struct guid iid_class_factory =
	GUID(0x00000001, 0x0000, 0x0000, 0xc0, 0, 0, 0, 0, 0, 0, 0x46);
static const struct guid iid_profiler_info12 = GUID(
	0x27b24ccd, 0x1cb1, 0x47c5, 0x96, 0xee, 0x98, 0x19, 0x0d, 0xc3, 0x09, 0x59);
static const struct guid iid_metadata_import = GUID(
	0x7dac8207, 0xd3ae, 0x4c75, 0x9b, 0x67, 0x92, 0x80, 0x1a, 0x49, 0x7d, 0x44);
static const struct guid iid_dispenser_ex = GUID(
	0x31bcfce2, 0xdafb, 0x11d2, 0x9f, 0x81, 0x00, 0xc0, 0x4f, 0x79, 0xa0, 0xa3);
static const struct guid clsid_dispenser = GUID(
	0xe5cb7a31, 0x7512, 0x11d2, 0x89, 0xce, 0x00, 0x80, 0xc7, 0x92, 0xe5, 0xd8);
static const struct guid option_thread_safety = GUID(
	0xf7559806, 0xf266, 0x42ea, 0x8c, 0x63, 0x0a, 0xdb, 0x45, 0xe8, 0xb2, 0x34);

#endif /* TIERSCOPE_HOOK_CORPROF_H */
