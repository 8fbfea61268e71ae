/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/* Private to the room: what is known of the terminal's type, once terminal__check was asked. */
#ifndef TIERSCOPE_TERMINAL_TYPE_H
#define TIERSCOPE_TERMINAL_TYPE_H

#include <stddef.h>

/* What leaves the full screen, colours and the keyboard's mode; how many bytes, not more than
 * there is room for. */
size_t type__endings(char *sequence, size_t room);

#endif /* TIERSCOPE_TERMINAL_TYPE_H */
