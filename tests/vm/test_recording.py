# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""The finished command on the kernel that this runs on: `make vmtest` runs it
on Debian's own, which is older than the one that most tests see.

The guest is emulated: a second of it may bring a dozen samples in managed code,
while the compiler is busy.  Exact bars are for test_recordings.py."""

import os

from lib import check, loader, programs, report

FREQUENCY = 199
ATTRIBUTED = 0.8
TRIES = 4
# Seconds of the demo: where the machine is busy, the guest is slow, and the demo may be at its start for long.
LENGTHS = (5, 15, 45, 100)
CALLERS = 10


@check.test("doctor", timeout=120)
def doctor(t):
    programs.need_root()
    result = loader.run("doctor", timeout=100)
    with t.case("finds this kernel fit"):
        check.equal(result.code, 0, f"{result}\nexit code")
        check.that("recording works here" in result.out, f"{result}")
    with t.case("names this kernel"):
        check.that(os.uname().release in result.out, f"no {os.uname().release} in {result}")


def sampled(document, pid):
    return [b for b in document.jit(pid) if report.own(b)]


def is_of_demo(body):
    return body["name"].startswith("Demo.")


def below_rounds(document, pid):
    return sum(sum(b["total"].values()) for b in document.jit(pid) if b["name"].startswith("Demo.Program.RunRounds("))


def has_enough(path, pid):
    document = report.Report(loader.read_json(None, path))
    return any(map(is_of_demo, sampled(document, pid))) and below_rounds(document, pid) >= CALLERS


def check_recording(t, path, pid):
    document = report.Report(loader.read_json(t, path))
    jit = sampled(document, pid)
    images = sum(map(report.own, document.images()))
    summary = report.summary(document)
    print(summary)
    with t.case("it was made on this kernel"):
        check.equal(document.document["recording"]["kernel"], os.uname().release, "kernel of the recording")
        check.that(document.document["recording"]["complete"], "the recording is not complete")
    with t.case("samples are kept and the ledger balances"):
        check.at_least(document.kept(), 50, "kept samples")
        report.check_ledger(document)
    with t.case("bodies that were compiled carry their names"):
        check.that(any(map(is_of_demo, jit)), f"no method of the demo among {jit} ({summary})")
        check.empty((b for b in jit if not b["name"] or b["tier"] not in report.TIERS), "sampled bodies without a name or tier")
    with t.case("precompiled ones too"):
        check.at_least(images, 1, f"samples in precompiled code ({summary})")
        check.empty((b for b in document.images() if not b["name"]), "sampled precompiled bodies without a name")
    with t.case("samples of managed code are attributed"):
        good = sum(map(report.own, jit)) + images + sum(document.ledger["stub_leaf"].values())
        check.at_least(good / (good + document.unresolved(lambda cause: True)), ATTRIBUTED, f"share ({summary})")
    with t.case("there are callers"):
        check.at_least(below_rounds(document, pid), CALLERS, f"samples below RunRounds ({summary})")
    with t.case("every field is there"):
        report.check_fields(document)


def demo_pid(text):
    return int(text.split("demo: pid ")[1].split(",")[0])


@check.test("a launched program", timeout=360)
def launched(t):
    programs.need_root()
    path = t.path("launched.tscope")
    for seconds in LENGTHS:
        result = loader.record(t, "-o", path, "-F", FREQUENCY, "--kernel", "--", programs.app("demo"), seconds, timeout=300)
        check.equal(result.code, 0, f"{result}\nexit code")
        if has_enough(path, demo_pid(result.out)):
            break
    check_recording(t, path, demo_pid(result.out))
    with t.case("kernel functions have names, above what called the kernel"):
        folded = loader.run("report", path, "--format", "folded").out.splitlines()
        in_kernel = [line.rpartition(" ")[0].split(";") for line in folded if "_[k] " in line]
        check.at_least(len(in_kernel), 5, "stacks in the kernel")
        entered = [next(f for f in frames if f.endswith("_[k]")) for frames in in_kernel]
        check.at_least(sum(e.startswith(("entry_SYSCALL_64", "asm_", "ret_from_fork")) for e in entered), len(entered) * 9 // 10,
                       f"known ways into the kernel among {set(entered)}")


@check.test("an attached program", timeout=360)
def attached(t):
    programs.need_root()
    path = t.path("attached.tscope")
    demo = programs.start_app(t, "demo", "300")
    programs.wait_until(lambda: programs.diagnostics_socket(demo.pid), "the diagnostics socket", timeout=60)
    for _ in range(TRIES):
        result = loader.record(t, "-o", path, "-F", FREQUENCY, "-d", "8s", "-p", demo.pid, timeout=150)
        check.equal(result.code, 0, f"{result}\nexit code")
        if has_enough(path, demo.pid):
            break
    check.that(demo.process.poll() is None, "the demo runs on")
    check_recording(t, path, demo.pid)
