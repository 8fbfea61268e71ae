# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Time off the CPU: as long as the programs' own clocks say, in the methods that waited, for
what they waited for; and where the time of each thread went, by the kernel's own account."""

import json
import os
import time

from lib import check, loader, native, programs, recording, report, whole

EVENT = report.OFF_CPU
# thread: (method, what it waits for, at least so long: rounds * ms)
PLACES = {"napper": ("Waits.Places.Nap(uint)", "sleep", 800), "poller": ("Waits.Places.Poll(uint)", "poll", 800),
          "reader": ("Waits.Places.Read(int)", "io", 0), "locker": ("Waits.Places.Contend()", "futex", 0)}
BLOCKED = ("futex", "poll", "io", "sleep", "fault", "other")


def stacks(t, path, *options):
    """[(frames, root first; ns)] of report --off-cpu."""
    result = loader.report(t, path, "--off-cpu", "--format", "folded", *options)
    check.equal(result.code, 0, f"{result}\nexit code")
    lines = (line.rsplit(" ", 1) for line in result.out.splitlines())
    return [(stack.split(";"), int(ns)) for stack, ns in lines]


def waited(stacks, thread, method, state=None):
    return sum(ns for frames, ns in stacks if frames[0].startswith(thread + "-") and
               any(f.startswith(method) for f in frames) and state in (None, frames[-1].split()[-1].removesuffix("_[k]")))


def slack(document):
    """ns: each stack that was lost can be one wait; and of a switch that the kernel does not tell (some virtual
    machines hide threads of their own) it is a sample, of 99 a second, that says that its thread runs."""
    off = document.ledger["off_cpu"]
    return 60e6 * sum(off["lost"].values()) + 25e6 * off["switches_not_told"]


def stolen():
    """Ticks that the machine below took from all CPUs so far (man 5 proc_stat).  The kernel takes them off its account
    of the thread.  Where it is within a wake-up, that account of the delay begins before it, and the tracepoint comes after it."""
    with open("/proc/stat", encoding="ascii") as stat:
        return int(stat.readline().split()[8])


def stolen_since(before):
    """ns, at most: of a tick that is not full yet nothing is told."""
    now = stolen()
    return (now - before + (now > 0)) * 10**9 // os.sysconf("SC_CLK_TCK")


# bpf/threads.bpf.h: as many stacks as a CPU can take, in so many ns, before chance decides of which long waits.
BUDGET, BUDGET_NS = 256, 1 << 28


def by_chance(recorded, tids):
    """Whether, since the first of these threads began, so many were taken that it can have been one CPU's budget.
    (The program lets the time of its runtime's start pass.)"""
    begin = min(when for when, tid, _, _ in recorded.weighed if tid in tids)
    times = sorted(when for when, _ in {(when, tid) for when, tid, _, _ in recorded.weighed} if when >= begin)
    return any(last - first < BUDGET_NS for first, last in zip(times, times[BUDGET - 1:]))


def without_a_cpu(recorded, thread, method):
    """ns in the method that it could run and had no CPU: (woken, preempted).  The first is part of a wait, and as exact.
    The second is an estimate: of short times off the CPU one in 64 is taken, or less."""
    rows = [(when, next(recorded.frames_of(stack))[2], weight) for when, tid, stack, weight in recorded.weighed if tid == thread and any(
        f[0] == recording.FRAME_BODY and recorded.bodies[f[1]]["name"].startswith(method) for f in recorded.frames_of(stack))]
    blocked = {when for when, state, _ in rows if state != "off-cpu runnable"}
    runnable = [(when in blocked, weight) for when, state, weight in rows if state == "off-cpu runnable"]
    return [sum(weight for woken, weight in runnable if woken == which) for which in (True, False)]


def times_of(document):
    """tid: times of the thread; the last name counts."""
    return {thread["tid"]: thread["times"] for thread in document.document["threads"] if thread["times"]}


def total(times):
    return sum(times[state] for state in ("running", "runnable", *BLOCKED))


