/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Private to the record command: what was asked for, and its parts. */
#ifndef TIERSCOPE_CLI_RECORD_H
#define TIERSCOPE_CLI_RECORD_H

#include "output.h"

#include "../kernel/kernel.h"
#include "../recorder/recorder.h"
#include "../recording/recording.h"
#include "../view/stat.h"
#include "../view/view.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/types.h>

#define RECORD_SAMPLING_HELP \
	"  -d, --duration TIME  10s, 2m, dd:hh:mm:ss (default: until it ends or Ctrl-C)\n" \
	"  -F, --frequency HZ   samples per second and CPU (default 99)\n" \
	"  -e, --event EVENT    up to four, with commas or several -e; with -F or a\n" \
	"                       frequency of their own, as cpu-clock/freq=997/:\n" \
	"                         cpu-clock (default), task-clock\n" \
	"                       every one, or every Nth, as page-faults/period=N/:\n" \
	"                         page-faults, minor-faults, major-faults, cpu-migrations,\n" \
	"                         context-switches, alignment-faults\n" \
	"                         tracepoints, as sched:sched_process_fork\n" \
	"                       where there is a PMU, every Nth:\n" \
	"                         cycles, instructions, branches, branch-misses,\n" \
	"                         cache-references, cache-misses, stalled-cycles-frontend,\n" \
	"                         stalled-cycles-backend, LLC-loads, LLC-load-misses,\n" \
	"                         dTLB-loads, dTLB-load-misses, raw ones as rNNN\n"

#define RECORD_LISTEN "127.0.0.1:9464"	/* OpenTelemetry's port for exporters */

#define RECORD_TARGET_HELP \
	"  -p, --pid PID        a process that runs\n" \
	"  -n, --name NAME      the same, by name\n" \
	"  -a, --all            every process that has the hook, also those to come\n" \
	"      --attach         with -a: bring the hook into the others, a few at a time\n" \
	"  -u, --uid USER       with -a: only processes of this user\n"

/* A table of what ran. */
struct record_stat_options {
	bool wanted;
	uint64_t interval_ns;		/* 0: once, at the end */
	struct stat_options view;
	bool has_top;			/* it was given */
	bool styled;			/* how the table looks was given */
	const char *sort;		/* as it was given, NULL: not */
};

/* Changes of what calls reach. */
struct watch_options {
	const char *method;		/* part of the names of up to four functions; NULL: no */
	bool json;
};

/* A line for each load, unload and patch. */
struct record_events_options {
	bool wanted;
	bool json;
	struct view_events_filter filter;
	const char *output;		/* NULL: standard output */
};

struct record_options {
	const struct command *as;	/* the command that was given */
	bool no_recording;		/* nothing is kept: the sinks are what it is for */
	bool screen;			/* the sink that fills the terminal */
	pid_t pid;			/* 0: none */
	const char *name;		/* of a process, NULL none */
	char **command;			/* NULL none */
	bool all;			/* every process that has the hook */
	bool attach;			/* and bring it into the others */
	bool tiering;			/* of the command, from its start */
	int64_t user;			/* of this user only, -1: of everybody */
	const char *output;		/* without a recording: of the table, NULL standard output;
					 * with a screen: what the command prints, NULL nowhere */
	enum output_format format;	/* what output is to be */
	uint64_t duration_ns;		/* 0: until it ends */
	uint64_t max_size;		/* bytes of one part, 0: it is one file */
	unsigned int max_files;		/* parts that are kept, 0: all */
	struct record_stat_options stat;
	const char *listen;		/* ADDRESS:PORT to be scraped at, NULL: not */
	struct kernel_options kernel;
	struct watch_options watch;
	struct record_events_options events;
};

/* 0, an enum exit_code, or -1: help was printed.  The caller has set `as` and
 * `no_recording`. */
int record_options__parse(int argc, char **argv, struct record_options *ret_options);

/*
 * Something that is told what the model holds, in intervals, while it is being recorded, and
 * once more at the end, when all of it is there.  It reads the model's running counts, which
 * dropping samples does not change; so several can look at one recording.
 */
struct record;
struct record_sink {
	uint64_t interval_ns;		/* 0: at the end only */
	bool off;			/* nobody reads what it writes */
	uint64_t looked_ns;		/* last, or the start */
	/* An enum exit_code; prints errors. */
	int (*look)(struct record_sink *sink, struct record *record, uint64_t now, bool last);
	/* After each step of the recorder but the last, before samples are dropped; the
	 * same.  NULL: it reads none. */
	int (*step)(struct record_sink *sink, struct record *record);
	/* Before what the model has of ended processes and dead code is swept: marks what it
	 * needs of it; false: it must not be swept now.  NULL: never, all is needed. */
	bool (*mark)(struct record_sink *sink, struct record *record, struct model_marks *marks);
	/* And then: what is not marked by anyone is to go. */
	void (*forget)(struct record_sink *sink, struct record *record,
		       const struct model_marks *marks);
	void (*free)(struct record_sink *sink);
	struct record_sink *next;
};

