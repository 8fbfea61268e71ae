# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""tierscope beside others: a second recorder, other profilers, another installation of
itself, the runtime team's own tools."""

import os
import shutil
import subprocess
import time

from lib import check, jobs, loader, programs, report, truth



def read(t, path, result, least=20):
    check.equal(result.code, 0, f"{result}\nexit code")
    document = report.Report(loader.read_json(t, path))
    report.check_jit_bar(document, least, report.JIT_BAR_ATTACHED)
    report.check_ledger(document)
    return document


def copy_hook(t):
    """Another installation's."""
    folder = t.path("other")
    os.mkdir(folder)
    return shutil.copy(os.path.join(programs.OUTPUT, "libtierscope_hook.so"), folder)


@check.test("two recorders at once", timeout=90)
def two_recorders(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "60")
    paths, recorders = [t.path("first.tscope"), t.path("second.tscope")], []
    for path, frequency in zip(paths, (loader.FREQUENCY, 499)):
        recorders.append(loader.Recorder(t, "-o", path, "-F", frequency, "-p", demo.pid))
        loader.wait_for_recording(recorders[-1])
        time.sleep(1)
    documents = []
    for path, recorder in zip(paths, recorders):
        time.sleep(1)
        with t.case(os.path.basename(path)):
            documents.append(read(t, path, recorder.interrupt()))
    with t.case("know the same bodies"):
        keys = [{(b["function_id"], b["start"], b["size"], b["tier"]) for b in d.jit() if not (b["died_ns"] and d is documents[0])}
                for d in documents]
        check.at_least(len(keys[0] & keys[1]), 100, "bodies in both")
        check.empty(keys[0] - keys[1], "bodies that lived when the first ended and that the second does not know")
    with t.case("leave one journal"):
        check.equal(len(programs.journals(demo.pid)), 1, "journals")


@check.test("beside another notification profiler and another tierscope", timeout=60)
def other_profilers(t):
    programs.need_root()
    hook, path, other = copy_hook(t), t.path("out.tscope"), programs.REJIT_PROFILER
    environment = programs.environment(CORECLR_ENABLE_NOTIFICATION_PROFILERS="1", REJIT_NOTIFICATION="1",
                                       CORECLR_NOTIFICATION_PROFILERS=f"{hook}={programs.HOOK_CLSID};{other}={programs.REJIT_CLSID};")
    recorder = loader.Recorder(t, "-o", path, "-F", loader.FREQUENCY, "--", programs.app("demo"), "4", env=environment)
    pid = programs.wait_for_dotnet(recorder.pid)
    programs.wait_until(lambda: "demo: pid" in recorder.texts()[0], "the demo's first line")
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        mapped = maps.read()
    with t.case("the other profiler is loaded, the other tierscope is not"):
        check.that(other in mapped and hook not in mapped, "mapped are others")
    with t.case("there is one journal"):
        check.equal(len(programs.journals(pid)), 1, "journals")
    with t.case("the recording is whole"):
        read(t, path, recorder.finish())


@check.test("a process that another tierscope's hook is in", timeout=60)
def other_installation(t):
    programs.need_root()
    environment = programs.environment(**programs.hooked(copy_hook(t)))
    demo = programs.start_app(t, "demo", "60", env=environment)
    path = t.path("out.tscope")
    result = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "-d", "2s", "-p", demo.pid)
    with t.case("is recorded through that"):
        document = read(t, path, result)
        check.equal(document.processes[0]["attached"], False, "attached")
    with t.case("and has no second one"):
        check.equal(len(programs.journals(demo.pid)), 1, "journals")


# The second asks for what dotnet-counters asks for.
TRACES = {"methods": "Microsoft-Windows-DotNETRuntime:0x10:5", "counters": "System.Runtime:0:1:EventCounterIntervalSec=1"}


@check.test("beside dotnet-trace, for methods and for counters", timeout=90)
def traces(t):
    programs.need_root()
    tool = programs.dotnet_trace()

    def look():
        demo = programs.start_app(t, "demo", "120")
        running = {name: programs.Program(t, [tool, "collect", "-p", str(demo.pid), "-o", t.path(f"{name}.nettrace"), "--duration",
                                              "00:00:06", "--rundown", "false", "--providers", providers], stdout=subprocess.DEVNULL)
                   for name, providers in TRACES.items()}
        time.sleep(1)
        jobs.check_attached(t, demo.pid, 100, 0)
        return running

    for name, program in truth.until_no_rundown_kills(look).items():
        with t.case(f"its {name} end well too"):
            check.equal(program.wait(60), 0, "exit code of dotnet-trace")
            check.at_least(os.path.getsize(t.path(f"{name}.nettrace")), 5_000, "bytes written")


@check.test("a target in namespaces of its own", timeout=60, alone=True)
def namespaces(t):
    programs.need_root()
    programs.need("unshare")
    # The program may itself lie below the /tmp that it loses.
    script = 'mount --bind "$0" /mnt && mount -t tmpfs none /tmp || exit 99; echo there; exec /mnt/demo "$@"'
    demo = programs.Program(t, ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc", "--mount", "sh", "-c", script,
                                os.path.dirname(programs.app("demo")), "60"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if demo.process.stdout.readline() != "there\n":
        raise check.Skip(f"no namespaces here: {demo.process.stderr.read().strip()}")
    line = demo.process.stdout.readline()
    check.that(line.startswith("demo: pid 1,"), f"demo is not the first of its namespace: {line}")
    pid = programs.wait_until(lambda: next(iter(p for p in programs.descendants(demo.pid)), None), "the demo")
    path = t.path("out.tscope")
    with t.case("is recorded"):
        document = read(t, path, loader.record(t, "-o", path, "-F", loader.FREQUENCY, "-d", "2s", "-p", pid))
        check.equal([p["pid"] for p in document.processes], [pid], "processes")
    with t.case("is left by detach"):
        check.equal(loader.run("detach", "-p", pid).code, 0, "exit code of detach")
    with t.case("is found by -a"):
        path = t.path("all.tscope")
        recorder = loader.Recorder(t, "-a", "--attach", "-o", path, "-F", loader.FREQUENCY, "-d", "3s")
        document = read(t, path, recorder.finish())
        check.that(pid in [p["pid"] for p in document.processes], f"{document.processes}")
