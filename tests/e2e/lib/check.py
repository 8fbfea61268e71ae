# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Tests and their cases.

    @check.test("demo launched", timeout=60)
    def demo_launched(t):
        ...
        with t.case("the ledger balances"):
            check.equal(due, fired, "due and fired")

A failed case does not stop the test; anything that fails outside a case does."""

import contextlib
import json
import os
import traceback


class Failure(Exception):
    """What was asserted is not so."""


class Skip(Exception):
    """The test, or the case, cannot run here."""


def test(title, timeout=60, alone=False):
    """`alone`: none runs beside it, as it reaches for programs of other tests or starts dozens."""
    def mark(function):
        function.e2e_title = title
        function.e2e_timeout = timeout
        function.e2e_alone = alone
        return function
    return mark


class Context:
    """What a test function gets: its folder, its cases, what to clean up."""

    def __init__(self, title, folder, results):
        self.title = title
        self.folder = folder
        self._results = results
        self._cleanups = contextlib.ExitStack()

    def path(self, name):
        return os.path.join(self.folder, name)

    def on_end(self, function, *arguments):
        self._cleanups.callback(function, *arguments)

    def _report(self, case, status, detail=""):
        name = f"{self.title}: {case}" if case else self.title
        self._results.write(json.dumps({"case": name, "status": status, "detail": detail}) + "\n")

    @contextlib.contextmanager
    def case(self, name):
        try:
            yield
        except Skip as skip:
            self._report(name, "skip", str(skip))
        except Failure as failure:
            self._report(name, "fail", str(failure))
        except Exception:  # a report that lacks a field is a failed case too
            self._report(name, "fail", traceback.format_exc())
        else:
            self._report(name, "ok")

    def run(self, function):
        try:
            function(self)
        except Skip as skip:
            self._report("", "skip", str(skip))
        except Failure as failure:
            self._report("ran to its end", "fail", str(failure))
        except Exception:
            self._report("ran to its end", "fail", traceback.format_exc())
        finally:
            self._cleanups.close()


def that(condition, text):
    if not condition:
        raise Failure(text)


def equal(got, wanted, what):
    that(got == wanted, f"{what}: got {got!r}, wanted {wanted!r}")


def at_least(got, wanted, what):
    that(got >= wanted, f"{what}: got {got!r}, wanted at least {wanted!r}")


def empty(items, what, show=8):
    """No item may be there; shows the first few that are."""
    items = list(items)
    if items:
        shown = "\n".join(f"  {item}" for item in items[:show])
        raise Failure(f"{len(items)} {what}:\n{shown}")
