// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Layout: dotnet/runtime docs/design/coreclr/botr/readytorun-format.md and
 * src/coreclr/inc/readytorun.h.
 *
 *   entry points ──► row 17   main            ┐
 *                    row 18     catch block   │ one body
 *                    row 19     finally block ┘
 *   entry points ──► row 20   main            ─ the next one
 *
 * A composite image holds the code of several assemblies.  Each has a core header with
 * entry points of its own; the rows and the generic instantiations are common to all.
 *
 * What follows an entry point up to the next one belongs to it.  When a
 * compiler split methods into hot and cold parts, the hot/cold map gives the
 * owner of each first cold row; a cold part is a body of its own, with the
 * token and the name of its method.
 */
#include "r2r.h"

#include "instance.h"
#include "modules.h"
#include "native_format.h"
#include "unwind_info.h"

#include "../base/alloc.h"

#include <errno.h>
#include <stdlib.h>

#define SIGNATURE	 0x00525452 /* "RTR\0" */
#define SECTIONS_MAX	 256
#define COMPONENTS_MAX	 1024
#define ENTRIES_PER_ROW	 16 /* methods without code have empty ones */
#define FLAG_COMPONENT	 0x20
#define FUNCTION_BYTES	 12 /* begin, end, unwind info */
#define TOKEN_METHOD_DEF 0x06000000u
#define TOKEN_ROW_MAX	 0xffffffu
#define CHAIN_MAX	 4 /* UNWIND_INFOs that continue others */

/* What is known of the method that begins, or goes on, at a row. */
struct owner {
	uint32_t token, module, instance;
	bool set, cold;
};

struct build {
	const struct pe *pe;
	const struct r2r *r2r;
	struct cursor file;
	struct cursor functions; /* the RUNTIME_FUNCTIONs */
	struct owner *owners;	 /* one per row */
	uint32_t rows;
	bool core_library; /* the image is that assembly */
	uint32_t budget;  /* signature elements and sections still allowed */
	uint32_t entries; /* of entry points, empty ones too: more than there is code for */
};

static struct pe_range read_section(struct cursor *cursor, uint32_t *ret_type)
{
	struct pe_range range;

	*ret_type = cursor__u32(cursor);
	range.rva = cursor__u32(cursor);
	range.size = cursor__u32(cursor);
	return range;
}

int r2r__parse(const struct pe *pe, struct r2r *ret_r2r)
{
	struct cursor cursor = pe__cursor(pe, pe->native_header);
	uint32_t count;

	memset(ret_r2r, 0, sizeof(*ret_r2r));
	if (!pe->native_header.rva)
		return -ENODATA;
	if (cursor__u32(&cursor) != SIGNATURE)
		return cursor.bad ? -EBADMSG : -ENODATA;
	ret_r2r->major = cursor__u16(&cursor);
	ret_r2r->minor = cursor__u16(&cursor);
	ret_r2r->flags = cursor__u32(&cursor);
	count = cursor__u32(&cursor);
	if (count > SECTIONS_MAX)
		return -EBADMSG;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t type;
		struct pe_range range = read_section(&cursor, &type);

		if (type == R2R_RUNTIME_FUNCTIONS)
			ret_r2r->functions = range;
		else if (type == R2R_METHOD_ENTRY_POINTS)
			ret_r2r->methods = range;
		else if (type == R2R_INSTANCE_ENTRY_POINTS)
			ret_r2r->instances = range;
		else if (type == R2R_MANIFEST_METADATA)
			ret_r2r->manifest = range;
		else if (type == R2R_HOT_COLD_MAP)
			ret_r2r->hot_cold = range;
		else if (type == R2R_COMPONENT_ASSEMBLIES)
			ret_r2r->components = range;
		else if (type == R2R_COMPONENT_MVIDS)
			ret_r2r->mvids = range;
		else if (type == R2R_INLININGS)
			ret_r2r->inlinings = range;
		else if (type == R2R_CROSS_MODULE_INLININGS)
			ret_r2r->cross_module_inlinings = range;
	}
	if (cursor.bad || r2r__components(ret_r2r) > COMPONENTS_MAX)
		return -EBADMSG;
	if (ret_r2r->flags & FLAG_COMPONENT || !ret_r2r->functions.size)
		return -ENODATA;
	return 0;
}

