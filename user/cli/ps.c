// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// tierscope ps: the .NET processes here and whether each can be profiled.
#include "cli.h"

#include "../base/buf.h"
#include "../base/log.h"
#include "../base/text.h"
#include "../target/target.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>

const struct command ps_command = {
	"ps", "[-q] [-v]", "list .NET processes and whether each can be profiled", ps__run, "",
};

static void print_row(const struct target *target)
{
	struct trouble trouble = { "" };
	struct buf line = BUF_INIT;
	const struct passwd *user = getpwuid(target->uid);
	char number[16];

	snprintf(number, sizeof(number), "%u", target->uid);
	buf__printf(&line, "%7d  %-10.10s %-9s ", target->pid,
		    user ? user->pw_name : number,
		    target->runtime_version[0] ? target->runtime_version : "?");
	if (target__can_profile(target, &trouble)) {
		buf__printf(&line, "%-9s ", "no");
	} else {
		buf__printf(&line, "%-9s ", target->hooked ? "hooked" : "yes");
		trouble.text[0] = 0;
	}
	text__append_terminal(&line, target->entry && target->entry[0] ? target->entry :
				     target->comm);
	if (trouble.text[0]) {
		buf__append_string(&line, "  (");
		text__append_terminal(&line, trouble.text);
		buf__append_string(&line, ")");
	}
	puts(buf__string(&line));
	buf__free(&line);
}

int ps__run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quiet", no_argument, NULL, 'q' }, { "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	struct target *targets;
	unsigned int count;
	int option, err;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":qvh", options, NULL)) != -1) {
		if (option == 'h') {
			cli__print_usage(&ps_command);
			return EXIT_OK;
		}
		if (option != 'q' && option != 'v')
			return cli__bad_option(argv, option, "ps");
		cli__verbosity(option);
	}
	if (optind < argc) {
		log__error("ps: unexpected argument '%s'", argv[optind]);
		return EXIT_USAGE;
	}
	err = target__list(&targets, &count);
	if (err) {
		log__error("cannot list processes: %s", strerror(-err));
		return EXIT_NO_START;
	}
	if (!count)
		log__info("no .NET process is running here");
	else
		printf("%7s  %-10s %-9s %-9s %s\n", "PID", "USER", "RUNTIME", "PROFILE", "PROGRAM");
	for (unsigned int i = 0; i < count; i++)
		print_row(&targets[i]);
	target__free_list(targets, count);
	return EXIT_OK;
}
