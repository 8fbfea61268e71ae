// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// The exports of tests/rejit, which is loaded as main profiler.

using System;
using System.Reflection;
using System.Runtime.InteropServices;
using System.Text;

namespace Rejit;

internal static unsafe class Profiler
{
    // A value that leaves the IL as it is.
    public const int SameIL = 0;

    // One that makes IL of it which no compiler takes.
    public const int BrokenIL = 1;

    private static readonly IntPtr library = NativeLibrary.Load(
        Environment.GetEnvironmentVariable("REJIT_PROFILER") ?? throw new InvalidOperationException("REJIT_PROFILER is not set"));

    private static readonly delegate* unmanaged<byte*, uint, int, int> request = Change("rejit__request");
    private static readonly delegate* unmanaged<byte*, uint, int, int> requestWithInliners = Change("rejit__request_with_inliners");
    private static readonly delegate* unmanaged<byte*, uint, int, int> prepare = Change("rejit__prepare");
    private static readonly delegate* unmanaged<byte*, uint, int> refuse = (delegate* unmanaged<byte*, uint, int>)Export("rejit__refuse");
    private static readonly delegate* unmanaged<byte*, uint, int> revert = (delegate* unmanaged<byte*, uint, int>)Export("rejit__revert");
    private static readonly delegate* unmanaged<byte*, int> dump = (delegate* unmanaged<byte*, int>)Export("rejit__dump");

    private static readonly delegate* unmanaged<int> isThere = (delegate* unmanaged<int>)Export("rejit__is_there");

    // It may be attached later than the program begins.
    public static bool IsThere => isThere() != 0;

    private static IntPtr Export(string name) => NativeLibrary.GetExport(library, name);

    private static delegate* unmanaged<byte*, uint, int, int> Change(string name) =>
        (delegate* unmanaged<byte*, uint, int, int>)Export(name);

    private static void Check(int result, string what)
    {
        if (result < 0)
            throw new InvalidOperationException($"{what}: 0x{result:x8}");
    }

    private static byte[] Utf8(string text) => Encoding.UTF8.GetBytes(text + "\0");

    private static byte[] ModuleOf(MethodInfo method) => Utf8(method.Module.Name);

    // From now on whoever calls the method runs IL that has `value` for the marker.
    public static void Request(MethodInfo method, int value)
    {
        fixed (byte* module = ModuleOf(method))
            Check(request(module, (uint)method.MetadataToken, value), "RequestReJIT");
    }

    public static void RequestWithInliners(MethodInfo method, int value)
    {
        fixed (byte* module = ModuleOf(method))
            Check(requestWithInliners(module, (uint)method.MetadataToken, value), "RequestReJITWithInliners");
    }

    public static void Refuse(MethodInfo method)
    {
        fixed (byte* module = ModuleOf(method))
            Check(refuse(module, (uint)method.MetadataToken), "RequestReJIT");
    }

    public static void Revert(MethodInfo method)
    {
        fixed (byte* module = ModuleOf(method))
            Check(revert(module, (uint)method.MetadataToken), "RequestRevert");
    }

    public static void Prepare(string assembly, int token, int value)
    {
        fixed (byte* module = Utf8(assembly))
            Check(prepare(module, (uint)token, value), "prepare");
    }

    public static void Dump(string path)
    {
        fixed (byte* bytes = Utf8(path))
            Check(dump(bytes), "dump");
    }
}
