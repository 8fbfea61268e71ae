# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Stacks through native code that keeps no frame pointers, against a program that has
one right stack for each of its functions: tests/apps/below, Calling.cs and
below_native.c.  From the leaf to the thread's first function nothing may be missing.
And stacks through the handlers of signals, of threads that the runtime stops."""

import os
import re
import shutil
import signal
import subprocess

from lib import check, loader, native, programs, recording, whole

SECONDS = 4
TRIES = 10
ENOUGH = 500  # samples, of which the method with the fewest has one in forty
BAD_FRAME = 1 << 2
NEW = 1_000_000_000  # ns in which tables are made; until then a piece of the stack is all there is
RUN = ["Calling.Run", "Program.Main"]
# The one right stack of each, up to the runtime; (libc) is one frame of it or more.
CHAINS = {
    "below_leaf": ["below_inner", "below_outer", "Calling.Down", *RUN],
    "below_inner": ["below_outer", "Calling.Down", *RUN],
    "below_brief": ["below_outer", "Calling.Down", *RUN],
    "below_outer": ["Calling.Down", *RUN],
    "Calling.Down": RUN,
    "Calling.Weigh": ["Calling.Compare", "(libc)", "Calling.Sort", *RUN],
    "Calling.Compare": ["(libc)", "Calling.Sort", *RUN],
    "Calling.Sort": RUN,
    "Calling.Fill": RUN,
}
# Where the C library is the leaf, and managed code its caller.
LIBC_CALLERS = ("Calling.Sort", "Calling.Fill")


class Stack:
    def __init__(self, recorded, numbers):
        self.numbers = [recorded.frames[number] for number in numbers]
        self.names = [self.name(recorded, frame) for frame in self.numbers]

    @staticmethod
    def name(recorded, frame):
        kind, body, name, _ = frame
        if kind == recording.FRAME_BODY:
            return re.sub(r"^Below\.", "", recorded.bodies[body]["name"]).split("(")[0]
        return name.removeprefix("libbelow_native.so!")

    def is_native(self, at):
        return self.numbers[at][0] == recording.FRAME_NATIVE

    def complaint(self, entry):
        """What contradicts the program; None: nothing, or no frame of the program's is there."""
        names = self.names
        at = next((i for i, name in enumerate(names) if name in CHAINS), None)
        if at is None:
            return None
        # What the leaf may be: the program's, or something that one of its functions calls.
        if at and names[0].startswith("libc.so.6!") and names[at] == "Calling.Weigh":
            return "Weigh calls nobody"
        for step in CHAINS[names[at]]:
            at += 1
            if step == "(libc)":
                first = at
                while at < len(names) and names[at].startswith("libc.so.6!"):
                    at += 1
                if at == first or "qsort" not in names[at - 1]:
                    return f"{names[at - 1]} where qsort should be, frame {at - 1}"
                at -= 1
            elif at >= len(names) or names[at] != step:
                return f"{names[at] if at < len(names) else 'the end'} where {step} should be, frame {at}"
        rest = self.numbers[at + 1:]
        strange = next((frame[2] for frame in rest if frame[0] != recording.FRAME_NATIVE), None)
        if strange is not None:
            return f"{strange} below Main"
        if not rest or rest[-1][3] != entry:
            return f"it ends with {names[-1]}, not the program's entry {entry:#x}"
        return None


@check.test("whole native stacks", timeout=240)
def whole_stacks(t):
    programs.need_root()
    programs.need("readelf")
    path, program = t.path("out.tscope"), programs.app("below")
    entry = native.entry_point(program)
    seen, wrong, leaves, ends, pieces, samples = {}, {}, [], 0, 0, 0
    for _ in range(TRIES):
        if samples >= ENOUGH:
            break
        result = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "--", program, "native", SECONDS)
        check.equal(result.code, 0, f"{result}\nexit code")
        recorded = recording.Recording(path)
        for sample, stack in zip(recorded.samples, recorded.stacks_of_samples):
            found = Stack(recorded, list(recorded.numbers_of(stack)))
            if not found.names or "Calling.Run" not in found.names and not set(found.names) & set(CHAINS):
                continue
            samples += 1
            if found.numbers[-1][3] == entry:
                ends += 1
            elif sample[0] - recorded.samples[0][0] < NEW and sample[4] & BAD_FRAME:
                pieces += 1
                continue
            text = found.complaint(entry)
            seen[found.names[0]] = seen.get(found.names[0], 0) + 1
            if text:
                wrong.setdefault(text, " < ".join(found.names[:14]))
            # The runtime calls the C library too, from native code of its own.
            if found.names[0].startswith("libc.so.6!") and found.names[1:2] and not found.is_native(1):
                leaves.append(found.names[1])
    print(f"{samples} samples, {ends} to the entry, {pieces} longer than a piece: {sorted(seen.items(), key=lambda item: -item[1])[:12]}")
    with t.case("every stack through native code is exact, to the program's entry"):
        check.empty([f"{text}: {stack}" for text, stack in wrong.items()], "stacks are wrong", 20)
        check.at_least(samples, ENOUGH, "samples")
        for name in ("below_leaf", "below_brief", "Calling.Weigh"):
            check.at_least(seen.get(name, 0), 1, f"samples in {name}")
    with t.case("a leaf in the C library has its caller"):
        check.at_least(len(leaves), 10, "leaves in the C library")
        check.empty([name for name in set(leaves) if name not in LIBC_CALLERS], "strange callers")
    with t.case("no stack of a method is cut"):
        check.equal(ends + pieces, samples, "stacks that end at the program's entry")


