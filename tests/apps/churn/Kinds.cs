// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Code that is made and dropped so many times, and code that is there twice.

using System;
using System.Diagnostics;
using System.IO;
using System.Linq.Expressions;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using System.Threading;

namespace Churn;

internal static class Kinds
{
    private const int KeepMilliseconds = 4_000;
    private const int CrowdThreads = 1_000;
    private const int CrowdMilliseconds = 60_000;
    private const int CrowdStackBytes = 128 * 1024;
    private const int CrowdPause = 250;
    private const int CallsPerTurn = 10_000;
    private const int LambdasPerCollection = 500;
    private const int CallsPerLambda = 4_000;
    private const int RunsPerContext = 300;
    private const int CollectionsPerContext = 10;

    private static readonly string Plugin =
        Path.GetFullPath(Path.Combine(AppContext.BaseDirectory, "..", "demo", "plugin", "demo-plugin.dll"));

    // Each has a name of its own, is called for a while, and is never seen again.
    public static long Lambdas(int count)
    {
        long value = 1;
        for (int made = 1; made <= count; made++)
        {
            Func<long, long> function = Make(made);
            for (int i = 0; i < CallsPerLambda; i++)
                value = function(value);
            if (made % LambdasPerCollection == 0)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
        return value;
    }

    // x => x * A + C, some times over.
    private static Func<long, long> Make(int number, int steps = 20)
    {
        ParameterExpression x = Expression.Parameter(typeof(long), "x");
        Expression body = x;
        for (int i = 0; i < steps; i++)
            body = Expression.Add(Expression.Multiply(body, Expression.Constant(6364136223846793005L)),
                                  Expression.Constant((long)number));
        return Expression.Lambda<Func<long, long>>(body, $"Lambda{number:d6}", new[] { x }).Compile();
    }

    // So many at once; then one thread makes and calls one more after the other, and another
    // only reads the clock.  Each says for how long it stood still at most: whoever attaches
    // does it meanwhile.
    public static void Keep(int count)
    {
        var kept = new Func<long, long>[count];
        for (int i = 0; i < count; i++)
        {
            kept[i] = Make(i);
            kept[i](1);
        }
        Console.WriteLine("churn: kept");
        long end = Environment.TickCount64 + KeepMilliseconds;
        var watcher = new Thread(() => Console.WriteLine($"churn: longest pause watching {LongestPause(end, _ => { })} us"));
        watcher.Start();
        long compiling = LongestPause(end, turn =>
        {
            kept[turn % count] = Make(turn);
            kept[(turn + 1) % count](1);
        });
        watcher.Join();
        Console.WriteLine($"churn: longest pause compiling {compiling} us");
    }

    // So many at once, and a thousand threads that call one or another of them from time to time.
    public static void Crowd(int count)
    {
        var kept = new Func<long, long>[count];
        for (int i = 0; i < count; i++)
        {
            kept[i] = Make(i, 2);
            kept[i](1);
        }
        var threads = new Thread[CrowdThreads];
        long end = Environment.TickCount64 + CrowdMilliseconds;
        for (int i = 0; i < threads.Length; i++)
        {
            int first = i;
            threads[i] = new Thread(() => Call(kept, first, end), CrowdStackBytes) { Name = $"crowd{i}" };
            threads[i].Start();
        }
        Console.WriteLine("churn: crowd");
        foreach (Thread thread in threads)
            thread.Join();
    }

    private static void Call(Func<long, long>[] kept, int first, long end)
    {
        for (int turn = first; Environment.TickCount64 < end; turn += CrowdThreads)
        {
            for (int i = 0; i < CallsPerTurn; i++)
                kept[turn % kept.Length](i);
            Thread.Sleep(CrowdPause);
        }
    }

    private static long LongestPause(long end, Action<int> work)
    {
        long last = Stopwatch.GetTimestamp(), longest = 0;
        for (int turn = 0; Environment.TickCount64 < end; turn++)
        {
            work(turn & int.MaxValue);
            long now = Stopwatch.GetTimestamp();
            longest = Math.Max(longest, now - last);
            last = now;
        }
        return longest / 1000;
    }

    // One context at a time: loaded, run, unloaded, collected.
    public static long Contexts(int count)
    {
        long value = 0;
        for (int made = 0; made < count; made++)
        {
            WeakReference context = RunInContext(made, ref value);
            for (int i = 0; context.IsAlive && i < CollectionsPerContext; i++)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
        return value;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static WeakReference RunInContext(int seed, ref long value)
    {
        var context = new AssemblyLoadContext($"Context{seed}", isCollectible: true);
        Func<int, long> run = Entry(context.LoadFromAssemblyPath(Plugin));
        for (int i = 0; i < RunsPerContext; i++)
            value += run(seed + i);
        context.Unload();
        return new WeakReference(context);
    }

    private static Func<int, long> Entry(Assembly assembly) =>
        assembly.GetType("Plugin.Entry")!.GetMethod("Run")!.CreateDelegate<Func<int, long>>();

    // The same assembly in three contexts at once: other functions with the same names.
    // Two load the file, the third its bytes, so that it has no path.  A thread each.
    public static void Twins(double seconds)
    {
        var threads = new Thread[3];
        long end = Environment.TickCount64 + (long)(1000 * seconds);
        for (int i = 0; i < threads.Length; i++)
        {
            var context = new AssemblyLoadContext($"Twin{i}");
            using Stream bytes = File.OpenRead(Plugin);
            Func<int, long> run = Entry(i < 2 ? context.LoadFromAssemblyPath(Plugin) : context.LoadFromStream(bytes));
            threads[i] = new Thread(() =>
            {
                for (int seed = 0; Environment.TickCount64 < end; seed++)
                    run(seed);
            }) { Name = $"twin{i + 1}" };
            threads[i].Start();
        }
        foreach (Thread thread in threads)
            thread.Join();
    }
}
