// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Diagnostics IPC against a runtime that behaves, and against every other kind.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../abi/journal.h"
#include "../../user/target/diagnostics.h"
#include "../../user/target/ipc.h"
#include "../../user/target/ipc_wire.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define SHORT_MS 100
#define LONG_MS	 20000

/* What the other end does once it has read `request_bytes`. */
struct server {
	int socket;
	size_t request_bytes;
	unsigned char request[4096];
	struct buf reply;
	size_t piece; /* bytes per write, 0: all at once */
	bool close_after;
	bool trickle_for_ever;
};

static void *serve(void *argument)
{
	const struct timespec nap = {.tv_nsec = 1000000};
	struct server *server = argument;
	size_t piece = server->piece ? server->piece : server->reply.size;
	size_t got = 0, sent = 0;

	while (got < server->request_bytes) {
		ssize_t more = recv(server->socket, server->request + got,
				    server->request_bytes - got, 0);

		if (more <= 0)
			break;
		got += (size_t)more;
	}
	while (sent < server->reply.size) {
		size_t size = server->reply.size - sent;

		if (size > piece)
			size = piece;
		if (send(server->socket, server->reply.data + sent, size,
			 MSG_NOSIGNAL) < 0)
			break;
		sent += size;
		if (server->piece)
			nanosleep(&nap, NULL);
		/* The same bytes again and again: a reply without end. */
		if (server->trickle_for_ever && sent == server->reply.size)
			sent = IPC_HEADER_BYTES;
	}
	if (server->close_after)
		shutdown(server->socket, SHUT_RDWR);
	return NULL;
}

static void begin(struct server *server, pthread_t *thread, int *ret_client)
{
	int pair[2];

	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair),
			   errno);
	assert_return_code(fcntl(pair[0], F_SETFL, O_NONBLOCK), errno);
	server->socket = pair[1];
	*ret_client = pair[0];
	assert_int_equal(pthread_create(thread, NULL, serve, server), 0);
}

static void end(struct server *server, pthread_t thread, int client)
{
	close(client);
	pthread_join(thread, NULL);
	close(server->socket);
	buf__free(&server->reply);
}

static void append_header(struct buf *buf, size_t size, uint8_t set, uint8_t id)
{
	const unsigned char rest[] = {
		(unsigned char)size, (unsigned char)(size >> 8), set, id, 0, 0};

	buf__append(buf, "DOTNET_IPC_V1", 14);
	buf__append(buf, rest, sizeof(rest));
}

static void append_info(struct buf *buf)
{
	static const char *const strings[] = {"dotnet \xc3\xa4.dll", "Linux", "x64",
					      "app", "10.0.12"};
	static const char zero[24];

	append_header(buf, 0, 0xff, 0);
	ipc_wire__append_u32(buf, 1);
	buf__append(buf, zero, sizeof(zero));
	for (int i = 0; i < 5; i++)
		assert_int_equal(ipc_wire__append_string(buf, strings[i]), 0);
	ipc_wire__append_u32(buf, 0); /* the runtime identifier, null */
	buf->data[14] = (char)buf->size;
	buf->data[15] = (char)(buf->size >> 8);
}

static int ask_info(struct server *server, unsigned int ms, struct ipc_info *ret_info)
{
	struct trouble trouble = {""};
	pthread_t thread;
	int client, err;

	server->request_bytes = IPC_HEADER_BYTES;
	begin(server, &thread, &client);
	err = ipc__process_info_on(client, diagnostics__now_ms() + ms, ret_info,
				   &trouble);
	end(server, thread, client);
	assert_int_equal(err != 0, trouble.text[0] != 0);
	return err;
}

static void check_info(struct server *server)
{
	static const char request[] = "DOTNET_IPC_V1\0\x14\0\x04\x08\0";
	struct ipc_info info;

	assert_int_equal(ask_info(server, LONG_MS, &info), 0);
	assert_memory_equal(server->request, request, IPC_HEADER_BYTES);
	assert_string_equal(info.cmdline, "dotnet \xc3\xa4.dll");
	assert_string_equal(info.os, "Linux");
	assert_string_equal(info.architecture, "x64");
	assert_string_equal(info.entry, "app");
	assert_string_equal(info.runtime_version, "10.0.12");
	ipc_info__free(&info);
}

static void ipc_reads_process_information(void **state)
{
	struct server server = {.reply = BUF_INIT};

	(void)state;
	append_info(&server.reply);
	check_info(&server);
}

