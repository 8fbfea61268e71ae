/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * How a stack is unwound through one RUNTIME_FUNCTION, from its UNWIND_INFO
 * and, for the one instruction that UNWIND_INFO does not tell, its code.
 */
#ifndef TIERSCOPE_IMAGE_UNWIND_INFO_H
#define TIERSCOPE_IMAGE_UNWIND_INFO_H

#include "../../metadata/cursor.h"

#include "../../abi/body.h"

enum unwind_role {
	UNWIND_ENTRY,	/* a method's own code */
	UNWIND_FUNCLET, /* a catch, finally or filter block of it */
	UNWIND_COLD,	/* a part that was moved away, runs in its frame */
};

/*
 * TS_SHAPE of one RUNTIME_FUNCTION.  `info` begins at its UNWIND_INFO, `code`
 * covers its instructions.  A shape that cannot be told is TS_FRAME_UNKNOWN.
 */
uint32_t unwind_info__shape(struct cursor info, struct cursor code,
			    enum unwind_role role);

/* RVA of the UNWIND_INFO that this one continues, 0 if it stands for itself. */
uint32_t unwind_info__chained(struct cursor info);

#endif /* TIERSCOPE_IMAGE_UNWIND_INFO_H */
