// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The bytes of the diagnostics IPC protocol: see ipc_wire.h.
#include "ipc_wire.h"

#include "../base/text.h"
#include "diagnostics.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

static void append_u16(struct buf *payload, uint32_t value)
{
	const unsigned char bytes[2] = {(unsigned char)value,
					(unsigned char)(value >> 8)};

	buf__append(payload, bytes, sizeof(bytes));
}

void ipc_wire__append_u32(struct buf *payload, uint32_t value)
{
	append_u16(payload, value & 0xffff);
	append_u16(payload, value >> 16);
}

/* One code point of valid UTF-8; its length in bytes, or 0 if it is none. */
static size_t decode_utf8(const unsigned char *at, uint32_t *ret_point)
{
	static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
	size_t size = at[0] < 0x80	       ? 1
		      : (at[0] & 0xe0) == 0xc0 ? 2
		      : (at[0] & 0xf0) == 0xe0 ? 3
		      : (at[0] & 0xf8) == 0xf0 ? 4
					       : 0;
	uint32_t point;

	if (size < 2) {
		*ret_point = at[0];
		return size;
	}
	point = at[0] & (0x7fu >> size);
	for (size_t i = 1; i < size; i++) {
		/* The closing NUL fails here, so nothing is read beyond it. */
		if ((at[i] & 0xc0) != 0x80)
			return 0;
		point = point << 6 | (at[i] & 0x3fu);
	}
	if (point < smallest[size] || point > 0x10ffff ||
	    (point >= 0xd800 && point < 0xe000))
		return 0;
	*ret_point = point;
	return size;
}

int ipc_wire__append_string(struct buf *payload, const char *utf8)
{
	const unsigned char *at = (const unsigned char *)utf8;
	struct buf units = BUF_INIT;
	int err = 0;

	while (*at) {
		uint32_t point;
		size_t size = decode_utf8(at, &point);

		if (!size) {
			err = -EINVAL;
			goto out;
		}
		if (point >= 0x10000) {
			append_u16(&units, 0xd800 + ((point - 0x10000) >> 10));
			point = 0xdc00 + ((point - 0x10000) & 0x3ff);
		}
		append_u16(&units, point);
		at += size;
	}
	append_u16(&units, 0);
	ipc_wire__append_u32(payload, (uint32_t)(units.size / 2));
	buf__append(payload, units.data, units.size);
out:
	buf__free(&units);
	return err;
}

int ipc_wire__skip(struct ipc_cursor *cursor, size_t size)
{
	if (size > cursor->left)
		return -EPROTO;
	cursor->at += size;
	cursor->left -= size;
	return 0;
}

int ipc_wire__take_u32(struct ipc_cursor *cursor, uint32_t *ret_value)
{
	const unsigned char *at = cursor->at;

	if (ipc_wire__skip(cursor, 4))
		return -EPROTO;
	*ret_value = (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 |
		     (uint32_t)at[3] << 24;
	return 0;
}

int ipc_wire__take_string(struct ipc_cursor *cursor, char **ret_string)
{
	struct buf string = BUF_INIT;
	const unsigned char *at;
	uint32_t units;

	if (ipc_wire__take_u32(cursor, &units))
		return -EPROTO;
	at = cursor->at;
	if (ipc_wire__skip(cursor, (size_t)units * 2))
		return -EPROTO;
	while (units > 0 && !at[2 * units - 1] && !at[2 * units - 2])
		units--;
	text__append_utf16(&string, at, units);
	*ret_string = buf__steal(&string);
	return 0;
}

static int wait_for(int socket, short events, uint64_t deadline_ms)
{
	struct pollfd poll_for = {.fd = socket, .events = events};

	for (;;) {
		uint64_t now = diagnostics__now_ms();
		uint64_t left = now < deadline_ms ? deadline_ms - now : 0;
		int ready = poll(&poll_for, 1, left < INT_MAX ? (int)left : INT_MAX);

		if (ready > 0)
			return 0;
		if (ready == 0)
			return -ETIMEDOUT;
		if (errno != EINTR)
			return -errno;
	}
}

/* One step of sending or receiving: bytes moved, 0 to try again, or -Exxx. */
static ssize_t after(ssize_t moved, int socket, short events, uint64_t deadline_ms)
{
	if (moved > 0)
		return moved;
	if (moved == 0 || errno == EPIPE)
		return -ECONNRESET;
	if (errno == EINTR)
		return 0;
	if (errno != EAGAIN)
		return -errno;
	return wait_for(socket, events, deadline_ms);
}

static int send_all(int socket, const struct buf *message, uint64_t deadline_ms)
{
	size_t sent = 0;

	while (sent < message->size) {
		ssize_t moved = send(socket, message->data + sent, message->size - sent,
				     MSG_NOSIGNAL);

		moved = after(moved, socket, POLLOUT, deadline_ms);
		if (moved < 0)
			return (int)moved;
		sent += (size_t)moved;
		/* A peer that takes byte by byte must not hold us for ever. */
		if (diagnostics__now_ms() > deadline_ms)
			return -ETIMEDOUT;
	}
	return 0;
}

static int receive_exactly(int socket, void *data, size_t size, uint64_t deadline_ms)
{
	size_t got = 0;

	while (got < size) {
		ssize_t moved = recv(socket, (char *)data + got, size - got, 0);

		moved = after(moved, socket, POLLIN, deadline_ms);
		if (moved < 0)
			return (int)moved;
		got += (size_t)moved;
		if (diagnostics__now_ms() > deadline_ms)
			return -ETIMEDOUT;
	}
	return 0;
}

int ipc_wire__exchange(int socket, uint8_t set, uint8_t id, const struct buf *payload,
		       uint64_t deadline_ms, bool *ret_ok, struct buf *ret_reply)
{
	const unsigned char command[4] = {set, id, 0, 0};
	unsigned char bytes[UINT16_MAX];
	unsigned char header[IPC_HEADER_BYTES];
	struct buf message = BUF_INIT;
	size_t size = IPC_HEADER_BYTES + payload->size;
	int err = -E2BIG;

	if (size > UINT16_MAX)
		goto out;
	buf__append(&message, IPC_MAGIC, IPC_MAGIC_BYTES);
	append_u16(&message, (uint32_t)size);
	buf__append(&message, command, sizeof(command));
	buf__append(&message, payload->data, payload->size);
	err = send_all(socket, &message, deadline_ms);
	if (!err)
		err = receive_exactly(socket, header, sizeof(header), deadline_ms);
	if (err)
		goto out;
	size = (size_t)header[14] | (size_t)header[15] << 8;
	if (memcmp(header, IPC_MAGIC, IPC_MAGIC_BYTES) || size < IPC_HEADER_BYTES ||
	    header[16] != IPC_SET_SERVER ||
	    (header[17] != IPC_SERVER_OK && header[17] != IPC_SERVER_ERROR)) {
		err = -EPROTO;
		goto out;
	}
	size -= IPC_HEADER_BYTES;
	err = receive_exactly(socket, bytes, size, deadline_ms);
	if (err)
		goto out;
	buf__append(ret_reply, bytes, size);
	*ret_ok = header[17] == IPC_SERVER_OK;
out:
	buf__free(&message);
	return err;
}
