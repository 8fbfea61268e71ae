// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Types by the runtime's spelling, NS.Outer+Inner`1[System.Int32[],NS.T*].  A
// name without its assembly is looked for in the image's own first, then in
// every other one, since several may have a type of the same name.

using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;

namespace ImageTruth;

internal sealed class TypeName(string text, Assembly own)
{
    private int _at;

    public IEnumerable<Type?> ParseAll()
    {
        var types = new List<Type?> { Parse() };
        while (_at < text.Length && text[_at] == ',')
        {
            _at++;
            types.Add(Parse());
        }
        if (_at != text.Length)
            throw new FormatException($"{text}: not understood from {_at} on");
        return types;
    }

    private char Here(int ahead = 0) => _at + ahead < text.Length ? text[_at + ahead] : '\0';

    private Type? Parse()
    {
        int start = _at;
        while (_at < text.Length && !",[]&*".Contains(text[_at]))
            _at += text[_at] == '\\' ? 2 : 1;
        string name = text[start.._at];
        Type? type = own.GetType(name) ??
            AppDomain.CurrentDomain.GetAssemblies().Select(a => a.GetType(name)).FirstOrDefault(t => t != null);
        if (Here() == '[' && Here(1) is not (']' or ',' or '*'))
            type = ParseArguments(type);
        return ParseSuffixes(type);
    }

    private Type? ParseArguments(Type? type)
    {
        var arguments = new List<Type?>();
        do
        {
            _at++;
            arguments.Add(Parse());
        }
        while (Here() == ',');
        if (Here() != ']')
            throw new FormatException($"{text}: no ] at {_at}");
        _at++;
        return arguments.Contains(null) ? null : type?.MakeGenericType(arguments.ToArray()!);
    }

    private Type? ParseSuffixes(Type? type)
    {
        while (true)
        {
            switch (Here())
            {
                case '*':
                    type = type?.MakePointerType();
                    _at++;
                    break;
                case '&':
                    type = type?.MakeByRefType();
                    _at++;
                    break;
                case '[':
                    int end = text.IndexOf(']', _at);
                    type = end == _at + 1 ? type?.MakeArrayType() : type?.MakeArrayType(end - _at);
                    _at = end + 1;
                    break;
                default:
                    return type;
            }
        }
    }
}
