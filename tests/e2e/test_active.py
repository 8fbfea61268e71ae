# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""The versions that the runtime prefers, IL versions that have no body, bodies that were
compiled in vain: held against lib/nodes.py, a second reader of the runtime's memory, while
the program stands still."""

import json
import os
import signal
import time

from lib import check, jit_list, loader, nodes, programs, report

COLLECTIBLE = "Plugin"  # of the demo: its methods have no versions
PUBLISHED_BAR = 0.99


class Stopped:
    """A recording of a running program, which stands still from before its end on."""

    def __init__(self, t, pid, seconds):
        programs.need_root()
        path = t.path("out.tscope")
        self.inliners = {}  # of functions whose IL was changed
        recorder = loader.Recorder(t, "-o", path, "-F", loader.FREQUENCY, "-p", pid)
        loader.wait_for_recording(recorder)
        time.sleep(seconds)
        os.kill(pid, signal.SIGSTOP)
        try:
            programs.wait_until(lambda: programs.state(pid) == "T", "the program to stand still")
            self.result = recorder.interrupt(60)
            self.document = report.Report(loader.read_json(t, path))
            self.runtime = self.open_runtime(pid)
            self.path = path
            self.methods = self.read(pid)
            self.runtime.close()
        finally:
            os.kill(pid, signal.SIGCONT)
        check.equal(self.result.code, 0, f"{self.result}\nexit code")

    def open_runtime(self, pid):
        if not self.document.processes[0]["runtime"].startswith("8."):
            return nodes.Runtime(pid)
        modules = {int(b["function_id"], 16): int(b["module_id"], 16) for b in self.versioned(pid) if int(b["module_id"], 16)}
        return nodes.Runtime8(pid, modules)

    def versioned(self, pid):
        """Bodies of functions that can have versions."""
        return [b for b in self.document.bodies if b["pid"] == pid and b["function_id"] and not b["dynamic"] and
                b["died_ns"] is None and COLLECTIBLE not in b["name"]]

    def read(self, pid):
        """{FunctionID: (its bodies, what the nodes say of it)} of all that can have versions."""
        found = {}
        for body in self.versioned(pid):
            function = int(body["function_id"], 16)
            if not self.runtime.knows(function):
                continue
            if function not in found:
                token, module = int(body["token"], 16), self.runtime.module(function)
                found[function] = ([], self.runtime.il_versions(module, token), self.runtime.natives(function),
                                   self.runtime.active(function, module, token))
                if found[function][1][0]:
                    self.inliners[function] = self.runtime.inliners(module, token)
            found[function][0].append(body)
        return found


def check_active(stopped, pid, least):
    """All methods: the same body, or the same version without one."""
    last = {}
    for row in stopped.document.document["active_versions"]:
        last[int(row["function_id"], 16)] = row
    problems, right, published, apart = [], 0, 0, []
    for function, (bodies, _, natives, active) in stopped.methods.items():
        row, name = last.get(function), bodies[0]["name"]
        if row is None:
            problems.append(f"{name}: not told")
            continue
        code = active.code if active else 0
        if active and (row["rejit_id"], row["native_version"]) != (active.rejit_id, active.version) or \
                (code == 0) != (row["has_body"] is False) or bool(active) == (row["native_version"] is None):
            problems.append(f"{name}: told {row}, is {active}")
        marked = {int(b["start"], 16) for b in bodies if b["active"]}
        wanted = {code} & {int(b["start"], 16) for b in bodies}
        if marked != wanted or any(b["active"] is None for b in bodies):
            problems.append(f"{name}: marked {marked}, wanted {wanted} of {natives}")
        right += 1
        reached = {int(b["start"], 16) for b in bodies if b["published_ns"] and not b["superseded_ns"]}
        if reached and marked:
            published += 1
            if reached != marked:
                apart.append(f"{name}: active {marked}, reached {reached}")
    print(f"{right} methods, of {published} both the active and the published body are known, apart: {apart}")
    check.empty(problems, f"active versions that are not those of the runtime, of {right} methods")
    check.at_least(right, least, "methods whose active version was compared")
    check.at_least(1 - len(apart) / max(1, published), PUBLISHED_BAR, f"share of {published} methods whose active body is published")


def check_program(t, pid, seconds, least):
    stopped = Stopped(t, pid, seconds)
    with t.case("the active version of every method is the runtime's"):
        check_active(stopped, pid, least)
    return stopped


def demo(t, path):
    program = programs.start_app(t, "demo", "60", "--threads", "2", path=path)
    time.sleep(1)
    check_program(t, program.pid, 2, 150)


@check.test("active versions of the demo on 10", timeout=60)
def demo_10(t):
    demo(t, programs.app("demo"))


@check.test("active versions of the demo on 9", timeout=60)
def demo_9(t):
    demo(t, programs.app_on("net9.0", "demo"))


@check.test("active versions of the demo on 8", timeout=60)
def demo_8(t):
    demo(t, programs.app_on("net8.0", "demo"))


def web(t, path):
    port = programs.free_port()
    program = programs.Program(t, [path, "--urls", f"http://127.0.0.1:{port}"])
    programs.wait_for_port(port)
    programs.start_load(t, port, 30)
    check_program(t, program.pid, 3, 300)


@check.test("active versions of web under load on 10", timeout=60)
def web_10(t):
    web(t, programs.app("web"))


@check.test("active versions of web under load on 9", timeout=60)
def web_9(t):
    web(t, programs.app_on("net9.0", "web"))


def rejit_switches(t):
    return programs.main_profiler() | {"REJIT_EVENTS": t.path("rejit-events"), "REJIT_BODIES": t.path("rejit-bodies")}


def tree_of(path, name):
    result = loader.run("versions", path, name, "--format", "json", "--top", "0")
    check.equal(result.code, 0, f"{result}\nexit code")
    return [m for m in json.loads(result.out)["methods"] if f".Targets.{name}(" in m["name"]]


def il_of(path, name):
    """[(ReJITID, state, is it active, number of bodies)] of the one method of that name."""
    methods = tree_of(path, name)
    check.equal(len(methods), 1, f"methods {name}")
    return [(v["rejit_id"], v["state"], v["active"], sum(len(f["native_versions"]) for f in v["functions"]))
            for v in methods[0]["il_versions"]]


def check_without_bodies(path):
    """What nobody called, and what no compiler took, is there and has no body."""
    for name, state in (("Pending", "requested"), ("Broken", "ready")):
        original, changed = il_of(path, name)
        check.equal((original[0], original[1], original[2]), (0, None, False), f"the original of {name}")
        check.equal(changed[1:], (state, True, 0), f"state, active and bodies of the changed {name}")
        function = tree_of(path, name)[0]["il_versions"][0]["functions"][0]
        active = function["active_version"]
        check.equal((active["rejit_id"], active["has_body"], active["start"]), (changed[0], False, None), f"active version of {name}")
        text = loader.run("versions", path, name).out
        check.that(f"  IL version {changed[0]}: ReJIT, " in text and "; no body yet\n" in text, f"no IL version without a body in\n{text}")
    plain = il_of(path, "Plain")
    check.equal([v[2] for v in plain], [False, False, False, True], f"which of {plain} is active")
    check.equal([v[1] for v in plain], [None, "ready", "ready", "ready"], f"states of {plain}")


def rejit(t, path):
    program = programs.start_app(t, "rejit", "versions,generics,pending,broken,inlined,inliners", "0.1", "60", path=path,
                                 env=programs.environment(**rejit_switches(t)))
    check.that("rejit: settled\n" in program.process.stdout, "rejit has settled")
    stopped = check_program(t, program.pid, 1, 40)
    with t.case("every IL version of the runtime's is told, with its state"):
        told = {}
        for row in stopped.document.document["il_versions"]:
            told.setdefault(int(row["function_id"], 16), {})[row["rejit_id"]] = row["state"]
        wanted = {f: {i: {"active": "ready"}.get(s, s) for i, s in il[0].items()}
                  for f, (_, il, _, _) in stopped.methods.items() if il[0]}
        check.equal(told, wanted, "IL versions")
        check.at_least(len(wanted), 7, "functions with changed IL")
    with t.case("an IL version without a body is shown, and an active version without one"):
        check_without_bodies(stopped.path)
    with t.case("who has inlined changed IL is told, as the runtime has it"):
        check_inliners(stopped)


def check_inliners(stopped):
    """Keeper has the original Tiny in itself, by way of Middle: the program has seen that it runs it."""
    told = {function: set() for function in stopped.inliners}
    for row in stopped.document.document["inlinings"]:
        told[int(row["function_id"], 16)].add(int(row["inliner_id"], 16))
    known = set(stopped.methods)
    check.equal(told, {f: inliners & known for f, inliners in stopped.inliners.items()}, "inliners by function")
    # Middle has Tiny in itself too, if it was hot before it became part of Keeper.
    for name, inliners, others in (("Tiny", {"Keeper"}, {"Middle"}), ("Small", {"Caller"}, set()), ("Plain", set(), set())):
        method, = tree_of(stopped.path, name)
        names = {i["name"].split("(")[0].split(".")[-1] for i in method["possible_old_inliners"]}
        check.equal(names - others, inliners, f"possible old inliners of {name}")
    text = loader.run("versions", stopped.path, "Tiny").out
    check.that("  possible old inliners, which may run the original IL still:\n    Rejit.Targets." in text, f"not told in\n{text}")


@check.test("IL versions without a body on 10", timeout=60)
def rejit_10(t):
    rejit(t, programs.app("rejit"))


@check.test("IL versions without a body on 9", timeout=60)
def rejit_9(t):
    rejit(t, programs.app_on("net9.0", "rejit"))


@check.test("IL versions without a body, of a program that has ended", timeout=60)
def rejit_launched(t):
    """All that was seen is from looks while it ran."""
    programs.need_root()
    path = t.path("out.tscope")
    result = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "--", programs.app("rejit"), "pending,broken,versions", "0.7", "2",
                           env=programs.environment(**rejit_switches(t)))
    check.equal(result.code, 0, f"{result}\nexit code")
    with t.case("an IL version without a body is shown, and an active version without one"):
        check_without_bodies(path)


@check.test("IL versions without a body on 8", timeout=60)
def rejit_8(t):
    rejit(t, programs.app_on("net8.0", "rejit"))


COLD = 40
THREADS = 8


def check_in_vain(document):
    """Of Huge the JIT made one body that it did not optimize, and no other in vain."""
    vain = [(b["name"], b["tier"], b["in_vain"]) for b in document.bodies if b["in_vain"]]
    check.equal(vain, [("Vain.Made.Huge(int)", "OptimizedTier1", "never_active")], "bodies in vain")
    huge = [b for b in document.jit() if ".Huge(" in b["name"]]
    check.equal([(b["tier"], b["active"]) for b in sorted(huge, key=lambda b: b["native_version"])],
                [("QuickJitted", False), ("QuickJittedInstrumented", True), ("OptimizedTier1", False)], "bodies of Huge")


@check.test("compiled in vain", timeout=60)
def in_vain(t):
    programs.need_root()
    path, listed = t.path("out.tscope"), t.path("jit.txt")
    result = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "--", programs.app("vain"), "6", THREADS,
                           env=programs.environment(**jit_list.environment(listed)))
    check.equal(result.code, 0, f"{result}\nexit code")
    document = report.Report(loader.read_json(t, path))
    with open(listed, encoding="utf-8") as file:
        lines = file.readlines()
    with t.case("what the runtime did not take is known as such"):
        switched = [line for line in lines if "switched MinOpts" in line]
        check.equal(["Huge" in line for line in switched], [True], f"what the JIT gave up to optimize, {switched}")
        check_in_vain(document)
        text = loader.run("versions", path, "Huge").out
        check.equal(text.count("in vain: never active"), 1, f"told in\n{text}\ntimes")
    with t.case("threads that come to one method at once have one body"):
        cold = [b for b in document.jit() if ".Made.Cold" in b["name"]]
        check.equal(len([line for line in lines if ":Cold" in line]), COLD, "compilations of cold methods, says the JIT")
        check.equal(sorted(b["native_version"] for b in cold), [0] * COLD, "versions of cold methods")


@check.test("compiled in vain, before the recorder came", timeout=60)
def in_vain_attached(t):
    programs.need_root()
    program = programs.start_app(t, "vain", "60", str(THREADS))
    programs.wait_until(lambda: has_worker(program.pid), "the tiering worker to come")
    programs.wait_until(lambda: not has_worker(program.pid), "the tiering worker to go")
    path = t.path("out.tscope")
    result = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "-d", "1s", "-p", program.pid)
    check.equal(result.code, 0, f"{result}\nexit code")
    with t.case("what the runtime did not take is known as such"):
        check_in_vain(report.Report(loader.read_json(t, path)))


def has_worker(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/comm", encoding="utf-8") as comm:
                if comm.read() == ".NET Tiered Com\n":
                    return True
        except FileNotFoundError:
            pass  # it has just ended
    return False