/*
 * Two methods may share a row only in a damaged file or one that we do not
 * understand: then it is nobody's, since a wrong name is worse than none.
 */
static int claim(struct build *build, uint32_t row, uint32_t token, uint32_t module,
		 uint32_t instance)
{
	struct owner *owner;

	if (row >= build->rows)
		return -EBADMSG;
	owner = &build->owners[row];
	owner->token = owner->set ? 0 : token;
	owner->module = owner->set ? 0 : module;
	owner->instance = owner->set ? R2R_NO_INSTANCE : instance;
	owner->set = true;
	return 0;
}

/*
 * An entry point is a row number, shifted by one, or by two when a list of
 * fixups (low bit set) is told.
 */
static uint32_t entry_row(struct cursor *cursor)
{
	uint32_t entry = native__unsigned(cursor);

	return entry & 1 ? entry >> 2 : entry >> 1;
}

/* `table` holds the entry points of at most `methods` MethodDefs of that module. */
static int claim_methods(struct build *build, struct pe_range table, uint32_t module,
			 uint32_t methods)
{
	int64_t offset = pe__offset(build->pe, table.rva, table.size);
	struct native_array array;
	int err;

	if (!table.size)
		return 0;
	if (offset < 0)
		return -EBADMSG;
	err = native_array__open(build->file, (uint32_t)offset, &array);
	if (err)
		return err;
	if (array.count > methods || array.count > build->entries)
		return -EBADMSG;
	build->entries -= array.count;
	for (uint32_t i = 0; i < array.count; i++) {
		struct cursor entry = native_array__at(&array, i);
		uint32_t row;

		if (entry.bad)
			continue; /* not compiled */
		row = entry_row(&entry);
		if (entry.bad)
			return -EBADMSG;
		err = claim(build, row, TOKEN_METHOD_DEF | (i + 1), module,
			    R2R_NO_INSTANCE);
		if (err)
			return err;
	}
	return 0;
}

int r2r__component_section(const struct pe *pe, struct cursor *list, uint32_t *budget,
			   uint32_t type, struct pe_range *ret_range)
{
	struct pe_range header, found = {0, 0};
	struct cursor core;
	uint32_t sections;

	cursor__take(list, 8); /* the CLI header */
	header.rva = cursor__u32(list);
	header.size = cursor__u32(list);
	core = pe__cursor(pe, header);
	cursor__u32(&core); /* flags */
	sections = cursor__u32(&core);
	if (list->bad || core.bad || sections > SECTIONS_MAX || sections > *budget)
		return -EBADMSG;
	*budget -= sections;
	while (sections--) {
		uint32_t read_type;
		struct pe_range range = read_section(&core, &read_type);

		if (read_type == type)
			found = range;
	}
	*ret_range = found;
	return core.bad ? -EBADMSG : 0;
}

static int claim_components(struct build *build)
{
	struct cursor list = pe__cursor(build->pe, build->r2r->components);
	uint32_t count = r2r__components(build->r2r);
	int err = 0;

	for (uint32_t i = 0; i < count && !err; i++) {
		struct pe_range table;

		err = r2r__component_section(build->pe, &list, &build->budget,
					     R2R_METHOD_ENTRY_POINTS, &table);
		if (!err)
			err = claim_methods(build, table, modules__of_component(i),
					    TOKEN_ROW_MAX);
	}
	return err;
}

static int claim_instance(void *context, struct cursor entry)
{
	struct build *build = context;
	uint32_t blob = entry.at, token, module, row;
	int err;

	err = instance__skip(&entry, &build->budget, &token, &module);
	if (err)
		return err;
	row = entry_row(&entry);
	if (module == MODULES_CORE_LIBRARY && build->core_library)
		module = 0;
	/* Another image's method is known by its names only. */
	if (!modules__is_within(build->r2r, module))
		token = module = 0;
	return entry.bad ? -EBADMSG : claim(build, row, token, module, blob);
}

static int claim_instances(struct build *build)
{
	int64_t offset = pe__offset(build->pe, build->r2r->instances.rva,
				    build->r2r->instances.size);

	if (!build->r2r->instances.size)
		return 0;
	if (offset < 0)
		return -EBADMSG;
	/* Each instance has a row of its own, so there are not more. */
	return native_table__each(build->file, (uint32_t)offset, build->rows,
				  claim_instance, build);
}

