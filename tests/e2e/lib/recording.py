# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Reads the samples of a recording file, for checks that need each address.

Written from the format's description (user/recording/format.h, rows.c), apart
from the reader of the command, so it is a second opinion on the file too.  It
trusts a file that the command just wrote, and no other."""

import struct

from . import check

ABOUT, STRINGS, PROCESSES, EVENTS, BODIES, THREADS, FRAMES, STACKS, SAMPLES, UPDATES, COUNTS, END, RESTART = range(1, 14)
WEIGHED = 19
FRAME_BODY, FRAME_NATIVE, FRAME_KERNEL, FRAME_UNKNOWN = range(4)
FLAG_HIJACKED = 1 << 10  # abi/ring.h
TIERS = ("Unknown", "MinOptJitted", "Optimized", "QuickJitted", "OptimizedTier1", "OptimizedTier1OSR",
         "QuickJittedInstrumented", "OptimizedTier1Instrumented", "ReadyToRun")


def crc32c(data, table=[]):
    if not table:
        for n in range(256):
            for _ in range(8):
                n = n >> 1 ^ (0x82F63B78 if n & 1 else 0)
            table.append(n)
    crc = 0xFFFFFFFF
    for byte in data:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


class Rows:
    """The rows of one chunk: their count in four bytes, then their fields as
    numbers in groups of 7 bits, lowest first."""

    def __init__(self, data):
        self._data, self._at = data, 4
        self.count = int.from_bytes(data[:4], "little")
        self.last_time = self.last_ip = 0

    def number(self):
        value = shift = 0
        while True:
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def signed(self):
        value = self.number()
        return value >> 1 ^ -(value & 1)

    def numbers(self, count):
        return [self.number() for _ in range(count)]

    def text(self):
        size = self.number()
        self._at += size
        return self._data[self._at - size:self._at].decode("utf-8")


class Recording:
    """processes: pids; bodies: dictionaries as in the JSON document; threads,
    frames and samples as they lie in the file.  weighed: (time, tid, stack, weight)
    of those that stand for more than one period, as all time off the CPU."""

    def __init__(self, path):
        self.strings, self.processes, self.bodies, self.threads = [""], [], [], []
        self.frames, self.leaves, self.parents, self.samples = [], [None], [0], []
        self.stacks_of_samples, self.tids_of_samples, self.weighed = [], [], []
        self.start_ns = self.end_ns = 0
        self._restarted = 0  # what the file calls stack 1 is the one behind it
        with open(path, "rb") as file:
            data = file.read()
        magic, version = struct.unpack_from("<8sI", data)
        check.equal((magic, version), (b"TSCOPE\r\n", 5), "header of the recording")
        at, kind = 16, None
        while at < len(data):
            mark, kind, length, crc = struct.unpack_from("<IIII", data, at)
            padded = (length + 7) // 8 * 8
            check.equal(mark, 0x4B435354, f"mark of the chunk at {at}")
            whole = data[at + 4:at + 12] + data[at + 16:at + 16 + padded]
            check.equal(crc32c(whole), crc, f"checksum of the chunk at {at}")
            self._read_chunk(kind, Rows(data[at + 16:at + 16 + length]))
            at += 16 + padded
        check.equal(kind, END, "kind of the last chunk")

    def _read_chunk(self, kind, rows):
        readers = {ABOUT: self._about, STRINGS: self._string, PROCESSES: self._process, BODIES: self._body, THREADS: self._thread,
                   FRAMES: self._frame, STACKS: self._stack, SAMPLES: self._sample, WEIGHED: self._weighed}
        if kind == RESTART:
            self._restarted = len(self.leaves) - 1
        if kind in readers:
            for _ in range(rows.count):
                readers[kind](rows)

    def _about(self, rows):
        self.start_ns, self.end_ns = rows.numbers(2)
        rows.numbers(6)

    def _string(self, rows):
        self.strings.append(rows.text())

    def _process(self, rows):
        self.processes.append(rows.signed())
        rows.numbers(11)

    def _body(self, rows):
        process, _, function, _, start, size, token, rejit, version, tier, _, _, _, name, born, died = rows.numbers(16)
        rows.numbers(3)
        self.bodies.append({"pid": self.processes[process], "function_id": hex(function), "start": hex(start),
                            "size": size, "token": hex(token), "rejit_id": rejit, "native_version": version,
                            "tier": TIERS[tier], "name": self.strings[name], "born_ns": born, "died_ns": died})

    def _thread(self, rows):
        process = rows.number()
        self.threads.append((self.processes[process], rows.signed()))
        rows.number()

    def _frame(self, rows):
        kind, body, name, address = rows.numbers(4)
        self.frames.append((kind, body - 1, self.strings[name], address))

    def _stack(self, rows):
        parent, frame = rows.numbers(2)
        self.parents.append(parent and parent + self._restarted)
        self.leaves.append(frame)

    def _taken(self, rows):
        rows.last_time += rows.signed()
        rows.last_ip += rows.signed()
        thread, stack, _, flags = rows.numbers(4)
        return thread, stack and stack + self._restarted, flags

    def _weighed(self, rows):
        thread, stack, _ = self._taken(rows)
        self.weighed.append((rows.last_time, self.threads[thread][1], stack, rows.number()))

    def _sample(self, rows):
        thread, stack, flags = self._taken(rows)
        self.stacks_of_samples.append(stack)
        self.tids_of_samples.append(self.threads[thread][1])
        self.samples.append((rows.last_time, rows.last_ip, self.threads[thread][0], self.leaves[stack], flags))

    def numbers_of(self, stack):
        """The numbers of a stack's frames, leaf first."""
        while stack:
            yield self.leaves[stack]
            stack = self.parents[stack]

    def frames_of(self, stack):
        """The frames of a stack, leaf first."""
        return (self.frames[number] for number in self.numbers_of(stack))

    def leaf_text(self, leaf):
        if leaf is None:
            return "no stack"
        kind, body, name, address = self.frames[leaf]
        if kind != FRAME_BODY:
            return f"{name}+{address:#x}"
        return f"[{self.bodies[body]['tier']}] {self.bodies[body]['name']}"
