# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Precompiled callers that have the original of a method inlined that a ReJIT has changed since.
The second source is the runtime: a main profiler (tests/rejit) asks it into which methods each
image has inlined the method, and is told which functions' precompiled code is used."""

import json
import os
import signal
import time

from lib import check, loader, programs, report

LEAST_INLINERS = 3
LOOKS_SECONDS = 2  # several looks of the recorder


def number(text):
    return int(text, 16)


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file]


class Told:
    """What the main profiler wrote down when the scenario was over, and at the end: what the recorder has
    to know, and what it can know."""

    def __init__(self, t):
        lines = read_lines(t.path("rejit-bodies"))
        self.found = self.found_in(lines)
        self.found_before = self.found_in(read_lines(t.path("rejit-bodies.settled")))
        self.inliners = {}
        for line in lines:
            if line["event"] == "inliner":
                methods = self.inliners.setdefault((line["module"], number(line["token"])), set())
                methods.add((number(line["inliner_module_id"]), number(line["inliner"])))

    @staticmethod
    def found_in(lines):
        return {number(line["function_id"]): (number(line["module_id"]), number(line["token"]))
                for line in lines if line["event"] == "found"}

    def used(self, method, found):
        """The functions whose precompiled code has the method inlined, and is used."""
        return {f for f, where in found.items() if where in self.inliners.get(method, ())}


def method_of(body):
    return os.path.basename(body["module"]), number(body["token"])


def check_against_runtime(document, told):
    """Into which of its own bodies the JIT has inlined a method is another list's matter."""
    bodies = [b for b in document.bodies if b["function_id"]]
    method = {number(b["function_id"]): method_of(b) for b in bodies}
    name = {number(b["function_id"]): b["name"] for b in bodies}
    jitted = {number(b["function_id"]) for b in bodies if b["tier"] != "ReadyToRun"}
    ours = {m: set() for m in told.inliners}
    for row in document.document["inlinings"]:
        ours.setdefault(method[number(row["function_id"])], set()).add(number(row["inliner_id"]))
    for changed, told_by_us in ours.items():
        before, used = told.used(changed, told.found_before), told.used(changed, told.found)
        check.empty([name.get(f, hex(f)) for f in before - told_by_us], f"not told, of {len(before)} precompiled callers of {changed}")
        check.empty([name.get(f, hex(f)) for f in told_by_us - used - jitted], f"told, and the runtime knows nothing of it, of {changed}")
    print({changed: (len(told.inliners.get(changed, ())), len(told.used(changed, told.found)), len(f)) for changed, f in ours.items()},
          "by method: inliners, of these used, told")
    return ours


def switches(t):
    return programs.main_profiler() | {"REJIT_SEARCHES": "1", "REJIT_EVENTS": t.path("rejit-events"),
                                       "REJIT_BODIES": t.path("rejit-bodies")}


class Recorded:
    """Until the scenario is over; the program lives until the recorder has looked for the last time."""

    def __init__(self, t, path, scenario, seconds, **environment):
        programs.need_root()
        program = programs.start_app(t, "rejit", scenario, seconds, "60", path=path,
                                     env=programs.environment(**switches(t), **environment))
        self.path = t.path("out.tscope")
        recorder = loader.Recorder(t, "-o", self.path, "-F", loader.FREQUENCY, "-p", program.pid)
        loader.wait_for_recording(recorder)
        self.lines = []
        for line in program.process.stdout:
            self.lines.append(line)
            if line == "rejit: settled\n":
                break
        else:
            raise check.Failure(f"rejit ended with {program.wait()}")
        time.sleep(LOOKS_SECONDS)
        result = recorder.interrupt(60)
        check.equal(result.code, 0, f"{result}\nexit code")
        check.equal(program.stop(signal.SIGTERM), 0, "exit code of rejit")
        self.document = report.Report(loader.read_json(t, self.path))
        self.told = Told(t)

    def old_inliners(self, method):
        """Their names, without what they are called with."""
        tree = json.loads(loader.run("versions", self.path, method, "--format", "json", "--top", "0").out)["methods"]
        check.equal(len(tree), 1, f"methods {method}")
        return {i["name"].split("(")[0] for i in tree[0]["possible_old_inliners"]}


