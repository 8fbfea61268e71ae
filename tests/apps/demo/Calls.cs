// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Small hot methods behind each kind of call; these climb all the tiers.

using System;
using System.Runtime.CompilerServices;

namespace Demo;

internal interface IVisitor
{
    long Visit(long value);
}

internal sealed class Adder : IVisitor
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public long Visit(long value) => value + 3;
}

internal sealed class Shifter : IVisitor
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public long Visit(long value) => (value << 1) ^ (value >> 7);
}

internal sealed class Folder : IVisitor
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public long Visit(long value)
    {
        for (int i = 0; i < 4; i++)
            value ^= value >> (3 + i);
        return value;
    }
}

internal abstract class Shape
{
    public abstract double Area(double scale);
    public virtual double Twice(double scale) => 2 * Area(scale);
}

internal sealed class Circle : Shape
{
    public override double Area(double scale) => 3.14159 * scale * scale;
}

internal sealed class Square : Shape
{
    public override double Area(double scale) => scale * scale;
    public override double Twice(double scale) => 2 * scale * scale;
}

internal sealed class Polygon : Shape
{
    public override double Area(double scale)
    {
        double area = 0;
        for (int corner = 0; corner < 6; corner++)
            area += scale * (corner + 1);
        return area;
    }
}

internal static class Calls
{
    private const int Count = 2_000;

    private static readonly IVisitor[] Visitors = { new Adder(), new Shifter(), new Folder(), new Adder() };
    private static readonly Shape[] Shapes = { new Circle(), new Square(), new Polygon(), new Circle() };
    private static readonly Func<long, long>[] Functions = { Mix, Spread, value => value * 31 + 7 };

    public static long Small(int round)
    {
        long value = round;
        for (int i = 0; i < Count; i++)
            value = Spread(Mix(value + i));
        return value;
    }

    public static long Virtual(int round)
    {
        double sum = round;
        for (int i = 0; i < Count; i++)
            sum += Shapes[i & 3].Area(i) + Shapes[(i + 1) & 3].Twice(i);
        return (long)sum;
    }

    public static long Interface(int round)
    {
        long value = round;
        for (int i = 0; i < Count; i++)
            value = Visitors[i & 3].Visit(value);
        return value;
    }

    public static long Delegate(int round)
    {
        long value = round;
        for (int i = 0; i < Count; i++)
            value = Functions[i % 3](value);
        return value;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Mix(long value) => (value ^ (value >> 31)) * 0x7fb5d329728ea185;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Spread(long value)
    {
        value ^= value >> 27;
        value *= 0x1dadef4bc2dd44d;
        return value ^ (value >> 33);
    }
}