def within(ours, truth, most, what):
    print(f"{what}: {ours / 1e6:.2f} ms, in truth {truth / 1e6:.2f} ms, at most {most / 1e6:.2f} ms apart")
    check.that(abs(ours - truth) <= most, f"{what}: {ours} ns against {truth} ns, more than {most:.0f} ns apart")


TRIES = 5


def record_waits(t):
    """(file, what it says, what the program told, ns of which nothing says where they are, whether chance can have
    decided of waits), of the first try in which nothing of that was so, or of the last."""
    for attempt in range(TRIES):
        path, stolen_before = t.path(f"waits{attempt}.tscope"), stolen()
        result = loader.record(t, "--off-cpu", "-o", path, "--", programs.app("waits"), env=programs.environment(
            DOTNET_TC_CallCountingDelayMs="0"))
        check.equal(result.code, 0, f"{result}\nexit code")
        loose, told = stolen_since(stolen_before), json.loads(result.out.splitlines()[-1])
        document = report.Report(loader.read_json(t, path))
        loose += slack(document)
        chance = by_chance(recording.Recording(path), {known["tid"] for known in told.values()})
        if not chance and not slack(document):
            break
    return path, document, told, loose, chance


@check.test("off-CPU: who waited for what, and how long", timeout=90)
def who_waited(t):
    programs.need_root()
    path, document, told, loose, chance = record_waits(t)
    recorded, of_threads, times = recording.Recording(path), stacks(t, path, "--per-thread"), times_of(document)

    def estimate(thread):
        """How much of the time in its method is an estimate, and how much is not in it: at most all that it was preempted."""
        if chance:
            raise check.Skip(f"so many stacks were taken that chance can have decided of which waits, {TRIES} times")
        woken, preempted = without_a_cpu(recorded, told[thread]["tid"], PLACES[thread][0])
        print(f"{thread} was preempted in its method: {preempted / 1e6:.2f} ms, and waited there for a CPU: {woken / 1e6:.2f} ms "
              f"of {told[thread]['delay'] / 1e6:.2f} ms")
        return preempted, max(told[thread]["delay"] - woken, 0)

    with t.case("the ledger is exact"):
        report.check_ledger(document)
        print(document.ledger["off_cpu"])
        check.equal(document.ledger["off_cpu"]["threads_full"], 0, "threads without a place")
    for thread, (method, state, least) in PLACES.items():
        truth, run = told[thread]["waited"] + told[thread].get("waited_later", 0), told[thread]["run"]
        with t.case(f"{method} waited for {state}, as long as the clock says"):
            guessed, unseen = estimate(thread)
            ours = waited(of_threads, thread, method) - guessed
            # What is not waiting is running: at most all that the thread ran.
            check.at_least(ours + run + unseen + 0.02 * truth + loose, truth, "all time off the CPU, and run time")
            check.at_least(1.01 * truth + loose, ours, "the clock against time off the CPU")
            check.at_least(waited(of_threads, thread, method, state) + loose, 0.98e6 * least, f"for {state}, ns")
            for other in set(BLOCKED) - {state, "fault"}:  # not one of the waits
                check.at_least(0.04 * truth, waited(of_threads, thread, method, other), f"for {other}, ns")
    with t.case("half of it in the first body, half in the one behind it"):
        bodies = sorted((b for b in document.bodies if b["name"] == PLACES["napper"][0] and b["total"][EVENT]),
                        key=lambda b: b["born_ns"])
        print([(b["tier"], b["total"]) for b in bodies])
        check.equal(bodies[0]["tier"], "QuickJitted", "tier of the first")
        check.at_least(len(bodies), 2, "bodies")
        most = told["napper"]["run"] + sum(estimate("napper")) + loose
        within(bodies[0]["total"][EVENT], told["napper"]["waited"], 0.02 * told["napper"]["waited"] + most, "in the first")
        within(sum(b["total"][EVENT] for b in bodies[1:]), told["napper"]["waited_later"],
               0.02 * told["napper"]["waited_later"] + most, "in the others")
    for thread in ("napper", "poller", "reader", "writer", "holder", "locker", "burner"):
        with t.case(f"{thread}: times as the kernel counts them, and by the clock"):
            known, ours = told[thread], times[told[thread]["tid"]]
            rest = total(ours) - known["life"]  # before and behind what the thread knows of
            most = 0.02 * known["life"] + max(rest, 0) + loose
            within(ours["running"], known["run"], most, "running")
            within(ours["runnable"], known["delay"], most, "runnable")
            within(sum(ours[state] for state in BLOCKED), known["life"] - known["run"] - known["delay"], most, "blocked")
            check.at_least(total(ours), 0.99 * known["life"], "wall clock, ns")
            check.at_least(document.document["recording"]["end_ns"] - ours["since_ns"], total(ours), "until the end, ns")
    with t.case(f"{100 * WHOLE:.0f} % of the stacks are whole"):
        check_whole(path, programs.app("waits"))
    with t.case("a thread that waits in epoll"):
        tid = next(th["tid"] for th in document.document["threads"] if th["name"] == ".NET Sockets")
        check.at_least(times[tid]["poll"] + times[tid]["runnable"], 0.9 * total(times[tid]), "ns")
    with t.case("every form says the same"):
        folded = sum(ns for _, ns in stacks(t, path))
        check.equal(next(e["weight"] for e in document.events if e["name"] == EVENT), folded, "ns in JSON")
        scope = loader.report(t, path, "--off-cpu", "--format", "speedscope")
        check.equal(sum(p["endValue"] for p in json.loads(scope.out)["profiles"]), folded, "ns in speedscope")
        wall = loader.report(t, path, "--wall", "--format", "folded")
        clock = next(e for e in document.events if e["name"] == "cpu-clock")
        check.equal(sum(int(line.rsplit(" ", 1)[1]) for line in wall.out.splitlines()),
                    folded + clock["samples"] * clock["period"], "ns in --wall")
        text = loader.report(t, path, "--off-cpu")
        check.that("time of threads" in text.out and "off-cpu futex" in text.out, f"a table of threads in\n{text}")


