# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Native leaves of a recording against the process's own memory map and what
readelf says of the files in it."""

from lib import check, loader, native, programs, recording

SECONDS = 3


@check.test("native frames", timeout=120)
def native_frames(t):
    programs.need_root()
    programs.need("readelf")
    path = t.path("out.tscope")
    program = programs.start_app(t, "demo", "60")
    result = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "-d", f"{SECONDS}s", "-p", program.pid)
    check.equal(result.code, 0, f"{result}\nexit code")
    files = {}
    memory = native.Memory(program.pid, files)
    recorded = recording.Recording(path)
    seen, named, wrong = 0, 0, []
    for _, ip, pid, leaf, _ in recorded.samples:
        kind, _, name, start = recorded.frames[leaf] if leaf is not None else (None,) * 4
        place = memory.place(ip)
        if pid != program.pid or kind != recording.FRAME_NATIVE or not place:
            continue
        path, address, bounds = place
        seen += 1
        named += "!" in name
        text = native.complaint(name, start, path, bounds, address)
        if text:
            wrong.append(f"{name} at {start:#x} for {address:#x}: {text}")
    print(f"{seen} native leaves in {len(files)} files, {named} with a function")
    with t.case("a native leaf is the function that its file says"):
        check.at_least(seen, 100, "native leaves")
        check.empty(wrong, "native leaves are wrong")
    with t.case("nearly all have a function"):
        check.at_least(named / seen, 0.98, "share")
