// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Methods that are compiled in vain: vain [SECONDS [THREADS]]
//
// Huge is more than the JIT optimizes: what it makes for tier 1 is not optimized, and the
// runtime does not take it.  Cold methods are called for the first time by many threads at
// once, before that.  Later is there to be compiled by the tiering worker after Huge.

using System;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;
using System.Threading;

namespace Vain;

internal static class Program
{
    // Basic blocks: beyond 2,000 the JIT gives optimization up.
    private const int Blocks = 2500;
    private const int ColdMethods = 40;

    // One with a branch for each number below `blocks`.
    private static MethodBuilder Branches(TypeBuilder type, string name, int blocks)
    {
        MethodBuilder method = type.DefineMethod(name, MethodAttributes.Public | MethodAttributes.Static, typeof(int), [typeof(int)]);
        ILGenerator il = method.GetILGenerator();
        for (int i = 0; i < blocks; i++)
        {
            Label next = il.DefineLabel();
            il.Emit(OpCodes.Ldarg_0);
            il.Emit(OpCodes.Ldc_I4, i);
            il.Emit(OpCodes.Bne_Un, next);
            il.Emit(OpCodes.Ldc_I4, i + 1);
            il.Emit(OpCodes.Ret);
            il.MarkLabel(next);
        }
        il.Emit(OpCodes.Ldc_I4_0);
        il.Emit(OpCodes.Ret);
        return method;
    }

    private static Type Make()
    {
        AssemblyBuilder assembly = AssemblyBuilder.DefineDynamicAssembly(new AssemblyName("vain-made"), AssemblyBuilderAccess.Run);
        TypeBuilder type = assembly.DefineDynamicModule("vain-made").DefineType("Vain.Made", TypeAttributes.Public);
        Branches(type, "Huge", Blocks);
        for (int i = 0; i < ColdMethods; i++)
            Branches(type, $"Cold{i}", 300);
        return type.CreateType();
    }

    private static Func<int, int> Function(Type type, string name) => type.GetMethod(name)!.CreateDelegate<Func<int, int>>();

    private static void CallAtOnce(Type made, int threads)
    {
        var functions = new Func<int, int>[ColdMethods];
        for (int i = 0; i < ColdMethods; i++)
            functions[i] = Function(made, $"Cold{i}");
        using var barrier = new Barrier(threads);
        var all = new Thread[threads];
        for (int i = 0; i < threads; i++)
        {
            all[i] = new Thread(() =>
            {
                foreach (Func<int, int> function in functions)
                {
                    barrier.SignalAndWait();
                    function(7);
                }
            });
            all[i].Start();
        }
        foreach (Thread thread in all)
            thread.Join();
    }

    private static int Main(string[] args)
    {
        double seconds = args.Length > 0 ? double.Parse(args[0], CultureInfo.InvariantCulture) : 3;
        int threads = args.Length > 1 ? int.Parse(args[1], CultureInfo.InvariantCulture) : 8;
        Console.WriteLine($"vain: pid {Environment.ProcessId}, {threads} threads");
        Type made = Make();
        CallAtOnce(made, threads);
        Func<int, int> huge = Function(made, "Huge");
        long begin = Stopwatch.GetTimestamp(), end = begin + (long)(seconds * Stopwatch.Frequency);
        int sum = 0;
        while (Stopwatch.GetTimestamp() < end)
        {
            sum += huge(Blocks - 1);
            if (Stopwatch.GetTimestamp() > begin + (end - begin) / 3)
                sum += Later(sum);
            Thread.Sleep(1);
        }
        Console.WriteLine($"vain: done, {sum != 0}");
        return 0;
    }

    private static int Later(int number)
    {
        int sum = 0;
        for (int i = 0; i < 2000; i++)
            sum += (i ^ number) % 7;
        return sum;
    }
}
