// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// tierscope watch: when exactly calls reach another version of a method, and who did it.
#include "subject.h"

const struct command watch_command = {
	"watch", "-p PID METHOD [OPTIONS]",
	"show each change of what calls of a method reach, at the moment it happens",
	watch__run,
	"  METHOD               a part of its name; up to four functions can have it\n"
	"  -p, --pid PID        the process\n"
	"  -d, --duration TIME  for how long (default: until it ends or Ctrl-C)\n"
	"  --format FORMAT      text (default) or json, an object a line\n"
	"  -o, --output FILE    keep the recording, with these changes and samples at 99 Hz\n\n"
	"Uses the processor's watchpoints, which are four: other debuggers want them too.\n\n",
};

static int follow(const struct subject *subject)
{
	struct record_options options = {
		.watch = { .method = subject->method, .json = subject->json } };

	return subject__record(subject, &options, subject->duration, subject->output);
}

int watch__run(int argc, char **argv)
{
	struct subject subject = { .command = &watch_command, .follow = follow };

	return subject__run(&subject, argc, argv);
}
