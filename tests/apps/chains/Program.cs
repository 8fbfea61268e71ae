// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Known call chains: every method here has one caller, so a sample in it has one
// right stack.  Runs each chain for a moment, in turn, on the main thread and on
// one more, for SECONDS of CPU time.  chains [SECONDS] [--threads N] [--calls N].
//
// Before it begins it prints the chains, one per line, leaf first:
//
//     chain Frames.Tiny < Frames.OneCall < Frames.Frameless
//
// Below the last one stand Program.RunSlice, Program.RunRounds, and the thread's
// entry.  A caller is a method of this program, or one of:
//     System.X.Y     that method
//     (framework)    one or more methods of System.*
//     (runtime)      any frames that are not of this program
//     Name*N         N of it, each called by the one before

using System;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Threading;

namespace Chains;

internal static class Program
{
    private const int SliceMilliseconds = 4;

    private static long _sink;

    private static readonly (Func<long, long> Unit, int Calls)[] Units =
    {
        (Frames.Frameless, 50), (Frames.Framed, 50), (Frames.Saving, 50), (Frames.Structs, 50),
        (Frames.Allocating, 50), (Frames.Large, 20), (Frames.Larger, 5), (Frames.Tails, 50),
        (Calls.Virtual, 50), (Calls.Interface, 50), (Calls.Single, 50),
        (Calls.Delegate, 50), (Calls.Static, 50), (Calls.Multicast, 20), (Calls.Struct, 50),
        (Generics.Shared, 50), (Generics.Value, 50), (Generics.Virtual, 20), (Generics.Pointers, 50),
        (Loops.Replaced, 30), (Loops.Tiered, 20), (Loops.Never, 20),
        (Framework.Sort, 1), (Framework.ForEach, 1), (Framework.Linq, 1), (Framework.Leaf, 20), (Framework.Lookup, 1),
        (Throwing.Usual, 20),
        (RunTime.Dynamic, 50), (RunTime.Lambda, 50), (RunTime.Deep, 1), (RunTime.Deeper, 1),
    };

    // Not for one who steps through: exceptions and static constructors are mostly
    // the runtime's own native code.
    private static readonly Func<long, long>[] Native =
    {
        Throwing.Catch, Throwing.Finally, Throwing.Filter, Throwing.Nested, Statics.Initialize,
    };

    private static readonly string[][] Tables =
    {
        Frames.Chains, Calls.Chains, Generics.Chains, Loops.Chains, Framework.Chains, Throwing.Chains, RunTime.Chains,
        Statics.Chains,
    };

    private static int Main(string[] args)
    {
        double seconds = 10;
        int threads = 1, calls = 0;
        for (int i = 0; i < args.Length; i++)
        {
            bool good = args[i] switch
            {
                "--threads" => ++i < args.Length && int.TryParse(args[i], out threads) && threads is >= 0 and <= 16,
                "--calls" => ++i < args.Length && int.TryParse(args[i], out calls) && calls > 0,
                _ => double.TryParse(args[i], CultureInfo.InvariantCulture, out seconds) && seconds >= 0,
            };
            if (good)
                continue;
            Console.Error.WriteLine("usage: chains [SECONDS] [--threads N] [--calls N]");
            return 3;
        }

        Console.WriteLine($"chains: pid {Environment.ProcessId}, {seconds.ToString(CultureInfo.InvariantCulture)} s");
        foreach (string[] table in Tables)
        {
            foreach (string chain in table)
                Console.WriteLine($"chain {chain}");
        }
        Console.Out.Flush();

        TimeSpan end = Environment.CpuUsage.TotalTime + TimeSpan.FromSeconds(seconds);
        var workers = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            workers[i] = new Thread([MethodImpl(MethodImplOptions.NoInlining)] () => Enter(end, calls));
            workers[i].Start();
        }
        long rounds = RunRounds(end, calls);
        foreach (Thread worker in workers)
            worker.Join();
        Console.WriteLine($"chains: done after {rounds} rounds");
        return 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Enter(TimeSpan end, int calls)
    {
        long rounds = RunRounds(end, calls);
        Interlocked.Add(ref _sink, rounds);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long RunRounds(TimeSpan end, int calls)
    {
        long round = 0;
        while (Environment.CpuUsage.TotalTime < end)
        {
            foreach ((Func<long, long> unit, int count) in Units)
            {
                if (calls > 0)
                    RunCalls(unit, calls);
                else
                    RunSlice(unit, count);
            }
            foreach (Func<long, long> unit in Native)
            {
                if (calls == 0)
                    RunCalls(unit, 1);
            }
            round++;
            if (calls > 0 && (round & (round - 1)) == 0)
                Console.WriteLine($"round {round}");
        }
        return round;
    }

    // For a few calls of everything, as one who steps through it wants.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunCalls(Func<long, long> unit, int calls)
    {
        long sum = 0;
        for (int i = 0; i < calls; i++)
            sum += unit(1);
        Interlocked.Add(ref _sink, sum);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void RunSlice(Func<long, long> unit, int count)
    {
        long sliceEnd = Stopwatch.GetTimestamp() + SliceMilliseconds * Stopwatch.Frequency / 1000;
        long sum = 0;
        do
            sum += unit(count);
        while (Stopwatch.GetTimestamp() < sliceEnd);
        Interlocked.Add(ref _sink, sum);
    }
}
