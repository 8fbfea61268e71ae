# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Stacks against a program that has one right stack for each of its methods
(tests/apps/chains, which prints them): every sample in one of them, in a prolog
or an epilog too, and every sample in a stub that one of them jumped through.

And one instruction at a time (tests/accuracy/step): the walk from each of them
against the calls that were really made."""

import collections
import os
import re
import signal
import subprocess

from lib import check, loader, programs, recording

SECONDS = 6    # of CPU time
RECORDINGS_MORE = 4
TRUNCATED, PROLOG, EPILOG, CODE = 1 << 1, 1 << 4, 1 << 5, 1 << 7
FRAMES_MAX = 127
FRAME_UNKNOWN, FRAME_STUB = 3, 4
UNIT_CALLERS = ["Program.RunSlice", "Program.RunRounds"]
UNIT_CALLERS_ONCE = ["Program.RunCalls", "Program.RunRounds"]
ONCE = {"Statics.Initialize", "Throwing.Catch", "Throwing.Finally", "Throwing.Filter", "Throwing.Nested"}
MAIN_THREAD = ["Program.Main"]
OTHER_THREAD = ["Program.Enter", "Program.Main [lambda]", "System.Threading.Thread.StartCallback"]

# Who calls through what: a stub that only jumps is no caller's work but theirs.
STUB_CALLERS = {
    "resolve": {"Calls.StepsMany", "Calls.Compares", "Calls.StepsOne"},
    "dispatch": {"Calls.StepsOne", "Calls.Compares", "Calls.StepsMany"},
    "unboxing": {"Calls.Compares", "Generics.Sends", "Generics.Points"},
    "shuffle_thunk": {"Program.RunSlice", "Program.RunCalls", "Calls.CallsOpen", "Calls.CallsMulti", "RunTime.CallsEmitted",
                      "RunTime.CallsTail"},
}

class Chains:
    """callers[method] is what stands above it, up to the next method."""

    def __init__(self, lines):
        self.callers, self.depths, self.pairs = {}, {}, []
        for line in lines:
            steps = line.split(" < ")
            waiting = None
            for i, step in enumerate(steps):
                name, _, depth = step.partition("*")
                if depth:
                    self.depths[name] = int(depth)
                steps[i] = name
                if name.startswith("("):
                    continue
                if waiting is not None:
                    between = steps[waiting + 1:i + 1]
                    known = self.callers.setdefault(steps[waiting], between)
                    check.equal(known, between, f"callers of {steps[waiting]}")
                waiting = i
            # The leaf can be two instructions; it or its caller will have a sample.
            self.pairs.append(tuple(step for step in steps if not step.startswith(("(", "System.")))[:2])
            self.callers.setdefault(steps[-1], UNIT_CALLERS_ONCE if steps[-1] in ONCE else UNIT_CALLERS)


def plain(name):
    return re.sub(r"^Chains\.", "", name).split("(")[0]


def is_framework(frame):
    return frame[0] == "body" and frame[1].startswith(("System.", "Interop.", "Internal."))


class Complaint(Exception):
    pass


class Matcher:
    """Compares one stack, from one of the program's methods on, with the right one."""

    def __init__(self, chains, frames, main_thread, cut):
        self.chains, self.frames, self.cut = chains, frames, cut
        self.bottom = MAIN_THREAD if main_thread else OTHER_THREAD

    def is_end(self, at):
        return self.cut and at == len(self.frames)

    def take(self, at, name):
        if self.is_end(at):
            return at
        found = self.frames[at] if at < len(self.frames) else ("end", "the end of the stack")
        if found != ("body", name):
            raise Complaint(f"{found[1]} where {name} should be, frame {at}")
        return at + 1

    def skip(self, at, step):
        first = at
        while at < len(self.frames) and (is_framework(self.frames[at]) if step == "(framework)" else
                                         self.frames[at][0] != "body" or is_framework(self.frames[at])
                                         or self.frames[at][1].startswith("IL_STUB_")):
            at += 1
        if at == first and not self.is_end(at):
            raise Complaint(f"{self.frames[at][1]} where {step} should be, frame {at}")
        return at

    def method(self, at, called):
        """From the method at `at`, which another of them called or which is the leaf."""
        name, first = self.frames[at][1], at
        depth = self.chains.depths.get(name)
        at += 1
        if depth:
            while at < len(self.frames) and self.frames[at] == ("body", name):
                at += 1
            if at - first > depth or (called and at - first < depth and not self.is_end(at)):
                raise Complaint(f"{at - first} times {name}, not {depth}")
        for step in self.chains.callers[name]:
            at = self.skip(at, step) if step.startswith("(") else self.take(at, step)
        if self.is_end(at):
            return
        if self.frames[at - 1][1] in self.chains.callers:
            self.method(at - 1, True)
            return
        if self.frames[at - 1][1] == UNIT_CALLERS[-1]:
            self.end(at)
            return
        raise Complaint(f"frame {at - 1}, {self.frames[at - 1][1]}, is no method of a chain")

    def end(self, at):
        for name in self.bottom:
            at = self.take(at, name)
        rest = [frame[1] for frame in self.frames[at:] if frame[0] == "body"]
        if rest:
            raise Complaint(f"{rest[0]} below the thread's entry")


