// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// One method that is called with the same count again and again, and what the kernel says
// that the thread did meanwhile.

using System;
using System.Globalization;
using System.Text;

namespace Counts;

internal sealed unsafe class Method(string name, Action<int> call, int count)
{
    private long calls, faults, waits, preempted;

    public void Run()
    {
        Usage before, after;
        Usage.Read(&before);
        call(count);
        Usage.Read(&after);
        calls++;
        faults += after.MinorFaults - before.MinorFaults + after.MajorFaults - before.MajorFaults;
        waits += after.Waits - before.Waits;
        preempted += after.Preempted - before.Preempted;
    }

    public static string Json(Method[] methods)
    {
        var text = new StringBuilder("{\"methods\":{");
        foreach (Method method in methods)
        {
            if (method != methods[0])
                text.Append(',');
            text.Append(CultureInfo.InvariantCulture, $"\"Counts.Causes.{method.Name}(int)\":{{\"wanted\":{method.Wanted},");
            text.Append(CultureInfo.InvariantCulture, $"\"faults\":{method.faults},\"waits\":{method.waits},\"preempted\":{method.preempted}}}");
        }
        return text.Append("}}").ToString();
    }

    private string Name { get; } = name;
    private long Wanted => calls * count;
}
