/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The model: processes, code bodies with their lifetimes, stacks and samples
 * over time, and the ledger.  It is the only truth that views read; it is
 * filled by a live recording and by the reader of a recording file, through
 * the same functions.  Everything in it only grows, so the writer of a
 * recording just remembers how far it got; but what is in the file by then can
 * be dropped, so that a recording of days fits into memory.  Where no recording
 * is written, what nobody needs any more is swept, and its number used again.
 * All times are CLOCK_MONOTONIC nanoseconds.  One thread at a time.
 *
 * Strings live in one pool and are named by number; they are valid UTF-8 and
 * may hold control characters: views escape.
 */
#ifndef TIERSCOPE_MODEL_H
#define TIERSCOPE_MODEL_H

#include "../../abi/body.h"
#include "../../abi/offcpu.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MODEL_NONE	UINT32_MAX
#define MODEL_EVENTS_MAX 4

typedef uint32_t string_id;		/* 0 is "" */

enum model_process_flags {
	MODEL_PROCESS_HOOKED = 1 << 0,	/* the hook was seen at work */
	MODEL_PROCESS_ATTACHED = 1 << 1, /* the hook came late */
	MODEL_PROCESS_MAIN_PROFILER = 1 << 2, /* another profiler is present */
	MODEL_PROCESS_SWEPT = 1 << 3,	/* it is none: its number is not in use */
};

struct model_process {
	int32_t pid;
	uint32_t flags;
	uint32_t parent;		/* index of process, or MODEL_NONE */
	uint64_t start_ns;		/* first seen */
	uint64_t end_ns;		/* 0: still alive */
	string_id comm, executable, cmdline, container, runtime, hook_version;
	string_id trouble;		/* why there is no hook, "" if there is */
};

enum model_source {
	MODEL_SOURCE_EVENT = 0,		/* told when it was born */
	MODEL_SOURCE_CATCH_UP = 1,	/* found after an attach or a gap */
	MODEL_SOURCE_IMAGE = 2,		/* read from a precompiled image */
};

enum model_body_flags {
	MODEL_BODY_FUNCTION_UNKNOWN = 1 << 0,	/* function_id is not known */
	MODEL_BODY_REJIT_UNKNOWN = 1 << 1,	/* not 0, number not known */
	MODEL_BODY_DYNAMIC = 1 << 2,
	MODEL_BODY_SHARED_GENERIC = 1 << 3,
	MODEL_BODY_VERSION_UNKNOWN = 1 << 4,	/* native_version not known */
	MODEL_BODY_COLLECTIBLE = 1 << 5,	/* its code can be freed */
	MODEL_BODY_LOST_RACE = 1 << 6,	/* no version has it: another thread was faster */
	MODEL_BODY_NEVER_ACTIVE = 1 << 7, /* a version has it that the runtime did not take */
};

/* One native code body of one process. */
struct model_body {
	uint32_t process;		/* MODEL_NONE: it was swept, its number is not in use */
	uint32_t flags;			/* enum model_body_flags */
	uint64_t function_id;
	uint64_t module_id;
	uint64_t start;
	uint32_t size;
	uint32_t token;
	uint32_t rejit_id;
	uint32_t native_version;
	uint32_t tier;			/* enum ts_tier */
	uint32_t source;		/* enum model_source */
	uint32_t osr_il_offset;		/* TS_NO_IL_OFFSET when not OSR */
	string_id module;		/* path */
	uint32_t copy;			/* of a module that is loaded several times: its
					 * name says so already; not in a recording */
	string_id name;			/* NS.Type.Method(int, string) */
	uint64_t born_ns;
	uint64_t died_ns;		/* 0: alive */
	uint64_t published_ns[2];	/* last time, [low, high]; low 0: nobody knows since
					 * when; 0 0: not seen */
	uint64_t superseded_ns;		/* seen by then, since; 0: unknown or not */
};

enum model_frame_kind {
	MODEL_FRAME_BODY = 0,		/* a: body */
	MODEL_FRAME_NATIVE = 1,		/* "module!function" and where it starts, or
					 * "module" and the address in its file */
	MODEL_FRAME_KERNEL = 2,		/* "vfs_read", "ext4_sync_fs [ext4]"; "": not
					 * known.  Leafward of all user frames. */
	MODEL_FRAME_UNKNOWN = 3,	/* name: the cause */
	MODEL_FRAME_STUB = 4,		/* name: the kind of the runtime's stub */
	MODEL_FRAME_KINDS
};

/* Interned: the same frame has one number. */
struct model_frame {
	uint32_t kind;
	uint32_t body;			/* MODEL_FRAME_BODY, else MODEL_NONE */
	string_id name;
	uint64_t address;
};

