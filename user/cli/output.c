// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Formats by name, and writing a view to a file or to standard output.
#include "output.h"

#include "cli.h"
#include "../base/log.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const struct {
	const char *name, *ending;
	int (*write)(const struct model *model, const struct view_options *options,
		     struct buf *buf);
	bool names, stacks;		/* has it those? */
} formats[] = {
	[OUTPUT_TEXT] = { "text", ".txt", view_text__write, true, true },
	[OUTPUT_HTML] = { "html", ".html", view_html__write, false, true },
	[OUTPUT_FOLDED] = { "folded", ".folded", view_folded__write, true, true },
	[OUTPUT_PPROF] = { "pprof", ".pb.gz", view_pprof__write, true, true },
	/* Before JSON, whose ending it has too. */
	[OUTPUT_SPEEDSCOPE] = { "speedscope", ".speedscope.json", view_speedscope__write,
				true, true },
	[OUTPUT_JSON] = { "json", ".json", view_json__write, false, false },
	[OUTPUT_RECORDING] = { NULL, ".tscope", NULL, false, false },
};
#define FORMATS (sizeof(formats) / sizeof(formats[0]))

int output__format(const char *name)
{
	for (unsigned int i = 0; i < FORMATS; i++)
		if (formats[i].name && !strcmp(name, formats[i].name))
			return (int)i;
	return -1;
}

int output__format_of_path(const char *path)
{
	size_t size = strlen(path);

	for (unsigned int i = 0; i < FORMATS; i++) {
		size_t ending = strlen(formats[i].ending);

		if (size > ending && !strcmp(path + size - ending, formats[i].ending))
			return (int)i;
	}
	return -1;
}

int output__split(const char *name, enum view_split *ret_split)
{
	static const char *const names[] = {
		[VIEW_SPLIT_VERSION] = "version", [VIEW_SPLIT_TIER] = "tier",
		[VIEW_SPLIT_REJIT] = "rejit", [VIEW_SPLIT_NONE] = "none",
	};

	for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (!strcmp(name, names[i])) {
			*ret_split = (enum view_split)i;
			return 0;
		}
	}
	return -EINVAL;
}

int output__group(const char *name, bool *ret_group_runtime)
{
	if (strcmp(name, "none") && strcmp(name, "runtime"))
		return -EINVAL;
	*ret_group_runtime = !strcmp(name, "runtime");
	return 0;
}

int output__names(const char *name, enum view_names *ret_names)
{
	if (strcmp(name, "people") && strcmp(name, "perfmap"))
		return -EINVAL;
	*ret_names = !strcmp(name, "perfmap") ? VIEW_NAMES_PERFMAP : VIEW_NAMES_PEOPLE;
	return 0;
}

const char *output__lacks(enum output_format format, const struct view_options *options)
{
	if (options->names != VIEW_NAMES_PEOPLE && !formats[format].names)
		return "--names";
	if (options->per_thread && !formats[format].stacks)
		return "--per-thread";
	if (options->group_runtime && !formats[format].stacks)
		return "--group";
	return NULL;
}

const char *output__name(enum output_format format)
{
	return formats[format].name;
}

static int write_all(int fd, const char *data, size_t size)
{
	while (size) {
		ssize_t written = write(fd, data, size);

		if (written < 0 && errno == EINTR)
			continue;
		if (written < 0)
			return -errno;
		data += written;
		size -= (size_t)written;
	}
	return 0;
}

void output__cannot_write(const char *path, int err)
{
	log__error("cannot write %s: %s; choose another place with -o",
		   path ? path : "standard output", strerror(-err));
}

int output__check(const char *path)
{
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666) : STDOUT_FILENO;

	if (fd < 0) {
		output__cannot_write(path, -errno);
		return EXIT_RECORDING;
	}
	if (path)
		close(fd);
	return EXIT_OK;
}

int output__open(const char *path, int *ret_fd)
{
	int fd = path ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666) :
			STDOUT_FILENO;

	if (fd < 0)
		return -errno;
	*ret_fd = fd;
	return 0;
}

int output__write_bytes(const struct buf *buf, const char *path)
{
	int fd = -1, err = output__open(path, &fd);

	if (!err)
		err = write_all(fd, buf__string(buf), buf->size);
	if (path && fd >= 0 && close(fd) && !err)
		err = -errno;
	/* A reader that has seen enough (head, less) is no failure. */
	if (!err || (err == -EPIPE && !path))
		return EXIT_OK;
	output__cannot_write(path, err);
	return EXIT_RECORDING;
}

int output__write(const struct model *model, const struct view_options *options,
		  enum output_format format, const char *path)
{
	struct buf buf = BUF_INIT;
	int code, err = formats[format].write(model, options, &buf);

	if (err)
		log__error("cannot make the %s view: %s", formats[format].name,
			   strerror(-err));
	code = err ? EXIT_BROKEN : output__write_bytes(&buf, path);
	buf__free(&buf);
	return code;
}
