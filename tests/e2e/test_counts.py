# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Events that are counted: page faults and context switches go to the methods that cause
them, and there are as many as the kernel counted for the thread itself."""

import json

from lib import check, loader, programs, report

ROUNDS = 20
RING = str(64 << 20)  # has room for all, should the recorder not be given a CPU
TOUCH = {"Counts.Causes.TouchOptimized(int)": "Optimized", "Counts.Causes.TouchMinOpt(int)": "MinOptJitted"}
NAP, BURN = "Counts.Causes.Nap(int)", "Counts.Causes.Burn(int)"


def count(t, name, *events):
    """(the report, what the program says of its methods)"""
    path = t.path(name + ".tscope")
    options = [word for event in events for word in ("-e", event)]
    result = loader.record(t, "-o", path, *options, "--", programs.app("counts"), str(ROUNDS),
                           env=programs.environment(TIERSCOPE_SAMPLE_RING=RING))
    check.equal(result.code, 0, f"{result}\nexit code")
    document = report.Report(loader.read_json(t, path))
    report.check_ledger(document)
    check.equal(document.ledger["samples"]["lost"]["ring_full"], 0, "samples lost for want of room")
    return document, json.loads(result.out.splitlines()[-1])["methods"]


def of(document, name, event, which="self"):
    return sum(body[which].get(event, 0) for body in document.bodies if body["name"] == name)


@check.test("counted events", timeout=120)
def counted_events(t):
    programs.need_root()
    document, told = count(t, "all", "page-faults,minor-faults", "context-switches", "cpu-clock/freq=997/")
    print({name: (told[name], of(document, name, "page-faults"), of(document, name, "context-switches", "total"))
           for name in told})
    with t.case("each has its own period"):
        check.equal([(e["name"], e["period"]) for e in document.events],
                    [("page-faults", 1), ("minor-faults", 1), ("context-switches", 1), ("cpu-clock", 10**9 // 997)], "events")
    for name, tier in TOUCH.items():
        with t.case(f"page faults of {name}: all in its {tier} body"):
            bodies = [b for b in document.bodies if b["name"] == name]
            check.equal([b["tier"] for b in bodies], [tier], "tiers")
            check.equal(told[name]["wanted"] > 1000, True, "more pages than a few")
            for event in ("page-faults", "minor-faults"):
                ours = of(document, name, event)
                check.at_least(ours, told[name]["wanted"], f"{event} of fresh pages")
                check.at_least(told[name]["faults"], ours, f"faults of the thread against our {event}")
    with t.case("the others have next to none"):
        for name in (NAP, BURN):
            check.at_least(told[name]["faults"], of(document, name, "minor-faults"), f"faults of {name}")
    with t.case("context switches below the method that naps"):
        ours = of(document, NAP, "context-switches", "total")
        truth = told[NAP]["waits"] + told[NAP]["preempted"]
        check.at_least(told[NAP]["waits"], told[NAP]["wanted"] * 9 // 10, "waits that the kernel counted")
        # The kernel passes over a few: they are in not_delivered.
        check.at_least(ours + document.ledger["samples"]["not_delivered"], told[NAP]["waits"], "context switches")
        check.at_least(ours, told[NAP]["waits"] * 9 // 10, "context switches that were told")
        check.at_least(truth, ours, "context switches of the thread against ours")
    with t.case("others are only preempted"):
        for name in (BURN, *TOUCH):
            most = told[name]["waits"] + told[name]["preempted"]
            check.at_least(most, of(document, name, "context-switches", "total"), f"context switches of {name}")
    with t.case("CPU time is still where the CPU was"):
        check.at_least(of(document, BURN, "cpu-clock"), 10, f"samples in {BURN}")
        check.equal(of(document, BURN, "page-faults") < 50, True, "page faults there are few")


@check.test("tracepoints", timeout=60)
def tracepoints(t):
    """The kernel's own counts of the same things are a second truth, beside what the thread was told."""
    programs.need_root()
    fault, switch = "exceptions:page_fault_user", "sched:sched_switch"
    document, told = count(t, "tracepoints", f"page-faults,{fault}", f"context-switches,{switch}")
    skipped = document.ledger["samples"]["not_delivered"]
    print({name: (told[name], of(document, name, fault), of(document, name, switch, "total")) for name in told}, f"{skipped} not delivered")
    for name in TOUCH:
        with t.case(f"page faults of {name} are in its body"):
            ours = of(document, name, fault)
            check.at_least(ours, told[name]["wanted"], "faults on fresh pages")
            check.at_least(told[name]["faults"], ours, "faults of the thread against ours")
    with t.case("switches below the method that naps"):
        ours = of(document, NAP, switch, "total")
        check.at_least(told[NAP]["waits"], told[NAP]["wanted"] * 9 // 10, "waits that the kernel counted")
        check.at_least(ours, told[NAP]["waits"], "switches")
        check.at_least(told[NAP]["waits"] + told[NAP]["preempted"], ours, "switches of the thread against ours")
    with t.case("of each body, as many as the kernel's own event counts"):
        for body in document.bodies:
            for event, same in ((fault, "page-faults"), (switch, "context-switches")):
                for which in ("self", "total"):
                    check.at_least(skipped, abs(body[which][event] - body[which][same]), f"{event} against {same} ({which}) in {body['name']}")


@check.test("every Nth of a counted event", timeout=60)
def every_nth(t):
    programs.need_root()
    periods = {"page-faults": 10, "exceptions:page_fault_user": 7}
    document, told = count(t, "nth", *(f"{event}/period={period}/" for event, period in periods.items()))
    with t.case("each sample stands for that many"):
        check.equal({e["name"]: e["period"] for e in document.events}, periods, "periods")
        for name in TOUCH:
            for event, period in periods.items():
                ours, truth = of(document, name, event) * period, told[name]["wanted"]
                # Each round, a CPU can be up to a period off at the method's begin and end.
                check.that(abs(ours - truth) <= period * ROUNDS, f"{name}: {ours} {event} by samples, {truth} in truth")


@check.test("events that there are not", timeout=60)
def no_such_event(t):
    path = t.path("out.tscope")
    for event, word in (("no-such-event", "no-such-event"), ("page-faults/freq=9/", "page-faults/period=1/"),
                        ("cpu-clock/freq=0/", "1 to 20000"), ("cpu-clock/period=1/", "50000"), ("r12g", "r12g"),
                        ("page-faults,page-faults", "twice"), ("sched:sched_swich", "no such tracepoint"),
                        ("nope:sched_switch", "no such tracepoint"), ("syscalls:sys_enter_write", "raw_syscalls:sys_enter"),
                        ("lock:contention_end", "is not taken"), ("sched:", "'sched:'"), ("sched:sched_switch/freq=9/", "period=1"), ("page-faults,", "''"), ("cpu-clock/x=1/", "x=1"),
                        ("cpu-clock,task-clock,page-faults,minor-faults,major-faults", "major-faults")):
        with t.case(event):
            loader.complaint(loader.run("record", "-e", event, "-o", path, "--", "true"), 3, "record", word)
