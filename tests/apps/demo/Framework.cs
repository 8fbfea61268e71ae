// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Work that is done by precompiled framework code, some of it hot enough to
// be compiled again, and by framework generics over types of ours.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Text.Json;
using System.Text.RegularExpressions;
using FrameworkRegex = System.Text.RegularExpressions.Regex;

namespace Demo;

internal sealed class Order
{
    public int Id { get; set; }
    public string Customer { get; set; } = "";
    public double[] Prices { get; set; } = Array.Empty<double>();
    public Dictionary<string, string> Notes { get; set; } = new();
}

internal readonly struct Version3(int major, int minor, int patch) : IComparable<Version3>
{
    private readonly int _major = major, _minor = minor, _patch = patch;

    public int CompareTo(Version3 other)
    {
        int result = _major.CompareTo(other._major);
        if (result == 0)
            result = _minor.CompareTo(other._minor);
        return result != 0 ? result : _patch.CompareTo(other._patch);
    }
}

internal static class Framework
{
    private const string Text =
        "2026-11-21T03:00:00Z host-17 app[4711]: GET /orders/42?full=1 200 17ms user=alice@example.org";

    private static readonly FrameworkRegex Interpreted = new(@"(\d+)-(\d+)-(\d+)T.*?user=(\w+)@([\w.]+)");
    private static readonly FrameworkRegex Compiled = new(@"(?<verb>GET|POST)\s+(?<path>/\S*)\s+(?<code>\d{3})", RegexOptions.Compiled);

    private static readonly Order Sample = new()
    {
        Id = 42,
        Customer = "Alice \"Ace\" Example",
        Prices = Enumerable.Range(0, 40).Select(i => i * 1.25).ToArray(),
        Notes = new() { ["colour"] = "blue", ["gift"] = "yes" },
    };

    public static long Regex(int round)
    {
        long sum = round;
        for (int i = 0; i < 10; i++)
            sum += Interpreted.Match(Text).Length + Compiled.Match(Text).Groups["path"].Length;
        return sum;
    }

    public static long Json(int round)
    {
        string text = JsonSerializer.Serialize(Sample);
        Order? back = JsonSerializer.Deserialize<Order>(text);
        return back!.Prices.Length + text.Length + round;
    }

    public static long Sort(int round)
    {
        var versions = new Version3[500];
        uint state = (uint)round * 2654435761 + 1;
        for (int i = 0; i < versions.Length; i++)
        {
            state = state * 1664525 + 1013904223;
            versions[i] = new Version3((int)(state >> 30), (int)(state >> 20 & 31), (int)(state & 1023));
        }
        Array.Sort(versions);
        return versions.Distinct().Count() + versions.Where(version => version.CompareTo(default) > 0).LongCount();
    }
}
