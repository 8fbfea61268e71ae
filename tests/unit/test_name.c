// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Names for people.  The runtime's spellings are what .NET 10.0.12 wrote into
// its MethodLoadVerbose events for programs made for it.
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../abi/body.h"
#include "../../user/model/name.h"

struct example {
	struct name_parts parts;
	const char *expected;
};

static void assert_name(const struct example *example)
{
	struct buf buf = BUF_INIT;

	buf__append_string(&buf, "before ");
	name__format(&buf, &example->parts);
	assert_memory_equal(buf.data, "before ", 7);
	assert_string_equal(buf.data + 7, example->expected);
	buf__free(&buf);
}

static void assert_names(const struct example *examples, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_name(&examples[i]);
}
#define ASSERT_NAMES(examples) \
	assert_names(examples, sizeof(examples) / sizeof(*(examples)))

static void name_of_types(void **state)
{
	static const struct example examples[] = {
		{{"NS.C", "Main", "void  ()", ""}, "NS.C.Main()"},
		{{"NS.C", ".ctor", "instance void  ()", ""}, "NS.C..ctor()"},
		{{"NS.C", ".cctor", "void  ()", ""}, "NS.C..cctor()"},
		{{"", "Global", "void  ()", ""}, "Global()"},
		{{"NS.C", "Main", "", ""}, "NS.C.Main"},
		{{"NS.Outer+Inner", "M", "void  ()", ""}, "NS.Outer.Inner.M()"},
		{{"NS.Gen`1[System.Int32]", "Echo",
		  "instance !0  (!0,class System.String)", ""},
		 "NS.Gen<int>.Echo(!0, string)"},
		{{"NS.Gen`1[System.__Canon]", "Echo", "instance !0  (!0)", ""},
		 "NS.Gen<__Canon>.Echo(!0)"},
		{{"NS.Gen`1+Inner`1[System.Int32,System.__Canon]", "M",
		  "instance void  ()", ""},
		 "NS.Gen<int>.Inner<__Canon>.M()"},
		{{"NS.Gen`1+Inner`1+Deep[NS.Val`1[System.Int32],System.Int64]", "D",
		  "instance void  (!0[,],!0[][],!1[,,])", ""},
		 "NS.Gen<NS.Val<int>>.Inner<long>.Deep.D(!0[,], !0[][], !1[,,])"},
		{{"System.Collections.Generic.Dictionary`2+Entry[System.Int32[],NS.V[,]"
		  "]",
		  "M", "void  ()", ""},
		 "System.Collections.Generic.Dictionary<int[], NS.V[,]>.Entry.M()"},
		{{"NS.Gen`1", "M", "void  ()", ""}, "NS.Gen<>.M()"},
		{{"NS.Map`2+Node`1", "M", "void  ()", ""}, "NS.Map<,>.Node<>.M()"},
		{{"NS.NoArity[System.Int32]", "M", "void  ()", ""},
		 "NS.NoArity<int>.M()"},
		{{"NS.P`1[System.Void(System.Int32, System.Boolean)]", "M", "void  ()",
		  ""},
		 "NS.P<delegate*<int, bool, void>>.M()"},
		{{"NS.Odd\\,Name\\+More`1[NS.A\\[b]", "M", "void  ()", ""},
		 "NS.Odd,Name+More<NS.A[b>.M()"},
		/* The declaring type keeps its own name. */
		{{"System.String", "Concat",
		  "class System.String  (class System.String)", ""},
		 "System.String.Concat(string)"},
	};

	(void)state;
	ASSERT_NAMES(examples);
}

static void name_of_method_type_arguments(void **state)
{
	static const struct example examples[] = {
		{{"NS.Gen`1[System.Int32]", "Conv", "generic !!0  (!0,!!0)",
		  "System.Int64"},
		 "NS.Gen<int>.Conv<long>(!0, !!0)"},
		{{"NS.C", "M", "generic void  (!!0,!!1)",
		  "NS.Val`1[System.Int32],System.__Canon"},
		 "NS.C.M<NS.Val<int>, __Canon>(!!0, !!1)"},
		{{"", "M", "generic void  ()", "System.Int32[]"}, "M<int[]>()"},
		{{"NS.C", "M", "generic void  ()", "List`1[oops"},
		 "NS.C.M<List`1[oops>()"},
	};

	(void)state;
	ASSERT_NAMES(examples);
}

