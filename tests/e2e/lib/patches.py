# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""What calls reach, as the recorder read it from the runtime's entry cells.  Truth is the
runtime's rule, that once tiering has settled they reach the version which was compiled
last; and, where a ReJIT changes it, the program that asks for it (test_rejit.py).  That the
windows are true, hardware watchpoints tell (test_watch.py)."""

import collections

from . import check

# What was compiled so shortly before the end may not be published yet.
SETTLING_NS = 1_000_000_000
# Of functions that can be told: see publication/.  A batch of the tiering thread, some dozens,
# may come between the last that the recorder hears of bodies and its last look at cells.
TOLD_BAR = 0.95
# Between a body's publication and that the hook saw it, half of the times at most.
TOLD_NS = 1_000_000
# Of bodies that the hook told of.  A body may be born and published before anybody listens.
PUBLISHED_BAR = 0.95
# Fewer say nothing of a median.
FEW = 50
# The demo's plug-in is in a collectible context, whose methods have no versions.
COLLECTIBLE = "Plugin"


def by_function(patches):
    functions = collections.defaultdict(list)
    for patch in patches:
        functions[patch["function_id"]].append(patch)
    return functions


class Bodies:
    def __init__(self, document, pid):
        self.patches = [p for p in document.document["patches"] if p["pid"] == pid]
        self.jit = [b for b in document.jit(pid) if not b["dynamic"] and b["died_ns"] is None
                    and COLLECTIBLE not in b["name"]]
        self.at = {b["start"]: b for b in document.bodies if b["pid"] == pid and b["died_ns"] is None}


def check_windows(document, pid):
    """A function's windows are in order and overlap by no more than a look, which lasts from the
    begin of one to the end of another; only the first may have no begin; each body was there by
    the end of its own, and lives as the patches say."""
    bodies, problems = Bodies(document, pid), []
    for function, patches in by_function(bodies.patches).items():
        before = (0, 0)
        for number, patch in enumerate(patches):
            low, high = patch["window_ns"]
            body = bodies.at.get(patch["body"])
            last = patch is patches[-1]
            if (low == 0 and number) or low < before[0] or high <= max(low, before[1]):
                problems.append(f"{function}: window {low} to {high} after {before}")
            if (patch["body"] is None) != (patch["target"] in ("prestub", "unknown")):
                problems.append(f"{function}: {patch['target']} leads to {patch['body']}")
            if body and body["born_ns"] > high:
                problems.append(f"{body['name']}: reached by {high}, born {body['born_ns']}")
            if body and body["function_id"] not in (None, function):
                problems.append(f"{body['name']}: reached by calls of {function}")
            if body and last and (body["superseded_ns"] or not body["published_ns"]):
                problems.append(f"{body['name']}: reached last, but {body['published_ns']}, {body['superseded_ns']}")
            before = (low, high)
        final = patches[-1]["body"]
        for start in {p["body"] for p in patches} - {final, None}:
            if start in bodies.at and not bodies.at[start]["superseded_ns"]:
                problems.append(f"{bodies.at[start]['name']}: {start} is not reached any more, and not superseded")
    check.empty(problems, f"problems in {len(bodies.patches)} patches")
    return bodies


def check_told(document, pid, end_ns, least):
    """New bodies are published, and when is known to a millisecond."""
    bodies = Bodies(document, pid)
    new = [b for b in bodies.jit if b["source"] == "event" and b["tier"] != "OptimizedTier1OSR"
           and b["born_ns"] < end_ns - SETTLING_NS]
    published = [b for b in new if b["published_ns"]]
    widths = sorted(b["published_ns"][1] - b["published_ns"][0] for b in published if b["published_ns"][0])
    print(f"{len(published)} of {len(new)} new bodies were published"
          + (f", half within {widths[len(widths) // 2] / 1e6:.3f} ms, 9 of 10 within {widths[len(widths) * 9 // 10] / 1e6:.3f} ms"
             if widths else ""))
    check.at_least(len(widths), least, "bodies with a window")
    if len(widths) < FEW:
        return
    check.at_least(TOLD_NS, widths[len(widths) // 2], "the median window, at most")
    check.at_least(len(published) / len(new), PUBLISHED_BAR, "share of new bodies that were published")


def check_settled(document, pid, end_ns):
    """At the end of a recording that its process outlived."""
    bodies = Bodies(document, pid)
    versions, problems, right = collections.defaultdict(list), [], 0
    for body in bodies.jit:
        versions[body["function_id"]].append(body)
    functions = by_function(bodies.patches)
    young = [function for function in versions if function not in functions
             and all(b["born_ns"] >= end_ns - SETTLING_NS for b in versions[function])]
    told = [function for function in versions if function in functions]
    for function in told:
        last = functions[function][-1]
        reached = bodies.at.get(last["body"])
        # A revert goes back to an older one.
        if any(b["rejit_id"] for b in versions[function]):
            continue
        newer = [b for b in versions[function] if b["tier"] != "OptimizedTier1OSR" and b["born_ns"] < end_ns - SETTLING_NS
                 and (reached is None or reached["tier"] == "ReadyToRun" or b["native_version"] > reached["native_version"])]
        right += not newer
        problems += [f"{b['name']} {b['tier']}: compiled last, but calls reach {last['target']} {last['body']}" for b in newer]
    print(f"what calls reach is known of {len(told)} of {len(versions)} functions, {len(young)} are too young, of {right} it is what was compiled last")
    for body in [b for b in bodies.jit if b["function_id"] not in functions and b["function_id"] not in young][:10]:
        print(f"nothing is told of {body['name']}: {body['tier']} {body['source']}, born {(end_ns - body['born_ns']) / 1e9:.3f} s before the end")
    check.empty(problems, "bodies should be reached and are not")
    check.at_least(right, 50, "functions of which it was checked what calls reach")
    check.at_least(len(told) / (len(versions) - len(young)), TOLD_BAR, f"share of {len(versions)} functions that tell what calls reach")
