/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copyright (c) 2026 The tierscope authors */
/* What is shared with the loader, into a buffer that can be full: see signature.h. */
#include "signature.h"

#include "../metadata/signature.h"

struct spelling {
	struct name *name;
	signature_type append_type;
	void *context;
};

static bool append(void *context, const char *bytes, size_t size)
{
	struct spelling *spelling = context;

	name__append(spelling->name, bytes, size);
	return !spelling->name->cut;
}

static void append_type(void *context, uint32_t token)
{
	struct spelling *spelling = context;

	spelling->append_type(spelling->context, token, spelling->name);
}

int signature__append(const uint8_t *blob, size_t size, signature_type append_type_name,
		      void *context, struct name *name)
{
	struct spelling spelling = {name, append_type_name, context};

	return signature__spell(cursor__of(blob, (uint32_t)size),
				&(struct signature_sink){.context = &spelling,
							 .append = append,
							 .append_type = append_type});
}
