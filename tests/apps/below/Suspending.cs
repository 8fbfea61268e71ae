// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// One thread collects without a pause; the others run small methods whose code is
// not interruptible, so that the runtime stops them by changing the return address
// of the method that they are in.  All that they do lies below Worker.

using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Threading;

namespace Below;

internal static class Suspending
{
    private const MethodImplOptions Kept = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    // Long without a call or a loop: it is here that a thread is found.
    [MethodImpl(Kept)]
    private static ulong Leaf(ulong value)
    {
        value ^= value << 13; value ^= value >> 7; value ^= value << 17; value = value / 3 + 1;
        value ^= value << 13; value ^= value >> 7; value ^= value << 17; value = value / 5 + 1;
        value ^= value << 13; value ^= value >> 7; value ^= value << 17; value = value / 7 + 1;
        value ^= value << 13; value ^= value >> 7; value ^= value << 17; value = value / 3 + 1;
        value ^= value << 13; value ^= value >> 7; value ^= value << 17; value = value / 5 + 1;
        value ^= value << 13; value ^= value >> 7; value ^= value << 17; value = value / 7 + 1;
        return value;
    }

    [MethodImpl(Kept)]
    private static ulong Inner(ulong value) => Leaf(value) + Leaf(value + 1);

    [MethodImpl(Kept)]
    private static ulong Outer(ulong value)
    {
        ulong sum = 0;
        for (int i = 0; i < 64; i++)
            sum += Inner(value + sum);
        return sum;
    }

    [MethodImpl(Kept)]
    private static void Worker(long end)
    {
        ulong value = 1;
        while (Stopwatch.GetTimestamp() < end)
            value += Outer(value);
        GC.KeepAlive(value);
    }

    public static void Run(long end)
    {
        var workers = new Thread[2];
        int collections = 0;

        for (int i = 0; i < workers.Length; i++)
        {
            workers[i] = new Thread(() => Worker(end)) { IsBackground = true, Name = "worker" };
            workers[i].Start();
        }
        while (Stopwatch.GetTimestamp() < end)
        {
            GC.Collect(0, GCCollectionMode.Forced, blocking: true);
            collections++;
        }
        foreach (Thread worker in workers)
            worker.Join();
        Console.WriteLine($"collected {collections} times");
    }
}
