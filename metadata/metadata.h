/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/*
 * This room decodes the metadata of an assembly: for the loader, which has it from a file
 * or from a process's memory, and for the hook, which reads it in place.  Whatever the
 * bytes are, nothing beyond them is read.
 *
 * ECMA-335 metadata (partition II, 22 to 24): as much of its tables as the
 * name of a method needs.  Rows are numbered from 1, as in tokens.
 */
#ifndef TIERSCOPE_METADATA_METADATA_H
#define TIERSCOPE_METADATA_METADATA_H

#include "cursor.h"

#define METADATA_TABLES 0x2d

enum metadata_table {
	TABLE_MODULE = 0x00,
	TABLE_TYPE_REF = 0x01,
	TABLE_TYPE_DEF = 0x02,
	TABLE_METHOD_DEF = 0x06,
	TABLE_MEMBER_REF = 0x0a,
	TABLE_MODULE_REF = 0x1a,
	TABLE_TYPE_SPEC = 0x1b,
	TABLE_ASSEMBLY = 0x20,
	TABLE_ASSEMBLY_REF = 0x23,
	TABLE_NESTED_CLASS = 0x29,
};

/* Columns in use, by position in their table. */
enum metadata_column {
	MODULE_MVID = 2,
	TYPE_REF_SCOPE = 0, /* coded: ResolutionScope */
	TYPE_REF_NAME = 1,
	TYPE_REF_NAMESPACE = 2,
	TYPE_DEF_FLAGS = 0,
	TYPE_DEF_NAME = 1,
	TYPE_DEF_NAMESPACE = 2,
	TYPE_DEF_METHODS = 5, /* its first MethodDef */
	METHOD_DEF_IMPLEMENTATION = 1,
	METHOD_DEF_FLAGS = 2,
	METHOD_DEF_NAME = 3,
	METHOD_DEF_SIGNATURE = 4,
	MEMBER_REF_CLASS = 0, /* coded: MemberRefParent */
	MEMBER_REF_NAME = 1,
	MEMBER_REF_SIGNATURE = 2,
	TYPE_SPEC_SIGNATURE = 0,
	ASSEMBLY_NAME = 7,
	ASSEMBLY_REF_NAME = 6,
	NESTED_CLASS_NESTED = 0,
	NESTED_CLASS_ENCLOSING = 1,
};

/* In a TypeDef's flags (II.23.1.15): 0 and 1 are types that lie in no other. */
#define TYPE_DEF_VISIBILITY_MASK 7u
#define TYPE_DEF_NESTED		 2u /* and above */

#define METADATA_COLUMNS 9

struct metadata {
	struct cursor strings, blobs, guids; /* heaps */
	struct {
		const uint8_t *rows;
		uint32_t count;
		uint8_t row_size;
		uint8_t columns;
		uint8_t offset[METADATA_COLUMNS], width[METADATA_COLUMNS];
	} tables[METADATA_TABLES];
};

/* `root` covers exactly the metadata.  0 or -EBADMSG. */
int metadata__parse(struct cursor root, struct metadata *ret_metadata);

/* The value of a column; 0 when the row does not exist. */
uint32_t metadata__value(const struct metadata *metadata, enum metadata_table table,
			 uint32_t row, enum metadata_column column);
/* The string that a column names, NUL-ended; "" when there is none, or one of
 * more than 4 KB. */
const char *metadata__string(const struct metadata *metadata, enum metadata_table table,
			     uint32_t row, enum metadata_column column);
/* The same with its length, which holds though the bytes change meanwhile. */
const char *metadata__string_n(const struct metadata *metadata, enum metadata_table table,
			       uint32_t row, enum metadata_column column,
			       uint32_t *ret_length);
/* A cursor over the blob that a column names; `bad` when there is none. */
struct cursor metadata__blob(const struct metadata *metadata, enum metadata_table table,
			     uint32_t row, enum metadata_column column);
/* Whether that is the assembly's simple name; also while the bytes change. */
bool metadata__is_assembly(const struct metadata *metadata, const char *name);
const uint8_t *metadata__mvid(const struct metadata *metadata);

/* Row of the TypeDef that declares a MethodDef, 0 if none does. */
uint32_t metadata__type_of_method(const struct metadata *metadata, uint32_t method);
/* Row of the TypeDef around a nested one, 0 if it is not nested. */
uint32_t metadata__enclosing(const struct metadata *metadata, uint32_t type);

#endif /* TIERSCOPE_METADATA_METADATA_H */
