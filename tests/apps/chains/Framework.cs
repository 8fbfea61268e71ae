// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Chains with precompiled code in the middle, or at their end.  Its direct callers
// are optimized at once, so that no profile says to inline it.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Runtime.CompilerServices;

namespace Chains;

internal sealed class Key(long value)
{
    public long Value { get; } = value;
}

internal sealed class KeyComparer : IEqualityComparer<Key>
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public bool Equals(Key? x, Key? y) => x!.Value == y!.Value;

    [MethodImpl(MethodImplOptions.NoInlining)]
    public int GetHashCode(Key key) => Framework.Hash(key.Value) + 1;
}

internal static class Framework
{
    public static readonly string[] Chains =
    {
        "Framework.Compare < (framework) < Framework.Sorts < Framework.Sort",
        "Framework.Visit < System.Collections.Generic.List<int>.ForEach < Framework.Visits < Framework.ForEach",
        "Framework.Select < (framework) < Framework.Sums < Framework.Linq",
        "(framework) < Framework.Searches < Framework.Leaf",
        "(framework) < Framework.Fills < Framework.Leaf",
        "Framework.Hash < KeyComparer.GetHashCode < (framework) < Framework.Looks < Framework.Lookup",
        "KeyComparer.Equals < (framework) < Framework.Looks < Framework.Lookup",
    };

    private static readonly int[] Unsorted = Enumerable.Range(0, 200).Select(i => i * 7919 % 1009).ToArray();
    private static readonly List<int> Numbers = new(Unsorted);
    private static readonly string Text = new string('a', 100) + "b";
    private static readonly Key Needle = new(77);

    private static Dictionary<Key, long>? _keys;

    [ThreadStatic]
    private static long _visited;

    public static long Sort(long count) => Sorts((int[])Unsorted.Clone()) + count;

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static long Sorts(int[] numbers)
    {
        Array.Sort(numbers, Compare);
        return numbers[0];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Compare(int x, int y) => x < y ? -1 : x > y ? 1 : 0;

    public static long ForEach(long count) => Visits(Numbers) + count;

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static long Visits(List<int> numbers)
    {
        numbers.ForEach(Visit);
        return _visited;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Visit(int number) => _visited += number;

    public static long Linq(long count) => Sums(Numbers) + count;

    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static long Sums(IEnumerable<int> numbers) => numbers.Select(Select).Sum() + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int Select(int number)
    {
        for (int i = 1; i < 4; i++)
            number ^= number >> i;
        return number;
    }

    public static long Leaf(long count)
    {
        long sum = 0;
        Span<byte> bytes = stackalloc byte[500];
        for (long i = 0; i < count; i++)
            sum += Searches(Text) + Fills(bytes);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Searches(string text) => text.IndexOf('b') + text.LastIndexOf("ab", StringComparison.Ordinal);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Fills(Span<byte> bytes)
    {
        bytes.Fill(3);
        return bytes[4];
    }

    public static long Lookup(long count)
    {
        long sum = 0;
        for (long i = 0; i < 50 * count; i++)
            sum += Looks(i);
        return sum;
    }

    // Nobody else may fill it: the comparer has one caller.
    [MethodImpl(MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization)]
    private static long Looks(long value)
    {
        _keys ??= new Dictionary<Key, long>(new KeyComparer()) { { new Key(77), 7 } };
        return _keys.TryGetValue(Needle, out long found) ? found + value : value;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    public static int Hash(long value) => (int)value * 31;
}
