// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What the commands share: usage and the options that all have.
#include "cli.h"

#include "../base/log.h"

#include <stdio.h>
#include <string.h>

void cli__print_usage(const struct command *command)
{
	printf("usage: tierscope %s %s\n\n%s\n\n%s", command->name, command->arguments,
	       command->help, command->options);
	puts("  -q, --quiet          errors only\n"
	     "  -v, --verbose        more about what happens; -vv even more\n"
	     "  -h, --help           this text");
}

int cli__bad_option(char **argv, int option, const char *command)
{
	const char *given = optind > 0 && argv[optind - 1] ? argv[optind - 1] : "";

	if (option == ':')
		log__error("%s: option '%s' needs a value; see tierscope %s --help",
			   command, given, command);
	else
		log__error("%s: unknown option '%s'; see tierscope %s --help", command, given,
			   command);
	return EXIT_USAGE;
}

void cli__verbosity(int option)
{
	if (option == 'q')
		log__set_level(LOG_QUIET);
	else if (log__level() < LOG_VERBOSE)
		log__set_level(LOG_VERBOSE);
	else
		log__set_level(LOG_DEBUG);
}
