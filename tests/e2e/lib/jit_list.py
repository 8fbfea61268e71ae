# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""The JIT's own list of what it compiled, as a second independent source: it has no
addresses, but knows of each body that was ever compiled, to the process's last breath,
and the IL offset of OSR bodies (dotnet/runtime src/coreclr/jit/compiler.cpp,
"JIT compiled", with DOTNET_JitStdOutFile and DOTNET_JitDisasmSummary)."""

import collections
import re

from . import check, truth

LINE = re.compile(r"\s*\d+: JIT compiled (?P<type>.*?):(?P<method>[^:([]+)[([].*"
                  r" \[(?P<tier>[^,\]]*?)(?: @0x(?P<offset>[0-9a-f]+))?(?: with \w+ PGO)?"
                  r", IL size=\d+, code size=(?P<size>\d+)[^\]]*\]$")

# First bodies can be instrumented without the runtime's events saying so.
QUICK, OPTIMIZED = ("QuickJitted", "QuickJittedInstrumented"), ("Optimized",)
TIERS = {
    "Tier0": QUICK,
    "Instrumented Tier0": QUICK,
    "Instrumented Tier1": ("OptimizedTier1Instrumented",),
    "Tier1": ("OptimizedTier1",),
    "Tier1-OSR": ("OptimizedTier1OSR",),
    "FullOpts": OPTIMIZED,
    "Tier-0 switched to FullOpts": OPTIMIZED,
    "MinOpts": ("MinOptJitted",),
    "Tier-0 switched MinOpts": ("MinOptJitted",),
}


def environment(path):
    return {"DOTNET_JitStdOutFile": path, "DOTNET_JitDisasmSummary": "1"}


def read(path):
    with open(path, encoding="utf-8") as file:
        found = [(LINE.match(line), line) for line in file]
    check.empty([line for match, line in found if not match], "lines of the JIT that cannot be read")
    return [match.groupdict() for match, _ in found]


def key_of(tiers, size, offset):
    return tiers[0], int(size), offset


def is_method(name, one):
    """`name` of ours is of that method, whatever its arguments."""
    wanted = {one["method"]}
    if one["method"] == "MoveNext" or one["method"].startswith("<"):
        wanted.add(truth.as_written({"namespace": one["type"], "name": one["method"]}))
    return any(re.search(rf"(^|\.){re.escape(method)}($|[<( .])", name) for method in wanted)


def check_same(told, ours, most_late):
    """Each compilation is one body of ours with that tier, size, OSR offset and method,
    and each of ours is one of them; but for `most_late` at the end, which the runtime
    compiles after it has let go of its profilers."""
    tiers = {tier: accepted for accepted in TIERS.values() for tier in accepted}
    left = collections.defaultdict(list)
    for body in ours:
        left[key_of(tiers[body["tier"]], body["size"], body["osr_il_offset"])].append(body)
    missing, late = [], []
    for one in told:
        offset = None if one["offset"] is None else int(one["offset"], 16)
        bodies = left[key_of(TIERS[one["tier"]], one["size"], offset)]
        found = next((body for body in bodies if is_method(body["name"], one)), None)
        if found is None:
            late.append(f"not in ours: {one['tier']} {one['size']} {one['type']}:{one['method']}")
        else:
            bodies.remove(found)
            missing += late
            late = []
    extra = [f"not listed: {truth.text(body)}" for bodies in left.values() for body in bodies]
    print(f"{len(late)} of {len(told)} compilations were after the last body of ours")
    check.at_least(len(told), 50, "compilations that the JIT listed")
    check.empty(missing + extra, f"differences among {len(told)} compilations and {len(ours)} bodies of ours")
    check.at_least(most_late, len(late), "compilations after the last body of ours")
