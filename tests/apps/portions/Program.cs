// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// One method in two code versions, or a loop in an OSR body beside another method; and
// how much CPU time each had by the thread's own clock: portions KIND [SECONDS].
//
//   rejit   Changed in its first and in its second ReJIT, three parts to seven
//   tiers   Straight in tier 0, then as long in tier 1 (needs a delay of call counting)
//   osr     Loop, called once, two parts to one of Other

using System;
using System.Globalization;
using System.Linq;
using System.Runtime.CompilerServices;
using Rejit;
using Shares;

namespace Portions;

internal static class Program
{
    private const int CallsPerBlock = 10_000;
    private const int FirstBlocks = 20;
    private const int FastBlocks = 20;

    private static int Main(string[] args)
    {
        double seconds = 2;
        if (args.Length is < 1 or > 2 ||
            (args.Length == 2 && !double.TryParse(args[1], CultureInfo.InvariantCulture, out seconds)))
        {
            Console.Error.WriteLine("usage: portions rejit|tiers|osr [SECONDS]");
            return 3;
        }
        Console.WriteLine($"portions: pid {Environment.ProcessId}, {args[0]}");
        Console.Out.Flush();
        (string, long)[] portions = args[0] switch
        {
            "rejit" => ReJIT(seconds),
            "tiers" => Tiers(seconds),
            "osr" => OnStackReplacement(seconds),
            _ => throw new ArgumentException($"no kind {args[0]}"),
        };
        string list = string.Join(", ", portions.Select(p => $"\"{p.Item1}\": {p.Item2}"));
        Console.WriteLine($"{{\"pid\": {Environment.ProcessId}, \"cpu_ns\": {{{list}}}}}");
        return 0;
    }

    private static long Nanoseconds(double seconds) => (long)(seconds * 1e9);

    private static (string, long)[] ReJIT(double seconds) =>
        new[] { ("first", Change(1001, 0.3 * seconds)), ("second", Change(1002, 0.7 * seconds)) };

    // The first call compiles: it is not counted, and too short to be sampled.
    private static long Change(int value, double seconds)
    {
        Profiler.Request(typeof(Targets).GetMethod(nameof(Targets.Changed))!, value);
        Targets.Changed(1);
        long used = 0, began = ThreadClock.Nanoseconds();
        while (used < Nanoseconds(seconds))
        {
            if (Targets.Changed(20_000) != value)
                throw new InvalidOperationException($"not the IL of {value}");
            used = ThreadClock.Nanoseconds() - began;
        }
        return used;
    }

    // Tier 1 is several times as fast: it begins with the first of many fast blocks.
    private static (string, long)[] Tiers(double seconds)
    {
        long slow = 0, fast = 0, first = long.MaxValue;
        int streak = 0;
        ulong value = 88172645463325252;
        for (int block = 0; streak < FastBlocks || fast < slow; block++)
        {
            long used = Block(ref value);
            if (block < FirstBlocks)
                first = Math.Min(first, used);
            if (streak >= FastBlocks || (block >= FirstBlocks && used < first / 2))
            {
                fast += used;
                streak++;
            }
            else
            {
                slow += fast + used;
                fast = streak = 0;
            }
            if (slow > Nanoseconds(10 * seconds))
                throw new InvalidOperationException($"tier 1 did not come: {slow} ns");
        }
        return new[] { ("tier 0", slow), ("tier 1", fast) };
    }

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static long Block(ref ulong value)
    {
        long began = ThreadClock.Nanoseconds();
        ulong x = value;
        for (int i = 0; i < CallsPerBlock; i++)
            x = Targets.Straight(x);
        value = x;
        return ThreadClock.Nanoseconds() - began;
    }

    private static (string, long)[] OnStackReplacement(double seconds)
    {
        long own = 0, other = 0;
        Loop(Nanoseconds(seconds), ref own, ref other);
        return new[] { ("loop", own), ("other", other) };
    }

    // What it does itself is done in a body that its loop is entered through.  The amounts
    // of work change from turn to turn, lest they fall into step with a sampling period.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong Loop(long length, ref long own, ref long other)
    {
        ulong x = 88172645463325252;
        while (own + other < length)
        {
            int rounds = 300_000 + (int)(x >> 47), less = 150_000 + (int)(x >> 33 & 0xffff);
            long began = ThreadClock.Nanoseconds();
            for (int i = 0; i < rounds; i++)
                x = x * 6364136223846793005 + 1442695040888963407;
            long between = ThreadClock.Nanoseconds();
            x = Targets.Other(less, x);
            other += ThreadClock.Nanoseconds() - between;
            own += between - began;
        }
        return x;
    }
}
