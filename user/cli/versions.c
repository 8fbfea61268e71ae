// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// tierscope versions: the code-version tree.
#include "subject.h"

#include "../base/text.h"

const struct command versions_command = {
	"versions", "FILE | -p PID [METHOD] [OPTIONS]",
	"show each method's code versions, and which one calls reach", versions__run,
	SUBJECT_OPTIONS("recorded for a moment", SUBJECT_SECONDS)
	"  --top N              methods, those with most samples first (default 30, 0: all)\n",
};

static int write_tree(const struct model *model, const struct subject *subject,
		      struct buf *buf)
{
	if (subject->json)
		return view_versions__write_json(model, &subject->view, subject->method, buf);
	return view_versions__write(model, &subject->view, subject->method, buf);
}

static bool take_top(struct subject *subject, const char *value)
{
	uint64_t number;

	if (text__parse_number(value, 0, UINT32_MAX, &number))
		return false;
	subject->view.top = (uint32_t)number;
	return true;
}

int versions__run(int argc, char **argv)
{
	struct subject subject = { .command = &versions_command, .write = write_tree,
				   .view.top = 30, .own_option = "top",
				   .own_wants = "--top needs a number",
				   .take_own = take_top };

	return subject__run(&subject, argc, argv);
}
