/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A runtime to load the real hook into: the profiling and metadata interfaces as
 * far as the hook calls them, over a few tables that a test fills, and methods
 * that lie in memory as .NET 10 lays them out.
 */
#ifndef TIERSCOPE_TESTS_MOCK_RUNTIME_H
#define TIERSCOPE_TESTS_MOCK_RUNTIME_H

#include "../../abi/journal.h"
#include "../../profiler_hook/corprof.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#define MOCK_METHODS_MAX 64
#define MOCK_MODULES_MAX 16
#define MOCK_CODE_BYTES	 64

/* Readable memory for code that no test looks into; of one mock at a time. */
#define MOCK_AREA	0x700000000000ull
#define MOCK_AREA_BYTES (16u << 20)

/* What the hook reads of the runtime: offsets as in .NET 10.0.12. */
struct mock_module {
	uint8_t bytes[2048]; /* the ModuleID is its address */
	uint8_t allocator[2048];
	uint64_t method_table[8]; /* of the classes of its methods */
	uint64_t auxiliary[2];
	const uint16_t *path;
	uint32_t flags; /* MODULE_INFO_* */
	uint8_t *image; /* its PE file, NULL: as if made at run time */
	uint32_t asked_for_metadata; /* which makes the runtime slow */
	bool listed;	/* by EnumModules */
};

/* One body: code with the address of its header in front, as in a code heap. */
struct mock_body {
	uint64_t header_address;
	uint8_t code[MOCK_CODE_BYTES];
	uint32_t size;
};

struct mock_header {
	uint64_t unused[3];
	uint64_t method;
};

struct mock_node {
	uint64_t native_code, method, il_version, next;
	uint32_t version, tier;
	uint64_t patchpoints;
	uint32_t il_offset, flags;
};

struct mock_method {
	uint64_t chunk[3]; /* starts with the method table */
	struct {	   /* the FunctionID is its address */
		uint16_t flags3;
		uint8_t chunk_index, entry_flags;
		uint16_t slot, flags;
		uint64_t code_data;
		uint64_t signature; /* of a dynamic method, and what follows */
		uint32_t signature_size, dynamic_flags;
		uint64_t name;
	} descriptor;
	struct {
		uint64_t state, entry_point;
	} code_data;
	struct {
		uint64_t unused[2];
		uint64_t first_node;
	} state;
	struct mock_header header;
	struct mock_node nodes[4];
	uint32_t nodes_count;
	struct {
		uint8_t unused[20];
		uint32_t frame_bytes;
		uint8_t rest[40];
	} patchpoints;
	struct mock_body *bodies[4];
	uint32_t bodies_count;
	struct mock_module *module;
	metadata_token token;
	class_id class;
	class_id arguments[4];
	uint32_t arguments_count;
	bool listed;   /* by EnumJITedFunctions2 */
	bool nameless; /* GetFunctionInfo2 refuses it */
};

struct mock {
	void *library;
	struct profiler_callback *callback;
	struct profiler_info info;
	struct metadata_import metadata;
	struct metadata_import aside; /* opened by the hook itself */
	uint32_t aside_opened, aside_references;
	bool aside_is_safe; /* for several threads */
	struct mock_module modules[MOCK_MODULES_MAX];
	uint32_t modules_count;
	struct mock_method methods[MOCK_METHODS_MAX];
	uint32_t methods_count;
	uint8_t *code; /* executable memory that is no file's */
	size_t code_used;
	uint16_t major;
	bool main_profiler; /* one has the main slot: the hook opens its session at once */
	uint32_t mask_low, mask_high;
	uint32_t masks;	   /* set so far */
	uint32_t sessions; /* opened */
	struct event_pipe_provider provider;
	hresult session_result;
	uint32_t session_thread; /* that opened the last one */
	uint32_t asked_on_session_thread; /* which the runtime would refuse */
	uint32_t stops;	   /* sessions closed */
	uint32_t detaches; /* asked for */
	hresult detach_result;
	uint32_t asked_about_dying; /* modules that are in no enumeration */
	uint32_t dynamic_told; /* answers about dynamic methods */
	bool dynamic_refused;
	/* While the hook asks about the code that starts there. */
	void (*at_question)(struct mock *mock, uint64_t start);
	void *context;
};

