# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""tierscope top in a real terminal (tmux): what it shows, what keys do, how it follows the
size, and that the terminal is as it was whatever ended it."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

from lib import check, loader, programs
from lib.screen import Screen

PERIOD_MS = 1000 / 99
ROW = re.compile(r"^ *(\d+\.\d\d) +(\d+\.\d\d) +(\d+\.\d) ")
HEADS = r"^self % total%"
COLOUR = re.compile(r"\x1b\[(?:[0-9;]*;)?3[0-7][m;]")
SIGNALS = (("Ctrl-C", signal.SIGINT, "C-c", 0), ("SIGTERM", signal.SIGTERM, None, 0), ("SIGHUP", signal.SIGHUP, None, 0),
           ("SIGSEGV", signal.SIGSEGV, None, 139), ("SIGABRT", signal.SIGABRT, None, 134), ("Ctrl-\\", signal.SIGQUIT, "C-\\", 131))


def check_frame(lines, columns, rows):
    """Everything is where it belongs, whatever names are on it."""
    check.equal(len(lines), rows, "lines")
    check.that(lines[0].startswith("tierscope top  "), f"title: {lines[0]!r}")
    check.that(re.match(r"^\S+ \d+ samples  \d+\.\d % of managed attributed", lines[1]), f"session: {lines[1]!r}")
    check.that(lines[2].startswith("tiers"), f"tiers: {lines[2]!r}")
    check.that(re.match(r"^new +\d+ tier-ups  \d+ osr  \d+ rejits in 10 s", lines[3]), f"changes: {lines[3]!r}")
    check.that(re.search(HEADS, lines[4]), f"heads: {lines[4]!r}")
    check.that(re.match(r"^(\? help|/)", lines[-1]), f"keys: {lines[-1]!r}")
    check.empty([line for line in lines[5:-1] if line and not re.match(r"^ *\d+\.\d\d ", line)], "lines that are no rows")
    check.empty([line for line in lines if len(line) > columns], "lines that are too long")


def wait_for_frame(screen, columns, rows, pattern=HEADS):
    """A whole one with a line that matches: tmux may catch one that is half drawn."""
    end = time.monotonic() + 30
    while True:
        lines = screen.lines()
        try:
            check_frame(lines, columns, rows)
            check.that(any(re.search(pattern, line) for line in lines), f"no {pattern!r} in " + "\n".join(lines))
            return lines
        except check.Failure:
            if time.monotonic() > end:
                raise
        except IndexError:      # it has just become smaller
            pass
        time.sleep(0.05)


def names(lines):
    return [line for line in lines[5:-1] if ROW.match(line)]


