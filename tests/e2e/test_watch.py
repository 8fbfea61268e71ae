# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""tierscope watch: hardware watchpoints on entry cells.  They are the truth for the windows
that a recorder of the same process gives at the same time, its hook's and its own; the program
that asks for ReJITs is the truth for them.  And what the hook does for that, and when."""

import collections
import json
import os
import time

from lib import check, loader, patches, programs, report
from test_rejit import Told, with_profiler

# A change that lasts longer is there at two looks of a recorder, also of a busy one.
LASTING_NS = 2_000_000_000
CHANGES = 6  # of two functions: each is counted, then settled, then new code comes
# A hit has the time at which its thread stood there, after the write.
SLACK_NS = 1_000_000
# Two looks of a recorder are half a second apart: what is told so exactly, the hook has told, however late
# its thread was given a CPU.
BY_HOOK_NS = 50_000_000
NEAR_NS = 100_000_000
ERROR_NO_START, ERROR_USAGE = 1, 3


def watch(t, *arguments):
    return loader.Recorder(t, *arguments, command="watch")


def read_watch(result, end_ns=None):
    """What was there at first, and the changes until the watchpoints were closed: what happens
    then, before the end, a last look can still tell."""
    check.equal(result.code, 0, f"{result}\nexit code")
    rows = [json.loads(line) for line in result.out.splitlines()]
    begun = {row["function_id"]: row for row in rows if row["kind"] == "watch"}
    changes = collections.defaultdict(list)
    for row in rows:
        if row["kind"] == "patch" and ("tid" in row or end_ns is None or row["time_ns"] < end_ns):
            changes[row["function_id"]].append(row)
    return begun, changes


def reached(patch):
    """Where a patch leads to; watch and report spell it alike but for the body's start."""
    return patch["target"], patch.get("start", patch.get("body"))


def check_lines(begun, changes):
    check.at_least(len(begun), 2, "functions that are watched")
    check.at_least(sum(map(len, changes.values())), CHANGES, "changes")
    for function, rows in changes.items():
        check.that(function in begun, f"{function} was not announced")
        before = begun[function]
        for row in rows:
            check.equal(row["window_ns"], [row["time_ns"]] * 2, f"window of {row}")
            check.at_least(row["time_ns"], before["time_ns"], "time")
            check.that(reached(row) != reached(before), f"no change: {row} after {before}")
            check.that(row["tid"] and row["thread"] and any("libcoreclr.so" in frame for frame in row["stack"]),
                       f"thread and stack of {row}")
            before = row


def check_windows(windowed, begun, changes, end_ns):
    """Every window holds the change that it ends with, at its true time; every lasting change
    has a window."""
    spurious, missed, matched = [], [], []
    for function, begin in begun.items():
        exact, windows = changes[function], windowed.get(function, [])
        for patch in windows:
            low, high = patch["window_ns"]
            if low < begin["time_ns"] or high > end_ns:
                continue
            inside = [row for row in exact if low - SLACK_NS <= row["time_ns"] <= high + SLACK_NS]
            if any(reached(row) == reached(patch) for row in inside):
                matched.append(high - low)
            else:
                spurious.append(f"{begin['name']}: {low} to {high} leads to {reached(patch)}, seen {[reached(r) for r in inside]}")
        for row, after in zip(exact, [r["time_ns"] for r in exact[1:]] + [end_ns]):
            if after - row["time_ns"] < LASTING_NS:
                continue
            if not any(p["window_ns"][0] - SLACK_NS <= row["time_ns"] <= p["window_ns"][1] + SLACK_NS
                       and reached(p) == reached(row) for p in windows):
                missed.append(f"{begin['name']}: {row['time_ns']} leads to {reached(row)}")
    narrow = [width for width in matched if width <= BY_HOOK_NS]
    print(f"{sum(map(len, changes.values()))} exact changes, {len(matched)} windows hold theirs, ms wide: {[width / 1e6 for width in matched]}")
    check.empty(spurious, "windows without their change")
    check.empty(missed, "lasting changes without a window")
    check.at_least(len(narrow), 1, "windows that hold their change to what the hook tells")


