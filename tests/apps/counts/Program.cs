// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Methods that cause known numbers of page faults and context switches, which the kernel
// counts for the thread a second time (getrusage).  Printed as JSON at the end.
// counts [ROUNDS [IDLE]]: stays idle for so many seconds then.

using System;
using System.Globalization;
using System.Threading;

namespace Counts;

internal static class Program
{
    private static int Main(string[] args)
    {
        int rounds = 20;
        int idle = 0;
        if (args.Length > 2 || (args.Length > 0 && !int.TryParse(args[0], CultureInfo.InvariantCulture, out rounds)) ||
            (args.Length > 1 && !int.TryParse(args[1], CultureInfo.InvariantCulture, out idle)))
        {
            Console.Error.WriteLine("usage: counts [ROUNDS [IDLE]]");
            return 3;
        }
        Method[] methods =
        {
            new("TouchOptimized", Causes.TouchOptimized, 701),
            new("TouchMinOpt", Causes.TouchMinOpt, 307),
            new("Nap", Causes.Nap, 53),
            new("Burn", Causes.Burn, 2_000_003),
        };
        Causes.Prepare();
        Console.WriteLine($"counts: pid {Environment.ProcessId}, {rounds} rounds");
        Console.Out.Flush();
        for (int i = 0; i < rounds; i++)
        {
            foreach (Method method in methods)
                method.Run();
        }
        Console.WriteLine(Method.Json(methods));
        Console.Out.Flush();
        Thread.Sleep(1000 * idle);
        return 0;
    }
}
