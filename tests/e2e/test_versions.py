# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""tierscope versions as a command; what it tells is held against other sources wherever
a program is recorded (lib/patches.py, test_rejit.py)."""

import json
import os
import re
import time

from lib import check, loader, programs


# What the journal tells again, a look later.
NEARLY_NS = 2_000_000_000


@check.test("versions of a process", timeout=60)
def versions_of_a_process(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "150")
    before = set(os.listdir("/tmp"))

    def versions():
        return loader.run("versions", "-p", demo.pid, "-d", "1s", "demo.flow.churn")

    programs.wait_until(lambda: "* tier1 " in versions().out, "the method's tier-1 body", 30)
    text = versions()
    with t.case("as text: its tier-1 body is what calls reach"):
        check.equal(text.code, 0, f"{text}\nexit code")
        check.that(re.search(r"^Demo\.Flow\.Churn\(long\)  in demo\.dll  \d+ samples, ", text.out, re.M), f"no method in {text.out}")
        check.that(re.search(r"^   [ >]\* tier1 +native +\d+ .*, published (by|.* to) \+", text.out, re.M), f"no tier-1 body in {text.out}")
        check.equal(len(re.findall(r"^   [ >][*+] ", text.out, re.M)), 1, f"bodies that calls reach in {text.out}")
    with t.case("as JSON, into a file"):
        path = t.path("tree.json")
        done = loader.run("versions", "-p", demo.pid, "-d", "1s", "--format", "json", "--top", "0", "-o", path)
        check.equal((done.code, done.out), (0, ""), f"{done}\nexit code")
        with open(path, encoding="utf-8") as file:
            tree = json.load(file)
        check.at_least(len(tree["methods"]), 500, "methods")
        functions = [f for m in tree["methods"] for v in m["il_versions"] for f in v["functions"]]
        reached = [[n["tier"] for n in f["native_versions"] if n["published"]] for f in functions]
        check.empty([tiers for tiers in reached if len(tiers) > 1], "functions with two bodies that calls reach")
        check.at_least(len([tiers for tiers in reached if tiers]), 500, "functions with a body that calls reach")
        check.equal([tiers for tiers in reached if "OptimizedTier1OSR" in tiers], [], "OSR bodies that calls reach")
    with t.case("events: as they happen, each line an object, nearly in the order of time"):
        begin_ns = time.monotonic_ns()
        follower = loader.Recorder(t, "-p", demo.pid, "--format", "json", command="events")
        for kind in ("load", "unload"):  # tier-ups may be over by now
            programs.wait_until(lambda k=kind: f'"kind":"{k}"' in follower.texts()[0], f"a {kind}")
        check.equal(follower.process.poll(), None, "exit code while it follows")
        done = follower.interrupt()
        check.equal(done.code, 0, f"{done}\nexit code")
        times = [json.loads(line)["time_ns"] for line in done.out.splitlines()]
        check.at_least(min(times), begin_ns, "time of the first event")
        check.empty([f"{a} before {b}" for a, b in zip(times, times[1:]) if b < a - NEARLY_NS], "events out of order")
    with t.case("leaves no file behind"):
        # Other tests may run meanwhile, of other layers too.
        check.equal(sorted(f for f in set(os.listdir("/tmp")) - before if f.startswith("tierscope-")
                           and not f.startswith(("tierscope-e2e-", "tierscope-cache-", "tierscope-output-", "tierscope-test-"))), [], "files")


@check.test("versions of nothing", timeout=60)
def versions_of_nothing(t):
    for arguments, code, words in ((("-p", "999999"), 1, ["999999"]), ((), 3, ["tierscope versions FILE"]),
                                   (("-p", "x"), 3, ["versions", "x"]), (("-p", "1", "-d", "soon"), 3, ["soon"]),
                                   (("/etc/passwd",), 2, ["/etc/passwd"]), (("/no/file",), 2, ["/no/file"]),
                                   (("a", "b", "c"), 3, ["c"]), (("--format", "xml", "a"), 3, ["xml"]),
                                   (("-d", "3s", "a"), 3, ["-d"])):
        for command in ("versions", "events"):
            with t.case(" ".join((command,) + arguments)):
                loader.complaint(loader.run(command, *arguments), code, *(w.replace("versions", command) for w in words))
    for arguments in (("versions", "--top", "few", "a"), ("events", "--kind", "few", "a"), ("events", "--top", "3", "a")):
        with t.case(" ".join(arguments)):
            loader.complaint(loader.run(*arguments), 3, arguments[0], "few" if "few" in arguments else "--top")