static void name_of_every_keyword(void **state)
{
	static const struct example examples[] = {
		{{"C", "M",
		  "instance void  (int32&,class System.String&,int,unsigned int,"
		  "unsigned int8,int8,int16,unsigned int16,wchar,unsigned int32,int64,"
		  "unsigned int64,float32,float64,bool,value class System.Decimal,"
		  "class System.Object,refany)",
		  ""},
		 "C.M(ref int, ref string, nint, nuint, byte, sbyte, short, ushort, "
		 "char, uint, long, ulong, float, double, bool, decimal, object, "
		 "System.TypedReference)"},
		{{"C`9[System.Boolean,System.Byte,System.SByte,System.Char,"
		  "System.Decimal,System.Double,System.Single,System.Int32,"
		  "System.UInt32]",
		  "M", "void  ()", ""},
		 "C<bool, byte, sbyte, char, decimal, double, float, int, uint>.M()"},
		{{"C`9[System.IntPtr,System.UIntPtr,System.Int64,System.UInt64,"
		  "System.Int16,System.UInt16,System.Object,System.String,System.Void*"
		  "]",
		  "M", "void  ()", ""},
		 "C<nint, nuint, long, ulong, short, ushort, object, string, void*>"
		 ".M()"},
	};

	(void)state;
	ASSERT_NAMES(examples);
}

static void name_of_signatures(void **state)
{
	static const struct example examples[] = {
		{{"C", "M",
		  "instance value class System.Nullable`1<int32>  (value class "
		  "System.Nullable`1<int32>,class System.Collections.Generic.List`1<"
		  "class System.Collections.Generic.Dictionary`2<class System.String,"
		  "int32[]>>)",
		  ""},
		 "C.M(System.Nullable<int>, System.Collections.Generic.List<"
		 "System.Collections.Generic.Dictionary<string, int[]>>)"},
		{{"C", "M",
		  "instance void  (int32*,void**,fnptr void(int32),"
		  "fnptr unmanaged cdecl int32(int32))",
		  ""},
		 "C.M(int*, void**, delegate*<int, void>, delegate* unmanaged<int, "
		 "int>)"},
		{{"C", "M", "void  (fnptr void())", ""}, "C.M(delegate*<void>)"},
		{{"C", "M",
		  "instance required_modifier "
		  "System.Runtime.InteropServices.InAttribute "
		  "int32&  (required_modifier A.B optional_modifier A.C`1<int32> bool)",
		  ""},
		 "C.M(bool)"},
		{{"C", "M",
		  "instance void  (valuetype NS.V,int32[0...3,],int32 pinned)", ""},
		 "C.M(NS.V, int[0...3,], int)"},
		{{"C", "M", "vararg void  (int32,...,bool)", ""},
		 "C.M(int, ..., bool, ...)"},
		{{"C", "M", "vararg void  ()", ""}, "C.M(...)"},
		{{"C", "M", "void  (class <>f__AnonymousType0`2<int32,!!0>)", ""},
		 "C.M(<>f__AnonymousType0<int, !!0>)"},
		{{"C", "M", "void  ([module#2, token#02000003])", ""},
		 "C.M([module#2, token#02000003])"},
	};

	(void)state;
	ASSERT_NAMES(examples);
}

