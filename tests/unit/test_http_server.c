// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The page over real sockets: formats, refusals, many clients, slow ones, bad addresses.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "../../user/http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int port_of(const struct http_server *server)
{
	return atoi(strrchr(http_server__address(server), ':') + 1);
}

static int connect_to(const struct http_server *server)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)port_of(server)),
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	/* Only there to end a hang. */
	const struct timeval patience = { .tv_sec = 60 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

static void send_text(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* All that comes until the other side closes; the caller frees. */
static char *receive(int fd)
{
	struct buf buf = BUF_INIT;
	char piece[4096];
	ssize_t got;

	while ((got = recv(fd, piece, sizeof(piece), 0)) > 0)
		buf__append(&buf, piece, (size_t)got);
	assert_int_equal(got, 0);
	close(fd);
	return buf__steal(&buf);
}

static char *ask(const struct http_server *server, const char *request)
{
	int fd = connect_to(server);

	send_text(fd, request);
	return receive(fd);
}

#define ASK(method, path, more) \
	method " " path " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" more "\r\n"

static void assert_has(const char *text, const char *wanted)
{
	if (!text || !strstr(text, wanted))
		fail_msg("not there: %s\n--- in ---\n%s", wanted, text ? text : "nothing");
}

static void publish(struct http_server *server, const char *open, const char *plain,
		    uint64_t number)
{
	struct buf open_buf = BUF_INIT, plain_buf = BUF_INIT;

	buf__append_string(&open_buf, open);
	buf__append_string(&plain_buf, plain);
	http_server__publish(server, &open_buf, &plain_buf, number);
}

static struct http_server *start(const char *address)
{
	struct trouble trouble = { "" };
	struct http_server *server = NULL;

	if (http_server__new(address, &server, &trouble))
		fail_msg("%s: %s", address, trouble.text);
	return server;
}

static void formats(void **state)
{
	struct http_server *server = start("127.0.0.1:0");
	char *answer = ask(server, ASK("GET", "/metrics", ""));

	(void)state;
	assert_has(answer, "\r\n\r\n# EOF\n");	/* also before there is anything */
	free(answer);
	publish(server, "open 1\n# EOF\n", "plain 1\n", 7);
	assert_int_equal(http_server__read(server), 0);
	answer = ask(server, ASK("HEAD", "/metrics", ""));
	assert_has(answer, "HTTP/1.1 200 ");
	assert_null(strstr(answer, "open 1"));
	free(answer);
	assert_int_equal(http_server__read(server), 0);	/* it has seen no values */
	answer = ask(server, ASK("GET", "/metrics", ""));
	assert_has(answer, "HTTP/1.1 200 ");
	assert_has(answer, "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n");
	assert_has(answer, "\r\n\r\nopen 1\n# EOF\n");
	free(answer);
	assert_int_equal(http_server__read(server), 7);
	answer = ask(server, ASK("GET", "/metrics", "Accept: text/plain\r\n"));
	assert_has(answer, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n");
	assert_has(answer, "\r\n\r\nplain 1\n");
	free(answer);
	answer = ask(server, ASK("GET", "/metrics", "Accept: application/openmetrics-text;version=1.0.0,text/plain;q=0.5\r\n"));
	assert_has(answer, "\r\n\r\nopen 1\n# EOF\n");
	free(answer);
	http_server__free(server);
}

static void refusals(void **state)
{
	struct http_server *server = start(":0");
	char *answer, *long_request = malloc(40001);

	(void)state;
	assert_false(http_server__is_public(server));	/* no address is loopback */
	answer = ask(server, ASK("GET", "/", ""));
	assert_has(answer, "/metrics");
	free(answer);
	answer = ask(server, ASK("GET", "/../etc/passwd", ""));
	assert_has(answer, "HTTP/1.1 404 ");
	free(answer);
	answer = ask(server, ASK("POST", "/metrics", "Content-Length: 0\r\n"));
	assert_has(answer, "HTTP/1.1 405 ");
	free(answer);
	answer = ask(server, "nonsense\r\n\r\n");
	assert_true(!*answer || strstr(answer, "HTTP/1.1 4") || strstr(answer, "HTTP/1.0 4"));
	free(answer);
	memset(long_request, 'x', 40000);
	memcpy(long_request, "GET /", 5);
	long_request[40000] = 0;
	int fd = connect_to(server);
	(void)!send(fd, long_request, 40000, MSG_NOSIGNAL);
	close(fd);
	answer = ask(server, ASK("GET", "/metrics", ""));	/* it lives on */
	assert_has(answer, "HTTP/1.1 200 ");
	free(answer);
	free(long_request);
	http_server__free(server);
}

/* Those that say nothing, or do not read, hold up neither others nor the owner. */
static void many_and_slow_clients(void **state)
{
	enum { SLOW = 20, MANY = 100 };
	struct http_server *server = start("127.0.0.1:0");
	size_t size = 4 << 20;
	char *large = malloc(size + 1), *answer;
	int slow[SLOW], many[MANY];

	(void)state;
	memset(large, 'x', size);
	large[size] = 0;
	publish(server, large, "", 1);
	for (int i = 0; i < SLOW; i++) {
		slow[i] = connect_to(server);
		send_text(slow[i], i % 2 ? "GET /met" : ASK("GET", "/metrics", ""));
	}
	for (int i = 0; i < 50; i++)	/* returns, whoever reads an older one */
		publish(server, i == 49 ? "new\n# EOF\n" : large, "", 2 + (uint64_t)i);
	for (int i = 0; i < MANY; i++) {
		many[i] = connect_to(server);
		send_text(many[i], ASK("GET", "/metrics", ""));
	}
	for (int i = 0; i < MANY; i++) {
		answer = receive(many[i]);
		assert_has(answer, "\r\n\r\nnew\n# EOF\n");
		free(answer);
	}
	/* The old page is still whole for who began with it. */
	answer = receive(slow[0]);
	assert_true(strlen(answer) > size);
	free(answer);
	for (int i = 1; i < SLOW; i++)
		close(slow[i]);
	free(large);
	http_server__free(server);
}

static void addresses(void **state)
{
	static const struct {
		const char *address;
		int err;
		const char *word;
	} bad[] = {
		{ "", -EINVAL, "ADDRESS:PORT" }, { "9464", -EINVAL, "ADDRESS:PORT" },
		{ "127.0.0.1:", -EINVAL, "ADDRESS:PORT" }, { "127.0.0.1:x", -EINVAL, "ADDRESS:PORT" },
		{ "127.0.0.1:65536", -EINVAL, "ADDRESS:PORT" },
		{ "127.0.0.1:123456", -EINVAL, "ADDRESS:PORT" },
		{ "example.org:1", -EINVAL, "example.org" },
		{ "192.0.2.1:9464", -EADDRNOTAVAIL, "192.0.2.1:9464" },
	};
	struct http_server *server = start("127.0.0.1:0"), *other = NULL;
	struct trouble trouble = { "" };
	char text[64];

	(void)state;
	assert_false(http_server__is_public(server));
	assert_int_equal(http_server__new(http_server__address(server), &other, &trouble),
			 -EADDRINUSE);
	assert_has(trouble.text, http_server__address(server));
	assert_has(trouble.text, "choose another port");
	snprintf(text, sizeof(text), "127.0.0.1:%d", port_of(server));
	http_server__free(server);
	http_server__free(start(text));		/* the port is free again */
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(http_server__new(bad[i].address, &other, &trouble), bad[i].err);
		assert_has(trouble.text, bad[i].word);
	}
	server = start("0.0.0.0:0");
	assert_true(http_server__is_public(server));
	http_server__free(server);
	assert_null(other);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(formats), cmocka_unit_test(refusals),
		cmocka_unit_test(many_and_slow_clients), cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
