// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// tierscope watch: when exactly calls reach another version of a method, and who did it.
#include "cli.h"
#include "record.h"

#include "../base/log.h"

#include <string.h>

enum { FORMAT = 256 };

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

struct watch {
	struct watch_options options;
	char *pid, *duration, *output;
};

static int bad(const char *format, const char *value)
{
	log__error(format, value);
	return EXIT_USAGE;
}

static int parse_one(struct watch *watch, int option)
{
	switch (option) {
	case 'p':
		watch->pid = optarg;
		break;
	case 'd':
		watch->duration = optarg;
		break;
	case 'o':
		watch->output = optarg;
		break;
	case FORMAT:
		watch->options.json = !strcmp(optarg, "json");
		if (!watch->options.json && strcmp(optarg, "text"))
			return bad("watch: --format is text or json, not '%s'", optarg);
		break;
	default:
		cli__verbosity(option);
	}
	return EXIT_OK;
}

/* -1: help was asked for. */
static int parse(int argc, char **argv, struct watch *watch)
{
	static const struct option options[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "duration", required_argument, NULL, 'd' },
		{ "format", required_argument, NULL, FORMAT },
		{ "output", required_argument, NULL, 'o' },
		{ "quiet", no_argument, NULL, 'q' }, { "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	int option, code = EXIT_OK;

	opterr = 0;
	while (!code && (option = getopt_long(argc, argv, ":p:d:o:qvh", options, NULL)) != -1) {
		if (option == 'h') {
			cli__print_usage(&watch_command);
			return -1;
		}
		if (option == '?' || option == ':')
			return cli__bad_option(argv, option, "watch");
		code = parse_one(watch, option);
	}
	if (code)
		return code;
	if (optind < argc)
		watch->options.method = argv[optind++];
	if (optind < argc)
		return bad("watch: unexpected argument '%s'", argv[optind]);
	if (watch->pid && watch->options.method && watch->options.method[0])
		return EXIT_OK;
	log__error("watch: of what? tierscope watch -p PID METHOD");
	return EXIT_USAGE;
}

int watch__run(int argc, char **argv)
{
	struct watch watch = { 0 };
	struct record_options options = { .as = &watch_command };
	char *record_argv[8] = { "watch", "-p" };
	int code = parse(argc, argv, &watch), count = 2;

	if (code)
		return code < 0 ? EXIT_OK : code;
	record_argv[count++] = watch.pid;
	if (watch.duration) {
		record_argv[count++] = "-d";
		record_argv[count++] = watch.duration;
	}
	if (watch.output) {
		record_argv[count++] = "-o";
		record_argv[count++] = watch.output;
	}
	options.no_recording = !watch.output;
	options.watch = watch.options;
	optind = 1;
	code = record_options__parse(count, record_argv, &options);
	return code ? code : record__session(&options);
}
