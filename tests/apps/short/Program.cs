// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Programs that end before anybody could look at them: short hello | exit N |
// throw | abort | kill.

using System;
using System.Diagnostics;
using System.Globalization;

switch (args.Length == 0 ? "hello" : args[0])
{
    case "hello":
        Console.WriteLine("hello, world");
        return 0;
    case "exit":
        return int.Parse(args[1], CultureInfo.InvariantCulture);
    case "throw":
        throw new InvalidOperationException("thrown on purpose");
    case "abort":
        Environment.FailFast("aborted on purpose");
        return 1;
    case "kill":
        Process.GetCurrentProcess().Kill();
        return 1;
    default:
        Console.Error.WriteLine("usage: short [hello | exit N | throw | abort | kill]");
        return 3;
}
