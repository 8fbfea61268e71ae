# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""The short form of `make accuracy`: shares per code version against the program's own
CPU clock.  A run is beyond 3.5 standard deviations by chance once in two thousand times;
then there is a second one: both, in one of the three programs, once in 1.5 million."""

from lib import check, portions, programs

FAR_OUT = 3.5


@check.test("shares of code versions", timeout=120)
def shares(t):
    programs.need_root()
    for kind, (title, _, names) in portions.KINDS.items():
        with t.case(title):
            for _ in range(2):
                run = portions.record(t.folder, kind)
                check.at_least(sum(run.got.values()), 1000, f"samples in {run.got}")
                away = portions.deviation(run)
                print(f"{kind}: wanted {100 * portions.share(run.wanted):.2f} %, got {100 * portions.share(run.got):.2f} % "
                      f"of {sum(run.got.values())} samples, {away:.2f} standard deviations away; "
                      f"{100 * run.whole:.1f} % of the periods accounted for")
                if away <= FAR_OUT:
                    break
            check.that(away <= FAR_OUT, f"{away:.2f} standard deviations away, twice")
            check.at_least(run.whole, portions.WHOLE, "share of all periods that is accounted for")
            check.empty([name for name in names if not run.got[name]], "versions without a sample")
