// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// Turns the runtime's method and module events into JSON lines, field by field
// from the payload, so that no enumeration of a library stands in between.
//
//   MethodLoadVerbose, MethodUnloadVerbose, MethodDCEndVerbose, little endian:
//   +0 u64 method id  +8 u64 module id  +16 u64 start  +24 u32 size
//   +28 u32 token     +32 u32 flags     +36 namespace, name, signature as
//   UTF-16 with a final 0, u16 runtime instance, from version 2 on: u64 native
//   code version id (which the manifest calls ReJITID)
//   (dotnet/runtime v10.0.0, src/coreclr/vm/ClrEtwAll.man)

using System;
using System.Buffers.Binary;
using System.Collections.Generic;
using System.IO;
using System.Text;
using System.Text.Json;

namespace Truth;

internal sealed class Bodies
{
    private const uint JittedFlag = 0x8;

    // (flags >> 7) & 7
    private static readonly string[] Tiers =
    {
        "Unknown", "MinOptJitted", "Optimized", "QuickJitted", "OptimizedTier1", "OptimizedTier1OSR",
        "QuickJittedInstrumented", "OptimizedTier1Instrumented",
    };

    private readonly List<string> _lines = new();

    public void AddMethod(string kind, long timeNs, int version, byte[] payload)
    {
        ReadOnlySpan<byte> data = payload;
        uint flags = BinaryPrimitives.ReadUInt32LittleEndian(data[32..]);
        if ((flags & JittedFlag) == 0)
            return;

        int at = 36;
        string space = ReadString(data, ref at);
        string name = ReadString(data, ref at);
        string signature = ReadString(data, ref at);
        at += 2;
        ulong nativeVersion = version >= 2 ? BinaryPrimitives.ReadUInt64LittleEndian(data[at..]) : 0;

        ulong function = BinaryPrimitives.ReadUInt64LittleEndian(data);
        ulong module = BinaryPrimitives.ReadUInt64LittleEndian(data[8..]);
        ulong start = BinaryPrimitives.ReadUInt64LittleEndian(data[16..]);
        uint size = BinaryPrimitives.ReadUInt32LittleEndian(data[24..]);
        uint token = BinaryPrimitives.ReadUInt32LittleEndian(data[28..]);
        Add(kind, timeNs, json =>
        {
            json.WriteString("function_id", $"0x{function:x}");
            json.WriteString("module_id", $"0x{module:x}");
            json.WriteString("start", $"0x{start:x}");
            json.WriteNumber("size", size);
            json.WriteString("tier", Tiers[(flags >> 7) & 7]);
            json.WriteNumber("native_version", nativeVersion);
            json.WriteString("token", $"0x{token:x8}");
            json.WriteNumber("flags", flags);
            json.WriteString("namespace", space);
            json.WriteString("name", name);
            json.WriteString("signature", signature);
        });
    }

    // ModuleLoad, ModuleUnload: +0 u64 module id.
    public void AddModule(string kind, long timeNs, byte[] payload)
    {
        ulong module = BinaryPrimitives.ReadUInt64LittleEndian(payload);
        Add(kind, timeNs, json => json.WriteString("module_id", $"0x{module:x}"));
    }

    // TieredCompilation*: +0 u16 runtime instance, then u32 for each count that the event has.
    public void AddTiering(string kind, long timeNs, byte[] payload)
    {
        Add(kind, timeNs, json =>
        {
            json.WriteStartArray("counts");
            for (int at = 2; at + 4 <= payload.Length; at += 4)
                json.WriteNumberValue(BinaryPrimitives.ReadUInt32LittleEndian(payload.AsSpan(at)));
            json.WriteEndArray();
        });
    }

    public void AddEnd(long lost) => Add("end", 0, json => json.WriteNumber("lost", lost));

    public void WriteTo(string path)
    {
        lock (_lines)
            File.WriteAllLines(path, _lines);
    }

    private void Add(string kind, long timeNs, Action<Utf8JsonWriter> fields)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("event", kind);
            json.WriteNumber("time_ns", timeNs);
            fields(json);
            json.WriteEndObject();
        }
        lock (_lines)
            _lines.Add(Encoding.UTF8.GetString(stream.ToArray()));
    }

    private static string ReadString(ReadOnlySpan<byte> data, ref int at)
    {
        int end = at;
        while (BinaryPrimitives.ReadUInt16LittleEndian(data[end..]) != 0)
            end += 2;
        string text = Encoding.Unicode.GetString(data[at..end]);
        at = end + 2;
        return text;
    }
}
