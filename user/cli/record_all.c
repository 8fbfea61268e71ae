// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Recording every process that has the hook (-a), and bringing it into those
 * that have not (--attach).  Processes come from /proc at the start, then from
 * what the kernel tells of mapped files.  Each goes its way on its own:
 *
 *   LOOK ──▶ ready ──▶ arm ──▶ ATTACH ──▶ WAIT ──▶ in the recording
 *     │        no hook, --attach            ▲
 *     └─────── hooked ──────────────────────┘      or one line that says why not
 *
 * LOOK and ATTACH ask the target, which may be stopped or hostile and answer
 * late or never, so workers do that; the rest is done here, between two steps
 * of the recorder.  Probes are armed before the hook gets in, so it finds
 * somebody listening.
 */
#include "cli.h"
#include "record.h"
#include "refusals.h"

#include "../base/alloc.h"
#include "../base/buf.h"
#include "../base/clock.h"
#include "../base/log.h"
#include "../base/text.h"
#include "../base/workers.h"
#include "../target/journal.h"
#include "../target/target.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 4
#define ATTACH_TIMEOUT_MS 10000
#define CANDIDATES_MAX 8192	/* a bound on what newcomers can cost */
#define LOOK_AFTER_NS 300000000ull	/* a runtime needs that long to come up */
#define YOUNG_NS 3000000000ull
#define JOURNAL_WAIT_NS 5000000000ull

enum stage { LOOK, ATTACH, WAIT, LEAVE };

enum outcome { GONE, NOT_WANTED, WITHOUT, HOOKED, READY, REFUSED };

/* A process on its way.  While a worker has it nobody else touches it. */
struct candidate {
	struct job job;		/* first: a job is its candidate */
	pid_t pid;
	enum stage stage;
	bool working, armed, attached, adopted;
	bool again;		/* it went on while a worker looked */
	bool coming;		/* it was seen to map the hook */
	uint64_t time_ns;	/* LOOK: not before; WAIT: not after */
	char *hook;		/* our library, NULL: not to be attached */
	int64_t user;		/* whose processes are wanted, -1: everybody's */
	/* What the worker found. */
	enum outcome outcome;
	struct target target;
	char *path, *host_path;
	int err;
	struct trouble trouble;
};

struct record_all {
	struct workers *workers;
	char *hook;			/* NULL without --attach */
	int64_t user;			/* -1: everybody's */
	struct candidate **candidates;
	unsigned int count, capacity;
	struct refusals refusals;
	unsigned int recorded, attached, tried, without;
};

/* --- one process ------------------------------------------------------- */

static void candidate__free(struct candidate *candidate)
{
	target__free(&candidate->target);
	free(candidate->hook);
	free(candidate->path);
	free(candidate->host_path);
	free(candidate);
}

static void drop(struct job *job)
{
	candidate__free((struct candidate *)job);
}

static bool is_young(const struct target *target)
{
	return clock__now() - target->start_ns < YOUNG_NS;
}

/*
 * The journal comes a moment after the library.  A library without one for longer is
 * what `tierscope detach` leaves.
 */
static bool is_hooked(const struct candidate *candidate)
{
	const struct target *target = &candidate->target;

	return target->hooked ||
	       (target->hook_mapped && (candidate->coming || is_young(target)));
}

/* On a worker. */
static void look(struct candidate *candidate)
{
	struct target *target = &candidate->target;
	int err;

	target__free(target);
	err = target__inspect(candidate->pid, target);
	if (err) {
		candidate->outcome = GONE;
	} else if (target->runtime == TARGET_NOT_DOTNET ||
		   (candidate->user >= 0 && target->uid != (uid_t)candidate->user)) {
		candidate->outcome = NOT_WANTED;
	} else if (is_hooked(candidate)) {
		candidate->outcome = HOOKED;
	} else if (!candidate->hook) {
		candidate->outcome = WITHOUT;
	} else {
		err = target__can_profile(target, &candidate->trouble);
		if (!err)
			err = hook_file__place(target, candidate->hook, &candidate->path,
					       &candidate->host_path, &candidate->trouble);
		candidate->outcome = err ? REFUSED : READY;
	}
	candidate->err = err;
}

static void run(struct job *job)
{
	struct candidate *candidate = (struct candidate *)job;

	if (candidate->stage == LOOK)
		look(candidate);
	else
		candidate->err = ipc__attach_profiler(&candidate->target, candidate->path,
						      ATTACH_TIMEOUT_MS,
						      &candidate->trouble);
}

static struct candidate *find(const struct record_all *all, pid_t pid)
{
	for (unsigned int i = 0; i < all->count; i++)
		if (all->candidates[i]->pid == pid)
			return all->candidates[i];
	return NULL;
}

