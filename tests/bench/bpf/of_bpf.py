#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""What the BPF programs cost, beside what others do, in the same run: a sample against
bcc's way (sampling.c), a look-up against an LPM trie (lookup.c).

A slice measures all sides; the ratio is the geometric mean over the slices, with its
95 % interval.  Run alone it prints the tables.  Settings: BENCH_SLICES (20), and
BENCH_ONLY=sampling or lookup; OUTPUT as for make.  Needs root."""

import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
from statistics_of_pairs import change, verdict  # noqa: E402

OUTPUT = os.path.abspath(os.environ.get("OUTPUT", ".output"))
PORT = 5079
PROGRAMS = {"demo": [f"{OUTPUT}/apps/demo/demo", "3600", "--threads", str(os.cpu_count())],
            "Kestrel": [f"{OUTPUT}/apps/web/web", "--urls", f"http://127.0.0.1:{PORT}"]}
# Frequency, seconds of a slice, bar: enough samples in each slice.
FREQUENCIES = ((997, 1, 0.75), (99, 3, 1.0))
DEPTH_BAR = 1.0
BODIES = ((1_000, None), (64_000, 0.25), (1_000_000, 0.25))


def numbers(command):
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    lines = [[float(word) for word in line.split()] for line in text.splitlines()]
    return lines[:-1], lines[-1]


def load_on(name):
    if name != "Kestrel":
        return None
    return subprocess.Popen(["wrk", "-t1", "-c16", "-d3600s", f"http://127.0.0.1:{PORT}/json"],
                            stdout=subprocess.DEVNULL)


def frames_recorded(recording):
    """Mean frames of our samples, user side."""
    folded = subprocess.run([f"{OUTPUT}/tierscope", "report", "--format", "folded", recording], check=True,
                            capture_output=True, text=True).stdout
    samples = frames = 0
    for line in folded.splitlines():
        stack, count = line.rsplit(" ", 1)
        samples += int(count)
        frames += int(count) * (1 + stack.count(";"))
    return frames / samples


def sample_times(name, frequency, slices, seconds):
    """Per slice: ours, the peer's, the peer's once more; and what was sampled."""
    with tempfile.TemporaryDirectory(prefix="tierscope-bench-") as folder:
        recording = f"{folder}/bench.tscope"
        record = subprocess.Popen([f"{OUTPUT}/tierscope", "record", "-F", str(frequency), "-o", recording, "--",
                                   *PROGRAMS[name]], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        load, pid = None, None
        try:
            for line in record.stdout:
                if match := re.search(r"pid (\d+)", line):
                    pid = int(match[1])
                    break
            else:
                sys.exit(f"bench: {name} did not start")
            load = load_on(name)
            times, sampled = numbers([f"{OUTPUT}/bench/sampling", str(pid), str(frequency), str(slices),
                                      str(seconds)])
        finally:
            if load:
                load.kill()
                load.wait()
            if pid:
                os.kill(pid, signal.SIGTERM)
            record.communicate()
        return times, [*sampled, frames_recorded(recording)]


def columns(times):
    """Means of ours and the peer's, and the two ratios less one."""
    ours, peer, _ = ([line[i] for line in times] for i in range(3))
    return (statistics.fmean(ours), statistics.fmean(peer), change([(b, c) for _, b, c in times]),
            change([(b, a) for a, b, _ in times]))


def ratio(ends):
    mean, low, high = (1 + x for x in ends)
    return f"{mean:.2f} [{low:.2f}, {high:.2f}]"


def row(what, times, bar):
    ours, peer, noise, ends = columns(times)
    said = f"{bar:.2f}: {verdict(ends, bar - 1)}" if bar else ""
    return "| " + " | ".join((what, f"{ours:.0f} ns", f"{peer:.0f} ns", ratio(noise), ratio(ends), said)) + " |"


def at_same_depth(times, frames, peer_frames):
    """The ratio for each frame that was found.  What a sample costs before its first frame is in
    both: so it favours the deeper, a little."""
    ends = tuple((1 + x) * peer_frames / frames - 1 for x in columns(times)[3])
    return f" {ratio(ends)} | {DEPTH_BAR:.2f}: {verdict(ends, DEPTH_BAR - 1)} |"


def sampling_table(slices):
    rows, notes = [], []
    for name in PROGRAMS:
        for frequency, seconds, bar in FREQUENCIES:
            print(f"bpf: {name} at {frequency} Hz", file=sys.stderr)
            times, (kept, peer_frames, lost, frames) = sample_times(name, frequency, slices, seconds)
            rows.append(row(f"{name}, {frequency} Hz", times, bar) + at_same_depth(times, frames, peer_frames))
            notes.append(f"{name} at {frequency} Hz: {kept:.0f} samples of ours, {frames:.1f} frames each "
                         f"({peer_frames:.1f} at the peer, which lost {lost:.1%} of its stacks).")
    return "\n".join(["### BPF time per sample, beside `bpf_get_stackid` and a hash count", "",
                      "| | ours | peer | peer once more | ours / peer | bar | the same, per frame | bar |",
                      "|---" * 8 + "|", *rows, "", f"{slices} slices. " + " ".join(notes), "", ""])


def lookup_table(slices):
    rows, notes = [], []
    for bodies, bar in BODIES:
        print(f"bpf: look-up among {bodies} bodies", file=sys.stderr)
        times, (prefixes,) = numbers([f"{OUTPUT}/bench/lookup", str(bodies), str(slices)])
        rows.append(row(f"{bodies:,} bodies", times, bar))
        notes.append(f"{bodies:,} bodies are {prefixes:,.0f} prefixes")
    return "\n".join(["### Address to body, beside an LPM trie", "",
                      "| | code map | trie | trie once more | code map / trie | bar |", "|---" * 6 + "|", *rows, "",
                      f"{slices} slices of 65,536 random addresses. " + "; ".join(notes) + ".", "", ""])


def tables(slices):
    only = os.environ.get("BENCH_ONLY")
    text = ""
    if only != "lookup":
        text += sampling_table(slices)
    if only != "sampling":
        text += lookup_table(slices)
    return text


if __name__ == "__main__":
    if os.geteuid() != 0:
        sys.exit("bench: loading BPF programs needs root")
    print(tables(int(os.environ.get("BENCH_SLICES", "20"))))
