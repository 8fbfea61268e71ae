# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""report --group runtime: the runtime's own frames as what they are there for.  The garbage collector
is loaded as a library of its own here, so that its frames are known by their file."""

import json
import re

from lib import check, loader, programs

RUNTIME = re.compile(r"^(lib(coreclr|clrjit|clrgc|clrgcexp|hostfxr|hostpolicy)\.so|libSystem\.[\w.]*\.so)")
GROUPS = ("[GC]", "[JIT]", "[type loading]", "[interop]", "[threads]", "[runtime]")
COLLECTOR, JIT = "libclrgc.so", "libclrjit.so"


def folded(t, path, *options):
    result = loader.report(t, path, "--format", "folded", "--per-thread", *options)
    check.equal(result.code, 0, f"{result}\nexit code")
    lines = (line.rsplit(" ", 1) for line in result.out.splitlines())
    return [(stack.split(";"), int(count)) for stack, count in lines]


def total(stacks, wanted=lambda frames: True):
    return sum(count for frames, count in stacks if wanted(frames))


def without(stacks, is_runtime):
    """{all other frames: count}"""
    rest = {}
    for frames, count in stacks:
        key = tuple(frame for frame in frames if not is_runtime(frame))
        rest[key] = rest.get(key, 0) + count
    return rest


@check.test("frames of the runtime in groups", timeout=90)
def groups(t):
    programs.need_root()
    path = t.path("out.tscope")
    result = loader.record(t, "--off-cpu", "-o", path, "-F", loader.FREQUENCY, "--", programs.app("demo"), "3",
                           env=programs.environment(DOTNET_GCName=COLLECTOR))
    check.equal(result.code, 0, f"{result}\nexit code")
    for options in ((), ("--off-cpu",), ("--wall", "--split", "none")):
        as_is, grouped = folded(t, path, *options), folded(t, path, "--group", "runtime", *options)
        name = " ".join(options)
        with t.case(f"the sum is the same {name}"):
            check.equal(total(grouped), total(as_is), "samples or ns")
        with t.case(f"all other frames are as they were {name}"):
            check.equal(without(grouped, GROUPS.__contains__), without(as_is, RUNTIME.match), "stacks")
        with t.case(f"no group stands on itself {name}"):
            check.empty([f for f, _ in grouped if any(a == b and a in GROUPS for a, b in zip(f, f[1:]))], "stacks")
    as_is, grouped = folded(t, path), folded(t, path, "--group", "runtime")
    print({group: total(grouped, lambda frames, group=group: group in frames) for group in GROUPS})
    with t.case("the collector's file is [GC]"):
        samples = total(as_is, lambda frames: frames[-1].startswith(COLLECTOR))
        check.at_least(samples, 1, f"samples in {COLLECTOR}")
        check.at_least(total(grouped, lambda frames: frames[-1] == "[GC]"), samples, "samples in [GC]")
    with t.case("the JIT's file is [JIT], and so is what compiles in the background"):
        samples = total(as_is, lambda frames: any(frame.startswith(JIT) for frame in frames))
        check.at_least(samples, 100, f"samples with a frame of {JIT}")
        check.at_least(total(grouped, lambda frames: "[JIT]" in frames), samples, "samples with [JIT]")
        worker = [frames for frames, _ in grouped if frames[0].startswith(".NET Tiered Com")]
        check.empty([frames for frames in worker if {"[threads]", "[runtime]"} & set(frames)], "stacks of other groups")
    with t.case("methods that wait, and classes that are initialized"):
        def after(stacks, method, group):
            return total(stacks, lambda frames: any(
                a.startswith(method) and b == group for a, b in zip(frames, frames[1:])))
        off = folded(t, path, "--off-cpu", "--group", "runtime")
        check.at_least(after(off, "System.Threading.", "[threads]"), 1, "ns below methods that wait")
        check.at_least(total(grouped, lambda frames: "[type loading]" in frames), 1, "samples of type loading")
    with t.case("every form has them"):
        text = loader.report(t, path, "--group", "runtime", "--top", "0").out
        check.that("[JIT]" in text and not re.search(r"  libclrjit\.so", text), f"[JIT] for libclrjit.so in\n{text[:3000]}")
        page = loader.report(t, path, "--group", "runtime", "--format", "html").out
        check.that('"[JIT]"' in page and '"[GC]"' in page and "libclrjit.so!" not in page, "groups on the page")
        scope = json.loads(loader.report(t, path, "--group", "runtime", "--format", "speedscope").out)
        names = [frame["name"] for frame in scope["shared"]["frames"]]
        check.that("[GC]" in names and not any(map(RUNTIME.match, names)), "groups for speedscope")
    with t.case("what cannot be asked for"):
        loader.complaint(loader.report(t, path, "--group", "kernel"), 3, "unknown group 'kernel'")
        loader.complaint(loader.report(t, path, "--group", "runtime", "--format", "json"), 3, "--group")
