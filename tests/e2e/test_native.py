# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Native leaves of a recording against the process's own memory map and what
readelf says of the files in it; and stacks through the dynamic linker."""

import re
import subprocess

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


FUNCTIONS = 400
CALLED = "".join(f"int called_{i}(int x) {{ return x + {i}; }}\n" for i in range(FUNCTIONS))
CALLING = "".join(f"int called_{i}(int x);\n" for i in range(FUNCTIONS)) + "int call_all(int x)\n{\n" + "".join(
    f"    x += called_{i}(x);\n" for i in range(FUNCTIONS)) + "    return x;\n}\n"
# Each time it loads the library anew, all its calls are first ones.
LOADING = """
#include <dlfcn.h>
#include <time.h>
int main(int count, char **arguments)
{
    for (time_t end = time(0) + 4; time(0) < end;) {
        void *library = dlopen(arguments[1], RTLD_LAZY);
        int (*call_all)(int) = (int (*)(int))dlsym(library, "call_all");

        call_all(count);
        dlclose(library);
    }
    return 0;
}
"""


def compile_c(source, output, *options):
    subprocess.run(["cc", "-O1", "-g", "-fno-omit-frame-pointer", "-x", "c", "-", "-o", output, *options],
                   input=source, text=True, check=True)


@check.test("native functions that are called for the first time", timeout=60)
def first_calls(t):
    """The dynamic linker finds them, from a frame that only rbx leads out of."""
    programs.need_root()
    programs.need("cc")
    folder = t.folder
    compile_c(CALLED, f"{folder}/libcalled.so", "-shared", "-fPIC")
    compile_c(CALLING, f"{folder}/libcalling.so", "-shared", "-fPIC", "-fplt", "-Wl,-z,lazy", f"-L{folder}", "-lcalled",
              f"-Wl,-rpath,{folder}")
    compile_c(LOADING, f"{folder}/loading")
    path = t.path("out.tscope")
    result = loader.record(t, "-o", path, "-F", loader.FREQUENCY, "--", f"{folder}/loading", f"{folder}/libcalling.so")
    check.equal(result.code, 0, f"{result}\nexit code")
    whole, others = 0, []
    for line in loader.report(t, path, "--format", "folded").out.splitlines():
        stack, _, count = line.rpartition(" ")
        # What calls the dynamic linker: nobody, as it starts the program, libc for these three and at the end, a first call.
        if not re.match(r"loading!_start;.*;ld-linux", stack) or re.search(r";libc\.so\.6!(dl(open|sym|close)|exit)", stack):
            continue
        if re.search(r"!_start;.*;loading!main;libcalling.so!call_all;ld-linux", stack):
            whole += int(count)
        else:
            others += [stack] * int(count)
    print(f"{whole} stacks through the dynamic linker are whole, {len(others)} are not")
    with t.case("are found from where they are called"):
        check.at_least(whole, 100, "stacks through the dynamic linker")
        check.that(len(others) <= 1 + 0.01 * whole, f"stacks without their callers: {others[:5]}")
