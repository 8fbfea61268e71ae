// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The methods that are changed.  Each returns the marker, which the profiler replaces,
// and spends its time in itself.

using System.Reflection;
using System.Runtime.CompilerServices;

namespace Rejit;

internal sealed class Flag
{
    public volatile bool Set;
}

internal static class Targets
{
    public const int Marker = 0x5eed1e55;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Plain(int rounds)
    {
        uint x = (uint)rounds;
        for (int i = 0; i < rounds; i++)
            x = x * 1664525 + 1013904223;
        return x == 0 ? 0 : Marker;
    }

    // A thread stays inside for as long as it likes.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Stay(Flag stop)
    {
        uint x = 1;
        while (!stop.Set)
            x = x * 1664525 + 1013904223;
        return x == 1 ? 0 : Marker;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Generic<T>(int rounds)
    {
        uint x = (uint)Unsafe.SizeOf<T>();
        for (int i = 0; i < rounds; i++)
            x = x * 1664525 + 1013904223;
        return x == 0 ? 0 : Marker;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Refused(int rounds)
    {
        uint x = (uint)rounds;
        for (int i = 0; i < rounds; i++)
            x = x * 1664525 + 1013904223;
        return x == 0 ? 0 : Marker;
    }

    // Small enough to become part of its caller.
    public static int Small() => Marker;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Caller(int rounds)
    {
        uint x = (uint)rounds;
        for (int i = 0; i < rounds; i++)
            x = x * 1664525 + 1013904223;
        return x == 0 ? 0 : Small();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Crowded(int rounds)
    {
        uint x = (uint)rounds;
        for (int i = 0; i < rounds; i++)
            x = x * 1664525 + 1013904223;
        return x == 0 ? 0 : Marker;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Pending(int rounds)
    {
        uint x = (uint)rounds;
        for (int i = 0; i < rounds; i++)
            x = x * 1664525 + 1013904223;
        return x == 0 ? 0 : Marker;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Broken(int rounds)
    {
        uint x = (uint)rounds;
        for (int i = 0; i < rounds; i++)
            x = x * 1664525 + 1013904223;
        return x == 0 ? 0 : Marker;
    }

    // Small enough to become part of Middle, and with it of Keeper.
    public static int Tiny() => Marker;

    public static int Middle() => Tiny();

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Keeper(int rounds)
    {
        uint x = (uint)rounds;
        for (int i = 0; i < rounds; i++)
            x = x * 1664525 + 1013904223;
        return x == 0 ? 0 : Middle();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Borrower(int rounds)
    {
        uint x = (uint)rounds;
        for (int i = 0; i < rounds; i++)
            x = x * 1664525 + 1013904223;
        return x == 0 ? 0 : Library.Lent();
    }

    public static MethodInfo Find(string name) => typeof(Targets).GetMethod(name)!;
}
