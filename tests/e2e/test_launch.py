# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""`record -- CMD`: whatever CMD is, starts, leaves behind and returns."""

import os
import re
import signal
import subprocess
import time

from lib import check, loader, programs, report

OTHER = "{11111111-2222-3333-4444-555555555555}"
ENABLE = "CORECLR_ENABLE_NOTIFICATION_PROFILERS"
PLAIN = "CORECLR_NOTIFICATION_PROFILERS"


def record_command(t, *command, **more):
    recording = t.path("out.tscope")
    return recording, loader.record(t, "-o", recording, "-F", loader.FREQUENCY, "--", *command, **more)


def read_report(t, recording):
    return report.Report(loader.read_json(t, recording))


def pid_after(word, text):
    """The pid that a test program printed: "demo: pid 123, ..."."""
    line = next((x for x in text.splitlines() if x.startswith(f"{word}: pid ")), None)
    check.that(line is not None, f"{word} did not print its pid: {text!r}")
    return int(line.split()[2].rstrip(","))


@check.test("command's own exit code")
def own_exit_code(t):
    programs.need_root()
    short = programs.app("short")
    for arguments, wanted in ((["hello"], 0), (["exit", "7"], 7), (["throw"], 134), (["abort"], 134), (["kill"], 137)):
        with t.case(f"short {' '.join(arguments)} gives {wanted}"):
            recording, result = record_command(t, short, *arguments)
            check.equal(result.code, wanted, f"{result}\nexit code")
            document = read_report(t, recording)
            report.check_ledger(document)
            check.that(document.processes, "no process in the recording")
    with t.case("its output is its own"):
        _, result = record_command(t, short, "hello")
        check.equal(result.out, "hello, world\n", "stdout")


@check.test("a program too short to be sampled still has its code")
def short_has_bodies(t):
    programs.need_root()
    recording, _ = record_command(t, programs.app("short"), "hello")
    names = [b["name"] for b in read_report(t, recording).jit()]
    with t.case("the first method is seen"):
        check.that(any("Program.<Main>$" in n or "Program.Main" in n for n in names), f"no Main among {names}")


@check.test("a command that cannot start")
def no_command(t):
    programs.need_root()
    _, result = record_command(t, "/nonexistent/program")
    with t.case("is named in one line"):
        loader.complaint(result, 1, "/nonexistent/program")
    _, result = record_command(t, t.folder)
    with t.case("a folder too"):
        loader.complaint(result, 1, t.folder)


@check.test("child processes of the command", timeout=90)
def children(t):
    programs.need_root()
    script = f'"{programs.app("short")}" hello; "{programs.app("demo")}" 2 & "{programs.app("demo")}" 3; wait'
    recording, result = record_command(t, "sh", "-c", script)
    document = read_report(t, recording)
    dotnet = {b["pid"] for b in document.jit()}
    with t.case("each has its own bodies"):
        check.equal(len(dotnet), 3, f"processes with bodies of {document.processes}\nnumber")
    with t.case("each process that ran long has samples of its own"):
        sampled = {b["pid"] for b in document.jit() if report.own(b)}
        demos = {int(x.split()[2].rstrip(",")) for x in result.out.splitlines() if x.startswith("demo: pid")}
        check.equal(len(demos), 2, f"demos in {result.out!r}")
        check.that(demos <= sampled, f"samples in {sampled} only, demos are {demos}")
    with t.case("each has its command line and runtime"):
        for pid in dotnet:
            # A process is another one after exec: the shell's child comes first.
            found = [p for p in document.processes if p["pid"] == pid and (p["runtime"] or "").startswith("10.")]
            check.equal(len(found), 1, f".NET processes with pid {pid} in {document.processes}\nnumber")
            check.that("demo" in found[0]["cmdline"] or "short" in found[0]["cmdline"], f"{found[0]}")
    with t.case("the ledger balances"):
        report.check_ledger(document)


@check.test("a server that outlives the command")
def server_outlives(t):
    programs.need_root()
    port = programs.free_port()
    script = (f'"{programs.app("web")}" --urls http://127.0.0.1:{port} > "{t.path("web-out")}" & '
              f'until grep -q "web: pid" "{t.path("web-out")}"; do sleep 0.1; done; sleep 1')
    began = time.monotonic()
    recording, result = record_command(t, "sh", "-c", script)
    took = time.monotonic() - began
    with open(t.path("web-out"), encoding="utf-8") as out:
        pid = pid_after("web", out.read())
    t.on_end(lambda: os.path.exists(f"/proc/{pid}") and os.kill(pid, signal.SIGKILL))
    with t.case("record ends with the command"):
        check.equal(result.code, 0, f"{result}\nexit code")
        check.that(took < 50, f"took {took} s")
    with t.case("the server is listed"):
        check.that(any(str(pid) in line for line in result.err.splitlines()), f"pid {pid} is not named in {result}")
    with t.case("the server serves on"):
        programs.load_web(port, 1)
        os.kill(pid, signal.SIGTERM)
    with t.case("its code is in the recording"):
        check.at_least(len(read_report(t, recording).jit(pid)), 50, "bodies of the server")


