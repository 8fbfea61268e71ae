# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Kernel frames: a program that is nearly always in the kernel, below one managed
method, recorded with and without them; and on a kernel that hides its names."""

import collections
import os

from lib import check, loader, programs, recording, report

METHOD = "Below.Reading.ReadRandom("
SECONDS = 3
MARK = "_[k]"
WAYS_IN = ("entry_", "asm_", "ret_", "[kernel]")


def stacks_of(path):
    """[(frames, root first; samples)] of the folded report."""
    result = loader.run("report", path, "--format", "folded")
    check.equal(result.code, 0, f"{result}\nexit code")
    rows = (line.rpartition(" ") for line in result.out.splitlines())
    return [(stack.split(";"), int(count)) for stack, _, count in rows]


def record(t, name, *options, **more):
    path = t.path(name + ".tscope")
    result = loader.record(t, "-o", path, "-F", loader.FREQUENCY, *options, "--", programs.app("below"), "read", SECONDS,
                           **more)
    check.equal(result.code, 0, f"{result}\nexit code")
    return path, result


def names_are_shown():
    with open("/proc/kallsyms", encoding="ascii", errors="replace") as symbols:
        return any(line.split()[1] in "tT" and int(line.split()[0], 16) for line in symbols)


def count(stacks, wanted):
    return sum(samples for frames, samples in stacks if wanted(frames))


@check.test("kernel frames", timeout=120)
def kernel_frames(t):
    programs.need_root()
    path, _ = record(t, "kernel", "--kernel")
    stacks = stacks_of(path)
    document = report.Report(loader.read_json(t, path))
    everything = count(stacks, lambda frames: True)
    in_kernel = count(stacks, lambda frames: frames[-1].endswith(MARK))
    below = [(f, n) for f, n in stacks if f[-1].endswith(MARK) and any(x.startswith(METHOD) for x in f)]
    print(f"{everything} samples, {in_kernel} in the kernel, {count(below, lambda f: True)} of those below {METHOD})")
    with t.case("the program is in the kernel below its managed method"):
        check.at_least(in_kernel, everything // 2, "samples in the kernel")
        check.at_least(count(below, lambda f: True), in_kernel * 9 // 10, f"of them below {METHOD})")
    with t.case("kernel frames are leafward of all user frames"):
        check.empty((f for f, _ in stacks if any(a.endswith(MARK) and not b.endswith(MARK) for a, b in zip(f, f[1:]))),
                    "stacks with a user frame above a kernel frame")
    with t.case("they are the functions that read random numbers"):
        if not names_are_shown():
            raise check.Skip("this kernel hides the addresses of its symbols")
        check.at_least(count(below, lambda f: "vfs_read" + MARK in f), count(below, lambda f: True) * 9 // 10,
                       "samples below vfs_read")
        # The kernel's own unwinder does not always get out of an indirect thunk.
        odd = collections.Counter()
        for frames, samples in below:
            entered = next(x for x in frames if x.endswith(MARK))
            if not entered.startswith(WAYS_IN):
                odd[entered] += samples
        print(f"other ways in: {dict(odd)}")
        check.empty([name for name in odd if "_thunk" not in name], "ways into the kernel")
        check.at_least(1 - sum(odd.values()) / count(below, lambda f: True), 0.99, "share of samples below a way into the kernel")
        check.equal(count(below, lambda f: "[kernel]" + MARK in f), 0, "samples with a kernel function without a name")
    with t.case("samples of the method stay its own"):
        summary = document.events[0]["samples_summary"]
        check.equal(summary["kernel_leaf"], in_kernel, "samples with a leaf in the kernel")
        leaves = ("body_leaf", "native_leaf", "kernel_leaf", "stub_leaf", "unresolved_leaf")
        check.equal(sum(summary[leaf] for leaf in leaves), everything, "samples by their leaf")
        report.check_ledger(document)
        check.equal(document.ledger["notes"]["no_kernel_stack"], 0, "missing kernel stacks")
        own = sum(report.own(b) for b in document.bodies)
        recorded = recording.Recording(path)
        kinds = [next((f[0] for f in recorded.frames_of(stack) if f[0] != recording.FRAME_KERNEL), None)
                 for stack in recorded.stacks_of_samples]
        check.equal(own, kinds.count(recording.FRAME_BODY), "self of all bodies against samples whose last user frame is one")
    with t.case("pprof has them too"):
        result = loader.run("report", path, "-o", t.path("kernel.pb.gz"))
        check.equal(result.code, 0, f"{result}\nexit code")


@check.test("no kernel frames", timeout=120)
def no_kernel_frames(t):
    programs.need_root()
    path, _ = record(t, "user")
    stacks = stacks_of(path)
    with t.case("without --kernel the stack ends where the kernel was entered"):
        check.empty((f for f, _ in stacks if any(x.endswith(MARK) for x in f)), "stacks with kernel frames")
        in_method = count(stacks, lambda f: any(x.startswith(METHOD) for x in f))
        check.at_least(in_method, count(stacks, lambda f: True) // 2, f"samples below {METHOD})")


HIDDEN = {"hidden": ("0000000000000000 T vfs_read\n0000000000000000 t do_one\t[ext4]\n", "kptr_restrict"),
          "empty": ("", "/proc/kallsyms")}


@check.test("kernel frames without names", timeout=180)
def kernel_without_names(t):
    programs.need_root()
    programs.need("unshare")
    for what, (text, word) in HIDDEN.items():
        fake = t.path(what)
        with open(fake, "w", encoding="ascii") as file:
            file.write(text)
        prefix = ("unshare", "--mount", "sh", "-c", 'mount --bind "$0" /proc/kallsyms && exec "$@"', fake)
        if os.spawnvp(os.P_WAIT, "unshare", [*prefix, "true"]):
            raise check.Skip("no private mounts here")
        path, result = record(t, what, "--kernel", prefix=prefix)
        with t.case(f"{what}: one line says so"):
            lines = [line for line in result.err.splitlines() if "[kernel]" in line]
            check.equal(len(lines), 1, f"warnings in {result}\nwarnings")
            check.that(word in lines[0], f"no {word!r} in {lines[0]!r}")
        with t.case(f"{what}: the frames are [kernel]"):
            stacks = stacks_of(path)
            names = {x for f, _ in stacks for x in f if x.endswith(MARK)}
            check.equal(names, {"[kernel]" + MARK}, "kernel frames")
            check.at_least(count(stacks, lambda f: f[-1].endswith(MARK)), 100, "samples in the kernel")
