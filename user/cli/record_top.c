// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * The sink that fills the terminal.  The thread that records makes snapshots; that of the
 * terminal shows them, and is the only one that a slow terminal holds up.  Between the two
 * lies one snapshot at most, the newest, and one wish to look at a row closely.
 */
#include "cli.h"
#include "record.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../terminal/terminal.h"
#include "../top/frame.h"
#include "../top/top.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

struct wish {
	bool some;
	struct top_key key;
	uint32_t event;
};

struct top_sink {
	struct record_sink sink;	/* first: it is what the recording has of us */
	struct terminal_handlers handlers;
	bool open, left_behind;

	/* The recording thread's. */
	struct top *top;
	uint64_t to_ns;			/* of the last interval */

	/* Both threads'. */
	pthread_mutex_t lock;
	struct top_snapshot *coming;	/* NULL: it was taken */
	struct top_details *coming_details;
	struct wish wish;
	bool wish_is_new;
	bool paused;			/* rows of any age may be looked at */

	/* The terminal's thread's. */
	struct top_snapshot *shown;
	struct top_details *details;
	struct top_state state;
};

/* --- on the terminal's thread -------------------------------------------- */

/* Under the lock.  A pause keeps what is shown, but for a row that was not looked at yet. */
static void take(struct top_sink *top)
{
	bool other = !top->details ||
		     !top_key__is(&top->details->key, &top->state.looked_at) ||
		     top->details->event != top->state.event;

	if (top->coming && (!top->state.paused || !top->shown)) {
		top_snapshot__free(top->shown);
		top->shown = top->coming;
		top->coming = NULL;
	}
	if (top->coming_details && (!top->state.paused || other)) {
		top_details__free(top->details);
		top->details = top->coming_details;
		top->coming_details = NULL;
	}
}

static void draw(void *context, struct cells *cells)
{
	struct top_sink *top = context;

	pthread_mutex_lock(&top->lock);
	take(top);
	pthread_mutex_unlock(&top->lock);
	top_frame__fit(top->shown, top->details, &top->state, cells);
	top_frame__draw(top->shown, top->details, &top->state, cells);
}

/* As Ctrl-C does: the recording is to end. */
static void quit(void *context)
{
	(void)context;
	kill(getpid(), SIGINT);
}

static void on_key(void *context, uint32_t key)
{
	struct top_sink *top = context;
	enum top_action action = top_state__key(&top->state, top->shown, key);

	if (action == TOP_QUIT)
		quit(NULL);
	pthread_mutex_lock(&top->lock);
	top->wish_is_new |= action == TOP_LOOK_CLOSELY;
	top->wish = (struct wish){ top->state.screen == TOP_DETAILS, top->state.looked_at,
				   top->state.event };
	top->paused = top->state.paused;
	pthread_mutex_unlock(&top->lock);
}

/* --- on the recording thread --------------------------------------------- */

static void hand_over(struct top_sink *top, struct top_snapshot *snapshot,
		      struct top_details *details)
{
	pthread_mutex_lock(&top->lock);
	if (snapshot) {
		top_snapshot__free(top->coming);
		top->coming = snapshot;
	}
	if (details) {
		top_details__free(top->coming_details);
		top->coming_details = details;
	}
	pthread_mutex_unlock(&top->lock);
	terminal__redraw();
}

/* What is to be looked at closely; only_new: and was not yet. */
static struct top_details *look_closely(struct top_sink *top, const struct record *record,
					uint64_t now, bool only_new)
{
	struct wish wish;

	pthread_mutex_lock(&top->lock);
	wish = top->wish;
	wish.some &= top->wish_is_new || !only_new;
	top->wish_is_new = false;
	pthread_mutex_unlock(&top->lock);
	return wish.some ? top__details(top->top, record->model, &wish.key, wish.event, now) :
	       NULL;
}

static bool mark(struct record_sink *sink, struct record *record, struct model_marks *marks)
{
	struct top_sink *top = (struct top_sink *)sink;
	struct wish wish;
	bool paused;

	pthread_mutex_lock(&top->lock);
	wish = top->wish;
	paused = top->paused;
	pthread_mutex_unlock(&top->lock);
	if (!paused)
		top__mark(top->top, record->model, wish.some ? &wish.key : NULL, marks);
	return !paused;
}

static void forget(struct record_sink *sink, struct record *record,
		   const struct model_marks *marks)
{
	(void)record;
	top__forget(((struct top_sink *)sink)->top, marks);
}

static int open_screen(struct top_sink *top)
{
	struct trouble trouble = { "" };

	log__hold();
	if (!terminal__open(&top->handlers, &trouble)) {
		top->open = true;
		return EXIT_OK;
	}
	log__release();
	log__error("top: %s", trouble.text);
	return EXIT_NO_START;
}

static void close_screen(struct top_sink *top)
{
	if (!top->open)
		return;
	top->open = false;
	top->left_behind = !terminal__close();
	log__release();
}

static int step(struct record_sink *sink, struct record *record)
{
	struct top_sink *top = (struct top_sink *)sink;
	struct top_details *details;
	int code = top->open ? EXIT_OK : open_screen(top);

	if (code)
		return code;
	top__step(top->top, record->model);
	details = look_closely(top, record, top->to_ns, true);
	if (details)
		hand_over(top, NULL, details);
	return EXIT_OK;
}

static int look(struct record_sink *sink, struct record *record, uint64_t now, bool last)
{
	struct top_sink *top = (struct top_sink *)sink;
	struct recorder_progress progress;
	struct top_session session;
	struct top_snapshot *snapshot;

	if (last) {
		close_screen(top);
		return EXIT_OK;
	}
	recorder__progress(record->recorder, &progress);
	session = (struct top_session){
		.start_ns = record->start_ns, .interval_ns = sink->interval_ns,
		.managed = progress.managed,
		.managed_named = progress.managed_named, .bodies = progress.bodies,
		.lost = progress.lost };
	snapshot = top__look(top->top, record->model, &session, sink->looked_ns, now);
	top->to_ns = now;
	hand_over(top, snapshot, look_closely(top, record, now, false));
	return EXIT_OK;
}

/* What a thread that the terminal holds up may still use is left to the end of the program. */
static void free_top(struct record_sink *sink)
{
	struct top_sink *top = (struct top_sink *)sink;

	close_screen(top);
	top__free(top->top);
	if (top->left_behind)
		return;
	top_snapshot__free(top->coming);
	top_snapshot__free(top->shown);
	top_details__free(top->coming_details);
	top_details__free(top->details);
	free(top);
}

int record_top__new(const struct record_options *options, struct record_sink **ret_sink)
{
	struct trouble trouble = { "" };
	struct top_sink *top;
	int code;

	if (terminal__check(&trouble)) {
		log__error("top: %s; tierscope stat -i 1s prints tables anywhere", trouble.text);
		return EXIT_USAGE;
	}
	code = output__check(options->output);
	if (code)
		return code;
	top = alloc__zeroed(1, sizeof(*top));
	top->sink = (struct record_sink){ .interval_ns = options->stat.interval_ns,
					  .step = step, .look = look, .mark = mark,
					  .forget = forget, .free = free_top };
	top->handlers = (struct terminal_handlers){ .context = top, .draw = draw,
						    .key = on_key, .gone = quit };
	pthread_mutex_init(&top->lock, NULL);
	top_state__init(&top->state);
	top->top = top__new();
	*ret_sink = &top->sink;
	return EXIT_OK;
}
