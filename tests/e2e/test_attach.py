# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""`record -p PID` on what can and what cannot be recorded, and how it ends."""

import os
import signal
import subprocess
import time

from lib import check, loader, programs, report

NOBODY = ("setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--inh-caps=-all")


def attach(t, pid, *more, **options):
    recording = t.path("out.tscope")
    return recording, loader.record(t, "-o", recording, "-F", loader.FREQUENCY, "-p", pid, *more, **options)


def read_report(t, recording):
    return report.Report(loader.read_json(t, recording))


def dead_pid():
    """The pid of a process that was just seen to end."""
    with subprocess.Popen(["true"]) as process:
        process.wait()
        return process.pid


@check.test("a process that cannot be recorded")
def cannot_record(t):
    programs.need_root()
    with t.case("no such PID"):
        pid = dead_pid()
        loader.complaint(attach(t, pid, "-d", "1s")[1], 1, pid)
    with t.case("not .NET"):
        sleeper = programs.Program(t, ["sleep", "60"])
        loader.complaint(attach(t, sleeper.pid, "-d", "1s")[1], 1, sleeper.pid, ".NET")
    with t.case("a kernel thread"):
        loader.complaint(attach(t, 2, "-d", "1s")[1], 1, 2, ".NET")
    for variable in ("DOTNET_EnableDiagnostics", "DOTNET_EnableDiagnostics_Profiler"):
        with t.case(f"{variable}=0"):
            demo = programs.start_app(t, "demo", "60", env=programs.environment(**{variable: "0"}))
            recording, result = attach(t, demo.pid, "-d", "1s")
            loader.complaint(result, 1, demo.pid, "DOTNET_EnableDiagnostics")
            demo.kill()
    with t.case("no name matches"):
        result = loader.record(t, "-o", t.path("n.tscope"), "-d", "1s", "-n", "no-such-program-at-all")
        loader.complaint(result, 1, "no-such-program-at-all")


@check.test("another user and no privileges")
def no_privileges(t):
    programs.need_root()
    programs.need("setpriv")
    demo = programs.start_app(t, "demo", "60")
    # nobody must be able to run the command at all.
    public = t.path("bin")
    os.mkdir(public)
    for name in ("tierscope", "libtierscope_hook.so"):
        subprocess.run(["install", "-m", "755", os.path.join(programs.OUTPUT, name), public], check=True)
    binary = os.path.join(public, "tierscope")
    out = t.path("nobody")
    os.mkdir(out)
    os.chmod(out, 0o777)
    with t.case("recording another user's process"):
        result = loader.run("record", "-o", f"{out}/x.tscope", "-d", "1s", "-p", demo.pid,
                            prefix=NOBODY, binary=binary, cwd=out)
        loader.complaint(result, (1, 4))
    with t.case("launching without privileges"):
        result = loader.run("record", "-o", f"{out}/x.tscope", "--", "true", prefix=NOBODY, binary=binary, cwd=out)
        loader.complaint(result, (1, 4))
    with t.case("doctor says what is missing"):
        result = loader.run("doctor", prefix=NOBODY, binary=binary, cwd=out)
        check.that(result.code in (0, 4) and result.out, f"{result}")
    with t.case("the target is left alone"):
        check.equal(demo.process.poll(), None, "exit code of demo")
        with open(f"/proc/{demo.pid}/maps", encoding="utf-8") as maps:
            check.that("libtierscope_hook" not in maps.read(), "the hook is mapped")


def need_private_mounts(result):
    if result.code == 99 or "unshare:" in result.err:
        raise check.Skip(f"no private mounts here: {result.err.strip()}")


@check.test("a kernel without BTF")
def no_btf(t):
    programs.need_root()
    programs.need("unshare")
    demo = programs.start_app(t, "demo", "60")
    # Covered in a mount namespace of its own only.
    script = 'mount -t tmpfs none /sys/kernel/btf || exit 99; exec "$0" "$@"'
    prefix = ("unshare", "-m", "--propagation", "private", "sh", "-c", script)
    with t.case("is told by record"):
        result = loader.run("record", "-o", t.path("x.tscope"), "-d", "1s", "-p", demo.pid, prefix=prefix)
        need_private_mounts(result)
        loader.complaint(result, 4, "BTF")
    with t.case("is told by doctor"):
        result = loader.run("doctor", prefix=prefix)
        need_private_mounts(result)
        check.equal(result.code, 4, f"{result}\nexit code")
        check.that("BTF" in result.out + result.err, f"{result}")


@check.test("root records another user's process")
def other_users_process(t):
    programs.need_root()
    programs.need("setpriv")
    apps = t.path("apps")
    subprocess.run(["cp", "-r", os.path.join(programs.APPS, "demo"), apps], check=True)
    subprocess.run(["chmod", "-R", "a+rX", apps], check=True)
    demo = programs.Program(t, [*NOBODY, f"{apps}/demo", "60"], stdout=subprocess.PIPE, text=True, cwd="/")
    demo.process.stdout.readline()
    time.sleep(1)
    recording, result = attach(t, demo.pid, "-d", "2s")
    with t.case("exit code"):
        check.equal(result.code, 0, f"{result}\nexit code")
    with t.case("its bodies and samples are there"):
        report.check_jit_bar(read_report(t, recording), 20, report.JIT_BAR_ATTACHED)
    with t.case("it goes on"):
        demo.check_goes_on()


