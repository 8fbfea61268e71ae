// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// tierscope record: arm, run until it is over, write.
#include "cli.h"
#include "record.h"

#include "../base/alloc.h"
#include "../base/buf.h"
#include "../base/clock.h"
#include "../base/log.h"
#include "../symbol/symbol.h"
#include "../target/target.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define BUSY_WAIT_MS 10
#define FLUSH_NS 1000000000ull

const struct command record_command = {
	"record", "[-p PID | -n NAME | -a | -- COMMAND ARGS] [OPTIONS]",
	"record CPU samples per code version", record__run,
	RECORD_TARGET_HELP
	"  -- COMMAND ARGS      start a command and record it and its children\n"
	RECORD_SAMPLING_HELP
	"      --tiering        delays and batches of tiering from the command's start, not from\n"
	"                       its fifth second on; takes some 20 ms of its time\n"
	"      --off-cpu        also where threads are when they do not run, and for how long\n"
	"      --kernel         kernel frames too, above the code that entered the kernel\n"
	"      --max-size SIZE  begin a new file when one has that size (k, M, G): FILE is\n"
	"                       the newest, FILE.1 the one before; each opens by itself\n"
	"      --max-files N    with --max-size: keep only the newest N files\n"
	"      --stat TIME      meanwhile print what ran, every TIME, as tierscope stat does;\n"
	"                       with its options --by, --sort, --top, --csv and --json\n"
	"      --serve ADDRESS:PORT  meanwhile have metrics there, as tierscope serve does\n"
	"  -o, --output FILE    recording (default recording.tscope), or a view when it\n"
	"                       ends in .html, .folded, .json or .txt\n\n"
	"examples:\n"
	"  tierscope record -d 10s -p 1234 -o flamegraph.html\n"
	"  tierscope record -F 997 -- dotnet app.dll\n\n",
};

volatile sig_atomic_t record_interrupted;

static void on_signal(int number)
{
	(void)number;
	record_interrupted = 1;
}

/* A view's recording stands beside it until the view is written. */
static char *recording_path(const struct record_options *options)
{
	struct buf path = BUF_INIT;

	buf__append_string(&path, options->output);
	if (options->format != OUTPUT_RECORDING)
		buf__append_string(&path, ".tscope");
	return buf__steal(&path);
}

static int output_trouble(const struct record *record, int err)
{
	output__cannot_write(record->path, err);
	return EXIT_NO_START;
}

