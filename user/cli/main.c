// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// tierscope: gives every CPU sample of a .NET program to the exact version of
// the code it executed.  This file finds the command; each has a file.
#include "cli.h"

#include "../base/log.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct command *const commands[] = {
	&record_command, &report_command, &versions_command, &events_command, &watch_command,
	&top_command, &stat_command, &serve_command, &ps_command, &doctor_command, &detach_command,
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

static void print_help(FILE *out)
{
	fputs("tierscope gives every CPU sample of a .NET program to the exact version of the\n"
	      "code it executed: by function, ReJIT ID, native code version and tier.\n\n"
	      "usage: tierscope COMMAND [OPTIONS]\n\n", out);
	for (unsigned int i = 0; i < COMMANDS; i++)
		fprintf(out, "  %-8s %s\n", commands[i]->name, commands[i]->help);
	fputs("\ntierscope COMMAND --help tells a command's options.\n"
	      "exit codes: 0 ok, 1 could not start, 2 failed while recording or reading,\n"
	      "3 bad arguments, 4 this machine cannot do it, 5 internal.\n", out);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;

	signal(SIGPIPE, SIG_IGN);
	if (!name) {
		print_help(stderr);
		return EXIT_USAGE;
	}
	if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help")) {
		print_help(stdout);
		return EXIT_OK;
	}
	if (!strcmp(name, "--version") || !strcmp(name, "version")) {
		puts("tierscope " TIERSCOPE_VERSION);
		return EXIT_OK;
	}
	for (unsigned int i = 0; i < COMMANDS; i++)
		if (!strcmp(name, commands[i]->name))
			return commands[i]->run(argc - 1, argv + 1);
	log__error("unknown command '%s'; tierscope --help lists the commands", name);
	return EXIT_USAGE;
}
