// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Methods that are called seldom and loop long: they leave their tier-0 body
// in the middle of a call (on-stack replacement).

using System.Runtime.CompilerServices;

namespace Demo;

internal static class Loops
{
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Collatz(int round)
    {
        long steps = 0;
        for (long start = 1; start < 60_000; start++)
        {
            long value = start + round;
            while (value > 1)
            {
                value = (value & 1) == 0 ? value >> 1 : 3 * value + 1;
                steps++;
            }
        }
        return steps;
    }

    // Two loop nests, so that it can be replaced at more than one place.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static long Matrix(int round)
    {
        const int size = 160;
        var left = new double[size * size];
        var right = new double[size * size];
        for (int i = 0; i < left.Length; i++)
        {
            left[i] = i % 7 + round;
            right[i] = i % 11 - round;
        }

        double trace = 0;
        for (int row = 0; row < size; row++)
        {
            for (int column = 0; column < size; column++)
            {
                double sum = 0;
                for (int k = 0; k < size; k++)
                    sum += left[row * size + k] * right[k * size + column];
                if (row == column)
                    trace += sum;
            }
        }
        return (long)trace;
    }
}