@check.test("a target that ends")
def target_ends(t):
    programs.need_root()
    with t.case("while it is recorded"):
        demo = programs.start_app(t, "demo", "60")
        recording = t.path("ended.tscope")
        recorder = loader.Recorder(t, "-o", recording, "-F", loader.FREQUENCY, "-d", "600s", "-p", demo.pid)
        loader.wait_for_recording(recorder)
        time.sleep(2)
        demo.stop(signal.SIGTERM)
        result = recorder.finish(30)
        check.equal(result.code, 0, f"{result}\nexit code")
        document = read_report(t, recording)
        report.check_ledger(document)
        report.check_jit_bar(document, 20, report.JIT_BAR_ATTACHED)
    with t.case("by SIGKILL"):
        demo = programs.start_app(t, "demo", "120")
        recorder = loader.Recorder(t, "-o", t.path("killed.tscope"), "-d", "60s", "-p", demo.pid)
        loader.wait_for_recording(recorder)
        time.sleep(1.5)
        demo.kill()
        result = recorder.finish(30)
        check.equal(result.code, 0, f"{result}\nexit code")
        report.check_ledger(read_report(t, t.path("killed.tscope")))
    # At every moment of a program's short life there is either a recording or
    # one line that says why not; nothing hangs.
    with t.case("before the attach completes"):
        for delay in (0, 0.01, 0.02, 0.04, 0.06, 0.08, 0.1):
            short = programs.Program(t, [programs.app("short"), "hello"], stdout=subprocess.DEVNULL)
            time.sleep(delay)
            recording, result = attach(t, short.pid, "-d", "5s", timeout=20)
            short.wait()
            if result.code == 0:
                report.check_ledger(read_report(t, recording))
            else:
                loader.complaint(result, 1, short.pid)


@check.test("ending a recording")
def ending(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "120")
    recording = t.path("out.tscope")
    for number, name in ((signal.SIGINT, "Ctrl-C"), (signal.SIGTERM, "SIGTERM")):
        with t.case(f"{name} ends and writes"):
            if os.path.exists(recording):
                os.remove(recording)  # its size says when this one has begun
            recorder = loader.Recorder(t, "-o", recording, "-F", loader.FREQUENCY, "-p", demo.pid)
            loader.wait_for_recording(recorder)
            time.sleep(2)
            recorder.process.send_signal(number)
            result = recorder.finish(20)
            check.equal(result.code, 0, f"{result}\nexit code")
            document = read_report(t, recording)
            report.check_ledger(document)
            report.check_jit_bar(document, 20, report.JIT_BAR_ATTACHED)
    with t.case("kill -9 leaves what was recorded, and the target"):
        recorder = loader.Recorder(t, "-o", recording, "-F", loader.FREQUENCY, "-p", demo.pid)
        loader.wait_for_recording(recorder)
        time.sleep(3)
        recorder.kill()
        check.equal(demo.process.poll(), None, "exit code of demo")
        result = loader.report(t, recording, "--format", "text")
        check.equal(result.code, 0, f"{result}\nexit code")
    with t.case("another recording works after that"):
        again, result = attach(t, demo.pid, "-d", "2s")
        check.equal(result.code, 0, f"{result}\nexit code")
        report.check_jit_bar(read_report(t, again), 20, report.JIT_BAR_ATTACHED)
    with t.case("Ctrl-C to a command and its recorder at once"):
        # As a terminal does it: to the whole foreground group.
        recorder = loader.Recorder(t, "-o", recording, "-F", loader.FREQUENCY, "--", programs.app("demo"), "120",
                                   prefix=("setsid", "-w"))
        child = programs.wait_for_dotnet(recorder.pid)
        time.sleep(2)
        os.killpg(os.getpgid(child), signal.SIGINT)
        result = recorder.finish(20)
        document = read_report(t, recording)
        report.check_ledger(document)
        report.check_jit_bar(document, 20, report.JIT_BAR_ATTACHED)


@check.test("a recording of a program at rest")
def at_rest(t):
    programs.need_root()
    port = programs.free_port()
    web = programs.Program(t, [programs.app("web"), "--urls", f"http://127.0.0.1:{port}"])
    programs.wait_for_port(port)
    time.sleep(1)
    recording, result = attach(t, web.pid, "-d", "1s")
    with t.case("ends well with few samples or none"):
        check.equal(result.code, 0, f"{result}\nexit code")
        document = read_report(t, recording)
        report.check_ledger(document)
        check.at_least(len(document.jit(web.pid)), 50, "bodies")
    for view in ("text", "html", "folded", "json"):
        with t.case(f"{view} of it"):
            check.equal(loader.report(t, recording, "--format", view).code, 0, "exit code")


@check.test("ps and doctor")
def ps_and_doctor(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "60")
    off = programs.start_app(t, "demo", "60", env=programs.environment(DOTNET_EnableDiagnostics="0"))
    result = loader.run("ps")
    with t.case("ps lists the process"):
        check.equal(result.code, 0, f"{result}\nexit code")
        lines = [x for x in result.out.splitlines() if str(demo.pid) in x.split()]
        check.equal(len(lines), 1, f"lines of {demo.pid} in {result.out}\nnumber")
        check.that("demo" in lines[0] and "10.0" in lines[0], lines[0])
    with t.case("ps says which cannot be profiled"):
        lines = [x for x in result.out.splitlines() if str(off.pid) in x.split()]
        check.equal(len(lines), 1, f"lines of {off.pid} in {result.out}\nnumber")
        check.that("EnableDiagnostics" in lines[0], lines[0])
    with t.case("doctor finds this machine fit"):
        result = loader.run("doctor")
        check.equal(result.code, 0, f"{result}\nexit code")
        check.at_least(len(result.out.splitlines()), 3, "lines")
