/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Tells from the first bytes of a code body how a stack is unwound through it
 * (TS_SHAPE in abi/body.h).  Pure: reads only the bytes it is given.
 */
#ifndef TIERSCOPE_HOOK_SHAPE_H
#define TIERSCOPE_HOOK_SHAPE_H

#include <stddef.h>
#include <stdint.h>

/* Enough for eight pushes, a stack probe and the frame set-up. */
#define SHAPE_BYTES 96

/* Why no call of the OSR decoder guesses the tier-0 frame: it lies elsewhere. */
#define SHAPE_FRAME_UNKNOWN UINT32_MAX

/*
 * The shape of an ordinary body.  `ret_frame_bytes` (may be NULL) receives what
 * the prolog takes from the stack, saved registers included, return address
 * not, or SHAPE_FRAME_UNKNOWN.
 */
uint32_t shape__decode(const uint8_t *code, size_t size, uint32_t *ret_frame_bytes);

/*
 * The shape of an OSR body, which is entered with the tier-0 body's frame still
 * on the stack: tier0_frame_bytes of it, saved registers included.
 */
uint32_t shape__decode_osr(const uint8_t *code, size_t size,
			   uint32_t tier0_frame_bytes);

#endif /* TIERSCOPE_HOOK_SHAPE_H */
