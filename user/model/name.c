// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * Names for people: see name.h.
 *
 * The C# compiler spreads one method over several types and methods, whose
 * names say where they come from (Roslyn, GeneratedNames.cs):
 *
 *   C+<Fetch>d__3.MoveNext                     async method or iterator Fetch
 *   C+<>c.<Main>b__0_0                         lambda in Main
 *   C+<>c__DisplayClass0_0.<Main>b__0          lambda in Main with captures
 *   C.<Main>g__Local|0_0                       local function in Main
 *   C+<>c+<<Main>b__0_0>d.MoveNext             async lambda in Main
 *
 * What cannot be read stays as the runtime spells it.
 */
#include "name.h"

#include "name_parser.h"

#include "../../abi/body.h"
#include "../../abi/offcpu.h"

#include <string.h>

#define DYNAMIC_TYPE "dynamicClass" /* the runtime's name for no type */

/* What a method was before the compiler renamed it. */
struct origin {
	const char *base; /* the method of the source */
	size_t base_size;
	const char *local; /* local function in it, or NULL */
	size_t local_size;
	bool is_lambda;
	bool in_type_name;   /* read from a type: '\' escapes, '-' was '.' */
	const char *machine; /* " [async]", " [iterator]" or NULL */
	unsigned int hidden; /* types at the end that the compiler made */
};

static bool starts_with(const char *text, size_t size, const char *prefix)
{
	return size >= strlen(prefix) && !memcmp(text, prefix, strlen(prefix));
}

/* `<inner>rest`; false if it is not that. */
static bool split_generated(const char *text, size_t size, size_t *ret_inner)
{
	size_t open = 0;

	if (!size || *text != '<')
		return false;
	for (size_t i = 0; i < size; i++) {
		open += text[i] == '<';
		open -= text[i] == '>';
		if (!open) {
			*ret_inner = i - 1;
			return i > 1;
		}
	}
	return false;
}

/* Fills in what a method's name tells; false if the compiler did not make it. */
static bool read_method_name(const char *name, size_t size, struct origin *origin)
{
	const char *rest, *bar;
	size_t inner, rest_size;

	if (!split_generated(name, size, &inner))
		return false;
	rest = name + inner + 2;
	rest_size = size - inner - 2;
	if (starts_with(rest, rest_size, "b__")) {
		origin->is_lambda = true;
	} else if (starts_with(rest, rest_size, "g__")) {
		bar = memchr(rest, '|', rest_size);
		if (!bar || bar == rest + 3)
			return false;
		origin->local = rest + 3;
		origin->local_size = (size_t)(bar - origin->local);
	} else {
		return false;
	}
	origin->base = name + 1;
	origin->base_size = inner;
	return true;
}

static bool is_closure(const struct name_segment *segment)
{
	return starts_with(segment->text, segment->size, "<>c") &&
	       (segment->size == 3 ||
		starts_with(segment->text, segment->size, "<>c__"));
}

/* MoveNext of an async method returns nothing, that of an iterator a bool. */
static const char *machine_of(const struct name_parts *parts)
{
	if (strcmp(parts->method, "MoveNext"))
		return NULL;
	if (!strcmp(parts->signature, "instance void  ()"))
		return " [async]";
	if (!strcmp(parts->signature, "instance bool  ()"))
		return " [iterator]";
	return NULL;
}

/* `<Fetch>d__3`, or `<<Main>b__0_0>d` for what is local to a method. */
static bool read_machine(const struct name_parts *parts,
			 const struct name_segment *segment, struct origin *origin)
{
	const char *machine = machine_of(parts);
	size_t inner, rest_size;
	const char *rest;

	if (!machine || !split_generated(segment->text, segment->size, &inner))
		return false;
	rest = segment->text + inner + 2;
	rest_size = segment->size - inner - 2;
	if (!starts_with(rest, rest_size, "d__") && (rest_size != 1 || *rest != 'd'))
		return false;
	origin->machine = machine;
	origin->hidden = 1;
	origin->in_type_name = true;
	if (read_method_name(segment->text + 1, inner, origin))
		return true;
	origin->base = segment->text + 1;
	origin->base_size = inner;
	return true;
}

