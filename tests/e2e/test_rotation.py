# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""`record --max-size`: parts that open by themselves, and lose nothing together."""

import glob
import os
import re
import time

from lib import check, loader, programs, report

SIZE = "64k"


def parts(recording):
    """The files, oldest part first."""
    def age(path):
        return int(path[len(recording) + 1:] or 0)
    return sorted((p for p in glob.glob(recording + "*") if re.fullmatch(r"(\.\d+)?", p[len(recording):])),
                  key=age, reverse=True)


def read(t, path):
    return report.Report(loader.read_json(t, path))


@check.test("a recording in parts", timeout=120)
def in_parts(t):
    programs.need_root()
    recording = t.path("out.tscope")
    # Of an earlier recording of that name: neither may be taken for a part of this.
    for path in (recording, recording + ".1", recording + ".2"):
        with open(path, "wb") as file:
            file.write(b"old")
    result = loader.record(t, "-o", recording, "-F", "4999", "--max-size", SIZE, "--",
                           programs.app("demo"), "8")
    check.equal(result.code, 0, f"{result}\nexit code")
    files = parts(recording)
    documents = [read(t, path) for path in files]
    abouts = [d.document["recording"] for d in documents]
    with t.case("has several, numbered in the order of time"):
        check.at_least(len(files), 2, f"parts of {result}\nnumber")
        check.equal([a["part"] for a in abouts], list(range(1, len(files) + 1)), "parts")
        check.equal({a["whole_start_ns"] for a in abouts}, {abouts[0]["start_ns"]}, "beginning of the whole")
        check.that(all(a["complete"] for a in abouts), "one was not ended in order")
    with t.case("each has a ledger of its own that balances"):
        for document in documents:
            report.check_ledger(document)
    with t.case("nothing lies between two parts"):
        for before, after in zip(abouts, abouts[1:]):
            check.equal(after["start_ns"], before["end_ns"], "start of a part")
        total = sum(d.kept() for d in documents)
        check.that(f" {total} samples" in result.err, f"{total} samples in all, but {result}")
    with t.case("each has what its samples need"):
        for document in documents:
            report.check_fields(document)
            report.check_jit_bar(document, 0)
    with t.case("the text report says that it is a part"):
        check.that(re.search(r"^part +2 of a recording", loader.report(t, files[1]).out, re.M), "it does not")
    with t.case("the other views of a part"):
        for view in ("html", "folded", "speedscope"):
            shown = loader.report(t, files[0], "--format", view, "-o", t.path("view"))
            check.equal((shown.code, shown.err), (0, ""), f"{view}: exit code and stderr")


@check.test("a recording whose oldest parts are removed", timeout=120)
def oldest_removed(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "60")
    recording = t.path("out.tscope")
    recorder = loader.Recorder(t, "-o", recording, "-F", "9973", "--max-size", SIZE, "--max-files", "2",
                               "-p", demo.pid)
    loader.wait_for_recording(recorder)
    finished = set()  # by the time of the last write, as inodes are used again

    def rotated_three_times():
        try:
            finished.add(os.stat(recording + ".1").st_mtime_ns)
        except FileNotFoundError:
            pass
        return len(finished) >= 3
    programs.wait_until(rotated_three_times, "four parts", 90)
    time.sleep(0.5)
    result = recorder.interrupt()
    with t.case("keeps the newest"):
        check.equal(result.code, 0, f"{result}\nexit code")
        check.equal(parts(recording), [recording + ".1", recording], "files")
        older, newest = (read(t, path) for path in parts(recording))
        check.equal(newest.document["recording"]["part"], older.document["recording"]["part"] + 1, "newest part")
        check.at_least(older.document["recording"]["part"], 2, "oldest part kept")
        check.that("removed" in result.err, f"{result}")
        for document in (older, newest):
            report.check_ledger(document)
            report.check_jit_bar(document, 0)


@check.test("sizes and numbers of files that are none")
def bad_sizes(t):
    for line in (["--max-size", "12x"], ["--max-size", "0"], ["--max-size", "1k"], ["--max-size", "99999999999G"],
                 ["--max-files", "2"], ["--max-size", "1M", "--max-files", "0"]):
        with t.case(" ".join(line)):
            loader.complaint(loader.run("record", "-o", t.path("x.tscope"), *line, "--", "true"), 3, "--max-")
    with t.case("a view in parts"):
        loader.complaint(loader.run("record", "-o", t.path("x.html"), "--max-size", "1M", "--", "true"), 3, "x.html")
