// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Reading a recording for a command.
#include "input.h"

#include "cli.h"

#include "../base/log.h"
#include "../recording/recording.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int input__read(const char *path, struct model *model, char note[INPUT_NOTE_BYTES])
{
	struct recording_result result = { 0 };
	int err = recording__read(path, model, &result);

	switch (err) {
	case 0:
		break;
	case -EBADMSG:
		log__error("%s: not a tierscope recording%s%s", path,
			   result.reason[0] ? ": " : "", result.reason);
		return EXIT_RECORDING;
	case -EPROTO:
		log__error("%s: written by a newer tierscope (format newer than %d); read it with that one",
			   path, RECORDING_FORMAT);
		return EXIT_RECORDING;
	case -ENODATA:
		log__error("%s: the recording is empty", path);
		return EXIT_RECORDING;
	default:
		log__error("%s: cannot read: %s", path, strerror(-err));
		return EXIT_RECORDING;
	}
	if (result.status == RECORDING_CUT) {
		snprintf(note, INPUT_NOTE_BYTES, "the recording was cut: %s; %llu of %llu bytes are shown",
			 result.reason, (unsigned long long)result.kept_bytes,
			 (unsigned long long)result.file_bytes);
		log__warn("%s: %s", path, note);
	}
	return EXIT_OK;
}
