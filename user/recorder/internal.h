/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What the files of this room share. */
#ifndef TIERSCOPE_RECORDER_INTERNAL_H
#define TIERSCOPE_RECORDER_INTERNAL_H

#include "old_inliners.h"
#include "recorder.h"
#include "stubs.h"

#include "../base/buf.h"
#include "../base/clock.h"
#include "../base/map.h"
#include "../versions/code_versions.h"
#include "../../publication/entry_cell.h"
#include "../symbol/mapped_file.h"
#include "../target/journal.h"

#define NO_IMAGE UINT32_MAX
/* What a process can have us keep, whatever it says: two million bodies, with short names; */
#define TOLD_BYTES_MAX (1ull << 30)
#define TOLD_BYTES     512u	/* a body or a module, besides its name */
/* as many mappings as Linux lets it have at a time; */
#define MAPPINGS_MAX   65536u
/* and functions of precompiled code, of which a large program uses some ten thousand. */
#define PRECOMPILED_MAX (1u << 20)
#define UNPACKED (1ull << 63)
#define MAPPING_CACHE 1024

struct image;
struct image_cache;
struct unwind_cache;

/*
 * A precompiled image file, read once, whoever maps it; or a part of a file that is no
 * image as a whole, by what is mapped of it: in a single-file application the images lie
 * one behind the other; or what a compressed one has unpacked into memory.
 */
struct image_file {
	uint64_t device, inode;		/* unpacked: of the process's executable */
	uint64_t mapped;		/* of a part: offset of its code's mapping, else 0;
					 * unpacked: UNPACKED | some bits of its MVID */
	uint32_t owner;			/* of the file; unpacked: of the processes, which tell of
					 * each other only */
	uint64_t offset;		/* where the image begins */
	struct mapped_file_state state;	/* of the file when it was read */
	struct image *image;		/* NULL: not such an image */
	uint32_t number;		/* in the kernel's tables; NO_IMAGE if not there */
	bool unreadable;		/* an image, but not one that we can read */
	bool components_given;		/* composite: all of them */
	uint32_t components_tries;
};

/* rules.c */
struct rules {
	struct rules_file *files;
	uint32_t count, capacity;
	uint64_t bytes;			/* read of them so far */
	struct unwind_cache *cache;	/* NULL: none */
};

enum mapping_kind { MAPPING_FILE, MAPPING_JIT, MAPPING_ANONYMOUS, MAPPING_SPECIAL };

/* Executable memory of a process.  What comes later covers what was there. */
struct mapping {
	uint64_t start, end, file_offset;
	uint64_t born_ns;
	enum mapping_kind kind;
	bool is_exec;			/* no mapping: an exec, in a list of `next` */
	uint32_t file;			/* index of image_file, or NO_IMAGE */
	bool unreadable;		/* an image without its table */
	uint64_t image_base;		/* of RVA 0, if file is an image */
	uint64_t device, inode;
	uint32_t symbols;		/* number of symbols__file, SYMBOLS_NONE if none */
	bool symbols_asked;		/* when its first native frame came */
	uint32_t rules;			/* item of struct rules + 1, 0: none, or not told */
	string_id path;
};

struct mapping_list {
	struct mapping *items;
	uint32_t count, capacity;
};

/* Why a sampled precompiled body has no FunctionID (yet). */
enum function_cause {
	FUNCTION_NOT_ASKED, FUNCTION_NO_ANSWER, FUNCTION_CANNOT_NAME, FUNCTION_CAUSES
};

struct waiting_body {
	uint32_t body;			/* in the model */
	enum function_cause cause;
	uint64_t start;
};

/* Functions of one process's precompiled code: function_ids.c. */
struct function_ids {
	struct map *told;		/* address -> FunctionID, 0: has none */
	uint32_t read;			/* entries of the journal */
	uint32_t *open;			/* of those, without an address as yet */
	uint32_t open_count, open_capacity;
	struct waiting_body *waiting;
	uint32_t count, capacity;
};

