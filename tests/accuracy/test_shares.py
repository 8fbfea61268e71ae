# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""CPU shares per method against a program that knows them from its own CPU
clock (tests/apps/shares): within the binomial interval, no more and no less.

One share in twenty may lie outside its 95 % interval by chance.  The rule is
therefore: a method that is outside must be inside in one of three more,
independent runs (by chance one of the five fails once in 32,000 times); beyond
four standard deviations it may be in one run of all (twice, by chance, once in
some forty million times)."""

import json
import math
import os

from lib import check, loader, programs, report

METHODS = {
    # As the program names it: the tiers that it may have.
    "Shares.Workers.MinOpt": {"MinOptJitted"},
    "Shares.Workers.Optimized": {"Optimized"},
    "Shares.Workers.Tiered": {"QuickJitted", "QuickJittedInstrumented", "OptimizedTier1", "OptimizedTier1OSR"},
    "Shares.Workers.Generic<int>": {"QuickJitted", "QuickJittedInstrumented", "OptimizedTier1", "OptimizedTier1OSR"},
    "Shares.Workers.Generic<long>": {"QuickJitted", "QuickJittedInstrumented", "OptimizedTier1", "OptimizedTier1OSR"},
}
SECONDS = 15
INSIDE = 1.96
FAR_OUT = 4.0
MORE_RUNS = 3


def not_of_threads():
    """Seconds in which interrupts, or other virtual machines, had the CPUs: in no thread's time, but a timer that
    runs out in one strikes the thread that comes next."""
    with open("/proc/stat", encoding="ascii") as stat:
        return sum(map(int, stat.readline().split()[6:9])) / os.sysconf("SC_CLK_TCK")


class Run:
    """One recording of the program: its own account, and ours."""

    def __init__(self, t, number):
        recording, before = t.path(f"shares{number}.tscope"), not_of_threads()
        result = loader.record(t, "-o", recording, "-F", loader.FREQUENCY, "--", programs.app("shares"), SECONDS)
        check.equal(result.code, 0, f"{result}\nexit code")
        self.not_of_threads = not_of_threads() - before
        self.account = json.loads(next(x for x in result.out.splitlines() if x.startswith("{")))
        self.report = report.Report(loader.read_json(t, recording))
        self.bodies = {name: [b for b in self.report.jit(self.account["pid"]) if b["name"].startswith(name + "(")]
                       for name in METHODS}
        self.samples = {name: sum(map(report.own, bodies)) for name, bodies in self.bodies.items()}
        self.cpu_ns = {m["name"]: m["cpu_ns"] for m in self.account["methods"]}

    def deviations(self):
        """Per method, how many standard deviations its samples are away from
        what its CPU time asks for."""
        samples, cpu_ns = sum(self.samples.values()), sum(self.cpu_ns.values())
        check.at_least(samples, 1000, f"samples {self.samples} in all")
        result = {}
        for name in METHODS:
            wanted = self.cpu_ns[name] / cpu_ns
            sigma = math.sqrt(samples * wanted * (1 - wanted))
            # Half a sample is the difference between a count and a share.
            distance = max(0.0, abs(self.samples[name] - samples * wanted) - 0.5)
            result[name] = distance / sigma
            print(f"{name}: {self.samples[name]} of {samples} samples, "
                  f"wanted {100 * wanted:.3f} %, got {100 * self.samples[name] / samples:.3f} %, "
                  f"{distance / sigma:.2f} standard deviations away")
        return result


@check.test("shares", timeout=180)
def shares(t):
    programs.need_root()
    first = Run(t, 1)
    runs = [first.deviations()]
    while len(runs) <= MORE_RUNS and any(min(run[name] for run in runs) > INSIDE for name in METHODS):
        runs.append(Run(t, len(runs) + 1).deviations())
    for name in METHODS:
        with t.case(f"{name}: the share is the program's own"):
            away = sorted(run[name] for run in runs)
            check.that(away[0] <= INSIDE and (len(away) == 1 or away[-2] <= FAR_OUT), f"standard deviations away: {away}")
        with t.case(f"{name}: only the tiers that it can have"):
            tiers = {b["tier"] for b in first.bodies[name]}
            check.that(tiers and tiers <= METHODS[name], f"{tiers}")
    with t.case("on-stack replacement and tier 1 share the tiered method"):
        sampled = {b["tier"] for b in first.bodies["Shares.Workers.Tiered"] if report.own(b)}
        check.that("OptimizedTier1" in sampled, f"{sampled}")
    with t.case("the two instantiations are two functions"):
        functions = {b["function_id"] for name in METHODS if "<" in name for b in first.bodies[name]}
        check.equal(len(functions), 2, f"functions {functions}\nnumber")

    # Nothing may be lost without being counted: the program's own clock says
    # how many periods its work lasted.
    with t.case("the samples add up to the CPU time"):
        counts = first.report.ledger["samples"]
        wanted = sum(first.cpu_ns.values()) * loader.FREQUENCY / 1e9
        told = sum(counts["lost"].values()) + counts["due"] - counts["fired"]
        got = sum(first.samples.values())
        more = told + first.not_of_threads * loader.FREQUENCY
        print(f"{got} samples, {wanted:.0f} periods, {told} told lost, {more - told:.0f} periods in no thread's time")
        check.that(0.98 * wanted - told <= got <= 1.02 * wanted + more, f"{got} samples, {wanted:.0f} periods, {told} told lost")
    for caller in ("Shares.Program.RunBlock(", "Shares.Program.Main("):
        with t.case(f"{caller[:-1]} is in the stacks of its workers"):
            total = sum(sum(b["total"].values()) for b in first.report.jit() if b["name"].startswith(caller))
            check.at_least(total, 0.99 * sum(first.samples.values()), "samples with it on the stack")
    with t.case("the ledger balances"):
        report.check_ledger(first.report)