def framework(t, path):
    """Few calls, so that nothing but precompiled code has run before the methods are changed.  The hook
    is there from the start, and knows which of it the runtime has looked up."""
    recorded = Recorded(t, path, "built-in", "0.3", **programs.hooked())
    with t.case("precompiled callers are those that the runtime names, of those that it uses"):
        check.equal(len(recorded.told.inliners), 3, "changed methods with precompiled inliners")
        check_against_runtime(recorded.document, recorded.told)
    with t.case("precompiled callers are told that are known to have run"):
        mapping = "System.Globalization.IdnMapping."
        check.that(mapping + "PunycodeEncode" in recorded.old_inliners(mapping + "IsSupplementary"), "PunycodeEncode is told")
        check.that(mapping + "GetAsciiInvariant" in recorded.old_inliners(mapping + "get_UseStd3AsciiRules"),
                   "GetAsciiInvariant is told")
        # It would run the method as well, and nobody called it.
        check.that(mapping + "PunycodeDecode" not in recorded.old_inliners(mapping + "IsSupplementary"), "PunycodeDecode is not told")
        check.at_least(len(recorded.old_inliners("System.String.IsNullOrEmpty")), LEAST_INLINERS, "callers of IsNullOrEmpty")


@check.test("precompiled inliners of the framework on 10", timeout=60)
def framework_10(t):
    framework(t, programs.app("rejit"))


@check.test("precompiled inliners of the framework on 9", timeout=60)
def framework_9(t):
    framework(t, programs.app_on("net9.0", "rejit"))


@check.test("precompiled inliners of the framework on 8", timeout=60)
def framework_8(t):
    framework(t, programs.app_on("net8.0", "rejit"))


def program_attached(t, path):
    """Without tiers precompiled code stays.  Keeper has Tiny inlined by way of Middle, and goes on
    with the original: the program sees to it.  The hook comes later than it begins."""
    recorded = Recorded(t, path, "inlined", "4", DOTNET_TieredCompilation="0")
    with t.case("a caller of a caller is told, of the functions that were sampled"):
        keeper, = [b for b in recorded.document.images() if ".Targets.Keeper(" in b["name"]]
        check.at_least(report.own(keeper), 30, "samples in the precompiled Keeper")
        check.equal(recorded.old_inliners("Targets.Tiny"), {"Rejit.Targets.Keeper"}, "possible old inliners of Tiny")
        text = loader.run("versions", recorded.path, "Targets.Tiny").out
        check.that("  possible old inliners, which may run the original IL still:\n    Rejit.Targets.Keeper(int)\n" in text,
                   f"not told in\n{text}")
    with t.case("the runtime names it as well"):
        tiny = next(b for b in recorded.document.jit() if ".Targets.Tiny(" in b["name"])
        methods = {token for _, token in recorded.told.inliners["rejit.dll", number(tiny["token"])]}
        check.that(number(keeper["token"]) in methods, f"{keeper['token']} is not among {methods}")


@check.test("precompiled inliners of a program, attached", timeout=60)
def alone_attached(t):
    program_attached(t, programs.app_on("precompiled", "rejit"))


@check.test("precompiled inliners of a program with its library in one image, attached", timeout=60)
def together_attached(t):
    program_attached(t, programs.app_on("together", "rejit"))


def lent(t, path, runs, inliners):
    """What Borrower runs is what the program saw; Lent is another assembly's."""
    recorded = Recorded(t, path, "lent", "1", DOTNET_TieredCompilation="0", **programs.hooked())
    with t.case("the caller in another assembly is told where it was compiled together with the method"):
        check.that(f"rejit: Borrower runs {runs}\n" in recorded.lines, f"Borrower runs {runs}, of {recorded.lines}")
        check.equal(recorded.old_inliners("Library.Lent"), inliners, "possible old inliners of Lent")
    with t.case("precompiled callers are those that the runtime names, of those that it uses"):
        check.equal(len(recorded.told.inliners), len(inliners), "changed methods with precompiled inliners")
        check_against_runtime(recorded.document, recorded.told)


@check.test("precompiled inliners of another assembly, compiled together", timeout=60)
def lent_together(t):
    lent(t, programs.app_on("together", "rejit"), "the original", {"Rejit.Targets.Borrower"})


@check.test("precompiled inliners of another assembly, compiled alone", timeout=60)
def lent_alone(t):
    lent(t, programs.app_on("precompiled", "rejit"), "the change", set())
