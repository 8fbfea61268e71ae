// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Native code above and below managed code, none of it with frame pointers. Each
// method has one caller: what a stack holds is known.

using System;
using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Below;

internal static unsafe partial class Calling
{
    private const MethodImplOptions Kept = MethodImplOptions.NoInlining | MethodImplOptions.AggressiveOptimization;

    [DllImport("below_native", EntryPoint = "below_outer")]
    private static extern nuint Outer(nuint value);

    [DllImport("libc", EntryPoint = "qsort")]
    private static extern void QuickSort(uint* numbers, nuint count, nuint size, delegate* unmanaged<uint*, uint*, int> compare);

    [DllImport("libc", EntryPoint = "memset")]
    private static extern void* Set(void* memory, int value, nuint count);

    [MethodImpl(Kept)]
    private static uint Weigh(uint value)
    {
        for (int i = 0; i < 100; i++)
            value = value * 1664525 + 1013904223;
        return value;
    }

    [UnmanagedCallersOnly]
    [MethodImpl(Kept)]
    private static int Compare(uint* left, uint* right) => Weigh(*left).CompareTo(Weigh(*right));

    [MethodImpl(Kept)]
    private static nuint Down(nuint value) => Outer(value) + 1;

    [MethodImpl(Kept)]
    private static uint Sort(uint* numbers, int count)
    {
        for (int i = 0; i < count; i++)
            numbers[i] = (uint)i * 2654435761;
        QuickSort(numbers, (nuint)count, sizeof(uint), &Compare);
        return numbers[0];
    }

    [MethodImpl(Kept)]
    private static byte Fill(byte* memory, nuint count)
    {
        for (int i = 0; i < 64; i++)
            Set(memory, i, count);
        return memory[1];
    }

    [MethodImpl(Kept)]
    public static void Run(long end)
    {
        const int count = 256;
        const int bytes = 1 << 16;
        uint* numbers = (uint*)NativeMemory.Alloc(count, sizeof(uint));
        byte* memory = (byte*)NativeMemory.Alloc(bytes);
        nuint sum = 0;

        while (Stopwatch.GetTimestamp() < end)
            sum += Down(sum) + Sort(numbers, count) + Fill(memory, bytes);
        Console.WriteLine($"sum {sum}");
        NativeMemory.Free(numbers);
        NativeMemory.Free(memory);
    }
}
