/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A failure that a person can act on: what failed and what to do, one line.
 * Rooms fill it in beside a -Exxx return; only a command prints it.
 */
#ifndef TIERSCOPE_BASE_TROUBLE_H
#define TIERSCOPE_BASE_TROUBLE_H

struct trouble {
	char text[320];
};

/* Fills in the text, if trouble is not NULL, and returns err. */
int trouble__set(struct trouble *trouble, int err, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

#endif /* TIERSCOPE_BASE_TROUBLE_H */
