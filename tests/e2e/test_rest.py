# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""What recordings leave in a process: one hook that sleeps, and after `detach`
nothing of it that runs."""

import os
import time

from lib import check, loader, programs, report, truth
from lib import recording as file

HOOK = "libtierscope_hook.so"

# A server at rest has threads that come and go, and each opening of a session puts
# some 20 KB on the managed heap, which stay until a collection.
THREADS_SLACK, JOURNAL_SLACK_KB, RSS_SLACK_KB = 4, 256, 6144


def threads(pid):
    names = []
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/comm", encoding="utf-8") as file:
            names.append(file.read().strip())
    return names


def code_mappings(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        return [line for line in maps if HOOK in line and " r-xp " in line]


def footprint(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        fields = dict(line.split(":", 1) for line in file if ":" in line)
    with open(f"/proc/{pid}/smaps", encoding="utf-8") as maps:
        shared = inside = 0
        for line in maps:
            if "-" in line.split()[0] and ":" not in line.split()[0]:
                inside = "tierscope-journal" in line
            elif inside and line.startswith("Rss:"):
                shared += int(line.split()[1])
    return {"rss": int(fields["VmRSS"].split()[0]), "journal": shared, "fds": len(os.listdir(f"/proc/{pid}/fd")),
            "threads": len(threads(pid))}


def record(t, pid, *more, name="out.tscope", seconds="300ms"):
    recording = t.path(name)
    result = loader.record(t, "-o", recording, "-d", seconds, "-p", pid, *more)
    check.equal(result.code, 0, f"{result}\nexit code")
    return recording


def wait_for_rest(pid):
    programs.wait_until(lambda: programs.hook_state(pid) == programs.HOOK_RESTING, "the hook to rest")


@check.test("forty recordings of one process", timeout=240)
def forty(t):
    programs.need_root()
    port = programs.free_port()
    web = programs.Program(t, [programs.app("web"), "--urls", f"http://127.0.0.1:{port}"])
    programs.wait_for_port(port)
    footprints = []
    for turn in range(40):
        if turn == 20:
            recorder = loader.Recorder(t, "-o", t.path("killed.tscope"), "-d", "60s", "-p", web.pid)
            loader.wait_for_recording(recorder)
            recorder.kill()
        else:
            record(t, web.pid)
            wait_for_rest(web.pid)  # its recorder waits for that no longer than half a second
        footprints.append(footprint(web.pid))
    print(f"after 5: {footprints[4]}, after 40: {footprints[39]}")
    with t.case("leave one journal"):
        check.equal(len(programs.journals(web.pid)), 1, "journals")
    with t.case("leave one mapping of the library"):
        check.equal(len(code_mappings(web.pid)), 1, "code mappings")
    with t.case("leave one thread of the hook"):
        check.equal(threads(web.pid).count("tierscope"), 1, "threads")
    with t.case("leave no session"):
        check.equal(programs.hook_state(web.pid), programs.HOOK_RESTING, "state of the hook")
    with t.case("let nothing grow"):
        early, late = footprints[4], footprints[39]
        check.at_least(early["fds"], late["fds"], f"descriptors, {footprints}")
        check.at_least(early["threads"] + THREADS_SLACK, late["threads"], f"threads, {footprints}")
        check.at_least(early["journal"] + JOURNAL_SLACK_KB, late["journal"], f"KB of the journal, {footprints}")
        check.at_least(early["rss"] + RSS_SLACK_KB, late["rss"], f"KB resident, {footprints}")
    # The 33rd of what takes a slot is refused, and so would this one be.
    with t.case("leave room for other profilers"):
        check.equal(loader.run("detach", "-p", web.pid).code, 0, "exit code of detach")
        record(t, web.pid)


@check.test("a loader that was killed")
def killed_loader(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "120")
    recorder = loader.Recorder(t, "-o", t.path("killed.tscope"), "-d", "60s", "-p", demo.pid)
    loader.wait_for_recording(recorder)
    check.equal(programs.hook_state(demo.pid), programs.HOOK_LIVE, "state of the hook while it is recorded")
    recorder.kill()
    with t.case("leaves a hook that rests soon"):
        wait_for_rest(demo.pid)
    with t.case("and wakes for the next one"):
        document = report.Report(loader.read_json(t, record(t, demo.pid, "-F", loader.FREQUENCY, seconds="2s")))
        report.check_ledger(document)
        report.check_jit_bar(document, 20, report.JIT_BAR_ATTACHED)
    with t.case("two at once: the first to end lets the other go on"):
        long = loader.Recorder(t, "-o", t.path("long.tscope"), "-F", loader.FREQUENCY, "-d", "60s", "-p", demo.pid)
        loader.wait_for_recording(long)
        record(t, demo.pid)
        check.equal(programs.hook_state(demo.pid), programs.HOOK_LIVE, "state of the hook")
        time.sleep(1)
        check.equal(long.interrupt().code, 0, "exit code of the longer one")
        report.check_jit_bar(report.Report(loader.read_json(t, t.path("long.tscope"))), 20, report.JIT_BAR_ATTACHED)
        wait_for_rest(demo.pid)


@check.test("bodies that come and go while the hook rests", timeout=90)
def rest_and_truth(t):
    programs.need_root()

    def look():
        churn = programs.start_app(t, "churn", "120")
        record(t, churn.pid, seconds="1s")
        wait_for_rest(churn.pid)
        source = truth.Truth(t, churn.pid, rundown=True)
        time.sleep(2)
        began = truth.now_ns()
        recording = record(t, churn.pid, "-F", loader.FREQUENCY, seconds="3s", name="again.tscope")
        source.finish()
        return churn, source, began, recording

    churn, source, began, recording = truth.until_no_rundown_kills(look)
    document = report.Report(loader.read_json(t, recording))
    # What is dead before this recording began is history, not part of it; and so is what
    # the hook found gone when it was woken, just before.
    start = file.Recording(recording).start_ns
    ours = [b for b in document.jit(churn.pid) if b["died_ns"] is None or b["died_ns"] > start]
    alive = [b for b in ours if b["born_ns"] <= began]
    with t.case("every body that survived the rest is a body of the runtime's"):
        known = {truth.key(b) for b in source.of("load", "alive_at_start", "alive_at_end")}
        check.at_least(len(alive), 20, "bodies from before")
        check.empty([truth.text(b) for b in alive if truth.key(b) not in known], "bodies that nobody else knows")
    with t.case("none that the runtime has at the end is missing"):
        have = {truth.key(b) for b in ours}
        gone = {truth.key(b) for b in source.of("unload")}
        lasting = [b for b in source.of("alive_at_start") if truth.key(b) not in gone]
        at_end = {truth.key(b) for b in source.of("alive_at_end")}
        check.empty([truth.text(b) for b in lasting if truth.key(b) in at_end and truth.key(b) not in have],
                    "bodies are missing")


@check.test("detach")
def detach(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "120")
    with t.case("no such PID"):
        with_no_pid = loader.run("detach", "-p", "4194000")
        loader.complaint(with_no_pid, 1, 4194000)
    with t.case("no PID at all"):
        loader.complaint(loader.run("detach"), 3, "-p")
        loader.complaint(loader.run("detach", "-p", "none"), 3, "none")
    with t.case("no hook in it"):
        loader.complaint(loader.run("detach", "-p", demo.pid), 1, demo.pid, "no hook")
    with t.case("while it is recorded"):
        recorder = loader.Recorder(t, "-o", t.path("out.tscope"), "-d", "60s", "-p", demo.pid)
        loader.wait_for_recording(recorder)
        loader.complaint(loader.run("detach", "-p", demo.pid), 1, demo.pid, "listens")
        check.equal(recorder.interrupt().code, 0, "exit code of record")
    for turn in ("after a recording", "once more"):
        with t.case(f"{turn}: thread and journal are gone"):
            result = loader.run("detach", "-p", demo.pid)
            check.equal(result.code, 0, f"{result}\nexit code")
            check.equal(programs.journals(demo.pid), [], "journals")
            check.equal(threads(demo.pid).count("tierscope"), 0, "threads")
            check.equal(len(code_mappings(demo.pid)), 1, "mappings of the library, which stays")
        with t.case(f"{turn}: it can be recorded again"):
            document = report.Report(
                loader.read_json(t, record(t, demo.pid, "-F", loader.FREQUENCY, seconds="2s")))
            report.check_jit_bar(document, 20, report.JIT_BAR_ATTACHED)
    with t.case("the process goes on"):
        check.equal(demo.process.poll(), None, "exit code of demo")


@check.test("detach from a process that was started with the hook")
def detach_launched(t):
    programs.need_root()
    hook = os.path.join(programs.OUTPUT, HOOK)
    for delay, case in (("60000", "before its session"), ("0", "with its session")):
        environment = programs.environment(
            CORECLR_ENABLE_NOTIFICATION_PROFILERS="1",
            CORECLR_NOTIFICATION_PROFILERS=f"{hook}={{7A5C09E1-3B52-4D64-9C1E-7E1D5C09E001}};",
            TIERSCOPE_SESSION_DELAY_MS=delay)
        demo = programs.start_app(t, "demo", "60", env=environment)
        time.sleep(1)
        with t.case(f"{case}: it is out"):
            result = loader.run("detach", "-p", demo.pid)
            check.equal(result.code, 0, f"{result}\nexit code")
            check.equal(programs.journals(demo.pid), [], "journals")
        with t.case(f"{case}: the process goes on"):
            time.sleep(1)
            demo.check_goes_on()