static struct origin find_origin(const struct name_parts *parts,
				 const struct name_segments *types)
{
	struct origin origin = {0};
	unsigned int left = types->count;
	bool made;

	made = left > 1 && read_machine(parts, &types->list[left - 1], &origin);
	if (!made)
		made = read_method_name(parts->method, strlen(parts->method), &origin);
	if (!made) {
		origin.base = parts->method;
		origin.base_size = strlen(parts->method);
		return origin;
	}
	while (left - origin.hidden > 1 &&
	       is_closure(&types->list[left - origin.hidden - 1]))
		origin.hidden++;
	return origin;
}

static void append_base(struct name_parser *parser, const struct origin *origin)
{
	size_t start = parser->out->size;

	if (!origin->in_type_name) {
		buf__append(parser->out, origin->base, origin->base_size);
	} else {
		name_parser__plain(parser, origin->base, origin->base_size);
		for (size_t i = start; i < parser->out->size; i++) {
			if (parser->out->data[i] == '-')
				parser->out->data[i] = '.';
		}
	}
	if (origin->local) {
		buf__append_char(parser->out, '.');
		buf__append(parser->out, origin->local, origin->local_size);
	}
}

/* The type arguments that the method was told to have. */
static void append_arguments(struct buf *buf, const char *arguments, bool *first)
{
	struct name_parser parser = {
		.at = arguments,
		.end = arguments + strlen(arguments),
		.out = buf,
	};
	size_t start;

	if (!*arguments)
		return;
	buf__append_string(buf, *first ? "<" : ", ");
	*first = false;
	start = buf->size;
	name_parser__list(&parser, 0);
	if (parser.failed || !name_parser__done(&parser)) {
		buf__cut(buf, start);
		buf__append_string(buf, arguments);
	}
}

/*
 * Type and method; the arguments of the types that are hidden are the method's.
 * False if the type could not be read: what was appended is not to be kept.
 */
static bool append_readable(struct buf *buf, const struct name_parts *parts,
			    struct origin *ret_origin)
{
	struct name_parser parser = {
		.at = parts->type,
		.end = parts->type + strlen(parts->type),
		.out = buf,
	};
	struct name_segments types;
	unsigned int shown;
	bool listed, first = true;

	name_parser__segments(&parser, &types);
	if (parser.failed)
		return false;
	*ret_origin = find_origin(parts, &types);
	listed = name_parser__lists(&parser);
	shown = types.count - ret_origin->hidden;
	for (unsigned int i = 0; i < shown; i++) {
		name_parser__segment(&parser, &types.list[i], listed,
				     i + 1 == types.count);
		buf__append_char(buf, '.');
	}
	append_base(&parser, ret_origin);
	if (listed) {
		name_parser__rest(&parser, &first);
		if (!name_parser__take(&parser, "]"))
			return false;
	}
	append_arguments(buf, parts->arguments, &first);
	if (!first)
		buf__append_char(buf, '>');
	return !parser.failed && name_parser__done(&parser);
}

/* As the runtime spells them; without a type just the method. */
static void append_raw(struct buf *buf, const struct name_parts *parts)
{
	bool first = true;

	if (*parts->type && strcmp(parts->type, DYNAMIC_TYPE)) {
		buf__append_string(buf, parts->type);
		buf__append_char(buf, '.');
	}
	buf__append_string(buf, parts->method);
	append_arguments(buf, parts->arguments, &first);
	if (!first)
		buf__append_char(buf, '>');
}

static bool take_convention(struct name_parser *parser)
{
	static const char *const plain[] = {
		"instance ",	       "explicit ",	     "generic ",
		"unmanaged cdecl ",    "unmanaged stdcall ", "unmanaged thiscall ",
		"unmanaged fastcall ",
	};

	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		(void)name_parser__take(parser, plain[i]);
	return name_parser__take(parser, "native vararg ") ||
	       name_parser__take(parser, "vararg ");
}