/*
 * A stack is a node of one tree, root (outermost caller) first: its frame and
 * the stack of the caller.  Stack 0 is the empty stack.  parent < own number.
 */
struct model_stack {
	uint32_t parent;
	uint32_t frame;
};

struct model_thread {
	uint32_t process;
	int32_t tid;
	string_id name;
};

struct model_sample {
	uint64_t time_ns;
	uint32_t thread;		/* index; the thread knows its process */
	uint32_t stack;
	uint32_t event;			/* index of event */
	uint32_t flags;			/* enum ts_sample_flags */
	uint64_t ip;
	uint64_t weight;		/* how many periods of its event it stands for; 0: 1 */
};

/*
 * Where a thread's time went, all of it, from its start or the recording's to its end or
 * the recording's: exact, whatever was sampled.
 */
struct model_times {
	uint64_t since_ns;
	uint64_t ns[TS_STATES];		/* by enum ts_state */
	uint64_t switches;		/* how often it was switched out */
};

/*
 * A change of a function's entry cell that was seen, some time in the window: after the
 * look before, and before the one that saw it.
 */
struct model_patch {
	uint32_t process;
	uint32_t kind;			/* enum ts_cell_kind */
	uint64_t function_id;
	uint64_t cell;			/* its address */
	uint64_t words[2];		/* what it held, and holds; the first look: 0 */
	uint32_t target;		/* enum ts_target, of the new word */
	uint32_t body;			/* that calls reach now, or MODEL_NONE */
	uint64_t window_ns[2];		/* [0] is 0 for the first look */
};

/* An IL version that a ReJIT asked for, as it was found; a later row replaces it. */
struct model_il_version {
	uint32_t process;
	uint32_t rejit_id;
	uint64_t function_id;		/* of one of the method's functions */
	uint32_t state;			/* enum ts_il_state */
	uint64_t seen_ns;
};

/*
 * A method, whose IL a ReJIT has changed since, is inlined in a function, by the JIT or when
 * it was precompiled: that may run with the original IL still.
 */
struct model_inlining {
	uint32_t process;
	uint64_t function_id;		/* of the method that has another IL */
	uint64_t inliner_id;		/* FunctionID, too */
	uint64_t seen_ns;
};

/* Tiering as a whole: a delay, or a batch compiled in the background, began or ended. */
struct model_tiering {
	uint32_t process;
	uint32_t kind;			/* enum ts_tiering_kind */
	uint64_t time_ns;
	uint32_t pending, new_methods, compiled; /* methods; 0 where the kind has none */
};

enum model_active_code {
	MODEL_ACTIVE_UNKNOWN = 0,	/* of the default version; or of code without a body */
	MODEL_ACTIVE_BODY = 1,
	MODEL_ACTIVE_NO_CODE = 2,	/* as yet */
	MODEL_ACTIVE_NO_VERSION = 3,	/* not even a native version */
	MODEL_ACTIVE_COUNT
};

/*
 * The version that the runtime prefers for a function's next call, as it was found; a later
 * row replaces it.
 */
struct model_active {
	uint32_t process;
	uint32_t rejit_id;
	uint64_t function_id;
	uint32_t native_version;
	uint32_t code;			/* enum model_active_code */
	uint32_t body;			/* MODEL_NONE but for MODEL_ACTIVE_BODY */
	uint64_t seen_ns;
};

struct model_event {
	string_id name;			/* "cpu-clock" */
	uint64_t period;		/* in the event's unit; ns for cpu-clock */
};

/* A named count of the ledger, in one of its sections. */
enum model_ledger_section {
	MODEL_LEDGER_SAMPLES = 0,	/* due, fired, kept, not_delivered, out_of_scope */
	MODEL_LEDGER_SAMPLES_LOST = 1,	/* by cause */
	MODEL_LEDGER_NOTES = 2,
	MODEL_LEDGER_EVENTS = 3,	/* code events: fired, kept */
	MODEL_LEDGER_EVENTS_LOST = 4,
	MODEL_LEDGER_UNRESOLVED_LEAF = 5, /* by cause */
	MODEL_LEDGER_STUB_LEAF = 6,	/* by kind */
	MODEL_LEDGER_CODE_MAP_LOST = 7,	/* bodies without a place in the map, by cause */
	MODEL_LEDGER_HOOK_LOST = 8,	/* what hooks could not keep, by cause */
	MODEL_LEDGER_FUNCTION_UNKNOWN = 9, /* samples in ReadyToRun bodies without an id */
	MODEL_LEDGER_OFF_CPU = 10,	/* stacks of the off-CPU event: chosen, kept */
	MODEL_LEDGER_OFF_CPU_LOST = 11,	/* by cause */
	MODEL_LEDGER_SECTIONS
};
struct model_count {
	uint32_t section;
	string_id name;
	uint64_t value;
};

