// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The runtime's own opinion about precompiled images.
//
//   image_truth prepare TABLES HANDLES
//       makes the runtime look up the precompiled body of every method in the
//       tables (see image_table.c), generic ones by the names that stand there,
//       and writes which method handle each name led to
//   image_truth list TRACE OUT
//       lists the precompiled methods and the modules of a rundown
//
// Start `prepare` with DOTNET_EnableEventPipe=1 and a rundown: at its end the
// runtime itself writes where each body lies, how long it is and its names.

using System;
using System.IO;

namespace ImageTruth;

internal static class Program
{
    private static int Main(string[] args)
    {
        switch (args)
        {
            case ["prepare", var tables, var handles]:
                using (var writer = new StreamWriter(handles))
                    new Preparation(writer).Run(tables);
                return 0;
            case ["list", var trace, var output]:
                using (var writer = new StreamWriter(output))
                    Rundown.List(trace, writer);
                return 0;
            default:
                Console.Error.WriteLine("usage: image_truth prepare TABLES HANDLES | list TRACE OUT");
                return 3;
        }
    }
}
