/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The parts of ipc.c that tests and this room use on their own: requests on a
 * socket that is connected already, and what the runtime's answers mean.
 */
#ifndef TIERSCOPE_TARGET_IPC_H
#define TIERSCOPE_TARGET_IPC_H

#include "target.h"

/* Values of corerror.h and winerror.h (dotnet/runtime v8 to v10). */
#define IPC_HR_PROFILER_ACTIVE	     0x8013136au
#define IPC_HR_NOT_ATTACHABLE	     0x80131368u
#define IPC_HR_RUNTIME_UNINITIALIZED 0x80131371u
#define IPC_HR_CANCELED_BY_PROFILER  0x80131375u
#define IPC_HR_NOT_YET_AVAILABLE     0x8013135bu
#define IPC_HR_BAD_ENCODING	     0x80131384u
#define IPC_HR_UNKNOWN_COMMAND	     0x80131385u
#define IPC_HR_UNKNOWN_MAGIC	     0x80131386u
#define IPC_HR_NOT_SUPPORTED	     0x80131515u
#define IPC_HR_FILE_NOT_FOUND	     0x8007007eu
#define IPC_HR_ACCESS_DENIED	     0x80070005u
#define IPC_HR_INVALID_ARGUMENT	     0x80070057u

/*
 * 0 when the HRESULT means that the hook is in the process, -EAGAIN when the
 * runtime is not ready yet, else -Exxx and one sentence.
 */
int ipc__explain_attach(uint32_t hresult, const char *path,
			struct trouble *ret_trouble);

/* One request each, on a connected non-blocking socket. */
int ipc__process_info_on(int socket, uint64_t deadline_ms, struct ipc_info *ret_info,
			 struct trouble *ret_trouble);
int ipc__attach_profiler_on(int socket, const char *path, uint64_t deadline_ms,
			    struct trouble *ret_trouble);

/* ipc__process_info with a time-out of one's own. */
int ipc__process_info_within(const struct target *target, unsigned int timeout_ms,
			     struct ipc_info *ret_info, struct trouble *ret_trouble);

#endif /* TIERSCOPE_TARGET_IPC_H */
