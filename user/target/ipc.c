// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Requests to a runtime over its diagnostics socket: see target.h and ipc.h.
#include "ipc.h"

#include "../../abi/journal.h"
#include "diagnostics.h"
#include "ipc_wire.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define INFO_TIMEOUT_MS 3000
#define RETRY_NAP_NS	20000000
/* A runtime makes its socket within tens of milliseconds of its start. */
#define SOCKET_WAIT_MS 1000

static const struct {
	uint32_t hresult;
	int error;
	const char *sentence;
} answers[] = {
	{IPC_HR_PROFILER_ACTIVE, -EBUSY,
	 "the runtime takes no further profiler, all its slots are in use; restart the "
	 "program, or launch it with tierscope record -- CMD"},
	{IPC_HR_NOT_ATTACHABLE, -ENOTSUP,
	 "the hook library refused to be attached; is it of this tierscope version?"},
	{IPC_HR_RUNTIME_UNINITIALIZED, -EAGAIN,
	 "the runtime is still starting; try again in a moment"},
	{IPC_HR_NOT_YET_AVAILABLE, -EAGAIN,
	 "the runtime is not ready for a profiler yet; try again in a moment"},
	{IPC_HR_BAD_ENCODING, -EPROTO, "the runtime could not read the attach request"},
	{IPC_HR_UNKNOWN_COMMAND, -ENOTSUP,
	 "this runtime knows no profiler attach; it must be .NET 8 or newer, not "
	 "Native AOT"},
	{IPC_HR_UNKNOWN_MAGIC, -EPROTO,
	 "the runtime speaks another diagnostics protocol; it must be .NET 8 or newer"},
	{IPC_HR_NOT_SUPPORTED, -ENOTSUP,
	 "this runtime supports no profiler (Native AOT, or profiling is switched "
	 "off); "
	 "restart it without DOTNET_EnableDiagnostics_Profiler=0"},
	{IPC_HR_ACCESS_DENIED, -EACCES,
	 "the runtime may not open the hook library; make it readable for the "
	 "program's user"},
	{IPC_HR_INVALID_ARGUMENT, -EINVAL,
	 "the runtime refused the attach request as invalid"},
};

int ipc__explain_attach(uint32_t hresult, const char *path, struct trouble *ret_trouble)
{
	/* Our hook was there already and took this attach as a command. */
	if (hresult == 0 || hresult == IPC_HR_CANCELED_BY_PROFILER)
		return 0;
	if (hresult == IPC_HR_FILE_NOT_FOUND)
		return trouble__set(ret_trouble, -ENOENT,
				    "the runtime cannot load %.120s; the program must "
				    "be able to read it, "
				    "and the C library must be glibc",
				    path);
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (answers[i].hresult == hresult)
			return trouble__set(ret_trouble, answers[i].error, "%s",
					    answers[i].sentence);
	return trouble__set(ret_trouble, -EIO,
			    "the runtime refused the hook with HRESULT 0x%08x",
			    hresult);
}

static int explain_exchange(int err, struct trouble *ret_trouble)
{
	switch (err) {
	case 0:
		return 0;
	case -ETIMEDOUT:
		return trouble__set(ret_trouble, err,
				    "it does not answer on its diagnostics socket; is "
				    "the process stopped "
				    "or overloaded?");
	case -ECONNRESET:
		return trouble__set(ret_trouble, err,
				    "it closed its diagnostics socket before it "
				    "answered; has it ended?");
	case -EPROTO:
		return trouble__set(ret_trouble, err,
				    "what it answers on its diagnostics socket is not "
				    "the .NET protocol");
	default:
		return trouble__set(ret_trouble, err,
				    "its diagnostics socket failed: %s",
				    strerror(-err));
	}
}

/* The HRESULT of a reply whose payload is one. */
static int take_hresult(const struct buf *reply, uint32_t *ret_hresult)
{
	struct ipc_cursor cursor = {(const unsigned char *)buf__string(reply),
				    reply->size};

	return ipc_wire__take_u32(&cursor, ret_hresult);
}

/* Process info 3: version, pid, cookie, then the strings. */
static int parse_process_info(const struct buf *reply, struct ipc_info *ret_info)
{
	const size_t pid_and_cookie = 8 + 16;
	struct ipc_cursor cursor = {(const unsigned char *)buf__string(reply),
				    reply->size};
	struct ipc_info info = {0};
	uint32_t version;

	if (ipc_wire__take_u32(&cursor, &version) ||
	    ipc_wire__skip(&cursor, pid_and_cookie) ||
	    ipc_wire__take_string(&cursor, &info.cmdline) ||
	    ipc_wire__take_string(&cursor, &info.os) ||
	    ipc_wire__take_string(&cursor, &info.architecture) ||
	    ipc_wire__take_string(&cursor, &info.entry) ||
	    ipc_wire__take_string(&cursor, &info.runtime_version)) {
		ipc_info__free(&info);
		return -EPROTO;
	}
	*ret_info = info;
	return 0;
}

