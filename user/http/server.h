/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * One page over HTTP, in two formats.  Requests are answered by a thread of its own from the
 * last page that was published: nothing that a client does, or leaves, holds its owner up.
 * At most HTTP_CONNECTIONS are open at a time, each for HTTP_TIMEOUT_S without news; others
 * wait to be accepted.
 */
#ifndef TIERSCOPE_HTTP_SERVER_H
#define TIERSCOPE_HTTP_SERVER_H

#include "../base/buf.h"
#include "../base/trouble.h"

#include <stdbool.h>
#include <stdint.h>

#define HTTP_CONNECTIONS 128
#define HTTP_TIMEOUT_S 10

struct http_server;

/* "127.0.0.1:9464", "[::1]:9464", "localhost:9464", ":9464" (loopback); port 0 is any free
 * one.  -EINVAL: it is none, else -Exxx; trouble says which. */
int http_server__new(const char *address, struct http_server **ret_server,
		     struct trouble *ret_trouble);
void http_server__free(struct http_server *server);
/* "127.0.0.1:9464", with the port that it got. */
const char *http_server__address(const struct http_server *server);
/* Others than this machine can read it. */
bool http_server__is_public(const struct http_server *server);

/* Takes both texts over; `number` is not 0 and grows. */
void http_server__publish(struct http_server *server, struct buf *open, struct buf *plain,
			  uint64_t number);
/* The number of the last page that a client was given, 0: none. */
uint64_t http_server__read(struct http_server *server);

#endif /* TIERSCOPE_HTTP_SERVER_H */
