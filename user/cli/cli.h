/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* The commands: one file each.  Only this room prints errors. */
#ifndef TIERSCOPE_CLI_H
#define TIERSCOPE_CLI_H

#include "../base/trouble.h"

#include <getopt.h>

enum exit_code {
	EXIT_OK = 0,
	EXIT_NO_START = 1,	/* no such process, not .NET, no access */
	EXIT_RECORDING = 2,	/* while recording, or a file that cannot be read */
	EXIT_USAGE = 3,		/* bad arguments, unknown command or event */
	EXIT_MACHINE = 4,	/* this machine or kernel cannot do it */
	EXIT_BROKEN = 5,	/* internal */
};

struct command {
	const char *name;
	const char *arguments;
	const char *help;
	int (*run)(int argc, char **argv);
	const char *options;	/* lines of help, one an option */
};

int record__run(int argc, char **argv);
int report__run(int argc, char **argv);
int top__run(int argc, char **argv);
int stat__run(int argc, char **argv);
int serve__run(int argc, char **argv);
int ps__run(int argc, char **argv);
int doctor__run(int argc, char **argv);
int detach__run(int argc, char **argv);
int versions__run(int argc, char **argv);
int events__run(int argc, char **argv);
int watch__run(int argc, char **argv);

extern const struct command record_command, report_command, ps_command, doctor_command;
extern const struct command top_command, stat_command, serve_command, detach_command, versions_command;
extern const struct command events_command, watch_command;

void cli__print_usage(const struct command *command);
/* One line about an option that getopt did not like; EXIT_USAGE. */
int cli__bad_option(char **argv, int option, const char *command);
/* -q and -v, which every command has. */
void cli__verbosity(int option);

#endif /* TIERSCOPE_CLI_H */
