// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// tierscope top: records without keeping a recording, and shows what runs on a full screen.
#include "cli.h"
#include "record.h"

#define INTERVAL_NS 1000000000ull

const struct command top_command = {
	"top", "[-p PID | -n NAME | -a | -- COMMAND ARGS] [OPTIONS]",
	"watch code versions on a full screen", top__run,
	RECORD_TARGET_HELP
	"  -- COMMAND ARGS      start a command and watch it and its children\n"
	"  -i, --interval TIME  between two looks (default 1s)\n"
	RECORD_SAMPLING_HELP
	"  -o, --output FILE    what the command prints goes there (default: nowhere)\n\n"
	"On the screen ? tells the keys, q quits.  Elsewhere than on a terminal: tierscope stat.\n\n"
	"examples:\n"
	"  tierscope top -p 1234\n"
	"  tierscope top -a -e cpu-clock,page-faults\n\n",
};

int top__run(int argc, char **argv)
{
	struct record_options options = { .as = &top_command, .no_recording = true,
					  .screen = true, .stat.interval_ns = INTERVAL_NS };
	int code = record_options__parse(argc, argv, &options);

	if (code)
		return code < 0 ? EXIT_OK : code;
	return record__session(&options);
}