/* A function whose entry cell is read from time to time: publication.c. */
struct watched {
	uint64_t function;
	struct entry_cell cell;
	struct entry_state state;	/* as it was seen last */
	uint32_t body;			/* that calls reached then, or MODEL_NONE */
	uint64_t seen_ns;		/* 0: not yet */
	uint64_t until_ns;		/* nobody has run it since */
	uint32_t unknown_looks;		/* since then, one after the other */
	bool exact;			/* a watchpoint tells of each write to the cell */
	uint32_t behind_looks;		/* that saw a change of which it, or the hook, did
					 * not tell so far */
	uint64_t patched_ns;		/* end of the last window */
};

struct publication {
	struct map *numbers;		/* FunctionID -> item + 1; 0: no cell was found */
	struct watched *items;
	uint32_t count, capacity;
	uint64_t *wanted;		/* functions to be watched, first come first */
	uint32_t wanted_count, wanted_capacity;
	uint32_t next;			/* item to go on with: the last look ran out of time */
	uint64_t read_ns;		/* when they were read last */
	uint32_t patches_count;		/* seen; the model has so many, up to a bound */
	bool told;			/* the hook tells when new bodies are reached */
};

/* What the runtime's own tree of versions said so far: versions.c. */
struct version_looks {
	struct code_layout layout;
	struct code_versions versions;	/* of the look under way */
	struct map *told;		/* what the model has */
	struct map *threads;		/* that compiled bodies, and which last */
	int64_t worker;			/* that compiled in the background when ... */
	uint64_t caught_up_ns;		/* ... all that was there was known; 0: never */
	uint32_t *young;		/* bodies that had no chance so far */
	uint32_t young_count, young_capacity;
	uint32_t rows;
};

/* modules.c */
struct module {
	uint64_t sequence;		/* of its birth */
	string_id path;
	string_id name;			/* without the folder */
	uint32_t copy;			/* of that name: 0 the first, 1 the second */
	bool numbered;			/* is loaded, and keeps its number from others */
};

struct module_list {
	struct map *numbers;		/* module id -> item */
	struct map *copies;		/* name -> a bit for each copy that is loaded */
	struct module *items;
	uint32_t count, capacity;
};

/* One program run by one process: exec makes another. */
struct process {
	uint32_t space;
	pid_t pid;
	uint32_t index;			/* in the model */
	struct process *code;		/* whose bodies it runs: itself, or the
					 * parent's between fork and exec */
	bool alive, hooked, checked;
	bool told_to_resume, told_to_rest;
	uint64_t hold_until_ns;		/* its samples wait for its journal, 0: no */
	uint64_t wake_ns;		/* when the hook was first told to resume */
	bool pending;			/* forked by us, exec still to come */
	uint64_t born_ns;		/* adopted or exec'ed */
	struct mapping_list mappings;
	struct mapping_list next;	/* of execs that are under way */
	uint32_t cache[MAPPING_CACHE];	/* page -> mapping + 1 */
	struct map *births;		/* sequence of the birth -> body */
	struct map *bodies;		/* start -> youngest body there */
	struct map *youngest;		/* start -> sequence of its birth */
	struct module_list modules;
	uint32_t *moduleless;		/* bodies whose module was not told yet, or has no name */
	uint32_t moduleless_count, moduleless_capacity;
	struct map *image_bodies;	/* (base, file and body of image) -> body */
	struct map *stubs;		/* address -> enum stub_kind, as it was seen last */
	struct map *functions;		/* FunctionID -> a body of it */
	struct function_ids ids;
	struct publication publication;
	struct version_looks looks;
	struct old_inliners inliners;
	uint32_t tierings;		/* rows of tiering in the model */
	struct journal *journal;
	uint64_t sequence_base;		/* journal read up to here */
	uint64_t sequence_highest;	/* told by probes */
	uint64_t sequence_seen;		/* how many since base */
	bool swept;			/* the dead of before base may be forgotten: sweep.c */
	bool ended;			/* its rows and slots are to be given back */
	uint64_t gone_ns;		/* they were; 0: not yet */
	bool wanted;			/* gone.c, for a moment */
	bool has_unpacked;		/* images without a file */
	uint64_t unpacked_bytes;	/* copied of its memory for them */
	bool reread;			/* the journal knows more than we do */
	uint64_t reread_ns, reread_after_ns;
	uint64_t told_bytes;		/* of bodies and modules: TOLD_BYTES_MAX */
	uint64_t hook_counts[TS_HOOK_COUNTERS];	/* of its journal, in the ledger so far */
};