WHOLE = 0.99
ENOUGH = 30  # stacks; on a machine that is not busy there are a hundred and more


def check_whole(path, program):
    recorded = recording.Recording(path)
    whole.check_share(recorded, [(when, stack) for when, _, stack, _ in recorded.weighed], program, ENOUGH, WHOLE)


def threads_of(pid):
    return set(map(int, os.listdir(f"/proc/{pid}/task")))


@check.test("off-CPU: attached, blocked from before the start until the end", timeout=90)
def attached(t):
    programs.need_root()
    app = programs.start_app(t, "web", "--urls", f"http://127.0.0.1:{programs.free_port()}")
    path, pid = t.path("web.tscope"), app.process.pid
    time.sleep(1)
    before = threads_of(pid)
    result = loader.record(t, "--off-cpu", "-p", pid, "-d", "2s", "-o", path)
    check.equal(result.code, 0, f"{result}\nexit code")
    always = before & threads_of(pid)
    document = report.Report(loader.read_json(t, path))
    times, about = times_of(document), document.document["recording"]
    elapsed = about["end_ns"] - about["start_ns"]
    with t.case("every thread that was there has a time for every moment"):
        check.equal(always - set(times), set(), "threads without times")
        # The same for all; on a busy machine not quite since the recording began, and until it was over.
        since = min(times[tid]["since_ns"] for tid in always)
        until = max(times[tid]["since_ns"] + total(times[tid]) for tid in always)
        for tid in always:
            within(total(times[tid]), until - since, 0.01 * elapsed, f"thread {tid}")
        check.at_least(since, about["start_ns"], "since when, ns")
        check.at_least(about["end_ns"], until, "until when, ns")
        check.at_least(until - since, 0.5 * elapsed, "ns")
    with t.case("they were blocked"):
        blocked = sum(times[tid][state] for tid in always for state in BLOCKED)
        check.at_least(blocked, 0.5 * (until - since) * len(always), "ns")
    with t.case("the ledger is exact"):
        report.check_ledger(document)