static struct candidate *add(struct record_all *all, pid_t pid, enum stage stage,
			     uint64_t time_ns)
{
	struct candidate *candidate;

	if (all->count >= CANDIDATES_MAX)
		return NULL;
	candidate = alloc__zeroed(1, sizeof(*candidate));
	candidate->job = (struct job){ .run = run, .drop = drop };
	candidate->pid = pid;
	candidate->stage = stage;
	candidate->time_ns = time_ns;
	candidate->hook = alloc__string(all->hook);
	candidate->user = all->user;
	alloc__grow(all->candidates, all->count, all->capacity);
	all->candidates[all->count++] = candidate;
	return candidate;
}

static void refuse(struct record_all *all, struct candidate *candidate)
{
	const char *text = candidate->trouble.text[0] ? candidate->trouble.text :
			   strerror(-candidate->err);

	log__warn("process %d (%s) is not recorded: %s", candidate->pid,
		  candidate->target.comm, text);
	refusals__add(&all->refusals, text);
	candidate->stage = LEAVE;
}

/* --- the way in --------------------------------------------------------- */

static void wait_for_journal(struct candidate *candidate)
{
	candidate->stage = WAIT;
	candidate->time_ns = clock__now() + JOURNAL_WAIT_NS;
}

static void submit(struct record_all *all, struct candidate *candidate)
{
	candidate->err = workers__submit(all->workers, &candidate->job);
	candidate->working = !candidate->err;
	if (candidate->err)
		refuse(all, candidate);
}

/* The runtime is still coming up: its socket will be there in a moment. */
static bool may_pass(const struct candidate *candidate)
{
	return (candidate->err == -ENOENT || candidate->err == -ECONNREFUSED) &&
	       is_young(&candidate->target);
}

static void looked(struct record *record, struct candidate *candidate)
{
	struct record_all *all = record->all;

	if (candidate->again) {
		candidate->again = false;
		submit(all, candidate);
		return;
	}
	switch (candidate->outcome) {
	case GONE:
	case NOT_WANTED:
		candidate->stage = LEAVE;
		break;
	case WITHOUT:
		all->without++;
		candidate->stage = LEAVE;
		break;
	case HOOKED:
		wait_for_journal(candidate);
		break;
	case REFUSED:
		if (may_pass(candidate)) {
			candidate->time_ns = clock__now() + LOOK_AFTER_NS;
			break;
		}
		if (target__alive(candidate->pid, candidate->target.start_ticks)) {
			all->tried++;
			refuse(all, candidate);
		} else {
			candidate->stage = LEAVE;
		}
		break;
	case READY:
		all->tried++;
		candidate->err = kernel__attach_hook(record->kernel, candidate->host_path,
						     -1, &candidate->trouble);
		if (candidate->err) {
			refuse(all, candidate);
			break;
		}
		candidate->stage = ATTACH;
		submit(all, candidate);
		break;
	}
}

static void attach_done(struct record_all *all, struct candidate *candidate)
{
	if (candidate->err) {
		refuse(all, candidate);
		return;
	}
	candidate->attached = true;
	wait_for_journal(candidate);
}

/*
 * The library can be another file than ours: of an earlier version, a copy in a
 * container, replaced or removed since.  What is mapped is what has to be armed.
 */
static int arm_mapped(struct record *record, struct candidate *candidate)
{
	char *path = NULL, *host_path = NULL;
	int err = hook_file__mapped(candidate->pid, &path, &host_path);

	if (!err)
		err = kernel__attach_hook(record->kernel, host_path, -1,
					  &candidate->trouble);
	free(path);
	free(host_path);
	candidate->armed = !err;
	return err;
}

static int take_in(struct record *record, struct candidate *candidate)
{
	struct journal *journal;
	int err = candidate->armed ? 0 : arm_mapped(record, candidate);

	if (!err)
		err = journal__open(candidate->pid, &journal);
	if (err == -ENOENT)
		return -EAGAIN;
	if (err == -EPROTO)
		return trouble__set(&candidate->trouble, err,
			"its hook is of another version of tierscope; use that one, or restart the process");
	if (err)
		return err;
	journal__free(journal);
	if (!candidate->adopted)
		err = recorder__adopt(record->recorder, candidate->pid, 0);
	candidate->adopted |= !err;
	if (err == -ENOSPC)
		return trouble__set(&candidate->trouble, err,
			"more processes than the tables hold; record fewer at a time");
	if (!err)
		err = recorder__catch_up(record->recorder, candidate->pid,
					 &candidate->trouble);
	return err;
}

static void try_to_take_in(struct record *record, struct candidate *candidate)
{
	struct record_all *all = record->all;

	if (!candidate->adopted && recorder__is_alive(record->recorder, candidate->pid)) {
		candidate->stage = LEAVE;
		return;
	}
	candidate->err = take_in(record, candidate);
	if (!candidate->err) {
		all->recorded++;
		all->attached += candidate->attached;
		candidate->stage = LEAVE;
	} else if (candidate->err == -ESRCH) {
		/* Somebody's short life; ours to tell only if we were at it. */
		candidate->stage = LEAVE;
		if (candidate->attached) {
			trouble__set(&candidate->trouble, -ESRCH,
				     "it ended before the hook was in it");
			refuse(all, candidate);
		}
	} else if (candidate->err != -EAGAIN) {
		refuse(all, candidate);
	} else if (clock__now() >= candidate->time_ns) {
		trouble__set(&candidate->trouble, -ENOENT,
			     candidate->armed ? "the hook is in it but left no journal" :
			     "its runtime says that the hook is in it, but it is not");
		refuse(all, candidate);
	}
}

