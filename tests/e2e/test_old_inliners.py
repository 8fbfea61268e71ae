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


class Told:
    """What the main profiler wrote down."""

    def __init__(self, t):
        with open(t.path("rejit-bodies"), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.found = {number(line["function_id"]): (number(line["module_id"]), number(line["token"]))
                      for line in lines if line["event"] == "found"}
        self.inliners = {}
        for line in lines:
            if line["event"] == "inliner":
                methods = self.inliners.setdefault((line["module"], number(line["token"])), set())
                methods.add((number(line["inliner_module_id"]), number(line["inliner"])))

    def used(self, method):
        """The functions whose precompiled code has the method inlined, and is used."""
        return {f for f, found in self.found.items() if found in self.inliners[method]}


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
        used = told.used(changed) if changed in told.inliners else set()
        check.empty([name.get(f, hex(f)) for f in used - told_by_us], f"not told, of {len(used)} precompiled callers of {changed}")
        check.empty([name.get(f, hex(f)) for f in told_by_us - used - jitted], f"told, and the runtime knows nothing of it, of {changed}")
    print({changed: (len(told.inliners.get(changed, ())), len(told.used(changed)) if changed in told.inliners else 0, len(f))
           for changed, f in ours.items()}, "by method: inliners, of these used, told")
    return ours


def old_inliners(path, method):
    """Their names, without what they are called with."""
    tree = json.loads(loader.run("versions", path, method, "--format", "json", "--top", "0").out)["methods"]
    check.equal(len(tree), 1, f"methods {method}")
    return {i["name"].split("(")[0] for i in tree[0]["possible_old_inliners"]}


def switches(t):
    return programs.main_profiler() | {"REJIT_SEARCHES": "1", "REJIT_EVENTS": t.path("rejit-events"),
                                       "REJIT_BODIES": t.path("rejit-bodies")}


def record(t, path, scenario, seconds, **environment):
    """Until the scenario is over; the program lives until the recorder has looked for the last time."""
    programs.need_root()
    program = programs.start_app(t, "rejit", scenario, seconds, "60", path=path,
                                 env=programs.environment(**switches(t), **environment))
    recording = t.path("out.tscope")
    recorder = loader.Recorder(t, "-o", recording, "-F", loader.FREQUENCY, "-p", program.pid)
    loader.wait_for_recording(recorder)
    if "rejit: settled\n" not in program.process.stdout:
        raise check.Failure(f"rejit ended with {program.wait()}")
    time.sleep(LOOKS_SECONDS)
    result = recorder.interrupt(60)
    check.equal(result.code, 0, f"{result}\nexit code")
    check.equal(program.stop(signal.SIGTERM), 0, "exit code of rejit")
    return recording, report.Report(loader.read_json(t, recording)), Told(t)


def framework(t, path):
    """Few calls, so that nothing but precompiled code has run before the methods are changed.  The hook
    is there from the start, and knows which of it the runtime has looked up."""
    recording, document, told = record(t, path, "built-in", "0.3", **programs.hooked())
    with t.case("precompiled callers are those that the runtime names, of those that it uses"):
        check.equal(len(told.inliners), 3, "changed methods with precompiled inliners")
        check_against_runtime(document, told)
    with t.case("precompiled callers are told that are known to have run"):
        mapping = "System.Globalization.IdnMapping."
        check.that(mapping + "PunycodeEncode" in old_inliners(recording, mapping + "IsSupplementary"), "PunycodeEncode is told")
        check.that(mapping + "GetAsciiInvariant" in old_inliners(recording, mapping + "get_UseStd3AsciiRules"),
                   "GetAsciiInvariant is told")
        # It would run the method as well, and nobody called it.
        check.that(mapping + "PunycodeDecode" not in old_inliners(recording, mapping + "IsSupplementary"), "PunycodeDecode is not told")
        check.at_least(len(old_inliners(recording, "System.String.IsNullOrEmpty")), LEAST_INLINERS, "callers of IsNullOrEmpty")


@check.test("precompiled inliners of the framework on 10", timeout=60)
def framework_10(t):
    framework(t, programs.app("rejit"))


@check.test("precompiled inliners of the framework on 9", timeout=60)
def framework_9(t):
    framework(t, programs.app_on("net9.0", "rejit"))


@check.test("precompiled inliners of the framework on 8", timeout=60)
def framework_8(t):
    framework(t, programs.app_on("net8.0", "rejit"))


@check.test("precompiled inliners of a program, attached", timeout=60)
def program_attached(t):
    """Without tiers precompiled code stays.  Keeper has Tiny inlined by way of Middle, and goes on
    with the original: the program sees to it.  The hook comes later than it begins."""
    recording, document, told = record(t, programs.app_on("precompiled", "rejit"), "inlined", "4", DOTNET_TieredCompilation="0")
    with t.case("a caller of a caller is told, of the functions that were sampled"):
        keeper, = [b for b in document.images() if ".Targets.Keeper(" in b["name"]]
        check.at_least(report.own(keeper), 100, "samples in the precompiled Keeper")
        check.equal(old_inliners(recording, "Targets.Tiny"), {"Rejit.Targets.Keeper"}, "possible old inliners of Tiny")
        text = loader.run("versions", recording, "Targets.Tiny").out
        check.that("  possible old inliners, which may run the original IL still:\n    Rejit.Targets.Keeper(int)\n" in text,
                   f"not told in\n{text}")
    with t.case("the runtime names it as well"):
        methods = {token for _, token in told.inliners["rejit.dll", number(
            next(b["token"] for b in document.jit() if ".Targets.Tiny(" in b["name"]))]}
        check.that(number(keeper["token"]) in methods, f"{keeper['token']} is not among {methods}")