int ipc__process_info_on(int socket, uint64_t deadline_ms, struct ipc_info *ret_info,
			 struct trouble *ret_trouble)
{
	struct buf nothing = BUF_INIT, reply = BUF_INIT;
	uint32_t hresult;
	bool ok;
	int err = ipc_wire__exchange(socket, IPC_SET_PROCESS, IPC_PROCESS_INFO_3,
				     &nothing, deadline_ms, &ok, &reply);

	if (!err && ok)
		err = parse_process_info(&reply, ret_info);
	else if (!err)
		err = take_hresult(&reply, &hresult);
	err = explain_exchange(err, ret_trouble);
	if (!err && !ok)
		err = trouble__set(
			ret_trouble, -ENOTSUP,
			"the runtime does not tell about itself (HRESULT 0x%08x); it "
			"must be .NET 8 or newer",
			hresult);
	buf__free(&reply);
	return err;
}

int ipc__process_info_within(const struct target *target, unsigned int timeout_ms,
			     struct ipc_info *ret_info, struct trouble *ret_trouble)
{
	uint64_t deadline_ms = diagnostics__now_ms() + timeout_ms;
	int socket = diagnostics__connect(target, deadline_ms, ret_trouble);
	int err;

	if (socket < 0)
		return socket;
	err = ipc__process_info_on(socket, deadline_ms, ret_info, ret_trouble);
	close(socket);
	return err;
}

int ipc__process_info(const struct target *target, struct ipc_info *ret_info,
		      struct trouble *ret_trouble)
{
	return ipc__process_info_within(target, INFO_TIMEOUT_MS, ret_info, ret_trouble);
}

void ipc_info__free(struct ipc_info *info)
{
	if (!info)
		return;
	free(info->cmdline);
	free(info->os);
	free(info->architecture);
	free(info->entry);
	free(info->runtime_version);
	*info = (struct ipc_info){0};
}

int ipc__attach_profiler_on(int socket, const char *path, uint64_t deadline_ms,
			    struct trouble *ret_trouble)
{
	static const unsigned char clsid[16] = TS_HOOK_CLSID_BYTES;
	struct buf payload = BUF_INIT, reply = BUF_INIT;
	uint64_t now = diagnostics__now_ms();
	uint32_t hresult = 0;
	bool ok;
	int err;

	/* The runtime's own time-out, for a garbage collection that must end. */
	ipc_wire__append_u32(&payload,
			     (uint32_t)(now < deadline_ms ? deadline_ms - now : 0));
	buf__append(&payload, clsid, sizeof(clsid));
	err = ipc_wire__append_string(&payload, path);
	if (err) {
		trouble__set(ret_trouble, err,
			     "the hook's path is not UTF-8; install it elsewhere");
		goto out;
	}
	ipc_wire__append_u32(&payload, 0); /* no client data */
	err = ipc_wire__exchange(socket, IPC_SET_PROFILER, IPC_ATTACH_PROFILER,
				 &payload, deadline_ms, &ok, &reply);
	if (!err)
		err = take_hresult(&reply, &hresult);
	/* An error must not pass for a success because its number is 0. */
	if (!err && !ok && !hresult)
		err = -EPROTO;
	err = explain_exchange(err, ret_trouble);
	if (!err)
		err = ipc__explain_attach(hresult, path, ret_trouble);
out:
	buf__free(&reply);
	buf__free(&payload);
	return err;
}

/* One attempt; *ret_may_pass: waiting may help, the runtime is about to get ready. */
static int attach_once(const struct target *target, const char *path, uint64_t begin_ms,
		       uint64_t deadline_ms, bool *ret_may_pass,
		       struct trouble *ret_trouble)
{
	int socket = diagnostics__connect(target, deadline_ms, ret_trouble);
	int err;

	if (socket < 0) {
		*ret_may_pass = (socket == -ENOENT || socket == -ECONNREFUSED) &&
				diagnostics__now_ms() - begin_ms < SOCKET_WAIT_MS &&
				target__alive(target->pid, target->start_ticks);
		return socket;
	}
	err = ipc__attach_profiler_on(socket, path, deadline_ms, ret_trouble);
	close(socket);
	*ret_may_pass = err == -EAGAIN;
	return err;
}

int ipc__attach_profiler(const struct target *target, const char *path_in_target,
			 unsigned int timeout_ms, struct trouble *ret_trouble)
{
	const struct timespec nap = {.tv_nsec = RETRY_NAP_NS};
	uint64_t begin_ms = diagnostics__now_ms();
	uint64_t deadline_ms = begin_ms + timeout_ms;
	struct trouble trouble;
	int last = 0;

	for (;;) {
		bool may_pass;
		int err = attach_once(target, path_in_target, begin_ms, deadline_ms,
				      &may_pass, &trouble);

		if (!err)
			return 0;
		/* An attempt cut short says less than the whole one before it. */
		if (err != -ETIMEDOUT || !last) {
			last = err;
			trouble__set(ret_trouble, err, "%s", trouble.text);
		}
		if (!may_pass || diagnostics__now_ms() >= deadline_ms)
			return last;
		nanosleep(&nap, NULL);
	}
}