SUSPENDED = 20  # stacks of methods that the runtime stopped by their return address
CALLERS = {"Suspending.Inner": "Suspending.Outer", "Suspending.Outer": "Suspending.Worker", "Suspending.Worker": "Suspending.Run"}


def runtime_of(pid):
    """Its file, once it is mapped."""
    def find():
        return any(path.endswith("/libcoreclr.so") for _, _, _, path in native.read_map(pid))
    programs.wait_until(find, f"the runtime in {pid}")
    return native.Memory(pid, {}).file("libcoreclr.so")


def suspended_stacks(recorded, start):
    """Names from the caller of the runtime's function on, for each stack with it."""
    for _, _, stack, _ in recorded.weighed:
        frames = list(recorded.frames_of(stack))
        at = next((i for i, f in enumerate(frames) if f[3] == start and f[2].startswith("libcoreclr.so!")), None)
        if at is not None:
            yield [recorded.bodies[f[1]]["name"].removeprefix("Below.").split("(")[0] if f[0] == recording.FRAME_BODY else f[2]
                   for f in frames[at + 1:]]


@check.test("off-CPU: suspended for the garbage collector", timeout=120)
def suspended(t):
    """The runtime lets methods return to a function of its own, where the thread waits.  Who called the
    method is known there again.  How often that is, is up to the machine."""
    programs.need_root()
    programs.need("readelf")
    seen, cut, wrong = 0, 0, []
    for attempt in range(TRIES):
        path = t.path(f"below{attempt}.tscope")
        recorder = loader.Recorder(t, "--off-cpu", "-o", path, "--", programs.app("below"), "suspend", 2)
        runtime = runtime_of(programs.wait_for_dotnet(recorder.pid))
        result = recorder.finish()
        check.equal(result.code, 0, f"{result}\nexit code")
        for names in suspended_stacks(recording.Recording(path), native.hijack_function(runtime)):
            seen += 1
            caller, beyond = [*names, "", ""][:2]
            if not caller:
                cut += 1  # it was on its way there
            elif not beyond.startswith(CALLERS.get(caller, "no method")) or not names[-1].startswith("libc.so.6!"):
                wrong.append(" < ".join(names))
        if seen >= SUSPENDED:
            break
    print(f"{seen} stacks of suspended methods, {cut} of them cut")
    with t.case("a suspended method has its callers"):
        if seen < SUSPENDED:
            raise check.Skip(f"only {seen} stacks in {TRIES} recordings: this machine is too slow or too busy")
        check.at_least(1 - cut / seen, 0.8, "share of those with a caller")
        check.empty(wrong, "stacks are wrong")
    with t.case(f"{100 * WHOLE:.0f} % of the stacks are whole"):
        check_whole(path, programs.app("below"))


@check.test("off-CPU: what cannot be asked for", timeout=60)
def cannot(t):
    programs.need_root()
    path = t.path("out.tscope")
    events = "cpu-clock,task-clock,page-faults,minor-faults"
    with t.case("with four events"):
        loader.complaint(loader.run("record", "--off-cpu", "-e", events, "-o", path, "--", "true"), 3, "--off-cpu", "three")
    with t.case("with counts of samples"):
        for option in ("--stat=1s", "--serve=127.0.0.1:1"):
            loader.complaint(loader.run("record", "--off-cpu", option, "-o", path, "--", "true"), 3, "--off-cpu")
    check.equal(loader.record(t, "-o", path, "--", "true").code, 0, "exit code")
    with t.case("of a recording without it"):
        for option in ("--off-cpu", "--wall"):
            loader.complaint(loader.report(t, path, option), 3, "record --off-cpu")
    with t.case("two at once"):
        loader.complaint(loader.report(t, path, "--off-cpu", "--wall"), 3, "--off-cpu", "--wall")
    check.equal(loader.record(t, "--off-cpu", "-e", "page-faults", "-o", path, "--", "true").code, 0, "exit code")
    with t.case("the wall clock without a clock"):
        loader.complaint(loader.report(t, path, "--wall"), 3, "cpu-clock")
