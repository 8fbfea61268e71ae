// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
// Copyright (c) 2026 The tierscope authors
/*
 * Where a row lies depends on the width of every column of every table before
 * it, and these on the number of rows and the sizes of heaps.  So the schema
 * of all tables stands here, though few of them are read.
 */
#include "metadata.h"

#include <errno.h>
#include <stddef.h>

#define ROOT_SIGNATURE	0x424a5342 /* "BSJB" */
#define STREAMS_MAX	16
#define STREAM_NAME_MAX 32
#define STRING_MAX	4096	 /* the runtime stops at 1,024 */
#define ROWS_MAX	0xffffff /* a token has 24 bits for them */

#define WIDE_STRINGS 0x01 /* HeapSizes */
#define WIDE_GUIDS   0x02
#define WIDE_BLOBS   0x04
#define EXTRA_DATA   0x40

/*
 * One character per column: 2 and 4 bytes; s, g, b an index into a heap; t and
 * a table number in hex, an index into it; a capital, a coded index.
 */
static const char *const schema[METADATA_TABLES] = {
	[0x00] = "2sggg",      /* Module */
	[0x01] = "Sss",	       /* TypeRef */
	[0x02] = "4ssTt04t06", /* TypeDef */
	[0x03] = "t04",	       /* FieldPtr */
	[0x04] = "2sb",	       /* Field */
	[0x05] = "t06",	       /* MethodPtr */
	[0x06] = "422sbt08",   /* MethodDef */
	[0x07] = "t08",	       /* ParamPtr */
	[0x08] = "22s",	       /* Param */
	[0x09] = "t02T",       /* InterfaceImpl */
	[0x0a] = "Rsb",	       /* MemberRef */
	[0x0b] = "2Cb",	       /* Constant */
	[0x0c] = "AUb",	       /* CustomAttribute */
	[0x0d] = "Fb",	       /* FieldMarshal */
	[0x0e] = "2Db",	       /* DeclSecurity */
	[0x0f] = "24t02",      /* ClassLayout */
	[0x10] = "4t04",       /* FieldLayout */
	[0x11] = "b",	       /* StandAloneSig */
	[0x12] = "t02t14",     /* EventMap */
	[0x13] = "t14",	       /* EventPtr */
	[0x14] = "2sT",	       /* Event */
	[0x15] = "t02t17",     /* PropertyMap */
	[0x16] = "t17",	       /* PropertyPtr */
	[0x17] = "2sb",	       /* Property */
	[0x18] = "2t06H",      /* MethodSemantics */
	[0x19] = "t02MM",      /* MethodImpl */
	[0x1a] = "s",	       /* ModuleRef */
	[0x1b] = "b",	       /* TypeSpec */
	[0x1c] = "2Wst1a",     /* ImplMap */
	[0x1d] = "4t04",       /* FieldRVA */
	[0x1e] = "44",	       /* ENCLog */
	[0x1f] = "4",	       /* ENCMap */
	[0x20] = "422224bss",  /* Assembly */
	[0x21] = "4",	       /* AssemblyProcessor */
	[0x22] = "444",	       /* AssemblyOS */
	[0x23] = "22224bssb",  /* AssemblyRef */
	[0x24] = "4t23",       /* AssemblyRefProcessor */
	[0x25] = "444t23",     /* AssemblyRefOS */
	[0x26] = "4sb",	       /* File */
	[0x27] = "44ssI",      /* ExportedType */
	[0x28] = "44sI",       /* ManifestResource */
	[0x29] = "t02t02",     /* NestedClass */
	[0x2a] = "22Os",       /* GenericParam */
	[0x2b] = "Mb",	       /* MethodSpec */
	[0x2c] = "t2aT",       /* GenericParamConstraint */
};

/* II.24.2.6: the tag takes `bits`, the row number the rest. */
struct coded_index {
	char letter;
	uint8_t bits;
	const char *tables; /* two hex digits each */
};

static const struct coded_index coded_indexes[] = {
	{'T', 2, "02011b"}, /* TypeDefOrRef */
	{'C', 2, "040817"}, /* HasConstant */
	/* HasCustomAttribute */
	{'A', 5, "0604010208090a000e1714111a1b20232627282a2c2b"},
	{'F', 1, "0408"},	/* HasFieldMarshal */
	{'D', 2, "020620"},	/* HasDeclSecurity */
	{'R', 3, "02011a061b"}, /* MemberRefParent */
	{'H', 1, "1417"},	/* HasSemantics */
	{'M', 1, "060a"},	/* MethodDefOrRef */
	{'W', 1, "0406"},	/* MemberForwarded */
	{'I', 2, "262327"},	/* Implementation */
	{'U', 3, "060a"},	/* CustomAttributeType */
	{'S', 2, "001a2301"},	/* ResolutionScope */
	{'O', 1, "0206"},	/* TypeOrMethodDef */
};

