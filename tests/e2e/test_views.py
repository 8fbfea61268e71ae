# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""The views of one recording agree with each other, under every split; hostile
names are text in all of them."""

import gzip
import json
import re
import unicodedata

from lib import check, loader, programs, report

SPLITS = ("version", "tier", "rejit", "none")
NAMES = 14
# Category Cc and the separators and marks that reorder or break lines.
FORBIDDEN = re.compile("[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


def view(t, recording, form, split="version", *options):
    path = t.path(f"view-{split}.{form}")
    result = loader.run("report", recording, "--format", form, "--split", split, "-o", path, *options)
    check.equal(result.code, 0, f"{form}, {split}: {result}\nexit code")
    with open(path, "rb") as file:
        return file.read()


def folded_lines(data):
    stacks = []
    for line in data.decode("utf-8").splitlines():
        stack, count = line.rsplit(" ", 1)
        check.that(int(count) > 0 and stack, f"folded line {line!r}")
        stacks.append((stack.split(";"), int(count)))
    return stacks


@check.test("the views of one recording", timeout=90)
def views_agree(t):
    programs.need_root()
    recording = t.path("out.tscope")
    result = loader.record(t, "-o", recording, "-F", loader.FREQUENCY, "--", programs.app("demo"), "5")
    check.equal(result.code, 0, f"{result}\nexit code")
    document = report.Report(loader.read_json(t, recording))
    hottest = max(document.jit(), key=report.own)

    for split in SPLITS:
        with t.case(f"folded by {split}: every kept sample once"):
            stacks = folded_lines(view(t, recording, "folded", split))
            check.equal(sum(count for _, count in stacks), document.kept(), "samples")
    with t.case("folded: one line per stack"):
        stacks = folded_lines(view(t, recording, "folded"))
        check.equal(len({tuple(s) for s, _ in stacks}), len(stacks), "different stacks")
    with t.case("folded: leaves are the bodies' own samples"):
        # Two bodies may carry one label: compare per method.
        leaves = {}
        for stack, count in folded_lines(view(t, recording, "folded", "none")):
            leaves[stack[-1]] = leaves.get(stack[-1], 0) + count
        wanted = sum(report.own(b) for b in document.bodies if b["name"] == hottest["name"])
        found = [count for label, count in leaves.items() if label.replace(" ", "").startswith(hottest["name"].replace(" ", ""))]
        check.that(wanted in found, f"{hottest['name']} has {wanted} samples, folded says {found}")
    with t.case("folded per thread: every kept sample once, each below its thread"):
        threads = {f"{row['name']}-{row['tid']}" for row in document.document["threads"]}
        stacks = folded_lines(view(t, recording, "folded", "none", "--per-thread"))
        check.equal(sum(count for _, count in stacks), document.kept(), "samples")
        # Behind the process, if there are several.
        lost = [s for s, _ in stacks if s[0] not in threads and s[1] not in threads]
        check.equal(lost, [], f"stacks without one of {threads}")
    with t.case("speedscope: every kept sample once"):
        data = json.loads(view(t, recording, "speedscope"))
        weight = sum(sum(profile["weights"]) for profile in data["profiles"])
        check.equal(weight, document.kept() * document.document["events"][0]["period"], "nanoseconds")
    with t.case("splits merge and do not lose"):
        versions = {s[-1] for s, _ in folded_lines(view(t, recording, "folded", "version"))}
        merged = {s[-1] for s, _ in folded_lines(view(t, recording, "folded", "none"))}
        check.that(len(versions) > len(merged), f"{len(versions)} leaves by version, {len(merged)} merged")
    with t.case("callers are there"):
        # The program's own chain, from its thread to the leaf.
        chains = [s for s, _ in folded_lines(view(t, recording, "folded", "none"))
                  if any("Demo.Loops.Collatz" in f for f in s)]
        good = [s for s in chains if positions(s, ("Demo.Program.RunRounds", "Demo.Program.RunSlice", "Demo.Loops.Collatz"))]
        check.at_least(len(chains), 1, "stacks with Collatz")
        check.equal(len(good), len(chains), f"stacks in their order, of {chains[:3]}\nnumber")
    with t.case("text names the hottest version"):
        text = view(t, recording, "text").decode("utf-8")
        name = hottest["name"].split("(")[0]
        check.that(name in text, f"no {name} in\n{text[:2000]}")
    with t.case("tiers of the demo"):
        tiers = {b["tier"] for b in document.jit()}
        for tier in report.TIERS - {"MinOptJitted", "ReadyToRun"}:
            check.that(tier in tiers, f"no {tier} among {tiers}")
    with t.case("generics are told apart by value type and shared by reference type"):
        names = {b["name"] for b in document.jit() if "Demo.Gen<" in b["name"] and ".Count(" in b["name"]}
        kinds = {re.search(r"Demo\.Gen<([^>]*)>", n).group(1) for n in names}
        check.equal(kinds, {"int", "long", "__Canon"}, f"type arguments in {names}")
    with t.case("generic methods carry their type arguments"):
        kinds = {b["name"].split("Pick<")[1].split(">")[0] for b in document.jit() if "Generics.Pick<" in b["name"]}
        check.equal(kinds, {"int", "long", "__Canon"}, "type arguments of Pick")
    with t.case("on-stack replacement carries its IL offset"):
        offsets = [b["osr_il_offset"] for b in document.jit() if b["tier"] == "OptimizedTier1OSR"]
        check.that(offsets and all(isinstance(o, int) and 0 < o < 0x10000 for o in offsets), f"{offsets}")
    with t.case("html is one page of its own"):
        page = view(t, recording, "html").decode("utf-8")
        check.that(not re.search(r"""(src|href)\s*=\s*["']?(https?:)?//""", page), "the page refers to a network")
        check.that("Collatz" in page, "no method name in the page")


