# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""What share of the samples in the runtime's executable memory (images, compiled
code, stubs) carries a code body or a named stub: pooled over several recordings,
on three real programs, launched and attached.  And whether the runtime itself,
asked about the sampled addresses, names the same functions."""

import collections
import os
import signal
import time

from lib import check, loader, mailbox, programs, recording, report

SAMPLES = 20_000
RUNS_MAX = 40
ASKED_MAX = 2_000
BAR = {"launched": 0.999, "attached": 0.99}
FUNCTION_BAR = {"launched": 0.99, "attached": 0.95}
FRAME_STUB = 4


class Pool:
    """Counts over several recordings of one program."""

    def __init__(self, how):
        self.how = how
        self.named = self.nameless = self.images = self.images_known = 0
        self.causes = collections.Counter()
        self.untold = collections.Counter()

    def add(self, document):
        self.named += sum(map(report.own, document.bodies)) + sum(document.ledger["stub_leaf"].values())
        self.causes.update(document.ledger["unresolved_leaf"])
        self.nameless = sum(self.causes.values())
        self.images += sum(map(report.own, document.images()))
        self.images_known += sum(report.own(b) for b in document.images() if b["function_id"])
        self.untold.update(document.ledger.get("function_unknown", {}))
        report.check_ledger(document)

    def full(self):
        return self.named + self.nameless >= SAMPLES

    def check(self, t, least_images):
        total = self.named + self.nameless
        text = f"{total} samples, without a name {dict(self.causes)}"
        print(text, f"ReadyToRun {self.images}, with FunctionID {self.images_known}, else {dict(self.untold)}")
        with t.case("enough samples were pooled"):
            check.at_least(total, SAMPLES, "samples in the runtime's memory")
        with t.case("they carry a body or a kind of stub"):
            check.at_least(self.named / total, BAR[self.how], f"share of {text}")
        with t.case("those in ReadyToRun code carry a FunctionID"):
            check.at_least(self.images, least_images, "samples in ReadyToRun code")
            if self.images:
                check.at_least(self.images_known / self.images, FUNCTION_BAR[self.how],
                               f"share of {self.images}, the others {dict(self.untold)}")
        with t.case("every one without is counted under a named cause"):
            check.equal(sum(self.untold.values()), self.images - self.images_known, f"{dict(self.untold)}")


def is_lasting(body):
    """Not of a dynamic method or the demo's plugin: their addresses may be given to
    others between the recording and the question."""
    return int(body["token"], 16) != 0 and "plugin" not in os.path.basename(body["module"])


def check_with_runtime(t, pid, path, document):
    """Asks the live process about addresses that were sampled."""
    recorded = recording.Recording(path)
    bodies = {(b["start"], b["born_ns"]): b for b in document.bodies if b["pid"] == pid}
    ours, without = {}, set()
    for _, ip, owner, leaf, _ in recorded.samples:
        if owner != pid or leaf is None:
            continue
        kind, body, _, _ = recorded.frames[leaf]
        if kind == recording.FRAME_BODY:
            known = recorded.bodies[body]
            told = bodies.get((known["start"], known["born_ns"]))
            if told and not told["died_ns"] and is_lasting(told):
                ours[ip] = told
        elif kind in (recording.FRAME_UNKNOWN, FRAME_STUB):
            without.add(ip)
    asked = sorted(without)[:ASKED_MAX] + list(ours)[:ASKED_MAX]
    answers = mailbox.Mailbox(pid).ask(asked)
    with t.case("what the runtime can name carries a body"):
        check.empty([f"{ip:#x} is of function {answers[ip]:#x}" for ip in asked if ip in without and answers[ip]],
                    "samples without a body")
    with t.case("and the same FunctionID"):
        told = [ip for ip in asked if ip in ours and ours[ip]["function_id"]]
        check.at_least(len(told), 50, "addresses to compare")
        check.empty([f"{ip:#x}: {ours[ip]['name']} {ours[ip]['function_id']}, the runtime says {answers[ip]:#x}"
                     for ip in told if int(ours[ip]["function_id"], 16) != answers[ip]], "other functions")


def pool_launched(t, command, end, drive=None):
    programs.need_root()
    pool = Pool("launched")
    for run in range(RUNS_MAX):
        path = t.path(f"run{run}.tscope")
        recorder = loader.Recorder(t, "-o", path, "-F", loader.FREQUENCY, "--", *command)
        if drive:
            drive()
        result = end(recorder)
        check.equal(result.code, 0, f"{result}\nexit code")
        pool.add(report.Report(loader.read_json(t, path)))
        if pool.full():
            break
    pool.check(t, 1)


def pool_attached(t, pid, seconds, least_images=1):
    programs.need_root()
    pool = Pool("attached")
    for run in range(RUNS_MAX):
        path = t.path(f"run{run}.tscope")
        result = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "-d", f"{seconds}s", "-p", pid)
        check.equal(result.code, 0, f"{result}\nexit code")
        document = report.Report(loader.read_json(t, path))
        pool.add(document)
        if pool.full():
            break
    pool.check(t, least_images)
    check_with_runtime(t, pid, path, document)


@check.test("demo launched, pooled", timeout=240)
def demo_launched(t):
    pool_launched(t, [programs.app("demo"), "12", "--threads", "2"], lambda recorder: recorder.finish(90))


@check.test("demo attached, pooled", timeout=240)
def demo_attached(t):
    demo = programs.start_app(t, "demo", "600", "--threads", "2")
    time.sleep(2)
    # Once it is warm, it may be in no precompiled code at any sample.
    pool_attached(t, demo.pid, 12, least_images=0)


@check.test("web launched, pooled", timeout=240)
def web_launched(t):
    programs.need("wrk")
    port = programs.free_port()

    def drive():
        programs.wait_for_port(port)
        programs.load_web(port, 15)

    def end(recorder):
        os.kill(programs.wait_for_dotnet(recorder.pid), signal.SIGTERM)
        return recorder.finish(60)

    pool_launched(t, [programs.app("web"), "--urls", f"http://127.0.0.1:{port}"], end, drive)


@check.test("web attached, pooled", timeout=240)
def web_attached(t):
    programs.need("wrk")
    port = programs.free_port()
    web = programs.Program(t, [programs.app("web"), "--urls", f"http://127.0.0.1:{port}"])
    programs.wait_for_port(port)
    programs.start_load(t, port, 600)
    time.sleep(2)
    pool_attached(t, web.pid, 15)


@check.test("csc launched, pooled", timeout=300)
def csc_launched(t):
    pool_launched(t, [programs.compiler("csc"), t.path("large.dll")], lambda recorder: recorder.finish(90))
