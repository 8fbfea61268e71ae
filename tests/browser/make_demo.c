// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
/*
 * A web shop under load, made up: methods live through their tiers while the
 * load goes on, so that every part of the page has something to show.
 */
#include "make_page.h"

#include <string.h>

#define MS 1000000u

/* How a method's code comes along. */
enum life {
	LIFE_R2R, /* precompiled, later tier 1 */
	LIFE_R2R_ONLY,
	LIFE_TIERED, /* tier 0, instrumented, tier 1 */
	LIFE_LOOP,   /* tier 0, OSR, tier 1 */
	LIFE_REJIT,  /* tiered, and from 7.2 s on the same for ReJITID 2 */
	LIFE_OPT,    /* optimized at once */
	LIFE_MINOPT,
	LIFE_NATIVE,
	LIFE_KERNEL,
	LIFE_UNKNOWN,
};

struct phase {
	uint32_t from_ms; /* earliest; each method adds its own delay */
	uint32_t tier;
	uint32_t rejit_id;
	uint32_t native_version;
};

#define PHASES 5
static const struct phase lives[][PHASES] = {
	[LIFE_R2R] = {{0, TS_TIER_READY_TO_RUN, 0, 0},
		      {1500, TS_TIER_1_INSTRUMENTED, 0, 1},
		      {2200, TS_TIER_1, 0, 2}},
	[LIFE_R2R_ONLY] = {{0, TS_TIER_READY_TO_RUN, 0, 0}},
	[LIFE_TIERED] = {{0, TS_TIER_QUICK, 0, 0},
			 {900, TS_TIER_QUICK_INSTRUMENTED, 0, 1},
			 {1900, TS_TIER_1, 0, 2}},
	[LIFE_LOOP] = {{0, TS_TIER_QUICK_INSTRUMENTED, 0, 0},
		       {350, TS_TIER_1_OSR, 0, 1},
		       {2900, TS_TIER_1, 0, 2}},
	[LIFE_REJIT] = {{0, TS_TIER_QUICK, 0, 0},
			{1000, TS_TIER_QUICK_INSTRUMENTED, 0, 1},
			{1700, TS_TIER_1, 0, 2},
			{7200, TS_TIER_QUICK, 2, 3},
			{8100, TS_TIER_1, 2, 4}},
	[LIFE_OPT] = {{0, TS_TIER_OPTIMIZED, 0, 0}},
	[LIFE_MINOPT] = {{0, TS_TIER_MIN_OPT, 0, 0}},
};

#define NETCORE "/usr/share/dotnet/shared/Microsoft.NETCore.App/10.0.12/"
#define ASPNET	"/usr/share/dotnet/shared/Microsoft.AspNetCore.App/10.0.12/"
#define CORE	NETCORE "System.Private.CoreLib.dll"
#define JSON	NETCORE "System.Text.Json.dll"
#define REGEX	NETCORE "System.Text.RegularExpressions.dll"
#define WEB	ASPNET "Microsoft.AspNetCore.Server.Kestrel.Core.dll"
#define SHOP	"/srv/shop/bin/Release/Shop.dll"

struct method {
	char tag; /* as used in the paths below */
	enum life life;
	const char *module, *name;
};

