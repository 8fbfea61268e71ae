# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""The runtime's own event stream as an independent source: tests/e2e/truth."""

import collections
import json
import re
import signal
import subprocess
import time

from . import check, programs

TIME_SLACK_NS = 2_000_000_000


def now_ns():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class KilledByRundown(Exception):
    """The runtime reads the names of what is alive at a session's end (its rundown) while other
    threads free collectible contexts, and meets a module whose metadata is gone: a null pointer in
    the thread ".NET EventPipe", on 8, 9 and 10, with or without a profiler, in 3 to 7 of a hundred
    programs at a load of 6.  None of ours asks for a rundown."""


def until_no_rundown_kills(look, tries=3):
    """What look() returns, which starts the program itself: one that frees contexts, as demo and
    churn do."""
    for _ in range(tries - 1):
        try:
            return look()
        except KilledByRundown as killed:
            print(f"{killed}: once more")
    return look()


class Truth:
    """Reads a process's bodies from now on until finish(); one with a rundown is a child of ours."""

    def __init__(self, t, pid, resume=False, rundown=False):
        self._path = t.path(f"truth-{pid}.jsonl")
        self._pid, self._rundown = pid, rundown
        command = [programs.app("truth"), "--pid", str(pid), "-o", self._path]
        command += ["--resume"] if resume else []
        command += ["--rundown"] if rundown else []
        self._program = programs.Program(t, command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        printed = self._program.process.stdout.readline()
        self._check_target(printed == "ready\n")
        check.equal(printed, "ready\n", "what truth printed")
        self.ready_ns = now_ns()

    def finish(self):
        self.end_ns = now_ns()
        self._program.process.stdin.close()
        code = self._program.wait(60)
        self._check_target(code == 0)
        check.equal(code, 0, "exit code of truth")
        with open(self._path, encoding="utf-8") as file:
            self.events = [json.loads(line) for line in file]
        check.equal(self.events[-1], {"event": "end", "time_ns": 0, "lost": 0}, "last line of truth")

    def _check_target(self, well):
        """Where truth did not end well its stream broke off, perhaps before the target's end is told."""
        end = time.monotonic() + (0 if well else 5)
        while self._rundown:
            if programs.killed_by(self._pid) == signal.SIGSEGV:
                raise KilledByRundown(f"process {self._pid} died of a rundown")
            if time.monotonic() >= end:
                break
            time.sleep(0.1)

    def of(self, *kinds):
        return [e for e in self.events if e["event"] in kinds]


def key(body):
    """What makes a body the same in both sources."""
    return (int(body["function_id"], 16), int(body["start"], 16), body["size"], body["tier"], body["native_version"])


def text(body):
    name = body["name"] if "event" not in body else f"{body['namespace']}.{body['name']}"
    return (f"{body['tier']} {body['function_id']} {body['start']}+{body['size']} "
            f"version {body['native_version']} {name[:120]}")


def missing_and_extra(required, allowed, ours):
    have = {key(b) for b in ours}
    may = {key(b) for b in allowed}
    missing = {key(b): b for b in required if key(b) not in have}
    extra = {key(b): b for b in ours if key(b) not in may}
    return missing.values(), extra.values()


def check_same(required, allowed, ours):
    missing, extra = missing_and_extra(required, allowed, ours)
    problems = [f"not in ours: {text(b)}" for b in missing] + [f"not in truth: {text(b)}" for b in extra]
    check.empty(problems, f"differences among {len(ours)} bodies of ours and {len(allowed)} of truth")


def closed_ns(truth):
    """The runtime closes its event stream a moment before its last method."""
    return max(e["time_ns"] for e in truth.events)


def more_than_told(truth, ours):
    """Bodies of ours that truth does not know, or not as often."""
    told = collections.Counter(map(key, truth.of("load")))
    closed = closed_ns(truth)
    have = collections.Counter(key(b) for b in ours if b["born_ns"] <= closed)
    names = {key(b): text(b) for b in ours}
    return [f"{count} times, truth {told[k]}: {names[k]}" for k, count in have.items() if count > told[k]]


def survivors_missing(truth, ours):
    """Bodies of truth that never died and that ours does not have."""
    have = {key(b) for b in ours}
    dead = {key(b) for b in truth.of("unload")}
    return [text(b) for b in truth.of("load") if key(b) not in have and key(b) not in dead]


def check_launched(truth, ours, most_late=10):
    """Both were there from the first method to the last, but for `most_late`
    at the end."""
    loads = truth.of("load")
    check.at_least(len(loads), 50, "bodies in truth")
    known = {key(b) for b in loads}
    closed = closed_ns(truth)
    late = [b for b in ours if b["born_ns"] > closed and key(b) not in known]
    print(f"{len(late)} bodies were born after the last event of truth")
    check.at_least(most_late, len(late), "bodies after the last event of truth")
    ours = [b for b in ours if b not in late]
    check_same(loads, loads, ours)

    # Where bodies die and addresses are used again, each life counts.
    lives, died = collections.Counter(map(key, loads)), {key(b) for b in truth.of("unload")}
    have = collections.Counter(map(key, ours))
    check.empty([f"{have[k]} lives, truth {lives[k]}: {k}" for k in died if have[k] != lives[k]],
                "bodies were not told as often as they were born")


class Ends:
    """When bodies ended, themselves or with their module."""

    def __init__(self, truth):
        self._ends = {}
        for event in truth.of("unload", "module_unload"):
            ended = key(event) if event["event"] == "unload" else event["module_id"]
            self._ends.setdefault(ended, []).append(event["time_ns"])

    def of(self, body):
        """The first one after its birth, since addresses are used again; None if none was told."""
        return min((end for end in self._ends.get(key(body), []) + self._ends.get(body["module_id"], [])
                    if end >= body["time_ns"]), default=None)


def can_be_freed(body):
    """A dynamic method, or of the demo's plug-in, which is in a collectible context."""
    return body["flags"] & 1 or "Plugin." in body["namespace"]


def check_attached(truth, ours, begin_ns, end_ns, gave_up=False):
    """Every body of ours is in truth; every body of truth that was alive
    somewhere between begin and end is in ours.  A body of a collectible type
    argument goes without an event: one that was born before `begin` and is not
    there at the end may have gone before `begin`.  A hook that `gave_up` has asked about
    no more code that can be freed: on a busy machine a question may take long."""
    known = truth.of("load", "alive_at_start", "alive_at_end")
    at_end = {key(b) for b in truth.of("alive_at_end")}
    ends, required = Ends(truth), []
    for body in truth.of("load", "alive_at_start"):
        born, died = body["time_ns"], ends.of(body)
        if died is not None:
            alive = died > begin_ns
        else:
            alive = key(body) in at_end or born > begin_ns
        found_or_told = born > begin_ns or not gave_up or not can_be_freed(body)
        if alive and found_or_told and (born <= end_ns or body["event"] == "alive_at_start"):
            required.append(body)
    check.at_least(len(required), 50, "bodies that truth asks for")
    check_same(required, known, ours)


def check_tokens_and_names(truth, ours):
    """The same name, whatever its spelling, and the same token.  A dynamic
    method may be born where another of the same size died: any of them will do."""
    told = {}
    for body in truth.of("load", "alive_at_start", "alive_at_end"):
        told.setdefault(key(body), []).append(body)
    problems = []
    for body in ours:
        others = told.get(key(body), [])
        if others and not any(same_token(body, other) and same_name(body["name"], other) for other in others):
            problems.append(f"{body['name']!r} {body['token']}, "
                            f"truth {others[0]['namespace']} {others[0]['name']} {others[0]['token']}: {text(body)}")
    check.empty(problems, "tokens or names differ")


def same_token(body, other):
    return int(body["token"] or "0", 16) == int(other["token"], 16)


def same_name(name, other):
    """Lambdas, local functions and state machines are shown as the method that
    a person wrote: <Fetch>d__3.MoveNext as Fetch, <<Main>$>b__0
    as <Main>$."""
    return as_written(other) in name


def as_written(other):
    written = re.findall(r"<([\w.]+|<\w+>\$)>[a-z]__?", other["namespace"] + other["name"])
    return written[-1] if written else other["name"]


def check_times(truth, ours, end_ns=None, least=1):
    """Birth and death on the clock of the runtime, for bodies seen by both;
    deaths up to end_ns only.  A program that has settled may compile nothing any more."""
    born, died = {}, {}
    for body in truth.of("load"):
        born.setdefault(key(body), []).append(body["time_ns"])
    for body in truth.of("unload"):
        if end_ns is None or body["time_ns"] <= end_ns:
            died.setdefault(key(body), []).append(body["time_ns"])
    problems = []
    compared = 0
    for body in ours:
        if body["source"] != "event" or key(body) not in born:
            continue
        compared += 1
        if all(abs(body["born_ns"] - at) > TIME_SLACK_NS for at in born[key(body)]):
            problems.append(f"born {body['born_ns']}, truth {born[key(body)]}: {text(body)}")
        # A death before its birth is that of another at the same place.
        if (key(body) in died and body["died_ns"] is None and len(born[key(body)]) == len(died[key(body)])
                and max(died[key(body)]) >= body["born_ns"]):
            problems.append(f"still alive, truth saw it die: {text(body)}")
    check.empty(problems, f"times differ among {compared} bodies")
    check.at_least(compared, least, "bodies whose times were compared")


# A sample may lie between a body's birth or death and the event that tells it.
SAMPLE_SLACK_NS = 2_000_000


class Owners:
    """Which bodies of truth may own an address at a time."""

    PAGE = 12

    def __init__(self, truth):
        ends, self._pages = Ends(truth), {}
        self._at_end = {key(b) for b in truth.of("alive_at_end")}
        for body in truth.of("load", "alive_at_start"):
            born = body["time_ns"] if body["event"] == "load" else 0
            start = int(body["start"], 16)
            life = (start, start + body["size"], born, ends.of(body), body)
            for page in range(start >> self.PAGE, (start + body["size"] - 1 >> self.PAGE) + 1):
                self._pages.setdefault(page, []).append(life)

    def at(self, address, time_ns):
        """[(body, whether it is sure to be there)], several where addresses are used again
        and a death had no event: one that has no end, and is not there at the end, went at
        some time, and then anything can lie there, a library too."""
        return [(body, died is not None or not self._at_end or key(body) in self._at_end)
                for start, end, born, died, body in self._pages.get(address >> self.PAGE, [])
                if start <= address < end and born <= time_ns + SAMPLE_SLACK_NS
                and (died is None or time_ns <= died + SAMPLE_SLACK_NS)]


def check_samples(truth, recording, pid, begin_ns, end_ns, bar):
    """Every sample, by its address, against the runtime's own account: what
    lies in a body is given to it, and what is given to a body lies in it."""
    owners = Owners(truth)
    right, missed, wrong = 0, [], []
    for time_ns, address, sample_pid, leaf, _ in recording.samples:
        if sample_pid != pid or not begin_ns <= time_ns <= end_ns:
            continue
        kind, body = recording.frames[leaf][:2] if leaf is not None else (None, None)
        ours = None
        if kind == 0 and recording.bodies[body]["tier"] != "ReadyToRun":
            ours = recording.bodies[body]
        found = owners.at(address, time_ns)
        theirs = [body for body, _ in found]
        if ours is None and not any(sure for _, sure in found):
            continue
        if ours is not None and any(key(ours) == key(b) and same_name(ours["name"], b) for b in theirs):
            right += 1
        elif ours is None:
            missed.append(f"{address:#x} at {time_ns} is {recording.leaf_text(leaf)}, truth {text(theirs[-1])}")
        else:
            wrong.append(f"{address:#x} at {time_ns} is {text(ours)}, truth {[text(b) for b in theirs]}")
    print(f"samples in JIT bodies: {right} right, {len(missed)} missed, {len(wrong)} wrong")
    check.empty(wrong, f"samples given to a body they did not execute, {right} right")
    check.at_least(right, 20, "samples in JIT bodies by truth")
    if right < bar * (right + len(missed)):
        check.empty(missed, f"samples in JIT bodies missed, {right} right")


# The counts of each, in the order of the runtime's payload.
TIERING = {"delay_begin": (), "delay_end": ("new_methods",), "batch_begin": ("pending",), "batch_end": ("pending", "compiled")}


def is_part(some, all_of_them):
    """They are there one after the other."""
    return any(all_of_them[at:at + len(some)] == some for at in range(len(all_of_them) - len(some) + 1))


def check_tiering(truth, ours, begin_ns, end_ns, least):
    """Delays and batches, lines of `tierscope events`: each kind's are told with its counts, in
    its order, and nothing else, while both were there for certain."""
    for kind, counts in TIERING.items():
        told = [(e["time_ns"], tuple(e["counts"])) for e in truth.of(kind)]
        mine = [(e["time_ns"], tuple(e[c] for c in counts)) for e in ours if f"{e['kind']}_{e['event']}" == kind]
        inner = [[c for at, c in rows if begin_ns < at < end_ns] for rows in (told, mine)]
        print(f"{kind}: {len(inner[1])} of {len(mine)}, truth {len(inner[0])} of {len(told)}")
        check.that(is_part(inner[0], [c for _, c in mine]), f"{kind}: of {inner[0][:20]} not all are in {mine[:20]}")
        check.that(is_part(inner[1], [c for _, c in told]), f"{kind}: of {inner[1][:20]} not all are in {told[:20]}")
        check.at_least(len(inner[0]), least, f"{kind} in truth")
