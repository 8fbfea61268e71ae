// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What is shared with the hook, with the names that an image's metadata has: see signature.h.
#include "signature.h"

#include "../../abi/journal.h"
#include "../../metadata/signature.h"
#include "../base/text.h"

struct spelling {
	struct buf *buf;
	size_t start; /* of the signature in buf */
	const struct metadata *metadata;
};

static bool append(void *context, const char *bytes, size_t size)
{
	struct spelling *spelling = context;

	buf__append(spelling->buf, bytes, size);
	return spelling->buf->size - spelling->start <= TS_TEXT_MAX;
}

static void append_name(struct buf *buf, const char *space, const char *name)
{
	if (*space) {
		text__append_utf8(buf, space, strlen(space));
		buf__append_char(buf, '.');
	}
	text__append_utf8(buf, name, strlen(name));
}

static void append_type(void *context, uint32_t token)
{
	struct spelling *spelling = context;
	const struct metadata *metadata = spelling->metadata;
	uint32_t row = token & 0xffffff;

	if (token >> 24 == TABLE_TYPE_DEF)
		append_name(spelling->buf,
			    metadata__string(metadata, TABLE_TYPE_DEF, row, TYPE_DEF_NAMESPACE),
			    metadata__string(metadata, TABLE_TYPE_DEF, row, TYPE_DEF_NAME));
	else
		append_name(spelling->buf,
			    metadata__string(metadata, TABLE_TYPE_REF, row, TYPE_REF_NAMESPACE),
			    metadata__string(metadata, TABLE_TYPE_REF, row, TYPE_REF_NAME));
}

static struct cursor type_spec(void *context, uint32_t row)
{
	struct spelling *spelling = context;

	return metadata__blob(spelling->metadata, TABLE_TYPE_SPEC, row, TYPE_SPEC_SIGNATURE);
}

int signature__append(struct buf *buf, const struct metadata *metadata, struct cursor blob)
{
	struct spelling spelling = {buf, buf->size, metadata};

	return signature__spell(blob, &(struct signature_sink){.context = &spelling,
							       .append = append,
							       .append_type = append_type,
							       .type_spec = type_spec});
}