static int claim_cold(struct build *build)
{
	struct cursor map = pe__cursor(build->pe, build->r2r->hot_cold);

	if (!build->r2r->hot_cold.size)
		return 0;
	if (map.bad)
		return -EBADMSG;
	while (cursor__left(&map) >= 8) {
		uint32_t cold = cursor__u32(&map), hot = cursor__u32(&map);
		const struct owner *owner;
		int err;

		if (hot >= build->rows)
			return -EBADMSG;
		owner = &build->owners[hot];
		err = claim(build, cold, owner->token, owner->module, owner->instance);
		if (err)
			return err;
		build->owners[cold].cold = true;
	}
	return 0;
}

static uint32_t row_shape(const struct build *build, const struct image_row *row,
			  uint32_t unwind, enum unwind_role role)
{
	struct pe_range code = {row->begin, row->end - row->begin};

	for (int depth = 0; depth < CHAIN_MAX; depth++) {
		int64_t offset = pe__offset(build->pe, unwind, 4);
		struct cursor info;

		if (offset < 0)
			break;
		info = cursor__of(build->pe->data + offset,
				  build->pe->size - (uint32_t)offset);
		unwind = unwind_info__chained(info);
		if (!unwind)
			return unwind_info__shape(info, pe__cursor(build->pe, code),
						  role);
		role = UNWIND_COLD;
	}
	return TS_SHAPE(TS_FRAME_UNKNOWN, 0, 0);
}

static int fill_rows(struct build *build, struct r2r_tables *tables)
{
	struct cursor functions = build->functions;
	struct image_body *body = NULL;
	uint32_t previous = 0;

	for (uint32_t i = 0; i < build->rows; i++) {
		struct image_row *row = &tables->rows[i];
		const struct owner *owner = &build->owners[i];
		/* What is cold in a method itself continues it; else it is a funclet's. */
		enum unwind_role role = owner->set && !owner->cold ? UNWIND_ENTRY
								   : UNWIND_FUNCLET;

		row->begin = cursor__u32(&functions);
		row->end = cursor__u32(&functions);
		if (row->begin < previous || row->end <= row->begin ||
		    row->end > build->pe->image_size)
			return -EBADMSG;
		previous = row->end;
		row->shape = row_shape(build, row, cursor__u32(&functions), role);
		if (owner->set || !body) {
			body = &tables->bodies[tables->bodies_count++];
			body->begin = row->begin;
			body->token = owner->token;
			body->module = owner->module;
			body->instance = owner->set ? owner->instance : R2R_NO_INSTANCE;
			body->first_row = i;
		}
		row->body = tables->bodies_count - 1;
		body->end = row->end;
		body->rows++;
	}
	tables->rows_count = build->rows;
	return functions.bad ? -EBADMSG : 0;
}

int r2r__tables(const struct pe *pe, const struct r2r *r2r, uint32_t methods,
		bool core_library, struct r2r_tables *ret_tables)
{
	struct build build = {
		.pe = pe,
		.r2r = r2r,
		.file = cursor__of(pe->data, pe->size),
		.functions = pe__cursor(pe, r2r->functions),
		.rows = r2r->functions.size / FUNCTION_BYTES,
		.core_library = core_library,
		.budget = pe->size,
		.entries = methods + 65536 +
			   r2r->functions.size / FUNCTION_BYTES * ENTRIES_PER_ROW,
	};
	int err;

	memset(ret_tables, 0, sizeof(*ret_tables));
	if (build.functions.bad)
		return -EBADMSG;
	build.owners = alloc__zeroed(build.rows, sizeof(*build.owners));
	ret_tables->rows = alloc__zeroed(build.rows, sizeof(*ret_tables->rows));
	ret_tables->bodies = alloc__zeroed(build.rows, sizeof(*ret_tables->bodies));
	err = claim_methods(&build, r2r->methods, 0, methods);
	if (!err)
		err = claim_components(&build);
	if (!err)
		err = claim_instances(&build);
	if (!err)
		err = claim_cold(&build);
	if (!err)
		err = fill_rows(&build, ret_tables);
	if (!err)
		ret_tables->bodies =
			alloc__resize(ret_tables->bodies, ret_tables->bodies_count,
				      sizeof(*ret_tables->bodies));
	free(build.owners);
	return err;
}