static void go_on(struct record *record, struct candidate *candidate, uint64_t now)
{
	if (candidate->stage == LOOK && now >= candidate->time_ns)
		submit(record->all, candidate);
	else if (candidate->stage == WAIT)
		try_to_take_in(record, candidate);
}

/* --- who is there ------------------------------------------------------- */

static bool is_named(const char *path, const char *prefix)
{
	const char *slash = strrchr(path, '/');

	return slash && !strncmp(slash + 1, prefix, strlen(prefix));
}

/* What the kernel tells of a process that is not in the recording. */
static void on_stranger(void *context, const struct kernel_mapping *mapping)
{
	struct record_all *all = context;
	bool hook = is_named(mapping->path, "libtierscope_hook");
	bool runtime = mapping->is_exec || is_named(mapping->path, "libcoreclr.so");
	struct candidate *candidate;

	if (!hook && !(runtime && all->hook))
		return;
	candidate = find(all, mapping->pid);
	if (!candidate)
		candidate = add(all, mapping->pid, LOOK, 0);
	if (!candidate || candidate->stage != LOOK)
		return;
	candidate->coming |= hook;
	if (candidate->working)
		candidate->again = true;
	else
		candidate->time_ns = hook ? 0 : clock__now() + LOOK_AFTER_NS;
}

static int list_present(struct record_all *all)
{
	struct dirent *entry;
	DIR *listing = opendir("/proc");
	uint64_t pid;

	if (!listing)
		return -errno;
	while ((entry = readdir(listing)))
		if (!text__parse_number(entry->d_name, 1, INT32_MAX, &pid) &&
		    (pid_t)pid != getpid())
			add(all, (pid_t)pid, LOOK, 0);
	closedir(listing);
	return 0;
}

int record_all__start(struct record *record)
{
	struct record_all *all = alloc__zeroed(1, sizeof(*all));
	struct trouble trouble = { "" };
	int err;

	record->all = all;
	all->user = record->options->user;
	all->workers = workers__new(THREADS);
	if (record->options->attach && hook_file__find(&all->hook, &trouble)) {
		log__error("cannot attach: %s", trouble.text);
		return EXIT_NO_START;
	}
	/* Before the listing, so that nobody is between the two. */
	recorder__on_stranger(record->recorder, on_stranger, all);
	err = list_present(all);
	if (err) {
		log__error("cannot list processes: %s", strerror(-err));
		return EXIT_NO_START;
	}
	return EXIT_OK;
}

void record_all__step(struct record *record)
{
	struct record_all *all = record->all;
	uint64_t now = clock__now();
	unsigned int kept = 0;
	struct job *job;

	if (!all)
		return;
	while ((job = workers__take(all->workers))) {
		struct candidate *candidate = (struct candidate *)job;

		candidate->working = false;
		if (candidate->stage == LOOK)
			looked(record, candidate);
		else
			attach_done(all, candidate);
	}
	for (unsigned int i = 0; i < all->count; i++) {
		struct candidate *candidate = all->candidates[i];

		if (!candidate->working)
			go_on(record, candidate, now);
		if (candidate->working || candidate->stage != LEAVE)
			all->candidates[kept++] = candidate;
		else
			candidate__free(candidate);
	}
	all->count = kept;
}

bool record_all__is_busy(const struct record *record)
{
	return record->all && record->all->count;
}

void record_all__summary(struct record *record)
{
	const struct record_all *all = record->all;
	struct buf line = BUF_INIT;

	if (!all)
		return;
	buf__printf(&line, "recorded %u process%s with the hook", all->recorded,
		    all->recorded == 1 ? "" : "es");
	if (all->hook)
		buf__printf(&line, "; attached %u of %u", all->attached, all->tried);
	else if (all->without)
		buf__printf(&line, "; %u .NET process%s without it (--attach brings it in)",
			    all->without, all->without == 1 ? " was" : "es were");
	refusals__append(&all->refusals, &line);
	log__info("%s", buf__string(&line));
	buf__free(&line);
}

void record_all__free(struct record_all *all)
{
	if (!all)
		return;
	/* Those that a worker has are dropped by the workers. */
	for (unsigned int i = 0; i < all->count; i++)
		if (!all->candidates[i]->working)
			candidate__free(all->candidates[i]);
	workers__free(all->workers);
	free(all->candidates);
	refusals__free(&all->refusals);
	free(all->hook);
	free(all);
}