@check.test("watch beside a recorder", timeout=90)
def beside_recorder(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "60", "--threads", "2")
    path, kept = t.path("out.tscope"), t.path("watch.tscope")
    recorder = loader.Recorder(t, "-o", path, "-F", loader.FREQUENCY, "-p", demo.pid)
    loader.wait_for_recording(recorder)
    watcher = watch(t, "-p", demo.pid, "--format", "json", "-o", kept, "Demo.Loops")
    programs.wait_until(lambda: watcher.texts()[0].count('"kind":"patch"') >= CHANGES, "changes", 45)
    time.sleep(1)  # for the recorder's next look
    result = watcher.interrupt()
    watched = report.Report(loader.read_json(t, kept))
    end_ns = watched.document["recording"]["end_ns"]
    begun, changes = read_watch(result, end_ns)
    with t.case("tells each change with its thread and stack"):
        check_lines(begun, changes)
    recorder.interrupt()
    document = report.Report(loader.read_json(t, path))
    with t.case("a recorder's windows hold the true times"):
        end_ns = min(end_ns, document.document["recording"]["end_ns"])
        check_windows(patches.by_function(document.document["patches"]), begun, changes, end_ns)
    with t.case("its recording has the same changes, and a ledger that balances"):
        report.check_ledger(watched)
        exact = [(p["function_id"], p["window_ns"][1], reached(p)) for p in watched.document["patches"]
                 if p["window_ns"][0] == p["window_ns"][1]]
        check.equal(sorted(exact), sorted((f, r["time_ns"], reached(r)) for f, rows in changes.items() for r in rows), "changes")
        hits = sum(e["samples"] for e in watched.events if e["name"] == "watchpoint")
        check.at_least(hits, len(exact), "samples of the watchpoints")
    with t.case("events says so"):
        out = loader.run("events", kept, "Demo.Loops", "--kind", "patch").out
        check.equal(out.count("since then exactly"), len(exact), f"exact lines of {out}")
    with t.case("the program runs on"):
        check.equal(demo.process.poll(), None, "exit code of demo")


def helper_sleeps(pid):
    """How often the hook's own thread went to sleep so far."""
    for task in os.listdir(f"/proc/{pid}/task"):
        with open(f"/proc/{pid}/task/{task}/status", encoding="utf-8") as status:
            lines = dict(line.split(":", 1) for line in status)
        if lines["Name"].strip() == "tierscope":
            return int(lines["voluntary_ctxt_switches"])
    return None


def sleeps_for_good(pid):
    before = helper_sleeps(pid)
    time.sleep(1)
    return before is not None and helper_sleeps(pid) == before


@check.test("new code is told, and then the hook sleeps", timeout=90)
def hook_sleeps(t):
    programs.need_root()
    program = programs.start_app(t, "shares", "60")
    path = t.path("out.tscope")
    recorder = loader.Recorder(t, "-o", path, "-F", loader.FREQUENCY, "-p", program.pid)
    loader.wait_for_recording(recorder)
    at_first = helper_sleeps(program.pid)
    with t.case("its thread does not wake while nothing waits"):
        programs.wait_until(lambda: sleeps_for_good(program.pid), "a second without a wake-up", 45)
        sleeps = helper_sleeps(program.pid)
        print(f"it slept {at_first} times at first, {sleeps} times in all")
    recorder.interrupt()
    document = report.Report(loader.read_json(t, path))
    with t.case("and has told of new code"):
        told = [p for p in document.document["patches"] if p["window_ns"][0] and p["target"] in ("body", "call_counting")
                and p["window_ns"][1] - p["window_ns"][0] <= patches.TOLD_NS]
        print(f"{len(told)} of {len(document.document['patches'])} patches are told to a millisecond")
        check.at_least(len(told), 1, "patches that are told to a millisecond")
        check.at_least(sleeps - at_first, 1, "times that its thread woke for them")


def check_followed(result, function, requested, reverted):
    """`requested`, `reverted`: ReJITIDs, and between which times the program asked for it."""
    check.equal(result.code, 0, f"{result}\nexit code")
    lines = [json.loads(line) for line in result.out.splitlines()]
    told = {event: {line["rejit_id"]: line["window_ns"] for line in lines if line.get("function_id") == function and line["event"] == event}
            for event in ("requested", "compiled", "reverted")}
    print(f"told {told}, requested {requested}, reverted {reverted}")
    # It may have come later than the first of them, and does not tell what was before.
    there = list(told["compiled"])
    check.at_least(len(there), 1, "compilations")
    check.equal(there, [r[0] for r in requested][-len(there):], "ReJITIDs that were compiled")
    if reverted[0] in there:
        check.equal(list(told["reverted"]), [reverted[0]], "ReJITIDs that were reverted")
        check.that(there[-1] in told["requested"], "the last request is not told")
    asked = [("requested", *r) for r in requested if r[0] in told["requested"]]
    asked += [("reverted", *reverted)] * (reverted[0] in there)
    check.empty([f"{event} {i}: {told[event][i]}, wanted {low} to {high}" for event, i, low, high in asked
                 if not (told[event][i][0] - NEAR_NS <= high and low <= told[event][i][1] + NEAR_NS)], "at another time")
    for kind in ("delay", "batch"):
        check.at_least(len([line for line in lines if (line["kind"], line["event"]) == (kind, "end")]), 1, f"ends of a {kind}")