enum leaf_cause {
	LEAF_JIT_UNKNOWN, LEAF_JIT_UNREADABLE, LEAF_IMAGE_UNKNOWN, LEAF_ANONYMOUS,
	LEAF_NO_MAPPING, LEAF_IMAGE_UNREADABLE, LEAF_CAUSES
};

/* A thread whose times off the CPU are told: off_cpu.c. */
struct off_thread {
	bool held;			/* a stack, until it is known for how long */
	uint32_t thread;		/* in the model */
	uint32_t state, shift, flags;
	uint64_t out_ns, ip;
	uint32_t *path;			/* frames of the stack, root first */
	uint32_t path_count, path_room;
	struct ts_thread told;		/* as it was in the model at the end of the part before */
};

struct off_cpu {
	struct map *numbers;		/* (space, tid) -> item */
	struct off_thread *items;
	uint32_t count, capacity;
	uint64_t kept;			/* stacks in the model */
	uint64_t end_lost, dropped;
};

/* Where the counts stood when this part of the recording began. */
struct ledger_base {
	uint64_t counts[TS_LEDGER_SLOTS];
	uint64_t due, kept, code_kept, off_cpu_kept;
};

struct recorder {
	struct kernel *kernel;
	struct model *model;
	struct kernel_handlers handlers;
	recorder_stranger stranger;	/* NULL: nobody asks */
	void *stranger_context;
	struct process **processes;
	uint32_t processes_count, processes_capacity;
	struct map *by_space;		/* (space, pid) -> index */
	unsigned int hooked_gone;	/* had the hook, and are not among them any more */
	uint64_t hook_counts_gone[TS_HOOK_COUNTERS];	/* theirs, not in the ledger yet */
	uint64_t unnamed_gone[FUNCTION_CAUSES];		/* as function_ids.c counts them */
	struct image_cache *image_cache; /* NULL: none */
	struct image_file *files;
	uint32_t files_count, files_capacity;
	uint64_t unpacked_bytes;	/* memory of images without a file */
	struct rules rules;		/* of native files */
	bool unpacked_told;		/* that there was more of it than we read */
	uint32_t parts;			/* images that are parts of files */
	uint32_t rewritten;		/* images read again: see images.c */
	struct map *rows;		/* (row, generation) -> body */
	struct map *unnamed_samples;	/* body without a FunctionID -> its samples */
	struct symbols *symbols;
	struct map *native_frames;	/* (file of symbols, offset) -> frame */
	struct kernel_symbols *kernel_symbols; /* NULL: not asked for, or none */
	bool kernel_symbols_asked;
	struct map *kernel_frames;	/* address -> frame */
	struct off_cpu off_cpu;
	struct buf pending;		/* samples of this step, and what stands among them */
	uint64_t leaf_causes[LEAF_CAUSES];
	uint64_t stub_leaf[STUB_KINDS];
	struct ledger_base base;
	uint64_t kept;			/* samples in the model */
	uint64_t dropped;		/* samples of no known process */
	uint64_t code_kept, code_dropped; /* the same of code events */
	uint64_t body_late;
	uint64_t table_late;		/* leaf in an image, finished by us */
	uint64_t tables_ready;		/* images mapped while recording; how long ... */
	uint64_t tables_ready_ns;	/* ... it took until their table was usable */
	uint64_t table_ready_most_ns;
	uint64_t walks_finished;	/* from a piece of stack, to their end */
	uint64_t walks_unfinished;	/* as far as it went */
	uint64_t ended_truncated, ended_bad_frame, ended_native; /* how these ended */
	uint64_t jit_leaf, image_leaf, managed, managed_named;
	uint64_t hijacked;		/* samples with a hidden return address */
	uint64_t broken_chains;		/* stacks cut at an unmapped caller */
	uint64_t mappings_lost;
	uint64_t bodies_dropped, mappings_dropped; /* a process had too many */
	uint64_t patches_dropped;	/* the same */
	uint64_t versions_dropped;	/* the same of what the runtime said of its versions */
	uint64_t tierings_dropped;	/* and of tiering as a whole */
	uint64_t journal_bodies;	/* bodies that only the journal told of */
	uint64_t mapped_ns;		/* a process of ours mapped something, or is new */
	uint64_t last_check_ns;
};

