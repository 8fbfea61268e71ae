# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""What the kernel's maps of a recording that runs hold, read beside its loader."""

import ctypes
import os
import struct

from . import check

SYS_BPF = 321
MAP_GET_FD_BY_ID, OBJ_GET_INFO_BY_FD, MAP_LOOKUP_BATCH = 14, 15, 24
ROW = struct.Struct("<IIQIIQQ")     # struct ts_body_row of abi/codemap.h
NAME_BYTES = 15                     # of a name, that the kernel keeps

_libc = ctypes.CDLL(None, use_errno=True)


def _bpf(command, attributes):
    buffer = ctypes.create_string_buffer(attributes.ljust(128, b"\0"), 128)
    result = _libc.syscall(SYS_BPF, command, buffer, 128)
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result, buffer.raw


def _open(pid, wanted):
    """(descriptor, bytes of a value, entries) of the map with that name."""
    for number in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{number}", encoding="utf-8") as file:
            ids = [int(line.split()[1]) for line in file if line.startswith("map_id:")]
        for map_id in ids:
            fd, _ = _bpf(MAP_GET_FD_BY_ID, struct.pack("<I", map_id))
            info = ctypes.create_string_buffer(96)
            _bpf(OBJ_GET_INFO_BY_FD, struct.pack("<IIQ", fd, 96, ctypes.addressof(info)))
            _, _, _, value_size, entries, _, name = struct.unpack_from("<IIIIII16s", info.raw)
            if name.rstrip(b"\0").decode() == wanted[:NAME_BYTES]:
                return fd, value_size, entries
            os.close(fd)
    raise check.Failure(f"process {pid} has no map {wanted}")


def _read(pid, name):
    """All values of an array: (bytes of one, bytes of all)"""
    fd, size, entries = _open(pid, name)
    keys, values = ctypes.create_string_buffer(4 * entries), ctypes.create_string_buffer(size * entries)
    batch = ctypes.create_string_buffer(8)
    try:
        _bpf(MAP_LOOKUP_BATCH, struct.pack("<QQQQIIQQ", 0, ctypes.addressof(batch), ctypes.addressof(keys),
                                           ctypes.addressof(values), entries, fd, 0, 0))
    except FileNotFoundError:       # it says so at the end of a map
        pass
    os.close(fd)
    return size, values.raw


def leaf_counts(pid, events):
    """{start of a body: [samples by event]}, of the bodies that are alive."""
    size, rows = _read(pid, "bodies")
    _, counts = _read(pid, "leaf_counts")
    check.equal(size, ROW.size, "bytes of a row")
    found = {}
    for number in range(len(rows) // size):
        _, space, start, *_ = ROW.unpack_from(rows, number * size)
        if space:
            found[start] = list(struct.unpack_from(f"<{events}Q", counts, 8 * number * events))
    return found