static void name_of_what_the_compiler_made(void **state)
{
	static const struct example examples[] = {
		{{"NS.C+<FetchAsync>d__3", "MoveNext", "instance void  ()", ""},
		 "NS.C.FetchAsync [async]"},
		{{"NS.C+<GenAsync>d__1`1[System.Int32]", "MoveNext",
		  "instance void  ()", ""},
		 "NS.C.GenAsync<int> [async]"},
		{{"NS.G`1+<Go>d__1`1[System.Int32,System.__Canon]", "MoveNext",
		  "instance void  ()", ""},
		 "NS.G<int>.Go<__Canon> [async]"},
		{{"NS.C+<Items>d__2", "MoveNext", "instance bool  ()", ""},
		 "NS.C.Items [iterator]"},
		/* Not the method's own work, or not known to be. */
		{{"NS.C+<Items>d__2", "System.IDisposable.Dispose", "instance void  ()",
		  ""},
		 "NS.C.<Items>d__2.System.IDisposable.Dispose()"},
		{{"NS.C+<Items>d__2", "MoveNext", "", ""}, "NS.C.<Items>d__2.MoveNext"},
		{{"NS.C+Enumerator", "MoveNext", "instance bool  ()", ""},
		 "NS.C.Enumerator.MoveNext()"},
		{{"NS.C+<NS-IFoo<System-Int32>-Go>d__1", "MoveNext",
		  "instance void  ()", ""},
		 "NS.C.NS.IFoo<System.Int32>.Go [async]"},
		{{"NS.C+<>c", "<Main>b__0_0", "instance int32  (int32)", ""},
		 "NS.C.Main [lambda](int)"},
		{{"NS.C+<>c", "<.ctor>b__9_0", "instance int32  ()", ""},
		 "NS.C..ctor [lambda]()"},
		{{"NS.C+<>c__DisplayClass0_0", "<Main>b__0", "instance void  ()", ""},
		 "NS.C.Main [lambda]()"},
		{{"NS.C+<>c__DisplayClass1_0`1[System.Int32]", "<GenAsync>b__0",
		  "instance !0  ()", ""},
		 "NS.C.GenAsync<int> [lambda]()"},
		{{"NS.C", "<Main>g__Local|0_0", "int32  (int32)", ""},
		 "NS.C.Main.Local(int)"},
		{{"NS.C", "<Main>g__Local|0_0", "generic int32  (!!0)", "System.Byte"},
		 "NS.C.Main.Local<byte>(!!0)"},
		{{"NS.C+<>c__DisplayClass8_0", "<Prop>g__Local2|1",
		  "instance int32  ()", ""},
		 "NS.C.Prop.Local2()"},
		{{"NS.P+<>c+<<Main>b__0_0>d", "MoveNext", "instance void  ()", ""},
		 "NS.P.Main [lambda] [async]"},
		{{"NS.P+<<Main>g__Work|0_0>d", "MoveNext", "instance void  ()", ""},
		 "NS.P.Main.Work [async]"},
		{{"Program", "<Main>$", "void  (class System.String[])", ""},
		 "Program.<Main>$(string[])"},
		{{"Program+<>c", "<<Main>$>b__0_0", "instance void  ()", ""},
		 "Program.<Main>$ [lambda]()"},
		{{"Program+<<Main>$>d__0", "MoveNext", "instance void  ()", ""},
		 "Program.<Main>$ [async]"},
		{{"NS.R", "<Clone>$", "instance class NS.R  ()", ""},
		 "NS.R.<Clone>$()"},
		{{"NS.C+<>c", ".cctor", "void  ()", ""}, "NS.C.<>c..cctor()"},
	};

	(void)state;
	ASSERT_NAMES(examples);
}

static void name_of_dynamic_methods(void **state)
{
	static const struct example examples[] = {
		{{"dynamicClass", "AGetter", "int32  (class System.Object)", ""},
		 "AGetter(object) [dynamic]"},
		{{"dynamicClass", "lambda_method1",
		  "int32  (pMT: 0x7f100c281060,int32)", ""},
		 "lambda_method1(?, int) [dynamic]"},
		{{"dynamicClass", "Dyn<>Name",
		  "pMT: 0x7f94c55876a0<class System.String>  "
		  "(int32,pMT: 0x7f100b593618<int32>)",
		  ""},
		 "Dyn<>Name(int, ?<int>) [dynamic]"},
		{{"dynamicClass", "<Main>b__0", "void  ()", ""},
		 "<Main>b__0() [dynamic]"},
	};

	(void)state;
	ASSERT_NAMES(examples);
}