static void ipc_waits_for_a_slow_runtime(void **state)
{
	struct server server = {.piece = 1};

	(void)state;
	append_info(&server.reply);
	check_info(&server);
}

static void ipc_gives_up_on_a_silent_runtime(void **state)
{
	struct server server = {.reply = BUF_INIT};
	struct ipc_info info;

	(void)state;
	assert_int_equal(ask_info(&server, SHORT_MS, &info), -ETIMEDOUT);
}

static void ipc_gives_up_on_a_reply_that_never_ends(void **state)
{
	struct server server = {.piece = 1, .trickle_for_ever = true};
	struct ipc_info info;

	(void)state;
	append_header(&server.reply, 0xffff, 0xff, 0);
	buf__append(&server.reply, "x", 1);
	assert_int_equal(ask_info(&server, SHORT_MS, &info), -ETIMEDOUT);
}

/* Every shorter beginning of a good reply, then the connection ends. */
static void ipc_refuses_every_truncated_reply(void **state)
{
	struct buf whole = BUF_INIT;
	struct ipc_info info;

	(void)state;
	append_info(&whole);
	for (size_t size = 0; size < whole.size; size++) {
		struct server server = {.close_after = true};

		buf__append(&server.reply, whole.data, size);
		assert_int_equal(ask_info(&server, LONG_MS, &info), -ECONNRESET);
	}
	buf__free(&whole);
}

/* The same, but the header owns up to the shorter size. */
static void ipc_refuses_every_short_payload(void **state)
{
	struct buf whole = BUF_INIT;
	struct ipc_info info;
	size_t strings_end;

	(void)state;
	append_info(&whole);
	strings_end = whole.size - 4;
	for (size_t size = 0; size < strings_end; size++) {
		struct server server = {.close_after = true};

		buf__append(&server.reply, whole.data, size);
		if (size >= IPC_HEADER_BYTES) {
			server.reply.data[14] = (char)size;
			server.reply.data[15] = (char)(size >> 8);
		}
		assert_int_equal(ask_info(&server, LONG_MS, &info),
				 size < IPC_HEADER_BYTES ? -ECONNRESET : -EPROTO);
	}
	buf__free(&whole);
}

static void ipc_refuses_strings_longer_than_the_payload(void **state)
{
	static const uint32_t counts[] = {0xffffffff, 0x80000000, 0x7fffffff, 1000};
	struct ipc_info info;

	(void)state;
	for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
		struct server server = {.reply = BUF_INIT};

		append_info(&server.reply);
		for (int byte = 0; byte < 4; byte++)
			server.reply.data[IPC_HEADER_BYTES + 28 + byte] =
				(char)(counts[i] >> 8 * byte);
		assert_int_equal(ask_info(&server, LONG_MS, &info), -EPROTO);
	}
}

static void ipc_refuses_what_is_not_the_protocol(void **state)
{
	/* offset, wrong byte: the magic, the set, the id, a size below the header's */
	static const struct {
		int at;
		unsigned char byte;
	} wrong[] = {{0, 'd'}, {12, '2'}, {13, 'x'}, {16, 4}, {17, 7}, {14, 19}};
	struct ipc_info info;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct server server = {.reply = BUF_INIT};

		append_info(&server.reply);
		server.reply.data[wrong[i].at] = (char)wrong[i].byte;
		if (wrong[i].at == 14)
			server.reply.data[15] = 0;
		assert_int_equal(ask_info(&server, LONG_MS, &info), -EPROTO);
	}
}

static void ipc_reports_an_error_reply(void **state)
{
	struct server server = {.reply = BUF_INIT};
	struct ipc_info info;

	(void)state;
	append_header(&server.reply, 24, 0xff, 0xff);
	ipc_wire__append_u32(&server.reply, IPC_HR_UNKNOWN_COMMAND);
	assert_int_equal(ask_info(&server, LONG_MS, &info), -ENOTSUP);
}

static void ipc_survives_a_peer_that_hangs_up(void **state)
{
	struct trouble trouble = {""};
	struct ipc_info info;
	int pair[2];

	(void)state;
	/* A write into it would raise SIGPIPE and end the test. */
	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
			   errno);
	close(pair[1]);
	assert_int_equal(ipc__process_info_on(pair[0], diagnostics__now_ms() + LONG_MS,
					      &info, &trouble),
			 -ECONNRESET);
	close(pair[0]);
}

static int attach(uint8_t id, uint32_t hresult, const char *path, size_t request_bytes,
		  struct server *server)
{
	struct trouble trouble = {""};
	pthread_t thread;
	int client, err;

