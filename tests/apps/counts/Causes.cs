// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Each method has one body for ever and causes one thing: faults in pages that it is the
// first to write to, or waits.  System calls go through libc's syscall(), which keeps the
// caller's rbp.

using System;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Counts;

[StructLayout(LayoutKind.Sequential)]
internal unsafe struct Usage
{
    private const int ThisThread = 1;

    private fixed long times[4];
    private fixed long sizes[4];
    public long MinorFaults;
    public long MajorFaults;
    private fixed long others[6];
    public long Waits;
    public long Preempted;

    [DllImport("libc", EntryPoint = "getrusage")]
    private static extern int GetUsage(int who, Usage* usage);

    public static void Read(Usage* usage)
    {
        if (GetUsage(ThisThread, usage) != 0)
            throw new InvalidOperationException("getrusage failed");
    }
}

internal static unsafe class Causes
{
    private const int PageBytes = 4096;
    private const long SystemMap = 9, SystemUnmap = 11, SystemAdvise = 28, SystemNanosleep = 35;
    private const long ReadAndWrite = 3, PrivateAndAnonymous = 0x22, NoHugePages = 15;

    private static ulong value = 88172645463325252;

    [DllImport("libc", EntryPoint = "syscall")]
    private static extern long SystemCall(long number, long a, long b, long c, long d, long e, long f);

    private static byte* FreshPages(int count)
    {
        long size = (long)count * PageBytes;
        long address = SystemCall(SystemMap, 0, size, ReadAndWrite, PrivateAndAnonymous, -1, 0);
        if (address <= 0 || SystemCall(SystemAdvise, address, size, NoHugePages, 0, 0, 0) != 0)
            throw new InvalidOperationException("no fresh pages");
        return (byte*)address;
    }

    private static void GiveBack(byte* pages, int count)
    {
        SystemCall(SystemUnmap, (long)pages, (long)count * PageBytes, 0, 0, 0, 0);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void TouchOptimized(int count)
    {
        byte* pages = FreshPages(count);
        for (int i = 0; i < count; i++)
            pages[(long)i * PageBytes] = 1;
        GiveBack(pages, count);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    public static void TouchMinOpt(int count)
    {
        byte* pages = FreshPages(count);
        for (int i = 0; i < count; i++)
            pages[(long)i * PageBytes] = 1;
        GiveBack(pages, count);
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    public static void Nap(int count)
    {
        for (int i = 0; i < count; i++)
            NapOnce();
    }

    // Below libc's frameless function: a walk by rbp can pass over it, but not over Nap.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.NoOptimization)]
    private static void NapOnce()
    {
        long* time = stackalloc long[] { 0, 100_000 };
        SystemCall(SystemNanosleep, (long)time, 0, 0, 0, 0, 0);
    }

    // Neither: only CPU time.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    public static void Burn(int count)
    {
        ulong number = value;
        for (int i = 0; i < count; i++)
            number = number * 6364136223846793005UL + 1442695040888963407UL;
        value = number;
    }

    // So that neither the compiler nor the loader works within a method.
    public static void Prepare()
    {
        foreach (Action<int> method in new Action<int>[] { TouchOptimized, TouchMinOpt, Nap, Burn })
            RuntimeHelpers.PrepareMethod(method.Method.MethodHandle);
        SystemCall(SystemUnmap, 0, 0, 0, 0, 0, 0);
    }
}
