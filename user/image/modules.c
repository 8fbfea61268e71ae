// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Module numbers (dotnet/runtime docs/design/coreclr/botr/
 * readytorun-format.md, "ManifestMetadata", R2R 6.3 and later); R rows in the
 * image's own AssemblyRef table:
 *
 *   0            the image itself
 *   1 ... R      that row of AssemblyRef
 *   R + 1        the manifest metadata itself
 *   R + 2 ...    rows 1 ... of the manifest's AssemblyRef
 *
 * A composite image has no AssemblyRefs of its own: R is 0, and the manifest's are its
 * component assemblies, in order.
 */
#include "modules.h"

#include "image_object.h"

#include <string.h>

#define FIRST_COMPONENT 2u

uint32_t modules__of_component(uint32_t component)
{
	return FIRST_COMPONENT + component;
}

bool modules__is_within(const struct r2r *r2r, uint32_t module)
{
	uint32_t components = r2r__components(r2r);

	if (!module || (module == MODULES_CORE_LIBRARY && components))
		return true;
	return module >= FIRST_COMPONENT && module - FIRST_COMPONENT < components;
}

/* The image that was given for a component is that very assembly. */
static bool is_component(const struct image *image, uint32_t number,
			 const struct image *component)
{
	const uint8_t *mvid = metadata__mvid(&component->metadata);
	struct cursor mvids = pe__cursor(&image->pe, image->r2r.mvids);
	const uint8_t *wanted;

	cursor__seek(&mvids, number * R2R_MVID_BYTES);
	wanted = cursor__take(&mvids, R2R_MVID_BYTES);
	return mvid && wanted && !memcmp(mvid, wanted, R2R_MVID_BYTES);
}

static const struct metadata *of_component(const struct image *image, uint32_t number)
{
	struct image *component = NULL;

	if (image->components && number < r2r__components(&image->r2r))
		component = image->components[number];
	if (!component || image__want_names(component))
		return NULL;
	if (!is_component(image, number, component)) {
		image__drop_names(component);
		return NULL;
	}
	return &component->metadata;
}

/* The number of the component that is the core library, or no component's. */
static uint32_t core_library(const struct image *image)
{
	uint32_t count = r2r__components(&image->r2r), i = 0;

	while (i < count && strcmp(modules__name(image, modules__of_component(i)),
				   MODULES_CORE_NAME))
		i++;
	return i;
}

const struct metadata *modules__metadata(const struct image *image, uint32_t module)
{
	bool composite = r2r__components(&image->r2r);

	if (!module)
		return &image->metadata;
	if (module == MODULES_CORE_LIBRARY && composite)
		return of_component(image, core_library(image));
	if (module == MODULES_CORE_LIBRARY)
		return metadata__is_assembly(&image->metadata, MODULES_CORE_NAME)
			       ? &image->metadata
			       : NULL;
	return composite && module >= FIRST_COMPONENT
		       ? of_component(image, module - FIRST_COMPONENT)
		       : NULL;
}

const char *modules__name(const struct image *image, uint32_t module)
{
	uint32_t own = r2r__components(&image->r2r) ?
		0 : image->metadata.tables[TABLE_ASSEMBLY_REF].count;

	if (!module)
		return metadata__string(&image->metadata, TABLE_ASSEMBLY, 1,
					ASSEMBLY_NAME);
	if (module == MODULES_CORE_LIBRARY)
		return core_library(image) < r2r__components(&image->r2r)
			       ? MODULES_CORE_NAME
			       : "";
	if (module <= own)
		return metadata__string(&image->metadata, TABLE_ASSEMBLY_REF, module,
					ASSEMBLY_REF_NAME);
	return metadata__string(&image->manifest, TABLE_ASSEMBLY_REF, module - own - 1,
				ASSEMBLY_REF_NAME);
}