	server->request_bytes = request_bytes;
	append_header(&server->reply, 24, 0xff, id);
	ipc_wire__append_u32(&server->reply, hresult);
	begin(server, &thread, &client);
	err = ipc__attach_profiler_on(client, path, diagnostics__now_ms() + LONG_MS,
				      &trouble);
	end(server, thread, client);
	assert_int_equal(err != 0, trouble.text[0] != 0);
	return err;
}

static void ipc_asks_for_the_hook_by_class_and_path(void **state)
{
	static const unsigned char clsid[] = TS_HOOK_CLSID_BYTES;
	/* "/a", an umlaut, a G clef (two units), the end, no client data */
	static const unsigned char path[] = {6, 0,    0, 0,    '/',  0,	   'a',
					     0, 0xe4, 0, 0x34, 0xd8, 0x1e, 0xdd,
					     0, 0,    0, 0,    0,    0};
	struct server server = {.reply = BUF_INIT};
	const size_t total = IPC_HEADER_BYTES + 4 + 16 + sizeof(path);

	(void)state;
	assert_int_equal(attach(0, 0, "/a\xc3\xa4\xf0\x9d\x84\x9e", total, &server), 0);
	assert_int_equal(server.request[14], total);
	assert_int_equal(server.request[16], 3);
	assert_int_equal(server.request[17], 1);
	assert_memory_equal(server.request + 24, clsid, sizeof(clsid));
	assert_memory_equal(server.request + 40, path, sizeof(path));
}

static void ipc_refuses_a_path_that_is_not_text(void **state)
{
	static const char *const paths[] = {
		"/\xff", "/\xc3", "/\xc0\xaf", "/\xed\xa0\x80", "/\xf4\x90\x80\x80",
		"/\x80"};
	struct trouble trouble = {""};
	int pair[2];

	(void)state;
	assert_return_code(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair),
			   errno);
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_int_equal(ipc__attach_profiler_on(
					 pair[0], paths[i],
					 diagnostics__now_ms() + LONG_MS, &trouble),
				 -EINVAL);
	close(pair[0]);
	close(pair[1]);
}

static void ipc_tells_what_each_answer_means(void **state)
{
	static const struct {
		uint8_t id;
		uint32_t hresult;
		int result;
	} answers[] = {
		{0x00, 0, 0},
		/* The hook was there: it refuses a second instance. */
		{0xff, 0x80131375, 0},
		{0x00, 0x80131375, 0},
		{0xff, 0x8013136a, -EBUSY},
		{0xff, 0x8007007e, -ENOENT},
		{0xff, 0x8013135b, -EAGAIN},
		{0xff, 0x80131371, -EAGAIN},
		{0xff, 0x80131515, -ENOTSUP},
		{0xff, 0x80131385, -ENOTSUP},
		{0xff, 0x80131368, -ENOTSUP},
		{0xff, 0x80131384, -EPROTO},
		{0xff, 0x80131386, -EPROTO},
		{0xff, 0x80070057, -EINVAL},
		{0xff, 0x80070005, -EACCES},
		{0xff, 0x80004005, -EIO},
		{0x00, 0x80004005, -EIO},
		/* An error that calls itself a success */
		{0xff, 0, -EPROTO},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct server server = {.reply = BUF_INIT};

		assert_int_equal(attach(answers[i].id, answers[i].hresult, "/x",
					IPC_HEADER_BYTES, &server),
				 answers[i].result);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ipc_reads_process_information),
		cmocka_unit_test(ipc_waits_for_a_slow_runtime),
		cmocka_unit_test(ipc_gives_up_on_a_silent_runtime),
		cmocka_unit_test(ipc_gives_up_on_a_reply_that_never_ends),
		cmocka_unit_test(ipc_refuses_every_truncated_reply),
		cmocka_unit_test(ipc_refuses_every_short_payload),
		cmocka_unit_test(ipc_refuses_strings_longer_than_the_payload),
		cmocka_unit_test(ipc_refuses_what_is_not_the_protocol),
		cmocka_unit_test(ipc_reports_an_error_reply),
		cmocka_unit_test(ipc_survives_a_peer_that_hangs_up),
		cmocka_unit_test(ipc_asks_for_the_hook_by_class_and_path),
		cmocka_unit_test(ipc_refuses_a_path_that_is_not_text),
		cmocka_unit_test(ipc_tells_what_each_answer_means),
	};

	return cmocka_run_group_tests_name("target_ipc", tests, NULL, NULL);
}
