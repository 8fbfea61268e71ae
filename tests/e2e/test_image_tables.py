# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Tables of precompiled images, and of how native files are unwound: kept from one run to
the next; there when an image is mapped; images that are damaged or gone."""

import glob
import os
import re
import sys

from lib import check, loader, programs, report

# Maps a file executable, twice, and runs what is at its second page.
RUN_FILE = """
import ctypes, mmap, os, sys
libc = ctypes.CDLL(None)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p] + [ctypes.c_size_t] + 3 * [ctypes.c_int] + [ctypes.c_long]
file = os.open(sys.argv[1], os.O_RDONLY)
size = os.fstat(file).st_size
for again in range(2):
    at = libc.mmap(None, size, mmap.PROT_READ | mmap.PROT_EXEC, mmap.MAP_PRIVATE, file, 0)
    ctypes.CFUNCTYPE(None)(at + 4096)()
"""
# mov ecx, 1000000000; dec ecx; jnz; ret
LOOP = bytes.fromhex("b900ca9a3b ffc9 75fc c3".replace(" ", ""))


def framework():
    found = sorted(glob.glob("/usr/*/dotnet/shared/Microsoft.NETCore.App/10.*"))
    if not found:
        raise check.Skip("no framework in /usr/*/dotnet")
    return found[-1]


def record_short(t, cache):
    """The report, and of the runtime's native files: how many rules, and whether they were kept."""
    recording = t.path("out.tscope")
    result = loader.record(t, "-v", "-o", recording, "-F", loader.FREQUENCY, "--", programs.app("short"), "hello",
                           env=programs.environment(TIERSCOPE_CACHE=cache))
    check.equal(result.code, 0, f"{result}\nexit code")
    rules = {name: (int(count), bool(kept)) for name, count, kept
             in re.findall(r"/(lib(?:coreclr|clrjit)\.so): (\d+) rules of unwinding(, kept)?", result.err)}
    check.equal(len(rules), 2, f"{result}\nnative files of the runtime")
    return report.Report(loader.read_json(t, recording)), rules


def tables_in(cache, kind):
    return {path: os.stat(path) for path in glob.glob(f"{cache}/*.{kind}.table")}


def damage(paths):
    for path in paths:
        with open(path, "r+b") as table:
            table.seek(100)
            table.write(b"damage")


@check.test("tables of images and of native files")
def tables(t):
    programs.need_root()
    cache = t.path("cache")
    with t.case("are written by the first run, each file its own"):
        written, made = record_short(t, cache)
        report.check_ledger(written)
        first = tables_in(cache, "image")
        check.at_least(len(first), 50, "tables of the framework's images")
        native = tables_in(cache, "rules")
        check.at_least(len(native), 8, "tables of native files")
        for path, state in [*first.items(), *native.items()]:
            check.equal((state.st_uid, state.st_mode & 0o777), (0, 0o600), path)
        for name, (count, kept) in made.items():
            check.that(count > 1000 and not kept, f"{name}: {count} rules, kept: {kept}")
    with t.case("are not written again, and there when an image is mapped"):
        again, kept = record_short(t, cache)
        notes = again.document["ledger"]["notes"]
        check.equal({path: state.st_ino for path, state in tables_in(cache, "image").items()},
                    {path: state.st_ino for path, state in first.items()}, "tables after a second run")
        check.equal({path: os.stat(path).st_ino for path in native},
                    {path: state.st_ino for path, state in native.items()}, "native tables after a second run")
        check.equal(kept, {name: (count, True) for name, (count, _) in made.items()}, "rules of native files")
        check.at_least(notes["tables_ready"], 2, "images that were mapped")
        check.at_least(notes["table_ready_most_us"], 1, "the longest wait for a table")
    with t.case("that are damaged are made anew"):
        damage([*first, *native])
        anew, rules = record_short(t, cache)
        report.check_ledger(anew)
        check.empty([path for path, state in first.items() if os.stat(path).st_ino == state.st_ino],
                    "tables that stayed damaged")
        check.equal(rules, made, "rules of native files")


def run_file(t, change, remove=False):
    """Records a program that maps and runs an image that was changed."""
    path, recording = t.path("strange.dll"), t.path("out.tscope")
    with open(f"{framework()}/System.Linq.dll", "rb") as image:
        content = bytearray(image.read())
    content[4096:4096 + len(LOOP)] = LOOP
    with open(path, "wb") as copy:
        copy.write(change(content))
    program = RUN_FILE
    if remove:
        program = program.replace("size =", "os.unlink(sys.argv[1])\nsize =")
    result = loader.record(t, "-o", recording, "-F", loader.FREQUENCY, "--", sys.executable, "-c", program, path)
    check.equal(result.code, 0, f"{result}\nexit code")
    return result, loader.read_json(t, recording)


@check.test("strange images")
def strange(t):
    programs.need_root()

    def half_empty(content):
        half = len(content) // 2
        content[half:] = bytes(len(content) - half)
        return content

    with t.case("a damaged one: one warning, and its samples have a cause"):
        result, document = run_file(t, half_empty)
        lines = [line for line in result.err.splitlines() if "strange.dll" in line]
        check.equal(len(lines), 1, f"{result}\nwarnings")
        check.that("damaged" in lines[0], lines[0])
        check.at_least(document["ledger"]["unresolved_leaf"]["image_unreadable"], 20, "samples in it")
    with t.case("a file that was cut: the same"):
        result, document = run_file(t, lambda content: content[:8192])
        check.equal(sum("strange.dll" in line for line in result.err.splitlines()), 1, f"{result}\nwarnings")
        check.at_least(document["ledger"]["unresolved_leaf"]["image_unreadable"], 20, "samples in it")
    with t.case("a file that was removed is read all the same"):
        result, document = run_file(t, lambda content: content, remove=True)
        check.equal(sum("strange.dll" in line for line in result.err.splitlines()), 0, f"{result}\nwarnings")
        check.equal(document["ledger"]["unresolved_leaf"]["image_unreadable"], 0, "samples in it without a cause")
