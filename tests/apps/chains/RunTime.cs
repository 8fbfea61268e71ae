// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Chains through code that is made at run time, through lambdas, and through
// deep recursion.

using System;
using System.Reflection;
using System.Reflection.Emit;
using System.Runtime.CompilerServices;

namespace Chains;

internal static class RunTime
{
    public const int Depth = 60, TooDeep = 300;

    public static readonly string[] Chains =
    {
        "RunTime.DynamicLeaf < emitted < RunTime.CallsEmitted < RunTime.Dynamic",
        "RunTime.TailLeaf < RunTime.CallsTail < RunTime.Dynamic",
        "RunTime.LambdaLeaf < RunTime.CallsLambda [lambda] < RunTime.CallsLambda < RunTime.Lambda",
        "RunTime.DeepLeaf < RunTime.Dive*61 < RunTime.Deep",
        "RunTime.DeeperLeaf < RunTime.DiveDeeper*301 < RunTime.Deeper",
    };

    private static readonly Func<long, long> Emitted = Emit("emitted", nameof(DynamicLeaf), false);
    private static readonly Func<long, long> EmittedTail = Emit("emittedTail", nameof(TailLeaf), true);

    // value => Called(value ^ 1) + 1, or with a tail call and without the + 1.
    private static Func<long, long> Emit(string name, string called, bool tail)
    {
        var method = new DynamicMethod(name, typeof(long), new[] { typeof(long) }, typeof(RunTime).Module, true);
        ILGenerator il = method.GetILGenerator();
        MethodInfo target = typeof(RunTime).GetMethod(called, BindingFlags.Static | BindingFlags.NonPublic)!;
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Conv_I8);
        il.Emit(OpCodes.Xor);
        if (tail)
            il.Emit(OpCodes.Tailcall);
        il.Emit(OpCodes.Call, target);
        if (!tail)
        {
            il.Emit(OpCodes.Ldc_I4_1);
            il.Emit(OpCodes.Conv_I8);
            il.Emit(OpCodes.Add);
        }
        il.Emit(OpCodes.Ret);
        return method.CreateDelegate<Func<long, long>>();
    }

    public static long Dynamic(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += CallsEmitted(i) + CallsTail(i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CallsEmitted(long value) => Emitted(value) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CallsTail(long value) => EmittedTail(value) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long DynamicLeaf(long value) => value + 13;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long TailLeaf(long value) => value + 14;

    public static long Lambda(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += CallsLambda(i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CallsLambda(long value)
    {
        Func<long, long> function = [MethodImpl(MethodImplOptions.NoInlining)] (x) => LambdaLeaf(x) + 1;
        return function(value) + 1;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long LambdaLeaf(long value) => value + 15;

    public static long Deep(long count) => Dive(Depth) + count;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Dive(long left) => (left == 0 ? DeepLeaf(left) : Dive(left - 1)) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long DeepLeaf(long value)
    {
        for (int i = 0; i < 500; i++)
            value ^= value + i;
        return value;
    }

    public static long Deeper(long count) => DiveDeeper(TooDeep) + count;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long DiveDeeper(long left) => (left == 0 ? DeeperLeaf(left) : DiveDeeper(left - 1)) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long DeeperLeaf(long value)
    {
        for (int i = 0; i < 500; i++)
            value ^= value + i;
        return value;
    }
}
