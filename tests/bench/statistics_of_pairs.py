# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Means and 95 % intervals of paired measurements (Student's t)."""

import math
import statistics

# 0.975 quantiles by degrees of freedom; between two rows the lower one holds.
T_975 = {1: 12.706, 2: 4.303, 3: 3.182, 4: 2.776, 5: 2.571, 6: 2.447, 7: 2.365, 8: 2.306,
         9: 2.262, 10: 2.228, 11: 2.201, 12: 2.179, 13: 2.160, 14: 2.145, 15: 2.131, 16: 2.120,
         17: 2.110, 18: 2.101, 19: 2.093, 20: 2.086, 25: 2.060, 30: 2.042, 40: 2.021,
         60: 2.000, 120: 1.980}


def t_quantile(freedom):
    return T_975[max(f for f in T_975 if f <= freedom)]


def interval(values):
    """Mean, lower and upper end; needs two values or more."""
    mean = statistics.fmean(values)
    half = t_quantile(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
    return mean, mean - half, mean + half


def change(pairs):
    """Relative change of each (before, after), as the interval of the geometric
    mean: ratios of times are closer to log-normal than to normal."""
    return tuple(math.exp(x) - 1 for x in interval([math.log(b / a) for a, b in pairs]))


def difference(pairs):
    return interval([b - a for a, b in pairs])


def verdict(ends, bar):
    """`met` only if the whole interval lies below the bar."""
    _, low, high = ends
    return "met" if high < bar else "missed" if low > bar else "inconclusive"
