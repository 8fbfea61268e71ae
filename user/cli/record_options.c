// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The options of tierscope record, and of all other commands that record.
#include "cli.h"
#include "record.h"

#include "../base/alloc.h"
#include "../base/log.h"
#include "../base/text.h"

#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FREQUENCY_DEFAULT 99	/* prime to the 100 Hz of so many timers */
#define MAX_SIZE_LEAST (64u << 10)
#define STAT_TOP 30
#define INTERVAL_LEAST_NS 100000000	/* rings are looked at four times a second or so */

/* Options without a letter. */
enum { ATTACH = 256, MAX_SIZE, MAX_FILES, STAT, BY, SORT, TOP, CSV, JSON, LISTEN, OFF_CPU, TIERING };

/* Whose option it is. */
enum { RECORD = 1, STATS = 2, SERVE = 4, SCREEN = 8, ALL = 15, TABLES = RECORD | STATS };

static const struct {
	struct option option;
	unsigned int commands;
} known[] = {
	{ { "pid", required_argument, NULL, 'p' }, ALL },
	{ { "name", required_argument, NULL, 'n' }, ALL },
	{ { "all", no_argument, NULL, 'a' }, ALL },
	{ { "uid", required_argument, NULL, 'u' }, ALL },
	{ { "attach", no_argument, NULL, ATTACH }, ALL },
	{ { "duration", required_argument, NULL, 'd' }, ALL },
	{ { "frequency", required_argument, NULL, 'F' }, ALL },
	{ { "event", required_argument, NULL, 'e' }, ALL },
	{ { "output", required_argument, NULL, 'o' }, TABLES | SCREEN },
	{ { "max-size", required_argument, NULL, MAX_SIZE }, RECORD },
	{ { "max-files", required_argument, NULL, MAX_FILES }, RECORD },
	{ { "kernel", no_argument, NULL, 'K' }, RECORD },
	{ { "off-cpu", no_argument, NULL, OFF_CPU }, RECORD },
	{ { "tiering", no_argument, NULL, TIERING }, RECORD },
	{ { "stat", required_argument, NULL, STAT }, RECORD },
	{ { "serve", required_argument, NULL, LISTEN }, RECORD },
	{ { "listen", required_argument, NULL, LISTEN }, SERVE },
	{ { "interval", required_argument, NULL, 'i' }, STATS | SCREEN },
	{ { "by", required_argument, NULL, BY }, TABLES },
	{ { "sort", required_argument, NULL, SORT }, TABLES },
	{ { "top", required_argument, NULL, TOP }, TABLES },
	{ { "csv", no_argument, NULL, CSV }, TABLES },
	{ { "json", no_argument, NULL, JSON }, TABLES },
	{ { "quiet", no_argument, NULL, 'q' }, ALL },
	{ { "verbose", no_argument, NULL, 'v' }, ALL },
	{ { "help", no_argument, NULL, 'h' }, ALL },
};
#define KNOWN (sizeof(known) / sizeof(known[0]))

static int bad(const struct record_options *options, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int bad(const struct record_options *options, const char *format, ...)
{
	struct buf text = BUF_INIT;
	va_list arguments;

	va_start(arguments, format);
	buf__vprintf(&text, format, arguments);
	va_end(arguments);
	log__error("%s: %s", options->as->name, buf__string(&text));
	buf__free(&text);
	return EXIT_USAGE;
}

static int add_event(struct record_options *options, const char *name)
{
	struct trouble trouble = { "" };
	struct kernel_event event;

	if (kernel_event__parse(name, &event, &trouble) ||
	    kernel_event__check(&event, &trouble))
		return bad(options, "%s", trouble.text);
	for (unsigned int i = 0; i < options->kernel.events_count; i++)
		if (!strcmp(options->kernel.events[i].name, event.name))
			return bad(options, "event %s is asked for twice", event.name);
	if (options->kernel.events_count >= TS_EVENTS_MAX)
		return bad(options, "at most four events at a time, '%s' is one too many", name);
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
		return bad(options, "there is no user '%s'", value);
	options->user = (int64_t)number;
	return EXIT_OK;
}

static int parse_interval(struct record_options *options, const char *name, const char *value)
{
	if (text__parse_duration(value, &options->stat.interval_ns) ||
	    options->stat.interval_ns < INTERVAL_LEAST_NS)
		return bad(options, "%s needs a duration from 100ms on, like 1s, not '%s'", name,
			   value);
	options->stat.wanted = !options->screen;
	return EXIT_OK;
}

static int parse_by(struct record_options *options, const char *value)
{
	static const char *const names[] = { [STAT_BY_BODY] = "body",
					     [STAT_BY_METHOD] = "method",
					     [STAT_BY_TIER] = "tier" };

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(value, names[i])) {
			options->stat.view.by = (enum stat_by)i;
			return EXIT_OK;
		}
	}
	return bad(options, "--by is body, method or tier, not '%s'", value);
}

