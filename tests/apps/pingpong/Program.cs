// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Two threads on one CPU that wake each other through pipes.  Before it wakes the other,
// each does a piece of work that is always the same, found at the start so that a switch
// comes about as often as was asked for.

using System;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;

namespace Pingpong;

internal static unsafe class Program
{
    private const int Rounds = 1000; // of one measurement
    private const int Tries = 50;    // the quickest is the one that nothing disturbed

    private static int thereFrom, thereTo, backFrom, backTo;
    private static int steps; // of work; changed while the other thread waits

    [DllImport("libc", EntryPoint = "pipe")]
    private static extern int MakePipe(int* ends);

    [DllImport("libc", EntryPoint = "read")]
    private static extern nint Read(int file, byte* bytes, nint count);

    [DllImport("libc", EntryPoint = "write")]
    private static extern nint Write(int file, byte* bytes, nint count);

    [DllImport("libc", EntryPoint = "sched_setaffinity")]
    private static extern int SetCpus(int thread, nint size, ulong* cpus);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Work(int steps)
    {
        int sum = 1;
        for (int i = 0; i < steps; i++)
            sum = sum * 1664525 + 1013904223;
        return sum;
    }

    // One switch: this thread is woken, and wakes the other.
    private static bool Pass(int from, int to)
    {
        byte one;
        if (Read(from, &one, 1) != 1)
            return false;
        one = (byte)Work(Volatile.Read(ref steps));
        return Write(to, &one, 1) == 1;
    }

    private static void Open(out int from, out int to)
    {
        int* ends = stackalloc int[2];
        if (MakePipe(ends) != 0)
            throw new InvalidOperationException("no pipe");
        (from, to) = (ends[0], ends[1]);
    }

    // Seconds of a switch with so much work, when nothing disturbs.
    private static double SwitchTime(int workSteps)
    {
        double best = 1;
        Volatile.Write(ref steps, workSteps);
        for (int i = 0; i < Tries; i++)
        {
            long began = Stopwatch.GetTimestamp();
            for (int round = 0; round < Rounds; round++)
                Pass(backFrom, thereTo);
            best = Math.Min(best, Stopwatch.GetElapsedTime(began).TotalSeconds / (2 * Rounds));
        }
        return best;
    }

    private static int StepsFor(double switches)
    {
        const int Some = 10000;
        SwitchTime(Some); // until the code is the final one
        Thread.Sleep(500);
        double least = SwitchTime(0), more = SwitchTime(Some) - least;
        return Math.Max(0, (int)((1 / switches - least) / more * Some));
    }

    private static int Main(string[] args)
    {
        if (args.Length != 1 || !double.TryParse(args[0], CultureInfo.InvariantCulture, out double switches))
        {
            Console.Error.WriteLine("usage: pingpong SWITCHES_PER_SECOND");
            return 3;
        }
        ulong first = 1;
        byte ball = 0;
        Open(out thereFrom, out thereTo);
        Open(out backFrom, out backTo);
        if (SetCpus(0, sizeof(ulong), &first) != 0)
            return 1;
        new Thread(() =>
        {
            while (Pass(thereFrom, backTo)) { }
        }) { IsBackground = true, Name = "partner" }.Start();
        Write(thereTo, &ball, 1);
        int found = StepsFor(switches);
        Volatile.Write(ref steps, found);
        Console.WriteLine($"pingpong: pid {Environment.ProcessId}, {found} steps of work");
        while (Pass(backFrom, thereTo)) { }
        return 1;
    }
}
