# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""FunctionIDs of ReadyToRun bodies: how many samples have one, and whether it is
the one that the runtime itself writes into its rundown when the process ends."""

import os
import subprocess

from lib import check, loader, programs, report

ATTACHED_BAR = 0.95
LAUNCHED_BAR = 0.99


def rundown_environment(t):
    """Makes the runtime list its methods, precompiled ones too, at its end."""
    return programs.environment(
        DOTNET_EnableEventPipe="1", DOTNET_EventPipeConfig="Microsoft-Windows-DotNETRuntime:0x8:4",
        DOTNET_EventPipeRundown="1", DOTNET_EventPipeOutputPath=t.path("{pid}.nettrace"))


def listed(t, pid):
    """{start: FunctionIDs} of the runtime's own rundown."""
    trace, out = t.path(f"{pid}.nettrace"), t.path(f"{pid}.rundown")
    check.that(os.path.exists(trace), "the runtime wrote no rundown")
    subprocess.run([programs.app("image_truth"), "list", trace, out], check=True)
    found = {}
    with open(out, encoding="utf-8", newline="\n") as file:
        for line in file:
            fields = line.rstrip("\n").split("\t")
            if fields[0] == "B":
                found.setdefault(int(fields[3], 16), set()).add(int(fields[2], 16))
    return found


def check_share(document, bar, least):
    with_id = sum(report.own(b) for b in document.images() if b["function_id"])
    without = sum(report.own(b) for b in document.images() if not b["function_id"])
    text = f"{with_id} samples in ReadyToRun code with a FunctionID, {without} without"
    print(text, document.ledger["function_unknown"])
    check.at_least(with_id + without, least, text)
    report.check_share(with_id, without, bar, text)
    # Each one that has none is counted under a cause.
    check.equal(sum(document.ledger["function_unknown"].values()), without, f"counted by cause; {text}")


def check_right(t, document, pid):
    theirs = listed(t, pid)
    compared, wrong = 0, []
    for body in document.images():
        start = int(body["start"], 16)
        if body["pid"] != pid or not body["function_id"] or start not in theirs:
            continue
        compared += 1
        if int(body["function_id"], 16) not in theirs[start]:
            wrong.append(f"{body['function_id']}, the runtime {list(map(hex, theirs[start]))}: {body['name']}")
    named = sum(1 for b in document.images() if b["pid"] == pid and b["function_id"])
    print(f"{compared} of {named} FunctionIDs compared with the rundown")
    check.empty(wrong, "FunctionIDs differ from the rundown")
    check.at_least(compared, 0.9 * named, "FunctionIDs found in the rundown")


@check.test("FunctionIDs of ReadyToRun code", timeout=180)
def function_ids(t):
    programs.need_root()
    out = t.path("compiled.dll")
    with t.case("after an attach"):
        csc = programs.Program(t, [programs.compiler("csc-long"), out], env=rundown_environment(t))
        pid = csc.pid  # the script becomes the compiler
        programs.wait_until(lambda: programs.diagnostics_socket(pid), "the compiler to start")
        recording = t.path("attached.tscope")
        result = loader.record(t, "-o", recording, "-F", loader.FREQUENCY, "-d", "4s", "-p", pid)
        check.equal(result.code, 0, f"{result}\nexit code")
        # Who has ended cannot be asked any more.
        check.equal(csc.process.poll(), None, "exit code of csc, which was to outlive the recording: it")
        attached = report.Report(loader.read_json(t, recording))
        check_share(attached, ATTACHED_BAR, 30)
    with t.case("they are the runtime's own"):
        csc.wait(300)
        check_right(t, attached, pid)
    with t.case("launched"):
        recording = t.path("launched.tscope")
        result = loader.record(t, "-o", recording, "-F", loader.FREQUENCY, "--", programs.compiler("csc"), out,
                               env=rundown_environment(t))
        check.equal(result.code, 0, f"{result}\nexit code")
        launched = report.Report(loader.read_json(t, recording))
        check_share(launched, LAUNCHED_BAR, 100)
    with t.case("they are the runtime's own"):
        # One pid is two processes, before and after an exec.
        for pid in {process["pid"] for process in launched.processes}:
            if os.path.exists(t.path(f"{pid}.nettrace")):
                check_right(t, launched, pid)
