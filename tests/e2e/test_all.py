# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""`record -a`: every process that has the hook, and with --attach the others.

All programs here run as a user of their own, and -u keeps tierscope away from
whatever else runs on the machine."""

import os
import re
import shutil
import signal
import subprocess
import time

from lib import check, loader, programs, report

USER = "61234"
AS_USER = ("setpriv", f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--inh-caps=-all")


class Stage:
    """Copies of the programs that the user may run, and a folder for sockets."""

    def __init__(self, t):
        programs.need_root()
        programs.need("setpriv")
        self.t = t
        self.temporary = t.path("tmp")
        os.mkdir(self.temporary)
        os.chown(self.temporary, int(USER), int(USER))
        for name in ("demo", "short"):
            shutil.copytree(os.path.join(programs.APPS, name), t.path(name))
        for name in ("fake_runtime", "libtierscope_hook.so"):
            shutil.copy(os.path.join(programs.OUTPUT, name), t.path(name))
        subprocess.run(["chmod", "-R", "a+rX", *(t.path(n) for n in ("demo", "short", "fake_runtime",
                                                                     "libtierscope_hook.so"))], check=True)

    def start(self, *command, **more):
        return programs.Program(self.t, [*AS_USER, *command], env=programs.environment(TMPDIR=self.temporary, **more),
                                cwd="/", stdout=subprocess.PIPE, text=True)

    def fake(self, *mode, **more):
        return self.start(self.t.path("fake_runtime"), *mode, **more)

    def demo(self, *arguments, **more):
        return self.start(self.t.path("demo/demo"), *arguments, **more)


def record_all(t, *arguments):
    return loader.Recorder(t, "-o", t.path("all.tscope"), "-a", "-u", USER, *arguments)


def is_mapped(pid):
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        return "libtierscope_hook" in maps.read()


def refusals(text):
    """{pid: [reason]} of the lines that say why."""
    found = {}
    for pid, why in re.findall(r"process (\d+) \([^)]*\) is not recorded: (.*)", text):
        found.setdefault(int(pid), []).append(why)
    return found


def read(t):
    return report.Report(loader.read_json(t, t.path("all.tscope")))


@check.test("-a --attach with fifty processes", timeout=120, alone=True)
def fifty(t):
    stage = Stage(t)
    musl = [t.path("ld-musl-x86_64.so.1"), t.path("libcoreclr.so")]
    for path in musl:
        with open(path, "wb") as file:
            file.write(b"\0" * 4096)
    takes = [stage.fake("takes") for _ in range(29)]
    demos = [stage.demo("60") for _ in range(3)]
    refused = {
        "switched off": [stage.fake("takes", DOTNET_EnableDiagnostics="0") for _ in range(5)],
        "no further profiler": [stage.fake("refuses", "8013136a") for _ in range(4)],
        "ended|closed": [stage.fake("ends") for _ in range(3)],
        "stopped": [stage.fake("takes") for _ in range(3)],
        "musl": [stage.fake("maps", *musl) for _ in range(3)],
    }
    everybody = takes + demos + [p for group in refused.values() for p in group]
    check.equal(len(everybody), 50, "processes")
    for program in everybody:
        program.process.stdout.readline()
    for program in refused["stopped"]:
        program.process.send_signal(signal.SIGSTOP)
    time.sleep(1)

    recorder = record_all(t, "--attach", "-F", loader.FREQUENCY)
    loader.wait_for_recording(recorder)
    programs.wait_until(lambda: len(refusals(recorder.texts()[1])) >= 18, "18 refusals", 60)
    time.sleep(1)
    result = recorder.interrupt()
    lines = refusals(result.err)
    document = read(t)
    with t.case("exit code"):
        check.equal(result.code, 0, f"{result}\nexit code")
    with t.case("each refusal is one line that says which process and why"):
        for word, group in refused.items():
            for program in group:
                why = lines.get(program.pid, [])
                check.equal(len(why), 1, f"lines about {program.pid} ({word}) in {result}\nnumber")
                check.that(re.search(word, why[0]), f"no {word!r} in {why[0]!r}")
        check.equal(len(lines), 18, f"refused processes of {result}\nnumber")
    with t.case("the summary counts them by cause"):
        check.that("attached 32 of 50; 18 refused:" in result.err, f"{result}")
        check.that("5 diagnostics are switched off in it" in result.err, f"{result}")
    with t.case("the others are in the recording"):
        pids = {p["pid"] for p in document.processes if p["hooked"]}
        check.equal(pids, {p.pid for p in takes + demos}, "hooked processes")
    with t.case("with what they ran"):
        report.check_ledger(document)
        report.check_jit_bar(document, 100, report.JIT_BAR_ATTACHED)
        for demo in demos:
            check.at_least(len(document.jit(demo.pid)), 50, f"bodies of {demo.pid}")
            check.at_least(sum(map(report.own, document.jit(demo.pid))), 5, f"samples of {demo.pid}")
    with t.case("they go on"):
        for program in takes + demos:
            check.equal(program.process.poll(), None, f"exit code of {program.pid}")


@check.test("-a with processes that come and go", alone=True)
def newcomers(t):
    stage = Stage(t)
    # As in a container: another copy of the hook, at another place.
    os.mkdir(t.path("copy"))
    other_hook = shutil.copy(t.path("libtierscope_hook.so"), t.path("copy/libtierscope_hook.so"))
    os.chmod(t.path("copy"), 0o755)
    before = stage.demo("60", **programs.hooked(t.path("libtierscope_hook.so")))
    before.process.stdout.readline()
    without = stage.demo("60")
    without.process.stdout.readline()
    with t.case("only those with the hook, wherever their copy of it lies"):
        recorder = record_all(t, "-F", loader.FREQUENCY)
        loader.wait_for_recording(recorder)
        time.sleep(1)
        later = stage.demo("3", **programs.hooked(other_hook))
        check.equal(later.wait(), 0, f"exit code of demo\n{recorder.texts()}\nit")
        result = recorder.interrupt()
        check.equal(result.code, 0, f"{result}\nexit code")
        check.equal(refusals(result.err), {}, f"refusals in {result}\nthey")
        check.that("1 .NET process was without it" in result.err, f"{result}")
        document = read(t)
        report.check_ledger(document)
        check.equal({p["pid"] for p in document.processes}, {before.pid, later.pid}, "processes")
        for demo in (before, later):
            check.at_least(sum(map(report.own, document.jit(demo.pid))), 5, f"samples of {demo.pid}")
        report.check_jit_bar(document, 50)
        check.that(not is_mapped(without.pid), "the hook is mapped")
    with t.case("--attach brings it into those that start later, too"):
        recorder = record_all(t, "-F", loader.FREQUENCY, "--attach")
        loader.wait_for_recording(recorder)
        off = stage.demo("60", DOTNET_EnableDiagnostics="0")
        short = stage.start(t.path("short/short"), "hello")
        later = stage.demo("60")
        programs.wait_until(lambda: off.pid in refusals(recorder.texts()[1]), "the refusal")
        programs.wait_until(lambda: programs.hook_state(later.pid) == programs.HOOK_LIVE, "the hook to have caught up")
        check.equal(short.wait(), 0, "exit code of short")
        time.sleep(3)
        result = recorder.interrupt()
        check.equal(result.code, 0, f"{result}\nexit code")
        check.that(set(refusals(result.err)) <= {off.pid, short.pid}, f"{result}")
        document = read(t)
        report.check_ledger(document)
        check.that({before.pid, without.pid, later.pid} <= {p["pid"] for p in document.processes}, "processes")
        for demo in (before, without, later):
            check.at_least(sum(map(report.own, document.jit(demo.pid))), 5, f"samples of {demo.pid}")


@check.test("-a and other targets")
def arguments(t):
    for title, line, word in (("with -p", ["-a", "-p", "1"], "-a"), ("with -n", ["-a", "-n", "x"], "-a"),
                              ("with a command", ["-a", "--", "true"], "-a"),
                              ("--attach alone", ["--attach", "-p", "1"], "-a"),
                              ("-u alone", ["-u", "0", "-p", "1"], "-a"),
                              ("an unknown user", ["-a", "-u", "no-such-user"], "no-such-user")):
        with t.case(title):
            loader.complaint(loader.run("record", "-o", t.path("x.tscope"), *line), 3, word)
