// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Chains that begin in the blocks of a try.  The right stack is that of the
// method as it is written: the machinery that throws, and what was thrown
// through, is not in it.

using System;
using System.Runtime.CompilerServices;

namespace Chains;

internal static class Throwing
{
    public static readonly string[] Chains =
    {
        "Throwing.CatchLeaf < Throwing.CatchWork < Throwing.Catches < Throwing.Catch",
        "Throwing.FinallyLeaf < Throwing.Finishes < Throwing.FinishesOutside < Throwing.Finally",
        "Throwing.FilterLeaf < Throwing.FilterWork < Throwing.Filters < Throwing.Filter",
        "Throwing.NestedLeaf < Throwing.Nests < Throwing.Nested",
        "Throwing.UsualLeaf < Throwing.Usually < Throwing.Usual",
    };

    private const int Work = 1_000_000;

    private sealed class Thrown : Exception;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Thrower(long depth)
    {
        if (depth == 0)
            throw new Thrown();
        return Thrower(depth - 1) + 1;
    }

    // --- catch -----------------------------------------------------------------

    public static long Catch(long count) => Catches(count) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Catches(long value)
    {
        long sum = 0;
        try
        {
            // Where the handler is a cold part, samples in the hot one too.
            for (int i = 0; i < 4 * Work; i++)
                sum ^= sum + i;
            sum += Thrower(3);
        }
        catch (Thrown)
        {
            for (int i = 0; i < Work; i++)
                sum ^= sum + i;
            for (int i = 0; i < Work; i++)
                sum += CatchWork(value);
        }
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CatchWork(long value) => CatchLeaf(value) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CatchLeaf(long value) => value + 8;

    // --- finally, run because of an exception -----------------------------------------

    public static long Finally(long count) => FinishesOutside(count) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long FinishesOutside(long value)
    {
        try
        {
            return Finishes(value) + 1;
        }
        catch (Thrown)
        {
            return 2;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Finishes(long value)
    {
        long sum = 0;
        try
        {
            sum += Thrower(value);
        }
        finally
        {
            for (int i = 0; i < Work; i++)
                sum ^= sum + i;
            for (int i = 0; i < Work; i++)
                sum += FinallyLeaf(value);
        }
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long FinallyLeaf(long value) => value + 9;

    // --- filter, run before anything is unwound ------------------------------------------

    public static long Filter(long count) => Filters(count) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Filters(long value)
    {
        try
        {
            return Thrower(value + 2);
        }
        catch (Thrown) when (FilterWork(value) > 0)
        {
            return value;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long FilterWork(long value)
    {
        long sum = 1;
        for (int i = 0; i < Work; i++)
            sum += FilterLeaf(value) & 1;
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long FilterLeaf(long value) => value + 10;

    // --- a throw in a catch, in a finally ---------------------------------------------------

    public static long Nested(long count) => Nests(count) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Nests(long value)
    {
        long sum = 0;
        try
        {
            try
            {
                sum += Thrower(2);
            }
            catch (Thrown)
            {
                try
                {
                    sum += Thrower(1);
                }
                finally
                {
                    for (int i = 0; i < Work; i++)
                        sum += NestedLeaf(value);
                }
            }
        }
        catch (Thrown)
        {
            for (int i = 0; i < Work; i++)
                sum += NestedLeaf(value);
        }
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long NestedLeaf(long value) => value + 11;

    // --- finally without an exception ---------------------------------------------------------

    public static long Usual(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += Usually(i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Usually(long value)
    {
        long sum = 0;
        try
        {
            sum += UsualLeaf(value);
        }
        finally
        {
            for (int i = 0; i < 4; i++)
                sum += UsualLeaf(value + i);
            if (sum < 0)
                sum ^= UsualLeaf(~sum);
        }
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long UsualLeaf(long value) => value + 12;
}