static uint32_t hex_digit(char digit)
{
	return (uint32_t)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
}

static uint32_t table_number(const char *digits)
{
	return hex_digit(digits[0]) << 4 | hex_digit(digits[1]);
}

static uint8_t coded_width(const struct metadata *metadata, char letter)
{
	for (size_t i = 0; i < sizeof(coded_indexes) / sizeof(coded_indexes[0]); i++) {
		const struct coded_index *coded = &coded_indexes[i];

		if (coded->letter != letter)
			continue;
		for (const char *at = coded->tables; *at; at += 2)
			if (metadata->tables[table_number(at)].count >=
			    1u << (16 - coded->bits))
				return 4;
		return 2;
	}
	return 0; /* not reached: the schema has no other letters */
}

static uint8_t column_width(const struct metadata *metadata, const char **at,
			    uint8_t heaps)
{
	char kind = *(*at)++;
	uint32_t table;

	switch (kind) {
	case '2':
		return 2;
	case '4':
		return 4;
	case 's':
		return heaps & WIDE_STRINGS ? 4 : 2;
	case 'g':
		return heaps & WIDE_GUIDS ? 4 : 2;
	case 'b':
		return heaps & WIDE_BLOBS ? 4 : 2;
	case 't':
		table = table_number(*at);
		*at += 2;
		return metadata->tables[table].count > 0xffff ? 4 : 2;
	default:
		return coded_width(metadata, kind);
	}
}

static void lay_out_table(struct metadata *metadata, uint32_t table, uint8_t heaps)
{
	const char *at = schema[table];
	uint8_t offset = 0, column = 0;

	while (*at) {
		uint8_t width = column_width(metadata, &at, heaps);

		metadata->tables[table].offset[column] = offset;
		metadata->tables[table].width[column] = width;
		offset += width;
		column++;
	}
	metadata->tables[table].columns = column;
	metadata->tables[table].row_size = offset;
}

static int parse_tables(struct metadata *metadata, struct cursor stream)
{
	uint64_t present;
	uint8_t heaps;

	cursor__take(&stream, 6);
	heaps = cursor__u8(&stream);
	cursor__u8(&stream);
	present = cursor__u64(&stream);
	cursor__take(&stream, 8);
	if (present >> METADATA_TABLES)
		return -EBADMSG; /* a table of unknown width */
	for (uint32_t i = 0; i < METADATA_TABLES; i++) {
		if (present >> i & 1)
			metadata->tables[i].count = cursor__u32(&stream);
		if (metadata->tables[i].count > ROWS_MAX)
			return -EBADMSG;
	}
	if (heaps & EXTRA_DATA)
		cursor__u32(&stream);
	for (uint32_t i = 0; i < METADATA_TABLES; i++) {
		uint64_t bytes;

		lay_out_table(metadata, i, heaps);
		bytes = (uint64_t)metadata->tables[i].count *
			metadata->tables[i].row_size;
		if (bytes > cursor__left(&stream))
			return -EBADMSG;
		metadata->tables[i].rows = cursor__take(&stream, (uint32_t)bytes);
	}
	return stream.bad ? -EBADMSG : 0;
}

/* Stream names are NUL-ended and padded to 4 bytes. */
static void read_stream_name(struct cursor *cursor, char name[STREAM_NAME_MAX + 1])
{
	uint32_t length = 0;

	memset(name, 0, STREAM_NAME_MAX + 1);
	do {
		const uint8_t *word = cursor__take(cursor, 4);

		if (!word || length >= STREAM_NAME_MAX) {
			cursor->bad = true;
			return;
		}
		memcpy(name + length, word, 4);
		length += 4;
	} while (name[length - 1]);
}

int metadata__parse(struct cursor root, struct metadata *ret_metadata)
{
	struct cursor tables = {.bad = true};
	uint32_t version, streams;

	memset(ret_metadata, 0, sizeof(*ret_metadata));
	if (cursor__u32(&root) != ROOT_SIGNATURE)
		return -EBADMSG;
	cursor__take(&root, 8);
	version = cursor__u32(&root);
	cursor__take(&root, version);
	cursor__u16(&root);
	streams = cursor__u16(&root);
	if (root.bad || streams > STREAMS_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < streams; i++) {
		uint32_t offset = cursor__u32(&root), size = cursor__u32(&root);
		char name[STREAM_NAME_MAX + 1];
		struct cursor stream;

		read_stream_name(&root, name);
		if (root.bad || offset > root.size || size > root.size - offset)
			return -EBADMSG;
		stream = cursor__of(root.data + offset, size);
		if (!strcmp(name, "#~"))
			tables = stream;
		else if (!strcmp(name, "#Strings"))
			ret_metadata->strings = stream;
		else if (!strcmp(name, "#Blob"))
			ret_metadata->blobs = stream;
		else if (!strcmp(name, "#GUID"))
			ret_metadata->guids = stream;
	}
	return parse_tables(ret_metadata, tables);
}

