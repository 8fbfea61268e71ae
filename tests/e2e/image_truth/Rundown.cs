// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// A rundown as lines of fields, separated by tabs:
//   M  module id, path
//   B  module id, method id, start, size, token, namespace, name, signature

using System;
using System.IO;
using Microsoft.Diagnostics.Tracing;
using Microsoft.Diagnostics.Tracing.Parsers.Clr;

namespace ImageTruth;

internal static class Rundown
{
    public static void List(string trace, StreamWriter writer)
    {
        using var source = new EventPipeEventSource(trace);
        var rundown = new ClrRundownTraceEventParser(source);
        rundown.LoaderModuleDCStop += data => writer.WriteLine($"M\t{data.ModuleID:x}\t{data.ModuleILPath}");
        rundown.MethodDCStopVerbose += data =>
        {
            if ((data.MethodFlags & MethodFlags.Jitted) == 0)
                writer.WriteLine(
                    $"B\t{data.ModuleID:x}\t{data.MethodID:x}\t{(ulong)data.MethodStartAddress:x}\t{data.MethodSize:x}\t" +
                    $"{data.MethodToken:x8}\t{data.MethodNamespace}\t{data.MethodName}\t{data.MethodSignature}");
        };
        source.Process();
        if (source.EventsLost != 0)
            throw new InvalidDataException($"the trace lost {source.EventsLost} events");
    }
}
