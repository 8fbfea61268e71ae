// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Prints what user/image reads in images, for the comparison with the runtime:
//
//   I <tab> path
//   B <tab> begin end token type method signature arguments
//
// in hex, one body per line.  A file that is no precompiled image is left out,
// a damaged one or a body without a name ends it.
#include "../../../user/image/image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int print_body(struct image *image, uint32_t number,
		      const struct image_body *body, struct buf *text)
{
	const char *part;
	int err;

	buf__clear(text);
	err = image__body_text(image, number, text);
	if (err)
		return err;
	printf("B\t%x\t%x\t%08x", body->begin, body->end, body->token);
	part = text->data;
	for (int i = 0; i < 4; i++) {
		printf("\t%s", part);
		part += strlen(part) + 1;
	}
	putchar('\n');
	return 0;
}

static int print_image(const char *path)
{
	const struct image_body *bodies;
	struct image *image = NULL;
	struct buf text = BUF_INIT;
	uint32_t count;
	int fd, err;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = image__open(fd, 0, NULL, &image);
	close(fd);
	if (err)
		return err == -ENODATA ? 0 : err;
	printf("I\t%s\n", path);
	count = image__bodies(image, &bodies);
	for (uint32_t i = 0; i < count && !err; i++)
		err = print_body(image, i, &bodies[i], &text);
	buf__free(&text);
	image__free(image);
	return err;
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		int err = print_image(argv[i]);

		if (err) {
			fprintf(stderr, "image_table: %s: %s\n", argv[i],
				strerror(-err));
			return 1;
		}
	}
	return 0;
}
