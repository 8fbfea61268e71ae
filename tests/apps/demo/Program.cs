// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The demo: spreads its time over every kind of code that the runtime can
// make, so that one recording of ten seconds shows them all.

using System;
using System.Diagnostics;
using System.Globalization;
using System.Threading;

namespace Demo;

internal static class Program
{
    private const int SliceMilliseconds = 15;

    // Keeps results alive, so that no loop can be optimized away.
    private static long _sink;

    private static int Main(string[] args)
    {
        double seconds = 10;
        int threads = 1;
        if (!Parse(args, ref seconds, ref threads))
        {
            Console.Error.WriteLine("usage: demo [SECONDS] [--threads N]");
            return 3;
        }

        Console.WriteLine($"demo: pid {Environment.ProcessId}, {seconds.ToString(CultureInfo.InvariantCulture)} s, {threads} threads");
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        int rounds = 0;
        var workers = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            workers[i] = new Thread(() => Interlocked.Add(ref rounds, RunRounds(end))) { Name = $"worker {i}" };
            workers[i].Start();
        }
        foreach (Thread worker in workers)
            worker.Join();
        Console.WriteLine($"demo: done after {rounds} rounds");
        return 0;
    }

    private static bool Parse(string[] args, ref double seconds, ref int threads)
    {
        for (int i = 0; i < args.Length; i++)
        {
            bool good = args[i] == "--threads"
                ? ++i < args.Length && int.TryParse(args[i], out threads) && threads is > 0 and <= 256
                : double.TryParse(args[i], CultureInfo.InvariantCulture, out seconds) && seconds >= 0;
            if (!good)
                return false;
        }
        return true;
    }

    private static int RunRounds(long end)
    {
        Func<int, long>[] units =
        {
            Loops.Collatz, Loops.Matrix,
            Calls.Small, Calls.Virtual, Calls.Interface, Calls.Delegate,
            Generics.Types, Generics.Methods,
            RunTimeCode.Expression, RunTimeCode.Dynamic, RunTimeCode.Collectible,
            Flow.Async, Flow.Exceptions, Flow.Recursion,
            Framework.Regex, Framework.Json, Framework.Sort,
        };
        int round = 0;
        while (Stopwatch.GetTimestamp() < end)
        {
            foreach (Func<int, long> unit in units)
                RunSlice(unit, round, end);
            round++;
        }
        return round;
    }

    private static void RunSlice(Func<int, long> unit, int round, long end)
    {
        long sliceEnd = Math.Min(end, Stopwatch.GetTimestamp() + SliceMilliseconds * Stopwatch.Frequency / 1000);
        long sum = 0;
        do
            sum += unit(round);
        while (Stopwatch.GetTimestamp() < sliceEnd);
        Interlocked.Add(ref _sink, sum);
    }
}
