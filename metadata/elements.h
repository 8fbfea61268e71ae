/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* What a byte of an encoded type or signature says is there (ECMA-335 II.23.1.16). */
#ifndef TIERSCOPE_METADATA_ELEMENTS_H
#define TIERSCOPE_METADATA_ELEMENTS_H

enum element {
	ELEMENT_VOID = 0x01,
	ELEMENT_BOOLEAN = 0x02,
	ELEMENT_STRING = 0x0e,
	ELEMENT_PTR = 0x0f,
	ELEMENT_BYREF = 0x10,
	ELEMENT_VALUETYPE = 0x11,
	ELEMENT_CLASS = 0x12,
	ELEMENT_VAR = 0x13,
	ELEMENT_ARRAY = 0x14,
	ELEMENT_GENERICINST = 0x15,
	ELEMENT_TYPEDBYREF = 0x16,
	ELEMENT_I = 0x18,
	ELEMENT_U = 0x19,
	ELEMENT_FNPTR = 0x1b,
	ELEMENT_OBJECT = 0x1c,
	ELEMENT_SZARRAY = 0x1d,
	ELEMENT_MVAR = 0x1e,
	ELEMENT_CMOD_REQD = 0x1f,
	ELEMENT_CMOD_OPT = 0x20,
	ELEMENT_INTERNAL = 0x21, /* a type's address, in blobs made at run time */
	/* In images, by dotnet/runtime src/coreclr/vm/zapsig.cpp (v8 to v10). */
	ELEMENT_NATIVE_VALUETYPE = 0x3d,
	ELEMENT_CANON = 0x3e,
	ELEMENT_MODULE = 0x3f,
	ELEMENT_SENTINEL = 0x41,
	ELEMENT_PINNED = 0x45,
};

#endif /* TIERSCOPE_METADATA_ELEMENTS_H */
