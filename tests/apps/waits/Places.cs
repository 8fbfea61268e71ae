// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Each method waits for one thing, and says for how long it did by the clock.

using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Waits;

internal static unsafe class Places
{
    [DllImport("libc", EntryPoint = "usleep")]
    private static extern int Sleep(uint microseconds);

    [DllImport("libc", EntryPoint = "poll")]
    private static extern int PollNothing(void* files, ulong count, int milliseconds);

    [DllImport("libc", EntryPoint = "read")]
    private static extern long ReadFrom(int file, void* buffer, ulong size);

    [DllImport("libc", EntryPoint = "write")]
    private static extern long WriteTo(int file, void* buffer, ulong size);

    [DllImport("libc", EntryPoint = "pipe")]
    private static extern int MakePipe(int* ends);

    private static readonly object gate = new();
    private static volatile bool held;

    // Called in two tiers.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Nap(uint milliseconds)
    {
        long begin = Stopwatch.GetTimestamp();
        if (milliseconds > 0)
            Sleep(1000 * milliseconds);
        return Stopwatch.GetTimestamp() - begin;
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static long Poll(uint milliseconds)
    {
        long begin = Stopwatch.GetTimestamp();
        PollNothing(null, 0, (int)milliseconds);
        return Stopwatch.GetTimestamp() - begin;
    }

    // Somebody writes a byte then.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    public static long Read(int file)
    {
        byte one;
        long begin = Stopwatch.GetTimestamp();
        ReadFrom(file, &one, 1);
        return Stopwatch.GetTimestamp() - begin;
    }

    public static void Write(int file)
    {
        byte one = 1;
        WriteTo(file, &one, 1);
    }

    public static (int, int) Pipe()
    {
        int* ends = stackalloc int[2];
        if (MakePipe(ends) != 0)
            throw new InvalidOperationException("no pipe");
        return (ends[0], ends[1]);
    }

    // Somebody else holds the lock for so long.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static long Contend()
    {
        long begin = Stopwatch.GetTimestamp();
        lock (gate)
            return Stopwatch.GetTimestamp() - begin;
    }

    public static void AwaitHolder()
    {
        while (!held)
            Thread.Yield();
    }

    public static void Hold(int milliseconds)
    {
        lock (gate)
        {
            held = true;
            Thread.Sleep(milliseconds);
            held = false;
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static long Burn(int milliseconds)
    {
        long begin = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(begin).TotalMilliseconds < milliseconds)
        {
        }
        return Stopwatch.GetTimestamp() - begin;
    }
}
