# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Tables of the benchmark, as Markdown, and the place in a document for them."""

import datetime
import os
import platform
import statistics
import subprocess

# A busy machine makes every figure worthless: the reader has to know.
LOAD_BEFORE = os.getloadavg()
BEGIN, END = "<!-- bench: begin, written by make bench -->", "<!-- bench: end -->"


def seconds(values):
    return f"{statistics.median(values):.3f} s"


def percent(ends, digits=1):
    middle, low, high = ends
    return f"{middle:+.{digits}%} [{low:+.{digits}%}, {high:+.{digits}%}]"


def milliseconds(ends):
    middle, low, high = (1000 * x for x in ends)
    return f"{middle:+.1f} ms [{low:+.1f}, {high:+.1f}]"


def grid(head, rows):
    return "\n".join(["| " + " | ".join(head) + " |", "|---" * len(head) + "|",
                      *("| " + " | ".join(row) + " |" for row in rows)])


def table(title, head, rows, note):
    return "\n".join([f"### {title}", "", grid(head, rows), "", note, ""])


def output_of(*command):
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    return result.stdout.strip() or "unknown"


def machine():
    model = "unknown processor"
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return (f"{os.cpu_count()} CPUs ({model}), Linux {platform.release()}, "
            f".NET SDK {output_of('dotnet', '--version')}, load {LOAD_BEFORE[0]:.1f} before it began")


def settings():
    names = ("BENCH_ONLY", "BENCH_PEERS", "BENCH_PAIRS", "BENCH_WRITE")
    return " ".join(f"{name}={os.environ[name]}" for name in names if name in os.environ)


def where(command):
    commit = output_of("git", "describe", "--always", "--dirty")
    return f"`{command}` on {datetime.date.today()}, commit {commit}: {machine()}."


def put(path, begin, end, text):
    """In the place of what stands between the two lines."""
    with open(path, encoding="utf-8") as file:
        before, _, rest = file.read().partition(begin)
    _, _, after = rest.partition(end)
    with open(path, "w", encoding="utf-8") as file:
        file.write(before + begin + "\n" + text.rstrip() + "\n" + end + after)


def write(path, text):
    put(path, BEGIN, END, f"{where(f'sudo make bench {settings()}')}\n\n{text}")
