# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""tierscope stat, and record --stat: the tables of all intervals add up to the recording,
to each sample of each body."""

import collections
import csv
import io
import json
import os
import re
import signal
import subprocess
import time

from lib import check, loader, programs, report

EVENTS = ("cpu-clock", "page-faults")


def tables_of(result):
    """The JSON lines among what the command printed, too."""
    return [json.loads(line) for line in result.out.splitlines() if line.startswith('{"from_ns"')]


def sums(tables):
    """{(event, what): samples}; what: a body, or another kind"""
    found = collections.Counter()
    for table in tables:
        for row in table["rows"]:
            what = (row["pid"], row["start"], row["tier"], row["name"]) if row["kind"] == "body" else row["kind"]
            for event, numbers in row["events"].items():
                found[event, what] += numbers["samples"]
    return +found


def check_tables(tables):
    for before, after in zip(tables, tables[1:]):
        check.equal(after["from_ns"], before["to_ns"], "begin of an interval, end of the one before")
    for table in tables:
        for event, numbers in table["events"].items():
            rows = sum(row["events"][event]["samples"] for row in table["rows"])
            check.equal(rows, numbers["samples"], f"samples of {event} in all rows of an interval")


@check.test("record --stat", timeout=120)
def record_stat(t):
    programs.need_root()
    path = t.path("out.tscope")
    result = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "-e", ",".join(EVENTS), "--stat", "300ms", "--json",
                           "--", programs.app("demo"), "3")
    document = report.Report(loader.read_json(t, path))
    tables, ours = tables_of(result), collections.Counter()
    with t.case("a table every interval, one after the other"):
        check.equal(result.code, 0, f"{result}\nexit code")
        check.at_least(len(tables), 6, "tables")
        check_tables(tables)
    with t.case("all tables have the recording's samples, to each body"):
        report.check_ledger(document)
        for body in document.bodies:
            for event, count in body["self"].items():
                ours[event, (body["pid"], body["start"], body["tier"], body["name"])] += count
        in_stat = sums(tables)
        for event in document.events:
            name = event["name"]
            check.equal(sum(n for (e, _), n in in_stat.items() if e == name), event["samples"], f"samples of {name}")
            check.equal(sum(n for (e, what), n in in_stat.items() if e == name and what == "native"),
                        event["samples_summary"]["native_leaf"] + event["samples_summary"]["kernel_leaf"],
                        f"native samples of {name}")
        check.equal({key: n for key, n in in_stat.items() if isinstance(key[1], tuple)}, dict(+ours), "samples of bodies")
        check.at_least(len(ours), 50, "bodies with samples")
        check.equal(sum(in_stat.values()), document.kept(), "kept samples")
    with t.case("counts are samples times the period"):
        for event in document.events:
            for table in tables:
                numbers = table["events"][event["name"]]
                check.equal(numbers["count"], numbers["samples"] * event["period"], f"count of {event['name']}")


@check.test("record --stat where samples are lost", timeout=60)
def record_stat_lost(t):
    """The ring is too small on purpose."""
    programs.need_root()
    path = t.path("out.tscope")
    result = loader.record(t, "-o", path, "-F", 9973, "--stat", "300ms", "--json", "--", programs.app("demo"), "2", "--threads", "2",
                           env=programs.environment(TIERSCOPE_SAMPLE_RING="4096"))
    check.equal(result.code, 0, f"{result}\nexit code")
    lost = sum(report.Report(loader.read_json(t, path)).ledger["samples"]["lost"].values())
    with t.case("all tables together have lost what the recording has"):
        check.at_least(lost, 1, "lost samples")
        check.equal(sum(table["lost"] for table in tables_of(result)), lost, "lost samples of all tables")


@check.test("record --stat of a recording in parts", timeout=120)
def record_stat_in_parts(t):
    programs.need_root()
    path = t.path("out.tscope")
    result = loader.record(t, "-o", path, "-F", "4999", "--max-size", "64k", "--stat", "200ms", "--by", "tier", "--json",
                           "--", programs.app("demo"), "5")
    check.equal(result.code, 0, f"{result}\nexit code")
    parts = [path] + [f"{path}.{n}" for n in range(1, 100) if os.path.exists(f"{path}.{n}")]
    kept = sum(report.Report(loader.read_json(t, part)).kept() for part in parts)
    with t.case("the tables add up to all parts"):
        check.at_least(len(parts), 2, "parts")
        tables = tables_of(result)
        check_tables(tables)
        check.equal(sum(table["events"]["cpu-clock"]["samples"] for table in tables), kept, "samples")


@check.test("stat of a process", timeout=120)
def stat_of_a_process(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "60")
    time.sleep(2)
    before = set(os.listdir(t.folder))
    with t.case("tables by tier, for as long as was asked for"):
        result = loader.run("stat", "-p", demo.pid, "-i", "500ms", "-d", "2s", "--by", "tier", "-F", loader.FREQUENCY)
        check.equal(result.code, 0, f"{result}\nexit code")
        heads = re.findall(r"^(\d+\.\d+) to (\d+\.\d+) s: (\d+) samples of cpu-clock$", result.out, re.M)
        check.at_least(len(heads), 3, f"tables in {result.out}")
        check.at_least(sum(int(samples) for _, _, samples in heads), 100, "samples")
        check.that(re.search(r"^ +\d+\.\d\d +\d+\.\d +\d+  tier1$", result.out, re.M), f"no tier-1 row in {result.out}")
    with t.case("one table at the end, as CSV into a file"):
        path = t.path("stat.csv")
        result = loader.run("stat", "-p", demo.pid, "-d", "1s", "--csv", "-o", path, "-F", loader.FREQUENCY, "-q")
        check.equal((result.code, result.out, result.err), (0, "", ""), "exit code and what was printed")
        with open(path, encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(io.StringIO(file.read())))
        check.equal({(row["from_ns"], row["to_ns"]) for row in rows}, {(rows[0]["from_ns"], rows[0]["to_ns"])}, "intervals")
        samples = [int(row["cpu-clock samples"]) for row in rows]
        check.equal(samples, sorted(samples, reverse=True), "most first")
        check.equal({int(row["pid"]) for row in rows}, {demo.pid}, "processes")
        states = collections.Counter(row["state"] for row in rows)
        check.at_least(states["published"], 1, f"bodies that calls reach among {states}")
        check.that(any(row["name"].startswith("Demo.") and row["tier"] == "OptimizedTier1" for row in rows), "no tier-1 body of the demo")
    with t.case("by method and by name"):
        result = loader.run("stat", "-p", demo.pid, "-d", "1s", "--by", "method", "--sort", "name", "--json", "-F", loader.FREQUENCY)
        names = [row["name"] for row in tables_of(result)[0]["rows"] if row["kind"] == "body"]
        check.equal(names, sorted(names, key=lambda name: name.encode()), "names in their order")
        check.equal(len(names), len(set(names)), "a row per method")
    with t.case("who has seen enough ends it"):
        done = subprocess.run(f"{loader.TIERSCOPE} stat -p {demo.pid} -i 100ms | head -1", shell=True, timeout=60,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=programs.environment())
        check.that(b"samples of cpu-clock" in done.stdout, f"got {done}")
    with t.case("keeps no recording, and the program goes on"):
        check.equal(sorted(set(os.listdir(t.folder)) - before), ["stat.csv"], "new files")
        check.equal(demo.process.poll(), None, "exit code of demo")


@check.test("stat of a command", timeout=60)
def stat_of_a_command(t):
    programs.need_root()
    result = loader.run("stat", "--", programs.app("short"), "exit", "7", cwd=t.folder)
    with t.case("has its exit code, and leaves no file"):
        check.equal(result.code, 7, f"{result}\nexit code")
        check.equal(os.listdir(t.folder), [], "files")
    # Thousands at once, of which none may be lost.
    result = loader.run("stat", "-e", "page-faults", "--top", "2", "--", programs.app("counts"), "5",
                        env=programs.environment(TIERSCOPE_SAMPLE_RING=str(64 << 20)))
    with t.case("counts its page faults"):
        check.equal(result.code, 0, f"{result}\nexit code")
        check.that(re.search(r"^ +\d+\.\d\d +(35\d\d)  opt +0 +0  (?:alive|published) +Counts\.Causes\.TouchOptimized\(int\)$", result.out, re.M), f"got {result.out}")
        check.that(re.search(r"^ +\d+\.\d\d +\d+  and \d+ more$", result.out, re.M), f"no rest in {result.out}")


@check.test("stat of every event of the kernel's own", timeout=60)
def stat_of_each_event(t):
    programs.need_root()
    for events in (("cpu-clock", "task-clock", "page-faults", "minor-faults"),
                   ("major-faults", "context-switches", "cpu-migrations", "alignment-faults")):
        with t.case(",".join(events)):
            result = loader.run("stat", "-e", ",".join(events), "--json", "-q", "--", programs.app("counts"), "1")
            check.equal(result.code, 0, f"{result}\nexit code")
            table = next(json.loads(line) for line in result.out.splitlines() if line.startswith('{"from_ns"'))
            check.equal(list(table["events"]), list(events), "events")
            for event in set(events) & {"cpu-clock", "task-clock", "page-faults", "minor-faults", "context-switches"}:
                check.at_least(table["events"][event]["samples"], 1, f"samples of {event}")


@check.test("stat, and who reads it", timeout=90)
def readers(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "60", "--threads", "2")
    with t.case("a reader that stopped does not keep it from its end"):
        program = programs.Program(t, [loader.TIERSCOPE, "stat", "-p", str(demo.pid), "-i", "100ms", "--top", "0", "-q"],
                                   stdout=subprocess.PIPE)
        program.process.stdout.read(1)
        time.sleep(3)  # until the pipe is full
        program.process.send_signal(signal.SIGINT)
        check.equal(program.wait(20), 0, "exit code")
    with t.case("one that goes ends the table, not the recording and its command"):
        path = t.path("out.tscope")
        program = programs.Program(t, [loader.TIERSCOPE, "record", "--stat", "100ms", "-o", path, "--", programs.app("short"), "hello"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        program.process.stdout.close()
        check.equal(program.wait(60), 0, "exit code")
        check.equal(loader.read_json(t, path)["recording"]["complete"], True, "complete")
    with t.case("an old table stays where nothing is counted"):
        path = t.path("old.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write("old\n")
        loader.complaint(loader.run("stat", "-p", "999999", "-o", path), 1, "999999")
        with open(path, encoding="utf-8") as file:
            check.equal(file.read(), "old\n", "the old table")


@check.test("stat of nothing", timeout=60)
def stat_of_nothing(t):
    for arguments, code, words in ((("-p", "999999"), 1, ["999999"]), ((), 3, ["stat: one of -p"]), (("-p", "x"), 3, ["stat", "x"]),
                                   (("-p", "1", "-i", "1ms"), 3, ["-i", "100ms"]), (("-p", "1", "-i", "soon"), 3, ["soon"]),
                                   (("-p", "1", "--by", "line"), 3, ["body, method or tier", "line"]),
                                   (("-p", "1", "--sort", "cycles"), 3, ["--sort", "cycles"]),
                                   (("-p", "1", "--top", "few"), 3, ["few"]), (("-p", "1", "--csv", "--json"), 3, ["--csv and --json"]),
                                   (("-p", "1", "-e", "nothing"), 3, ["stat: unknown event", "nothing"]),
                                   (("-p", "1", "--max-size", "1M"), 3, ["stat: unknown option '--max-size'"]),
                                   (("-p", "1", "-o", "/no/folder/x"), 2, ["/no/folder/x"]), (("-p", "1", "more"), 3, ["more"]),
                                   (("-e", "cycles", "--", "true"), (0, 4), ["-e cpu-clock"])):
        with t.case(" ".join(("stat",) + arguments)):
            result = loader.run("stat", *arguments)
            if result.code == 0:
                raise check.Skip("this machine has hardware counters")
            loader.complaint(result, code, *words)
    for arguments, word in ((("--by", "tier"), "--stat"), (("--csv",), "--stat"), (("--stat", "0"), "100ms"), (("-i", "1s"), "-i")):
        with t.case(" ".join(("record",) + arguments)):
            loader.complaint(loader.run("record", *arguments, "--", "true", cwd=t.folder), 3, "record", word)
