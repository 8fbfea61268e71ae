# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""A recording of a program, launched or attached, held against the runtime's
own event stream, the JIT's own list and the bars of the project."""

import time

from . import check, jit_list, loader, patches, programs, recording, report, truth

# How long an attached recording is at least, also of CPU time, and how near to its begin and end
# a body may be that is not asked for.
SECONDS = 4
WORKED = 2
EDGE_NS = 300_000_000
JIT_LIST = "jit.txt"


def check_recording(t, path, result, least_jit, least_images):
    with t.case("exit code"):
        check.equal(result.code, 0, f"{result}\nexit code")
    document = report.Report(loader.read_json(t, path))
    print(report.summary(document))
    with t.case("samples in JIT bodies carry body, tier and name"):
        report.check_jit_bar(document, least_jit)
    with t.case("samples in ReadyToRun code carry module, token and name"):
        report.check_image_bar(document, least_images)
    with t.case("the ledger balances"):
        report.check_ledger(document)
    with t.case("the document keeps its contract"):
        report.check_fields(document)
    return document


def launch(t, command, drive=None, switches=None, options=()):
    """Records `command` from before its first method; truth is there as early."""
    programs.need_root()
    path = t.path("out.tscope")
    environment = programs.environment(DOTNET_DefaultDiagnosticPortSuspend="1",
                                       **jit_list.environment(t.path(JIT_LIST)), **(switches or {}))
    recorder = loader.Recorder(t, "-o", path, "-F", loader.FREQUENCY, *options, "--", *command, env=environment)
    pid = programs.wait_for_dotnet(recorder.pid)
    told = truth.Truth(t, pid, resume=True)
    if drive:
        drive(pid)
    result = recorder.finish(90)
    told.finish()
    return pid, path, result, told


def check_launched(t, command, least_jit, least_images, drive=None, switches=None, most_late=10, options=()):
    pid, path, result, told = launch(t, command, drive, switches, options)
    return check_against(t, told, pid, path, result, least_jit, least_images, most_late, "--tiering" in options)


def check_against(t, told, pid, path, result, least_jit, least_images, most_late=10, all_tiering=False):
    """What launch() gave."""
    document = check_recording(t, path, result, least_jit, least_images)
    ours = document.jit(pid)
    with t.case("JIT bodies equal the runtime's own"):
        truth.check_launched(told, ours, most_late)
    with t.case("and what the JIT lists, with OSR offsets"):
        jit_list.check_same(jit_list.read(t.path(JIT_LIST)), ours, most_late)
    with t.case("their tokens and names too"):
        truth.check_tokens_and_names(told, ours)
    with t.case("their times too"):
        truth.check_times(told, ours)
    with t.case("every sample is where the runtime says"):
        truth.check_samples(told, recording.Recording(path), pid, 0, truth.closed_ns(told), report.JIT_BAR)
    with t.case("what calls reach fits together"):
        patches.check_windows(document, pid)
    with t.case("new bodies are seen to be published, to the millisecond"):
        patches.check_told(document, pid, recording.Recording(path).end_ns, patches.FEW)
    with t.case("delays and batches are the runtime's own"):
        events = loader.read_events(path, "delay,batch")
        # A session that was opened later has told nothing before.
        begin, end = min((e["time_ns"] for e in events), default=0), truth.closed_ns(told) if events else 0
        if all_tiering:
            begin, end = 0, truth.closed_ns(told)
        truth.check_tiering(told, events, begin, end, int(all_tiering))
    with t.case("every body was told when it was born"):
        check.empty([truth.text(b) for b in ours if b["source"] != "event"], "bodies not from events")
    return document


def check_attached(t, pid, least_jit, least_images, least_new=1):
    """Records a running process for some seconds; truth is there before and
    after.  least_new: how many bodies it compiles meanwhile, at least."""
    programs.need_root()
    path = t.path("out.tscope")
    told = truth.Truth(t, pid, rundown=True)
    recorder = loader.Recorder(t, "-o", path, "-F", loader.FREQUENCY, "-p", pid)
    loader.wait_for_recording(recorder)
    worked = programs.cpu_seconds(pid)
    time.sleep(SECONDS)
    programs.wait_until_worked(pid, worked + WORKED)
    result = recorder.interrupt(60)
    outlived = programs.state(pid) not in "ZX"
    told.finish()
    document = check_recording(t, path, result, least_jit, least_images)
    ours = document.jit(pid)
    recorded = recording.Recording(path)
    begin, end = recorded.start_ns + EDGE_NS, recorded.end_ns - EDGE_NS
    with t.case("JIT bodies equal the runtime's own"):
        truth.check_attached(told, ours, begin, end, document.ledger["hook_lost"]["record_overflow"] > 0)
    with t.case("their tokens and names too"):
        truth.check_tokens_and_names(told, ours)
    with t.case("their times too"):
        truth.check_times(told, ours, end, least_new)
    with t.case("every sample is where the runtime says"):
        truth.check_samples(told, recorded, pid, 0, told.end_ns, report.JIT_BAR)
    with t.case("delays and batches are the runtime's own"):
        truth.check_tiering(told, loader.read_events(path, "delay,batch"), begin, end, 0)
    with t.case("what calls reach fits together, and is what was compiled last"):
        patches.check_windows(document, pid)
        if not outlived:
            raise check.Skip("the program ended before its recording: on a slow machine that begins late")
        patches.check_settled(document, pid, recorded.end_ns)
    with t.case("new bodies are seen to be published, to the millisecond"):
        patches.check_told(document, pid, recorded.end_ns, 0)
    with t.case("older bodies are marked as caught up"):
        check.at_least(len([b for b in ours if b["source"] == "catch-up"]), 50, "bodies from the catch-up")
    return document


def check_attached_demo(t, path=None):
    """The same of the demo, in one of its builds, once it is warm: it may be in no
    precompiled code at any sample."""
    def look():
        demo = programs.start_app(t, "demo", "120", "--threads", "2", path=path)
        programs.wait_until_worked(demo.pid, 3)
        return demo, check_attached(t, demo.pid, 100, 0)

    demo, document = truth.until_no_rundown_kills(look)
    with t.case("the program goes on"):
        demo.check_goes_on()
    return document
