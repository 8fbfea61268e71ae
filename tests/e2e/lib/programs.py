# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""The test programs: where they are, starting them, ending them."""

import glob
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import time

from . import check

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
OUTPUT = os.path.abspath(os.environ.get("OUTPUT") or os.path.join(ROOT, ".output"))
APPS = os.path.join(OUTPUT, "apps")

# A profiler for tests, main or not (tests/rejit).
REJIT_PROFILER = os.path.realpath(os.path.join(APPS, "rejit_profiler.so"))
HOOK_CLSID = "{7A5C09E1-3B52-4D64-9C1E-7E1D5C09E001}"
REJIT_CLSID = "{5C09E002-3B52-4D64-9C1E-7E1D5C09E001}"

# What would change a target behind the test's back.
CLEANED = re.compile(r"^(CORECLR_|COR_|DOTNET_(EnableDiagnostics|EnableWrite|Diagnostic|Default|JIT|Tiered|TC_|ReadyToRun)|TIERSCOPE_(?!CACHE))")


def environment(**more):
    """The environment without profiler settings, with `more`."""
    result = {name: value for name, value in os.environ.items() if not CLEANED.match(name)}
    result.update(more)
    return result


def app(name):
    """The path of a test program: demo, web, shares, short, hostile, truth."""
    path = os.path.join(APPS, name, os.path.basename(name))
    check.that(os.path.exists(path), f"{path} is not built: make apps truth")
    return path


def app_on(runtime, name):
    """The same with a runtime of its own: net8.0, net9.0."""
    if os.path.exists(os.path.join(APPS, runtime, "unreachable")):
        raise check.Skip(f"NuGet could not be reached for the packages of {runtime}")
    return app(os.path.join(runtime, name))


def main_profiler():
    """The environment that loads it as main profiler."""
    check.that(os.path.exists(REJIT_PROFILER), f"{REJIT_PROFILER} is not built: make e2e-test")
    return {"CORECLR_ENABLE_PROFILING": "1", "CORECLR_PROFILER": REJIT_CLSID, "CORECLR_PROFILER_PATH": REJIT_PROFILER,
            "REJIT_PROFILER": REJIT_PROFILER}


def hooked(hook=None):
    """The environment that makes a runtime load the hook from the start."""
    return {"CORECLR_ENABLE_NOTIFICATION_PROFILERS": "1",
            "CORECLR_NOTIFICATION_PROFILERS": f"{hook or os.path.join(OUTPUT, 'libtierscope_hook.so')}={HOOK_CLSID};"}


def dotnet_trace():
    if os.path.exists(os.path.join(OUTPUT, "tools", "unreachable")):
        raise check.Skip("NuGet could not be reached for dotnet-trace")
    path = os.path.join(OUTPUT, "tools", "dotnet-trace")
    check.that(os.path.exists(path), f"{path} is not installed: make e2e-test")
    return path


def compiler(name="csc"):
    """The command that compiles a large C# file; append the output file."""
    path = os.path.join(APPS, name, "compile")
    check.that(os.path.exists(path), f"{path} is not generated: make apps")
    return path


def need(tool):
    if not shutil.which(tool):
        raise check.Skip(f"{tool} is not installed")
    return tool


def need_root():
    if os.geteuid() != 0:
        raise check.Skip("needs root")


class Program:
    """A running program that is ended with the test at the latest."""

    def __init__(self, t, command, env=None, **popen):
        self.command = command
        self.process = subprocess.Popen(
            command, env=environment() if env is None else env, stdin=popen.pop("stdin", subprocess.DEVNULL), **popen)
        self.pid = self.process.pid
        t.on_end(self.kill)

    def kill(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout, self.process.stderr):
            if pipe:
                pipe.close()

    def wait(self, timeout=60):
        return self.process.wait(timeout=timeout)

    def stop(self, signal_number, timeout=30):
        self.process.send_signal(signal_number)
        return self.process.wait(timeout=timeout)

    def check_goes_on(self):
        """It lives, and ends when it is told to: before 10 the runtime does that in order."""
        check.equal(self.process.poll(), None, f"exit code of {self.command[0]}, which was to go on: it")
        code = self.stop(signal.SIGTERM)
        check.that(code in (-signal.SIGTERM, 128 + signal.SIGTERM), f"{self.command[0]} ended with {code}")


