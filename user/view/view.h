/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Views: each reads the model and writes one file into a buffer.  Names from
 * the target are hostile in every one of them.  Times are CLOCK_MONOTONIC ns.
 */
#ifndef TIERSCOPE_VIEW_H
#define TIERSCOPE_VIEW_H

#include "../base/buf.h"
#include "../model/model.h"

#include <stdbool.h>

enum view_split {
	VIEW_SPLIT_VERSION = 0,	/* body by body: tier, #ReJITID, osr@IL */
	VIEW_SPLIT_TIER,
	VIEW_SPLIT_REJIT,
	VIEW_SPLIT_NONE,	/* versions of a method merged */
};

enum view_names {
	VIEW_NAMES_PEOPLE = 0,	/* NS.Type.Method(int) [tier1 #2] */
	VIEW_NAMES_PERFMAP,	/* [module] NS.Type::Method(int)[OptimizedTier1] */
};

/* Not an event: time on a CPU and time off it together, in ns. */
#define VIEW_WALL	(MODEL_NONE - 1)

struct view_options {
	enum view_split split;
	uint32_t event;		/* index, or VIEW_WALL; other samples are left out */
	uint32_t top;		/* text: rows at most, 0 all */
	const char *title;	/* NULL: made from the recording */
	const char *note;	/* e.g. "recording was cut ...", NULL none */
	enum view_names names;	/* of managed code; not in HTML and JSON */
	bool per_thread;	/* stacks begin with their thread; not in JSON */
	bool group_runtime;	/* view__group_runtime was here; not in JSON */
};

/*
 * Folds the frames of the runtime in all stacks into one for each of what they are there for:
 * [GC], [JIT], [type loading], [interop], [threads], [runtime].  Sums stay as they are.  What is
 * said of frames by their file, as the cost of tiering is, cannot be said after it.
 */
void view__group_runtime(struct model *model);

int view_text__write(const struct model *model, const struct view_options *options,
		     struct buf *buf);
int view_html__write(const struct model *model, const struct view_options *options,
		     struct buf *buf);
int view_folded__write(const struct model *model, const struct view_options *options,
		       struct buf *buf);
int view_json__write(const struct model *model, const struct view_options *options,
		     struct buf *buf);
/* A profile of pprof, compressed.  -EIO when zlib refuses. */
int view_pprof__write(const struct model *model, const struct view_options *options,
		      struct buf *buf);
int view_speedscope__write(const struct model *model,
			   const struct view_options *options, struct buf *buf);

/* The code-version tree of methods with `part` in their name (NULL: of all), as text or as
 * JSON: versions.h. */
int view_versions__write(const struct model *model, const struct view_options *options,
			 const char *part, struct buf *buf);
int view_versions__write_json(const struct model *model, const struct view_options *options,
			      const char *part, struct buf *buf);

/* What happened to code, a line each, in the order of time. */
#define VIEW_EVENTS_LOAD   1u
#define VIEW_EVENTS_UNLOAD 2u
#define VIEW_EVENTS_PATCH  4u
#define VIEW_EVENTS_DELAY  8u
#define VIEW_EVENTS_BATCH  16u
#define VIEW_EVENTS_REJIT  32u
#define VIEW_EVENTS_ALL	   63u
struct view_events_filter {
	const char *part;	/* of a name, in any case; NULL all */
	unsigned int kinds;
	struct view_events_seen *seen;	/* NULL: all is written */
};
/* Of a model that grows: what was written, or was before it began, is left out.  Zeroed at
 * first. */
struct view_events_seen {
	uint32_t bodies, patches, tierings;
	bool *dead;		/* [body]: its unload was written */
	uint32_t dead_room;
	struct map *rejits;	/* what was written of them */
	uint64_t rejit_rows;	/* that they were worked out of */
	bool rejit_waits;	/* the number of one was not known */
};
void view_events_seen__free(struct view_events_seen *seen);
/* Of "load,patch"; 0: one of them is no kind. */
unsigned int view_events__kinds(const char *names);
/* As text, or a JSON object a line. */
int view_events__write(const struct model *model, const struct view_options *options,
		       const struct view_events_filter *filter, bool json,
		       struct buf *buf);

/*
 * What a watchpoint saw of a function, as text of some lines or as a JSON object in one:
 * what calls reach now, which thread did it and where.  begin_ns: what it was then, when the
 * watch began; 0: a change.  Without a sample (NULL) it was seen by a look: of what the word
 * leads on to, or of a write that came too late for the watchpoint.
 */
int view_watch__append(const struct model *model, const struct model_patch *patch,
		       const struct model_sample *sample, uint64_t begin_ns,
		       const char *name, bool json, struct buf *buf);

/* One frame's label under a split: "NS.Type.Method(int) [tier1 #2]",
 * "libcoreclr.so+0x1c99a0", "[unknown: cause]".  Not escaped. */
void view__frame_label(const struct model *model, uint32_t frame,
		       enum view_split split, struct buf *buf);

/* Its period is in nanoseconds on the CPU. */
bool view__is_time(const struct model *model, uint32_t event);
/* enum ts_tier; what is out of range is TS_TIER_UNKNOWN. */
uint32_t view__tier(const struct model_body *body);
/* "comm-pid".  Not escaped. */
void view__process_label(const struct model *model, uint32_t process, struct buf *buf);
/* "tier1 #2", "osr@0x1a", "tier0 #?": the version part of a label. */
void view__version_label(const struct model_body *body, struct buf *buf);
/* A name as it may stand on a terminal; one of more bytes than `most` is cut, and ends in
 * "...". */
void view__append_name(struct buf *buf, const char *name, size_t most);
/* The options' title, or one made from the recording.  Not escaped. */
void view__title(const struct model *model, const struct view_options *options,
		 struct buf *buf);

#endif /* TIERSCOPE_VIEW_H */
