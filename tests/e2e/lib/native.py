# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""What readelf and a process's own memory map say of native code."""

import bisect
import functools
import os
import re
import subprocess

from . import check

EXECUTABLE = re.compile(r"^([0-9a-f]+)-([0-9a-f]+) ..x. ([0-9a-f]+) \S+ \d+ +(/.*)$")
SEGMENT = re.compile(r"LOAD +0x([0-9a-f]+) 0x([0-9a-f]+) 0x[0-9a-f]+ 0x([0-9a-f]+) 0x[0-9a-f]+ R E")
FDE = re.compile(r" FDE .*pc=([0-9a-f]+)\.\.([0-9a-f]+)")
# How the runtime's function begins to which a hijacked return address points (v8 to v10).
HIJACK = bytes.fromhex("5055534157415641554154")


def readelf(*arguments):
    return subprocess.run(["readelf", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                          text=True, errors="replace", check=False, timeout=60).stdout


def entry_point(path):
    return int(re.search(r"Entry point address: +0x([0-9a-f]+)", readelf("-hW", path))[1], 16)


class File:
    """The code segments and function bounds of an ELF file."""

    def __init__(self, path):
        self.path = path
        self.segments = [tuple(int(n, 16) for n in m) for m in SEGMENT.findall(readelf("-lW", path))]

    @functools.cached_property
    def bounds(self):
        found = FDE.findall(readelf("--debug-dump=frames", self.path))
        return sorted({tuple(int(n, 16) for n in m) for m in found})

    def address(self, offset):
        return next((address + offset - at for at, address, size in self.segments if at <= offset < at + size), None)

    def function(self, address):
        """(start, end) by the unwind table."""
        at = bisect.bisect_right(self.bounds, (address, 1 << 64)) - 1
        return self.bounds[at] if at >= 0 and self.bounds[at][0] <= address < self.bounds[at][1] else None


@functools.cache
def sized_symbols(path):
    """{(address, size)} of functions, by the file and by its separate symbols, where these are installed."""
    build_id = re.search(r"Build ID: ([0-9a-f]{2})([0-9a-f]+)", readelf("-nW", path))
    files = [path] + ([f"/usr/lib/debug/.build-id/{build_id[1]}/{build_id[2]}.debug"] if build_id else [])
    found = (re.findall(r"^ *[0-9]+: ([0-9a-f]+) +([0-9]+) FUNC ", readelf("-sW", file), re.M) for file in files)
    return {(int(start, 16), int(size)) for symbols in found for start, size in symbols}


def hijack_function(runtime):
    """Its address in the File of the runtime."""
    with open(runtime.path, "rb") as file:
        data = file.read()
    check.equal(data.count(HIJACK), 1, f"functions of {runtime.path} that begin so")
    return runtime.address(data.index(HIJACK))


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
    # A symbol may begin within what the unwind table calls one function; and of one the table may make several, as of clone3.
    if start <= address and (not bounds or bounds[0] <= start):
        return None
    if any(start == begin and address < begin + size for begin, size in sized_symbols(path)):
        return None
    return f"{bounds} is there"


class Memory:
    """The code of files that a process has mapped."""

    def __init__(self, pid, files):
        self._map, self._files = read_map(pid), files  # {path: File}, of all processes

    def place(self, address):
        """(path, address in the file, function's bounds or None); None: no file is there."""
        found = next((m for m in self._map if m[0] <= address < m[1]), None)
        if not found:
            return None
        start, _, offset, path = found
        file = self._file(path)
        at = file.address(address - start + offset)
        return path, at, None if at is None else file.function(at)

    def file(self, name):
        """The file of that name."""
        return self._file(next(path for _, _, _, path in self._map if os.path.basename(path) == name))

    def _file(self, path):
        if path not in self._files:
            self._files[path] = File(path)
        return self._files[path]
