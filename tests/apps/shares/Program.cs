// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The accuracy program: runs a few methods in turn on one thread, measures the
// CPU time of each with the thread's own CPU clock, and prints it as JSON at
// the end.  shares [SECONDS].

using System;
using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;

namespace Shares;

internal delegate ulong Work(int count, ulong seed);

// A block is a few calls in a row between two readings of the clock.  Times
// are in microseconds per call, wanted and not promised: the clock tells.
// Prime numbers, so that no block falls into step with a sampling period.
internal sealed class Worker(string method, Work work, int microseconds, int callsPerBlock)
{
    public string Method { get; } = method;
    public Work Work { get; } = work;
    public int CallsPerBlock { get; } = callsPerBlock;
    public int Microseconds { get; } = microseconds;
    public int Count { get; set; } = 1_009;
    public long Calls { get; set; }
    public long Blocks { get; set; }
    public long CpuNanoseconds { get; set; }
}

internal static class Program
{
    private static int Main(string[] args)
    {
        double seconds = 15;
        if (args.Length > 1 || (args.Length == 1 && !double.TryParse(args[0], CultureInfo.InvariantCulture, out seconds)))
        {
            Console.Error.WriteLine("usage: shares [SECONDS]");
            return 3;
        }

        Worker[] workers =
        {
            new("MinOpt", Workers.MinOpt, 701, 5),
            new("Optimized", Workers.Optimized, 499, 13),
            new("Tiered", Workers.Tiered, 613, 11),
            new("Generic<int>", Workers.Generic<int>, 307, 7),
            new("Generic<long>", Workers.Generic<long>, 1_009, 3),
        };
        Console.WriteLine($"shares: pid {Environment.ProcessId}, {seconds.ToString(CultureInfo.InvariantCulture)} s");
        Console.Out.Flush();

        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        ulong value = 88172645463325252;
        while (Stopwatch.GetTimestamp() < end)
        {
            foreach (Worker worker in workers)
                value = RunBlock(worker, value);
        }
        Console.WriteLine(Json(workers, value));
        return 0;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static ulong RunBlock(Worker worker, ulong value)
    {
        Work work = worker.Work;
        int count = worker.Count;
        long before = ThreadClock.Nanoseconds();
        for (int i = 0; i < worker.CallsPerBlock; i++)
            value = work(count, value | 1);
        long used = ThreadClock.Nanoseconds() - before;

        worker.CpuNanoseconds += used;
        worker.Calls += worker.CallsPerBlock;
        worker.Blocks++;

        // Faster bodies get more to do, in steps that end soon.
        long wanted = 1_000L * worker.Microseconds * worker.CallsPerBlock;
        if (used < wanted / 2)
            worker.Count = Math.Min(worker.Count * 2 + 1, 1 << 28);
        return value;
    }

    private static string Json(Worker[] workers, ulong value)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{{\"pid\":{Environment.ProcessId},\"check\":{value},");
        text.Append(CultureInfo.InvariantCulture, $"\"thread_cpu_ns\":{ThreadClock.Nanoseconds()},\"methods\":[");
        for (int i = 0; i < workers.Length; i++)
        {
            Worker worker = workers[i];
            text.Append(i == 0 ? "" : ",");
            text.Append(CultureInfo.InvariantCulture, $"{{\"name\":\"Shares.Workers.{worker.Method}\",");
            text.Append(CultureInfo.InvariantCulture, $"\"cpu_ns\":{worker.CpuNanoseconds},\"calls\":{worker.Calls},\"blocks\":{worker.Blocks}}}");
        }
        return text.Append("]}").ToString();
    }
}