static const struct method methods[] = {
	{'a', LIFE_R2R_ONLY, CORE, "System.Threading.Thread.StartCallback()"},
	{'b', LIFE_R2R, CORE,
	 "System.Threading.PortableThreadPool.WorkerThread.WorkerThreadStart()"},
	{'c', LIFE_R2R, CORE, "System.Threading.ThreadPoolWorkQueue.Dispatch()"},
	{'d', LIFE_R2R, WEB,
	 "Microsoft.AspNetCore.Server.Kestrel.Core.Internal.Http.HttpProtocol."
	 "ProcessRequests "
	 "[async](Microsoft.AspNetCore.Hosting.Server.IHttpApplication<Context>)"},
	{'e', LIFE_TIERED, SHOP,
	 "Shop.Routing.Router.Dispatch(Microsoft.AspNetCore.Http.HttpContext)"},
	{'f', LIFE_TIERED, SHOP,
	 "Shop.Catalog.SearchHandler.Handle [async](Shop.Catalog.Query)"},
	{'g', LIFE_LOOP, SHOP,
	 "Shop.Catalog.Ranking.Score(System.ReadOnlySpan<float>, System."
	 "ReadOnlySpan<float>)"},
	{'h', LIFE_REJIT, SHOP,
	 "Shop.Pricing.PriceEngine.Quote(Shop.Pricing.Basket, decimal)"},
	{'i', LIFE_TIERED, SHOP,
	 "Shop.Pricing.Discounts.Apply<Shop.Pricing.Seasonal>(decimal)"},
	{'j', LIFE_R2R, JSON,
	 "System.Text.Json.JsonSerializer.Serialize<__Canon>(System.IO.Stream, "
	 "__Canon)"},
	{'k', LIFE_R2R, JSON,
	 "System.Text.Json.Utf8JsonWriter.WriteStringEscape(System.ReadOnlySpan<char>"
	 ")"},
	{'l', LIFE_R2R, REGEX,
	 "System.Text.RegularExpressions.Regex.RunSingleMatch(int, int)"},
	{'m', LIFE_OPT, "",
	 "dynamicClass."
	 "Regex1_TryFindNextPossibleStartingPosition(RegexRunner, "
	 "System.ReadOnlySpan<char>)"},
	{'n', LIFE_TIERED, SHOP, "Shop.Catalog.Tree.Depth(Shop.Catalog.Node)"},
	{'o', LIFE_R2R, CORE,
	 "System.Collections.Generic.Dictionary<__Canon, System.Int32>."
	 "FindValue(__Canon)"},
	{'p', LIFE_R2R_ONLY, CORE,
	 "System.SpanHelpers.IndexOfAnyValueType(ref byte, byte, byte, int)"},
	{'q', LIFE_MINOPT, SHOP, "Shop.Diagnostics.Audit.Record(string)"},
	{'r', LIFE_TIERED, SHOP, "Shop.Program.Main [lambda](Shop.Order)"},
	{'s', LIFE_R2R, CORE, "System.String.Concat(string, string, string)"},
	{'u', LIFE_LOOP, SHOP, "Shop.Catalog.Index.Rebuild(int)"},
	{'v', LIFE_R2R_ONLY, CORE,
	 "System.Threading.Tasks.Task.RunContinuations(object)"},
	{'A', LIFE_NATIVE, "", "libcoreclr.so"},
	{'B', LIFE_NATIVE, "", "libclrjit.so"},
	{'C', LIFE_NATIVE, "", "libc.so.6"},
	{'D', LIFE_NATIVE, "", "libclrgc.so"},
	{'K', LIFE_KERNEL, "", "tcp_sendmsg"},
	{'L', LIFE_KERNEL, "", "futex_wait"},
	{'X', LIFE_UNKNOWN, "", "no_table"},
};
#define METHODS (sizeof(methods) / sizeof(*methods))

/* Stacks root first, with a weight in the first two seconds and after. */
struct path {
	const char *tags;
	uint32_t early, late;
};

static const struct path paths[] = {
	{"CabcdefggA", 1, 2},	 {"Cabcdefg", 60, 150},	  {"Cabcdefgo", 12, 30},
	{"Cabcdefo", 14, 26},	 {"Cabcdefop", 4, 9},	  {"Cabcdefn", 10, 14},
	{"Cabcdefnn", 12, 16},	 {"Cabcdefnnn", 14, 18},  {"Cabcdefnnnn", 10, 15},
	{"Cabcdefnnnnn", 8, 10}, {"Cabcdefnnnnnn", 6, 7}, {"Cabcdeh", 30, 66},
	{"Cabcdehi", 20, 48},	 {"Cabcdehio", 6, 12},	  {"Cabcdehq", 8, 9},
	{"Cabcdehqs", 3, 5},	 {"Cabcdej", 16, 20},	  {"Cabcdejk", 30, 62},
	{"Cabcdejkp", 10, 24},	 {"Cabcdel", 8, 14},	  {"Cabcdelm", 26, 58},
	{"Cabcdelmp", 6, 16},	 {"Cabcdv", 4, 5},	  {"Cabcdvr", 14, 18},
	{"Cabcdvru", 20, 44},	 {"Cabcdvruo", 8, 12},	  {"CabcvruA", 2, 3},
	{"CabcdeK", 12, 30},	 {"CabcL", 10, 12},	  {"Cabcdes", 5, 8},
	{"CAB", 150, 8},	 {"CAA", 24, 10},	  {"CAD", 6, 22},
	{"CADC", 3, 10},	 {"CabcdefAX", 1, 1},	  {"CabcdX", 1, 1},
};
#define PATHS (sizeof(paths) / sizeof(*paths))

struct shop {
	uint32_t process;
	uint32_t bodies[METHODS][PHASES];
	uint64_t born[METHODS][PHASES]; /* 0: no such phase */
};

