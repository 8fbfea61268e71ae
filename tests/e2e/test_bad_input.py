# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Machines, targets and files that stand in the way: one line, the right exit
code, and the target goes on."""

import os
import shutil
import subprocess

from lib import check, loader, programs, report


@check.test("hardware events on a machine without counters")
def no_counters(t):
    programs.need_root()
    if "ok  hardware counters" in loader.run("doctor").out:
        raise check.Skip("this machine has hardware counters")
    recording = t.path("out.tscope")
    for event in ("cycles", "instructions", "cache-misses", "branch-misses", "stalled-cycles-backend", "LLC-load-misses", "dTLB-loads",
                  "r1c2"):
        with t.case(event):
            result = loader.run("record", "-e", event, "-o", recording, "--", "true")
            loader.complaint(result, 4, event, "-e cpu-clock")
            check.that(not os.path.exists(recording), "left a file behind")


def attach(t, pid, hook):
    return loader.record(t, "-o", t.path("out.tscope"), "-F", loader.FREQUENCY, "-d", "1s", "-p", pid,
                         env=programs.environment(TIERSCOPE_HOOK=hook))


class Namespace:
    """Programs in a mount namespace of their own, as in a container.  The hook lies
    in a folder that they cannot see."""

    def __init__(self, t):
        programs.need_root()
        programs.need("unshare")
        self.t = t
        self.hidden = t.path("hidden")
        os.mkdir(self.hidden)
        self.hook = shutil.copy(os.path.join(programs.OUTPUT, "libtierscope_hook.so"), self.hidden)
        # Behind the links of a build folder of one's own (tests/e2e/run), which may lead to /tmp.
        self.built = os.path.dirname(os.path.realpath(os.path.join(programs.OUTPUT, "fake_runtime")))

    def start(self, options, *command):
        """A program of the build folder, with /var/tmp and /dev/shm mounted with
        these options, and an empty /tmp."""
        script = " && ".join([
            f'mount --bind "{self.built}" /mnt', f'mount -t tmpfs none "{self.hidden}"',
            *(f"mount -t tmpfs -o {options} none {folder}" for folder in ("/var/tmp", "/dev/shm")),
            "mount -t tmpfs none /tmp", "cd /", 'exec "$@"'])
        program = programs.Program(
            self.t, ["unshare", "-m", "--propagation", "private", "sh", "-c", script, "sh", *command],
            env=programs.environment(), stdout=subprocess.PIPE, text=True)
        if not program.process.stdout.readline():
            raise check.Skip("no private mounts here")
        return program

    def remount(self, program, options):
        """The socket had to be made before nothing can be written any more."""
        subprocess.run(["nsenter", "-m", "-t", str(program.pid), "mount", "-o", f"remount,{options}", "/tmp"],
                       check=True)


@check.test("a target that cannot see the hook", timeout=120)
def hidden_hook(t):
    namespace = Namespace(t)
    for options, word in (("ro", "read-only"), ("noexec", "noexec")):
        with t.case(f"and whose folders are mounted {options}"):
            program = namespace.start(options, "/mnt/fake_runtime")
            namespace.remount(program, options)
            loader.complaint(attach(t, program.pid, namespace.hook), 1, program.pid, word, "/tmp")
            check.equal(program.process.poll(), None, "exit code of the target")
            program.kill()
    with t.case("and has no socket, as its file system was never writable"):
        program = namespace.start("ro", "sh", "-c", "mount -o remount,ro /tmp; exec /mnt/apps/demo/demo 20")
        loader.complaint(attach(t, program.pid, namespace.hook), 1, program.pid, "read-only", "TMPDIR")
        program.kill()
    with t.case("but a folder for a copy of it"):
        program = namespace.start("ro", "/mnt/apps/demo/demo", "20")
        result = attach(t, program.pid, namespace.hook)
        check.equal(result.code, 0, f"{result}\nexit code")
        report.check_jit_bar(report.Report(loader.read_json(t, t.path("out.tscope"))), 20, report.JIT_BAR_ATTACHED)
        check.equal(program.process.poll(), None, "exit code of the target")


@check.test("a target on musl")
def musl(t):
    programs.need_root()
    files = [t.path("ld-musl-x86_64.so.1"), t.path("libcoreclr.so")]
    for path in files:
        with open(path, "wb") as file:
            file.write(b"\0" * 4096)
    program = programs.Program(t, [os.path.join(programs.OUTPUT, "fake_runtime"), "maps", *files],
                               env=programs.environment(), stdout=subprocess.PIPE, text=True)
    program.process.stdout.readline()
    with t.case("is recognised by its loader"):
        result = attach(t, program.pid, os.path.join(programs.OUTPUT, "libtierscope_hook.so"))
        loader.complaint(result, 1, program.pid, "musl")


@check.test("a hook file that changes under its target", timeout=90)
def changed_hook(t):
    programs.need_root()
    hook = shutil.copy(os.path.join(programs.OUTPUT, "libtierscope_hook.so"), t.path("libtierscope_hook.so"))
    demo = programs.start_app(t, "demo", "60")

    def recorded(at_least):
        result = attach(t, demo.pid, hook)
        check.equal(result.code, 0, f"{result}\nexit code")
        document = report.Report(loader.read_json(t, t.path("out.tscope")))
        report.check_ledger(document)
        report.check_jit_bar(document, at_least, report.JIT_BAR_ATTACHED)
        # Only probes that are armed in what is mapped tell of anything.
        check.at_least(document.ledger["events"]["fired"], 1, "code events")

    def hooks():
        with open(f"/proc/{demo.pid}/maps", encoding="utf-8") as maps:
            return {line.split()[4] for line in maps if "libtierscope_hook" in line}

    with t.case("the first recording brings it in"):
        recorded(20)
        first = hooks()
        check.equal(len(first), 1, f"hook files in {first}\nnumber")
    with t.case("replaced by a newer one"):
        shutil.copy(hook, hook + ".new")
        os.rename(hook + ".new", hook)
        recorded(20)
        check.equal(hooks(), first, "hook files that are mapped")
    with t.case("removed"):
        other = t.path("other")
        os.mkdir(other)
        gone, hook = hook, shutil.copy(hook, other)
        os.remove(gone)
        recorded(20)
        check.equal(hooks(), first, "hook files that are mapped")
    with t.case("the target goes on"):
        check.equal(demo.process.poll(), None, "exit code of demo")
