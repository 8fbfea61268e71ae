// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// tierscope doctor: what this machine and kernel allow, and what to do about
// the rest.  Each check tries the thing itself instead of reading versions.
#include "cli.h"

#include "../base/log.h"
#include "../kernel/kernel.h"
#include "../target/target.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

const struct command doctor_command = {
	"doctor", "", "what this machine allows, and what to do about the rest", doctor__run, "",
};

enum verdict { GOOD, MISSING, FATAL };

static const char *const words[] = { [GOOD] = "ok", [MISSING] = "no", [FATAL] = "NO" };

static bool tell(enum verdict verdict, const char *what, const char *remedy)
{
	printf("  %-3s %s%s%s\n", words[verdict], what, remedy[0] ? ": " : "", remedy);
	return verdict != FATAL;
}

static bool check_kernel(void)
{
	struct utsname system;
	unsigned int major = 0, minor = 0;
	char what[160];

	if (uname(&system))
		return tell(FATAL, "kernel", "cannot tell which");
	sscanf(system.release, "%u.%u", &major, &minor);
	snprintf(what, sizeof(what), "Linux %.64s on %.32s", system.release, system.machine);
	if (strcmp(system.machine, "x86_64"))
		return tell(FATAL, what, "only x86-64 is supported");
	if (major < 6 || (major == 6 && minor < 1))
		return tell(FATAL, what, "6.1 or newer is needed");
	return tell(GOOD, what, "");
}

static bool check_btf(void)
{
	if (!access("/sys/kernel/btf/vmlinux", R_OK))
		return tell(GOOD, "kernel type information (BTF)", "");
	return tell(FATAL, "kernel type information (BTF)",
		    "use a kernel built with CONFIG_DEBUG_INFO_BTF, as Debian's are");
}

static bool check_recording(void)
{
	struct kernel_options options = { .frequency = 99, .events_count = 1 };
	struct trouble trouble = { "" };
	struct kernel *kernel = NULL;
	bool good = !kernel_event__parse("cpu-clock", &options.events[0], &trouble) &&
		    !kernel__open(&options, &kernel, &trouble);

	tell(good ? GOOD : FATAL, "BPF programs load, cpu-clock can be sampled",
	     trouble.text);
	if (good) {
		char *hook = NULL;

		good = !hook_file__find(&hook, &trouble);
		tell(good ? GOOD : FATAL, "hook library", good ? hook : trouble.text);
		if (good) {
			good = !kernel__attach_hook(kernel, hook, -1, &trouble);
			tell(good ? GOOD : FATAL, "its probes can be armed", trouble.text);
		}
		free(hook);
	}
	kernel__free(kernel);
	return good;
}

static void check_counters(void)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_HARDWARE, .size = sizeof(attr),
					.config = PERF_COUNT_HW_CPU_CYCLES, .disabled = 1 };
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);

	if (fd >= 0) {
		close(fd);
		tell(GOOD, "hardware counters (cycles, instructions, ...)", "");
		return;
	}
	tell(MISSING, "hardware counters (cycles, instructions, ...)",
	     errno == EACCES || errno == EPERM ? "not allowed; -e cpu-clock works without" :
	     "this machine has none; -e cpu-clock works without");
}

static void check_processes(void)
{
	struct target *targets;
	unsigned int count, good = 0;
	char what[96];

	if (target__list(&targets, &count))
		return;
	for (unsigned int i = 0; i < count; i++)
		good += !target__can_profile(&targets[i], NULL);
	target__free_list(targets, count);
	snprintf(what, sizeof(what), "%u .NET process%s, %u can be profiled", count,
		 count == 1 ? "" : "es", good);
	tell(good == count ? GOOD : MISSING, what,
	     good == count ? "" : "tierscope ps says why");
}

int doctor__run(int argc, char **argv)
{
	static const struct option options[] = {
		{ "quiet", no_argument, NULL, 'q' }, { "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' }, { NULL, 0, NULL, 0 },
	};
	bool good = true;
	int option;

	opterr = 0;
	while ((option = getopt_long(argc, argv, ":qvh", options, NULL)) != -1) {
		if (option == 'h') {
			cli__print_usage(&doctor_command);
			return EXIT_OK;
		}
		if (option != 'q' && option != 'v')
			return cli__bad_option(argv, option, "doctor");
		cli__verbosity(option);
	}
	if (optind < argc) {
		log__error("doctor: unexpected argument '%s'", argv[optind]);
		return EXIT_USAGE;
	}
	puts("tierscope " TIERSCOPE_VERSION " on this machine:");
	good &= check_kernel();
	good &= check_btf();
	good &= check_recording();
	check_counters();
	check_processes();
	puts(good ? "recording works here." : "recording does not work here: see NO above.");
	return good ? EXIT_OK : EXIT_MACHINE;
}