/* processes.c */
/* index: of the model's process that it goes on as, MODEL_NONE for a new one. */
struct process *process__new(struct recorder *recorder, uint32_t space, pid_t pid,
			     uint64_t born_ns, uint32_t parent, uint32_t index);
void process__free(struct process *process);
struct process *process__by_space(const struct recorder *recorder, uint32_t space,
				  pid_t pid);
struct process *process__by_pid(const struct recorder *recorder, pid_t pid);
/* The newest with this number in the model. */
struct process *process__by_index(const struct recorder *recorder, uint32_t index);
void process__on_event(struct recorder *recorder, const struct ts_process_event *event);
void process__check_hooks(struct recorder *recorder, uint64_t now);
void process__saw_hook(struct recorder *recorder, struct process *process);
/* Nobody but a main profiler asks for a ReJIT; it may have come later than the hook. */
void process__saw_rejit(struct recorder *recorder, const struct process *process);

/* gone.c */
/* Gives back what ended processes had, once their last samples are resolved. */
void process__forget_ended(struct recorder *recorder, uint64_t now);
/* And frees them: whoever asks for one gets NULL from then on. */
void process__free_gone(struct recorder *recorder, uint64_t now);

/* hooks.c */
/* 0: it is live; -EAGAIN: call again; -ETIMEDOUT: it rests, and does not answer. */
int process__wake_hook(struct process *process);

/* bodies.c */
/* The name for people of a body's text: the four strings of abi/journal.h. */
string_id bodies__name(struct model *model, const char *text, uint32_t size);
/* False: of a process that is not in the recording. */
bool bodies__on_event(struct recorder *recorder, const struct ts_code_event *event);
/* The body that a sample's row and generation meant then, MODEL_NONE if nobody told. */
uint32_t bodies__of_row(struct recorder *recorder, struct process *process,
			uint32_t row, uint32_t generation, uint64_t time_ns);
int bodies__read_journal(struct recorder *recorder, struct process *process);
void bodies__close_gaps(struct recorder *recorder, uint64_t now, bool all);
void bodies__close_gap(struct recorder *recorder, struct process *process);
void bodies__name_modules(struct recorder *recorder, struct process *process);
void bodies__forget(struct recorder *recorder, struct process *process);
/* What of it was told is not known in full: the journal is to be read. */
bool bodies__has_gap(const struct process *process);

/* modules.c */
void module_list__init(struct module_list *list);
void module_list__free(struct module_list *list);
/* All but the copy is the caller's; `numbered`: it counts, and was not unloaded since. */
void module_list__load(struct module_list *list, uint64_t id, const struct module *told);
/* `sequence`: of the end; older than the birth, it is that of an earlier module. */
void module_list__unload(struct module_list *list, uint64_t id, uint64_t sequence);
/* NULL when it was not told; what died is still known. */
const struct module *module_list__find(const struct module_list *list, uint64_t id);

