// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The independent source of truth: reads the JIT bodies of a process from the
// runtime's own event stream over its diagnostics socket.
//
//   truth --pid PID -o FILE [--resume] [--rundown]
//
// --rundown  also lists what was alive when it started and when it ended
// --resume   the process was started with DOTNET_DefaultDiagnosticPortSuspend=1:
//            let it run once the session is open, so that nothing is missed
//
// Prints "ready" when the session is open (and the first rundown is read), ends
// at the end of its input or with the process, then writes FILE as JSON lines.
// Times are CLOCK_MONOTONIC nanoseconds.

using System;
using System.Diagnostics;
using System.Diagnostics.Tracing;
using System.Globalization;
using System.IO;
using System.Threading;
using System.Threading.Tasks;
using Microsoft.Diagnostics.NETCore.Client;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Parsers;
using Microsoft.Diagnostics.Tracing.Parsers.Clr;

// The raw time stamp is discouraged in general, but the clock of the runtime is
// the very one that the bodies' times are compared on.
#pragma warning disable CS0618

namespace Truth;

internal static class Program
{
    private const long LoaderKeyword = 0x8, JitKeyword = 0x10, RundownEndKeyword = 0x100, CompilationKeyword = 0x1000000000;
    private const int BufferMegabytes = 512;

    private static int Main(string[] args)
    {
        int pid = 0;
        string? path = null;
        bool resume = false, rundown = false;
        for (int i = 0; i < args.Length; i++)
        {
            switch (args[i])
            {
                case "--pid" when i + 1 < args.Length:
                    pid = int.Parse(args[++i], CultureInfo.InvariantCulture);
                    break;
                case "-o" when i + 1 < args.Length:
                    path = args[++i];
                    break;
                case "--resume":
                    resume = true;
                    break;
                case "--rundown":
                    rundown = true;
                    break;
                default:
                    pid = 0;
                    i = args.Length;
                    break;
            }
        }
        if (pid <= 0 || path == null)
        {
            Console.Error.WriteLine("usage: truth --pid PID -o FILE [--resume] [--rundown]");
            return 3;
        }
        return Run(pid, path, resume, rundown);
    }

    private static int Run(int pid, string path, bool resume, bool rundown)
    {
        var bodies = new Bodies();
        DiagnosticsClient client = new(pid);
        using EventPipeSession session = StartSession(client, rundown);
        long lost = 0;
        Task reader = Task.Factory.StartNew(() => lost = Read(session, bodies, "alive_at_end"), TaskCreationOptions.LongRunning);

        // A rundown comes only at the end of a session: what was alive at the
        // start is the rundown of a second one, ended at once.
        if (rundown)
        {
            using EventPipeSession first = StartSession(client, rundown: true);
            Task<long> firstReader = Task.Factory.StartNew(() => Read(first, bodies, "alive_at_start"), TaskCreationOptions.LongRunning);
            StopAlive(first, firstReader);
            lost += firstReader.Result;
        }
        if (resume)
            client.ResumeRuntime();
        Console.WriteLine("ready");
        Console.Out.Flush();

        Task input = Task.Run(() => Console.In.ReadToEnd());
        Task.WaitAny(input, reader);
        if (!reader.IsCompleted)
            Stop(session);
        reader.Wait();
        bodies.AddEnd(lost);
        bodies.WriteTo(path);
        return 0;
    }

    private static EventPipeSession StartSession(DiagnosticsClient client, bool rundown)
    {
        var providers = new[]
        {
            new EventPipeProvider(ClrTraceEventParser.ProviderName, EventLevel.Verbose, JitKeyword | LoaderKeyword | CompilationKeyword),
        };
        var configuration = new EventPipeSessionConfiguration(
            providers, BufferMegabytes, rundown ? RundownEndKeyword | JitKeyword | LoaderKeyword : 0, requestStackwalk: false);
        // Runtime 8 knows neither a choice of rundown nor a session without stacks.
        var older = new EventPipeSessionConfiguration(providers, BufferMegabytes, rundown, requestStackwalk: true);

        // The socket of a process that was just started may not be there yet.
        long end = Stopwatch.GetTimestamp() + 10 * Stopwatch.Frequency;
        while (true)
        {
            try
            {
                return client.StartEventPipeSession(configuration);
            }
            catch (UnsupportedCommandException) when (configuration != older)
            {
                configuration = older;
            }
            catch (ServerNotAvailableException) when (Stopwatch.GetTimestamp() < end)
            {
                Thread.Sleep(5);
            }
        }
    }

    private static void Stop(EventPipeSession session)
    {
        try
        {
            session.Stop();
        }
        catch (Exception exception) when (exception is ServerNotAvailableException or EndOfStreamException or IOException)
        {
            // The process is gone, and with it the rundown.
        }
    }

    // Of a process that goes on: a runtime that did not take the command is asked again.
    private static void StopAlive(EventPipeSession session, Task reader)
    {
        long end = Stopwatch.GetTimestamp() + 10 * Stopwatch.Frequency;
        while (!reader.IsCompleted)
        {
            try
            {
                session.Stop();
                return;
            }
            catch (ServerNotAvailableException) when (Stopwatch.GetTimestamp() < end)
            {
                Thread.Sleep(5);
            }
        }
    }

    private static long Read(EventPipeSession session, Bodies bodies, string rundownKind)
    {
        bool live = rundownKind == "alive_at_end";
        using var source = new EventPipeEventSource(session.EventStream);
        if (live)
        {
            source.Clr.MethodLoadVerbose += data => bodies.AddMethod("load", data.TimeStampQPC, data.Version, data.EventData());
            source.Clr.MethodUnloadVerbose += data => bodies.AddMethod("unload", data.TimeStampQPC, data.Version, data.EventData());
            source.Clr.LoaderModuleLoad += data => bodies.AddModule("module_load", data.TimeStampQPC, data.EventData());
            source.Clr.LoaderModuleUnload += data => bodies.AddModule("module_unload", data.TimeStampQPC, data.EventData());
            source.Clr.TieredCompilationPause += data => bodies.AddTiering("delay_begin", data.TimeStampQPC, data.EventData());
            source.Clr.TieredCompilationResume += data => bodies.AddTiering("delay_end", data.TimeStampQPC, data.EventData());
            source.Clr.TieredCompilationBackgroundJitStart += data => bodies.AddTiering("batch_begin", data.TimeStampQPC, data.EventData());
            source.Clr.TieredCompilationBackgroundJitStop += data => bodies.AddTiering("batch_end", data.TimeStampQPC, data.EventData());
        }
        var rundown = new ClrRundownTraceEventParser(source);
        rundown.MethodDCStopVerbose += data => bodies.AddMethod(rundownKind, data.TimeStampQPC, data.Version, data.EventData());
        source.Process();
        return source.EventsLost;
    }
}
