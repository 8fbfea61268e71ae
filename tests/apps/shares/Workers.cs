// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The methods whose shares are measured.  Each does its work in its own body:
// it calls nothing and is inlined nowhere, so its own time is all its time.
// Each has another instruction mix, so that a sampler that lands only at some
// instructions, or at safe points, cannot be right by chance.

using System.Runtime.CompilerServices;

namespace Shares;

internal static unsafe class Workers
{
    // Never optimized: one body for ever.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    public static ulong MinOpt(int count, ulong seed)
    {
        ulong value = seed;
        for (int i = 0; i < count; i++)
        {
            value ^= value << 13;
            value ^= value >> 7;
            value ^= value << 17;
        }
        return value;
    }

    // Optimized at its first call: one body for ever.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static ulong Optimized(int count, ulong seed)
    {
        ulong value = seed;
        for (int i = 0; i < count; i++)
            value = value * 6364136223846793005UL + 1442695040888963407UL;
        return value;
    }

    // Climbs from tier 0 over on-stack replacement to tier 1.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Tiered(int count, ulong seed)
    {
        ulong value = seed;
        ulong odd = 0;
        for (int i = 0; i < count; i++)
        {
            value = value % 2147483647 * 48271;
            if ((value & 1) != 0)
                odd += value;
        }
        return odd;
    }

    // Two functions, one per value type, with different work.  sizeof(T) is a
    // constant in each of their bodies, also at tier 0.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Generic<T>(int count, ulong seed) where T : unmanaged
    {
        ulong value = seed;
        if (sizeof(T) == sizeof(int))
        {
            for (int i = 0; i < count; i++)
                value = (value >> 1) ^ (0UL - (value & 1) & 0xd800000000000000UL);
        }
        else
        {
            for (int i = 0; i < count; i++)
                value = value / 3 + (value << 5) + (uint)i;
        }
        return value;
    }
}
