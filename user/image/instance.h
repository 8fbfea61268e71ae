/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * The instantiations of an image: each entry of its table begins with the
 * encoded method, a blob that says which generic method, of which type, with
 * which type arguments.
 */
#ifndef TIERSCOPE_IMAGE_INSTANCE_H
#define TIERSCOPE_IMAGE_INSTANCE_H

#include "../../metadata/cursor.h"

#include "../base/buf.h"

struct image;

/*
 * Moves behind the blob; `budget` counts down the elements that the caller
 * still allows.  ret_token is the MethodDef, 0 if it is none, and ret_module the number
 * of the module that it is one of.  0 or -EBADMSG.
 */
int instance__skip(struct cursor *cursor, uint32_t *budget, uint32_t *ret_token,
		   uint32_t *ret_module);

/*
 * The names of the instantiation whose blob `cursor` is at, in the four parts
 * of image__body_text.  -ENOENT when a part of it lies in the metadata of
 * another image that is not known.
 */
int instance__append_text(const struct image *image, struct cursor cursor,
			  struct buf *buf);

#endif /* TIERSCOPE_IMAGE_INSTANCE_H */
