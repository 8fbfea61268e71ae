# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Reading `report --format json`, and the bars that hold for every recording."""

from . import check

TIERS = {"MinOptJitted", "Optimized", "QuickJitted", "OptimizedTier1", "OptimizedTier1OSR",
         "QuickJittedInstrumented", "OptimizedTier1Instrumented", "ReadyToRun"}

# Causes of an unresolved leaf.  Whatever is not in an image counts against the
# JIT: a cause that hides JIT code under another name must not raise the share.
# Stubs lie in memory of the JIT but are no compiled body.  Those that were
# recognised have a count of their own, stub_leaf; those that were not, as the
# process was gone before its bytes could be read, must be few.
IMAGE_CAUSES = {"image_unknown", "image_pending"}
STUB_CAUSES = {"stub", "jit_unreadable"}
STUBS_BAR = 0.02

OFF_CPU = "off-cpu"
JIT_BAR = 0.999
# What a program frees before the catch-up is over nobody can name, and how long that takes is the
# machine's matter: in a second or two of the demo it is a per cent.  (The bar for many samples:
# tests/accuracy/test_coverage.py.)
JIT_BAR_ATTACHED = 0.9
IMAGE_BAR = 0.99


class Report:
    def __init__(self, document):
        self.document = document
        self.processes = document["processes"]
        self.events = document["events"]
        self.bodies = document["bodies"]
        self.ledger = document["ledger"]

    def jit(self, pid=None):
        return [b for b in self.bodies if b["tier"] != "ReadyToRun" and pid in (None, b["pid"])]

    def images(self):
        return [b for b in self.bodies if b["tier"] == "ReadyToRun"]

    def unresolved(self, wanted):
        """Samples with an unresolved leaf whose cause is wanted(cause)."""
        return sum(count for cause, count in self.ledger["unresolved_leaf"].items() if wanted(cause))

    def kept(self):
        return self.ledger["samples"]["kept"]


def own(body):
    """Samples whose leaf is the body, all events together (but time off the CPU, which is no samples)."""
    return sum(count for event, count in body["self"].items() if event != OFF_CPU)


def check_share(good, bad, bar, what):
    """At least `bar` of all are good; a single bad one says nothing of a share
    that is finer than the samples are many."""
    if bad > 1:
        check.at_least(good / (good + bad), bar, f"share of {good + bad} {what}")


def summary(report):
    jit, images = sum(map(own, report.jit())), sum(map(own, report.images()))
    return (f"kept {report.kept()}, JIT {jit}, images {images}, unresolved {report.ledger['unresolved_leaf']}, "
            f"stubs {report.ledger['stub_leaf']}, {len(report.jit())} JIT bodies, code events {report.ledger['events']}, "
            f"hook {report.ledger['hook_lost']}")


def check_jit_bar(report, least, bar=JIT_BAR):
    """Samples in JIT bodies carry body, tier and name."""
    good, bad = 0, report.unresolved(lambda cause: cause not in IMAGE_CAUSES | STUB_CAUSES)
    for body in report.jit():
        whole = body["tier"] in TIERS and body["name"] and body["size"] > 0 and int(body["start"], 16) > 0
        if whole:
            good += own(body)
        else:
            bad += own(body)
    check.at_least(good, least, f"samples in JIT bodies ({summary(report)})")
    check_share(good, bad, bar, f"samples in JIT bodies ({summary(report)})")
    stubs = report.unresolved(STUB_CAUSES.__contains__)
    check.that(stubs <= 1 + STUBS_BAR * good, f"{stubs} samples in stubs that nobody recognised ({summary(report)})")


def check_image_bar(report, least):
    """Samples in ReadyToRun code carry module, token and name."""
    good, bad = 0, report.unresolved(IMAGE_CAUSES.__contains__)
    for body in report.images():
        whole = body["module"].endswith(".dll") and body["name"] and int(body["token"], 16) >> 24 == 6
        if whole:
            good += own(body)
        else:
            bad += own(body)
    check.at_least(good, least, f"samples in ReadyToRun code ({summary(report)})")
    check_share(good, bad, IMAGE_BAR, f"samples in ReadyToRun code ({summary(report)})")


