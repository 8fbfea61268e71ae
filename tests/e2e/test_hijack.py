# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Return addresses that the runtime hijacks to stop a thread: a program that is
stopped without end, whose call chain is known."""

import os
import re
import subprocess

from lib import check, loader, native, programs, recording, report

CHAIN = ["Worker(", "Outer(", "Inner(", "Leaf("]
HIDDEN = "hijacked return address"
FREQUENCY = 10007
TRIES = 8
SECONDS = 5


def trip_address():
    """Where it lies in the installed runtime, as the recording counts addresses."""
    listed = subprocess.run(["dotnet", "--list-runtimes"], stdout=subprocess.PIPE, text=True, check=True, timeout=60).stdout
    version, folder = re.findall(r"Microsoft\.NETCore\.App (\S+) \[(.*)\]", listed)[-1]
    return native.hijack_function(native.File(os.path.join(folder, version, "libcoreclr.so")))


def place(recorded, frame):
    """Where in CHAIN a frame stands, None elsewhere."""
    kind, body, _, _ = frame
    if kind != recording.FRAME_BODY:
        return None
    name = recorded.bodies[body]["name"]
    return next((i for i, x in enumerate(CHAIN) if name.startswith("Below.Suspending." + x)), None)


def wrong_order(recorded, frames):
    """What contradicts the program in a stack, leaf first: nothing but what is
    hidden may be missing between two methods of the chain."""
    last, hidden = None, False
    for frame in frames:
        at = place(recorded, frame)
        if at is None:
            hidden = hidden or frame[2] == HIDDEN
            continue
        if last is not None and not (at < last - 1 if hidden else at == last - 1):
            return f"{CHAIN[at]} calls {'[hidden] calls ' * hidden}{CHAIN[last]}"
        last, hidden = at, False
    return None


@check.test("hijacked return addresses", timeout=240)
def hijacked_addresses(t):
    programs.need_root()
    programs.need("readelf")
    trip = trip_address()
    hidden, samples, as_caller, disorder, counted, flagged, below = 0, 0, [], [], 0, 0, 0
    for attempt in range(TRIES):
        path = t.path(f"{attempt}.tscope")
        result = loader.record(t, "-o", path, "-F", FREQUENCY, "--", programs.app("below"), "suspend", SECONDS)
        check.equal(result.code, 0, f"{result}\nexit code")
        recorded = recording.Recording(path)
        counted += report.Report(loader.read_json(t, path)).ledger["notes"]["hijacked"]
        samples += len(recorded.samples)
        for (_, _, _, _, flags), stack in zip(recorded.samples, recorded.stacks_of_samples):
            frames = list(recorded.frames_of(stack))
            is_hidden = any(f[0] == recording.FRAME_UNKNOWN and f[2] == HIDDEN for f in frames)
            hidden += is_hidden
            flagged += bool(flags & recording.FLAG_HIJACKED)
            below += is_hidden and any(place(recorded, f) is not None for f in frames)
            as_caller += [f for f in frames[1:] if f[0] == recording.FRAME_NATIVE and f[2].startswith("libcoreclr.so")
                          and trip - 16 <= f[3] < trip]
            disorder += filter(None, [wrong_order(recorded, frames)])
        if below:
            break
    print(f"{samples} samples, {hidden} with a hijacked return address, {below} of them in the known chain")
    with t.case("they are counted and flagged"):
        check.equal(counted, hidden, "the ledger's hijacked against stacks that say so")
        check.equal(flagged, hidden, "flagged samples against stacks that say so")
    with t.case("the function that they point to calls nobody"):
        check.empty(as_caller, "frames right before it")
    with t.case("the callers beyond are right"):
        check.empty(disorder, "stacks that the program cannot have")
    with t.case("they occur"):
        if not below:
            raise check.Skip(f"none among {samples} samples: this machine is too slow or too busy")
