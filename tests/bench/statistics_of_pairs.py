# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""95 % intervals of paired measurements that outliers cannot spoil.

On a virtual machine a run now and then takes twice as long, and one such run
would widen a t interval beyond any bar.  So: the Hodges-Lehmann estimate (the
median of the means of all two values, Walsh averages) and the interval that
belongs to Wilcoxon's signed-rank test, with that test's exact distribution.  It
asks of the differences only that they lie symmetrically around their middle,
which holds for differences of two runs in changing order."""

import functools
import itertools
import math
import statistics

CONFIDENCE = 0.95
LEAST = 6  # below, no interval of this kind has 95 %


@functools.lru_cache
def walsh_cut(count):
    """How many Walsh averages lie outside the interval at each end: the largest
    k with P(W < k) <= 2.5 %, W the sum of the ranks with a positive sign."""
    ways = [1]  # how many subsets of the ranks have each sum
    for rank in range(1, count + 1):
        longer = ways + [0] * rank
        for total, number in enumerate(ways):
            longer[total + rank] += number
        ways = longer
    allowed, seen = (1 - CONFIDENCE) / 2 * 2 ** count, 0
    for total, number in enumerate(ways):
        seen += number
        if seen > allowed:
            return total
    raise ValueError(count)


def interval(values):
    """Estimate, lower and upper end."""
    if len(values) < LEAST:
        raise ValueError(f"an interval needs {LEAST} values")
    averages = sorted((a + b) / 2 for a, b in itertools.combinations_with_replacement(values, 2))
    cut = walsh_cut(len(values))
    return statistics.median(averages), averages[cut - 1], averages[-cut]


def change(pairs):
    """Relative change of each (before, after): of logarithms, because ratios of
    times are closer to log-normal than to normal."""
    return tuple(math.exp(x) - 1 for x in interval([math.log(b / a) for a, b in pairs]))


def difference(pairs):
    return interval([b - a for a, b in pairs])


def verdict(ends, bar):
    """`met` only if the whole interval lies below the bar."""
    _, low, high = ends
    return "met" if high < bar else "missed" if low > bar else "inconclusive"
