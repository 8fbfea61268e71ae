// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Prepares methods named by the tables.  A name that the runtime does not know
// is written as such: it is an error of the reader that made the table.

using System;
using System.Collections.Generic;
using System.Globalization;
using System.IO;
using System.Linq;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.Loader;

namespace ImageTruth;

internal sealed class Preparation(StreamWriter writer)
{
    private const BindingFlags Declared = BindingFlags.DeclaredOnly | BindingFlags.Public | BindingFlags.NonPublic |
        BindingFlags.Static | BindingFlags.Instance;

    private readonly Dictionary<(Type, int), MethodBase?> _methods = new();
    private readonly HashSet<Type> _seen = new();
    private Assembly? _assembly;

    // I path / B begin end token type method signature arguments
    public void Run(string tables)
    {
        string[][] lines = File.ReadLines(tables).Select(line => line.Split('\t')).ToArray();
        string[] images = lines.Where(line => line[0] == "I").Select(line => line[1]).ToArray();
        string[] folders = images.Select(image => Path.GetDirectoryName(image)!).Distinct().ToArray();
        AssemblyLoadContext.Default.Resolving += (context, name) => folders
            .Select(folder => Path.Combine(folder, name.Name + ".dll"))
            .Where(File.Exists).Select(context.LoadFromAssemblyPath).FirstOrDefault();
        foreach (string image in images)
            Load(image);
        string path = "";
        foreach (string[] line in lines)
        {
            if (line[0] == "I")
                _assembly = Load(path = line[1]);
            else if (_assembly != null)
                writer.WriteLine($"{path}\t{line[1]}\t{Prepare(line)}");
        }
    }

    // Null when the runtime takes another file of that name, or none.
    private static Assembly? Load(string path)
    {
        try
        {
            Assembly assembly = LoadByNameOrPath(path);
            return assembly.Location == path ? assembly : null;
        }
        catch (Exception exception) when (exception is BadImageFormatException or FileLoadException)
        {
            return null;
        }
    }

    // The framework's own are found by name, CoreLib only so.
    private static Assembly LoadByNameOrPath(string path)
    {
        try
        {
            return Assembly.Load(AssemblyName.GetAssemblyName(path));
        }
        catch (FileNotFoundException)
        {
            return AssemblyLoadContext.Default.LoadFromAssemblyPath(path);
        }
    }

    private string Prepare(string[] line)
    {
        Type? type;
        Type?[] arguments;
        try
        {
            type = new TypeName(line[4], _assembly!).ParseAll().SingleOrDefault();
            arguments = line[7] == "" ? [] : new TypeName(line[7], _assembly!).ParseAll().ToArray();
        }
        catch (Exception exception) when (exception is FormatException or ArgumentException or TypeLoadException)
        {
            return "wrong: " + exception.Message;
        }
        if (type == null || arguments.Contains(null))
            return "wrong: no such type";

        int token = int.Parse(line[3], NumberStyles.HexNumber, CultureInfo.InvariantCulture);
        MethodBase? method = Method(type, token);
        if (method == null)
            return "wrong: the type has no such method";
        return Prepare(type, method, arguments!);
    }

    private static string Prepare(Type type, MethodBase method, Type[] arguments)
    {
        try
        {
            if (arguments.Length > 0)
                method = ((MethodInfo)method).MakeGenericMethod(arguments);
            Type[] all = (type.IsGenericType ? type.GetGenericArguments() : []).Concat(arguments).ToArray();
            if (all.Length > 0)
                RuntimeHelpers.PrepareMethod(method.MethodHandle, all.Select(t => t.TypeHandle).ToArray());
            else
                RuntimeHelpers.PrepareMethod(method.MethodHandle);
            return $"{(ulong)method.MethodHandle.Value:x}";
        }
        catch (Exception exception)
        {
            // Code for another machine, a missing dependency, a constraint that
            // only holds without reflection: no opinion about the name.
            return $"none: {exception.GetType().Name}";
        }
    }

    private MethodBase? Method(Type type, int token)
    {
        if (_seen.Add(type))
        {
            foreach (MethodBase method in type.GetMethods(Declared).Cast<MethodBase>().Concat(type.GetConstructors(Declared)))
                _methods[(type, method.MetadataToken)] = method;
            if (type.FullName == "<Module>" || type.Name == "<Module>")
                foreach (MethodInfo method in type.Module.GetMethods(Declared))
                    _methods[(type, method.MetadataToken)] = method;
        }
        return _methods.GetValueOrDefault((type, token));
    }
}