/* What is true of the whole recording. */
struct model_about {
	uint64_t start_ns, end_ns;	/* of the recording */
	int64_t start_unix_ns;		/* wall clock at start_ns */
	uint32_t cpus;
	string_id kernel, machine, version, command;
	bool complete;			/* it was ended in order */
	uint32_t part;			/* of a rotated recording, from 1; 0: it is whole */
	uint64_t whole_start_ns;	/* when part 1 began */
};

struct model;

struct model *model__new(void);
void model__free(struct model *model);

string_id model__string(struct model *model, const char *utf8);
string_id model__string_n(struct model *model, const char *utf8, size_t size);
const char *model__text(const struct model *model, string_id string);
uint32_t model__strings_count(const struct model *model);

struct model_about *model__about(struct model *model);
const struct model_about *model__about_const(const struct model *model);

/* Each add returns the index of what was added (or interned). */
uint32_t model__add_process(struct model *model, const struct model_process *process);
uint32_t model__add_event(struct model *model, const struct model_event *event);
uint32_t model__add_body(struct model *model, const struct model_body *body);
uint32_t model__add_thread(struct model *model, uint32_t process, int32_t tid,
			   string_id name);	/* interned by the three */
uint32_t model__add_frame(struct model *model, const struct model_frame *frame);
uint32_t model__add_stack(struct model *model, uint32_t parent, uint32_t frame);
/* A whole stack: frames, root first. */
uint32_t model__add_path(struct model *model, const uint32_t *frames, uint32_t count);
uint32_t model__add_sample(struct model *model, const struct model_sample *sample);
uint32_t model__add_patch(struct model *model, const struct model_patch *patch);
uint32_t model__add_il_version(struct model *model, const struct model_il_version *version);
uint32_t model__add_active(struct model *model, const struct model_active *active);
uint32_t model__add_inlining(struct model *model, const struct model_inlining *inlining);
uint32_t model__add_tiering(struct model *model, const struct model_tiering *tiering);
/* As they are now: of a part of a recording, those of the part. */
void model__set_times(struct model *model, uint32_t thread, const struct model_times *times);

/* Later knowledge; what changes something is also remembered in order, for the
 * writer. */
void model__update_process(struct model *model, uint32_t index,
			   const struct model_process *process);
void model__update_body(struct model *model, uint32_t index,
			const struct model_body *body);
void model__set_count(struct model *model, enum model_ledger_section section,
		      const char *name, uint64_t value);
uint64_t model__count(const struct model *model,
		      enum model_ledger_section section, const char *name);

/* Another stack, which ends with a frame of the same kind: its counts stay. */
void model__set_sample_stack(struct model *model, size_t index, uint32_t stack);

/*
 * Forgets what the writer of a recording has written: samples, and the order of
 * updates.  Stacks: their numbers begin at 1 again; no sample may be left.
 * Counts, times: as if none had been set.
 */
void model__drop_samples(struct model *model);
void model__drop_stacks(struct model *model);
void model__drop_counts(struct model *model);
void model__drop_times(struct model *model);

/*
 * What is still needed, for model__sweep.  Who holds numbers of the model marks them;
 * what a marked row refers to is marked with it.
 */
struct model_marks {
	const struct model *model;
	uint8_t *processes, *bodies, *frames, *strings;	/* [number]: 1, it is needed */
	uint32_t patches, il_versions, actives;	/* the first so many are to go */
};
/* The model itself needs nothing of that but what is true of the whole recording. */
void model_marks__init(struct model_marks *marks, const struct model *model);
void model_marks__free(struct model_marks *marks);	/* the contents only */
void model_marks__process(struct model_marks *marks, uint32_t process);
void model_marks__body(struct model_marks *marks, uint32_t body);
void model_marks__frame(struct model_marks *marks, uint32_t frame);
void model_marks__string(struct model_marks *marks, string_id string);
/* For a reader that has seen the first so many rows: the others are kept. */
void model_marks__patches(struct model_marks *marks, uint32_t seen);
void model_marks__il_versions(struct model_marks *marks, uint32_t seen);
void model_marks__actives(struct model_marks *marks, uint32_t seen);
/* Whether it was there when the marks were made, and is to go. */
bool model_marks__drops_process(const struct model_marks *marks, uint32_t process);
bool model_marks__drops_body(const struct model_marks *marks, uint32_t body);
bool model_marks__drops_frame(const struct model_marks *marks, uint32_t frame);
bool model_marks__drops_string(const struct model_marks *marks, string_id string);
/*
 * Forgets what is not marked, with what was counted of it, all threads, inlinings and
 * tierings, and of patches and the like those that all have seen.  Numbers of what is left
 * stay, but of the latter; others are given to what is added next.  Pointers to texts are
 * not good any more.  No sample, no stack and no times may be left; and no recording can be
 * written of such a model.
 */
