# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Programs whose CPU time per code version is known by their own thread's clock
(tests/apps/portions), and what a recording makes of it."""

import json
import math
import os
import re
import subprocess

from . import check, loader, programs, report

FREQUENCY = 997
SECONDS = 2
# Compiling, reading the clock and starting up take a little of the counted time.
WHOLE = 0.97

# What each kind is, what makes its environment, and its portions: the name in the program's
# own account, the method, and what else of a body has to be right (tier; or which ReJIT).
KINDS = {
    "rejit": ("one method in two ReJIT versions, 3 : 7",
              programs.main_profiler,
              {"first": ("Changed", 0), "second": ("Changed", 1)}),
    "tiers": ("one method, half of its time in tier 0 and half in tier 1",
              lambda: {"DOTNET_TieredPGO": "0", "DOTNET_TC_CallCountingDelayMs": "320"},  # 800 ms, in hexadecimal
              {"tier 0": ("Straight", "QuickJitted"), "tier 1": ("Straight", "OptimizedTier1")}),
    "osr": ("a loop in an OSR body, beside a method that it calls, 2 : 1", dict,
            {"loop": ("Loop", "OptimizedTier1OSR"), "other": ("Other", "Optimized")}),
}


def command(kind, seconds=SECONDS):
    return [programs.app("portions"), kind, str(seconds)]


def environment(kind, **more):
    return programs.environment(**KINDS[kind][1](), **more)


def account(output):
    """The program's own: {portion: nanoseconds of CPU}."""
    return json.loads(next(line for line in output.splitlines() if line.startswith("{")))["cpu_ns"]


def portion_of(kind, body, rejits):
    """Which portion a body belongs to, None for none."""
    for portion, (method, what) in KINDS[kind][2].items():
        if f".{method}(" in body["name"] and (
                rejits[what:what + 1] == [body["rejit_id"]] if isinstance(what, int) else body["tier"] == what):
            return portion
    return None


class Run:
    """The program's account, and a tool's: wanted and got by portion, which portion the
    hottest of all is (None: another), and the share of all periods that is accounted for."""

    def __init__(self, wanted, got, hottest, whole=1.0):
        self.wanted, self.got, self.hottest, self.whole = wanted, got, hottest, whole


def record(folder, kind, seconds=SECONDS):
    """One run under the recorder."""
    path = os.path.join(folder, f"{kind}.tscope")
    done = subprocess.run([loader.TIERSCOPE, "record", "-F", str(FREQUENCY), "-o", path, "--", *command(kind, seconds)],
                          env=environment(kind), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=120)
    check.equal(done.returncode, 0, f"{done.stderr}\nexit code")
    shown = subprocess.run([loader.TIERSCOPE, "report", "--format", "json", path], stdout=subprocess.PIPE, check=True,
                           timeout=60).stdout
    document, wanted = report.Report(json.loads(shown)), account(done.stdout)
    rejits = sorted({b["rejit_id"] for b in document.jit() if b["rejit_id"] and ".Changed(" in b["name"]})
    got = dict.fromkeys(KINDS[kind][2], 0)
    for body in document.jit():
        portion = portion_of(kind, body, rejits)
        if portion:
            got[portion] += report.own(body)
    hottest = portion_of(kind, max(document.bodies, key=report.own), rejits)
    # What the work lasted in periods, but for those that the ledger says are missing.
    counts = document.ledger["samples"]
    told = sum(counts["lost"].values()) + counts["due"] - counts["fired"]
    periods = FREQUENCY * sum(wanted.values()) / 1e9
    return Run(wanted, got, hottest, (sum(got.values()) + told) / periods)


def deviation(run):
    """How many standard deviations of a binomial distribution the first portion's share is
    away from its share of CPU time.  Half a sample is what counts differ from shares."""
    first = next(iter(run.wanted))
    samples, wanted = sum(run.got.values()), share(run.wanted)
    return max(0.0, abs(run.got[first] - samples * wanted) - 0.5) / math.sqrt(samples * wanted * (1 - wanted))


def share(counts):
    """Of the first portion."""
    return counts[next(iter(counts))] / sum(counts.values())


def perf_map_name(method):
    """A line of a perf map: `int32 [portions] Portions.Targets::Changed(int32)[Optimized]`."""
    return re.compile(rf"::{method}\(.*\)\[(\w+)\]")
