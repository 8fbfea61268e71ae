// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Chains through every kind of call: vtables, stubs that dispatch, delegates.

using System;
using System.Runtime.CompilerServices;

namespace Chains;

internal abstract class Animal
{
    public abstract long Speak(long value);
}

internal sealed class Cat : Animal
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public override long Speak(long value) => value + 1;
}

internal sealed class Dog : Animal
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public override long Speak(long value) => Bark(value) + 2;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Bark(long value) => value ^ 7;
}

internal interface IStep
{
    long Step(long value);
}

internal sealed class Up : IStep
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public long Step(long value) => value + 1;
}

internal sealed class Down : IStep
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public long Step(long value) => value - 1;
}

internal sealed class Twist : IStep
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public long Step(long value) => Turn(value) - 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Turn(long value) => value ^ 3;
}

internal interface ISingle
{
    long Single(long value);
}

internal sealed class Only : ISingle
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public long Single(long value) => value * 5;
}

// Called boxed, so through an unboxing stub.
internal struct Boxed(long start) : IComparable<long>
{
    private readonly long _start = start;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public int CompareTo(long other) => (int)(other ^ _start);
}

internal static class Calls
{
    public static readonly string[] Chains =
    {
        "Cat.Speak < Calls.Speaks < Calls.Virtual",
        "Dog.Bark < Dog.Speak < Calls.Speaks < Calls.Virtual",
        "Up.Step < Calls.StepsMany < Calls.Interface",
        "Down.Step < Calls.StepsMany < Calls.Interface",
        "Twist.Turn < Twist.Step < Calls.StepsMany < Calls.Interface",
        "Only.Single < Calls.StepsOne < Calls.Single",
        "Calls.Closed < Calls.CallsClosed < Calls.Delegate",
        "Calls.Open < Calls.CallsOpen < Calls.Static",
        "Calls.Multi < (runtime) < Calls.CallsMulti < Calls.Multicast",
        "Boxed.CompareTo < Calls.Compares < Calls.Struct",
    };

    private static readonly Animal[] Animals = { new Cat(), new Dog() };
    private static readonly IStep[] Steps = { new Up(), new Down(), new Twist() };
    private static readonly ISingle Step1 = new Only();
    private static readonly object Closure = new();
    private static readonly Func<long, long> ClosedOne = Closure.Closed;
    private static readonly Func<long, long> OpenOne = Open;
    private static readonly Func<long, long> MultiOne = (Func<long, long>)Multi + Multi;
    private static readonly IComparable<long> BoxedOne = new Boxed(9);

    public static long Virtual(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += Speaks(Animals[i & 1], i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Speaks(Animal animal, long value) => animal.Speak(value) + 1;

    public static long Interface(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += StepsMany(Steps[i % 3], i);
        return sum;
    }

    public static long Single(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += StepsOne(Step1, i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long StepsMany(IStep step, long value) => step.Step(value) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long StepsOne(ISingle step, long value) => step.Single(value) + 1;

    public static long Delegate(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += CallsClosed(ClosedOne, i);
        return sum;
    }

    public static long Static(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += CallsOpen(OpenOne, i);
        return sum;
    }

    public static long Multicast(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += CallsMulti(MultiOne, i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CallsClosed(Func<long, long> function, long value) => function(value) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CallsOpen(Func<long, long> function, long value) => function(value) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long CallsMulti(Func<long, long> function, long value) => function(value) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Closed(this object closure, long value) => value + 3;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Open(long value) => value + 4;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Multi(long value) => value + 5;

    public static long Struct(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += Compares(BoxedOne, i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Compares(IComparable<long> boxed, long value) => boxed.CompareTo(value) + 1L;
}