@check.test("top of a process", timeout=120)
def top_of_a_process(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "100")
    # What has ended is forgotten from the first seconds on, as it is after hours.
    screen = Screen(t, TIERSCOPE_SWEEP_FROM="500")
    screen.start("top", "-p", demo.pid)
    screen.wait_for(r"tier1 .*publ")
    with t.case("a screen of 80x24"):
        lines = wait_for_frame(screen, 80, 24, r"Demo\.|Flow\.|Calls\.")
        check.at_least(len(names(lines)), 5, f"rows of {lines}")
        check.that(f"demo-{demo.pid}" in lines[0], f"whose it is: {lines[0]!r}")
        check.at_least(len(COLOUR.findall(screen.styled())), 5, "colours")
        check.that(re.search(r"[▁-█]", "".join(names(lines))), f"no trend in {lines}")
    with t.case("follows the terminal's size"):
        screen.resize(160, 50)
        wait_for_frame(screen, 160, 50, r"cpu-clock ms .* state .* trend")
        screen.resize(30, 6)
        check.equal(len(screen.wait_for(r"^self % cpu-cl")), 6, "lines")
        screen.resize(160, 800)
        wait_for_frame(screen, 160, 800, r"cpu-clock ms .* state .* trend")
    with t.case("paused it stands still, and the rows add up"):
        screen.keys("p")
        lines = wait_for_frame(screen, 160, 800, "r resume")
        samples = int(re.match(r"^cpu-clock (\d+) samples", lines[1]).group(1))
        shown = [ROW.match(line) for line in names(lines)]
        check.equal(sum(round(float(row.group(3)) / PERIOD_MS) for row in shown), samples, "samples of all rows")
        check.that(all(float(row.group(1)) <= float(row.group(2)) for row in shown), "self within total")
        time.sleep(2.5)
        check.equal(screen.lines(), lines, "a paused screen")
        screen.keys("s")
        screen.wait_for("sort:total")
        totals = [float(ROW.match(line).group(2)) for line in names(screen.lines())]
        check.equal(totals, sorted(totals, reverse=True), "totals in their order")
        screen.keys("s", "s", "s", "s", "r")
        before = lines[0]
        programs.wait_until(lambda: screen.lines()[0] != before and "PAUSED" not in screen.lines()[0], "it to go on")
    screen.resize(120, 40)
    with t.case("keys: search, unfold, stacks, tiers, help"):
        screen.type("/runslice")
        screen.wait_for("^/runslice_")
        screen.keys("Enter")
        lines = programs.wait_until(lambda: screen.lines() if len(names(screen.lines())) == 1 else None, "one row")
        check.that("RunSlice" in names(lines)[0], f"found {names(lines)}")
        screen.keys("Space")
        screen.wait_for(r"native \d+ 0x[0-9a-f]+")
        screen.keys("Enter")
        lines = screen.wait_for(r"^ *\d+\.\d\d % +\d+  \S")
        check.that(lines[0].startswith("Demo.Program.RunSlice("), f"details: {lines[0]!r}")
        check.that(any(re.search(r"hottest stacks of cpu-clock: \d+ samples", line) for line in lines), f"no stacks: {lines}")
        check.that(any(re.search(r"^ {17}Demo\.Program\.RunRounds", line) for line in lines), f"no callers: {lines}")
        check.that(any(re.search(r" tier0.* native 0 0x", line) for line in lines), f"no first version: {lines}")
        screen.keys("Escape")
        screen.wait_for(HEADS)
        screen.keys("Escape", "t")
        lines = screen.wait_for(r" ran .*\+ tier1$")
        check.that(len(names(lines)) < 20, f"tiers: {lines}")
        screen.keys("?")
        screen.wait_for("Ctrl-L")
        screen.keys("?", "t")
        screen.wait_for(r"Demo\.")
    with t.case("q ends it, and the terminal is as it was"):
        screen.keys("q")
        check.equal(screen.wait_for_end(), 0, "exit code")
        screen.wait_for(r"^ +\d+\.\d s +\d+ samples .* 0 lost$")
        check.equal(demo.process.poll(), None, "exit code of demo")
    for title, env, binary in (("a terminal without colours and UTF-8", {"LANG": "C"}, f"TERM=vt100 {loader.TIERSCOPE}"),
                               ("NO_COLOR", {"NO_COLOR": "1"}, loader.TIERSCOPE)):
        with t.case(title):
            plain = Screen(t, **env)
            plain.start("top", "-p", demo.pid, "-i", "300ms", binary=binary)
            lines = wait_for_frame(plain, 80, 24, r"(Demo|Flow|Calls)\.")
            check.equal("".join(lines).isascii(), "LANG" in env, f"all ASCII in {lines}")
            check.equal(COLOUR.findall(plain.styled()), [], "colours")
            plain.keys("q")
            check.equal(plain.wait_for_end(), 0, "exit code")


