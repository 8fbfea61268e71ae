# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""One program in several conditions that take turns, and what each run cost."""

import glob
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
OUTPUT = os.path.abspath(os.environ.get("OUTPUT", ".output"))
LOADER = f"{OUTPUT}/tierscope"
FREQUENCY = "99"
OTHER_CPUS = f"1-{os.cpu_count() - 1}"  # than a program's that has the first for itself
HOOK = {"CORECLR_ENABLE_NOTIFICATION_PROFILERS": "1",
        "CORECLR_NOTIFICATION_PROFILERS":
            f"{OUTPUT}/libtierscope_hook.so={{7A5C09E1-3B52-4D64-9C1E-7E1D5C09E001}};"}

# What a run is measured by: index into what run() gives, and its name.
COLUMNS = ((0, "CPU, program"), (1, "wall, program"), (2, "CPU, everything"), (3, "wall, everything"))


class Condition:
    """How the program is started: what stands before its command, and what is
    added to its environment.  `{folder}` is the run's own folder."""

    def __init__(self, title, before=(), environment=None):
        self.title, self.before, self.environment = title, before, environment or {}


PLAIN = Condition("not recorded")
AGAIN = Condition("once more")
HOOK_ONLY = Condition("hook only", environment=HOOK)
RECORDED = Condition("recorded", (LOADER, "record", "-F", FREQUENCY, "-o", "{folder}/bench.tscope", "--"))

WITHOUT_PATCHES = Condition("recorded, without patches", RECORDED.before, {"TIERSCOPE_WITHOUT_PATCHES": "1"})


def fail(text):
    sys.exit(f"bench: {text}")


def pairs_wanted():
    pairs = int(os.environ.get("BENCH_PAIRS", "20"))
    if pairs < 6:
        fail("BENCH_PAIRS has to be 6 or more")
    return pairs


def start_recording(pid, file, *options):
    """`tierscope record` of a process, on the other CPUs; it is armed."""
    process = subprocess.Popen(["taskset", "-c", OTHER_CPUS, LOADER, "record", "-F", FREQUENCY, *options, "-p", str(pid), "-o", file],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if not process.stderr.readline():  # its first progress line
        fail("the recording did not start")
    return process


def perf_maps():
    """{path: process}"""
    found = (re.fullmatch(r"/tmp/(?:perf|perfinfo|jit)-([0-9]+)[.](?:map|dump)", path) for path in glob.glob("/tmp/*-*.*"))
    return {match[0]: match[1] for match in found if match}


def remove_perf_maps(older):
    """Those of the programs that ended since; a map of thousands of methods is megabytes."""
    for path, process in perf_maps().items():
        if path not in older and not os.path.exists(f"/proc/{process}"):
            os.remove(path)


def run(condition, command, folder):
    """Seconds: program's CPU, program's wall, everything's CPU, everything's wall."""
    words = [*condition.before, f"{HERE}/timed", "{folder}/timed.json", *command]
    words = [word.replace("{folder}", folder) for word in words]
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    maps, began = perf_maps(), time.monotonic()
    with open(f"{folder}/log", "w", encoding="utf-8") as log:
        process = subprocess.Popen(words, env=dict(os.environ, **condition.environment),
                                   stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    remove_perf_maps(maps)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        with open(f"{folder}/log", encoding="utf-8", errors="replace") as log:
            fail(f"{condition.title}: {' '.join(words)} ended with {process.returncode}:\n{log.read()}")
    with open(f"{folder}/timed.json", encoding="ascii") as file:
        alone = json.load(file)
    return alone["cpu"], alone["wall"], usage.ru_utime + usage.ru_stime, wall


def samples_of(recording):
    """Kept and lost: a recording without samples would be cheap."""
    text = subprocess.run([LOADER, "report", "--format", "json", recording],
                          check=True, capture_output=True).stdout
    samples = json.loads(text)["ledger"]["samples"]
    return samples["kept"], sum(samples.get("lost", {}).values())


class Measured:
    """All runs of one program."""

    def __init__(self, name, command, conditions, pairs):
        self.conditions, self.kept, self.lost = conditions, 0, 0
        self.times = {condition: [] for condition in conditions}
        folder = tempfile.mkdtemp(prefix="tierscope-bench-")
        try:
            for condition in conditions:  # warm: files, tables of images
                run(condition, command, f"{folder}/run")
            for turn in range(pairs):
                # There and back, so that a drift of the machine cancels.
                for condition in conditions if turn % 2 == 0 else reversed(conditions):
                    self.times[condition].append(run(condition, command, f"{folder}/run"))
                    if condition is RECORDED:
                        self.count_samples(f"{folder}/run/bench.tscope")
                print(f"{name}: {turn + 1} of {pairs}", file=sys.stderr)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if not self.kept:
            fail(f"{name}: the recordings hold no sample")

    def count_samples(self, recording):
        kept, lost = samples_of(recording)
        self.kept, self.lost = self.kept + kept, self.lost + lost

    def column(self, condition, column):
        return [times[column] for times in self.times[condition]]

    def against(self, other, condition, column):
        return list(zip(self.column(other, column), self.column(condition, column)))

    def against_plain(self, condition, column):
        return self.against(PLAIN, condition, column)

    def note(self):
        return (f"{len(self.times[PLAIN])} pairs; {self.kept} samples kept, {self.lost} lost. "
                "In brackets the 95 % interval.")