def journals(pid):
    """Paths of the descriptors of the process that are journals of a hook."""
    folder = f"/proc/{pid}/fd"
    found = []
    for number in os.listdir(folder):
        try:
            if "memfd:tierscope-journal" in os.readlink(f"{folder}/{number}"):
                found.append(f"{folder}/{number}")
        except FileNotFoundError:
            pass  # closed since
    return found


# enum ts_hook_state, and where struct ts_journal_header has it.
HOOK_LIVE, HOOK_RESTING = 1, 3
HOOK_STATE_AT = 88


def hook_state(pid):
    """Of the hook in the process; None: it has made no journal."""
    for path in journals(pid):
        with open(path, "rb") as file:
            file.seek(HOOK_STATE_AT)
            return struct.unpack("<I", file.read(4))[0]
    return None


def start_app(t, name, *arguments, env=None, path=None):
    """Starts a test program and returns when it has printed its first line."""
    program = Program(t, [path or app(name), *arguments], env=env, stdout=subprocess.PIPE, text=True)
    line = program.process.stdout.readline()
    check.that(line.startswith(f"{name}:"), f"{name} printed {line!r} at its start")
    return program


def wait_until(condition, what, timeout=30):
    """Polls; returns what the condition returned.  The time-out is a failure."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        check.that(time.monotonic() < end, f"waited {timeout} s for {what}")
        time.sleep(0.02)


def diagnostics_socket(pid):
    """By its time of start: one of that number that was killed has left its own."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            start = stat.read().rsplit(")", 1)[1].split()[19]
    except FileNotFoundError:
        return []
    return glob.glob(f"/tmp/dotnet-diagnostic-{pid}-{start}-socket")


def state(pid):
    """As in stat: R, S, T ...; Z and X: it has ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return "X"


def killed_by(pid):
    """The signal that ended a child whose end nobody has asked for yet; None: it lives, or ended otherwise."""
    ended = os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    return ended.si_status if ended and ended.si_code in (os.CLD_KILLED, os.CLD_DUMPED) else None


def cpu_seconds(pid):
    """What the process has used so far; it may have ended."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
    except FileNotFoundError:
        return 0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def wait_until_worked(pid, seconds, timeout=90):
    """Returns when the process has had so much CPU time (a busy machine gives it later), or has ended."""
    wait_until(lambda: cpu_seconds(pid) >= seconds or state(pid) in "ZX", f"{seconds} s of work of process {pid}", timeout)


def descendants(pid):
    """Process ids below pid, itself not included."""
    found = []
    try:
        for task in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{task}/children", encoding="ascii") as children:
                found += [int(child) for child in children.read().split()]
    except OSError:
        return found
    return found + [deeper for child in found for deeper in descendants(child)]


def wait_for_dotnet(pid, timeout=30):
    """The first process below pid that has a diagnostics socket."""
    def find():
        return next((child for child in descendants(pid) if diagnostics_socket(child)), None)
    return wait_until(find, f"a .NET process below {pid}", timeout)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_for_port(port):
    def connect():
        with socket.socket() as client:
            return client.connect_ex(("127.0.0.1", port)) == 0
    wait_until(connect, f"port {port}")


ROUTES = ("json", "regex", "fib/18", "plain")


def load_web(port, seconds):
    """Puts every route of the web program under load, for `seconds` in all."""
    need("wrk")
    each = max(1, round(seconds / len(ROUTES)))
    for route in ROUTES:
        subprocess.run(["wrk", "-t1", "-c4", f"-d{each}s", f"http://127.0.0.1:{port}/{route}"],
                       check=True, stdout=subprocess.DEVNULL, timeout=each + 30)


def start_load(t, port, seconds):
    """The same in the background: one wrk per route, all at once."""
    need("wrk")
    return [Program(t, ["wrk", "-t1", "-c2", f"-d{seconds}s", f"http://127.0.0.1:{port}/{route}"],
                    stdout=subprocess.DEVNULL) for route in ROUTES]