class Check:
    def __init__(self, chains, path, pid):
        self.chains, self.recorded, self.pid = chains, recording.Recording(path), pid
        recorded = self.recorded
        self.right, self.wrong = collections.Counter(), collections.Counter()
        self.examples = {}
        self.flags, self.strangers = collections.Counter(), collections.Counter()
        self.early = 0
        self.tiers = collections.defaultdict(set)
        samples = [(sample, tid, list(recorded.numbers_of(stack))) for sample, tid, stack
                   in zip(recorded.samples, recorded.tids_of_samples, recorded.stacks_of_samples) if sample[2] == pid]
        # Precompiled code cannot be walked through before its image's table is there.
        ready = max((sample[0] for sample, _, numbers in samples if sample[4] & CODE and self.precompiled(numbers[:1])),
                    default=0)
        for sample, tid, numbers in samples:
            self.excused = sample[0] <= ready and self.precompiled(numbers)
            if numbers:
                self.sample(tid, numbers, sample[4])

    def precompiled(self, numbers):
        return any(self.recorded.frames[n][0] == recording.FRAME_BODY
                   and self.recorded.bodies[self.recorded.frames[n][1]]["tier"] == "ReadyToRun" for n in numbers)

    def frame(self, number):
        kind, body, name, _ = self.recorded.frames[number]
        if kind == recording.FRAME_BODY:
            return ("body", plain(self.recorded.bodies[body]["name"]))
        return ("stub", name.partition(" -> ")[0]) if kind == FRAME_STUB else ("native", name)

    def sample(self, tid, numbers, flags):
        frames = [self.frame(number) for number in numbers]
        kind, leaf = frames[0]
        if self.recorded.frames[numbers[0]][0] == FRAME_UNKNOWN:
            self.strangers[leaf, frames[1][1] if frames[1:] else ""] += 1
        matcher = Matcher(self.chains, frames, tid == self.pid, flags & TRUNCATED and len(frames) == FRAMES_MAX)
        if kind == "body" and leaf in self.chains.callers:
            self.tiers[leaf].add(self.recorded.bodies[self.recorded.frames[numbers[0]][1]]["tier"])
            self.flags.update(flag for flag in (PROLOG, EPILOG, TRUNCATED) if flags & flag)
            self.judge("method", leaf, frames, lambda: matcher.method(0, False), flags)
        elif kind == "stub":
            self.target(plain(self.recorded.frames[numbers[0]][2].partition(" -> ")[2]), frames)
            self.judge("stub", leaf, frames, lambda: self.after(matcher, 1, STUB_CALLERS.get(leaf)), flags)
        elif is_framework(frames[0]) and not any(frame[1].startswith("System.Runtime.EH") for frame in frames):
            at = next((i for i, frame in enumerate(frames) if not is_framework(frame)), 0)
            if at and frames[at][0] == "body" and frames[at][1] in self.chains.callers:
                self.judge("framework", leaf, frames, lambda: self.after(matcher, at, None), flags)

    def target(self, target, frames):
        """The method that a stub leads to has one caller, who has to be the stub's."""
        caller = self.chains.callers.get(target, ["(nobody)"])[0]
        if caller.startswith("(") or target in self.chains.depths or self.excused:
            return
        if frames[1:2] == [("body", caller)]:
            self.right["target", target] += 1
        else:
            self.wrong["target", target] += 1
            self.examples.setdefault(("target", target), " < ".join(frame[1] for frame in frames[:6]))

    def after(self, matcher, at, allowed):
        """A stub, or the framework, called by a method of a chain."""
        frames = matcher.frames
        if at >= len(frames):
            raise Complaint("nobody called it")
        while at < len(frames) and (is_framework(frames[at]) or frames[at][1].startswith("IL_STUB_")):
            allowed = None
            at += 1
        name = frames[at][1]
        if allowed is not None and name not in allowed:
            raise Complaint(f"{name} does not call it")
        if name in self.chains.callers:
            matcher.method(at, False)
        elif name == "Program.RunSlice":
            matcher.end(matcher.take(at + 1, "Program.RunRounds"))

    def judge(self, kind, leaf, frames, match, flags):
        try:
            match()
            self.right[kind, leaf] += 1
        except Complaint as complaint:
            if self.excused:
                self.early += 1
                return
            self.wrong[kind, leaf] += 1
            shown = " < ".join(frame[1] for frame in frames[:12])
            self.examples.setdefault((kind, leaf), f"{complaint}; flags {flags:#x}: {shown}")

    def unknown(self):
        """Who called code that nobody knows, and how often it was the leaf."""
        return self.strangers.most_common()

    def hits(self):
        """Samples in each chain, by its last two methods: pairs that no sample fell into too."""
        return collections.Counter({pair: sum(self.right["method", name] for name in pair) for pair in self.chains.pairs})

    def complaints(self, kind):
        return [f"{leaf}: {count} wrong, {self.right[k, leaf]} right: {self.examples[k, leaf]}"
                for (k, leaf), count in self.wrong.most_common() if k == kind]


