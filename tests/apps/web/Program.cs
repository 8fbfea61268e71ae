// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// A web server with a few routes, to be put under load on the loopback
// address: web --urls http://127.0.0.1:PORT.  /served says how often it answered
// /json.  Ends on SIGTERM.

using System;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Text.RegularExpressions;
using System.Threading;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

WebApplicationBuilder builder = WebApplication.CreateBuilder(args);
builder.Logging.ClearProviders();
WebApplication app = builder.Build();

var log = new Regex(@"(?<day>\d{4}-\d\d-\d\d)T.*?(?<verb>GET|POST)\s+(?<path>/\S*)\s+(?<code>\d{3})");
var words = new Regex(@"\b(\w)\w*\1\b", RegexOptions.IgnoreCase);
const string line = "2026-11-21T03:00:00Z host-17 app[4711]: did GET /orders/42?full=1 200 in 17ms, that was known";

app.MapGet("/plain", () => "plain text\n");
app.MapGet("/json", () =>
{
    Served.Count();
    return Results.Json(Enumerable.Range(1, 20)
        .Select(id => new Item(id, $"item {id}", id * 1.25, new[] { "red", "green", "blue" })));
});
app.MapGet("/served", () => $"{Served.SoFar}\n");
app.MapGet("/regex", () => $"{log.Match(line).Groups["path"].Value} {words.Matches(line).Count}\n");
app.MapGet("/fib/{n:int:range(0,40)}", (int n) => $"{Numbers.Fibonacci(n)}\n");

// Maps every precompiled image of the framework.
app.MapGet("/everything", () => $"{Framework.LoadAll()} assemblies\n");

app.Lifetime.ApplicationStarted.Register(() =>
    Console.WriteLine($"web: pid {Environment.ProcessId}, {string.Join(' ', app.Urls)}"));
app.Run();
Console.WriteLine("web: done");

internal sealed record Item(int Id, string Name, double Price, string[] Colours);

internal static class Served
{
    private static long count;

    public static long SoFar => Interlocked.Read(ref count);
    public static void Count() => Interlocked.Increment(ref count);
}

internal static class Framework
{
    public static int LoadAll()
    {
        int loaded = 0;
        foreach (string path in ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(':'))
        {
            try
            {
                Assembly.Load(new AssemblyName(Path.GetFileNameWithoutExtension(path)));
                loaded++;
            }
            catch (Exception e) when (e is IOException or BadImageFormatException)
            {
                // Listed, but not for this platform.
            }
        }
        return loaded;
    }
}

internal static class Numbers
{
    public static long Fibonacci(int n) => n < 2 ? n : Fibonacci(n - 1) + Fibonacci(n - 2);
}
