/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Private to the commands: reading a recording, and saying why it cannot be read. */
#ifndef TIERSCOPE_CLI_INPUT_H
#define TIERSCOPE_CLI_INPUT_H

#include "../model/model.h"

#define INPUT_NOTE_BYTES 320

/*
 * An enum exit_code; prints errors.  `note` says what is missing of a recording that was
 * cut, and is left alone else.
 */
int input__read(const char *path, struct model *model, char note[INPUT_NOTE_BYTES]);

#endif /* TIERSCOPE_CLI_INPUT_H */