/* mappings.c */
void mappings__on_mapping(struct recorder *recorder, const struct kernel_mapping *mapping);
void mappings__read(struct recorder *recorder, struct process *process);
void mappings__exec(struct recorder *recorder, struct process *old, struct process *process);
struct mapping *mappings__find(struct process *process, uint64_t address,
			       uint64_t time_ns);
void mappings__free_list(struct mapping_list *list);

/* images.c */
uint32_t images__open(struct recorder *recorder, const struct process *process,
		      struct mapping *mapping, const char *path);
/* The number of what is known already, NO_IMAGE if nothing is; owner: of unpacked ones. */
uint32_t images__find(const struct recorder *recorder, uint64_t device, uint64_t inode,
		      uint64_t mapped, uint32_t owner);
/* Takes file->image over, and hands its table to the sampler. */
uint32_t images__keep(struct recorder *recorder, const struct image_file *file,
		      const char *path);
/* Maps the image's table for the sampler, once the space is the right one. */
void images__publish(struct recorder *recorder, const struct process *process,
		     const struct mapping *mapping);
/* Takes all of it back. */
void images__unpublish(struct recorder *recorder, const struct process *process,
		       const struct mapping *mapping);
uint32_t images__body(struct recorder *recorder, struct process *process,
		      uint32_t file, uint64_t base, uint32_t rva, string_id path);
/* The path of an assembly in the folder of that file. */
string_id images__beside(struct recorder *recorder, const char *path, const char *assembly);
/* Of a body of the image that is mapped there; MODEL_NONE if the model has none. */
uint32_t images__known(const struct process *process, const struct mapping *mapping,
		       uint32_t body);
/* That at an address, of those that the model has already. */
uint32_t images__known_body(const struct recorder *recorder, struct process *process,
			    uint64_t address, uint64_t time_ns);
void images__free(struct recorder *recorder);

/* rules.c */
/* Tells the sampler how the mapped file is unwound; false: it has no rules. */
bool rules__publish(struct recorder *recorder, const struct process *process,
		    struct mapping *mapping);
/* When its slots are taken back. */
void rules__unpublish(struct recorder *recorder, struct mapping *mapping);
void rules__init(struct rules *rules);
void rules__free(struct rules *rules);

/* unpacked.c: images__open for executable memory without a file. */
uint32_t unpacked__open(struct recorder *recorder, struct process *process,
			struct mapping *mapping);

/* ledger.c: the counts since the last call, into the model. */
int ledger__write(struct recorder *recorder, bool last);
/* Of a process that is about to be freed: its hook's counters, into the next. */
void hook_counts__leave(struct recorder *recorder, struct process *process);

/*
 * How long before its event a body may be sampled: the thread that compiled it may have been
 * taken off its CPU between the store of the code's address and the event.
 */
#define BODY_LATE_NS 1000000000ull

/* finish.c: whether the sample met code of the JIT of which no event has told yet. */
bool finish__is_untold(struct recorder *recorder, struct process *process,
		       const struct ts_sample *sample);
/* A sample's frames, those from its piece of stack included; how many. */
uint16_t finish__frames(struct recorder *recorder, struct process *process,
			const struct ts_sample *sample,
			uint64_t ret_frames[TS_FRAMES_MAX], uint32_t *ret_flags);

/* Frames of a sample, kernel frames and all. */
#define PATH_MAX_FRAMES (TS_FRAMES_MAX + TS_KERNEL_FRAMES_MAX + 1)

/* kernel_frames.c: puts the sample's kernel frames behind `count` others, root first; how
 * many there are then. */
uint32_t kernel_frames__add(struct recorder *recorder, const struct ts_sample *sample,
			    uint32_t path[PATH_MAX_FRAMES], uint32_t count);

/* off_cpu.c */
void off_cpu__init(struct off_cpu *off_cpu);
void off_cpu__free(struct off_cpu *off_cpu);
/* Keeps the stack of a thread that was switched out, until one of the next two. */
void off_cpu__hold(struct recorder *recorder, const struct ts_sample *sample,
		   uint32_t thread, uint32_t flags, const uint32_t *path, uint32_t count);
