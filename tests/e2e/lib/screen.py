# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""A terminal with a shell in it, by tmux: what is on its screen, and the state it is in."""

import os
import re
import subprocess

from . import check, loader, programs


class Screen:
    def __init__(self, t, columns=80, rows=24, **env):
        programs.need("tmux")
        self.folder = t.path(f"screen{len(os.listdir(t.folder))}")
        os.mkdir(self.folder)
        self._socket = os.path.join(self.folder, "tmux")
        self._env = programs.environment(**{"LANG": "C.UTF-8", **env})
        for name in ("TMUX", "NO_COLOR", "LC_ALL", "LC_CTYPE"):
            if name not in env:
                self._env.pop(name, None)
        # No daemon: it ends with the test, whatever ends that.
        self._server = programs.Program(t, ["tmux", "-S", self._socket, "-f", "/dev/null", "-D"], env=self._env,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        programs.wait_until(lambda: os.path.exists(self._socket), "tmux to listen")
        self._tmux("new-session", "-d", "-x", columns, "-y", rows, "-c", self.folder,
                   "bash --norc --noprofile")
        self.shell = int(self._ask("#{pane_pid}"))
        t.on_end(self.close)
        # bash has its own modes while it reads a line: what a command finds is what is compared.
        self.wait_for(r"[$#] ?$")

    def _tmux(self, *arguments):
        done = subprocess.run(["tmux", "-S", self._socket, *map(str, arguments)], env=self._env, timeout=20,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        return done.stdout.decode("utf-8", "backslashreplace")

    def _ask(self, what):
        return self._tmux("display-message", "-p", what).strip()

    def close(self):
        self._tmux("kill-server")
        self._server.wait(20)

    def path(self, name):
        return os.path.join(self.folder, name)

    def read(self, name):
        try:
            with open(self.path(name), encoding="utf-8") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def lines(self):
        return self._tmux("capture-pane", "-p").split("\n")[:-1]

    def styled(self):
        """The same with the sequences for colours and so on."""
        return self._tmux("capture-pane", "-p", "-e")

    def keys(self, *keys):
        """As tmux names them: q, Enter, C-c."""
        self._tmux("send-keys", *keys)

    def type(self, text):
        self._tmux("send-keys", "-l", text)

    def resize(self, columns, rows):
        self._tmux("resize-window", "-x", columns, "-y", rows)

    def wait_for(self, pattern, timeout=30):
        """Until a line matches; the screen then."""
        def look():
            lines = self.lines()
            return lines if any(re.search(pattern, line) for line in lines) else None
        try:
            return programs.wait_until(look, f"{pattern!r} on the screen", timeout)
        except check.Failure as failure:
            raise check.Failure(f"{failure}; on it:\n" + "\n".join(self.lines())) from None

    def start(self, *arguments, binary=loader.TIERSCOPE):
        """Runs `tierscope ARGUMENTS` in the shell, which notes the terminal's modes."""
        with open(self.path("go"), "w", encoding="utf-8") as script:
            script.write("stty -g > before; rm -f code after; " + " ".join(map(str, (binary, *arguments))) +
                         "; echo $? > code.new; stty -g > after; mv code.new code\n")
        self.type("clear; . ./go")
        self.keys("Enter")

    def program(self):
        """The process id of the tierscope that runs in it."""
        def find():
            for child in programs.descendants(self.shell):
                try:
                    with open(f"/proc/{child}/comm", encoding="utf-8") as comm:
                        if comm.read() == "tierscope\n":
                            return child
                except OSError:
                    continue
            return None
        return programs.wait_until(find, "tierscope to run")

    def wait_for_end(self, timeout=30):
        """The exit code; the terminal has to be as it was."""
        code = programs.wait_until(lambda: self.read("code"), "tierscope to end", timeout)
        self.check_restored()
        check.equal(self.read("after"), self.read("before"), "modes of the terminal")
        return int(code)

    def check_restored(self):
        flags = "#{alternate_on} #{cursor_flag} #{keypad_flag} #{keypad_cursor_flag}"
        programs.wait_until(lambda: self._ask(flags) == "0 1 0 0", f"the terminal to be as it was: {self._ask(flags)}", 5)
