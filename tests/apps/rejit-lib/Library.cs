// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
// What another assembly's methods call.

namespace Rejit;

public static class Library
{
    public const int Marker = 0x5eed1e55;

    // Small enough to become part of its caller, where both are compiled together.
    public static int Lent() => Marker;
}
