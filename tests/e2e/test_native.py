# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Native leaves of a recording against the process's own memory map and what
readelf says of the files in it."""

import bisect
import os
import re
import subprocess

from lib import check, loader, programs, recording

SECONDS = 3
EXECUTABLE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) \S+ \d+ +(/.*)$")
SEGMENT = re.compile(r"LOAD +0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ 0x([0-9a-f]+) 0x[0-9a-f]+ R E")
FDE = re.compile(r" FDE .*pc=([0-9a-f]+)\.\.([0-9a-f]+)")


def readelf(*arguments):
    return subprocess.run(["readelf", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, errors="replace", check=False, timeout=60).stdout


class File:
    """The code segments and function bounds of an ELF file."""

    def __init__(self, path):
        self.segments = [tuple(int(n, 16) for n in m) for m in SEGMENT.findall(readelf("-lW", path))]
        self.bounds = sorted({tuple(int(n, 16) for n in m) for m in FDE.findall(readelf("--debug-dump=frames", path))})

    def address(self, offset):
        return next((address + offset - at for at, address, size in self.segments if at <= offset < at + size), None)

    def function(self, address):
        at = bisect.bisect_right(self.bounds, (address, 1 << 64)) - 1
        return self.bounds[at] if at >= 0 and self.bounds[at][0] <= address < self.bounds[at][1] else None


def read_map(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        found = (EXECUTABLE.match(line.rstrip("\n")) for line in maps)
        return [(int(m[1], 16), int(m[2], 16), int(m[3], 16), m[4]) for m in found if m]


def complaint(name, start, path, bounds, address):
    """What is wrong with a native frame at an address of a file, or None."""
    module, separator, function = name.partition("!")
    if module != os.path.basename(path):
        return f"it is in {path}"
    if not separator:
        return f"a function of {bounds} is there" if bounds else None
    if function == "[plt]":
        return None
    if function.startswith("+0x"):
        return None if bounds and bounds[0] == start == int(function[1:], 16) else f"{bounds} is there"
    # A symbol may begin within what the unwind table calls one function.
    return None if start <= address and (not bounds or bounds[0] <= start) else f"{bounds} is there"


@check.test("native frames", timeout=120)
def native_frames(t):
    programs.need_root()
    programs.need("readelf")
    path = t.path("out.tscope")
    program = programs.start_app(t, "demo", "60")
    result = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "-d", f"{SECONDS}s", "-p", program.pid)
    check.equal(result.code, 0, f"{result}\nexit code")
    mapped = read_map(program.pid)
    recorded = recording.Recording(path)
    files, seen, named, wrong = {}, 0, 0, []
    for _, ip, pid, leaf, _ in recorded.samples:
        kind, _, name, start = recorded.frames[leaf] if leaf is not None else (None,) * 4
        place = next((m for m in mapped if m[0] <= ip < m[1]), None)
        if pid != program.pid or kind != recording.FRAME_NATIVE or not place:
            continue
        if place[3] not in files:
            files[place[3]] = File(place[3])
        file = files[place[3]]
        address = file.address(ip - place[0] + place[2])
        seen += 1
        named += "!" in name
        text = complaint(name, start, place[3], file.function(address), address)
        if text:
            wrong.append(f"{name} at {start:#x} for {address:#x}: {text}")
    print(f"{seen} native leaves in {len(files)} files, {named} with a function")
    with t.case("a native leaf is the function that its file says"):
        check.at_least(seen, 100, "native leaves")
        check.empty(wrong, "native leaves are wrong")
    with t.case("nearly all have a function"):
        check.at_least(named / seen, 0.98, "share")