/* Told before anything starts; what is in the file stays until all is armed. */
static int check_output(struct record *record)
{
	int fd;

	if (record->options->no_recording)
		return EXIT_OK;
	record->path = recording_path(record->options);
	fd = open(record->path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT) {
		fd = open(record->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
		record->created = fd >= 0;
	}
	if (fd < 0)
		return output_trouble(record, -errno);
	close(fd);
	return EXIT_OK;
}

static int open_kernel(struct record *record)
{
	struct trouble trouble = { "" };
	int err = kernel__open(&record->options->kernel, &record->kernel, &trouble);

	if (!err)
		return EXIT_OK;
	log__error("cannot record: %s", trouble.text);
	return err == -EPERM || err == -EACCES ? EXIT_NO_START : EXIT_MACHINE;
}

static void describe(struct record *record)
{
	struct model_about *about = model__about(record->model);
	struct buf command = BUF_INIT;
	struct utsname system;

	if (!uname(&system)) {
		about->kernel = model__string(record->model, system.release);
		about->machine = model__string(record->model, system.machine);
	}
	for (char **word = record->options->command; word && *word; word++)
		buf__printf(&command, "%s%s", command.size ? " " : "", *word);
	about->command = model__string(record->model, buf__string(&command));
	buf__free(&command);
	about->version = model__string(record->model, TIERSCOPE_VERSION);
	about->cpus = kernel__cpus(record->kernel);
	for (unsigned int i = 0; i < record->options->kernel.events_count; i++)
		model__add_event(record->model, &(struct model_event){
			.name = model__string(record->model,
					      kernel__event_name(record->kernel, i)),
			.period = kernel__event_period(record->kernel, i) });
	if (record->options->kernel.off_cpu)
		model__add_event(record->model, &(struct model_event){
			.name = model__string(record->model, KERNEL_OFF_CPU_EVENT), .period = 1 });
	if (record->options->watch.method)
		model__add_event(record->model, &(struct model_event){
			.name = model__string(record->model, KERNEL_WATCH_EVENT), .period = 1 });
}

/* Kernel frames without names are of little use: told before the run, not after. */
static void check_kernel_names(const struct record *record)
{
	int err = record->options->kernel.kernel_stacks ? kernel_symbols__check(NULL) : 0;

	if (err == -EACCES)
		log__warn("the kernel hides its addresses, so its frames are shown as [kernel]; sysctl kernel.kptr_restrict=0 and CAP_SYSLOG show names");
	else if (err)
		log__warn("cannot read /proc/kallsyms (%s), so kernel frames are shown as [kernel]",
			  strerror(-err));
}

/* So that its end is noticed at once, and another process with its number is not it. */
static int watch_end(struct record *record)
{
	pid_t pid = record->child ? record->child : model__process(record->model, 0)->pid;

	record->end_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (record->end_fd >= 0 &&
	    (record->child || target__alive(pid, record->target_ticks)))
		return EXIT_OK;
	log__error("process %d ended before its recording began", pid);
	return EXIT_NO_START;
}

/* Everything that can fail before the first sample. */
static int arm(struct record *record)
{
	struct model_about *about;
	int code = open_kernel(record), err;

	if (code)
		return code;
	check_kernel_names(record);
	describe(record);
	record->recorder = recorder__new(record->kernel, record->model);
	if (record->options->all)
		code = record_all__start(record);
	else if (record->options->command)
		code = record__launch(record);
	else
		code = record__attach(record);
	if (!code && !record->options->all)
		code = watch_end(record);
	if (code)
		return code;
	err = record->path ? recording_writer__open(record->path, &record->writer) : 0;
	if (err)
		return output_trouble(record, err);
	record_rotate__begin(record);
	record->start_ns = clock__now();
	record_sinks__begin(record);
	about = model__about(record->model);
	about->start_ns = record->start_ns;
	about->start_unix_ns = clock__wall();
	err = kernel__start(record->kernel);
	if (err) {
		log__error("cannot switch the events on: %s", strerror(-err));
		return EXIT_MACHINE;
	}
	return record__release(record);
}

/* Nothing is kept: only the counts go on. */
static void shed(struct record *record)
{
	model__drop_samples(record->model);
	model__drop_stacks(record->model);
}

static int flush(struct record *record)
{
	int err, code;

	record->flushed_ns = clock__now();
	if (!record->path) {
		shed(record);
		record__sweep(record, record->flushed_ns);
		return EXIT_OK;
	}
	err = recording_writer__flush(record->writer, record->model);
	/* A view is made of the whole model; else only the file needs it all. */
	if (!err && record->options->format == OUTPUT_RECORDING)
		err = recording_writer__shed(record->writer, record->model);
	if (err)
		log__error("cannot write %s: %s; what was recorded until then is in it",
			   record->path, strerror(-err));
	code = err ? EXIT_RECORDING : record_rotate__step(record);
	record->cannot_write = code;
	return code;
}

static bool is_over(struct record *record, uint64_t now)
{
	struct pollfd end = { .fd = record->end_fd, .events = POLLIN };

	if (record_interrupted)
		return true;
	if (record->options->duration_ns &&
	    now - record->start_ns >= record->options->duration_ns)
		return true;
	if (record->options->all)
		return false;
	if (record->child) {
		record__reap(record, false);
		return record->child_ended;
	}
	return poll(&end, 1, 0) > 0;
}

static int run(struct record *record)
{
	uint64_t now = record->start_ns;
	int code = EXIT_OK, err;

	while (!code && !is_over(record, now)) {
		int wait = record_all__is_busy(record) ? BUSY_WAIT_MS :
			   kernel__look_ms(record->kernel);

		wait = record_sinks__wait_ms(record, wait);
		if (record->options->duration_ns) {
			uint64_t left = record->options->duration_ns - (now - record->start_ns);

			if (left / 1000000 < (uint64_t)wait)
				wait = (int)(left / 1000000) + 1;
		}
		(void)kernel__wait(record->kernel, wait,	/* EINTR: look again */
				   recorder__is_mapping(record->recorder),
				   record->end_fd);
		err = recorder__step(record->recorder);
		record_all__step(record);
		if (err) {
			log__error("cannot read the kernel's rings: %s", strerror(-err));
			code = EXIT_RECORDING;
		}
		now = clock__now();
		if (!code)
			code = record_sinks__step(record, now, false);
		if (!code && now - record->flushed_ns >= FLUSH_NS)
			code = flush(record);
		record__progress(record, false);
	}
	return code;
}

/* Also after a failure: what was recorded so far is kept. */
static int finish(struct record *record, int code)
{
	struct model_about *about = model__about(record->model);
	int sink_code, err;

	kernel__stop(record->kernel);
	about->end_ns = clock__now();
	err = recorder__finish(record->recorder);
	if (err) {
		log__error("cannot read the ledger: %s", strerror(-err));
		code = code ? code : EXIT_BROKEN;
	}
	sink_code = record_sinks__step(record, about->end_ns, true);
	code = code ? code : sink_code;
	if (record->path && !record->cannot_write) {
		err = recording_writer__finish(record->writer, record->model);
		if (err) {
			log__error("cannot write %s: %s; what was recorded until then is in it",
				   record->path, strerror(-err));
			code = EXIT_RECORDING;
		}
	}
	record__progress(record, true);
	record__summary(record);
	return code;
}

static int write_view(struct record *record, int code)
{
	const struct record_options *options = record->options;
	int view_code;

	if (options->no_recording)
		return code;
	if (options->format == OUTPUT_RECORDING) {
		log__info("%s: %llu bytes; tierscope report %s shows it", record->path,
			  (unsigned long long)recording_writer__bytes(record->writer),
			  record->path);
		record_rotate__summary(record);
		return code;
	}
	view_code = output__write(record->model, &(struct view_options){ .top = 0 },
				  options->format, options->output);
	if (view_code) {
		log__error("the recording itself is kept in %s", record->path);
		return code ? code : view_code;
	}
	unlink(record->path);
	log__info("%s is written", options->output);
	return code;
}

/* Our trouble is none of the command's: it runs to its end, unrecorded. */
static void wait_for_child(struct record *record)
{
	record__reap(record, false);
	if (record->child <= 0 || record->child_ended)
		return;
	log__warn("process %d runs on without being recorded", record->child);
	record__reap(record, true);
}

static int exit_code(const struct record *record, int code)
{
	if (code || !record->child || !record->child_ended || record->child_stopped_by_us)
		return code;
	if (WIFSIGNALED(record->child_status))
		return record_interrupted ? EXIT_OK : 128 + WTERMSIG(record->child_status);
	return WEXITSTATUS(record->child_status);
}

int record__session(const struct record_options *options)
{
	struct record record = { .options = options, .child_gate = -1, .child_errno = -1,
				 .end_fd = -1 };
	struct sigaction action = { .sa_handler = on_signal };
	int code;

	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (options->screen)	/* there is nobody to look at it any more */
		sigaction(SIGHUP, &action, NULL);
	record.model = model__new();
	code = check_output(&record);
	if (!code)
		code = record_sinks__open(&record);
	if (!code)
		code = arm(&record);
	if (!code) {
		code = run(&record);
		if (!code)
			record__stop_child(&record);
		code = write_view(&record, finish(&record, code));
		code = exit_code(&record, code);
	} else {
		record__stop_child(&record);
		if (record.created)
			unlink(record.path);	/* nothing was recorded */
	}
	record_all__free(record.all);
	record_sinks__free(&record);	/* its port is free when we are gone */
	if (options->command)	/* else the hooks are to rest, when the probes are gone */
		kernel__hand_over(record.kernel);
	kernel__free(record.kernel);	/* first: nobody listens from here on */
	if (record.recorder)
		recorder__rest_hooks(record.recorder);
	recorder__free(record.recorder);
	wait_for_child(&record);
	if (record.end_fd >= 0)
		close(record.end_fd);
	recording_writer__free(record.writer);
	model__free(record.model);
	free(record.path);
	return code;
}

int record__run(int argc, char **argv)
{
	struct record_options options = { .as = &record_command };
	int code = record_options__parse(argc, argv, &options);

	if (code)
		return code < 0 ? EXIT_OK : code;
	return record__session(&options);
}
