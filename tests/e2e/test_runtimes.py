# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""The demo on runtimes 8 and 9, with the runtime brought along, and on 10 with
the switches that change what the runtime compiles, held against the runtime's
own event stream as in test_main_job.py."""

from lib import check, jobs, programs


# What a program compiles on its way out, after the runtime has closed its event
# stream: nothing to compare with.  Without ReadyToRun code these are hundreds.
LATE = 1000


def launched(t, runtime, *options):
    jobs.check_launched(t, [programs.app_on(runtime, "demo"), "6"], 50, 2, most_late=LATE, options=options)


@check.test("demo on 8 launched", timeout=90)
def launched_8(t):
    launched(t, "net8.0")


@check.test("demo on 8 attached", timeout=90)
def attached_8(t):
    jobs.check_attached_demo(t, programs.app_on("net8.0", "demo"))


@check.test("demo on 9 launched", timeout=90)
def launched_9(t):
    launched(t, "net9.0")


@check.test("demo on 9 launched with --tiering: delays and batches from the start on", timeout=90)
def all_tiering_of_9(t):
    launched(t, "net9.0", "--tiering")


@check.test("demo on 10 launched with --tiering: delays and batches from the start on", timeout=90)
def all_tiering_of_10(t):
    jobs.check_launched(t, [programs.app("demo"), "6"], 50, 2, most_late=LATE, options=["--tiering"])


@check.test("demo on 9 attached", timeout=90)
def attached_9(t):
    jobs.check_attached_demo(t, programs.app_on("net9.0", "demo"))


def switched(t, least_images=1, **switches):
    jobs.check_launched(t, [programs.app("demo"), "6"], 50, least_images, switches=switches, most_late=LATE)


@check.test("demo without dynamic PGO", timeout=90)
def no_pgo(t):
    switched(t, DOTNET_TieredPGO="0")


@check.test("demo without tiered compilation", timeout=90)
def no_tiering(t):
    switched(t, DOTNET_TieredCompilation="0")


@check.test("demo without ReadyToRun code", timeout=90)
def no_ready_to_run(t):
    switched(t, 0, DOTNET_ReadyToRun="0")


@check.test("demo without quick JIT for loops", timeout=90)
def no_quick_jit_for_loops(t):
    switched(t, DOTNET_TC_QuickJitForLoops="0")


@check.test("demo without quick JIT", timeout=90)
def no_quick_jit(t):
    switched(t, DOTNET_TC_QuickJit="0")


@check.test("demo with writable executable memory", timeout=90)
def no_write_xor_execute(t):
    switched(t, DOTNET_EnableWriteXorExecute="0")


@check.test("demo with minimal optimization", timeout=90)
def min_opts(t):
    switched(t, DOTNET_JITMinOpts="1")
