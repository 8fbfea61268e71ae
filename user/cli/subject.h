/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Private to the commands: those that show something of a recording, or of a process, which
 * is recorded for a moment then, into memory, or followed.
 */
#ifndef TIERSCOPE_CLI_SUBJECT_H
#define TIERSCOPE_CLI_SUBJECT_H

#include "cli.h"
#include "record.h"

#include "../base/buf.h"
#include "../view/view.h"

#define SUBJECT_SECONDS "2s"
#define SUBJECT_OPTIONS(PROCESS, DURATION) \
	"  METHOD               only methods with this in their name\n" \
	"  -p, --pid PID        of this process, " PROCESS "\n" \
	"  -d, --duration TIME  for how long (default " DURATION ")\n" \
	"  --format FORMAT      text (default) or json\n" \
	"  -o, --output FILE    write there instead of standard output\n"

struct subject {
	const struct command *command;
	/* What is shown of a recording; 0 or -Exxx.  NULL: of none, and of one METHOD. */
	int (*write)(const struct model *model, const struct subject *subject,
		     struct buf *buf);
	const char *file, *pid, *duration, *method, *output;
	bool json;
	struct view_options view;
	/* The command's own option, which takes a value; and what it must be. */
	const char *own_option, *own_wants;
	bool (*take_own)(struct subject *subject, const char *value);	/* false: it is not */
	/* Shows a process while it runs, instead of what was recorded; NULL: it does not. */
	int (*follow)(const struct subject *subject);
	unsigned int kinds;	/* of events */
};

/*
 * Records the subject's process with these options.  duration NULL: until it ends; output
 * NULL: no recording is kept.  An enum exit_code.
 */
int subject__record(const struct subject *subject, struct record_options *options,
		    const char *duration, const char *output);

/* Parses the options, and shows it; an enum exit_code. */
int subject__run(struct subject *subject, int argc, char **argv);

#endif /* TIERSCOPE_CLI_SUBJECT_H */
