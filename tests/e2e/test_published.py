# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""The demo as applications are shipped: one file, one compressed file, one composite
image.  Held against the runtime's own event stream as in test_main_job.py; and what the
image's metadata says of a function against what the runtime says of it."""

from lib import check, jobs, programs, report


def agree(document, pid, least):
    """Functions that were sampled in precompiled code, and then compiled."""
    told = {b["function_id"]: b for b in document.jit(pid)}
    read = [b for b in document.images() if b["pid"] == pid and b["function_id"] in told]
    with_id = [b for b in document.images() if b["pid"] == pid and b["function_id"]]
    print(f"{len(read)} functions with precompiled and other bodies, {len(with_id)} with a FunctionID")
    check.at_least(len(read), least, "functions with both kinds of bodies")
    different = []
    for body in read:
        other = told[body["function_id"]]
        if any(body[key] != other[key] for key in ("name", "module", "token")):
            different.append(f"{body} and {other}")
    check.empty(different, "the image and the runtime disagree")


def launched(t, form):
    document = jobs.check_launched(t, [programs.app_on(form, "demo"), "5"], 50, 2, most_late=1000)
    pid = document.images()[0]["pid"]
    with t.case("the image and the runtime name functions alike"):
        agree(document, pid, 10)
    with t.case("precompiled bodies have their FunctionIDs"):
        bodies = [b for b in document.images() if report.own(b)]
        nameless = [b for b in bodies if not b["function_id"]]
        report.check_share(sum(map(report.own, bodies)) - sum(map(report.own, nameless)),
                           sum(map(report.own, nameless)), 0.99, "samples in precompiled bodies with a FunctionID")


@check.test("demo in one file launched", timeout=90)
def single_file(t):
    launched(t, "single-file")


@check.test("demo in one compressed file launched", timeout=90)
def compressed(t):
    launched(t, "compressed")


@check.test("demo in a composite image launched", timeout=90)
def composite(t):
    launched(t, "composite")


@check.test("demo in one compressed file attached", timeout=90)
def compressed_attached(t):
    document = jobs.check_attached_demo(t, programs.app_on("compressed", "demo"))
    with t.case("images are read from its memory"):
        check.at_least(len(document.images()), 1, "precompiled bodies")
    with t.case("no sample is left in memory without a name"):
        check.equal(document.unresolved("anonymous".__eq__), 0, "samples in anonymous memory")
