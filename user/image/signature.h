/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * A method's signature as the runtime's MethodLoadVerbose event spells it:
 *
 *   instance void  (int32,class System.String,value class Span`1<!0>&)
 */
#ifndef TIERSCOPE_IMAGE_SIGNATURE_H
#define TIERSCOPE_IMAGE_SIGNATURE_H

#include "../../metadata/metadata.h"

#include "../base/buf.h"

/* 0, or -EBADMSG: what was appended by then may be a part of it. */
int signature__append(struct buf *buf, const struct metadata *metadata,
		      struct cursor blob);

#endif /* TIERSCOPE_IMAGE_SIGNATURE_H */
