#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""make_profile's files, read by the pprof of Debian's Go, which is strict: it
refuses unknown ids, missing functions and labels that do not fit.

    test_pprof.py FOLDER"""

import os
import re
import subprocess
import sys
import tempfile

TOOL = os.environ.get("PPROF", "/usr/lib/go-1.19/pkg/tool/linux_amd64/pprof")
PERIOD = 1003009
# What make_profile.c recorded: samples, names leaf first, labels.
WEB, JOB = {"process": "web", "pid": "10"}, {"process": "job", "pid": "20"}
STACKS = [
    (5, ["Shop.Work(int) [tier0]", "Shop.Main() [r2r]"],
     WEB | {"thread": "Worker-11", "tier": "tier0", "rejit_id": "0", "function_id": "0x7008"}),
    (3, ["Shop.Work(int) [tier1 #2]", "Shop.Main() [r2r]"],
     WEB | {"thread": "Worker-11", "tier": "tier1", "rejit_id": "2", "function_id": "0x7008"}),
    (2, ["libcoreclr.so!JIT_New", "Shop.Work(int) [tier1 #2]", "Shop.Main() [r2r]"],
     WEB | {"thread": "thread-12"}),
    (1, ["Shop.Work(int) [tier1 #2]", "Shop.Main() [r2r]"],
     WEB | {"thread": "thread-12", "tier": "tier1", "rejit_id": "2", "function_id": "0x7008"}),
    (4, ["libc.so.6", "Shop.Main() [tier1]"], JOB | {"thread": "Main-21"}),
    (1, ["[unknown: no_table]"], JOB | {"thread": "Main-21"}),
]

ROW = re.compile(r"\s+(\d+)\s+(\d+): ([\d ]+)$")
LABEL = re.compile(r"(\w+):\[(.*?)\](?= \w+:\[|\s*$)")
LOCATION = re.compile(r"\s*(\d+): 0x([0-9a-f]+) (?:M=(\d+) )?(.*) :0 s=0\((.*)\)$")
MAPPING = re.compile(r"(\d+): 0x0/0x0/0x0 (.*?)  \[FN\]$")


def pprof(*arguments):
    with tempfile.TemporaryDirectory() as folder:
        result = subprocess.run([TOOL, *arguments], capture_output=True, timeout=60, check=False,
                                env=os.environ | {"PPROF_TMPDIR": folder, "HOME": folder})
    if result.returncode:
        raise AssertionError(f"pprof {' '.join(arguments)}: {result.stderr.decode()}")
    return result.stdout.decode("utf-8")  # malformed UTF-8 fails here


class Raw:
    """What `pprof -raw` says."""

    def __init__(self, *files):
        text = pprof("-raw", *files)
        self.samples, self.locations, self.mappings = [], {}, {}
        head, rest = text.split("\nSamples:\n")
        self.head = head.splitlines()
        samples, rest = rest.split("\nLocations\n")
        locations, _, mappings = rest.partition("Mappings\n")
        self.types, *rows = samples.splitlines()
        for row in rows:
            if match := ROW.match(row):
                self.samples.append((int(match[1]), int(match[2]), match[3].split(), {}))
            else:
                self.samples[-1][3].update(LABEL.findall(row.strip()))
        for row in locations.splitlines():
            match = LOCATION.match(row)
            self.locations[match[1]] = match.groups()[1:]
        for row in mappings.splitlines():
            if match := MAPPING.match(row):
                self.mappings[match[1]] = match[2]

    def names(self, sample):
        """With the version where there is one."""
        return [self.locations[i][3] or self.locations[i][2] for i in sample[2]]


def equal(found, wanted, what):
    if found != wanted:
        raise AssertionError(f"{what}: found {found!r}, wanted {wanted!r}")


def test_stacks(folder):
    """stacks, counts and labels"""
    raw = Raw(f"{folder}/plain.pb.gz")
    found = [(s[0], raw.names(s), s[3]) for s in raw.samples]
    equal(sorted(found, key=str), sorted(STACKS, key=str), "samples")
    equal([s[1] for s in raw.samples], [s[0] * PERIOD for s in raw.samples], "nanoseconds")


def test_head(folder):
    """types, period, times, and what is missing"""
    raw = Raw(f"{folder}/plain.pb.gz")
    equal(raw.types, "samples/count cpu/nanoseconds[dflt]", "types")
    for line in ("PeriodType: cpu nanoseconds", f"Period: {PERIOD}", "Duration: 2s",
                 "Time: 2025-11-21 04:40:00 +0000 UTC", "Comment: WARNING: the recording was cut",
                 "Comment: 15 of 16 samples attributed",
                 "Comment: LOST: 7 samples, 0 not delivered, 0 code events"):
        equal(line in raw.head, True, line)


def test_versions(folder):
    """a location per body, a name per method, modules as mappings"""
    raw = Raw(f"{folder}/plain.pb.gz")
    bodies = {row[3]: row for row in raw.locations.values() if row[3]}
    equal({version: row[2] for version, row in bodies.items()},
          {"Shop.Main() [r2r]": "Shop.Main()", "Shop.Main() [tier1]": "Shop.Main()",
           "Shop.Work(int) [tier0]": "Shop.Work(int)",
           "Shop.Work(int) [tier1 #2]": "Shop.Work(int)"}, "names of versions")
    equal(len({row[0] for row in bodies.values()}), 4, "addresses")
    equal({raw.mappings[row[1]] for row in bodies.values()}, {"/app/Shop.dll"}, "modules")
    equal(raw.mappings["1"], "/usr/bin/dotnet", "the program")
    top = pprof("-top", "-sample_index=samples", f"{folder}/plain.pb.gz")
    equal("9 56.25% 56.25%         11 68.75%  Shop.Work(int)" in top, True, f"merged in\n{top}")


def test_focus(folder):
    """versions are picked by their labels"""
    top = pprof("-top", "-sample_index=samples", "-tagfocus=tier=tier1", "-tagfocus=tier1",
                f"{folder}/plain.pb.gz")
    equal("Showing nodes accounting for 4, 25.00% of 16 total" in top, True, f"tier1 in\n{top}")


def test_merge(folder):
    """two merged files have every count twice and no version lost"""
    with tempfile.TemporaryDirectory() as merged:
        path = f"{merged}/merged.pb.gz"
        pprof("-proto", f"-output={path}", f"{folder}/plain.pb.gz", f"{folder}/plain.pb.gz")
        raw = Raw(path)
    found = [(s[0], raw.names(s), s[3]) for s in raw.samples]
    equal(sorted(found, key=str), sorted([(2 * n, *rest) for n, *rest in STACKS], key=str), "samples")
    equal(len(raw.locations), 7, "locations")


def test_threads(folder):
    """per thread the root is the thread"""
    raw = Raw(f"{folder}/per-thread.pb.gz")
    found = sorted((s[0], raw.names(s)) for s in raw.samples)
    equal(found, sorted((n, [*names, labels["thread"]]) for n, names, labels in STACKS), "stacks")


def test_perfmap(folder):
    """names as in a perf map"""
    raw = Raw(f"{folder}/perfmap.pb.gz")
    equal({row[2:] for row in raw.locations.values() if row[3]}, {
        ("[Shop] Shop::Main()", "[Shop] Shop::Main()[PreJIT]"),
        ("[Shop] Shop::Main()", "[Shop] Shop::Main()[OptimizedTier1]"),
        ("[Shop] Shop::Work(int)", "[Shop] Shop::Work(int)[QuickJitted]"),
        ("[Shop] Shop::Work(int)", "[Shop] Shop::Work(int)[OptimizedTier1]")}, "names")


def test_kernel(folder):
    """kernel frames are of the kernel, the version is that of the code below them"""
    raw = Raw(f"{folder}/kernel.pb.gz")
    labels = WEB | {"thread": "Worker-11", "tier": "r2r", "rejit_id": "0", "function_id": "0x7000"}
    equal(sorted((s[0], raw.names(s), s[3]) for s in raw.samples), [
        (1, ["ext4_sync_fs [ext4]", "Shop.Main() [r2r]"], labels),
        (6, ["vfs_read", "do_syscall_64", "Shop.Main() [r2r]"], labels)], "samples")
    equal({row[2]: raw.mappings[row[1]] for row in raw.locations.values()}, {
        "Shop.Main()": "/app/Shop.dll", "do_syscall_64": "[kernel.kallsyms]",
        "vfs_read": "[kernel.kallsyms]", "ext4_sync_fs [ext4]": "[ext4]"}, "mappings")


def test_hostile(folder):
    """hostile names are text and stay whole"""
    text = pprof("-raw", f"{folder}/hostile.pb.gz")
    for c in text:
        if (ord(c) < 32 and c != "\n") or 0x7f <= ord(c) < 0xa0 or 0x202a <= ord(c) <= 0x202e:
            raise AssertionError(f"character {ord(c):#x} in\n{text}")
    top = pprof("-top", "-sample_index=samples", f"{folder}/hostile.pb.gz")
    # Each name is of a body and of native code: pprof edits none of them.
    for name in ("Bad\ufffd\ufffd(bytes)", "Red.\\x1b[31mRed\\x0a\\x0d(int)",
                 "std::vector<int, std::allocator<int> >::push_back(int)",
                 '"quote\\"</script>', "Turn.\\u{202e}around()", "汉.🔥()"):
        rows = [row for row in top.splitlines() if row.endswith("  " + name)]
        equal([row.split()[0] for row in rows], ["2"], f"{name} in\n{top}\nsamples")


def test_empty(folder):
    """a recording without samples"""
    equal(Raw(f"{folder}/empty.pb.gz").samples, [], "samples")


TESTS = (test_stacks, test_head, test_versions, test_focus, test_merge, test_threads, test_perfmap,
         test_kernel, test_hostile, test_empty)


def main():
    if not os.access(TOOL, os.X_OK):
        print(f"1..0 # SKIP no pprof at {TOOL} (apt-get install golang-1.19-go)")
        return 0
    failed = 0
    print(f"1..{len(TESTS)}")
    for number, test in enumerate(TESTS, 1):
        try:
            test(sys.argv[1])
            print(f"ok {number} - pprof: {test.__doc__}")
        except Exception as error:  # whatever it was, the others are run
            failed += 1
            print(f"not ok {number} - pprof: {test.__doc__}")
            for line in f"{type(error).__name__}: {error}".splitlines():
                print("#   " + line)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
