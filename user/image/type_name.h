/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Types as the runtime spells them where it names a type, in contrast to
 * signature.h, where it spells a method's signature:
 *
 *   NS.Outer+Inner`1[System.Int32[],System.__Canon]
 */
#ifndef TIERSCOPE_IMAGE_TYPE_NAME_H
#define TIERSCOPE_IMAGE_TYPE_NAME_H

#include "../../metadata/metadata.h"

#include "../base/buf.h"

struct image;

/* Appends a name of the metadata, reserved characters escaped by '\'. */
void type_name__append_escaped(struct buf *buf, const char *name);
/* 0, or -EBADMSG when the row does not exist or nesting has no end. */
int type_name__append_def(struct buf *buf, const struct metadata *metadata,
			  uint32_t row);
int type_name__append_ref(struct buf *buf, const struct metadata *metadata,
			  uint32_t row);

/* Decodes the types of an encoded method, one after the other. */
struct type_decoder {
	const struct image *image; /* NULL: skip only */
	struct cursor *cursor;
	struct buf *buf;  /* NULL: skip only */
	size_t limit;	  /* no more once buf is longer */
	uint32_t *budget; /* elements still allowed */
	uint32_t depth;
	/* Whose tokens they are, outside of a module override; 0 the image's. */
	uint32_t module;
	bool foreign; /* some type was another image's, unknown */
};

/*
 * Appends the next type.  ret_module (may be NULL): the module that defines
 * it, so that a method token that follows can be read.  0 or -EBADMSG.
 */
int type_name__decode(struct type_decoder *decoder, uint32_t *ret_module);

#endif /* TIERSCOPE_IMAGE_TYPE_NAME_H */
