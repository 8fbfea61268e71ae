// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// tierscope serve: records without keeping a recording, and tells a monitoring system.
#include "cli.h"
#include "record.h"

const struct command serve_command = {
	"serve", "[-p PID | -n NAME | -a | -- COMMAND ARGS] [--listen ADDRESS:PORT] [OPTIONS]",
	"metrics per code version for Prometheus", serve__run,
	"      --listen ADDRESS:PORT  where /metrics is (default " RECORD_LISTEN ")\n"
	RECORD_TARGET_HELP
	"  -- COMMAND ARGS      start a command and watch it and its children\n"
	RECORD_SAMPLING_HELP
	"\nexamples:\n"
	"  tierscope serve -a\n"
	"  tierscope serve -p 1234 --listen 127.0.0.1:9000\n\n",
};

int serve__run(int argc, char **argv)
{
	struct record_options options = { .as = &serve_command, .no_recording = true,
					  .listen = RECORD_LISTEN };
	int code = record_options__parse(argc, argv, &options);

	if (code)
		return code < 0 ? EXIT_OK : code;
	return record__session(&options);
}
