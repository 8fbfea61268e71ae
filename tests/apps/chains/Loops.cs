// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Chains through code that changes while it runs: a loop that is replaced on the
// stack, and the same method at every tier.

using System.Runtime.CompilerServices;

namespace Chains;

internal static class Loops
{
    public static readonly string[] Chains =
    {
        "Loops.ReplacedLeaf < Loops.ReplacedInner < Loops.ReplacedOuter < Loops.Replaced",
        "Loops.TieredLeaf < Loops.TieredCall < Loops.Tiered",
        "Loops.NeverLeaf < Loops.NeverCall < Loops.Never",
    };

    public static long Replaced(long count) => ReplacedOuter(count) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long ReplacedOuter(long count)
    {
        long a = 1, b = 2, c = 3, d = 4;
        for (long i = 0; i < count; i++)
        {
            a += ReplacedInner(count * 10, a);
            b ^= a;
            c += b;
            d -= c;
        }
        return a + b + c + d;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long ReplacedInner(long count, long value)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
        {
            for (long j = 0; j < 5; j++)
                sum += ReplacedLeaf(value + i) ^ j;
        }
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long ReplacedLeaf(long value) => value ^ (value >> 3);

    public static long Tiered(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += TieredCall(i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long TieredCall(long value) => TieredLeaf(value) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long TieredLeaf(long value) => value + (value >> 5);

    public static long Never(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += NeverCall(i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static long NeverCall(long value) => NeverLeaf(value) + 1;

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static long NeverLeaf(long value) => value + (value >> 5);
}
