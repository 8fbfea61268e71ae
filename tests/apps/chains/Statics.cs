// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// A static constructor is called by the runtime, from the first use of its class.
// One instantiation after the other, so that there is one for each round.

using System;
using System.Runtime.CompilerServices;

namespace Chains;

internal static class Slow<T>
{
    public static readonly long Value;

    static Slow() => Value = Statics.Construct();
}

internal static class Statics
{
    public static readonly string[] Chains =
    {
        "Statics.ConstructLeaf < Statics.Construct < Slow<__Canon>..cctor < (runtime) < Statics.Use < Statics.Initialize",
    };

    private static Type _next = typeof(string);

    public static long Initialize(long count)
    {
        lock (Chains)
        {
            _next = _next.MakeArrayType();
            if (_next.Name.Length > 600)
                return 0;
            return Use(_next) + count;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Use(Type type)
    {
        RuntimeHelpers.RunClassConstructor(typeof(Slow<>).MakeGenericType(type).TypeHandle);
        return 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Construct()
    {
        long sum = 0;
        for (int i = 0; i < 1_000_000; i++)
            sum += ConstructLeaf(i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long ConstructLeaf(long value) => value ^ (value >> 2);
}
