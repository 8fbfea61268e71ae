// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Burns CPU in methods with hostile names, which are legal in metadata and
// must be text, nothing else, in every view.  hostile [SECONDS].  Each name
// holds a marker, HOSTILEn, that a test can find whatever the rest becomes.

using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.Globalization;
using System.Reflection;
using System.Reflection.Emit;

namespace Hostile;

internal static class Program
{
    private static readonly string[] Names =
    {
        "HOSTILE0\nline\rbreak\ttab\vfeed",
        "HOSTILE1\u001b[31mred\u0007\u0008\u007f\u0001\u009b2J",
        "HOSTILE2</script><img src=x onerror=alert(1)>",
        "HOSTILE3<!--<script>'\"`${1}&lt;&amp;",
        "HOSTILE4" + new string('A', 10_000),
        "HOSTILE5\ud800lone\udc00surrogates\udfff",
        "HOSTILE6\u202egpj.exe\u2066bidi\u2069",
        "HOSTILE7;a;b c 12 34",
        "HOSTILE8\\u0041\\\"quote\\",
        "HOSTILE9\u2028\u2029\ufeff\u0085",
        "HOSTILE10%s%n%x{0}$(reboot)`reboot`",
        "HOSTILE11 [tier1 #2]",
        "HOSTILE12" + new string('\u4e16', 3_000) + "\U0001f600",
        "HOSTILE13../../../../etc/passwd",
    };

    private static int Main(string[] args)
    {
        double seconds = 5;
        if (args.Length > 1 || (args.Length == 1 && !double.TryParse(args[0], CultureInfo.InvariantCulture, out seconds)))
        {
            Console.Error.WriteLine("usage: hostile [SECONDS]");
            return 3;
        }

        List<Func<ulong, ulong>> functions = MakeFunctions();
        Console.WriteLine($"hostile: pid {Environment.ProcessId}, {functions.Count} functions, {Names.Length} names");
        long end = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        ulong value = 1;
        while (Stopwatch.GetTimestamp() < end)
        {
            foreach (Func<ulong, ulong> function in functions)
                value = function(value);
        }
        Console.WriteLine($"hostile: done, {value}");
        return 0;
    }

    // Each name as a dynamic method, and as type and method of an assembly.
    private static List<Func<ulong, ulong>> MakeFunctions()
    {
        AssemblyBuilder assembly = AssemblyBuilder.DefineDynamicAssembly(
            new AssemblyName("hostile assembly"), AssemblyBuilderAccess.RunAndCollect);
        ModuleBuilder module = assembly.DefineDynamicModule("HOSTILE module </script>\n");
        var functions = new List<Func<ulong, ulong>>();
        foreach (string name in Names)
        {
            var dynamic = new DynamicMethod(name, typeof(ulong), new[] { typeof(ulong) }, typeof(Program).Module);
            EmitWork(dynamic.GetILGenerator());
            functions.Add(dynamic.CreateDelegate<Func<ulong, ulong>>());

            // The runtime allows a type name of 1,023 bytes only.
            string typeName = name.Length > 300 ? name[..300] : name;
            TypeBuilder type = module.DefineType("Space." + typeName, TypeAttributes.Public | TypeAttributes.Sealed);
            MethodBuilder method = type.DefineMethod(
                name, MethodAttributes.Public | MethodAttributes.Static, typeof(ulong), new[] { typeof(ulong) });
            EmitWork(method.GetILGenerator());
            MethodInfo made = type.CreateType().GetMethods(BindingFlags.Public | BindingFlags.Static)[0];
            functions.Add(made.CreateDelegate<Func<ulong, ulong>>());
        }
        return functions;
    }

    // ulong Work(ulong value) { for (int i = 1000000; i != 0; i--) value = value * A + C; return value; }
    private static void EmitWork(ILGenerator il)
    {
        LocalBuilder index = il.DeclareLocal(typeof(int));
        Label top = il.DefineLabel();
        il.Emit(OpCodes.Ldc_I4, 1_000_000);
        il.Emit(OpCodes.Stloc, index);
        il.MarkLabel(top);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ldc_I8, 6364136223846793005L);
        il.Emit(OpCodes.Mul);
        il.Emit(OpCodes.Ldc_I8, 1442695040888963407L);
        il.Emit(OpCodes.Add);
        il.Emit(OpCodes.Starg_S, (byte)0);
        il.Emit(OpCodes.Ldloc, index);
        il.Emit(OpCodes.Ldc_I4_1);
        il.Emit(OpCodes.Sub);
        il.Emit(OpCodes.Dup);
        il.Emit(OpCodes.Stloc, index);
        il.Emit(OpCodes.Brtrue, top);
        il.Emit(OpCodes.Ldarg_0);
        il.Emit(OpCodes.Ret);
    }
}
