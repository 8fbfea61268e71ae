/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Private to the commands: formats by name, and writing a view to a file. */
#ifndef TIERSCOPE_CLI_OUTPUT_H
#define TIERSCOPE_CLI_OUTPUT_H

#include "../view/view.h"

/* In the order in which endings of names are looked up. */
enum output_format {
	OUTPUT_TEXT,
	OUTPUT_HTML,
	OUTPUT_FOLDED,
	OUTPUT_PPROF,
	OUTPUT_SPEEDSCOPE,
	OUTPUT_JSON,
	OUTPUT_RECORDING,
};

#define OUTPUT_FORMATS "text, html, folded, json, pprof and speedscope"

int output__format(const char *name);		/* -1: unknown */
const char *output__name(enum output_format format);
int output__format_of_path(const char *path);	/* by its ending; -1: none of ours */
int output__split(const char *name, enum view_split *ret_split);
int output__group(const char *name, bool *ret_group_runtime);
int output__names(const char *name, enum view_names *ret_names);
/* The option asked for that the format has no place for, NULL none. */
const char *output__lacks(enum output_format format, const struct view_options *options);

/* To path, or standard output when NULL.  An enum exit_code; prints errors. */
int output__write(const struct model *model, const struct view_options *options,
		  enum output_format format, const char *path);

/* `path` NULL: standard output.  0 or -Exxx.  For what is written piece by piece: */
int output__open(const char *path, int *ret_fd);
/* All at once: */
int output__write_bytes(const struct buf *buf, const char *path);
/* Whether it can be written, before there is anything to write.  An enum exit_code. */
int output__check(const char *path);
/* The line that says so; `path` NULL: standard output. */
void output__cannot_write(const char *path, int err);

#endif /* TIERSCOPE_CLI_OUTPUT_H */