/* "(int, string)" of "instance void  (int32,class System.String)". */
static void append_parameters(struct buf *buf, const char *signature)
{
	struct name_parser parser = {
		.at = signature,
		.end = signature + strlen(signature),
		.out = buf,
		.angles = true,
	};
	size_t start = buf->size;
	bool is_variable;

	if (!*signature)
		return;
	is_variable = take_convention(&parser);
	name_parser__type(&parser); /* of the result, which names leave out */
	buf__cut(buf, start);
	while (name_parser__take(&parser, " "))
		;
	if (name_parser__take(&parser, "(")) {
		buf__append_char(buf, '(');
		name_parser__list(&parser, ')');
		if (is_variable)
			buf__append_string(buf,
					   buf->size > start + 1 ? ", ..." : "...");
		buf__append_char(buf, ')');
		if (!parser.failed && name_parser__done(&parser))
			return;
	}
	buf__cut(buf, start);
	buf__append_char(buf, ' ');
	buf__append_string(buf, signature);
}

void name__format(struct buf *buf, const struct name_parts *parts)
{
	struct origin origin = {0};
	size_t start = buf->size;
	bool is_dynamic = !strcmp(parts->type, DYNAMIC_TYPE);

	if (is_dynamic || !*parts->type || !append_readable(buf, parts, &origin)) {
		origin = (struct origin){0};
		buf__cut(buf, start);
		append_raw(buf, parts);
	}
	if (origin.is_lambda)
		buf__append_string(buf, " [lambda]");
	if (origin.machine)
		buf__append_string(buf, origin.machine);
	else
		append_parameters(buf, parts->signature);
	if (is_dynamic)
		buf__append_string(buf, " [dynamic]");
}

static const struct {
	const char *runtime;
	const char *people;
} tiers[TS_TIER_COUNT] = {
	[TS_TIER_UNKNOWN] = {"Unknown", "unknown"},
	[TS_TIER_MIN_OPT] = {"MinOptJitted", "minopt"},
	[TS_TIER_OPTIMIZED] = {"Optimized", "opt"},
	[TS_TIER_QUICK] = {"QuickJitted", "tier0"},
	[TS_TIER_1] = {"OptimizedTier1", "tier1"},
	[TS_TIER_1_OSR] = {"OptimizedTier1OSR", "osr"},
	[TS_TIER_QUICK_INSTRUMENTED] = {"QuickJittedInstrumented", "tier0-instr"},
	[TS_TIER_1_INSTRUMENTED] = {"OptimizedTier1Instrumented", "tier1-instr"},
	[TS_TIER_READY_TO_RUN] = {"ReadyToRun", "r2r"},
};

const char *name__tier_short(unsigned int tier)
{
	return tiers[tier < TS_TIER_COUNT ? tier : TS_TIER_UNKNOWN].people;
}

const char *name__tier(unsigned int tier)
{
	return tiers[tier < TS_TIER_COUNT ? tier : TS_TIER_UNKNOWN].runtime;
}

const char *name__cell(unsigned int kind)
{
	return kind == TS_CELL_SLOT ? "vtable_slot" : "precode";
}

const char *name__target(unsigned int target)
{
	static const char *const targets[TS_TARGET_COUNT] = {
		[TS_TARGET_UNKNOWN] = "unknown",
		[TS_TARGET_PRESTUB] = "prestub",
		[TS_TARGET_BODY] = "body",
		[TS_TARGET_CALL_COUNTING] = "call_counting",
	};

	return targets[target < TS_TARGET_COUNT ? target : TS_TARGET_UNKNOWN];
}

const char *name__state(unsigned int state)
{
	static const char *const states[TS_STATES] = {
#define NAME(number, id, name) [number] = name,
		TS_STATE_TABLE(NAME)
#undef NAME
	};

	return states[state % TS_STATES];
}

const char *name__il_state(unsigned int state)
{
	static const char *const states[TS_IL_COUNT] = {
		[TS_IL_UNKNOWN] = "unknown",
		[TS_IL_REQUESTED] = "requested",
		[TS_IL_PREPARING] = "preparing",
		[TS_IL_READY] = "ready",
	};

	return states[state < TS_IL_COUNT ? state : TS_IL_UNKNOWN];
}

void name__append_version(struct buf *buf, unsigned int tier, unsigned int rejit_id,
			  unsigned int osr_il_offset)
{
	buf__printf(buf, " [%s", name__tier_short(tier));
	if (osr_il_offset != TS_NO_IL_OFFSET)
		buf__printf(buf, "@0x%x", osr_il_offset);
	if (rejit_id)
		buf__printf(buf, " #%u", rejit_id);
	buf__append_char(buf, ']');
}