@check.test("top, and what ends it", timeout=120)
def top_and_what_ends_it(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "100")
    screen = Screen(t)
    for name, number, key, code in SIGNALS:
        with t.case(f"{name}: the terminal is as it was"):
            screen.start("top", "-p", demo.pid, "-i", "200ms")
            screen.wait_for(HEADS)
            if key:
                screen.keys(key)
            else:
                os.kill(screen.program(), number)
            check.equal(screen.wait_for_end(), code, "exit code")
    with t.case("Ctrl-Z gives the terminal back, fg takes it again"):
        screen.start("top", "-p", demo.pid, "-i", "200ms")
        screen.wait_for(HEADS)
        screen.keys("C-z")
        check.equal(screen.wait_for_end(), 148, "exit code of what is stopped")
        screen.type("fg")
        screen.keys("Enter")
        wait_for_frame(screen, 80, 24)
        screen.keys("q")
        screen.wait_for(r"\d+ samples .* lost$")
        screen.check_restored()
    with t.case("nobody sits at it any more"):
        screen.start("top", "-p", demo.pid, "-i", "200ms")
        screen.wait_for(HEADS)
        top = screen.program()
        screen.close()
        programs.wait_until(lambda: not os.path.exists(f"/proc/{top}"), "top to end")
        check.equal(demo.process.poll(), None, "exit code of demo")


@check.test("top on a terminal that stops", timeout=90)
def top_on_a_stopped_terminal(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "100")
    # A second's samples fit: who does not go on reading loses some.
    screen = Screen(t, columns=120, TIERSCOPE_SAMPLE_RING=str(1 << 19))
    screen.start("top", "-p", demo.pid, "-F", loader.FREQUENCY, "-i", "200ms")
    screen.wait_for(HEADS)
    with t.case("samples are taken on, none is lost"):
        screen.keys("C-s")
        time.sleep(5)
        screen.keys("C-c")      # the terminal still takes nothing
        check.equal(screen.wait_for_end(), 0, "exit code")
        samples = re.search(r"(\d+) samples", "\n".join(screen.wait_for(r"\d+ samples .* 0 lost$")))
        check.at_least(int(samples.group(1)), 200, "samples")
    with t.case("so it is when nobody reads what it writes, and the end does not wait for that"):
        ours, its = pty.openpty()
        fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 200, 300, 0, 0))
        modes = termios.tcgetattr(its)
        with open(t.path("hung"), "w", encoding="utf-8") as errors:
            hung = programs.Program(
                t, [loader.TIERSCOPE, "top", "-p", str(demo.pid), "-F", str(loader.FREQUENCY), "-i", "100ms"], stdin=its,
                stdout=its, stderr=errors, start_new_session=True,
                env=programs.environment(TERM="xterm", LANG="C.UTF-8", TIERSCOPE_SAMPLE_RING=str(1 << 19)))
        threads = f"/proc/{hung.pid}/task"
        programs.wait_until(lambda: termios.tcgetattr(its) != modes, "the screen to begin")
        before = -1
        while before != fcntl.ioctl(ours, termios.FIONREAD, struct.pack("i", 0)):  # until it is full
            before = fcntl.ioctl(ours, termios.FIONREAD, struct.pack("i", 0))
            time.sleep(1)
        time.sleep(3)
        check.at_least(len(os.listdir(threads)), 2, "threads of a top that is held up")
        check.equal(hung.stop(signal.SIGTERM), 0, "exit code")
        check.equal(termios.tcgetattr(its), modes, "modes of the terminal")
        with open(t.path("hung"), encoding="utf-8") as errors:
            check.that(re.search(r"\d+ samples .* 0 lost$", errors.read()), "samples were lost")
        os.close(ours)
        os.close(its)


CLEARS = (b"\x1b[2J", b"\x1b[H\x1b[J", b"\x1b[3J")


def read_all(terminal, seconds):
    """What comes in that time."""
    end, data = time.monotonic() + seconds, b""
    while time.monotonic() < end:
        if select.select([terminal], [], [], 0.1)[0]:
            data += os.read(terminal, 65536)
    return data


