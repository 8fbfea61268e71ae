// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Generic types and methods: one function per value type, one shared function
// for all reference types.

using System.Collections.Generic;
using System.Runtime.CompilerServices;

namespace Demo;

internal sealed class Gen<T> where T : notnull
{
    private readonly T[] _items;

    public Gen(params T[] items) => _items = items;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public long Count(T wanted)
    {
        long count = 0;
        for (int i = 0; i < _items.Length; i++)
        {
            if (EqualityComparer<T>.Default.Equals(_items[i], wanted))
                count++;
        }
        return count + Last(wanted).GetHashCode() % 3;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private T Last(T other) => _items.Length > 0 ? _items[^1] : other;
}

internal struct Pair<TFirst, TSecond>
{
    public TFirst First;
    public TSecond Second;
}

internal static class Generics
{
    private const int Count = 200;

    private static readonly Gen<int> Ints = new(1, 2, 3, 5, 8, 13, 21);
    private static readonly Gen<long> Longs = new(1, 4, 9, 16, 25, 36);
    private static readonly Gen<string> Strings = new("one", "two", "three", "four");
    private static readonly Gen<object> Objects = new("one", 2, 3.0, 'c');

    public static long Types(int round)
    {
        long sum = 0;
        for (int i = 0; i < Count; i++)
        {
            sum += Ints.Count(i & 15) + Longs.Count(i & 31);
            sum += Strings.Count("three") + Objects.Count("one");
        }
        return sum + round;
    }

    public static long Methods(int round)
    {
        long sum = 0;
        for (int i = 0; i < Count; i++)
        {
            sum += Pick<int>(i, round, i) + Pick<long>(i, round, i);
            sum += Pick<string>("a", "b", i).Length + Pick<object>("abc", "ab", i).GetHashCode() % 5;
            sum += Swap<int, string>(i, "text").First.Length + (long)Swap<double, int>(i, 3).Second;
        }
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static T Pick<T>(T first, T second, int which) => (which & 1) == 0 ? first : second;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Pair<TSecond, TFirst> Swap<TFirst, TSecond>(TFirst first, TSecond second) =>
        new() { First = second, Second = first };
}
