// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Code that is made, and freed, while the program runs: compiled expressions,
// dynamic methods, a collectible AssemblyLoadContext.

using System;
using System.IO;
using System.Linq.Expressions;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;
using LinqExpression = System.Linq.Expressions.Expression;

namespace Demo;

internal static class RunTimeCode
{
    private static readonly byte[] PluginImage =
        File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "plugin", "demo-plugin.dll"));

    private static int _loads;

    // x => { sum = 0; while (x > 0) sum += (x--) * factor; return sum; }
    public static long Expression(int round)
    {
        ParameterExpression x = LinqExpression.Parameter(typeof(long), "x");
        ParameterExpression sum = LinqExpression.Variable(typeof(long), "sum");
        LabelTarget done = LinqExpression.Label(typeof(long));
        LinqExpression factor = LinqExpression.Constant((long)(round % 17 + 1));
        LinqExpression body = LinqExpression.Block(
            new[] { sum },
            LinqExpression.Loop(
                LinqExpression.IfThenElse(
                    LinqExpression.GreaterThan(x, LinqExpression.Constant(0L)),
                    LinqExpression.AddAssign(sum, LinqExpression.Multiply(LinqExpression.PostDecrementAssign(x), factor)),
                    LinqExpression.Break(done, sum)),
                done));
        Func<long, long> compiled = LinqExpression.Lambda<Func<long, long>>(body, $"Compiled{round % 4}", new[] { x }).Compile();

        long result = 0;
        for (int i = 0; i < 40; i++)
            result += compiled(50_000);
        return result;
    }

    public static long Dynamic(int round)
    {
        var method = new DynamicMethod($"Emitted{round % 4}", typeof(long), new[] { typeof(long) }, typeof(RunTimeCode).Module);
        ILGenerator il = method.GetILGenerator();
        LocalBuilder index = il.DeclareLocal(typeof(int));
        Label top = il.DefineLabel();
        il.Emit(OpCodes.Ldc_I4, 100_000);
        il.Emit(OpCodes.Stloc, index);
        il.MarkLabel(top);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I8, 6364136223846793005L);
        il.Emit(OpCodes.Mul);
        il.Emit(OpCodes.Ldc_I8, 1442695040888963407L + round);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Starg_S, (byte)0);
        il.Emit(OpCodes.Ldloc, index);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Stloc, index);
        il.Emit(OpCodes.Brtrue, top);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ret);
        var emitted = method.CreateDelegate<Func<long, long>>();

        long value = round;
        for (int i = 0; i < 10; i++)
            value = emitted(value);
        return value;
    }

    public static long Collectible(int round)
    {
        long result = LoadRunUnload(round);

        // The context goes when nothing refers to it: only a collection frees
        // the code, so that its addresses can be used again.
        if (++_loads % 8 == 0)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
        }
        return result;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long LoadRunUnload(int round)
    {
        var context = new AssemblyLoadContext($"plugin {round}", isCollectible: true);
        Assembly assembly = context.LoadFromStream(new MemoryStream(PluginImage));
        MethodInfo run = assembly.GetType("Plugin.Entry")!.GetMethod("Run")!;
        long result = run.CreateDelegate<Func<int, long>>()(round);
        context.Unload();
        return result;
    }
}