static void name_falls_back_to_what_it_cannot_read(void **state)
{
	static const struct example examples[] = {
		{{"NS.Gen`1[System.Int32", "M", "void  ()", ""},
		 "NS.Gen`1[System.Int32.M()"},
		{{"NS.Gen`1[System.Int32]]", "M", "void  ()", ""},
		 "NS.Gen`1[System.Int32]].M()"},
		{{"NS.Gen`2[System.Int32]", "M", "void  ()", ""},
		 "NS.Gen`2[System.Int32].M()"},
		{{"A,B", "M", "void  ()", ""}, "A,B.M()"},
		{{"A+", "M", "void  ()", ""}, "A+.M()"},
		{{"A[]", "M", "void  ()", ""}, "A[].M()"},
		{{"C", "M", "void  (int32", ""}, "C.M void  (int32"},
		{{"C", "M", "void  (int32))", ""}, "C.M void  (int32))"},
		{{"C", "M", "void  (int32,)", ""}, "C.M void  (int32,)"},
		{{"C", "M", "nonsense", ""}, "C.M nonsense"},
		{{"C", "M", "void  (class A<int32)", ""}, "C.M void  (class A<int32)"},
		{{"C", "<b__0", "void  ()", ""}, "C.<b__0()"},
		{{"C", "<>b__0", "void  ()", ""}, "C.<>b__0()"},
		{{"C", "<M>g__|0_0", "void  ()", ""}, "C.<M>g__|0_0()"},
		{{"<M>d__1", "MoveNext", "instance void  ()", ""},
		 "<M>d__1.MoveNext()"},
		{{"<>c", "<M>b__0", "void  ()", ""}, "<>c.M [lambda]()"},
		{{"Gen`999", "M", "void  ()", ""}, "Gen`999.M()"},
		{{"", "", "", ""}, ""},
	};

	(void)state;
	ASSERT_NAMES(examples);
}

static char *repeat(const char *text, size_t count, const char *end)
{
	size_t size = strlen(text);
	char *repeated = malloc(size * count + strlen(end) + 1);

	for (size_t i = 0; i < count; i++)
		memcpy(repeated + i * size, text, size);
	strcpy(repeated + size * count, end);
	return repeated;
}

/* Formats and checks that the text grew no more than a name may, and that the
 * method, which no spelling hides, is there. */
static void assert_bearable(const char *type, const char *signature)
{
	struct name_parts parts = {type, "TheMethod", signature, ""};
	struct buf buf = BUF_INIT;

	name__format(&buf, &parts);
	assert_non_null(strstr(buf__string(&buf), "TheMethod"));
	assert_true(buf.size < 64 + 16 * (strlen(type) + strlen(signature)));
	parts.arguments = type;
	name__format(&buf, &parts);
	buf__free(&buf);
}

static void name_survives_64_kilobytes_of_anything(void **state)
{
	static const char *const pieces[] = {
		"[",
		"]",
		"<",
		">",
		"(",
		")",
		"`1[",
		"A`64+",
		"A`1[A,",
		"class A`1<",
		"fnptr ",
		"fnptr void(",
		"!0(",
		"&",
		"*",
		"[,]",
		",",
		"+",
		"\\",
		"`",
		"required_modifier ",
		"required_modifier A ",
		"pMT: 0x1<",
		"[module#",
		"unsigned ",
		"native ",
		" pinned",
		"...",
		"!",
		"<A>",
		"A(",
		"A&,",
		"\xc3\xa9",
		"dynamicClass",
		"instance ",
		" ",
		"A+<>c+",
		"<<M>b__0_0>d+",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(pieces) / sizeof(*pieces); i++) {
		size_t count = 65535 / strlen(pieces[i]);
		char *text = repeat(pieces[i], count, "");
		char *closed = repeat(pieces[i], count, "A");
		char *signature = repeat(pieces[i], count, "");

		memcpy(signature, "void  (", strlen(signature) < 7 ? 0 : 7);
		assert_bearable(text, text);
		assert_bearable(closed, closed);
		assert_bearable("A", signature);
		free(text);
		free(closed);
		free(signature);
	}
}