/* Which processes. */
static int parse_target(struct record_options *options, int option, const char *value)
{
	uint64_t number;

	switch (option) {
	case 'p':
		if (text__parse_number(value, 1, INT32_MAX, &number))
			return bad(options, "-p needs a process id, not '%s'", value);
		options->pid = (pid_t)number;
		break;
	case 'n':
		options->name = value;
		break;
	case 'a':
		options->all = true;
		break;
	case 'u':
		return parse_user(options, value);
	case ATTACH:
		options->attach = true;
		break;
	}
	return EXIT_OK;
}

/* How the table of stat looks. */
static int parse_stat(struct record_options *options, int option, const char *value)
{
	uint64_t number;

	options->stat.styled |= option != STAT && option != 'i';
	switch (option) {
	case STAT:
		return parse_interval(options, "--stat", value);
	case 'i':
		return parse_interval(options, "-i", value);
	case BY:
		return parse_by(options, value);
	case SORT:
		options->stat.sort = value;
		break;
	case TOP:
		if (text__parse_number(value, 0, UINT32_MAX, &number))
			return bad(options, "--top needs a number of rows, not '%s'", value);
		options->stat.view.top = (uint32_t)number;
		options->stat.has_top = true;
		break;
	case CSV:
	case JSON:
		if (options->stat.view.format != STAT_TEXT)
			return bad(options, "one of --csv and --json at a time");
		options->stat.view.format = option == CSV ? STAT_CSV : STAT_JSON;
		break;
	}
	return EXIT_OK;
}

static int parse_one(struct record_options *options, int option, const char *value)
{
	uint64_t number;

	switch (option) {
	case MAX_SIZE:
		if (text__parse_size(value, &options->max_size) ||
		    options->max_size < MAX_SIZE_LEAST)
			return bad(options, "--max-size needs a size from 64k on, like 100M or 2G, not '%s'",
				   value);
		return EXIT_OK;
	case MAX_FILES:
		if (text__parse_number(value, 1, 100000, &number))
			return bad(options, "--max-files needs a number of files, not '%s'",
				   value);
		options->max_files = (unsigned int)number;
		return EXIT_OK;
	case 'd':
		if (text__parse_duration(value, &options->duration_ns) ||
		    !options->duration_ns)
			return bad(options, "-d needs a duration like 10s, 2m or 00:01:30:00, not '%s'",
				   value);
		return EXIT_OK;
	case 'F':
		if (text__parse_number(value, 1, KERNEL_FREQUENCY_MAX, &number))
			return bad(options, "-F needs samples per second, 1 to %d, not '%s'",
				   KERNEL_FREQUENCY_MAX, value);
		options->kernel.frequency = (unsigned int)number;
		return EXIT_OK;
	case 'e':
		return add_events(options, value);
	case 'K':
		options->kernel.kernel_stacks = true;
		return EXIT_OK;
	case TIERING:
		options->tiering = true;
		return EXIT_OK;
	case OFF_CPU:
		options->kernel.off_cpu = true;
		return EXIT_OK;
	case 'o':
		options->output = value;
		return EXIT_OK;
	case LISTEN:
		options->listen = value;
		return EXIT_OK;
	case 'q':
	case 'v':
		cli__verbosity(option);
		return EXIT_OK;
	case 'p':
	case 'n':
	case 'a':
	case 'u':
	case ATTACH:
		return parse_target(options, option, value);
	default:
		return parse_stat(options, option, value);
	}
}

/* For tests: rings too small for what goes through them.  0: not set. */
static int ring_bytes(const struct record_options *options, const char *variable,
		      uint32_t *ret_bytes)
{
	const char *value = getenv(variable);
	uint64_t number = 0;

	if (value && (text__parse_number(value, 4096, 1u << 30, &number) ||
		      number & (number - 1)))
		return bad(options, "%s needs a power of two from 4096 on, not '%s'", variable,
			   value);
	*ret_bytes = (uint32_t)number;
	return EXIT_OK;
}

static int check_target(struct record_options *options, int argc, char **argv)
{
	bool dashes = optind > 0 && optind <= argc && !strcmp(argv[optind - 1], "--");

	if (optind < argc && !dashes)
		return bad(options, "unexpected argument '%s'; a command goes behind --",
			   argv[optind]);
	if (optind < argc)
		options->command = argv + optind;
	if (!!options->pid + !!options->name + options->all + !!options->command != 1)
		return bad(options, "one of -p PID, -n NAME, -a and -- COMMAND is needed");
	if (options->attach && !options->all)
		return bad(options, "--attach goes with -a; -p and -n attach anyway");
	if (options->tiering && !options->command)
		return bad(options, "--tiering goes with -- COMMAND; a process that runs tells its tiering anyway");
	if (options->screen && options->output && !options->command)
		return bad(options, "-o goes with -- COMMAND: it is for what that prints");
	if (options->user >= 0 && !options->all)
		return bad(options, "-u goes with -a");
	return EXIT_OK;
}

