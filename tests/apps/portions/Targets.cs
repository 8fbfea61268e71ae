// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Methods that spend their time in themselves.

using System.Runtime.CompilerServices;

namespace Portions;

internal static class Targets
{
    public const int Marker = 0x5eed1e55;

    // Compiled once per IL version.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static int Changed(int rounds)
    {
        uint x = (uint)rounds;
        for (int i = 0; i < rounds; i++)
            x = x * 1664525 + 1013904223;
        return x == 0 ? 0 : Marker;
    }

    // Without a loop, so that no OSR body takes over what tier 0 began.  What becomes of y
    // is never used: tier 1 leaves it out, and is several times as fast.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static ulong Straight(ulong x)
    {
        ulong y = x;
        x = x * 6364136223846793005 + 1; x ^= x >> 29; x = x * 6364136223846793005 + 1; x ^= x >> 29;
        x = x * 6364136223846793005 + 1; x ^= x >> 29; x = x * 6364136223846793005 + 1; x ^= x >> 29;
        x = x * 6364136223846793005 + 1; x ^= x >> 29; x = x * 6364136223846793005 + 1; x ^= x >> 29;
        x = x * 6364136223846793005 + 1; x ^= x >> 29; x = x * 6364136223846793005 + 1; x ^= x >> 29;
        x = x * 6364136223846793005 + 1; x ^= x >> 29; x = x * 6364136223846793005 + 1; x ^= x >> 29;
        x = x * 6364136223846793005 + 1; x ^= x >> 29; x = x * 6364136223846793005 + 1; x ^= x >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        y = y * 6364136223846793005 + 1; y ^= y >> 29; y = y * 6364136223846793005 + 1; y ^= y >> 29;
        return x;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static ulong Other(int rounds, ulong x)
    {
        for (int i = 0; i < rounds; i++)
            x = x * 6364136223846793005 + 1442695040888963407;
        return x;
    }
}
