// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// tierscope report: a recording as text, as a page, or in a format of other tools.
#include "cli.h"
#include "input.h"
#include "output.h"

#include "../base/log.h"
#include "../base/text.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

const struct command report_command = {
	"report", "FILE [OPTIONS]", "show a recording", report__run,
	"  --format FORMAT      text (default), html, folded, json, pprof or speedscope;\n"
	"                       else by the name of -o (.pb.gz is pprof)\n"
	"  --split HOW          version (default), tier, rejit or none\n"
	"  --per-thread         stacks begin with their thread; text: a table per thread\n"
	"  --group GROUP        none (default), or runtime: its frames as [GC], [JIT] and so on\n"
	"  --names STYLE        people (default) or perfmap, as in a .NET perf map\n"
	"  -e, --event EVENT    of this event only (default: the first)\n"
	"  --off-cpu            time off the CPU, by what threads waited for\n"
	"  --wall               time on a CPU and off it, together\n"
	"  --top N              rows of the text report (default 30, 0: all)\n"
	"  -o, --output FILE    write there instead of standard output\n",
};

struct report {
	const char *file, *output, *event;
	bool off_cpu, wall;
	int format;		/* enum output_format, -1: by name */
	struct view_options view;
};

enum { FORMAT = 256, SPLIT, TOP, PER_THREAD, NAMES, GROUP, OFF_CPU, WALL };

static int bad(const char *format, const char *value)
{
	log__error(format, value);
	return EXIT_USAGE;
}

/* Options that say how it is shown. */
static int parse_view(struct report *report, int option, const char *value)
{
	uint64_t number;

	switch (option) {
	case FORMAT:
		report->format = output__format(value);
		if (report->format < 0)
			return bad("report: unknown format '%s'; there are " OUTPUT_FORMATS,
				   value);
		break;
	case SPLIT:
		if (output__split(value, &report->view.split))
			return bad("report: unknown split '%s'; there are version, tier, rejit and none",
				   value);
		break;
	case TOP:
		if (text__parse_number(value, 0, UINT32_MAX, &number))
			return bad("report: --top needs a number, not '%s'", value);
		report->view.top = (uint32_t)number;
		break;
	case PER_THREAD:
		report->view.per_thread = true;
		break;
	case GROUP:
		if (output__group(value, &report->view.group_runtime))
			return bad("report: unknown group '%s'; there are none and runtime", value);
		break;
	case NAMES:
		if (output__names(value, &report->view.names))
			return bad("report: unknown names '%s'; there are people and perfmap",
				   value);
		break;
	}
	return EXIT_OK;
}

static int parse(int argc, char **argv, struct report *report)
{
	static const struct option options[] = {
		{ "format", required_argument, NULL, FORMAT },
		{ "split", required_argument, NULL, SPLIT },
		{ "top", required_argument, NULL, TOP },
		{ "per-thread", no_argument, NULL, PER_THREAD },
		{ "names", required_argument, NULL, NAMES },
		{ "group", required_argument, NULL, GROUP },
		{ "off-cpu", no_argument, NULL, OFF_CPU },
		{ "wall", no_argument, NULL, WALL },
		{ "event", required_argument, NULL, 'e' },
		{ "output", required_argument, NULL, 'o' },
		{ "quiet", no_argument, NULL, 'q' }, { "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	int option, code;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":o:e:qvh", options, NULL)) != -1) {
		switch (option) {
		case 'o':
			report->output = optarg;
			break;
		case 'e':
			report->event = optarg;
			break;
		case OFF_CPU:
			report->off_cpu = true;
			break;
		case WALL:
			report->wall = true;
			break;
		case 'q':
		case 'v':
			cli__verbosity(option);
			break;
		case 'h':
			cli__print_usage(&report_command);
			return -1;
		case '?':
		case ':':
			return cli__bad_option(argv, option, "report");
		default:
			code = parse_view(report, option, optarg);
			if (code)
				return code;
		}
	}
	if (optind + 1 != argc) {
		log__error(optind < argc ? "report: one recording at a time" :
					   "report: which recording? tierscope report FILE");
		return EXIT_USAGE;
	}
	if (!!report->event + report->off_cpu + report->wall > 1) {
		log__error("report: one of --event, --off-cpu and --wall at a time");
		return EXIT_USAGE;
	}
	report->file = argv[optind];
	return EXIT_OK;
}

/* The format, and whether the other options go with it. */
static int choose_format(struct report *report)
{
	const char *lacks;

	if (report->format < 0)
		report->format = report->output ? output__format_of_path(report->output) : -1;
	if (report->format < 0 || report->format == OUTPUT_RECORDING)
		report->format = OUTPUT_TEXT;
	lacks = output__lacks((enum output_format)report->format, &report->view);
	if (lacks) {
		log__error("report: %s has no effect on %s; leave it out", lacks,
			   output__name((enum output_format)report->format));
		return EXIT_USAGE;
	}
	if (report->format == OUTPUT_PPROF && !report->output && isatty(STDOUT_FILENO)) {
		log__error("report: pprof is not for a terminal; give it a file with -o");
		return EXIT_USAGE;
	}
	return EXIT_OK;
}

static int find_event(const struct model *model, const char *name, uint32_t *ret_event)
{
	for (uint32_t i = 0; i < model__events(model); i++) {
		if (!strcmp(model__text(model, model__event(model, i)->name), name)) {
			*ret_event = i;
			return EXIT_OK;
		}
	}
	log__error("event '%s' was not recorded", name);
	return EXIT_USAGE;
}

/* The wall clock needs both halves. */
static int choose_event(const struct report *report, const struct model *model,
			uint32_t *ret_event)
{
	uint32_t off_cpu = model__off_cpu(model);

	*ret_event = 0;
	if (!report->off_cpu && !report->wall)
		return report->event ? find_event(model, report->event, ret_event) : EXIT_OK;
	if (off_cpu == MODEL_NONE) {
		log__error("time off the CPU was not recorded; tierscope record --off-cpu does");
		return EXIT_USAGE;
	}
	if (report->wall && model__clock(model) == MODEL_NONE) {
		log__error("neither cpu-clock nor task-clock was recorded, so there is no --wall");
		return EXIT_USAGE;
	}
	*ret_event = report->wall ? VIEW_WALL : off_cpu;
	return EXIT_OK;
}

int report__run(int argc, char **argv)
{
	struct report report = { .format = -1, .view.top = 30 };
	struct model *model;
	char note[INPUT_NOTE_BYTES] = "";
	int code = parse(argc, argv, &report);

	if (!code)
		code = choose_format(&report);
	if (code)
		return code < 0 ? EXIT_OK : code;
	model = model__new();
	code = input__read(report.file, model, note);
	if (!code)
		code = choose_event(&report, model, &report.view.event);
	if (!code) {
		if (report.view.group_runtime)
			view__group_runtime(model);
		report.view.note = note[0] ? note : NULL;
		code = output__write(model, &report.view, (enum output_format)report.format,
				     report.output);
	}
	model__free(model);
	return code;
}
