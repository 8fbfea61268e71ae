# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""The main job on real input: the demo, a web server under load and the C#
compiler, launched and attached, each held against the runtime's own event
stream and against the bars of the project."""

import os
import signal
import time

from lib import check, jobs, loader, programs, recording, report, truth


@check.test("demo launched", timeout=90)
def demo_launched(t):
    jobs.check_launched(t, [programs.app("demo"), "6"], 50, 2)


@check.test("demo attached", timeout=90)
def demo_attached(t):
    jobs.check_attached_demo(t)


@check.test("web launched", timeout=90)
def web_launched(t):
    programs.need("wrk")
    port = programs.free_port()

    def drive(pid):
        programs.wait_for_port(port)
        programs.load_web(port, 5)
        os.kill(pid, signal.SIGTERM)

    jobs.check_launched(t, [programs.app("web"), "--urls", f"http://127.0.0.1:{port}"], 100, 50, drive)


@check.test("web attached", timeout=90)
def web_attached(t):
    programs.need("wrk")
    port = programs.free_port()
    web = programs.Program(t, [programs.app("web"), "--urls", f"http://127.0.0.1:{port}"])
    programs.wait_for_port(port)
    programs.start_load(t, port, 120)
    programs.wait_until_worked(web.pid, 3)
    jobs.check_attached(t, web.pid, 100, 0, 0)
    with t.case("the server serves on"):
        programs.load_web(port, 1)
        check.equal(web.stop(signal.SIGTERM), 0, "exit code of web")


@check.test("csc launched", timeout=90)
def csc_launched(t):
    jobs.check_launched(t, [programs.compiler(), t.path("large.dll")], 50, 200)


@check.test("csc attached", timeout=300)
def csc_attached(t):
    compiler = programs.Program(t, [programs.compiler("csc-long"), t.path("large.dll")])
    programs.wait_until(lambda: programs.diagnostics_socket(compiler.pid), "the compiler's socket")
    jobs.check_attached(t, compiler.pid, 20, 20)
    with t.case("the compiler ends well"):
        check.equal(compiler.wait(240), 0, "exit code of csc")


@check.test("a recorder that was held up", timeout=120)
def held_up(t):
    """The rings run over while nobody reads them.  What was lost is counted;
    the journal tells what is alive still, once; nothing is made up."""
    programs.need_root()
    path = t.path("out.tscope")
    # So small that a program which is not given much of a CPU fills it too.
    environment = programs.environment(DOTNET_DefaultDiagnosticPortSuspend="1", TIERSCOPE_CODE_RING=str(256 << 10))
    recorder = loader.Recorder(t, "-o", path, "-F", loader.FREQUENCY, "--", programs.app("churn"), "12",
                               env=environment)
    pid = programs.wait_for_dotnet(recorder.pid)
    told = truth.Truth(t, pid, resume=True)
    for _ in range(2):
        time.sleep(1)
        recorder.process.send_signal(signal.SIGSTOP)
        time.sleep(4)
        recorder.process.send_signal(signal.SIGCONT)
    result = recorder.finish(90)
    told.finish()
    with t.case("exit code"):
        check.equal(result.code, 0, f"{result}\nexit code")
    document = report.Report(loader.read_json(t, path))
    events = document.ledger["events"]
    print(report.summary(document), events)
    with t.case("the ledger balances"):
        report.check_ledger(document)
    with t.case("lost code events are counted"):
        check.at_least(events["lost"]["code_ring_full"], 1, "code events that the ring had no room for")
        check.equal(events["fired"], events["kept"] + sum(events["lost"].values()), f"kept and lost of {events}")
    ours = document.jit(pid)
    with t.case("no body is made up or told twice"):
        check.empty(truth.more_than_told(told, ours), "bodies that truth does not know, or not as often")
    with t.case("what was alive at the end is there"):
        check.empty(truth.survivors_missing(told, ours), "bodies missing")
    with t.case("the document keeps its contract"):
        report.check_fields(document)
    with t.case("no sample is given to a body that it did not execute"):
        truth.check_samples(told, recording.Recording(path), pid, 0, truth.closed_ns(told), 0)
