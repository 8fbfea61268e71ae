/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Text that comes from a target is hostile: these make it safe to keep and to
 * show.
 */
#ifndef TIERSCOPE_BASE_TEXT_H
#define TIERSCOPE_BASE_TEXT_H

#include "buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes of the code point at data (size > 0), 0 when its first byte begins none. */
size_t text__decode(const char *data, size_t size, uint32_t *ret_code);
/* Appends valid UTF-8: each malformed byte becomes U+FFFD. */
void text__append_utf8(struct buf *buf, const char *data, size_t size);
/* Appends UTF-16 (little endian) as UTF-8; a lone surrogate becomes U+FFFD. */
void text__append_utf16(struct buf *buf, const void *data, size_t units);
/* Control characters (C0, DEL, C1), bidi controls, as \xNN or \u{NNNN}. */
void text__append_terminal(struct buf *buf, const char *utf8);
/* The inside of a JSON string; also escapes <, >, & and U+2028/9 as \uNNNN,
 * so that it may stand inside a <script> element. */
void text__append_json(struct buf *buf, const char *utf8);
void text__append_html(struct buf *buf, const char *utf8);

/* Of "/app/Shop.dll": "Shop", and its size in bytes. */
const char *text__module_name(const char *path, size_t *ret_size);

/* How much of valid UTF-8 fits into `most` bytes, cut between two characters. */
size_t text__cut(const char *utf8, size_t size, size_t most);

/* "10s", "250ms", "2m", "1h", "dd:hh:mm:ss", "10" (seconds).  0 or -EINVAL. */
int text__parse_duration(const char *text, uint64_t *ret_ns);
/* "4096", "100k", "64M", "2G", in powers of 1024; also in the other case.  0 or
 * -EINVAL. */
int text__parse_size(const char *text, uint64_t *ret_bytes);
/* A whole decimal number in [low, high].  0 or -EINVAL. */
int text__parse_number(const char *text, uint64_t low, uint64_t high,
		       uint64_t *ret_number);

#endif /* TIERSCOPE_BASE_TEXT_H */
