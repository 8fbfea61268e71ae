/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The bytes of the diagnostics IPC protocol (dotnet/diagnostics,
 * documentation/design-docs/ipc-protocol.md): one command, one reply per
 * connection.  Little endian.
 *
 *   0             14     16    17   18       20
 *   +--------------+------+-----+----+--------+---------
 *   | magic        | size | set | id | 0      | payload
 *   +--------------+------+-----+----+--------+---------
 *   "DOTNET_IPC_V1\0"; size counts the header too
 */
#ifndef TIERSCOPE_TARGET_IPC_WIRE_H
#define TIERSCOPE_TARGET_IPC_WIRE_H

#include "../base/buf.h"

#include <stdbool.h>
#include <stdint.h>

#define IPC_MAGIC	    "DOTNET_IPC_V1" /* its NUL is sent too */
#define IPC_MAGIC_BYTES	    14
#define IPC_HEADER_BYTES    20
#define IPC_SET_PROFILER    0x03
#define IPC_SET_PROCESS	    0x04
#define IPC_SET_SERVER	    0xff
#define IPC_ATTACH_PROFILER 0x01
#define IPC_PROCESS_INFO_3  0x08
#define IPC_SERVER_OK	    0x00
#define IPC_SERVER_ERROR    0xff

/* Building a payload.  append_string: -EINVAL if it is no valid UTF-8. */
void ipc_wire__append_u32(struct buf *payload, uint32_t value);
int ipc_wire__append_string(struct buf *payload, const char *utf8);

/* Reading one: a cursor that never leaves the payload. */
struct ipc_cursor {
	const unsigned char *at;
	size_t left;
};
int ipc_wire__take_u32(struct ipc_cursor *cursor, uint32_t *ret_value);
int ipc_wire__skip(struct ipc_cursor *cursor, size_t size);
/* UTF-8, without the closing NUL; "" for a null string.  The caller frees. */
int ipc_wire__take_string(struct ipc_cursor *cursor, char **ret_string);

/*
 * Sends a command on a non-blocking socket and reads the reply's payload.
 * *ret_ok: the runtime said OK, else ERROR; either has an HRESULT or an answer
 * as payload.  The deadline is on diagnostics__now_ms's clock and for all of
 * it.  -ETIMEDOUT; -ECONNRESET the peer closed early; -EPROTO not the protocol.
 */
int ipc_wire__exchange(int socket, uint8_t set, uint8_t id, const struct buf *payload,
		       uint64_t deadline_ms, bool *ret_ok, struct buf *ret_reply);

#endif /* TIERSCOPE_TARGET_IPC_WIRE_H */
