/* SPDX-License-Identifier: GPL-2.0-only */
/* Copyright (c) 2026 The tierscope authors */
/*
 * Whose metadata a token in an encoded method belongs to: the image's own, or
 * that of an image it was compiled together with.
 */
#ifndef TIERSCOPE_IMAGE_MODULES_H
#define TIERSCOPE_IMAGE_MODULES_H

#include "../../metadata/metadata.h"

struct image;
struct r2r;

/* The module of the types that signatures have no token for, such as System.String. */
#define MODULES_CORE_LIBRARY UINT32_MAX
#define MODULES_CORE_NAME    "System.Private.CoreLib"

/* The number of an assembly of a composite image. */
uint32_t modules__of_component(uint32_t component);
/* The module is the image itself, or one of its components, as the core library may be. */
bool modules__is_within(const struct r2r *r2r, uint32_t module);
/* The metadata that a module number means; NULL when it is not known. */
const struct metadata *modules__metadata(const struct image *image, uint32_t module);
/* The simple name of the assembly that a module number means, or "": none, or not known
 * to be a component. */
const char *modules__name(const struct image *image, uint32_t module);

#endif /* TIERSCOPE_IMAGE_MODULES_H */