/* Real names, cut anywhere and with any byte replaced by any other mark. */
static void name_survives_every_small_damage(void **state)
{
	static const char *const types[] = {
		"NS.Gen`1+Inner`1+Deep[NS.Val`1[System.Int32],System.Int64]",
		"NS.P`1+<>c+<<Main>b__0_0>d[System.Void(System.Int32, A\\,B)]",
	};
	static const char signature[] =
		"instance required_modifier A.B class L`1<int32>  (unsigned int8&,"
		"fnptr unmanaged cdecl void(!0),pMT: 0x12<bool>,int32[0...3,],...)";
	static const char marks[] = "[]<>()`+,&*\\! .\x01\xff"
				    "19";
	char text[256];

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		const char *whole = i < 2 ? types[i] : signature;

		for (size_t at = 0; at < strlen(whole); at++) {
			strcpy(text, whole);
			for (const char *mark = marks; *mark; mark++) {
				text[at] = *mark;
				assert_bearable(i < 2 ? text : "A", i < 2 ? "" : text);
			}
			text[at] = 0;
			assert_bearable(i < 2 ? text : "A", i < 2 ? "" : text);
		}
	}
}

static void name_limits_depth_not_length(void **state)
{
	char *deep = repeat("A`1[", 20, "System.Int32]]]]]]]]]]]]]]]]]]]]");
	char *too_deep = repeat("A`1[", 40,
				"System.Int32]]]]]]]]]]]]]]]]]]]]"
				"]]]]]]]]]]]]]]]]]]]]");
	char *wide = repeat("System.Int32,", 5000, "System.Int32");
	struct buf buf = BUF_INIT;

	(void)state;
	name__format(&buf, &(struct name_parts){deep, "M", "", ""});
	assert_non_null(strstr(buf.data, "A<A<int>>"));
	buf__clear(&buf);
	name__format(&buf, &(struct name_parts){too_deep, "M", "", ""});
	assert_memory_equal(buf.data, too_deep, strlen(too_deep));
	buf__clear(&buf);
	name__format(&buf, &(struct name_parts){"C", "M", "", wide});
	assert_memory_equal(buf.data, "C.M<int, int, ", 14);
	assert_int_equal(buf.size, strlen("C.M<>") + 5001 * 5 - 2);
	buf__free(&buf);
	free(wide);
	free(too_deep);
	free(deep);
}

static void name_of_tiers_and_versions(void **state)
{
	struct buf buf = BUF_INIT;

	(void)state;
	assert_string_equal(name__tier(TS_TIER_QUICK), "QuickJitted");
	assert_string_equal(name__tier(TS_TIER_1_OSR), "OptimizedTier1OSR");
	assert_string_equal(name__tier(TS_TIER_READY_TO_RUN), "ReadyToRun");
	assert_string_equal(name__tier(4711), "Unknown");
	assert_string_equal(name__tier_short(TS_TIER_QUICK), "tier0");
	assert_string_equal(name__tier_short(TS_TIER_1_INSTRUMENTED), "tier1-instr");
	assert_string_equal(name__tier_short(TS_TIER_COUNT), "unknown");
	for (unsigned int tier = 0; tier < TS_TIER_COUNT; tier++)
		assert_non_null(name__tier(tier));
	name__append_version(&buf, TS_TIER_1, 0, TS_NO_IL_OFFSET);
	name__append_version(&buf, TS_TIER_1, 2, TS_NO_IL_OFFSET);
	name__append_version(&buf, TS_TIER_1_OSR, 0, 0x1a);
	name__append_version(&buf, TS_TIER_1_OSR, 3, 0);
	assert_string_equal(buf.data, " [tier1] [tier1 #2] [osr@0x1a] [osr@0x0 #3]");
	buf__free(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(name_of_types),
		cmocka_unit_test(name_of_method_type_arguments),
		cmocka_unit_test(name_of_every_keyword),
		cmocka_unit_test(name_of_signatures),
		cmocka_unit_test(name_of_what_the_compiler_made),
		cmocka_unit_test(name_of_dynamic_methods),
		cmocka_unit_test(name_falls_back_to_what_it_cannot_read),
		cmocka_unit_test(name_survives_64_kilobytes_of_anything),
		cmocka_unit_test(name_survives_every_small_damage),
		cmocka_unit_test(name_limits_depth_not_length),
		cmocka_unit_test(name_of_tiers_and_versions),
	};

	return cmocka_run_group_tests_name("name", tests, NULL, NULL);
}