void model__sweep(struct model *model, const struct model_marks *marks);
/* How much there is that a sweep could free, in rows and strings. */
uint64_t model__size(const struct model *model);
/* Bodies, and strings, that were added ever. */
uint64_t model__bodies_added(const struct model *model);
uint64_t model__strings_added(const struct model *model);

/* Reading.  Pointers stay good until the next add of the same kind. */
const struct model_process *model__process(const struct model *model, uint32_t index);
const struct model_event *model__event(const struct model *model, uint32_t index);
const struct model_body *model__body(const struct model *model, uint32_t index);
const struct model_thread *model__thread(const struct model *model, uint32_t index);
const struct model_frame *model__frame(const struct model *model, uint32_t index);
const struct model_stack *model__stack(const struct model *model, uint32_t index);
const struct model_sample *model__sample(const struct model *model, size_t index);
const struct model_patch *model__patch(const struct model *model, uint32_t index);
const struct model_il_version *model__il_version(const struct model *model, uint32_t index);
const struct model_active *model__active(const struct model *model, uint32_t index);
const struct model_inlining *model__inlining(const struct model *model, uint32_t index);
const struct model_tiering *model__tiering(const struct model *model, uint32_t index);
/* Of a thread; NULL: they are not known. */
const struct model_times *model__times(const struct model *model, uint32_t thread);
const struct model_count *model__count_at(const struct model *model, uint32_t index);
uint32_t model__processes(const struct model *model);
uint32_t model__events(const struct model *model);
uint32_t model__bodies(const struct model *model);
uint32_t model__threads(const struct model *model);
uint32_t model__frames(const struct model *model);
uint32_t model__stacks(const struct model *model);
size_t model__samples(const struct model *model);
/* How many were dropped: sample 0 is the one that was added after so many. */
uint64_t model__samples_dropped(const struct model *model);
uint32_t model__patches(const struct model *model);
uint32_t model__il_versions(const struct model *model);
uint32_t model__actives(const struct model *model);
uint32_t model__inlinings(const struct model *model);
uint32_t model__tierings(const struct model *model);
uint32_t model__counts(const struct model *model);

/* Updates in the order they came: index of process or body. */
enum model_update_kind { MODEL_UPDATE_PROCESS, MODEL_UPDATE_BODY };
struct model_update {
	uint32_t kind;
	uint32_t index;
};
size_t model__updates(const struct model *model);
const struct model_update *model__update(const struct model *model, size_t index);

/*
 * The body that covered an address of a process at a time: a JIT body alive
 * then, the youngest if several; MODEL_NONE if there is none.
 */
uint32_t model__find_body(const struct model *model, uint32_t process,
			  uint64_t address, uint64_t time_ns);

/* The sample is one of the wall clock: in time on a CPU, or off it. */
bool model__is_clock(const struct model *model, uint32_t event);
bool model__is_off_cpu(const struct model *model, uint32_t event);
/* The first event of which that is true; MODEL_NONE: there is none. */
uint32_t model__clock(const struct model *model);
uint32_t model__off_cpu(const struct model *model);

/* The stack without the kernel frames at its leaf. */
uint32_t model__user_stack(const struct model *model, uint32_t stack);

/*
 * Samples (the sum of their weights) by their user-mode leaf, counted as they are added: what is dropped stays
 * counted.  Arrays of MODEL_EVENTS_MAX; good until the next add.  The second: by
 * enum model_frame_kind, where a sample without user frames is MODEL_FRAME_UNKNOWN.
 */
const uint64_t *model__body_samples(const struct model *model, uint32_t body);
const uint64_t *model__leaf_samples(const struct model *model, uint32_t process,
				    uint32_t kind);

/* Samples, by weight, per body and event: user-mode leaf ("self") and anywhere ("total", once per
 * sample however often the body is on the stack).  Arrays of
 * model__bodies() * MODEL_EVENTS_MAX; the caller frees both. */
void model__tally(const struct model *model, uint64_t **ret_self,
		  uint64_t **ret_total);

#endif /* TIERSCOPE_MODEL_H */