void off_cpu__end(struct recorder *recorder, const struct ts_off_cpu_end *end);
void off_cpu__thread_end(struct recorder *recorder, const struct ts_thread_end *end);
/* The times of all threads until now, into the model; at the last, with what is held.
 * 0 or -Exxx. */
int off_cpu__tell(struct recorder *recorder, bool last);

/* function_ids.c */
void function_ids__wait_for(struct process *process, uint32_t body, uint64_t start);
void function_ids__step(struct recorder *recorder);
/* What the hook has told since. */
void function_ids__read(struct process *process);
/* At the end: waits a moment for answers. */
void function_ids__finish(struct recorder *recorder);
/* Samples in precompiled bodies without a function: counted, written and begun anew. */
void function_ids__count_leaf(struct recorder *recorder, uint32_t body);
void function_ids__write_ledger(struct recorder *recorder);
/* Of a process that is about to be freed: what waits is counted as it stands. */
void function_ids__leave(struct recorder *recorder, struct process *process);
void function_ids__free(struct function_ids *ids);

/* publication.c */
/* The body was run: what calls of its function reach is of interest now. */
void publication__ran(struct process *process, const struct model_body *body,
		      uint64_t time_ns);
/* What the hook saw.  False: of a process that is not in the recording, or nonsense. */
bool publication__told(struct recorder *recorder, const struct ts_patch_event *event);
/* Reads cells whose turn it is. */
void publication__step(struct recorder *recorder, uint64_t now);
/* What a watchpoint saw: the patch, if it is one, has its exact time. */
void publication__hit(struct recorder *recorder, struct process *process,
		      const struct ts_hit *hit, uint64_t time_ns);
/* At the end: those of all functions whose bodies are known. */
void publication__finish(struct recorder *recorder, uint64_t now);
/* The function's own body that begins there and is alive, MODEL_NONE if none is known. */
uint32_t publication__body_at(const struct recorder *recorder, struct process *process,
			      uint64_t function, uint64_t address, uint64_t now);
/* Whether the body is of a function that can have several versions. */
bool publication__has_cell(const struct model_body *body);
void publication__init(struct publication *publication);
/* Also when its process has ended: no look follows. */
void publication__free(struct publication *publication);

/* versions.c */
/* What the runtime says of the versions of a function whose entry was just read. */
void versions__look(struct recorder *recorder, struct process *process, uint64_t function,
		    uint64_t now);
/* And of those whose new bodies had their chance; until it is over. */
void versions__step(struct recorder *recorder, struct process *process, uint64_t now,
		    bool (*is_over)(void *context), void *context);
/* At the end: of all functions, and what became of their bodies; until it is over. */
void versions__finish(struct recorder *recorder, struct process *process, uint64_t now,
		      bool (*is_over)(void *context), void *context);
/* Unless it was told. */
void versions__tell_inlining(struct recorder *recorder, struct process *process,
			     const struct model_inlining *inlining);
/* All bodies of before are known. */
void version_looks__caught_up(struct process *process, uint64_t now);
/* A birth of which was not told yet. */
void version_looks__born(struct version_looks *looks, uint32_t body,
			 const struct ts_journal_record *record);
void version_looks__init(struct version_looks *looks);
void version_looks__free(struct version_looks *looks);

/* Numbers of bodies that are to go. */
void version_looks__forget(struct version_looks *looks, const struct model_marks *marks);

/* stub_target.c */
/* The name of the method that a stub leads to, 0 where it cannot be told. */
string_id stub_target__name(const struct recorder *recorder, struct process *process,
			    const struct stub_lead *lead, uint64_t time_ns);

/* samples.c */
/* Samples of processes that are catching up stay pending, unless all are wanted. */
void samples__resolve(struct recorder *recorder, bool all);

#endif /* TIERSCOPE_RECORDER_INTERNAL_H */
