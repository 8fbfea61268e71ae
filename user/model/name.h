/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Names for people, out of the runtime's spellings:
 *
 *   NS.Gen`1[System.Int32]  Echo  instance !0  (!0,class System.String)
 *     -> NS.Gen<int>.Echo(!0, string)
 *   NS.C+<FetchAsync>d__3  MoveNext  instance void  ()
 *     -> NS.C.FetchAsync [async]
 *   NS.C+<>c  <Main>b__0_0  instance int32  (int32)
 *     -> NS.C.Main [lambda](int)
 */
#ifndef TIERSCOPE_MODEL_NAME_H
#define TIERSCOPE_MODEL_NAME_H

#include "../base/buf.h"

struct name_parts {
	const char *type;	/* runtime spelling, "" for none */
	const char *method;
	const char *signature;	/* runtime spelling */
	const char *arguments;	/* method type arguments, "" for none */
};

/* Appends the name; every input is valid UTF-8 but else hostile. */
void name__format(struct buf *buf, const struct name_parts *parts);

/* Short form of a tier for people: tier0, tier0-instr, tier1, osr, r2r ... */
const char *name__tier_short(unsigned int tier);
/* The runtime's word: QuickJitted, OptimizedTier1, ReadyToRun ... */
const char *name__tier(unsigned int tier);

/* What an entry cell is, and what it leads to: "precode", "call_counting" ... */
const char *name__cell(unsigned int kind);
const char *name__target(unsigned int target);
/* Where a thread's time goes: "running", "runnable", "futex" ... */
const char *name__state(unsigned int state);
/* How far an IL version is: "requested", "preparing", "ready". */
const char *name__il_state(unsigned int state);

/* Appends " [tier1 #2]" or " [osr@0x1a]". */
void name__append_version(struct buf *buf, unsigned int tier,
			  unsigned int rejit_id, unsigned int osr_il_offset);

#endif /* TIERSCOPE_MODEL_NAME_H */
