// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * An encoded method (dotnet/runtime docs/design/coreclr/botr/
 * readytorun-format.md, "Method Signatures"; v8 to v10):
 *
 *   flags
 *   module           UPDATE_CONTEXT: whose tokens the whole blob uses
 *   owner type       OWNER_TYPE
 *   token            MethodDef, or MemberRef: MEMBER_REF, without its table;
 *                    of the blob's module, else of the owner type's
 *   count, types     METHOD_INSTANTIATION
 *   type             CONSTRAINED
 */
#include "instance.h"

#include "image_object.h"
#include "modules.h"
#include "signature.h"
#include "type_name.h"

#include "../../abi/journal.h"
#include "../base/text.h"

#include <errno.h>

#define METHOD_INSTANTIATION  0x04
#define SLOT_INSTEAD_OF_TOKEN 0x08
#define MEMBER_REF	      0x10
#define CONSTRAINED	      0x20
#define OWNER_TYPE	      0x40
#define UPDATE_CONTEXT	      0x80
/* Also: unboxing and instantiating stub, async variant; none changes the rest. */
#define FLAGS_KNOWN	 0x1ff
#define TOKEN_METHOD_DEF 0x06000000u
#define TOKEN_ROW_MAX	 0xffffffu
#define TEXT_BUDGET	 4096 /* elements of one name */

struct encoded {
	uint32_t flags, row;
	uint32_t module; /* whose token `row` is */
};

/*
 * Decodes all of it.  The owner type goes to decoder->buf; `arguments` (may be
 * NULL) takes the method's type arguments.
 */
static int decode(struct type_decoder *decoder, struct buf *arguments,
		  struct encoded *ret_encoded)
{
	struct cursor *cursor = decoder->cursor;
	struct encoded encoded = {.flags = cursor__compressed(cursor)};
	uint32_t count = 0;
	int err = 0;

	if (encoded.flags & ~FLAGS_KNOWN || encoded.flags & SLOT_INSTEAD_OF_TOKEN)
		return -EBADMSG;
	if (encoded.flags & UPDATE_CONTEXT)
		decoder->module = cursor__compressed(cursor);
	encoded.module = decoder->module;
	if (encoded.flags & OWNER_TYPE)
		err = type_name__decode(decoder, encoded.flags & UPDATE_CONTEXT
							 ? NULL
							 : &encoded.module);
	encoded.row = cursor__compressed(cursor);
	if (encoded.flags & METHOD_INSTANTIATION)
		count = cursor__compressed(cursor);
	decoder->buf = arguments;
	for (uint32_t i = 0; i < count && !err; i++) {
		if (i && arguments)
			buf__append_char(arguments, ',');
		err = type_name__decode(decoder, NULL);
	}
	decoder->buf = NULL;
	if (!err && encoded.flags & CONSTRAINED)
		err = type_name__decode(decoder, NULL);
	if (err || cursor->bad || encoded.row > TOKEN_ROW_MAX)
		return -EBADMSG;
	*ret_encoded = encoded;
	return 0;
}

int instance__skip(struct cursor *cursor, uint32_t *budget, uint32_t *ret_token,
		   uint32_t *ret_module)
{
	struct type_decoder decoder = {.cursor = cursor, .budget = budget};
	struct encoded encoded;
	int err = decode(&decoder, NULL, &encoded);

	if (err)
		return err;
	*ret_token = !(encoded.flags & MEMBER_REF) && encoded.row
			     ? TOKEN_METHOD_DEF | encoded.row
			     : 0;
	*ret_module = encoded.module;
	return 0;
}

/* The declaring type where the blob does not give it. */
static int append_declaring_type(const struct metadata *metadata,
				 const struct encoded *encoded, struct buf *buf)
{
	uint32_t parent;

	if (!(encoded->flags & MEMBER_REF))
		return type_name__append_def(buf, metadata,
					     metadata__type_of_method(metadata,
								      encoded->row));
	parent = metadata__value(metadata, TABLE_MEMBER_REF, encoded->row,
				 MEMBER_REF_CLASS);
	if ((parent & 7) == 0)
		return type_name__append_def(buf, metadata, parent >> 3);
	if ((parent & 7) == 1)
		return type_name__append_ref(buf, metadata, parent >> 3);
	return -ENOENT;
}

static int append_method(const struct metadata *metadata, const struct encoded *encoded,
			 struct buf *buf)
{
	bool is_ref = encoded->flags & MEMBER_REF;
	enum metadata_table table = is_ref ? TABLE_MEMBER_REF : TABLE_METHOD_DEF;
	const char *name = metadata__string(metadata, table, encoded->row,
					    is_ref ? MEMBER_REF_NAME : METHOD_DEF_NAME);
	struct cursor blob =
		metadata__blob(metadata, table, encoded->row,
			       is_ref ? MEMBER_REF_SIGNATURE : METHOD_DEF_SIGNATURE);

	text__append_utf8(buf, name, strlen(name));
	buf__append_char(buf, 0);
	return signature__append(buf, metadata, blob);
}

int instance__append_text(const struct image *image, struct cursor cursor,
			  struct buf *buf)
{
	uint32_t budget = TEXT_BUDGET;
	struct buf arguments = BUF_INIT;
	struct type_decoder decoder = {
		.image = image,
		.cursor = &cursor,
		.buf = buf,
		.limit = buf->size + TS_TEXT_MAX,
		.budget = &budget,
	};
	const struct metadata *metadata;
	struct encoded encoded;
	int err;

	err = decode(&decoder, &arguments, &encoded);
	if (err)
		goto out;
	metadata = modules__metadata(image, encoded.module);
	err = -ENOENT;
	if (!metadata || decoder.foreign)
		goto out;
	if (!(encoded.flags & OWNER_TYPE)) {
		err = append_declaring_type(metadata, &encoded, buf);
		if (err)
			goto out;
	}
	buf__append_char(buf, 0);
	err = append_method(metadata, &encoded, buf);
	if (err)
		goto out;
	buf__append_char(buf, 0);
	if (arguments.size)
		buf__append(buf, arguments.data, arguments.size);
	buf__append_char(buf, 0);
out:
	buf__free(&arguments);
	return err;
}
