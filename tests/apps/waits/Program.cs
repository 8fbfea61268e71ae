// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Threads that wait, each in a method and for a thing of its own, and what they know of it:
// by the clock, and by the kernel's own account of the thread.

using System;
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using System.Threading;

namespace Waits;

internal static class Program
{
    private const int Rounds = 20;

    private static readonly ConcurrentQueue<string> Told = new();
    private static volatile bool lockerDone;

    [DllImport("libc", EntryPoint = "gettid")]
    private static extern int ThisThread();

    private static string[] Account() => File.ReadAllText("/proc/thread-self/schedstat").Split(' ');

    // The numbers are nanoseconds; run and delay are the kernel's.  The thread lived
    // at least for `life`.
    private static Thread Run(string name, Func<string> work)
    {
        var thread = new Thread(() =>
        {
            long begin = Stopwatch.GetTimestamp();
            string what = work();
            // Of a thread that runs the kernel's account is as old as the last tick, or switch.
            _ = Account();
            Thread.Sleep(1);
            string[] account = Account();
            long life = (long)Stopwatch.GetElapsedTime(begin).TotalNanoseconds;
            Told.Enqueue(string.Create(CultureInfo.InvariantCulture,
                $"\"{name}\": {{\"tid\": {ThisThread()}, \"life\": {life}, \"run\": {account[0]}, \"delay\": {account[1]}, {what}}}"));
        }) { Name = name, IsBackground = true };
        thread.Start();
        return thread;
    }

    private static long Sum(int rounds, Func<long> wait)
    {
        long sum = 0;
        for (int i = 0; i < rounds; i++)
            sum += wait();
        return (long)(sum * (1e9 / Stopwatch.Frequency));
    }

    private static string One(Func<long> wait) => $"\"waited\": {Sum(Rounds, wait)}";

    // Half of it in the first body, half in the one that replaces it.
    private static string NapInTwoTiers()
    {
        long first = Sum(Rounds / 2, () => Places.Nap(40));
        for (int i = 0; i < 100; i++)
            Places.Nap(0);
        Thread.Sleep(1000);
        return $"\"waited\": {first}, \"waited_later\": {Sum(Rounds / 2, () => Places.Nap(40))}";
    }

    private static long Hold()
    {
        Thread.Sleep(20);
        Places.Hold(40);
        return 0;
    }

    // Whom the locker did not see holding, it waits for once more.
    private static string HoldForLocker()
    {
        string told = One(Hold);
        while (!lockerDone)
            Hold();
        return told;
    }

    private static string Contend()
    {
        string told = One(() => { Places.AwaitHolder(); return Places.Contend(); });
        lockerDone = true;
        return told;
    }

    private static void Listen()
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _ = listener.AcceptSocketAsync();
    }

    private static void Main(string[] arguments)
    {
        Console.WriteLine($"waits: pid {Environment.ProcessId}, {Rounds} rounds");
        Listen();
        (int reading, int writing) = Places.Pipe();
        // The runtime's start waits at many places; what comes is not to share the budget with it.
        Thread.Sleep(600);
        Thread[] threads =
        [
            Run("napper", NapInTwoTiers),
            Run("poller", () => One(() => Places.Poll(40))),
            Run("reader", () => One(() => Places.Read(reading))),
            Run("writer", () => One(() => { Thread.Sleep(40); Places.Write(writing); return 0; })),
            Run("holder", HoldForLocker),
            Run("locker", Contend),
            Run("burner", () => One(() => Places.Burn(10))),
        ];
        foreach (Thread thread in threads)
            thread.Join();
        Console.WriteLine("{" + string.Join(", ", Told) + "}");
    }
}
