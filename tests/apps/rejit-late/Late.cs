// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors

using System.Runtime.CompilerServices;

namespace Rejit;

public static class Late
{
    // The first method of the assembly: token 0x06000001.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Work(int rounds)
    {
        uint x = (uint)rounds;
        for (int i = 0; i < rounds; i++)
            x = x * 1664525 + 1013904223;
        return x == 0 ? 0 : 0x5eed1e55;
    }
}
