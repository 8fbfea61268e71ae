// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The options of tierscope record.
#include "cli.h"
#include "record.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../base/text.h"

#include <pwd.h>
#include <stdlib.h>
#include <string.h>

#define FREQUENCY_DEFAULT 99	/* prime to the 100 Hz of so many timers */
#define MAX_SIZE_LEAST (64u << 10)

enum { ATTACH = 256, MAX_SIZE, MAX_FILES };		/* options without a letter */

static int bad(const char *format, const char *value)
{
	log__error(format, value);
	return EXIT_USAGE;
}

static int add_event(struct record_options *options, const char *name)
{
	struct trouble trouble = { "" };
	struct kernel_event event;

	if (kernel_event__parse(name, &event, &trouble))
		return bad("record: %s", trouble.text);
	for (unsigned int i = 0; i < options->kernel.events_count; i++)
		if (!strcmp(options->kernel.events[i].name, event.name))
			return bad("record: event %s is asked for twice", event.name);
	if (options->kernel.events_count >= TS_EVENTS_MAX)
		return bad("record: at most four events at a time, '%s' is one too many", name);
	options->kernel.events[options->kernel.events_count++] = event;
	return EXIT_OK;
}

/* Several with commas, as perf takes them. */
static int add_events(struct record_options *options, const char *names)
{
	char *copy = alloc__string(names), *rest = copy, *name;
	int code = EXIT_OK;

	while (!code && (name = strsep(&rest, ",")))
		code = add_event(options, name);
	free(copy);
	return code;
}

/* By name or number. */
static int parse_user(struct record_options *options, const char *value)
{
	const struct passwd *user = getpwnam(value);
	uint64_t number;

	if (user)
		number = user->pw_uid;
	else if (text__parse_number(value, 0, UINT32_MAX - 1, &number))
		return bad("record: there is no user '%s'", value);
	options->user = (int64_t)number;
	return EXIT_OK;
}

static int parse_one(struct record_options *options, int option, const char *value)
{
	uint64_t number;

	switch (option) {
	case 'p':
		if (text__parse_number(value, 1, INT32_MAX, &number))
			return bad("record: -p needs a process id, not '%s'", value);
		options->pid = (pid_t)number;
		return EXIT_OK;
	case 'n':
		options->name = value;
		return EXIT_OK;
	case 'a':
		options->all = true;
		return EXIT_OK;
	case MAX_SIZE:
		if (text__parse_size(value, &options->max_size) ||
		    options->max_size < MAX_SIZE_LEAST)
			return bad("record: --max-size needs a size from 64k on, like 100M or 2G, not '%s'",
				   value);
		return EXIT_OK;
	case MAX_FILES:
		if (text__parse_number(value, 1, 100000, &number))
			return bad("record: --max-files needs a number of files, not '%s'", value);
		options->max_files = (unsigned int)number;
		return EXIT_OK;
	case 'u':
		return parse_user(options, value);
	case ATTACH:
		options->attach = true;
		return EXIT_OK;
	case 'd':
		if (text__parse_duration(value, &options->duration_ns) ||
		    !options->duration_ns)
			return bad("record: -d needs a duration like 10s, 2m or 00:01:30:00, not '%s'",
				   value);
		return EXIT_OK;
	case 'F':
		if (text__parse_number(value, 1, KERNEL_FREQUENCY_MAX, &number))
			return bad("record: -F needs samples per second, 1 to 20000, not '%s'",
				   value);
		options->kernel.frequency = (unsigned int)number;
		return EXIT_OK;
	case 'e':
		return add_events(options, value);
	case 'K':
		options->kernel.kernel_stacks = true;
		return EXIT_OK;
	case 'o':
		options->output = value;
		return EXIT_OK;
	default:
		cli__verbosity(option);
		return EXIT_OK;
	}
}

/* For tests: rings too small for what goes through them.  0: not set. */
static int ring_bytes(const char *variable, uint32_t *ret_bytes)
{
	const char *value = getenv(variable);
	uint64_t number = 0;

	if (value && (text__parse_number(value, 4096, 1u << 30, &number) ||
		      number & (number - 1))) {
		log__error("record: %s needs a power of two from 4096 on, not '%s'", variable,
			   value);
		return EXIT_USAGE;
	}
	*ret_bytes = (uint32_t)number;
	return EXIT_OK;
}

static int check(struct record_options *options, int argc, char **argv)
{
	bool dashes = optind > 0 && optind <= argc && !strcmp(argv[optind - 1], "--");
	int format;

	if (optind < argc && !dashes)
		return bad("record: unexpected argument '%s'; a command goes behind --",
			   argv[optind]);
	if (optind < argc)
		options->command = argv + optind;
	if (!!options->pid + !!options->name + options->all + !!options->command != 1) {
		log__error("record: one of -p PID, -n NAME, -a and -- COMMAND is needed");
		return EXIT_USAGE;
	}
	if (options->attach && !options->all)
		return bad("record: %s goes with -a; -p and -n attach anyway", "--attach");
	if (options->user >= 0 && !options->all)
		return bad("record: %s goes with -a", "-u");
	if (ring_bytes("TIERSCOPE_SAMPLE_RING", &options->kernel.sample_ring_bytes) ||
	    ring_bytes("TIERSCOPE_CODE_RING", &options->kernel.code_ring_bytes))
		return EXIT_USAGE;
	if (!options->kernel.events_count)
		(void)add_event(options, "cpu-clock");	/* it exists */
	if (!options->output)
		options->output = "recording.tscope";
	format = output__format_of_path(options->output);
	options->format = format < 0 ? OUTPUT_RECORDING : (enum output_format)format;
	if (options->max_files && !options->max_size)
		return bad("record: %s goes with --max-size", "--max-files");
	if (options->max_size && options->format != OUTPUT_RECORDING)
		return bad("record: --max-size makes recordings, and %s is a view; give -o another name",
			   options->output);
	return EXIT_OK;
}

int record_options__parse(int argc, char **argv, struct record_options *ret_options)
{
	static const struct option options[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "name", required_argument, NULL, 'n' },
		{ "all", no_argument, NULL, 'a' },
		{ "uid", required_argument, NULL, 'u' },
		{ "attach", no_argument, NULL, ATTACH },
		{ "max-size", required_argument, NULL, MAX_SIZE },
		{ "max-files", required_argument, NULL, MAX_FILES },
		{ "duration", required_argument, NULL, 'd' },
		{ "frequency", required_argument, NULL, 'F' },
		{ "event", required_argument, NULL, 'e' },
		{ "kernel", no_argument, NULL, 'K' },
		{ "output", required_argument, NULL, 'o' },
		{ "quiet", no_argument, NULL, 'q' }, { "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	int option, code;

	ret_options->kernel.frequency = FREQUENCY_DEFAULT;
	ret_options->user = -1;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "+:p:n:au:d:F:e:o:qvh", options, NULL)) != -1) {
		if (option == 'h') {
			cli__print_usage(&record_command);
			return -1;
		}
		if (option == '?' || option == ':')
			return cli__bad_option(argv, option, "record");
		code = parse_one(ret_options, option, optarg);
		if (code)
			return code;
	}
	return check(ret_options, argc, argv);
}
