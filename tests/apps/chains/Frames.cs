// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Chains through every shape of frame.  A caller does something with the result,
// so that its call is no tail call.

using System.Runtime.CompilerServices;

namespace Chains;

internal struct Wide
{
    public long A, B, C, D, E, F, G, H;
}

internal struct Page
{
    public unsafe fixed long Words[700];
}

internal struct Pages
{
    public unsafe fixed long Words[5000];
}

internal static unsafe class Frames
{
    public static readonly string[] Chains =
    {
        "Frames.Tiny < Frames.OneCall3 < Frames.OneCall2 < Frames.OneCall1 < Frames.Frameless",
        "Frames.FramedLeaf < Frames.FramedCall2 < Frames.FramedCall1 < Frames.Framed",
        "Frames.SavingLeaf < Frames.SavesAll < Frames.SavesSome < Frames.Saving",
        "Frames.Make < Frames.MakeTwo < Frames.Structs",
        "Frames.Fill < Frames.Allocates < Frames.Allocating",
        "Frames.TouchPage < Frames.HasPage < Frames.Large",
        "Frames.TouchPages < Frames.HasPages < Frames.Larger",
        "Frames.TailEnd < Frames.Tails",
        "Frames.OneMore < Frames.TailFramed < Frames.Tails",
        "Frames.TailFrameless < Frames.Tails",
    };

    // --- no frame ---------------------------------------------------------

    public static long Frameless(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += OneCall1(i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long OneCall1(long value) => OneCall2(value ^ 1) + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long OneCall2(long value) => OneCall3(value + 2) * 3;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long OneCall3(long value) => value - Tiny(value);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Tiny(long value) => value * 3;

    // --- a frame, because of a loop or of several calls --------------------

    public static long Framed(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += FramedCall1(i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long FramedCall1(long value)
    {
        long sum = 1;
        for (int i = 0; i < 2; i++)
            sum += FramedCall2(value + i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long FramedCall2(long value) => FramedLeaf(value) + FramedLeaf(value + 1);

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long FramedLeaf(long value)
    {
        for (int i = 0; i < 3; i++)
            value ^= value >> (i + 1);
        return value;
    }

    // --- saved registers -----------------------------------------------------

    public static long Saving(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += SavesSome(i, 1, 2, 3);
        return sum;
    }

    // One call only: registers are saved, but there is no frame.
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long SavesSome(long a, long b, long c, long d) => SavesAll(a, b + c) + a * b + c * d;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long SavesAll(long a, long b)
    {
        long c = a + b, d = a - b, e = a ^ b, f = a | b, g = a & b;
        for (int i = 0; i < 2; i++)
        {
            c += SavingLeaf(a);
            d ^= c + e;
            e += d ^ f;
            f -= e & g;
            g += f ^ a;
        }
        return c + d + e + f + g + b;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long SavingLeaf(long value)
    {
        long a = value * 3, b = value * 5, c = value * 7, d = value * 11, e = value * 13, f = value * 17;
        long g = value * 19, h = value * 23, i = value * 29, j = value * 31;
        for (int n = 0; n < 2; n++)
        {
            a += b ^ c;
            b += d ^ e;
            c += f ^ g;
            d += h ^ i;
            e += j ^ a;
            f -= b;
            g -= c;
            h -= d;
            i -= e;
            j -= f;
        }
        return a + b + c + d + e + f + g + h + i + j;
    }

    // --- results in memory ------------------------------------------------------

    public static long Structs(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += MakeTwo(i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long MakeTwo(long value)
    {
        Wide first = Make(value), second = Make(first.H);
        return first.A + second.G;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static Wide Make(long value) => new() { A = value, B = 1, C = value + 2, D = 3, E = 4, F = value, G = 5, H = value ^ 5 };

    // --- memory from the stack ----------------------------------------------------

    public static long Allocating(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += Allocates((int)(i & 15) + 1);
        return sum;
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Allocates(int count)
    {
        long* words = stackalloc long[count];
        Fill(words, count);
        return words[count - 1];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Fill(long* words, int count)
    {
        for (int i = 0; i < count; i++)
            words[i] = i;
        return count;
    }

    // --- frames larger than a page, and than several -------------------------------

    public static long Large(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += HasPage(i);
        return sum;
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long HasPage(long value)
    {
        Page page;
        return TouchPage(&page, value) + page.Words[3];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long TouchPage(Page* page, long value)
    {
        page->Words[3] = value;
        return value + 1;
    }

    public static long Larger(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += HasPages(i);
        return sum;
    }

    [SkipLocalsInit]
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long HasPages(long value)
    {
        Pages pages;
        return TouchPages(&pages, value) + pages.Words[3];
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long TouchPages(Pages* pages, long value)
    {
        pages->Words[3] = value;
        return value + 1;
    }

    // --- tail calls: who made one is gone ---------------------------------------------
    // The runtime makes none in methods that must not be inlined; a call through a
    // pointer is never inlined.

    private static delegate*<long, long> _tailFrameless = &TailFrameless, _tailFramed = &TailFramed;

    public static long Tails(long count)
    {
        long sum = 0;
        for (long i = 0; i < count; i++)
            sum += _tailFrameless(i) + _tailFramed(i);
        return sum;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long TailFrameless(long value) => TailEnd(value + 1);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long TailFramed(long value)
    {
        for (int i = 0; i < 3; i++)
            value += OneMore(value) >> i;
        return TailEnd(value + 1);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long OneMore(long value) => value + 1;

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long TailEnd(long value) => value ^ 0x55;
}
