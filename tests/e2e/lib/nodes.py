# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""The code versions of a method as the runtime's own memory has them: a second reader,
which shares nothing with user/publication.  On 10 the layout comes from the runtime's
DotNetRuntimeContractDescriptor, as a debugger would take it; 9 describes modules alone,
and its nodes are those of 10.  8 has no descriptor, and hashes of which all is read here."""

import collections
import json
import os
import struct

from . import check

IL_STATES = {0: "requested", 1: "preparing", 2: "active"}
TIERS = ("QuickJitted", "OptimizedTier1", "OptimizedTier1OSR", "Optimized", "QuickJittedInstrumented", "OptimizedTier1Instrumented")
LIMIT = 10_000

# What the descriptor of 9 does not have: from that of 10.
NODES_OF_10 = {
    "MethodDesc": {"CodeData": 8, "ChunkIndex": 2, "Flags": 6},
    "MethodDescCodeData": {"VersioningState": 0},
    "MethodDescVersioningState": {"NativeCodeVersionNode": 16, "Flags": 8},
    "NativeCodeVersionNode": {"Next": 24, "MethodDesc": 8, "NativeCode": 0, "Flags": 52, "ILVersionId": 16},
    "ILCodeVersioningState": {"FirstVersionNode": 24, "ActiveVersionKind": 0, "ActiveVersionNode": 8},
    "ILCodeVersionNode": {"VersionId": 16, "Next": 24, "RejitState": 32},
    "ModuleLookupMap": {"TableData": 8, "Next": 0, "Count": 16},
}
# No descriptor tells these: found by matching live values.
VERSION_ID, TIER = 32, 36
INLININGS = {True: 816, False: 1096}  # of a Module: 10, 9
INLININGS_8 = 1344
HASH_OF_INLININGS = 32
CHUNK_HEADER = 24
BASE_SIZES = (16, 24, 56, 32, 32, 40, 0, 48)

Native = collections.namedtuple("Native", "code rejit_id version tier active")


class Memory:
    def __init__(self, pid):
        self.file = os.open(f"/proc/{pid}/mem", os.O_RDONLY)

    def close(self):
        os.close(self.file)

    def take(self, address, size):
        data = os.pread(self.file, size, address)
        if len(data) != size:
            raise OSError(f"{size} bytes at {address:#x}")
        return data

    def u64(self, address):
        return struct.unpack("<Q", self.take(address, 8))[0]

    def u32(self, address):
        return struct.unpack("<I", self.take(address, 4))[0]

    def u16(self, address):
        return struct.unpack("<H", self.take(address, 2))[0]


def library(pid):
    """(base, path) of the runtime."""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps:
        for line in maps:
            fields = line.split(None, 5)
            if len(fields) == 6 and fields[5].strip().endswith("/libcoreclr.so") and fields[2] == "00000000":
                return int(fields[0].split("-")[0], 16), fields[5].strip()
    raise check.Failure(f"process {pid} has no libcoreclr.so")


def symbol(path, name):
    """Its address in the file's address space, from .dynsym."""
    with open(path, "rb") as file:
        data = file.read()
    sections_at, = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    sections = [struct.unpack_from("<IIQQQQIIQQ", data, sections_at + i * size) for i in range(count)]
    for kind, offset, length, link in ((s[1], s[4], s[5], s[6]) for s in sections):
        if kind != 11:  # SHT_DYNSYM
            continue
        strings = sections[link][4]
        for at in range(offset, offset + length, 24):
            text, _, _, _, value, _ = struct.unpack_from("<IBBHQQ", data, at)
            if data[strings + text:data.index(b"\0", strings + text)] == name:
                return value
    raise check.Failure(f"{path} does not export {name}")


