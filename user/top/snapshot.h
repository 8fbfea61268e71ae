/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * What the full-screen view shows, at one moment: a copy that needs no model, so that it
 * can be shown, sorted and searched on another thread while the recording goes on.
 */
#ifndef TIERSCOPE_TOP_SNAPSHOT_H
#define TIERSCOPE_TOP_SNAPSHOT_H

#include "../model/model.h"

#define TOP_TREND   24u		/* intervals that a row remembers, and is remembered for */
#define TOP_GROUPS  1000u	/* methods that a snapshot has at most; */
#define TOP_BODIES  4000u	/* and bodies */
#define TOP_CHANGES 16u		/* changes that are told by name */
#define TOP_CHANGES_NS (10 * 1000000000ull)	/* for so long */

/* What rows count: bodies, and the same by method and by tier, as `stat --by` does. */
enum top_level { TOP_BODY, TOP_METHOD, TOP_TIER, TOP_LEVELS };

/* Which row it is, from one snapshot to the next. */
struct top_key {
	uint32_t level;		/* enum top_level */
	uint32_t process;	/* index in the model */
	uint32_t kind;		/* enum model_frame_kind; of other code than bodies the
				 * rest is 0 */
	uint32_t number;	/* a body, a name, a tier */
};

static inline bool top_key__is(const struct top_key *key, const struct top_key *other)
{
	return key->level == other->level && key->process == other->process &&
	       key->kind == other->kind && key->number == other->number;
}

/* Samples of the last interval, by event; and before it. */
struct top_row {
	struct top_key key;
	uint32_t groups[TOP_LEVELS];	/* of a body: its rows of the other levels */
	uint32_t hottest;	/* of a group: the body with most samples; MODEL_NONE */
	uint32_t bodies;	/* of a group: how many had samples in the interval */
	uint32_t name, label, process;	/* in the text: its method's, its version's, and
					 * its process's */
	const char *state;	/* a word of stat__state; of a body */
	uint32_t tier;		/* enum ts_tier; of a body */
	uint32_t source;	/* enum model_source; of a body */
	uint64_t born_ns;	/* the same; 0: other code */
	uint64_t start;
	uint32_t native_version;
	uint64_t self[MODEL_EVENTS_MAX], total[MODEL_EVENTS_MAX];
	uint16_t trend[MODEL_EVENTS_MAX][TOP_TREND];	/* self; the newest last */
};

struct top_rows {
	struct top_row *rows;
	uint32_t count;
};

struct top_event {
	uint32_t name;		/* in the text */
	bool is_time;		/* counts are nanoseconds on the CPU */
	uint64_t period;
	uint64_t samples;	/* of the interval */
};

/* Something new that calls may reach soon. */
enum top_change_kind { TOP_TIER_UP, TOP_OSR, TOP_REJIT, TOP_CHANGE_KINDS };
struct top_change {
	enum top_change_kind kind;
	uint32_t name, label;	/* in the text */
	uint64_t time_ns;
};

/* The session, as it stands. */
struct top_session {
	uint64_t start_ns, interval_ns;
	uint64_t managed, managed_named, bodies, lost;
};

struct top_snapshot {
	struct top_session session;
	uint64_t to_ns;
	uint32_t title;			/* in the text */
	bool several;			/* processes have rows */
	struct top_event events[MODEL_EVENTS_MAX];
	uint32_t events_count;
	struct top_rows levels[TOP_LEVELS];
	/* What there was no room for: self is what it had in the interval. */
	uint32_t left_out;		/* methods */
	uint64_t left_out_self[MODEL_EVENTS_MAX];
	struct top_change changes[TOP_CHANGES];	/* the newest first */
	uint32_t changes_count;
	uint32_t changed[TOP_CHANGE_KINDS];	/* how many in TOP_CHANGES_NS */
	char *text;			/* strings, by where they begin; escaped for a
					 * terminal */
};

void top_snapshot__free(struct top_snapshot *snapshot);

#define TOP_STACKS	  12u	/* that details have */
#define TOP_STACK_FRAMES  48u	/* leafward frames of one */
#define TOP_VERSIONS	  32u
#define TOP_RECENT_NS (30 * 1000000000ull)	/* samples older than that are forgotten */

/* One row looked at closely: all versions of it, and its hottest stacks. */
struct top_details {
	struct top_key key;
	uint32_t event;
	uint32_t title;			/* in the text */
	struct top_row *versions;	/* the youngest first */
	uint32_t versions_count, versions_more;
	uint64_t interval_samples[MODEL_EVENTS_MAX];	/* that versions have a share of */
	uint64_t span_ns;		/* how far back samples go */
	uint64_t samples;		/* with it anywhere on their stack */
	struct {
		uint64_t samples;
		uint32_t frames[TOP_STACK_FRAMES];	/* in the text, leaf first */
		bool marked[TOP_STACK_FRAMES];		/* it is of the row */
		uint32_t frames_count;
		bool cut;				/* there were more */
	} stacks[TOP_STACKS];
	uint32_t stacks_count;
	uint32_t stacks_more;
	char *text;
};

void top_details__free(struct top_details *details);

#endif /* TIERSCOPE_TOP_SNAPSHOT_H */