@check.test("top redraws what has changed only", timeout=60)
def top_without_flicker(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "60")
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    top = programs.Program(t, [loader.TIERSCOPE, "top", "-p", str(demo.pid), "-i", "200ms"], stdin=its, stdout=its,
                           start_new_session=True, env=programs.environment(TERM="xterm", LANG="C.UTF-8"))
    with t.case("the screen is cleared when it begins"):
        data = b""
        while b"cpu-clock" not in data:  # in the first frame
            data += read_all(ours, 0.5)
        read_all(ours, 1)
        check.that(any(clear in data for clear in CLEARS), f"nothing clears the screen in {data[:300]!r}")
    with t.case("and never again"):
        data = read_all(ours, 4)
        check.at_least(len(data), 100, "bytes of frames")
        check.that(not any(clear in data for clear in CLEARS), "the screen is cleared")
    with t.case("but for who asks for it"):
        os.write(ours, b"\x0c")
        data = read_all(ours, 3)
        check.that(any(clear in data for clear in CLEARS), "Ctrl-L clears nothing")
    os.write(ours, b"q")
    read_all(ours, 1)
    check.equal(top.wait(), 0, "exit code")
    os.close(ours)
    os.close(its)


@check.test("top of a command", timeout=90)
def top_of_a_command(t):
    programs.need_root()
    screen = Screen(t)
    with t.case("hostile names stay in their places"):
        screen.start("top", "-i", "300ms", "-o", "printed", "--", programs.app("hostile"), "12")
        screen.wait_for("HOSTILE")
        found, frames = set(), 0
        while frames < 5 or len(found) < 3:
            found |= set(re.findall(r"HOSTILE\d+", "\n".join(wait_for_frame(screen, 80, 24, "HOSTILE"))))
            frames += 1
    with t.case("ends with the command; what that printed is in its file"):
        check.equal(screen.wait_for_end(), 0, "exit code")
        check.that(screen.read("printed").startswith("hostile: pid "), f"printed: {screen.read('printed')!r}")
        check.that("hostile: pid" not in "\n".join(screen.lines()), f"on the screen: {screen.lines()}")
    with t.case("several processes and events"):
        screen.start("top", "-e", "cpu-clock,page-faults", "-i", "300ms", "--", "sh", "-c",
                     f"'{programs.app('demo')} 60 & a=$!; {programs.app('demo')} 60 & b=$!; trap \"kill $a $b\" TERM; wait'")
        screen.wait_for(r"demo-\d+")
        programs.wait_until(lambda: len(set(re.findall(r"demo-\d+", "\n".join(screen.lines()[5:])))) == 2, "two processes")
        screen.keys("e")
        screen.wait_for(r"^page-faults \d+ samples")
        screen.keys("q")
        check.equal(screen.wait_for_end(), 0, "exit code")


@check.test("top, bad input", timeout=60)
def bad_input(t):
    for arguments, words in ((("-p", "1"), ["no terminal", "tierscope stat"]), ((), ["-p PID"]), (("-p", "1", "-i", "1"), ["stat"]),
                             (("-p", "1", "-i", "0"), ["100ms"]), (("-p", "1", "-o", "x"), ["-o", "COMMAND"]),
                             (("-p", "1", "--by", "tier"), ["--by"]), (("-e", "nonsense", "--", "true"), ["nonsense"])):
        with t.case(" ".join(("top",) + arguments)):
            loader.complaint(loader.run("top", *arguments, cwd=t.folder), 3, *words)
    for terminal in ("dumb", "no-such-terminal", ""):
        with t.case(f"a terminal of type '{terminal}'"):
            screen = Screen(t)
            screen.start("top", "-p", "1", binary=f"TERM={terminal} {loader.TIERSCOPE}")
            check.equal(screen.wait_for_end(), 3, "exit code")
            screen.wait_for("tierscope: top: .*TERM")
    with t.case("a process that is not .NET"):
        screen = Screen(t)
        screen.start("top", "-p", "1")
        check.equal(screen.wait_for_end(), 1, "exit code")
        screen.wait_for("^tierscope: ")