/* One recording, from arming to writing. */
struct record {
	const struct record_options *options;
	struct kernel *kernel;
	struct model *model;
	struct recorder *recorder;
	struct recording_writer *writer;
	struct record_sink *sinks;
	char *path;			/* of the recording file, NULL: none is kept */
	bool created;			/* it was not there before */
	bool cannot_write;		/* no more of it */
	pid_t child;			/* of `-- CMD`, 0 none */
	int child_gate;			/* writing lets the child run, -1 none */
	int child_errno;		/* reading tells why exec failed, -1 none */
	int child_status;		/* as waitpid gave it */
	bool child_ended, child_stopped_by_us;
	unsigned int older_parts, removed_parts;
	uint64_t part_base;		/* bytes that this part began with */
	uint64_t target_ticks;		/* identity of -p's process */
	int end_fd;			/* pidfd: readable when -p's or our process
					 * ends, -1 none */
	struct record_all *all;		/* of -a, NULL else */
	uint64_t start_ns;
	uint64_t flushed_ns, told_ns;	/* last flush, last progress line */
	uint64_t sweep_at;		/* size of the model, 0: not known yet */
};

/* record_launch.c: the child waits at a gate until everything is armed. */
int record__launch(struct record *record);
int record__release(struct record *record);
void record__reap(struct record *record, bool wait);
/* Ends a child that is still running: it was ours to start. */
void record__stop_child(struct record *record);

/* record_attach.c: everything for -p and -n. */
int record__attach(struct record *record);

/*
 * record_all.c: everything for -a.  start looks at who is there; step goes on
 * with those that are under way and is to be called after each step of the
 * recorder; it never waits for a target.
 */
struct record_all;
int record_all__start(struct record *record);
void record_all__step(struct record *record);
/* Something is under way: look again soon. */
bool record_all__is_busy(const struct record *record);
void record_all__summary(struct record *record);
void record_all__free(struct record_all *all);

/* record_rotate.c: a recording in parts; step is to be called after a flush. */
void record_rotate__begin(struct record *record);
int record_rotate__step(struct record *record);
void record_rotate__summary(const struct record *record);

/* record_sinks.c: made before anything is recorded; an enum exit_code. */
int record_sinks__open(struct record *record);
/* The start, from which intervals count. */
void record_sinks__begin(struct record *record);
/* To be called after each step of the recorder. */
int record_sinks__step(struct record *record, uint64_t now, bool last);
/*
 * What a sink writes to; `path` NULL: standard output.  It is opened with the first piece, so
 * that nothing is lost of an old file where nothing is recorded.
 */
struct sink_output {
	const char *path;
	int fd;				/* -1: not open */
};
/* Whether it can be written; an enum exit_code. */
int sink_output__init(struct sink_output *output, const char *path);
/* Waits for a slow reader, but not when the recording is to end.  When nobody reads on, the
 * sink is off, and the recording too if it has no other use.  An enum exit_code. */
int sink_output__write(struct sink_output *output, struct record_sink *sink,
		       struct record *record, const struct buf *buf);
void sink_output__close(struct sink_output *output);
/* When the next look is due, at most `wait_ms` from now. */
int record_sinks__wait_ms(const struct record *record, int wait_ms);
void record_sinks__free(struct record *record);

/* record_sweep.c: without a recording, after samples and stacks were dropped: forgets what
 * no sink and no sample to come will need, once there may be as much of it as of the rest. */
void record__sweep(struct record *record, uint64_t now);

/* record_stat.c */
int record_stat__new(const struct record_options *options, struct record_sink **ret_sink);
/* record_events.c */
int record_events__new(const struct record_events_options *options,
		       struct record_sink **ret_sink);
/* record_watch.c */
struct record_sink *record_watch__new(const struct watch_options *options);

/* record_serve.c */
int record_serve__new(const struct record_options *options, struct record_sink **ret_sink);

/* record_top.c */
int record_top__new(const struct record_options *options, struct record_sink **ret_sink);

/* record.c: all of it, once the options are there; an enum exit_code. */
int record__session(const struct record_options *options);

/* record_progress.c */
void record__progress(struct record *record, bool last);
void record__summary(struct record *record);

extern volatile sig_atomic_t record_interrupted;

#endif /* TIERSCOPE_CLI_RECORD_H */
