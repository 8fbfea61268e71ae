/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* Which modules there are, and what is to become of their methods. */
#include "rejit.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct module modules[MODULES];
static struct change changes[CHANGES];
static uint32_t modules_count, changes_count;

/* ASCII alone: the tests' own names. */
static void read_name(module_id module, char *ret_name)
{
	uint16_t units[NAME_UNITS] = {0};
	uint32_t length = 0, at = 0;

	ret_name[0] = 0;
	if (FAILED(runtime_info->table->get_module_info2(
		    runtime_info, module, NULL, NAME_UNITS, &length, units, NULL, NULL)))
		return;
	for (uint32_t i = 0; i < NAME_UNITS - 1 && units[i]; i++) {
		ret_name[at++] = (char)units[i];
		if (units[i] == '/')
			at = 0;
	}
	ret_name[at] = 0;
}

static bool is_early(const char *module, uint32_t *ret_token)
{
	bool early = false;

	pthread_mutex_lock(&lock);
	for (uint32_t i = 0; i < changes_count; i++) {
		if (changes[i].early && !strcmp(changes[i].module, module)) {
			*ret_token = changes[i].token;
			early = true;
		}
	}
	pthread_mutex_unlock(&lock);
	return early;
}

void modules__add(module_id id)
{
	char name[NAME_UNITS];
	bool known = false; /* it came while they were enumerated */
	uint32_t token;

	read_name(id, name);
	pthread_mutex_lock(&lock);
	for (uint32_t i = 0; i < modules_count; i++)
		known |= modules[i].id == id;
	if (!known && modules_count == MODULES)
		give_up("too many modules");
	if (!known) {
		modules[modules_count].id = id;
		strcpy(modules[modules_count++].name, name);
	}
	pthread_mutex_unlock(&lock);
	if (!known && is_early(name, &token))
		tell("requested", 0, 0,
		     rejit_info->table->request_rejit(rejit_info, 1, &id, &token));
}

uint32_t modules__find(const char *name, module_id *ret_ids)
{
	uint32_t count = 0;

	pthread_mutex_lock(&lock);
	for (uint32_t i = 0; i < modules_count; i++) {
		if (!strcmp(modules[i].name, name))
			ret_ids[count++] = modules[i].id;
	}
	pthread_mutex_unlock(&lock);
	return count;
}

void changes__add(const struct change *change)
{
	pthread_mutex_lock(&lock);
	if (changes_count == CHANGES)
		give_up("too many changes");
	changes[changes_count++] = *change;
	pthread_mutex_unlock(&lock);
}

bool changes__find(module_id module, uint32_t token, struct change *ret_change)
{
	bool found = false;
	char name[NAME_UNITS];

	read_name(module, name);
	pthread_mutex_lock(&lock);
	for (uint32_t i = 0; i < changes_count; i++) {
		if (changes[i].token == token && !strcmp(changes[i].module, name)) {
			*ret_change = changes[i];
			found = true;
		}
	}
	pthread_mutex_unlock(&lock);
	return found;
}

static uint32_t copy(void *to, const void *from, size_t size, const uint32_t *count)
{
	uint32_t copied;

	pthread_mutex_lock(&lock);
	copied = *count;
	memcpy(to, from, copied * size);
	pthread_mutex_unlock(&lock);
	return copied;
}

uint32_t modules__copy(struct module ret_modules[MODULES])
{
	return copy(ret_modules, modules, sizeof(modules[0]), &modules_count);
}

uint32_t changes__copy(struct change ret_changes[CHANGES])
{
	return copy(ret_changes, changes, sizeof(changes[0]), &changes_count);
}
