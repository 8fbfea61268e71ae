# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Stacks that reach the function in which their thread began.  In the first second images are mapped whose
rules are not known yet; of a stack through those the loader has a piece only."""

import os

from . import check, native, recording

SETTLED_NS = 1e9
DEEPEST = 127  # frames of a sample; deeper stacks are told as such
THREAD_STARTS = ("clone", "clone3")


def check_share(recorded, taken, program, least, bar):
    """taken: [(time, stack)]; program: in which the main threads begin; at least so many, and such a share.
    (Of few stacks one is a larger share than the bar leaves: one is always allowed.)"""
    start = (os.path.basename(program), native.entry_point(program))
    count, deep, cut = 0, 0, []
    for when, stack in taken:
        if when - recorded.start_ns < SETTLED_NS:
            continue
        count += 1
        frames = list(recorded.frames_of(stack)) or [(recording.FRAME_UNKNOWN, -1, "no stack", 0)]
        if sum(frame[0] != recording.FRAME_KERNEL for frame in frames) >= DEEPEST:
            deep += 1
            continue
        module, _, name = frames[-1][2].partition("!")
        if name.strip("_") not in THREAD_STARTS and (module, frames[-1][3]) != start:
            cut.append(" < ".join(frame[2] or "managed" for frame in [*frames[:3], *frames[-3:]]))
    print(f"{len(cut)} of {count} stacks after the first second do not reach the thread's start: {cut[:5]}; {deep} are too deep")
    check.at_least(count, least, "stacks after the first second")
    check.that(len(cut) <= max(1, (1 - bar) * count), f"{len(cut)} of {count} stacks do not reach the thread's start")
