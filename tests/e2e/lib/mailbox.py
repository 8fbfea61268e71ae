# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Asks a live process, through the mailbox in its hook's journal, which function an
address belongs to: the runtime's own GetFunctionFromIP3.

Offsets are those of abi/journal.h, written down a second time on purpose."""

import ctypes
import mmap
import os
import struct
import time

from . import check

PRECOMPILED_OFFSET = 152  # struct ts_journal_header: u64 offset, u32 capacity, u32 used
MAILBOX, SLOTS = 1024, 256
BELL, ASKED, TAKEN, ADDRESSES = MAILBOX, MAILBOX + 4, MAILBOX + 8, MAILBOX + 24
SYS_FUTEX, FUTEX_WAKE = 202, 1


class Mailbox:
    def __init__(self, pid):
        path = next(p for p in (f"/proc/{pid}/fd/{n}" for n in os.listdir(f"/proc/{pid}/fd"))
                    if os.readlink(p).startswith("/memfd:tierscope-journal"))
        with open(path, "r+b") as file:
            self._memory = mmap.mmap(file.fileno(), 0)
        self._bell = ctypes.c_uint32.from_buffer(self._memory, BELL)
        self._libc = ctypes.CDLL(None, use_errno=True)
        check.equal(self._number(8), 2, "layout of the journal")
        self._offset = struct.unpack_from("<Q", self._memory, PRECOMPILED_OFFSET)[0]

    def _number(self, at):
        return struct.unpack_from("<I", self._memory, at)[0]

    def _ring(self):
        self._bell.value += 1
        self._libc.syscall(SYS_FUTEX, ctypes.byref(self._bell), FUTEX_WAKE, 2**31 - 1, None, None, 0)

    def ask(self, addresses, timeout=20):
        """{address: FunctionID, 0 where the runtime knows none}.  Nobody else may ask
        meanwhile."""
        wanted, answers = list(dict.fromkeys(addresses)), {}
        for at in range(0, len(wanted), SLOTS):
            batch = wanted[at:at + SLOTS]
            before = self._number(PRECOMPILED_OFFSET + 12)
            for address in batch:
                turn = self._number(ASKED)
                struct.pack_into("<Q", self._memory, ADDRESSES + 8 * (turn % SLOTS), address)
                struct.pack_into("<I", self._memory, ASKED, turn + 1)
            self._ring()
            end = time.monotonic() + timeout
            while not answers.keys() >= set(batch):
                check.that(time.monotonic() < end, f"{len(batch)} addresses were not answered in {timeout} s")
                time.sleep(0.01)
                for index in range(before, self._number(PRECOMPILED_OFFSET + 12)):
                    function, start = struct.unpack_from("<QQ", self._memory, self._offset + 16 * index)
                    if start in batch:
                        answers[start] = function
        return answers
