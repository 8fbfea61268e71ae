// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Managed code as what lies below it sees it: below read [SECONDS] enters the
// kernel as often as it can, below suspend [SECONDS] is stopped for the garbage
// collector as often as can be, below native [SECONDS] calls native code and is
// called by it.

using System;
using System.Diagnostics;
using System.Globalization;

namespace Below;

internal static class Program
{
    private static int Main(string[] args)
    {
        int seconds = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 10;
        long end = Stopwatch.GetTimestamp() + seconds * Stopwatch.Frequency;
        string what = args.Length > 0 ? args[0] : "";

        if (what != "read" && what != "suspend" && what != "native")
        {
            Console.Error.WriteLine("usage: below read | suspend | native [SECONDS]");
            return 3;
        }
        Console.WriteLine($"below: pid {Environment.ProcessId}, {what}, {seconds} s");
        if (what == "read")
            Reading.Run(end);
        else if (what == "suspend")
            Suspending.Run(end);
        else
            Calling.Run(end);
        return 0;
    }
}
