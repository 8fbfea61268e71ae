/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Writes fields of protocol buffers (wire types 0 and 2) at the end of a buf.
 * A message inside another is written into a buf of its own and then added as
 * bytes.  A number 0 and empty bytes are left out, as proto3 asks.
 */
#ifndef TIERSCOPE_VIEW_PROTOBUF_H
#define TIERSCOPE_VIEW_PROTOBUF_H

#include "../base/buf.h"

#include <stdint.h>

/* A bare varint, for packed fields. */
void protobuf__varint(struct buf *buf, uint64_t number);
/* uint64, int64 (cast), bool, enum. */
void protobuf__number(struct buf *buf, unsigned int field, uint64_t number);
/* string, bytes, a packed field. */
void protobuf__bytes(struct buf *buf, unsigned int field, const void *data,
		     size_t size);
/* The same, also when it is empty: an element of a repeated field. */
void protobuf__element(struct buf *buf, unsigned int field, const void *data,
		       size_t size);

#endif /* TIERSCOPE_VIEW_PROTOBUF_H */
