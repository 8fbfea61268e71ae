/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* What make_page's files share: short ways to fill a model. */
#ifndef TIERSCOPE_TESTS_MAKE_PAGE_H
#define TIERSCOPE_TESTS_MAKE_PAGE_H

#include "../../user/model/model.h"

#include <stdlib.h>

#define START	 5000000000000u /* CLOCK_MONOTONIC ns */
#define DURATION 12000000000u

struct maker {
	struct model *model;
	uint64_t seed;
	uint64_t next_address;
	uint32_t event;
};

uint64_t maker__random(struct maker *maker);
uint32_t maker__process(struct maker *maker, int pid, const char *comm,
			const char *cmdline);
/* Start, size, name and module are filled in. */
uint32_t maker__body(struct maker *maker, const struct model_body *given,
		     const char *name, const char *module);
/* Each returns the stack that is one frame longer. */
uint32_t maker__push_body(struct maker *maker, uint32_t stack, uint32_t body);
uint32_t maker__push_other(struct maker *maker, uint32_t stack, uint32_t kind,
			   const char *name, uint64_t address);
void maker__sample(struct maker *maker, uint32_t process, uint64_t time_ns,
		   uint32_t stack);
void maker__ledger(struct maker *maker, uint64_t lost, uint64_t not_delivered);

/* A web server under load, with so many samples: make_demo.c. */
void maker__demo(struct maker *maker, int pid, const char *comm, uint32_t samples);

#endif /* TIERSCOPE_TESTS_MAKE_PAGE_H */
