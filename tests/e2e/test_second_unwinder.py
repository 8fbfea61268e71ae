# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Stacks against those that eu-stack sees.  A program is stopped again and again, wherever its
threads are.  A stopped thread is off the CPU, so the recording has its stack, taken in the kernel
when it stopped; eu-stack reads the same stack meanwhile, with the rules of the same files.

For managed code eu-stack has no rules: there it follows rbp, which misses callers of methods that
keep no frame, and takes the false return address of an OSR frame for one.  So what is compared are
the native frames from the leaf up to the first managed one, and it, which they lead to; those
from the thread's start to the last managed one; and all of a stack without any.  (Managed callers are
known by construction: test_whole_stacks.py, tests/accuracy.)"""

import os
import re
import signal
import subprocess
import time

from lib import check, loader, native, programs, recording, whole

ROUNDS = 20
BAR = 0.999
THREAD = re.compile(r"^TID (\d+):$")


def states(pid):
    for task in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{task}/stat", encoding="utf-8", errors="replace") as stat:
                yield stat.read().rsplit(")", 1)[1].split()[0]
        except OSError:
            pass  # it has ended


def eu_stack(pid):
    """{tid: [(address, name of the function or "")]}, leaf first."""
    text = subprocess.run(["eu-stack", "-r", "-n", "0", "-p", str(pid)], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True, check=False, timeout=30).stdout
    threads, frames = {}, None
    for line in text.splitlines():
        if THREAD.match(line):
            frames = threads.setdefault(int(THREAD.match(line)[1]), [])
        elif line.startswith("#"):
            _, address, *rest = line.split()
            if rest[:2] == ["-", "1"]:
                rest = rest[2:]
            frames.append((int(address, 16), rest[0].split("@")[0] if rest else ""))
    return threads


class Stop:
    """What eu-stack saw of a process that stood still, and when."""

    def __init__(self, pid, files):
        os.kill(pid, signal.SIGSTOP)
        try:
            programs.wait_until(lambda: set(states(pid)) <= {"T"}, "all threads to stop")
            self.begin = time.monotonic_ns()
            self.threads = eu_stack(pid)
            self.end = time.monotonic_ns()
            self.memory = native.Memory(pid, files)
        finally:
            os.kill(pid, signal.SIGCONT)


class Comparison:
    def __init__(self, recorded, program, hijack):
        self.recorded, self.program, self.hijack = recorded, program, hijack
        self.frames = self.equal = self.stacks = self.missing = self.hijacked = 0
        self.threads = self.reached = 0  # stacks with managed code, and those that eu-stack has to their start
        self.wrong = {}

    def text(self, frames):
        return " < ".join(self.recorded.bodies[f[1]]["name"] if f[0] == recording.FRAME_BODY else f[2] for f in frames)

    def complaint(self, stop, frame, address, name):
        """Why that is not the frame that eu-stack saw; None: it is."""
        kind, body, label, start = frame
        if kind == recording.FRAME_BODY:
            body = self.recorded.bodies[body]
            begin = int(body["start"], 16)
            return None if begin <= address < begin + body["size"] else f"{address:#x} is not in {body['name']}"
        place = stop.memory.place(address)
        if not place:
            return None if label.startswith("[vdso]") else f"{address:#x} is in no file, not {label}"
        module, _, function = label.partition("!")
        # The unwind table can have two entries for a function.
        if name and (module, function.strip("_")) == (os.path.basename(place[0]), name.strip("_")) and start <= place[1]:
            return None
        text = native.complaint(label, start, place[0], place[2], place[1])
        return text and f"{label} for {name} {place}: {text}"

    def count(self, stop, ours, theirs, at):
        """Frame `at`, from the leaf, or from the root if it is negative."""
        text = "eu-stack has no more frames"
        if -len(theirs) <= at < len(theirs):
            address, name = theirs[at]
            # The call, not what comes after it.
            text = self.complaint(stop, ours[at], address - (at not in (0, -len(theirs))), name)
        self.frames += 1
        self.equal += not text
        if text:
            self.wrong.setdefault(text, self.text(ours))

    def is_native(self, frames, at):
        return frames[at][0] == recording.FRAME_NATIVE

    def ends(self, ours, at):
        """Of the function to which a hijacked return address points its file says what would be so if it
        had been called: eu-stack goes astray there."""
        return ours[at][2].startswith("libcoreclr.so!") and ours[at][3] == self.hijack

    def add(self, stop, tid, theirs):
        taken = [(when, stack) for when, thread, stack, _ in self.recorded.weighed
                 if thread == tid and stop.begin <= when <= stop.end]
        if not taken or not theirs:
            self.missing += 1
            return
        ours = [frame for frame in self.recorded.frames_of(max(taken)[1]) if frame[0] != recording.FRAME_KERNEL]
        self.stacks += 1
        # Where a new thread begins, so says the rule, nobody called; who makes it is at the same place.
        if ours[0][2].partition("!")[2].strip("_") in whole.THREAD_STARTS:
            return
        if all(self.is_native(ours, at) for at in range(len(ours))) and not self.ends(ours, -1):
            for at in range(len(ours)):
                self.count(stop, ours, theirs, at)
            if len(ours) < len(theirs):
                self.frames += len(theirs) - len(ours)
                self.wrong.setdefault(f"{len(theirs) - len(ours)} frames are missing behind {ours[-1]}", self.text(ours))
            return
        at = 0
        while self.is_native(ours, at):  # a managed one comes, or the end of what can be compared
            self.count(stop, ours, theirs, at)
            if self.ends(ours, at):
                self.hijacked += 1
                return
            at += 1
        if at and ours[at][0] == recording.FRAME_BODY:
            self.count(stop, ours, theirs, at)
        if len(ours) >= whole.DEEPEST:
            return
        self.threads += 1
        if not self.is_start(stop, theirs[-1]):
            return
        self.reached += 1
        at = -1
        if not self.is_native(ours, at):
            self.count(stop, ours, theirs, at)
        while self.is_native(ours, at):
            self.count(stop, ours, theirs, at)
            at -= 1

    def is_start(self, stop, frame):
        address, name = frame
        place = stop.memory.place(address)
        return name.strip("_") in whole.THREAD_STARTS or place and place[0] == self.program


@check.test("stacks against a second unwinder", timeout=120)
def second_unwinder(t):
    programs.need_root()
    programs.need("readelf")
    programs.need("eu-stack")
    path, program = t.path("out.tscope"), programs.app("demo")
    recorder = loader.Recorder(t, "--off-cpu", "-o", path, "--", program, "60", "--threads", "4")
    pid = programs.wait_for_dotnet(recorder.pid)
    files, stops = {}, []
    time.sleep(1)
    for _ in range(ROUNDS):
        stops.append(Stop(pid, files))
        time.sleep(0.15)
    os.kill(pid, signal.SIGKILL)
    recorder.finish()
    compared = Comparison(recording.Recording(path), program, native.hijack_function(stops[0].memory.file("libcoreclr.so")))
    for stop in stops:
        for tid, frames in stop.threads.items():
            compared.add(stop, tid, frames)
    print(f"{compared.stacks} stacks, {compared.missing} threads without one; eu-stack reaches the start of {compared.reached} of "
          f"{compared.threads} through managed code, {compared.hijacked} are hijacked; {compared.equal} of {compared.frames} native frames are equal")
    with t.case("stopped threads have stacks in the recording"):
        check.at_least(compared.stacks, 0.9 * (compared.stacks + compared.missing), "stacks")
        check.at_least(compared.stacks, 10 * ROUNDS, "stacks")
        check.at_least(compared.reached, 0.5 * compared.threads, "stacks that eu-stack has to the thread's start")
    with t.case(f"{100 * BAR} % of native frames are equal"):
        print("\n".join(f"{text}: {stack}" for text, stack in list(compared.wrong.items())[:20]))
        check.at_least(compared.equal / compared.frames, BAR, "share")
