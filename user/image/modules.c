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
 */
#include "modules.h"

#include "image_object.h"

const struct metadata *modules__metadata(const struct image *image, uint32_t module)
{
	if (!module)
		return &image->metadata;
	return NULL;
}

const char *modules__name(const struct image *image, uint32_t module)
{
	uint32_t own = image->metadata.tables[TABLE_ASSEMBLY_REF].count;

	if (!module)
		return image__assembly(image);
	if (module <= own)
		return metadata__string(&image->metadata, TABLE_ASSEMBLY_REF, module,
					ASSEMBLY_REF_NAME);
	return metadata__string(&image->manifest, TABLE_ASSEMBLY_REF, module - own - 1,
				ASSEMBLY_REF_NAME);
}
