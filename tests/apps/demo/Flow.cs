// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Control flow that bends the stack: async state machines, exceptions with
// filters and finally blocks, deep recursion.

using System;
using System.Runtime.CompilerServices;
using System.Threading.Tasks;

namespace Demo;

internal static class Flow
{
    private static int _finallyRuns;

    public static long Async(int round) => SumAsync(20, round).GetAwaiter().GetResult();

    private static async Task<long> SumAsync(int count, int round)
    {
        long sum = 0;
        for (int i = 0; i < count; i++)
            sum += await StepAsync(i + round);
        return sum;
    }

    private static async ValueTask<long> StepAsync(int value)
    {
        if (value % 4 == 0)
            await Task.Yield();
        return Churn(value);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Churn(long value)
    {
        for (int i = 0; i < 3_000; i++)
            value = value * 48271 % 2147483647;
        return value;
    }

    public static long Exceptions(int round)
    {
        int caught = 0;
        for (int i = 0; i < 20; i++)
        {
            try
            {
                Thrower(i, 6);
            }
            catch (InvalidOperationException exception) when (!Accepts(exception, i))
            {
                caught--;
            }
            catch (InvalidOperationException exception) when (Accepts(exception, i))
            {
                caught++;
            }
            catch (ArgumentException)
            {
                caught += 2;
            }
        }
        return caught + _finallyRuns + round;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Thrower(int which, int depth)
    {
        try
        {
            if (depth > 0)
                Thrower(which, depth - 1);
            else if (which % 2 == 0)
                throw new InvalidOperationException("even");
            else
                throw new ArgumentException("odd");
        }
        finally
        {
            _finallyRuns = unchecked(_finallyRuns + (int)(Churn(which) & 1));
        }
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static bool Accepts(Exception exception, int which) => Churn(which + 1) != 0 && exception.Message.Length > 0;

    public static long Recursion(int round) => Fibonacci(18) + Ackermann(2, 60 + round % 3);

    private static long Fibonacci(int n) => n < 2 ? n : Fibonacci(n - 1) + Fibonacci(n - 2);

    private static long Ackermann(long m, long n)
    {
        if (m == 0)
            return n + 1;
        return n == 0 ? Ackermann(m - 1, 1) : Ackermann(m - 1, Ackermann(m, n - 1));
    }
}