def read_chains(lines):
    return Chains([line.removeprefix("chain ").strip() for line in lines if line.startswith("chain ")])


def check_recording(t, chains, path, pid):
    result = Check(chains, path, pid)
    sums = collections.Counter()
    for (kind, _), count in result.right.items():
        sums[kind] += count
    print(f"right: {dict(sums)}, prologs {result.flags[PROLOG]}, epilogs {result.flags[EPILOG]}, "
          f"truncated {result.flags[TRUNCATED]}, wrong before the image's table {result.early}, "
          f"in unknown code {result.unknown()}")
    with t.case("every method's stack is exact"):
        check.at_least(sums["method"], 500, "samples in methods of known chains")
        check.empty(result.complaints("method"), "methods have wrong stacks", 60)
    with t.case("stubs have the right caller"):
        check.at_least(sums["stub"], 20, "samples in stubs")
        check.empty(result.complaints("stub"), "kinds of stubs have wrong stacks", 40)
    with t.case("methods that stubs lead to are those that their callers call"):
        check.empty(result.complaints("target"), "targets are wrong", 40)
    with t.case("the framework's methods have the right caller"):
        check.at_least(sums["framework"], 20, "samples in the framework's methods")
        check.empty(result.complaints("framework"), "methods of the framework have wrong stacks", 40)
    with t.case("prologs and epilogs were hit"):
        for flag, name in ((PROLOG, "prologs"), (EPILOG, "epilogs")):
            check.at_least(result.flags[flag], 20, f"samples in {name}")
    with t.case("stacks deeper than a sample holds were cut"):
        check.at_least(result.flags[TRUNCATED], 1, "truncated samples")
    return result


def check_chains(t, record):
    """Judges what record() gives; more of it is only to hit what the first one missed by chance."""
    result = check_recording(t, *record())
    with t.case("each kind of chain was hit"):
        hits = result.hits()
        for _ in range(RECORDINGS_MORE):
            if all(hits.values()):
                break
            print(f"without a sample: {[pair for pair, samples in hits.items() if not samples]}")
            hits.update(Check(*record()).hits())
        print(f"chains with the fewest samples: {hits.most_common()[:-6:-1]}")
        check.empty([pair for pair, samples in hits.items() if not samples], "chains without a sample")
    return result


def launched(t, environment, program=None):
    programs.need_root()

    def record():
        path = t.path("chains.tscope")
        done = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "--", program or programs.app("chains"), SECONDS,
                             env=programs.environment(**environment), timeout=240)
        check.equal(done.code, 0, f"{done}\nexit code")
        lines = done.out.splitlines()
        return read_chains(lines), path, int(re.match(r"chains: pid (\d+)", lines[0])[1])

    return check_chains(t, record)