@check.test("environment variables that are already set")
def environment_appended(t):
    programs.need_root()
    for name in (PLAIN, PLAIN + "_64"):
        with t.case(f"{name} is appended to"):
            # An entry without the final semicolon is dropped by 9 and 10.
            for before in (f"/nonexistent/other.so={OTHER}", f"/nonexistent/other.so={OTHER};"):
                _, result = record_command(t, "env", env=programs.environment(**{name: before}))
                lines = dict(x.split("=", 1) for x in result.out.splitlines() if "=" in x)
                check.equal(lines.get(ENABLE), "1", f"{ENABLE} in {result}\nvalue")
                value = lines.get(name, "")
                check.that(value.startswith(f"/nonexistent/other.so={OTHER};"), f"{name} is {value!r}")
                check.that("tierscope" in value and value.endswith("};"), f"{name} is {value!r}")
                check.equal(value.count("{"), 2, f"entries in {value!r}")
        with t.case(f"with {name} set the program is still seen"):
            environment = programs.environment(**{name: f"/nonexistent/other.so={OTHER};"})
            recording, _ = record_command(t, programs.app("short"), "hello", env=environment)
            check.at_least(len(read_report(t, recording).jit()), 1, "bodies")
    with t.case("other variables stay as they are"):
        _, result = record_command(t, "env", env=programs.environment(TIERSCOPE_E2E="a b;c"))
        check.that("TIERSCOPE_E2E=a b;c" in result.out.splitlines(), f"{result}")


@check.test("a command runs as it would alone")
def undisturbed(t):
    programs.need_root()
    for what, script in (("signals", "grep -E 'Sig(Blk|Ign)' /proc/self/status"),
                         ("open files", "for f in /proc/$$/fd/*; do echo ${f##*/}; done"),
                         ("working folder", "pwd"), ("limits", "ulimit -a"), ("arguments", "echo \"$0\" a\\ b"),
                         ("session", "cut -d' ' -f6 /proc/$$/stat")):
        with t.case(f"the same {what}"):
            command = ["sh", "-c", script, "zero"]
            alone = subprocess.run(command, env=programs.environment(), stdin=subprocess.DEVNULL, check=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            _, result = record_command(t, *command)
            check.equal(result.out, alone.stdout, f"{result}\nstdout")
    with t.case("standard input is the command's"):
        recording = t.path("out.tscope")
        done = subprocess.run([loader.TIERSCOPE, "record", "-o", recording, "--", "cat"], input=b"one\ntwo\n",
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=30)
        check.equal(done.stdout, b"one\ntwo\n", "stdout")


@check.test("a .NET child without the hook", timeout=90)
def child_without_hook(t):
    programs.need_root()
    demo = programs.app("demo")
    for title, words, prefix in (
            ("whose environment was cleared", (), ["env", "-u", ENABLE, "-u", PLAIN, "-u", PLAIN + "_64"]),
            ("with diagnostics off", ("DOTNET_EnableDiagnostics",), ["env", "DOTNET_EnableDiagnostics=0"]),
            ("with profiling off", ("Profiler",), ["env", "DOTNET_EnableDiagnostics_Profiler=0"])):
        with t.case(f"{title}: is reported with its reason"):
            recording, result = record_command(t, *prefix, demo, "4")
            pid = pid_after("demo", result.out)
            lines = [x for x in result.err.splitlines() if re.search(rf"\b{pid}\b", x)]
            check.equal(len(lines), 1, f"lines that name pid {pid} in {result}\nnumber")
            for word in words:
                check.that(word in lines[0], f"no {word} in {lines[0]!r}")
            report.check_ledger(read_report(t, recording))


@check.test("a hook library that is missing")
def hook_missing(t):
    programs.need_root()
    environment = programs.environment(TIERSCOPE_HOOK="/nonexistent/hook.so")
    with t.case("is named before the command starts"):
        _, result = record_command(t, programs.app("short"), "hello", env=environment)
        loader.complaint(result, 1, "/nonexistent/hook.so")
        check.that("hello" not in result.out, "the command ran all the same")
    demo = programs.start_app(t, "demo", "60")
    with t.case("and before attaching"):
        result = loader.record(t, "-o", t.path("x.tscope"), "-d", "1s", "-p", demo.pid, env=environment)
        loader.complaint(result, 1, "/nonexistent/hook.so")
    with t.case("the target is left alone"):
        with open(f"/proc/{demo.pid}/maps", encoding="utf-8") as maps:
            check.that("libtierscope_hook" not in maps.read(), "the hook is mapped")