/* The table is sorted by an event that is recorded. */
static int check_stat(struct record_options *options)
{
	struct record_stat_options *stat = &options->stat;
	const char *sort = stat->sort;

	if (stat->styled && !stat->wanted)
		return bad(options, "--by, --sort, --top, --csv and --json go with --stat TIME");
	if (!stat->has_top)	/* programs want them all */
		stat->view.top = stat->view.format == STAT_TEXT ? STAT_TOP : 0;
	if (!sort)
		return EXIT_OK;
	stat->view.sort = STAT_SORT_NAME;
	if (!strcmp(sort, "name"))
		return EXIT_OK;
	for (unsigned int i = 0; i < options->kernel.events_count; i++)
		if (!strcmp(options->kernel.events[i].name, sort))
			stat->view.sort = i;
	if (stat->view.sort == STAT_SORT_NAME)
		return bad(options, "--sort is name or an event that is counted, not '%s'", sort);
	return EXIT_OK;
}

/* Where the recording goes. */
static int check_output(struct record_options *options)
{
	int format;

	if (!options->output)
		options->output = "recording.tscope";
	format = output__format_of_path(options->output);
	options->format = format < 0 ? OUTPUT_RECORDING : (enum output_format)format;
	if (options->max_files && !options->max_size)
		return bad(options, "--max-files goes with --max-size");
	if (options->max_size && options->format != OUTPUT_RECORDING)
		return bad(options, "--max-size makes recordings, and %s is a view; give -o another name",
			   options->output);
	return EXIT_OK;
}

static int check(struct record_options *options, int argc, char **argv)
{
	int code = check_target(options, argc, argv);

	if (!code)
		code = ring_bytes(options, "TIERSCOPE_SAMPLE_RING",
				  &options->kernel.sample_ring_bytes);
	if (!code)
		code = ring_bytes(options, "TIERSCOPE_CODE_RING",
				  &options->kernel.code_ring_bytes);
	/* For measuring what it costs to hear of publications. */
	options->kernel.without_patches = getenv("TIERSCOPE_WITHOUT_PATCHES");
	if (!code && !options->kernel.events_count)
		code = add_event(options, "cpu-clock");
	if (!code && options->kernel.off_cpu && options->kernel.events_count == TS_EVENTS_MAX)
		return bad(options, "--off-cpu is an event too: three others at most");
	if (!code && options->kernel.off_cpu && (options->stat.wanted || options->listen))
		return bad(options, "--off-cpu is for recordings; --stat and --serve count samples only");
	if (!code)
		code = check_stat(options);
	if (code || options->no_recording)
		return code;
	return check_output(options);
}

/* What of the table is for the command, as getopt wants it. */
static void choose(unsigned int command, struct option *ret_long, char *ret_short)
{
	*ret_short++ = '+';
	*ret_short++ = ':';
	for (unsigned int i = 0; i < KNOWN; i++) {
		if (!(known[i].commands & command))
			continue;
		*ret_long++ = known[i].option;
		if (known[i].option.val >= ATTACH || known[i].option.val == 'K')
			continue;
		*ret_short++ = (char)known[i].option.val;
		if (known[i].option.has_arg)
			*ret_short++ = ':';
	}
	*ret_long = (struct option){ 0 };
	*ret_short = 0;
}

static unsigned int kind_of(const struct record_options *options)
{
	if (!options->no_recording)
		return RECORD;
	return options->listen ? SERVE : options->screen ? SCREEN : STATS;
}

int record_options__parse(int argc, char **argv, struct record_options *ret_options)
{
	struct option options[KNOWN + 1];
	char letters[2 * KNOWN + 3];
	int option, code;

	ret_options->kernel.frequency = FREQUENCY_DEFAULT;
	ret_options->user = -1;
	choose(kind_of(ret_options), options, letters);
	opterr = 0;
	while ((option = getopt_long(argc, argv, letters, options, NULL)) != -1) {
		if (option == 'h') {
			cli__print_usage(ret_options->as);
			return -1;
		}
		if (option == '?' || option == ':')
			return cli__bad_option(argv, option, ret_options->as->name);
		code = parse_one(ret_options, option, optarg);
		if (code)
			return code;
	}
	return check(ret_options, argc, argv);
}