uint32_t metadata__value(const struct metadata *metadata, enum metadata_table table,
			 uint32_t row, enum metadata_column column)
{
	uint32_t row_size = metadata->tables[table].row_size;
	uint32_t width = metadata->tables[table].width[column];
	struct cursor cursor;

	if (!row || row > metadata->tables[table].count)
		return 0;
	cursor = cursor__of(metadata->tables[table].rows + (size_t)(row - 1) * row_size,
			    row_size);
	cursor__seek(&cursor, metadata->tables[table].offset[column]);
	return width == 4 ? cursor__u32(&cursor) : cursor__u16(&cursor);
}

const char *metadata__string_n(const struct metadata *metadata, enum metadata_table table,
			       uint32_t row, enum metadata_column column,
			       uint32_t *ret_length)
{
	uint32_t at = metadata__value(metadata, table, row, column);
	const struct cursor *heap = &metadata->strings;
	const uint8_t *string, *end;
	uint32_t longest;

	*ret_length = 0;
	if (!at || at >= heap->size)
		return "";
	string = heap->data + at;
	longest = heap->size - at < STRING_MAX ? heap->size - at : STRING_MAX;
	end = memchr(string, 0, longest);
	if (!end)
		return "";
	*ret_length = (uint32_t)(end - string);
	return (const char *)string;
}

const char *metadata__string(const struct metadata *metadata, enum metadata_table table,
			     uint32_t row, enum metadata_column column)
{
	uint32_t length;

	return metadata__string_n(metadata, table, row, column, &length);
}

struct cursor metadata__blob(const struct metadata *metadata, enum metadata_table table,
			     uint32_t row, enum metadata_column column)
{
	struct cursor heap = metadata->blobs, blob = {.bad = true};
	const uint8_t *bytes;
	uint32_t size;

	cursor__seek(&heap, metadata__value(metadata, table, row, column));
	size = cursor__compressed(&heap);
	bytes = cursor__take(&heap, size);
	return bytes ? cursor__of(bytes, size) : blob;
}

bool metadata__is_assembly(const struct metadata *metadata, const char *name)
{
	struct cursor strings = metadata->strings;
	const uint8_t *bytes;

	cursor__seek(&strings, metadata__value(metadata, TABLE_ASSEMBLY, 1, ASSEMBLY_NAME));
	bytes = cursor__take(&strings, (uint32_t)strlen(name) + 1);
	return bytes && !memcmp(bytes, name, strlen(name) + 1);
}

const uint8_t *metadata__mvid(const struct metadata *metadata)
{
	uint32_t number = metadata__value(metadata, TABLE_MODULE, 1, MODULE_MVID);
	struct cursor heap = metadata->guids;

	if (!number)
		return NULL;
	cursor__seek(&heap, ((uint64_t)number - 1) * 16);
	return cursor__take(&heap, 16);
}

/*
 * TypeDefs own consecutive runs of MethodDefs, in order: the last one that
 * begins at or before `method`.  In a table that is not in order, which only a
 * damaged file has, this finds some row or none.
 */
uint32_t metadata__type_of_method(const struct metadata *metadata, uint32_t method)
{
	uint32_t low = 0, high = metadata->tables[TABLE_TYPE_DEF].count;

	if (!method || method > metadata->tables[TABLE_METHOD_DEF].count)
		return 0;
	while (low < high) {
		uint32_t middle = low + (high - low + 1) / 2;

		if (metadata__value(metadata, TABLE_TYPE_DEF, middle,
				    TYPE_DEF_METHODS) <= method)
			low = middle;
		else
			high = middle - 1;
	}
	return low;
}

uint32_t metadata__enclosing(const struct metadata *metadata, uint32_t type)
{
	uint32_t low = 1, high = metadata->tables[TABLE_NESTED_CLASS].count;

	while (low <= high) {
		uint32_t middle = low + (high - low) / 2;
		uint32_t nested = metadata__value(metadata, TABLE_NESTED_CLASS, middle,
						  NESTED_CLASS_NESTED);

		if (nested == type)
			return metadata__value(metadata, TABLE_NESTED_CLASS, middle,
					       NESTED_CLASS_ENCLOSING);
		if (nested < type)
			low = middle + 1;
		else
			high = middle - 1;
	}
	return 0;
}