@check.test("watch a ReJIT", timeout=90)
def rejit(t):
    """Request, request, revert, request: in order, each when the program's phase begins."""
    programs.need_root()
    program = programs.start_app(t, "rejit", "versions,stay", "2", env=programs.environment(**with_profiler(t)))
    watcher = watch(t, "-p", program.pid, "--format", "json", "Plain")
    programs.wait_until(lambda: watcher.texts()[0], "what is there when the watch begins")
    follower = loader.Recorder(t, "-p", program.pid, "--format", "json", "--kind", "rejit,delay,batch", command="events")
    lines = program.process.stdout.read()
    check.equal(program.wait(), 0, "exit code of rejit")
    begun, changes = read_watch(watcher.finish())
    phases = [p for p in map(json.loads, (line for line in lines.splitlines() if line.startswith("{"))) if p["method"] == "Plain"]
    versions = Told(t).versions()
    function = next(f for f in begun if int(f, 16) in versions)
    ids = [0, *versions[int(function, 16)]]
    begin_ns = begun[function]["time_ns"]
    # A switch just before the watch began is what was there at first.
    wanted = [(ids[p["version"]], p["begin_ns"]) for p in phases if p["begin_ns"] > begin_ns + NEAR_NS]
    rows = changes[function]
    with t.case("each switch is seen, in order"):
        seen = [row["rejit_id"] for row in rows if "rejit_id" in row]
        before = begun[function].get("rejit_id")
        switches = [i for n, i in enumerate(seen) if i != (seen[n - 1] if n else before)]
        print(f"seen {[(row['target'], row.get('rejit_id'), row.get('tier')) for row in rows]}, wanted {wanted}")
        check.at_least(len(wanted), 3, "switches")
        check.equal(switches, [w[0] for w in wanted], "ReJITIDs that calls reached one after the other")
    with t.case("a request leads back to the prestub first, and the new version on to tier 1"):
        for identity in {w[0] for w in wanted} - {0}:
            at = next(n for n, row in enumerate(rows) if row.get("rejit_id") == identity)
            check.equal(rows[at - 1]["target"] if at else begun[function]["target"], "prestub", f"before ReJITID {identity}")
        check.that(any(row["rejit_id"] and row["tier"] == "OptimizedTier1" for row in rows if "rejit_id" in row),
                   "no ReJITed version reached tier 1")
    with t.case("events tells of each as it happens, and when the runtime compiles"):
        check_followed(follower.finish(), function, [(ids[p["version"]], b["end_ns"], p["begin_ns"]) for b, p in zip(phases, phases[1:]) if p["version"]], next(
            (ids[b["version"]], b["end_ns"], p["begin_ns"]) for b, p in zip(phases, phases[1:]) if not p["version"]))
    with t.case("each is where the program's phase begins"):
        firsts = [next(row["time_ns"] for row in rows if row.get("rejit_id") == identity and row["time_ns"] > begin - 1_000_000_000)
                  for identity, begin in wanted]
        print([(first - begin) / 1e6 for first, (_, begin) in zip(firsts, wanted)], "ms from a phase's begin to its switch")
        check.empty([f"{first}, phase began {begin}" for first, (_, begin) in zip(firsts, wanted) if abs(first - begin) > 1_000_000_000],
                    "switches are far from their phases")


@check.test("watch, and what is wrong", timeout=60)
def bad_input(t):
    with t.case("no process, no method"):
        for arguments in ((), ("-p", "1"), ("Work",), ("-p", "1", "Work", "more")):
            result = loader.run("watch", *arguments)
            check.equal(result.code, ERROR_USAGE, f"{result}\nexit code of watch {arguments}")
            check.equal(len(result.err.splitlines()), 1, f"lines of {result.err}")
    programs.need_root()
    demo = programs.start_app(t, "demo", "60")
    with t.case("a method that nobody has called is waited for"):
        result = watch(t, "-p", demo.pid, "-d", "1s", "NoSuchMethod").finish()
        check.equal((result.code, result.out), (0, ""), f"{result}\nexit code and output")
        check.that("no code of a method with 'NoSuchMethod'" in result.err, result.err)
    with t.case("more functions than watchpoints"):
        result = watch(t, "-p", demo.pid, "-d", "1s", "Demo.").finish()
        check.equal(result.code, 0, f"{result}\nexit code")
        check.equal((result.out.count("when the watch began"), result.err.count("more than four functions")), (4, 1), "watched, told")
    with t.case("watchpoints that others hold"):
        other = watch(t, "-p", demo.pid, "Demo.")
        programs.wait_until(lambda: other.texts()[0].count("when the watch began") == 4, "four watchpoints")
        result = watch(t, "-p", demo.pid, "-d", "1s", "Demo.").finish()
        check.equal(result.code, ERROR_NO_START, f"{result}\nexit code")
        check.that("hardware watchpoints of this machine are taken" in result.err, result.err)
        check.equal(other.interrupt().code, 0, "exit code of the other")