def positions(stack, names):
    """True if names appear in the stack in this order."""
    at = 0
    for name in names:
        while at < len(stack) and name not in stack[at]:
            at += 1
        if at == len(stack):
            return False
    return True


@check.test("direct outputs of record")
def direct_outputs(t):
    programs.need_root()
    for name, mark in (("out.html", "<"), ("out.folded", ";"), ("out.speedscope.json", "$schema"),
                       ("out.pb.gz", "rejit_id")):
        with t.case(f"record -o {name}"):
            path = t.path(name)
            result = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "--", programs.app("demo"), "2")
            check.equal(result.code, 0, f"{result}\nexit code")
            with (gzip.open if name.endswith(".gz") else open)(path, "rb") as file:
                content = file.read().decode("utf-8", "replace")
            check.that(mark in content and "Demo." in content, f"{content[:300]!r}")


@check.test("hostile names", timeout=90)
def hostile_names(t):
    programs.need_root()
    recording = t.path("out.tscope")
    result = loader.record(t, "-o", recording, "-F", loader.FREQUENCY, "--", programs.app("hostile"), "4")
    check.equal(result.code, 0, f"{result}\nexit code")
    with t.case("the recorder's own lines are clean"):
        check.equal(FORBIDDEN.findall(result.err), [], "control characters on stderr")
    document = report.Report(loader.read_json(t, recording))
    with t.case("every name is there, with samples, twice"):
        for number in range(NAMES):
            mark = re.compile(rf"HOSTILE{number}(?!\d)")
            sampled = [b for b in document.jit() if mark.search(b["name"]) and report.own(b)]
            check.at_least(len(sampled), 2, f"sampled bodies of HOSTILE{number}")
    with t.case("the ledger balances"):
        report.check_ledger(document)
    with t.case("json is pure"):
        # It parsed; what is left is text that a terminal would obey.
        data = view(t, recording, "json").decode("utf-8")
        check.equal(sorted(set(re.findall("[\u0000-\u0009\u000b-\u001f\u007f]", data))), [], "raw control characters")
        check.that("\ufffd" in data or "\\ufffd" in data.lower() or "\\ud800" in data.lower(), "no trace of the lone surrogates")
    for split in SPLITS:
        with t.case(f"text by {split} is clean"):
            text = view(t, recording, "text", split).decode("utf-8")
            check.equal(sorted(set(FORBIDDEN.findall(text))), [], "control and bidirectional characters")
            check.that("HOSTILE2" in text, "no hostile name at all")
        with t.case(f"folded by {split} keeps its form"):
            data = view(t, recording, "folded", split).decode("utf-8")
            check.equal(sorted(set(FORBIDDEN.findall(data))), [], "control and bidirectional characters")
            stacks = folded_lines(data.encode())
            check.equal(sum(count for _, count in stacks), document.kept(), "samples")
            # The separator in a name may not make frames.
            frames = {f for s, _ in stacks for f in s if "HOSTILE7" in f}
            check.that(frames and all("b" in f[f.index("HOSTILE7") + 8:] for f in frames), f"{frames}")
        with t.case(f"html by {split} keeps its form"):
            page = view(t, recording, "html", split).decode("utf-8")
            check_page(page)
    with t.case("long names do not fill a line"):
        text = view(t, recording, "text").decode("utf-8")
        longest = max(text.splitlines(), key=len)
        check.that(len(longest) < 2000, f"a line of {len(longest)} characters")


def check_page(page):
    """Hostile names are data in a script or escaped text: no tag, no comment
    and no end of a script comes from them."""
    check.that("<img src=x" not in page.lower(), "a tag from a name")
    check.that("HOSTILE3<!--" not in page and "HOSTILE3<" not in page, "a comment from a name")
    opened, closed = len(re.findall(r"<script\b", page, re.I)), len(re.findall(r"</script", page, re.I))
    check.equal(closed, opened, "ends of scripts")
    check.that("HOSTILE2" in page, "no hostile name at all")
    raw = {c for c in page if unicodedata.category(c) == "Cc" and c not in "\n\t"}
    check.equal(raw, set(), "raw control characters")
