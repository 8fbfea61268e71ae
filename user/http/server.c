// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// See server.h.  HTTP itself is libmicrohttpd's: docs/DEPENDENCIES.md says why.
#include "server.h"

#include "../base/alloc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_BYTES 16384		/* of one connection, headers included */
#define OPEN_TYPE  "application/openmetrics-text; version=1.0.0; charset=utf-8"
#define PLAIN_TYPE "text/plain; version=0.0.4; charset=utf-8"

struct http_server {
	struct MHD_Daemon *daemon;
	char address[INET6_ADDRSTRLEN + 16];
	bool is_public;
	pthread_mutex_t lock;		/* of all below */
	struct MHD_Response *open, *plain;
	uint64_t number, read;
};

/* Numbers only, and localhost: names of other machines are nothing to listen at. */
static int find_address(const char *text, struct addrinfo **ret_info, struct trouble *trouble)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM,
					.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV };
	const char *colon = strrchr(text, ':'), *port = colon ? colon + 1 : "";
	bool is_port = port[0] && strlen(port) <= 5 &&
		       strspn(port, "0123456789") == strlen(port) && atoi(port) <= 65535;
	char host[INET6_ADDRSTRLEN + 16] = "";
	size_t size = colon ? (size_t)(colon - text) : 0;

	if (size >= 2 && text[0] == '[' && text[size - 1] == ']')
		snprintf(host, sizeof(host), "%.*s", (int)size - 2, text + 1);
	else if (!size || !strncmp(text, "localhost:", size + 1))
		strcpy(host, "127.0.0.1");
	else
		snprintf(host, sizeof(host), "%.*s", (int)size, text);
	if (!is_port || getaddrinfo(host, port, &hints, ret_info))
		return trouble__set(trouble, -EINVAL,
				    "'%.200s' is no ADDRESS:PORT, like 127.0.0.1:9464", text);
	return 0;
}

static bool is_loopback(const struct sockaddr *address)
{
	if (address->sa_family == AF_INET)
		return ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr) >> 24 == 127;
	return address->sa_family == AF_INET6 &&
	       IN6_IS_ADDR_LOOPBACK(&((const struct sockaddr_in6 *)address)->sin6_addr);
}

/* The address as it is, with the port that was given to port 0. */
static void name_address(struct http_server *server, int fd)
{
	struct sockaddr_storage address;
	socklen_t size = sizeof(address);
	char host[INET6_ADDRSTRLEN] = "", port[8] = "";
	bool six;

	if (getsockname(fd, (struct sockaddr *)&address, &size))
		return;
	six = address.ss_family == AF_INET6;
	getnameinfo((struct sockaddr *)&address, size, host, sizeof(host), port, sizeof(port),
		    NI_NUMERICHOST | NI_NUMERICSERV);
	snprintf(server->address, sizeof(server->address), six ? "[%s]:%s" : "%s:%s", host, port);
	server->is_public = !is_loopback((struct sockaddr *)&address);
}

static int listen_at(const char *text, int *ret_fd, struct trouble *trouble)
{
	struct addrinfo *info = NULL;
	int fd = -1, yes = 1, err = find_address(text, &info, trouble);

	if (err)
		return err;
	fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes)) ||
	    bind(fd, info->ai_addr, info->ai_addrlen) || listen(fd, SOMAXCONN)) {
		err = -errno;
		trouble__set(trouble, err, "cannot listen at %.200s: %s%s", text, strerror(-err),
			     err == -EADDRINUSE ? "; choose another port" : "");
	}
	freeaddrinfo(info);
	if (err && fd >= 0)
		close(fd);
	*ret_fd = fd;
	return err;
}

/* Whoever does not ask for the older format alone gets the newer one. */
static bool wants_plain(struct MHD_Connection *connection)
{
	const char *accept = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Accept");

	return accept && !strstr(accept, "application/openmetrics-text") &&
	       strstr(accept, "text/plain");
}

