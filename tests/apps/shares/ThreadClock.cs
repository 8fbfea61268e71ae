// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors

using System;
using System.Runtime.InteropServices;

namespace Shares;

[StructLayout(LayoutKind.Sequential)]
internal struct Timespec
{
    public long Seconds;
    public long Nanoseconds;
}

// The CPU time of the calling thread.
internal static unsafe class ThreadClock
{
    private const int ThreadCpuClock = 3;

    [DllImport("libc", EntryPoint = "clock_gettime")]
    private static extern int ClockGetTime(int clock, Timespec* time);

    public static long Nanoseconds()
    {
        Timespec time;
        if (ClockGetTime(ThreadCpuClock, &time) != 0)
            throw new InvalidOperationException("clock_gettime failed");
        return time.Seconds * 1_000_000_000 + time.Nanoseconds;
    }
}
