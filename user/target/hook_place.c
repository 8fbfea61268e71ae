// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Making the hook library visible to a target: see target.h.
#include "hook_file.h"
#include "target.h"

#include "../base/alloc.h"
#include "../base/text.h"
#include "proc.h"
#include "root.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Which folders were tried, and what is worth telling of it. */
struct attempts {
	struct buf folders;
	int error;
};

static int try_folder(const struct hook_reader *reader, const char *folder,
		      const struct buf *content, struct attempts *attempts,
		      char **ret_path)
{
	int err = hook_file__copy_into(reader, folder, content, ret_path);

	if (!err)
		return 0;
	/* That a folder is missing says least. */
	if (!attempts->error || attempts->error == -ENOENT)
		attempts->error = err;
	buf__printf(&attempts->folders, "%s", attempts->folders.size ? ", " : "");
	text__append_utf8(&attempts->folders, folder, strlen(folder));
	return err;
}

/* The path is told to the runtime as text, so the folder's name must be some. */
static bool is_text(const char *folder)
{
	struct buf checked = BUF_INIT;
	bool same;

	text__append_utf8(&checked, folder, strlen(folder));
	same = !strcmp(buf__string(&checked), folder);
	buf__free(&checked);
	return same;
}

static int copy_somewhere(const struct hook_reader *reader, const char *temporary,
			  const char *hook_path, char **ret_path,
			  struct trouble *ret_trouble)
{
	static const char *const usual[] = {"/tmp", "/dev/shm", "/var/tmp"};
	struct attempts attempts = {BUF_INIT, 0};
	struct buf content = BUF_INIT;
	int err = buf__read_file(&content, hook_path, HOOK_FILE_LIMIT);

	if (err) {
		trouble__set(ret_trouble, err,
			     "the hook library %.200s cannot be read: %s", hook_path,
			     strerror(-err));
		goto out;
	}
	err = -ENOENT;
	if (strlen(temporary) < PATH_MAX / 2 && is_text(temporary))
		err = try_folder(reader, temporary, &content, &attempts, ret_path);
	for (size_t i = 0; err && i < sizeof(usual) / sizeof(usual[0]); i++)
		if (strcmp(usual[i], temporary))
			err = try_folder(reader, usual[i], &content, &attempts,
					 ret_path);
	if (err)
		err = trouble__set(
			ret_trouble, attempts.error,
			"the hook can be copied to none of %.120s in its file "
			"system (%s); give it a writable folder without noexec",
			buf__string(&attempts.folders), strerror(-attempts.error));
out:
	buf__free(&attempts.folders);
	buf__free(&content);
	return err;
}

/* What is needed of the live process; the caller closes root, frees the buffer. */
static int open_reader(const struct target *target, struct hook_reader *reader,
		       struct buf *environment)
{
	struct proc_status status;
	int directory = proc__open(target->pid);
	int err = directory < 0 ? directory : proc__read_status(directory, &status);

	if (!err)
		err = proc__read_environment(directory, environment);
	if (!err) {
		reader->uid = status.uid;
		reader->gid = status.gid;
		reader->root = root__open(directory);
		err = reader->root < 0 ? reader->root : 0;
	}
	if (!err && !target__alive(target->pid, target->start_ticks))
		err = -ESRCH;
	if (directory >= 0)
		close(directory);
	return err;
}

int hook_file__place(const struct target *target, const char *hook_path,
		     char **ret_path, char **ret_host_path, struct trouble *ret_trouble)
{
	struct hook_reader reader = {.root = -1};
	struct buf environment = BUF_INIT, host_path = BUF_INIT;
	int err;

	if (target->hooked && !hook_file__mapped(target->pid, ret_path, ret_host_path))
		return 0;
	err = open_reader(target, &reader, &environment);
	if (err == -ESRCH)
		trouble__set(ret_trouble, err, "the process is gone");
	else if (err)
		trouble__set(
			ret_trouble, err,
			"its file system cannot be reached (%s); run tierscope as root",
			strerror(-err));
	if (err)
		goto out;
	if (hook_file__is_visible(&reader, hook_path)) {
		*ret_path = alloc__string(hook_path);
		*ret_host_path = alloc__string(hook_path);
		goto out;
	}
	err = copy_somewhere(&reader, proc__temporary_folder(&environment), hook_path,
			     ret_path, ret_trouble);
	if (err)
		goto out;
	buf__printf(&host_path, "/proc/%d/root%s", (int)target->pid, *ret_path);
	*ret_host_path = buf__steal(&host_path);
out:
	if (reader.root >= 0)
		close(reader.root);
	buf__free(&environment);
	return err;
}
