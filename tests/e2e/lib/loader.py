# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Running the tierscope command."""

import json
import os
import signal
import subprocess

from . import check, programs

TIERSCOPE = os.path.join(programs.OUTPUT, "tierscope")
FREQUENCY = 997


class Result:
    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __str__(self):
        return f"exit code {self.code}\nstdout:\n{self.out[-3000:]}\nstderr:\n{self.err[-3000:]}"


def run(*arguments, env=None, timeout=60, prefix=(), cwd=None, binary=TIERSCOPE):
    """Runs `tierscope ARGUMENTS` to its end."""
    done = subprocess.run([*prefix, binary, *map(str, arguments)], env=env or programs.environment(), cwd=cwd,
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout)
    return Result(done.returncode, done.stdout.decode("utf-8", "backslashreplace"),
                  done.stderr.decode("utf-8", "backslashreplace"))


class Recorder(programs.Program):
    """A running `tierscope record`; its output goes to files, so that it never
    waits for us and programs that outlive it hold no pipe of ours."""

    def __init__(self, t, *arguments, env=None, prefix=(), command="record"):
        number = len([f for f in os.listdir(t.folder) if f.startswith("record-err")])
        self._files = [t.path(f"record-out{number}"), t.path(f"record-err{number}")]
        with open(self._files[0], "wb") as out, open(self._files[1], "wb") as err:
            super().__init__(t, [*prefix, TIERSCOPE, command, *map(str, arguments)], env=env, stdout=out, stderr=err)

    def texts(self):
        texts = []
        for path in self._files:
            with open(path, encoding="utf-8", errors="backslashreplace") as file:
                texts.append(file.read())
        return texts

    def finish(self, timeout=60):
        code = self.wait(timeout)
        return Result(code, *self.texts())

    def interrupt(self, timeout=30):
        self.process.send_signal(signal.SIGINT)
        return self.finish(timeout)


def record(t, *arguments, timeout=90, **more):
    return Recorder(t, *arguments, **more).finish(timeout)


def wait_for_recording(recorder):
    """Returns once the recording has samples: its file has grown beyond what
    is written before the first."""
    path = recorder.command[recorder.command.index("-o") + 1]
    programs.wait_until(
        lambda: recorder.process.poll() is not None or (os.path.exists(path) and os.path.getsize(path) > 0),
        "the recording to begin")
    check.that(recorder.process.poll() is None, f"record ended too early: {recorder.texts()}")


def report(t, recording, *arguments, timeout=60):
    return run("report", recording, *arguments, timeout=timeout)


def read_json(t, recording):
    """The recording through `report --format json`."""
    path = recording + ".json"
    result = run("report", recording, "--format", "json", "-o", path)
    check.equal(result.code, 0, f"report --format json\n{result}\nexit code")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def read_events(recording, kinds, *method):
    """The lines of `events --format json`."""
    result = run("events", recording, *method, "--kind", kinds, "--format", "json")
    check.equal(result.code, 0, f"events\n{result}\nexit code")
    return [json.loads(line) for line in result.out.splitlines()]


def complaint(result, code, *words):
    """The one line on stderr that a failure owes, with `words` in it, and the
    exit code (one of several, where the contract leaves it open)."""
    codes = code if isinstance(code, tuple) else (code,)
    check.that(result.code in codes, f"wanted exit code {codes}: {result}")
    lines = [line for line in result.err.splitlines() if line.strip()]
    check.equal(len(lines), 1, f"lines on stderr of {result}\nlines")
    for word in words:
        check.that(str(word).lower() in lines[0].lower(), f"no {str(word)!r} in {lines[0]!r}")
    check.that(len(lines[0]) > 20, f"says too little: {lines[0]!r}")
