// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// tierscope events: what happened to code, in the order of time.
#include "subject.h"

const struct command events_command = {
	"events", "FILE | -p PID [METHOD] [OPTIONS]",
	"show what happened to code: loads, patches, ReJITs, tiering's delays", events__run,
	SUBJECT_OPTIONS("as they happen", "until it ends or Ctrl-C")
	"  --kind KINDS         load, unload, patch, rejit; delay, batch (of tiering as a\n"
	"                       whole); or several with commas (default: all)\n",
};

static int write_events(const struct model *model, const struct subject *subject,
			struct buf *buf)
{
	const struct view_events_filter filter = { .part = subject->method,
						   .kinds = subject->kinds };

	return view_events__write(model, &subject->view, &filter, subject->json, buf);
}

static bool take_kinds(struct subject *subject, const char *value)
{
	subject->kinds = view_events__kinds(value);
	return subject->kinds;
}

/* Nothing is kept: the lines are all there is. */
static int follow(const struct subject *subject)
{
	const struct view_events_filter filter = { .part = subject->method,
						   .kinds = subject->kinds };
	struct record_options options = {
		.events = { .wanted = true, .filter = filter, .json = subject->json,
			    .output = subject->output } };

	return subject__record(subject, &options, subject->duration, NULL);
}

int events__run(int argc, char **argv)
{
	struct subject subject = { .command = &events_command, .write = write_events,
				   .kinds = VIEW_EVENTS_ALL, .follow = follow,
				   .own_option = "kind",
				   .own_wants = "--kind is load, unload, patch, rejit, delay or batch, or several with commas",
				   .take_own = take_kinds };

	return subject__run(&subject, argc, argv);
}
