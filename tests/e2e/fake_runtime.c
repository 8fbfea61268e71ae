// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Plays a .NET runtime cheaply, so that a test can start fifty: listens on a
 * diagnostics socket, calls itself .NET 10.0.12, and takes a profiler by loading
 * the library for real and leaving an empty journal as the hook does.
 *
 *   fake_runtime takes             does all that
 *   fake_runtime refuses HRESULT   answers an attach with that
 *   fake_runtime ends              ends when it is asked to attach
 *   fake_runtime maps FILE...      takes, and has these files mapped
 *
 * Prints one line when it listens.  TMPDIR says where, /tmp by default.
 */
#include "../../abi/journal.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MAGIC "DOTNET_IPC_V1"
#define HEADER_BYTES 20
#define JOURNAL_BYTES 65536u

static void give_up(const char *what)
{
	perror(what);
	exit(1);
}

/* Field 22 of stat, which the name of the socket needs. */
static unsigned long long start_ticks(void)
{
	char line[4096], *at;
	FILE *file = fopen("/proc/self/stat", "r");

	if (!file || !fgets(line, sizeof(line), file))
		give_up("/proc/self/stat");
	fclose(file);
	at = strrchr(line, ')');
	for (int field = 2; field < 22 && at; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}

static int listen_on_socket(void)
{
	const char *folder = getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp";
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path),
		 "%.40s/dotnet-diagnostic-%d-%llu-socket", folder, (int)getpid(),
		 start_ticks());
	unlink(address.sun_path);
	if (bind(server, (struct sockaddr *)&address, sizeof(address)) || listen(server, 8))
		give_up(address.sun_path);
	return server;
}

static void leave_journal(void)
{
	int fd = memfd_create(TS_JOURNAL_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);
	const uint32_t text = TS_JOURNAL_RECORDS_OFFSET + 16 * sizeof(struct ts_journal_record);
	struct ts_journal_header *header;

	if (ftruncate(fd, JOURNAL_BYTES))
		give_up("memfd");
	header = mmap(NULL, JOURNAL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (header == MAP_FAILED)
		give_up("memfd");
	*header = (struct ts_journal_header){
		.magic = TS_JOURNAL_MAGIC, .layout = TS_JOURNAL_LAYOUT,
		.header_bytes = sizeof(*header), .total_bytes = JOURNAL_BYTES,
		.record_bytes = sizeof(struct ts_journal_record), .records_capacity = 16,
		.records_offset = TS_JOURNAL_RECORDS_OFFSET, .text_offset = text,
		.text_capacity = JOURNAL_BYTES - text, .precompiled_offset = JOURNAL_BYTES,
		.pid = (uint32_t)getpid(), .journal_fd = fd, .state = TS_HOOK_LIVE,
		.attached = 1, .runtime_major = 10, .hook_version = "fake",
	};
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW);
}

/* The path in an attach request: u32 time-out, CLSID, u32 units, UTF-16. */
static uint32_t attach(const unsigned char *payload, size_t size)
{
	char path[1024] = "";
	uint32_t units;

	if (size < 24)
		return 0x80131384;
	memcpy(&units, payload + 20, sizeof(units));
	for (uint32_t i = 0; i < units && i < sizeof(path) - 1 && 24 + 2 * i < size; i++)
		path[i] = (char)payload[24 + 2 * i];
	if (!dlopen(path, RTLD_NOW)) {
		fprintf(stderr, "%s\n", dlerror());
		return 0x8007007e;
	}
	leave_journal();
	return 0;
}

static size_t append_string(unsigned char *to, const char *text)
{
	uint32_t units = (uint32_t)strlen(text) + 1;

	memcpy(to, &units, sizeof(units));
	for (uint32_t i = 0; i < units; i++) {
		to[4 + 2 * i] = (unsigned char)text[i];
		to[5 + 2 * i] = 0;
	}
	return sizeof(units) + 2 * units;
}

static void reply(int client, uint8_t id, const void *payload, size_t size)
{
	unsigned char message[1024] = MAGIC;

	message[14] = (unsigned char)(HEADER_BYTES + size);
	message[15] = (unsigned char)((HEADER_BYTES + size) >> 8);
	message[16] = 0xff;
	message[17] = id;
	memcpy(message + HEADER_BYTES, payload, size);
	(void)!send(client, message, HEADER_BYTES + size, MSG_NOSIGNAL);
}

static void answer(int client, const char *mode, uint32_t refusal)
{
	unsigned char request[4096], info[512] = { 1 };
	ssize_t size = recv(client, request, sizeof(request), 0);
	uint32_t result = refusal;
	size_t used = 28;		/* version, pid, cookie */

	if (size < HEADER_BYTES)
		return;			/* somebody only looked whether we are here */
	if (request[16] == 0x03 && !strcmp(mode, "ends"))
		exit(0);
	if (request[16] == 0x03) {
		if (!result)
			result = attach(request + HEADER_BYTES, (size_t)size - HEADER_BYTES);
		reply(client, result ? 0xff : 0, &result, sizeof(result));
		return;
	}
	for (int i = 0; i < 5; i++)
		used += append_string(info + used, "10.0.12");
	reply(client, 0, info, used);
}

static void map_file(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		give_up(path);
	close(fd);
}

int main(int argc, char **argv)
{
	const char *mode = argc > 1 ? argv[1] : "takes";
	uint32_t refusal = 0;
	int server;

	if (!strcmp(mode, "refuses") && argc > 2)
		refusal = (uint32_t)strtoul(argv[2], NULL, 16);
	for (int i = 2; !strcmp(mode, "maps") && i < argc; i++)
		map_file(argv[i]);
	server = listen_on_socket();
	puts("fake_runtime: listens");
	fflush(stdout);
	for (;;) {
		int client = accept(server, NULL, NULL);

		if (client < 0)
			give_up("accept");
		answer(client, mode, refusal);
		close(client);
	}
}
