// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Makes and drops code as fast as the runtime can, so that rings run over and
// addresses are used again: churn [SECONDS | lambdas COUNT | contexts COUNT | keep COUNT | crowd COUNT | twins SECONDS].

using System;
using System.Diagnostics;
using System.Globalization;
using System.Reflection.Emit;

namespace Churn;

internal static class Program
{
    private const int Alive = 400;
    private const int MethodsPerCollection = 2_000;

    private static int Main(string[] args)
    {
        if (args.Length == 2)
            return RunKind(args[0], double.Parse(args[1], CultureInfo.InvariantCulture));
        double seconds = 10;
        if (args.Length > 2 || (args.Length == 1 && !double.TryParse(args[0], CultureInfo.InvariantCulture, out seconds)))
        {
            Console.Error.WriteLine("usage: churn [SECONDS | lambdas COUNT | contexts COUNT | keep COUNT | crowd COUNT | twins SECONDS]");
            return 3;
        }
        Console.WriteLine($"churn: pid {Environment.ProcessId}, {seconds.ToString(CultureInfo.InvariantCulture)} s");

        // The longer a name, the sooner a ring is full.
        string filler = new('x', 300);
        var alive = new Func<long, long>[Alive];
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        long value = 1;
        int made = 0;
        for (; Stopwatch.GetTimestamp() < end; made++)
        {
            Func<long, long> function = Make($"Method{made % 50}{filler}", made % 7 + 1);
            alive[made % Alive] = function;
            value = function(value);
            if (made % MethodsPerCollection == MethodsPerCollection - 1)
            {
                GC.Collect();
                GC.WaitForPendingFinalizers();
            }
        }
        Console.WriteLine($"churn: done, {made} methods, {value}");
        return 0;
    }

    private static int RunKind(string kind, double number)
    {
        Console.WriteLine($"churn: pid {Environment.ProcessId}, {kind}");
        long began = Stopwatch.GetTimestamp();
        switch (kind)
        {
            case "lambdas": Kinds.Lambdas((int)number); break;
            case "contexts": Kinds.Contexts((int)number); break;
            case "keep": Kinds.Keep((int)number); break;
            case "crowd": Kinds.Crowd((int)number); break;
            case "twins": Kinds.Twins(number); break;
            default: throw new ArgumentException($"no kind {kind}");
        }
        Console.WriteLine($"churn: done in {Stopwatch.GetElapsedTime(began).TotalSeconds.ToString(CultureInfo.InvariantCulture)} s");
        return 0;
    }

    // long Work(long value) { for (int i = 20000; i != 0; i--) value = value * A + C [, as many times as steps]; return value; }
    private static Func<long, long> Make(string name, int steps)
    {
        var method = new DynamicMethod(name, typeof(long), new[] { typeof(long) }, typeof(Program).Module);
        ILGenerator il = method.GetILGenerator();
        LocalBuilder index = il.DeclareLocal(typeof(int));
        Label top = il.DefineLabel();
        il.Emit(OpCodes.Ldc_I4, 20_000);
        il.Emit(OpCodes.Stloc, index);
        il.MarkLabel(top);
        for (int step = 0; step < steps; step++)
        {
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldc_I8, 6364136223846793005L);
            il.Emit(OpCodes.Mul);
            il.Emit(OpCodes.Ldc_I8, 1442695040888963407L + step);
            il.Emit(OpCodes.Add);
            il.Emit(OpCodes.Starg_S, (byte)0);
        }
        il.Emit(OpCodes.Ldloc, index);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Stloc, index);
        il.Emit(OpCodes.Brtrue, top);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ret);
        return method.CreateDelegate<Func<long, long>>();
    }
}