static void make_method(struct maker *maker, struct shop *shop, size_t m)
{
	const struct method *method = &methods[m];
	uint64_t delay = maker__random(maker) % 700 * MS;

	for (size_t p = 0; p < PHASES && method->life < LIFE_NATIVE; p++) {
		const struct phase *phase = &lives[method->life][p];
		struct model_body body = {
			.process = shop->process,
			.function_id = 0x7f3a3c100000 + m * 0x40,
			.token = 0x06000100 + (uint32_t)m,
			.tier = phase->tier,
			.rejit_id = phase->rejit_id,
			.native_version = phase->native_version,
			.osr_il_offset = 0x1a,
		};

		if (phase->tier == TS_TIER_UNKNOWN)
			break;
		body.born_ns = START + phase->from_ms * (uint64_t)MS + (p ? delay : 0) +
			       maker__random(maker) % 200 * MS;
		if (phase->tier == TS_TIER_READY_TO_RUN) {
			body.source = MODEL_SOURCE_IMAGE;
			body.born_ns = START;
			/* It was so at the first look; since when, nobody saw. */
			body.published_ns[1] = START + 300 * MS;
		} else if (phase->tier != TS_TIER_1_OSR) {
			body.published_ns[0] = body.born_ns + 40000;
			body.published_ns[1] = body.born_ns + 2 * MS;
		}
		shop->bodies[m][p] =
			maker__body(maker, &body, method->name, method->module);
		shop->born[m][p] = body.born_ns;
	}
}

/* A version is superseded when the next one is published. */
static void supersede(struct maker *maker, struct shop *shop, size_t m)
{
	for (size_t p = 0; p + 1 < PHASES && shop->born[m][p + 1]; p++) {
		const struct model_body *row =
			model__body(maker->model, shop->bodies[m][p]);
		struct model_body body = *row;

		if (body.tier == TS_TIER_1_OSR || body.tier == TS_TIER_READY_TO_RUN)
			continue;
		body.superseded_ns = shop->born[m][p + 1] + 2 * MS;
		model__update_body(maker->model, shop->bodies[m][p], &body);
	}
}

/* The body that runs at a time; now and then still the one before it. */
static uint32_t running(struct maker *maker, const struct shop *shop, size_t m,
			uint64_t time)
{
	size_t p = 0;

	while (p + 1 < PHASES && shop->born[m][p + 1] && shop->born[m][p + 1] <= time)
		p++;
	if (p && maker__random(maker) % 64 == 0)
		p--;
	return shop->bodies[m][p];
}

static uint32_t push(struct maker *maker, const struct shop *shop, uint32_t stack,
		     char tag, uint64_t time)
{
	static const uint32_t kinds[] = {
		[LIFE_NATIVE] = MODEL_FRAME_NATIVE,
		[LIFE_KERNEL] = MODEL_FRAME_KERNEL,
		[LIFE_UNKNOWN] = MODEL_FRAME_UNKNOWN,
	};

	for (size_t m = 0; m < METHODS; m++) {
		if (methods[m].tag != tag)
			continue;
		if (methods[m].life < LIFE_NATIVE)
			return maker__push_body(maker, stack,
						running(maker, shop, m, time));
		return maker__push_other(
			maker, stack, kinds[methods[m].life], methods[m].name,
			methods[m].life == LIFE_NATIVE
				? 0x1000 + maker__random(maker) % 32 * 16
				: 0);
	}
	abort();
}

static const struct path *choose_path(struct maker *maker, bool early)
{
	uint64_t sum = 0, at;
	size_t i;

	for (i = 0; i < PATHS; i++)
		sum += early ? paths[i].early : paths[i].late;
	at = maker__random(maker) % sum;
	for (i = 0; i + 1 < PATHS; i++) {
		uint32_t weight = early ? paths[i].early : paths[i].late;

		if (at < weight)
			break;
		at -= weight;
	}
	return &paths[i];
}

/* The load rises, pauses at nine seconds, comes back. */
static bool idle(struct maker *maker, uint64_t ms)
{
	uint32_t load = ms < 600 ? 40 : ms < 9000 ? 85 : ms < 9500 ? 22 : 92;

	load += ms / 500 % 3 * 4;
	return maker__random(maker) % 100 >= load;
}

void maker__demo(struct maker *maker, int pid, const char *comm, uint32_t samples)
{
	struct shop shop = {.process =
				    maker__process(maker, pid, comm,
						   "dotnet bin/Release/Shop.dll --urls "
						   "http://localhost:5000")};

	for (size_t m = 0; m < METHODS; m++) {
		make_method(maker, &shop, m);
		supersede(maker, &shop, m);
	}
	for (uint32_t i = 0; i < samples; i++) {
		uint64_t offset = (uint64_t)i * (DURATION / samples);
		const struct path *path;
		uint32_t stack = 0;

		if (idle(maker, offset / MS))
			continue;
		path = choose_path(maker, maker__random(maker) % (2000 * (uint64_t)MS) >
						  offset);
		for (const char *tag = path->tags; *tag; tag++)
			stack = push(maker, &shop, stack, *tag, START + offset);
		maker__sample(maker, shop.process, START + offset, stack);
	}
}