static enum MHD_Result answer_text(struct MHD_Connection *connection, unsigned int code,
				   const char *text)
{
	struct MHD_Response *response =
		MHD_create_response_from_buffer(strlen(text), (void *)text,
						MHD_RESPMEM_PERSISTENT);
	enum MHD_Result result;

	if (!response)
		return MHD_NO;
	if (code == MHD_HTTP_METHOD_NOT_ALLOWED)
		MHD_add_response_header(response, "Allow", "GET, HEAD");
	result = MHD_queue_response(connection, code, response);
	MHD_destroy_response(response);
	return result;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection,
			      const char *url, const char *method, const char *version,
			      const char *upload, size_t *upload_size, void **state)
{
	struct http_server *server = context;
	bool get = !strcmp(method, MHD_HTTP_METHOD_GET);
	enum MHD_Result result;

	(void)version;
	(void)upload;
	(void)upload_size;
	(void)state;
	if (!get && strcmp(method, MHD_HTTP_METHOD_HEAD))
		return answer_text(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
				   "only GET and HEAD are answered\n");
	if (!strcmp(url, "/"))
		return answer_text(connection, MHD_HTTP_OK, "tierscope: see /metrics\n");
	if (strcmp(url, "/metrics"))
		return answer_text(connection, MHD_HTTP_NOT_FOUND, "there is only /metrics\n");
	pthread_mutex_lock(&server->lock);
	result = MHD_queue_response(connection, MHD_HTTP_OK,
				    wants_plain(connection) ? server->plain : server->open);
	if (result == MHD_YES && get)
		server->read = server->number;
	pthread_mutex_unlock(&server->lock);
	return result;
}

static struct MHD_Response *make_page(struct buf *text, const char *type)
{
	size_t size = text->size;
	char *data = buf__steal(text);
	struct MHD_Response *response;

	if (!data)
		data = alloc__string("");
	response = MHD_create_response_from_buffer(size, data, MHD_RESPMEM_MUST_FREE);
	if (response)
		MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
	else
		free(data);
	return response;
}

void http_server__publish(struct http_server *server, struct buf *open, struct buf *plain,
			  uint64_t number)
{
	struct MHD_Response *pages[2] = { make_page(open, OPEN_TYPE),
					  make_page(plain, PLAIN_TYPE) };
	struct MHD_Response *old[2] = { server->open, server->plain };

	if (!pages[0] || !pages[1]) {	/* no memory: the last ones stay */
		old[0] = pages[0];
		old[1] = pages[1];
	} else {
		pthread_mutex_lock(&server->lock);
		server->open = pages[0];
		server->plain = pages[1];
		server->number = number;
		pthread_mutex_unlock(&server->lock);
	}
	/* A client that is still reading one has it for itself. */
	for (int i = 0; i < 2; i++)
		if (old[i])
			MHD_destroy_response(old[i]);
}

uint64_t http_server__read(struct http_server *server)
{
	uint64_t number;

	pthread_mutex_lock(&server->lock);
	number = server->read;
	pthread_mutex_unlock(&server->lock);
	return number;
}

/* Signals are for the thread that records. */
static struct MHD_Daemon *start(struct http_server *server, int fd)
{
	struct MHD_Daemon *daemon;
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, answer, server,
				  MHD_OPTION_LISTEN_SOCKET, fd,
				  MHD_OPTION_CONNECTION_LIMIT, (unsigned int)HTTP_CONNECTIONS,
				  MHD_OPTION_CONNECTION_TIMEOUT, (unsigned int)HTTP_TIMEOUT_S,
				  MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)REQUEST_BYTES,
				  MHD_OPTION_END);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return daemon;
}

int http_server__new(const char *address, struct http_server **ret_server,
		     struct trouble *ret_trouble)
{
	struct buf open = BUF_INIT, plain = BUF_INIT;
	struct http_server *server;
	int fd, err = listen_at(address, &fd, ret_trouble);

	if (err)
		return err;
	server = alloc__zeroed(1, sizeof(*server));
	pthread_mutex_init(&server->lock, NULL);
	name_address(server, fd);
	buf__append_string(&open, "# EOF\n");	/* until there is more to say */
	http_server__publish(server, &open, &plain, 0);
	server->daemon = start(server, fd);
	if (!server->daemon) {
		close(fd);
		http_server__free(server);
		return trouble__set(ret_trouble, -ENOMEM, "cannot start a server at %.200s",
				    address);
	}
	*ret_server = server;
	return 0;
}

void http_server__free(struct http_server *server)
{
	if (!server)
		return;
	if (server->daemon)
		MHD_stop_daemon(server->daemon);
	if (server->open)
		MHD_destroy_response(server->open);
	if (server->plain)
		MHD_destroy_response(server->plain);
	pthread_mutex_destroy(&server->lock);
	free(server);
}

const char *http_server__address(const struct http_server *server)
{
	return server->address;
}

bool http_server__is_public(const struct http_server *server)
{
	return server->is_public;
}