/* The whole runtime of a test; NULL when the library cannot be loaded. */
struct mock *mock__new(void);
/* Takes the hook out, if it is in. */
void mock__leave(struct mock *mock);
/* That too, so that the next one starts anew. */
void mock__free(struct mock *mock);

/* The hook's mailbox, as a loader has it; NULL without a journal. */
struct ts_mailbox *mock__mailbox(void);
void mock__unmap_mailbox(struct ts_mailbox *mailbox);
void mock__ring(struct ts_mailbox *mailbox);
/* Stores a command and waits until it is carried out; its result. */
hresult mock__command(struct ts_mailbox *mailbox, uint32_t command);
/* How many threads of this process the hook made; and /proc's status of one. */
unsigned int mock__helpers(void);
FILE *mock__helper_status(void);

/* Methods and types from this row on are the runtime's own reader's only. */
#define MOCK_ADDED_LATER    32u
#define MOCK_METADATA_BYTES 0x180u

void mock__give_metadata(struct mock *mock);
/* Headers and metadata, as the module's flags say: flat or mapped. */
void mock__give_image(struct mock_module *module);
/* With metadata that makes sense: types and methods of the rows 1 to 4. */
void mock__give_whole_image(struct mock_module *module);
#define MOCK_NOT_ASCII	   4u /* the row of such names */
#define MOCK_IN_PLACE_ROWS 4u

/* What the hook calls (mock_interfaces.c); of one mock at a time. */
void mock__give_interfaces(struct mock *mock);

/* Loads the hook as the runtime does; the callback's own result. */
hresult mock__launch(struct mock *mock);
/* That, and its journal, as by mock__journal; NULL when it fails. */
const struct ts_journal_header *mock__launched(struct mock *mock);
hresult mock__attach(struct mock *mock);

struct mock_module *mock__module(struct mock *mock, const uint16_t *path,
				 uint32_t flags);
struct mock_method *mock__method(struct mock *mock, struct mock_module *module);
/* A body of `code`, MOCK_CODE_BYTES long in memory; its start. */
uint64_t mock__body(struct mock *mock, struct mock_method *method, const uint8_t *code,
		    uint32_t size);
/* A version node in front of the list, as tiering makes it. */
struct mock_node *mock__node(struct mock_method *method, uint64_t start, uint32_t tier);

/* --- events --------------------------------------------------------------------- */

struct mock_event {
	uint64_t function, module, start;
	uint32_t size, token, flags;
	const uint16_t *type, *method, *signature;
	uint64_t native_version; /* 0: an event of version 1 */
};

size_t mock__payload(const struct mock_event *event, uint8_t *ret_bytes);
void mock__deliver(struct mock *mock, uint32_t event, uint32_t version,
		   const uint8_t *payload, size_t size);
void mock__load(struct mock *mock, const struct mock_event *event);
void mock__unload(struct mock *mock, const struct mock_event *event);
void mock__module_event(struct mock *mock, uint32_t event,
			const struct mock_module *module);

/* --- the journal, as a reader finds it ------------------------------------------- */

/* NULL when there is none.  Read-only, valid until journal_of_mock__unmap. */
const struct ts_journal_header *mock__journal(void);
void mock__unmap_journal(const struct ts_journal_header *header);
/* Committed records; NULL beyond the last one. */
const struct ts_journal_record *mock__record(const struct ts_journal_header *header,
					     uint32_t index);
/* The record of the body that started there last; NULL if none. */
const struct ts_journal_record *mock__record_of(const struct ts_journal_header *header,
						uint64_t start);
const char *mock__text(const struct ts_journal_header *header,
		       const struct ts_journal_record *record, unsigned int part);

#endif /* TIERSCOPE_TESTS_MOCK_RUNTIME_H */