def check_ledger(report):
    samples = report.ledger["samples"]
    lost = sum(samples["lost"].values())
    not_delivered = samples.get("not_delivered", samples["due"] - samples["fired"])
    text = f"in {report.ledger}"
    check.equal(samples["fired"] + not_delivered, samples["due"], f"fired + not delivered {text}")
    check.equal(samples["kept"] + lost, samples["fired"], f"kept + lost {text}")
    check.at_least(not_delivered, 0, f"not delivered {text}")
    check.equal(sum(e["samples"] for e in report.events if e["name"] != OFF_CPU), samples["kept"], f"samples per event {text}")
    off = report.ledger["off_cpu"]
    check.equal(off["kept"] + sum(off["lost"].values()), off["chosen"], f"stacks off the CPU, kept + lost {text}")
    for name, count in samples["lost"].items():
        check.at_least(count, 0, name)

    # Kept is counted by the reader, fired and lost by the kernel side.
    events = report.ledger["events"]
    check.equal(events["kept"] + sum(events["lost"].values()), events["fired"], f"code events kept + lost {text}")
    # A program that has all its code was told by its journal.
    check.at_least(events["fired"] + events["read_from_journal"], 1, f"code events {text}")

    # Every kept sample has one leaf, and is at most once in a body's total.
    leaves = sum(map(own, report.bodies)) + sum(report.ledger["unresolved_leaf"].values())
    leaves += sum(report.ledger["stub_leaf"].values())
    check.at_least(samples["kept"], leaves, "kept samples against leaves")
    for body in report.bodies:
        for event, count in body["self"].items():
            total = body["total"].get(event, 0)
            check.that(count <= total and (event == OFF_CPU or total <= samples["kept"]), f"self {count}, total {total} of {body['name']}")


def check_fields(report):
    """The contract's fields, for a reader that trusts it."""
    pids = {p["pid"] for p in report.processes}
    for process in report.processes:
        for field in ("pid", "start_ns", "comm", "cmdline", "container", "runtime"):
            check.that(field in process, f"no {field} in {process}")
    for body in report.bodies:
        check.that(body["pid"] in pids, f"unknown process of {body}")
        for field in ("function_id", "rejit_id", "native_version", "osr_il_offset", "module", "token", "name",
                      "born_ns", "died_ns", "source", "published_ns", "superseded_ns", "self", "total"):
            check.that(field in body, f"no {field} in {body}")
        check.that(body["tier"] in TIERS, f"tier of {body}")
        osr = body["tier"] == "OptimizedTier1OSR"
        check.equal(body["osr_il_offset"] is not None, osr, f"osr_il_offset of {body}: there")
        if body["tier"] != "ReadyToRun":
            check.that(body["function_id"], f"no function in {body}")
            check.that(body["source"] in ("event", "catch-up"), f"source of {body}")
        if body["died_ns"] is not None:
            check.at_least(body["died_ns"], body["born_ns"], f"death of {body}")
    check.that(report.document["tierscope"]["format"] == 1, "format of the document")
    check_tiering(report)


def check_tiering(report):
    """How long tier-ups took, from the births of the bodies themselves."""
    first, times = {}, []
    versions = [b for b in report.bodies if b["function_id"] and not b["dynamic"] and b["rejit_id"] is not None]
    for body in sorted(versions, key=lambda b: b["born_ns"]):
        key = (body["pid"], body["function_id"], body["rejit_id"])
        begin = first.setdefault(key, body)
        if body["tier"] == "OptimizedTier1" and body is not begin and body["source"] == begin["source"] == "event" \
                and begin["tier"] != "OptimizedTier1Instrumented":
            times.append(body["born_ns"] - begin["born_ns"])
    told = report.document["tiering"]
    times.sort()
    check.equal((told["first_code_to_tier1"]["count"], told["first_code_to_tier1"]["longest_ns"]),
                (len(times), times[-1] if times else None), "tier-ups, and the longest way")
    for cost in ("jit_background", "jit_caller", "instrumented", "call_counting"):
        for event in report.events:
            check.that(0 <= told[cost][event["name"]] <= event["samples"], f"{cost} of {told}")
