# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Recordings that are cut, empty, newer or none at all; outputs that cannot be
written; bad arguments; a full disk."""

import os
import random
import subprocess

from lib import check, loader, programs, report

FORMATS = ("text", "html", "folded", "json")


def make_recording(t):
    programs.need_root()
    recording = t.path("out.tscope")
    result = loader.record(t, "-o", recording, "-F", loader.FREQUENCY, "--", programs.app("demo"), "3")
    check.equal(result.code, 0, f"{result}\nexit code")
    return recording


@check.test("a damaged recording", timeout=180)
def damaged(t):
    recording = make_recording(t)
    with open(recording, "rb") as file:
        whole = file.read()
    damaged_path = t.path("damaged.tscope")

    def try_bytes(data, view="json"):
        with open(damaged_path, "wb") as file:
            file.write(data)
        return loader.report(t, damaged_path, "--format", view, "-o", t.path("view"))

    with t.case("the whole one says nothing"):
        result = try_bytes(whole)
        check.equal((result.code, result.err), (0, ""), "exit code and stderr")
    with t.case("empty"):
        loader.complaint(try_bytes(b""), 2, damaged_path)
    with t.case("a newer version"):
        loader.complaint(try_bytes(whole[:8] + (99).to_bytes(4, "little") + whole[12:]), 2, damaged_path, "newer")
    with t.case("not a recording"):
        for data in (b"#!/bin/sh\n", os.urandom(100_000), b"\0" * 4096, b"PERFILE2" + whole[8:]):
            loader.complaint(try_bytes(data), 2, damaged_path)
    with t.case("a folder"):
        loader.complaint(loader.report(t, t.folder), 2, t.folder)
    with t.case("not there"):
        loader.complaint(loader.report(t, t.path("nowhere.tscope")), 2, "nowhere.tscope")
    with t.case("a device without end"):
        loader.complaint(loader.report(t, "/dev/zero", timeout=20), 2, "/dev/zero")

    # The seed is fixed, so a failure comes again.
    chance = random.Random(20261121)
    with t.case("cut at any byte opens up to its last whole chunk"):
        kept = []
        for at in [*range(1, 20, 3), *sorted(chance.randrange(17, len(whole)) for _ in range(40))]:
            result = try_bytes(whole[:at])
            check.that(result.code in (0, 2), f"cut at {at}: {result}")
            lines = [x for x in result.err.splitlines() if x.strip()]
            check.equal(len(lines), 1, f"cut at {at}: lines on stderr of {result}\nnumber")
            if result.code == 0:
                document = report.Report(loader.read_json(t, damaged_path))
                kept.append(sum(e["samples"] for e in document.events))
        check.at_least(len(kept), 20, "cuts that opened")
        check.equal(kept, sorted(kept), "samples grow with the cut")
        check.at_least(kept[-1], 1, "samples of the longest cut")
    with t.case("a byte changed anywhere never brings it down"):
        for _ in range(40):
            at = chance.randrange(len(whole))
            result = try_bytes(whole[:at] + bytes([whole[at] ^ (1 << chance.randrange(8))]) + whole[at + 1:])
            check.that(result.code in (0, 2), f"byte {at}: {result}")
    for view in FORMATS:
        with t.case(f"{view} of a cut recording"):
            result = try_bytes(whole[: len(whole) * 2 // 3], view)
            check.equal(result.code, 0, f"{result}\nexit code")
            check.at_least(os.path.getsize(t.path("view")), 1, "bytes")


@check.test("outputs that cannot be written")
def unwritable(t):
    recording = make_recording(t)
    locked = t.path("locked")
    os.mkdir(locked)
    for title, path in (("no such folder", "/nonexistent/out.tscope"), ("a folder", locked),
                        ("not a folder in the way", "/etc/passwd/out.tscope"), ("procfs", "/proc/out.tscope")):
        with t.case(f"record to {title}"):
            result = loader.record(t, "-o", path, "--", programs.app("short"), "hello")
            loader.complaint(result, (1, 2), path)
            check.that("hello" not in result.out, "the command was started for nothing")
        with t.case(f"report to {title}"):
            loader.complaint(loader.report(t, recording, "--format", "json", "-o", path), (1, 2), path)
    with t.case("a full device"):
        loader.complaint(loader.report(t, recording, "--format", "json", "-o", "/dev/full"), (1, 2), "/dev/full")
    with t.case("a recording that is there already is not lost to a bad command line"):
        size = os.path.getsize(recording)
        result = loader.record(t, "-o", recording, "-e", "no-such-event", "--", "true")
        check.equal(result.code, 3, f"{result}\nexit code")
        check.equal(os.path.getsize(recording), size, "size")


@check.test("a disk that fills up", timeout=90)
def disk_full(t):
    programs.need_root()
    programs.need("unshare")
    mount = t.path("small")
    os.mkdir(mount)
    saved = t.path("saved.tscope")
    # The small disk exists in a mount namespace of its own only.
    script = (f'mount -t tmpfs -o size=64k none "{mount}" && '
              f'"$0" record -o "{mount}/out.tscope" -F 997 -- "{programs.app("demo")}" 4; '
              f'code=$?; cp "{mount}/out.tscope" "{saved}"; exit $code')
    done = subprocess.run(["unshare", "-m", "--propagation", "private", "sh", "-c", script, loader.TIERSCOPE],
                          env=programs.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=60)
    result = loader.Result(done.returncode, done.stdout, done.stderr)
    if "mount:" in result.err or "unshare:" in result.err:
        raise check.Skip(f"no private mounts here: {result.err.strip()}")
    with t.case("is told, with the exit code of a failed recording"):
        check.equal(result.code, 2, f"{result}\nexit code")
        lines = [x for x in result.err.splitlines() if "out.tscope" in x]
        check.at_least(len(lines), 1, f"lines that name the file in {result}\nnumber")
        check.that(any("space" in x.lower() or "full" in x.lower() for x in lines), f"{lines}")
    with t.case("the program is not harmed"):
        check.that("demo: done" in result.out, f"{result}")
    with t.case("what was recorded so far opens"):
        read = loader.report(t, saved, "--format", "text")
        check.equal(read.code, 0, f"{read}\nexit code")


@check.test("bad arguments")
def bad_arguments(t):
    recording = t.path("x.tscope")
    lines = (
        ("an unknown event", ["record", "-e", "no-such-event", "-o", recording, "--", "true"], "no-such-event"),
        ("an unknown command", ["recrod"], "recrod"),
        ("an unknown option", ["record", "--no-such-option", "-o", recording], "no-such-option"),
        ("a bad duration", ["record", "-d", "soon", "-o", recording, "--", "true"], "soon"),
        ("a duration of nothing", ["record", "-d", "0s", "-o", recording, "-p", "1"], "0s"),
        ("a negative duration", ["record", "-d", "-5s", "-o", recording, "-p", "1"], "-5s"),
        ("a duration without end", ["record", "-d", "99999999999999999999s", "-o", recording, "-p", "1"], "9999"),
        ("a bad frequency", ["record", "-F", "many", "-o", recording, "--", "true"], "many"),
        ("no frequency", ["record", "-F", "0", "-o", recording, "--", "true"], "0"),
        ("a frequency that no timer keeps", ["record", "-F", "100000000", "-o", recording, "--", "true"], "100000000"),
        ("a bad PID", ["record", "-p", "12x", "-o", recording], "12x"),
        ("a negative PID", ["record", "-p", "-1", "-o", recording], "-1"),
        ("no target", ["record", "-o", recording], ""),
        ("two targets", ["record", "-p", "1", "-o", recording, "--", "true"], ""),
        ("no command after --", ["record", "-o", recording, "--"], ""),
        ("an unknown format", ["report", recording, "--format", "pdf"], "pdf"),
        ("an unknown split", ["report", recording, "--split", "hairs"], "hairs"),
        ("no recording", ["report"], ""),
    )
    for title, arguments, word in lines:
        with t.case(title):
            result = loader.run(*arguments, timeout=20)
            check.equal(result.code, 3, f"{result}\nexit code")
            check.that(word in result.err and result.err.strip(), f"no {word!r}: {result}")
            check.that(not os.path.exists(recording), "left a file behind")
    with t.case("help goes to stdout"):
        for arguments in (["--help"], ["record", "--help"], ["report", "--help"], ["ps", "--help"]):
            result = loader.run(*arguments)
            check.equal((result.code, result.err), (0, ""), f"{arguments}: exit code and stderr")
            check.that("tierscope" in result.out, f"{arguments}: {result}")
    with t.case("the version"):
        result = loader.run("--version")
        check.that(result.code == 0 and "tierscope" in result.out, f"{result}")
