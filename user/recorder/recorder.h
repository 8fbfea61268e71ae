/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The recorder: takes what comes from the kernel side and from journals, and
 * fills the model.  Here a sample's words become bodies with names.  It owns
 * neither the kernel side nor the model.  One thread at a time.
 */
#ifndef TIERSCOPE_RECORDER_H
#define TIERSCOPE_RECORDER_H

#include "../base/trouble.h"
#include "../kernel/kernel.h"
#include "../model/model.h"

#include <stdbool.h>
#include <sys/types.h>

struct recorder;

struct recorder *recorder__new(struct kernel *kernel, struct model *model);
void recorder__free(struct recorder *recorder);

/*
 * Takes a process into the recording.  TS_SPACE_FOLLOW: its children too.
 * -ESRCH when it is gone.
 */
int recorder__adopt(struct recorder *recorder, pid_t pid, uint32_t flags);

/*
 * Tells of executable mappings of processes that are not in the recording, from
 * within a step: whoever wants one in adopts it after that.
 */
typedef void (*recorder_stranger)(void *context, const struct kernel_mapping *mapping);
void recorder__on_stranger(struct recorder *recorder, recorder_stranger stranger,
			   void *context);

/*
 * Reads what the process's hook has written down so far into code map and
 * model.  To be called once the probes are armed.  -ENOENT: no hook in it.  -EAGAIN:
 * the hook is catching up itself; call again in a moment.
 */
int recorder__catch_up(struct recorder *recorder, pid_t pid,
		       struct trouble *ret_trouble);

/* Has the tables of the images in a folder ready before anything maps them. */
void recorder__preload(struct recorder *recorder, const char *path);

/*
 * Once nothing listens any more (kernel__free): attached hooks close their sessions and
 * sleep.  Waits for that, but not long: a hook that is told too late notices by itself.
 */
void recorder__rest_hooks(struct recorder *recorder);

/*
 * From now on each change of a function's entry cell is a patch with its exact time, and
 * each write to it a sample of the watchpoints' event; process: its index in the model.
 * -ENOENT: the function has no cell that can be told; -ENOSPC, -EOPNOTSUPP: kernel__watch().
 */
int recorder__watch(struct recorder *recorder, uint32_t process, uint64_t function,
		    struct trouble *ret_trouble);

/* Drains, resolves, notices what changed.  0 or -Exxx. */
int recorder__step(struct recorder *recorder);
/*
 * Ends a part of the recording: all that fired until now is in the model, with
 * the ledger of this part alone; counting begins anew.
 */
int recorder__cut(struct recorder *recorder);
/*
 * A process of the recording has lately mapped something, or is new, and may map
 * more: be quick to hear of it.  Else another process's mapping is not worth waking.
 */
bool recorder__is_mapping(const struct recorder *recorder);
/* The last step, after kernel__stop: gaps are closed, the ledger is written. */
int recorder__finish(struct recorder *recorder);

/* For the progress line. */
struct recorder_progress {
	uint64_t samples, managed, managed_named;
	uint64_t lost, bodies;
	unsigned int processes_alive, hooked;
};
void recorder__progress(const struct recorder *recorder,
			struct recorder_progress *ret_progress);

/*
 * The ledger as it stands while recording, since the start; a row with its cause as name,
 * or NULL.  Counts of one kind are read one after the other, so that what is under way
 * makes them differ by a few; recorder__finish makes them exact.  0 or -Exxx.
 */
enum recorder_count_kind {
	RECORDER_SAMPLES_FIRED, RECORDER_SAMPLES_KEPT, RECORDER_SAMPLES_LOST,
	RECORDER_CODE_FIRED, RECORDER_CODE_KEPT, RECORDER_CODE_LOST, RECORDER_CODE_MAP_LOST,
	RECORDER_NOTE
};
struct recorder_count {
	enum recorder_count_kind kind;
	const char *cause;
	uint64_t value;
};
#define RECORDER_COUNTS_MAX (TS_LEDGER_SLOTS + 4)
int recorder__counts(struct recorder *recorder,
		     struct recorder_count ret_counts[RECORDER_COUNTS_MAX],
		     unsigned int *ret_count);

/*
 * Before model__sweep: marks what is needed of the model, now and for samples to come.  Of
 * what it marks all but bodies that died a while ago is alive.  False: nothing can go.
 */
bool recorder__mark(const struct recorder *recorder, struct model_marks *marks, uint64_t now);
/* And once all who need something have marked it: what is to go is not known any more. */
void recorder__forget(struct recorder *recorder, const struct model_marks *marks);

/* Processes that are still alive: calls `each` with index in the model. */
void recorder__alive(const struct recorder *recorder,
		     void (*each)(void *context, uint32_t process), void *context);
bool recorder__is_alive(const struct recorder *recorder, pid_t pid);

#endif /* TIERSCOPE_RECORDER_H */
