// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Methods whose IL is changed while they run: rejit SCENARIO,... SECONDS [STAY]
//
// SECONDS is for each phase.  A line of JSON per phase says between which times which
// thread ran which IL version of which method: 0 is the original, 1 the first change.
// With STAY the program goes on calling for so many seconds after it is settled, or until SIGTERM,
// and what is known by then is dumped beside what is known at the end.

using System;
using System.Diagnostics;
using System.Globalization;
using System.IO;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Threading;
using Shares;

namespace Rejit;

internal static class Program
{
    private const int Rounds = 20_000;
    private const int FirstMethod = 0x06000001;
    private const int CrowdThreads = 4;
    private const int CrowdChanges = 12;
    private const double Worked = 0.4;

    private static double seconds = 0.5;
    private static volatile bool enough;
    private static Func<int, int> stay = Targets.Plain;

    [DllImport("libc", EntryPoint = "gettid")]
    private static extern int ThreadId();

    private static int Main(string[] args)
    {
        if (args.Length is < 2 or > 3)
        {
            Console.Error.WriteLine("usage: rejit SCENARIO,... SECONDS [STAY]");
            return 3;
        }
        seconds = double.Parse(args[1], CultureInfo.InvariantCulture);
        Console.WriteLine($"rejit: pid {Environment.ProcessId}, {args[0]}");
        string bodies = Environment.GetEnvironmentVariable("REJIT_BODIES") ?? throw new InvalidOperationException("REJIT_BODIES is not set");

        foreach (string scenario in args[0].Split(','))
            Run(scenario);
        if (args.Length > 2)
        {
            using var onSignal = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal =>
            {
                signal.Cancel = true;
                enough = true;
            });
            Profiler.Dump(bodies + ".settled");
            Console.WriteLine("rejit: settled");
            Phase(stay.Method.Name, stay, -1, null, double.Parse(args[2], CultureInfo.InvariantCulture));
        }
        Profiler.Dump(bodies);
        Console.WriteLine("rejit: done");
        return 0;
    }

    private static void Run(string scenario)
    {
        switch (scenario)
        {
            case "wait": Wait(); break;
            case "versions": Versions(); break;
            case "stay": Stay(); break;
            case "generics": Generics(); break;
            case "late": LateModule(); break;
            case "precompiled": Precompiled(); break;
            case "refused": Refused(); break;
            case "inliners": Inliners(); break;
            case "inlined": Inlined(); break;
            case "built-in": BuiltIn(); break;
            case "lent": Lent(); break;
            case "crowd": Crowd(); break;
            case "pending": Pending(); break;
            case "broken": Broken(); break;
            default: throw new ArgumentException($"no scenario {scenario}");
        }
    }

    // Calls until the time is over, and the thread had a part of it on a CPU, however busy the
    // machine is; each call has to return `expected`.
    private static void Phase(string method, Func<int, int> function, int version, int? expected, double length = 0)
    {
        long begin = Stopwatch.GetTimestamp();
        long end = begin + (long)((length > 0 ? length : seconds) * Stopwatch.Frequency);
        long worked = ThreadClock.Nanoseconds() + (length > 0 ? 0 : (long)(Worked * seconds * 1e9));
        while (!enough && (Stopwatch.GetTimestamp() < end || ThreadClock.Nanoseconds() < worked))
        {
            int value = function(Rounds);
            if (expected is int wanted && value != wanted)
                throw new InvalidOperationException($"{method} returned {value:x}, wanted {wanted:x}");
        }
        Tell(method, version, ThreadId(), begin);
    }

    // Stopwatch counts nanoseconds of CLOCK_MONOTONIC, as the recorder does.
    private static void Tell(string method, int version, int thread, long begin)
    {
        lock (typeof(Program))
            Console.WriteLine($"{{\"method\": \"{method}\", \"version\": {version}, \"thread\": {thread}, " +
                              $"\"begin_ns\": {begin}, \"end_ns\": {Stopwatch.GetTimestamp()}}}");
    }

    // For the profiler to be attached.
    private static void Wait()
    {
        while (!Profiler.IsThere)
            Thread.Sleep(10);
    }

    private static void Versions()
    {
        MethodInfo method = Targets.Find("Plain");
        Phase("Plain", Targets.Plain, 0, Targets.Marker);
        Profiler.Request(method, 1001);
        Phase("Plain", Targets.Plain, 1, 1001);
        Profiler.Request(method, 1002);
        Phase("Plain", Targets.Plain, 2, 1002);
        Profiler.Revert(method);
        Phase("Plain", Targets.Plain, 0, Targets.Marker);
        Profiler.Request(method, 1003);
        Phase("Plain", Targets.Plain, 3, 1003);
    }

    // One thread is inside the method when it is changed, the other comes later.
    private static void Stay()
    {
        var stop = new Flag();
        Thread first = StayIn(stop, 0, Targets.Marker);
        Thread.Sleep((int)(1000 * Math.Max(0.5, 0.5 * seconds)));
        Profiler.Request(Targets.Find("Stay"), 2001);
        Thread second = StayIn(stop, 1, 2001);
        Thread.Sleep((int)(1000 * Math.Max(0.5, seconds)));
        stop.Set = true;
        first.Join();
        second.Join();
    }

    private static Thread StayIn(Flag stop, int version, int expected)
    {
        var thread = new Thread(() =>
        {
            long begin = Stopwatch.GetTimestamp();
            if (Targets.Stay(stop) != expected)
                Environment.FailFast($"Stay is not version {version}");
            Tell("Stay", version, ThreadId(), begin);
        });
        thread.Start();
        return thread;
    }

    private static void Generics()
    {
        Phase("Generic[int]", Targets.Generic<int>, 0, Targets.Marker);
        Phase("Generic[long]", Targets.Generic<long>, 0, Targets.Marker);
        Phase("Generic[__Canon]", Targets.Generic<string>, 0, Targets.Marker);
        Profiler.Request(Targets.Find("Generic"), 3001);
        Phase("Generic[int]", Targets.Generic<int>, 1, 3001);
        Phase("Generic[long]", Targets.Generic<long>, 1, 3001);
        Phase("Generic[__Canon]", Targets.Generic<string>, 1, 3001);
        Phase("Generic[double]", Targets.Generic<double>, 1, 3001);
    }

    // Changed before it is loaded; its original is compiled last.
    private static void LateModule()
    {
        Profiler.Prepare("rejit-late.dll", FirstMethod, 4001);
        Assembly assembly = Assembly.LoadFrom(Path.Combine(AppContext.BaseDirectory, "late", "rejit-late.dll"));
        MethodInfo method = assembly.GetType("Rejit.Late")!.GetMethod("Work")!;
        var function = method.CreateDelegate<Func<int, int>>();
        Phase("Late.Work", function, 1, 4001);
        Profiler.Revert(method);
        Phase("Late.Work", function, 0, Targets.Marker);
    }

    // A method of the framework, which is precompiled and does its work in itself.
    private static void Precompiled()
    {
        MethodInfo method = typeof(IdnMapping).GetMethod("PunycodeEncode", BindingFlags.NonPublic | BindingFlags.Static)!;
        var mapping = new IdnMapping();
        string name = new('\u00fc', 50);
        int Encode(int rounds) => mapping.GetAscii(name).Length;
        Phase("PunycodeEncode", Encode, 0, null);
        Profiler.Request(method, Profiler.SameIL);
        Phase("PunycodeEncode", Encode, 1, null);
        Profiler.Revert(method);
        Phase("PunycodeEncode", Encode, 0, null);
    }

    // The request is granted and then fails: the original goes on.
    private static void Refused()
    {
        Phase("Refused", Targets.Refused, -1, Targets.Marker);
        Profiler.Refuse(Targets.Find("Refused"));
        Phase("Refused", Targets.Refused, -1, Targets.Marker);
    }

    // Asked for, and nobody calls it any more.
    private static void Pending()
    {
        Phase("Pending", Targets.Pending, -1, Targets.Marker);
        Profiler.Request(Targets.Find("Pending"), 7001);
    }

    // Its IL is taken, and no body can be made of it.
    private static void Broken()
    {
        Phase("Broken", Targets.Broken, -1, Targets.Marker);
        Profiler.Request(Targets.Find("Broken"), Profiler.BrokenIL);
        for (int i = 0; i < 3; i++)
        {
            try
            {
                Targets.Broken(1);
                throw new InvalidOperationException("Broken was compiled");
            }
            catch (InvalidProgramException)
            {
            }
        }
    }

    // What was inlined goes on as it was, unless the inliners are compiled anew as well.
    private static void Inliners()
    {
        Phase("Caller", Targets.Caller, 0, Targets.Marker);
        Profiler.RequestWithInliners(Targets.Find("Small"), 5001);
        Phase("Caller", Targets.Caller, 1, 5001);
    }

    // What was inlined goes on as it was; who calls it anew has the change.
    private static void Inlined()
    {
        Func<int> tiny = Targets.Tiny;
        Phase("Keeper", Targets.Keeper, -1, Targets.Marker, 1);
        Profiler.Request(Targets.Find("Tiny"), 8001);
        Phase("Keeper", Targets.Keeper, -1, Targets.Marker);
        if (tiny() != 8001)
            throw new InvalidOperationException("Tiny has not changed");
        stay = Targets.Keeper;
    }

    // The same with a method of another assembly: who has it inlined, the program tells.
    private static void Lent()
    {
        Func<int> lent = Library.Lent;
        Phase("Borrower", Targets.Borrower, -1, Library.Marker, 1);
        Profiler.Request(typeof(Library).GetMethod(nameof(Library.Lent))!, 9001);
        Phase("Borrower", Targets.Borrower, -1, null);
        if (lent() != 9001)
            throw new InvalidOperationException("Lent has not changed");
        Console.WriteLine($"rejit: Borrower runs {(Targets.Borrower(Rounds) == Library.Marker ? "the original" : "the change")}");
    }

    // Methods that were inlined when the framework was compiled.  Its code is used, and
    // calls of it are too few for the JIT to compile it again, until they have changed.
    private static void BuiltIn()
    {
        const BindingFlags Private = BindingFlags.NonPublic | BindingFlags.Static;
        MethodInfo isSupplementary = typeof(IdnMapping).GetMethod("IsSupplementary", Private)!;
        MethodInfo isNullOrEmpty = typeof(string).GetMethod(nameof(string.IsNullOrEmpty))!;
        MethodInfo useRules = typeof(IdnMapping).GetProperty(nameof(IdnMapping.UseStd3AsciiRules))!.GetMethod!;
        var mapping = new IdnMapping();
        string name = new('\u00fc', 50);
        var first = isSupplementary.CreateDelegate<Func<int, bool>>();
        var second = isNullOrEmpty.CreateDelegate<Func<string?, bool>>();
        var third = useRules.CreateDelegate<Func<bool>>(mapping);
        bool Call() => first(0x10000) && second(null) && !third() && mapping.GetAscii(name).Length > 0;

        if (!Call())
            throw new InvalidOperationException("IdnMapping is another one");
        foreach (MethodInfo method in new[] { isSupplementary, isNullOrEmpty, useRules })
            Profiler.Request(method, Profiler.SameIL);
        if (!Call())
            throw new InvalidOperationException("the same IL does something else");
        Phase("GetAscii", rounds => mapping.GetAscii(name).Length, -1, null);
    }

    // Many threads come to each new version at once.
    private static void Crowd()
    {
        bool stop = false;
        var threads = new Thread[CrowdThreads];
        for (int i = 0; i < threads.Length; i++)
        {
            threads[i] = new Thread(() =>
            {
                while (!Volatile.Read(ref stop))
                    Targets.Crowded(Rounds / 20);
            });
            threads[i].Start();
        }
        for (int change = 1; change <= CrowdChanges; change++)
        {
            Thread.Sleep(Math.Max(20, (int)(1000 * seconds / CrowdChanges)));
            Profiler.Request(Targets.Find("Crowded"), 6000 + change);
        }
        Thread.Sleep(200);
        Volatile.Write(ref stop, true);
        foreach (Thread thread in threads)
            thread.Join();
    }
}
