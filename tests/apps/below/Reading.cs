// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Nearly all of its time is in the kernel, below one managed method.

using System;
using System.Diagnostics;
using System.IO;
using System.Runtime.CompilerServices;

namespace Below;

internal static class Reading
{
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static long ReadRandom(FileStream file, byte[] buffer)
    {
        long sum = 0;
        for (int i = 0; i < 16; i++)
            sum += file.Read(buffer, 0, buffer.Length);
        return sum;
    }

    public static void Run(long end)
    {
        using var file = new FileStream("/dev/urandom", FileMode.Open, FileAccess.Read, FileShare.Read, 0);
        var buffer = new byte[1 << 16];
        long sum = 0;

        while (Stopwatch.GetTimestamp() < end)
            sum += ReadRandom(file, buffer);
        Console.WriteLine($"read {sum} bytes");
    }
}
