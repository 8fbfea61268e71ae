# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""The ledger balances also when much is lost: with rings made too small on purpose."""

from lib import check, loader, programs, report


def record(t, frequency=loader.FREQUENCY, **environment):
    programs.need_root()
    recording = t.path("out.tscope")
    result = loader.record(t, "-o", recording, "-F", frequency, "--", programs.app("demo"), "5",
                           env=programs.environment(**environment))
    check.equal(result.code, 0, f"{result}\nexit code")
    return result, report.Report(loader.read_json(t, recording)), loader.report(t, recording).out.splitlines()


@check.test("a ledger without losses")
def nothing_lost(t):
    # Rings that have room for all, should the recorder not be given a CPU.
    _, document, _ = record(t, TIERSCOPE_SAMPLE_RING=str(64 << 20), TIERSCOPE_CODE_RING=str(64 << 20))
    with t.case("balances"):
        report.check_ledger(document)
    with t.case("names every cause"):
        check.that({"ring_full", "no_user_registers", "reader_dropped"} <= document.ledger["samples"]["lost"].keys(),
                   f"{document.ledger}")
        check.that({"code_ring_full", "bad_probe", "bad_record", "code_reader_dropped"} ==
                   document.ledger["events"]["lost"].keys(), f"{document.ledger}")
        check.that({"rows_full", "pages_full", "quota"} <= document.ledger["code_map_lost"].keys(),
                   f"{document.ledger}")
        check.that({"record_overflow", "text_overflow", "bad_event"} == document.ledger["hook_lost"].keys(),
                   f"{document.ledger}")
    with t.case("no bodies are missing"):
        check.equal(sum(document.ledger["events"]["lost"].values()), 0, "code events lost")
        check.equal(sum(document.ledger["code_map_lost"].values()), 0, "places in the code map lost")
        check.equal(sum(document.ledger["hook_lost"].values()), 0, "hook's records lost")


@check.test("a sample ring that is too small")
def small_sample_ring(t):
    result, document, lines = record(t, 9973, TIERSCOPE_SAMPLE_RING="4096")
    lost = document.ledger["samples"]["lost"]["ring_full"]
    with t.case("loses samples, and counts each"):
        check.at_least(lost, 1, f"samples lost in {document.ledger}")
        report.check_ledger(document)
    with t.case("is told in the first lines"):
        check.that(any(line.startswith("LOST:") and f"ring_full {lost}" in line for line in lines[:4]), f"{lines[:6]}")
        everything = sum(document.ledger["samples"]["lost"].values())
        check.that(f"{everything} lost" in result.err, f"{result}")


@check.test("a code ring that is too small")
def small_code_ring(t):
    _, document, lines = record(t, TIERSCOPE_CODE_RING="4096")
    lost = document.ledger["events"]["lost"]["code_ring_full"]
    with t.case("loses code events, and counts each"):
        check.at_least(lost, 10, f"code events lost in {document.ledger}")
        report.check_ledger(document)
    with t.case("is told in the first lines"):
        check.that(any(line.startswith("LOST:") and f"code_ring_full {lost}" in line for line in lines[:4]),
                   f"{lines[:6]}")
    with t.case("loses no body: the journal has them"):
        check.at_least(document.ledger["events"]["read_from_journal"], 10, "bodies from the journal")
        report.check_jit_bar(document, 100)


@check.test("ring sizes that are none")
def bad_sizes(t):
    for value in ("4095", "5000", "many", "0"):
        with t.case(value):
            result = loader.run("record", "-o", t.path("x.tscope"), "--", "true",
                                env=programs.environment(TIERSCOPE_CODE_RING=value))
            loader.complaint(result, 3, "TIERSCOPE_CODE_RING", value)
