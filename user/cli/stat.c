// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// tierscope stat: records without keeping a recording, and prints what ran.
#include "cli.h"
#include "record.h"

const struct command stat_command = {
	"stat", "[-p PID | -n NAME | -a | -- COMMAND ARGS] [OPTIONS]",
	"count events per code version, method or tier", stat__run,
	RECORD_TARGET_HELP
	"  -- COMMAND ARGS      start a command and count it and its children\n"
	"  -i, --interval TIME  a table every TIME, like 1s (default: one, at the end)\n"
	RECORD_SAMPLING_HELP
	"      --by WHAT        body (default), method or tier\n"
	"      --sort BY        an event, most of it first (default: the first), or name\n"
	"      --top N          rows of a table (default 30; with --csv and --json: all)\n"
	"      --csv            rows with commas\n"
	"      --json           a JSON object a table\n"
	"  -o, --output FILE    write there instead of standard output\n\n"
	"examples:\n"
	"  tierscope stat -p 1234 -i 1s --by tier\n"
	"  tierscope stat -e page-faults,context-switches -- dotnet app.dll\n\n",
};

int stat__run(int argc, char **argv)
{
	struct record_options options = { .as = &stat_command, .no_recording = true,
					  .stat.wanted = true };
	int code = record_options__parse(argc, argv, &options);

	if (code)
		return code < 0 ? EXIT_OK : code;
	return record__session(&options);
}
