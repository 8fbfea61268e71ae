// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// tierscope detach: takes the hook out of a process again.
#include "cli.h"

#include "../base/log.h"
#include "../base/text.h"
#include "../target/journal.h"
#include "../target/mailbox.h"
#include "../target/target.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#define PAUSE_NS 5000000
#define TRIES	 3000	/* 15 s: the runtime itself looks every few seconds */

const struct command detach_command = {
	"detach", "-p PID [OPTIONS]", "take the hook out of a process again", detach__run,
	"  -p, --pid PID        the process\n",
};

/* HRESULTs of RequestProfilerDetach (dotnet/runtime corerror.h, v8 to v10). */
static const struct {
	uint32_t result;
	const char *text;
} refusals[] = {
	{ TS_RESULT_BUSY, "somebody listens to its hook; end the recording first" },
	{ 0x80131370, "the runtime refuses: its code was instrumented through the hook" },
	{ 0x80131372, "the runtime refuses: the hook holds settings that cannot be taken back while it runs" },
	{ 0x80131373, "the runtime refuses: it is not started yet" },
	{ 0x80131367, "its hook is being taken out already" },
};

static int refuse(pid_t pid, uint32_t result)
{
	const char *text = NULL;

	for (unsigned int i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++)
		if (refusals[i].result == result)
			text = refusals[i].text;
	if (text)
		log__error("process %d: %s", pid, text);
	else
		log__error("process %d: the runtime does not let go of the hook (0x%08x); it leaves with the process",
			   pid, result);
	return EXIT_NO_START;
}

/* 0 it is out, -EAGAIN not yet, -ECANCELED refused, -ESRCH the process is gone. */
static int check(const struct target *target, const struct journal *journal,
		 uint32_t *ret_result)
{
	if (journal__state(journal) == TS_HOOK_GONE)
		return 0;
	if (!target__alive(target->pid, target->start_ticks))
		return -ESRCH;
	return mailbox__is_done(journal__mailbox(journal), TS_COMMAND_DETACH, ret_result) ?
		       -ECANCELED : -EAGAIN;
}

static int take_out(const struct target *target, const struct journal *journal)
{
	const struct timespec pause = { 0, PAUSE_NS };
	uint32_t result = 0;
	int err = -EBUSY;

	for (int i = 0; i < TRIES && (err == -EBUSY || err == -EAGAIN); i++) {
		if (i)
			nanosleep(&pause, NULL);
		err = err == -EBUSY ? mailbox__command(journal__mailbox(journal),
						       TS_COMMAND_DETACH) : -EAGAIN;
		if (err != -EBUSY)
			err = check(target, journal, &result);
	}
	/* It must not happen after we said that it did not. */
	if (err == -EAGAIN && !mailbox__withdraw(journal__mailbox(journal), TS_COMMAND_DETACH))
		err = check(target, journal, &result);
	if (!err) {
		log__info("process %d: the hook is out; its library stays mapped, unused",
			  target->pid);
		return EXIT_OK;
	}
	if (err == -ECANCELED)
		return refuse(target->pid, result);
	if (err == -ESRCH)
		log__error("process %d ended before the hook was out", target->pid);
	else
		log__error("process %d: its hook did not answer in time; is the process stopped?",
			   target->pid);
	return EXIT_NO_START;
}

static int open_failed(pid_t pid, int err)
{
	switch (err) {
	case -ENOENT:
		log__error("process %d has no hook in it; there is nothing to detach", pid);
		break;
	case -ESRCH:
		log__error("no process %d; tierscope ps lists the .NET processes", pid);
		break;
	case -EPROTO:
		log__error("process %d: its hook is of another version of tierscope; use that one, or restart the process",
			   pid);
		break;
	case -EACCES:
	case -EPERM:
		log__error("process %d: not allowed to reach its hook; run as its user or as root",
			   pid);
		break;
	default:
		log__error("process %d: its hook cannot be reached: %s", pid, strerror(-err));
	}
	return EXIT_NO_START;
}

static int detach(pid_t pid)
{
	struct journal *journal = NULL;
	struct target target;
	int code, err = target__inspect(pid, &target);

	if (err)
		return open_failed(pid, err == -ENOENT ? -ESRCH : err);
	err = journal__open(pid, &journal);
	if (!err && !journal__mailbox(journal))
		err = -EACCES;
	code = err ? open_failed(pid, err) : take_out(&target, journal);
	journal__free(journal);
	target__free(&target);
	return code;
}

int detach__run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "pid", required_argument, NULL, 'p' },
		{ "quiet", no_argument, NULL, 'q' }, { "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	uint64_t pid = 0;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":p:qvh", options, NULL)) != -1) {
		if (option == 'h') {
			cli__print_usage(&detach_command);
			return EXIT_OK;
		}
		if (option == 'p') {
			if (text__parse_number(optarg, 1, INT32_MAX, &pid)) {
				log__error("detach: '%s' is not a process number", optarg);
				return EXIT_USAGE;
			}
		} else if (option == 'q' || option == 'v') {
			cli__verbosity(option);
		} else {
			return cli__bad_option(argv, option, "detach");
		}
	}
	if (optind < argc) {
		log__error("detach: unexpected argument '%s'", argv[optind]);
		return EXIT_USAGE;
	}
	if (!pid) {
		log__error("detach: which process?  Give it with -p PID; tierscope ps lists them");
		return EXIT_USAGE;
	}
	return detach((pid_t)pid);
}
