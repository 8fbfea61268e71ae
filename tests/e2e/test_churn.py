# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Code that dies, and whose addresses and FunctionIDs are used again; and code that is
there twice.  Each sample is held against the runtime's own account of who lived there
at that time, by name too."""

import re

from lib import check, jobs, loader, programs, recording, report


# So few records that those of the dead have to be used again: some 11,500.
SMALL_JOURNAL = {"TIERSCOPE_JOURNAL_MB": "4"}


def died_and_sampled(t, document, word, bodies, samples):
    """Dead ones leave room, and were sampled: else there is nothing to be wrong about."""
    lost = document.ledger["code_map_lost"] | document.ledger["hook_lost"]
    with t.case("make room for each other"):
        check.equal(sum(lost.values()), 0, f"places that were not there: {lost}")
    mine = [b for b in document.jit() if word in b["name"]]
    with t.case("died, and were sampled before"):
        check.at_least(len([b for b in mine if b["died_ns"]]), bodies, "bodies that died")
        check.at_least(sum(map(report.own, mine)), samples, "samples in them")
    print(f"{len(mine)} bodies, {sum(map(report.own, mine))} samples in them")


@check.test("20,000 lambdas that live briefly", timeout=180)
def lambdas(t):
    document = jobs.check_launched(t, [programs.app("churn"), "lambdas", "20000"], 500, 0, switches=SMALL_JOURNAL, most_late=1000)
    died_and_sampled(t, document, "Lambda", 18_000, 500)


@check.test("600 collectible contexts", timeout=180)
def contexts(t):
    # Of what is born in the last second nobody asks when it was published: 200 take no longer on a fast machine.
    document = jobs.check_launched(t, [programs.app("churn"), "contexts", "600"], 100, 0, most_late=1000)
    died_and_sampled(t, document, "Plugin.", 450 * 3, 100)
    with t.case("are one plug-in that comes and goes"):
        check.empty([b["name"] for b in document.jit() if "[copy" in b["name"]], "bodies of a second copy")


@check.test("one assembly in three contexts", timeout=90)
def twins(t):
    programs.need_root()
    path = t.path("out.tscope")
    result = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "--", programs.app("churn"), "twins", "2")
    check.equal(result.code, 0, f"{result}\nexit code")
    document = report.Report(loader.read_json(t, path))
    run = [b for b in document.jit() if b["name"].startswith("Plugin.Entry.Scramble(")]
    names = {b["function_id"]: b["name"] for b in run}
    wanted = [f"Plugin.Entry.Scramble(int){copy}" for copy in ("", " [copy 2]", " [copy 3]")]
    with t.case("has each function three times, with three names"):
        check.equal(sorted(names.values()), wanted, f"{names}")
        check.equal(len({b["name"] for b in run}), 3, "names")
    with t.case("shows them apart"):
        folded = loader.report(t, path, "--format", "folded", "--split", "none").out
        check.empty([name for name in wanted if not re.search(rf";{re.escape(name)}( \d+$|;)", folded, re.M)],
                    f"names that are not shown: {folded[:1000]}")
    with t.case("gives each thread's samples to its own"):
        recorded = recording.Recording(path)
        owners = {}
        for (_, _, _, leaf, _), tid in zip(recorded.samples, recorded.tids_of_samples):
            kind, number = recorded.frames[leaf][:2] if leaf is not None else (None, None)
            if kind == recording.FRAME_BODY and ".Scramble(" in recorded.bodies[number]["name"]:
                owners.setdefault(tid, set()).add(recorded.bodies[number]["function_id"])
        check.equal(sorted(map(len, owners.values())), [1, 1, 1], f"functions by thread: {owners}")
