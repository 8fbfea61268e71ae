// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Chains through generic code: shared over reference types, where types come from
// a dictionary, one body per value type, and generic virtual methods.

using System;
using System.Runtime.CompilerServices;

namespace Chains;

internal sealed class Bag<T>
{
    private T[] _items = Array.Empty<T>();

    [MethodImpl(MethodImplOptions.NoInlining)]
    public long Put(long value) => Generics.SharedLeaf(Renew(value)) + 1;

    // The array's type is looked up at run time where T is shared.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Renew(long value) => Is<T>(value) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Is<TOther>(long value) => (object)value is TOther ? 1 : typeof(TOther) == typeof(T) ? value : 0;

    public int Count => _items.Length;
}

internal class Sender
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public virtual long Send<T>(long value) => Generics.VirtualLeaf(value) + 1;
}

internal sealed class LoudSender : Sender
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public override long Send<T>(long value) => Shout(value) + (typeof(T) == typeof(string) ? 1 : 2);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Shout(long value) => value + 77;
}

internal static unsafe class Generics
{
    public static readonly string[] Chains =
    {
        "Bag<__Canon>.Is<__Canon> < Bag<__Canon>.Renew < Bag<__Canon>.Put < Generics.Shared",
        "Generics.SharedLeaf < Bag<__Canon>.Put < Generics.Shared",
        "Generics.ValueLeaf<int> < Generics.ValueCall<int> < Generics.Value",
        "Generics.ValueLeaf<long> < Generics.ValueCall<long> < Generics.Value",
        "Generics.VirtualLeaf < Sender.Send<__Canon> < Generics.Sends < Generics.Virtual",
        "LoudSender.Shout < LoudSender.Send<__Canon> < Generics.Sends < Generics.Virtual",
        "Generics.PointedLeaf < Generics.Pointed<__Canon> < Generics.Points < Generics.Pointers",
    };

    private static readonly Bag<string> Strings = new();
    private static readonly Sender[] Senders = { new Sender(), new LoudSender() };

    public static long Shared(long count)
    {
        long sum = Strings.Count;
        for (long i = 0; i < count; i++)
            sum += Strings.Put(i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long SharedLeaf(long value) => value ^ 21;

    public static long Value(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += ValueCall<int>(i) + ValueCall<long>(i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long ValueCall<T>(long value) where T : unmanaged => ValueLeaf<T>(value) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long ValueLeaf<T>(long value) where T : unmanaged => value * sizeof(T);

    public static long Virtual(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += Sends(Senders[i & 1], i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Sends(Sender sender, long value) => sender.Send<string>(value) + sender.Send<object>(value);

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long VirtualLeaf(long value) => value + 22;

    // A pointer to a shared static method leads to a stub that puts the type, as a
    // hidden argument, before the others.
    private static readonly delegate*<long, long> PointerOne = &Pointed<string>, PointerTwo = &Pointed<object>;

    public static long Pointers(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += Points(i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Points(long value) => PointerOne(value) + PointerTwo(value);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Pointed<T>(long value) => PointedLeaf(value) + (typeof(T) == typeof(string) ? 1 : 2);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long PointedLeaf(long value) => value + 23;
}
