// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Code that lives only as long as its collectible AssemblyLoadContext.

using System.Collections.Generic;
using System.Runtime.CompilerServices;

namespace Plugin;

// A value type of ours makes List<Point> a function of its own whose code goes
// with this assembly, although its module is the framework's.
public struct Point
{
    public int X;
    public int Y;
}

public static class Entry
{
    public static long Run(int seed)
    {
        var points = new List<Point>();
        for (int i = 0; i < 64; i++)
            points.Add(new Point { X = Scramble(seed + i), Y = i });

        long sum = 0;
        for (int round = 0; round < 200; round++)
            sum += SumOf(points, round);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Scramble(int value)
    {
        for (int i = 0; i < 40; i++)
            value = value * 1664525 + 1013904223;
        return value & 0xffff;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long SumOf(List<Point> points, int round)
    {
        long sum = round;
        for (int i = 0; i < points.Count; i++)
            sum += points[i].X ^ points[i].Y;
        return sum;
    }
}