class Runtime:
    less = 0  # bytes at the begin of a MethodDesc

    def __init__(self, pid):
        self.memory = Memory(pid)
        base, path = library(pid)
        at = base + symbol(path, b"DotNetRuntimeContractDescriptor")
        magic, _, size, text = struct.unpack("<8sIIQ", self.memory.take(at, 24))
        check.equal(magic, b"DNCCDAC\0", "magic of the descriptor")
        self.types = json.loads(self.memory.take(text, size).rstrip(b"\0"))["types"]
        self.inlinings = INLININGS["NativeCodeVersionNode" in self.types]
        for name, fields in NODES_OF_10.items():
            self.types[name] = fields | self.types.get(name, {})

    def close(self):
        self.memory.close()

    def knows(self, function):
        return True

    def pointer(self, kind, at, field):
        return self.memory.u64(at + self.types[kind][field])

    def module(self, function):
        chunk = function - 8 * self.memory.take(function + self.types["MethodDesc"]["ChunkIndex"], 1)[0] - CHUNK_HEADER
        table = self.pointer("MethodDescChunk", chunk, "MethodTable")
        return self.pointer("MethodTable", table, "Module")

    def default_code(self, function):
        """None where the method has no slot for it: there may be some all the same."""
        flags = self.memory.u16(function + self.types["MethodDesc"]["Flags"])
        if not flags & 0x20:
            return None
        return self.memory.u64(function + BASE_SIZES[flags & 7] - self.less + 8 * bool(flags & 8) + 16 * bool(flags & 0x10))

    def state(self, function):
        """Address of the function's versioning state, 0: it never had another version."""
        return self.pointer("MethodDescCodeData", self.pointer("MethodDesc", function, "CodeData"), "VersioningState")

    def natives(self, function):
        """All native versions, the default one last."""
        state = self.state(function)
        default = Native(self.default_code(function), 0, 0, None, True)
        if not state:
            return [default]
        found, node = [], self.pointer("MethodDescVersioningState", state, "NativeCodeVersionNode")
        fields = self.types["NativeCodeVersionNode"]
        while node and len(found) < LIMIT:
            check.equal(self.pointer("NativeCodeVersionNode", node, "MethodDesc"), function, "method of a node")
            tier = self.memory.u32(node + TIER)
            found.append(Native(self.pointer("NativeCodeVersionNode", node, "NativeCode"),
                                self.pointer("NativeCodeVersionNode", node, "ILVersionId"), self.memory.u32(node + VERSION_ID),
                                TIERS[tier], bool(self.memory.u32(node + fields["Flags"]) & 1)))
            node = self.pointer("NativeCodeVersionNode", node, "Next")
        active = bool(self.memory.u32(state + self.types["MethodDescVersioningState"]["Flags"]) & 4)
        return found + [default._replace(active=active)]

    def il_state(self, module, token):
        """Address of the method's ILCodeVersioningState, 0: never changed."""
        entry, number = module + self.types["Module"]["MethodDefToILCodeVersioningStateMap"], token & 0xffffff
        fields = self.types["ModuleLookupMap"]
        while entry:
            count = self.memory.u32(entry + fields["Count"])
            if number < count:
                # The low bit of an entry is a flag.
                return self.memory.u64(self.memory.u64(entry + fields["TableData"]) + 8 * number) & ~1
            number -= count
            entry = self.memory.u64(entry + fields["Next"])
        return 0

    def il_versions(self, module, token):
        """({ReJITID: state}, the active ReJITID), the original left out."""
        state = self.il_state(module, token)
        if not state:
            return {}, 0
        fields = self.types["ILCodeVersioningState"]
        found, node = {}, self.memory.u64(state + fields["FirstVersionNode"])
        while node and len(found) < LIMIT:
            found[self.pointer("ILCodeVersionNode", node, "VersionId")] = \
                IL_STATES[self.memory.u32(node + self.types["ILCodeVersionNode"]["RejitState"]) & 0xf]
            node = self.pointer("ILCodeVersionNode", node, "Next")
        active = 0
        if self.memory.u32(state + fields["ActiveVersionKind"]) == 1:
            active = self.pointer("ILCodeVersionNode", self.memory.u64(state + fields["ActiveVersionNode"]), "VersionId")
        return found, active

    def active(self, function, module, token):
        """The native version that the runtime prefers; None: it has none as yet."""
        rejit = self.il_versions(module, token)[1]
        return next((n for n in self.natives(function) if n.active and n.rejit_id == rejit), None)

    def allocator(self, module):
        return self.pointer("Module", module, "LoaderAllocator")

    def stores(self, module):
        """[(method, functions into which the JIT has inlined it)], all of the module's."""
        inlinings = self.memory.u64(module + self.inlinings)
        if not inlinings:
            return []
        check.equal(self.memory.u64(inlinings), self.allocator(module), "loader allocator of the inlinings")
        slots, size = self.memory.u64(inlinings + HASH_OF_INLININGS), self.memory.u32(inlinings + HASH_OF_INLININGS + 8)
        stores = [s for s, in struct.iter_unpack("<Q", self.memory.take(slots, 8 * size)) if s] if size else []
        values = [{self.memory.u64(store + 24 + 8 * i) for i in range(self.memory.u32(store + 8))} for store in stores]
        return [(self.memory.u64(store + 16), {f for f in v if f > 1 << 20}) for store, v in zip(stores, values)]

    def inliners(self, module, token):
        """Functions into which the JIT has inlined the method: all of the module's are read."""
        number = token & 0xffffff
        entry = module + self.types["Module"]["MethodDefToDescMap"]
        inlined = self.memory.u64(self.memory.u64(entry + 8) + 8 * number) & ~3
        return {f for method, functions in self.stores(module) if method == inlined for f in functions}


class Runtime8(Runtime):
    """Modules have to be told: {function: its module}."""
    less = 8

    def __init__(self, pid, modules):
        self.memory, self.modules, self.types, self.inlinings = Memory(pid), modules, NODES_OF_10, INLININGS_8
        domains = {self.memory.u64(self.memory.u64(module + 296)) for module in modules.values()}
        check.equal(len(domains), 1, "application domains")
        domain, = domains
        # By module and token; by MethodDesc.
        self.il_states = {(self.memory.u64(e + 32), self.memory.u32(e + 40)): e for e in self.elements(domain + 2496)}
        self.states = {self.memory.u64(e): e for e in self.elements(domain + 2520)}

    def elements(self, at):
        slots, (size, count) = self.memory.u64(at), struct.unpack("<II", self.memory.take(at + 8, 8))
        found = [e for e, in struct.iter_unpack("<Q", self.memory.take(slots, 8 * size)) if e not in (0, 2**64 - 1)] if size else []
        check.equal(len(found), count, f"elements of the hash at {at:#x}")
        return found

    def knows(self, function):
        """Not of functions that have precompiled code alone: it does not say of which module."""
        return function in self.modules

    def module(self, function):
        return self.modules[function]

    def state(self, function):
        return self.states.get(function, 0)

    def il_state(self, module, token):
        return self.il_states.get((module, token), 0)

    def allocator(self, module):
        return self.memory.u64(self.memory.u64(module + 296) + 56)

    def token(self, method):
        """What the method says itself, and its chunk for all of its methods: no map is needed."""
        chunk = method - 8 * self.memory.take(method + 2, 1)[0] - CHUNK_HEADER
        return 0x06000000 | (self.memory.u16(chunk + 18) & 0xfff) << 12 | self.memory.u16(method) & 0xfff

    def inliners(self, module, token):
        return {f for method, functions in self.stores(module) if self.token(method) == token for f in functions}