@check.test("chains launched", timeout=300)
def chains_launched(t):
    launched(t, {})


@check.test("chains attached", timeout=300)
def chains_attached(t):
    programs.need_root()

    def record():
        program = programs.start_app(t, "chains", str(SECONDS))
        path = t.path("chains.tscope")
        done = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "-p", program.pid, timeout=240)
        check.equal(done.code, 0, f"{done}\nexit code")
        return read_chains(program.process.stdout), path, program.pid

    check_chains(t, record)


@check.test("chains at tier 0", timeout=300)
def chains_at_tier0(t):
    result = launched(t, TIER0)
    with t.case("loops were replaced on the stack"):
        check.that("OptimizedTier1OSR" in result.tiers["Loops.ReplacedInner"], f"{result.tiers['Loops.ReplacedInner']}")


@check.test("chains optimized at once", timeout=300)
def chains_optimized(t):
    launched(t, {"DOTNET_TieredCompilation": "0"})


@check.test("chains in hot and cold parts", timeout=300)
def chains_hot_cold(t):
    """Precompiled, and left so; handlers lie in the cold parts."""
    result = launched(t, {"DOTNET_TC_CallCountThreshold": "0x7fffffff"}, programs.app_on("hot-cold", "chains"))
    with t.case("of one precompiled function both parts were hit"):
        parts = collections.Counter(body["name"] for body in result.recorded.bodies if body["tier"] == "ReadyToRun"
                                    and body["name"].startswith("Chains."))
        print(f"parts: {parts.most_common(3)}")
        check.at_least(max(parts.values(), default=0), 2, "parts of a function with samples in their stacks")


TIER0 = {"DOTNET_TC_CallCountThreshold": "0x7fffffff", "DOTNET_OSR_HitLimit": "1",
         "DOTNET_TC_OnStackReplacement_InitialCounter": "10"}
STEPS = 250_000    # in managed code: more than a round
# What so many instructions of the program are sure to have.
STEPPED = ("Chains.Frames.Tiny", "Chains.Calls.StepsMany", "Chains.Framework.Sorts")


def step(t, rounds, environment):
    """Once the program has done 2 ** rounds rounds; gives what the stepper counted."""
    recorder = loader.Recorder(t, "-o", t.path("stepped.tscope"), "-F", loader.FREQUENCY, "--", programs.app("chains"),
                               600, "--calls", 1, "--threads", 0, env=programs.environment(**environment))
    pid = int(programs.wait_until(lambda: re.search(r"chains: pid (\d+)", recorder.texts()[0]), "the program", 120)[1])
    programs.wait_until(lambda: recorder.texts()[0].count("round") > rounds, "its rounds", 120)
    done = subprocess.run([programs.app("step"), str(pid), str(STEPS)], stdout=subprocess.PIPE, text=True, timeout=200,
                          check=False)
    os.kill(pid, signal.SIGKILL)
    recorder.finish()
    lines = done.stdout.splitlines()
    print("\n".join(line for line in lines if not line.startswith("body ")))
    check.that(done.returncode in (0, 1) and lines, f"step ended with {done.returncode}")
    counts = dict(zip(*[iter(lines[-1].split())] * 2))
    return {name: int(count) for name, count in counts.items()}, {line[5:] for line in lines if line.startswith("body ")}


@check.test("chains stepped", timeout=600)
def chains_stepped(t):
    programs.need_root()
    for title, rounds, environment in (("as it begins", 1, {}), ("when it is warm", 12, {}), ("at tier 0", 3, TIER0),
                                       ("optimized at once", 3, {"DOTNET_TieredCompilation": "0"})):
        with t.case(f"{title}: the walk is right at every instruction"):
            counts, seen = step(t, rounds, environment)
            check.equal((counts["wrong"], counts["astray"]), (0, 0), "wrong stacks, returns to elsewhere")
            check.equal(counts["strange"], 0, "instructions in stubs that nobody knows")
            check.at_least(counts["checked"], STEPS, "instructions in managed code")
            for kind in ("stubs", "prologs", "epilogs"):
                check.at_least(counts[kind], 100, kind)
            check.empty([name for name in STEPPED if name not in seen], "methods without a step")
