// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Something of a recording or of a process: see subject.h.
#include "subject.h"

#include "input.h"
#include "output.h"

#include "../base/log.h"
#include "../base/text.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PATH_BYTES 64

enum { FORMAT = 256, OWN };

static int bad(const struct subject *subject, const char *what, const char *value)
{
	log__error("%s: %s, not '%s'", subject->command->name, what, value);
	return EXIT_USAGE;
}

static int parse_one(struct subject *subject, int option, const char *value)
{
	uint64_t number;

	switch (option) {
	case 'p':
		if (text__parse_number(value, 1, INT32_MAX, &number))
			return bad(subject, "-p needs a process id", value);
		subject->pid = value;
		break;
	case 'd':
		if (text__parse_duration(value, &number))
			return bad(subject, "-d needs a duration like 10s or 2m", value);
		subject->duration = value;
		break;
	case 'o':
		subject->output = value;
		break;
	case FORMAT:
		subject->json = !strcmp(value, "json");
		if (!subject->json && strcmp(value, "text"))
			return bad(subject, "--format is text or json", value);
		break;
	case OWN:
		if (!subject->take_own(subject, value))
			return bad(subject, subject->own_wants, value);
		break;
	default:
		cli__verbosity(option);
	}
	return EXIT_OK;
}

static bool is_missing(const struct subject *subject)
{
	if (!subject->write)
		return !subject->pid || !subject->method || !subject->method[0];
	return !subject->pid && !subject->file;
}

/* FILE and METHOD, or METHOD alone with -p. */
static int take_arguments(int argc, char **argv, struct subject *subject)
{
	const char *name = subject->command->name;
	int at = optind;

	if (!subject->pid && at < argc)
		subject->file = argv[at++];
	if (at < argc)
		subject->method = argv[at++];
	if (at < argc)
		log__error("%s: unexpected argument '%s'", name, argv[at]);
	else if (is_missing(subject))
		log__error("%s: of what? tierscope %s %s", name, name,
			   subject->write ? "FILE, or -p PID" : "-p PID METHOD");
	else if (subject->duration && !subject->pid)
		log__error("%s: -d goes with -p; a recording has its length", name);
	else
		return EXIT_OK;
	return EXIT_USAGE;
}

/* -1: help was asked for. */
static int parse(int argc, char **argv, struct subject *subject)
{
	const struct option long_options[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "duration", required_argument, NULL, 'd' },
		{ "format", required_argument, NULL, FORMAT },
		{ "output", required_argument, NULL, 'o' },
		{ "quiet", no_argument, NULL, 'q' }, { "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ subject->own_option, required_argument, NULL, OWN }, /* NULL ends them too */
		{ NULL, 0, NULL, 0 },
	};
	int option, code = EXIT_OK;

	opterr = 0;
	while (!code && (option = getopt_long(argc, argv, ":p:d:o:qvh", long_options, NULL)) != -1) {
		if (option == 'h') {
			cli__print_usage(subject->command);
			return -1;
		}
		if (option == '?' || option == ':')
			return cli__bad_option(argv, option, subject->command->name);
		code = parse_one(subject, option, optarg);
	}
	return code ? code : take_arguments(argc, argv, subject);
}

int subject__record(const struct subject *subject, struct record_options *options,
		    const char *duration, const char *output)
{
	char *argv[8] = { (char *)subject->command->name, "-p", (char *)subject->pid };
	int count = 3, code;

	if (duration) {
		argv[count++] = "-d";
		argv[count++] = (char *)duration;
	}
	if (output) {
		argv[count++] = "-o";
		argv[count++] = (char *)output;
	}
	options->as = subject->command;
	options->no_recording = !output;
	optind = 1;
	code = record_options__parse(count, argv, options);
	return code ? code : record__session(options);
}

/* Quietly, into memory; `file` is the caller's to close. */
static int record(const struct subject *subject, char path[PATH_BYTES], int *ret_file)
{
	enum log_level level = log__level();
	struct record_options options = { 0 };
	int code;

	*ret_file = memfd_create("tierscope-recording", MFD_CLOEXEC);
	if (*ret_file < 0) {
		log__error("cannot make a file in memory: %s", strerror(errno));
		return EXIT_RECORDING;
	}
	snprintf(path, PATH_BYTES, "/proc/self/fd/%d", *ret_file);
	log__set_level(LOG_QUIET);
	code = subject__record(subject, &options,
			       subject->duration ? subject->duration : SUBJECT_SECONDS, path);
	log__set_level(level);
	return code;
}

static int show(const struct subject *subject, const struct model *model)
{
	struct buf buf = BUF_INIT;
	int err = subject->write(model, subject, &buf);
	int code;

	if (err)
		log__error("cannot make the view: %s", strerror(-err));
	code = err ? EXIT_BROKEN : output__write_bytes(&buf, subject->output);
	buf__free(&buf);
	return code;
}

int subject__run(struct subject *subject, int argc, char **argv)
{
	char note[INPUT_NOTE_BYTES] = "", path[PATH_BYTES] = "";
	struct model *model = NULL;
	int code = parse(argc, argv, subject), file = -1;

	if (code)
		return code < 0 ? EXIT_OK : code;
	if (subject->pid && subject->follow)
		return subject->follow(subject);
	code = output__check(subject->output);	/* before anything is recorded for it */
	if (!code && subject->pid)
		code = record(subject, path, &file);
	if (code)
		goto out;
	model = model__new();
	code = input__read(subject->pid ? path : subject->file, model, note);
	if (code)
		goto out;
	subject->view.note = note[0] ? note : NULL;
	code = show(subject, model);
out:
	if (file >= 0)
		close(file);
	model__free(model);
	return code;
}