SIGNALLED = 20    # samples in a signal's handler
LEAVES = 5
CALLERS = {"Suspending.Leaf": "Suspending.Inner", "Suspending.Inner": "Suspending.Outer",
           "Suspending.Outer": "Suspending.Worker"}
HIDDEN = "hijacked return address"


def signal_return():
    """Where the C library's function lies to which a signal's handler returns."""
    frames = subprocess.run(["readelf", "--debug-dump=frames", "/lib/x86_64-linux-gnu/libc.so.6"],
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False, timeout=60).stdout
    cie = re.search(r"^([0-9a-f]{8}) [0-9a-f]+ [0-9a-f]+ CIE\n(?:(?!^$).*\n)*?  Augmentation: +\"zRS\"", frames, re.M)
    return int(re.search(rf"FDE cie={cie[1]} pc=([0-9a-f]+)\.\.", frames)[1], 16)


@check.test("stacks through signals", timeout=240)
def through_signals(t):
    """The runtime stops threads by a signal: what it interrupted is below its handler."""
    programs.need_root()
    programs.need("readelf")
    program = programs.app("below")
    place, entry, seen, leaves, wrong, cut = signal_return(), native.entry_point(program), 0, 0, [], []
    for attempt in range(TRIES):
        path = t.path(f"{attempt}.tscope")
        result = loader.record(t, "-o", path, "-F", 9973, "--", program, "suspend", SECONDS)
        check.equal(result.code, 0, f"{result}\nexit code")
        recorded = recording.Recording(path)
        for stack in recorded.stacks_of_samples:
            found = Stack(recorded, list(recorded.numbers_of(stack)))
            at = next((i for i, frame in enumerate(found.numbers) if found.is_native(i) and frame[3] == place
                       and frame[2].startswith("libc.so.6")), None)
            if at is None or at + 2 >= len(found.names):
                continue
            seen += 1
            interrupted, caller = found.names[at + 1:at + 3]
            leaves += interrupted == "Suspending.Leaf"
            if CALLERS.get(interrupted, caller) != caller and caller != HIDDEN:
                wrong.append(" < ".join(found.names[:at + 5]))
            if found.numbers[-1][3] != entry and not found.names[-1].endswith(("!clone3", "!clone", "!__clone")):
                cut.append(" < ".join(found.names))
        if seen >= SIGNALLED and leaves >= LEAVES:
            break
    print(f"{seen} samples in handlers of signals, {len(cut)} of them cut: {cut[:3]}")
    with t.case("what was interrupted has its caller"):
        check.at_least(seen, SIGNALLED, "samples in handlers of signals")
        check.at_least(leaves, LEAVES, "of those that interrupted the method that runs most of the time")
        check.empty(wrong, "stacks are wrong", 10)
    with t.case("they reach the thread's first function"):
        # A signal can come in a stub, in which nobody but its bytes tells who called.
        check.at_least(1 - len(cut) / seen, 0.8, "share")


WHOLE = 0.995


def check_whole(path, program):
    recorded = recording.Recording(path)
    taken = [(sample[0], stack) for sample, stack in zip(recorded.samples, recorded.stacks_of_samples)]
    whole.check_share(recorded, taken, program, 200, WHOLE)


@check.test("stacks reach the thread's start", timeout=120)
def reach_the_start(t):
    programs.need_root()
    programs.need("readelf")
    with t.case("the C# compiler"):
        path = t.path("csc.tscope")
        result = loader.record(t, "-F", loader.FREQUENCY, "-o", path, "--", programs.compiler(), t.path("out.dll"))
        check.equal(result.code, 0, f"{result}\nexit code")
        check_whole(path, os.path.realpath(shutil.which("dotnet")))
    with t.case("the demo"):
        path = t.path("demo.tscope")
        result = loader.record(t, "-F", loader.FREQUENCY, "-o", path, "--", programs.app("demo"), 4)
        check.equal(result.code, 0, f"{result}\nexit code")
        check_whole(path, programs.app("demo"))
    with t.case("Kestrel under load"):
        path, port = t.path("web.tscope"), programs.free_port()
        recorder = loader.Recorder(t, "-F", loader.FREQUENCY, "-o", path, "--", programs.app("web"), "--urls", f"http://127.0.0.1:{port}")
        web = programs.wait_for_dotnet(recorder.pid)
        programs.wait_for_port(port)
        programs.load_web(port, 4)
        os.kill(web, signal.SIGTERM)
        recorder.finish()
        check_whole(path, programs.app("web"))
