/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* A recorder without a kernel, and the model that it fills, anew for each test. */
#ifndef TIERSCOPE_TESTS_RECORDER_FIXTURE_H
#define TIERSCOPE_TESTS_RECORDER_FIXTURE_H

#include "../../user/recorder/internal.h"

static struct model *model;
static struct recorder *recorder;

static void begin_recorder(void)
{
	model = model__new();
	recorder = recorder__new(NULL, model);
}

static int tear_down(void **state)
{
	(void)state;
	recorder__free(recorder);
	model__free(model);
	return 0;
}

#endif /* TIERSCOPE_TESTS_RECORDER_FIXTURE_H */
