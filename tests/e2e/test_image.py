# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""Precompiled images: what user/image reads in every file of the framework and
of the C# compiler, against the runtime that runs them.  See image_truth/."""

import collections
import glob
import os
import shutil
import subprocess

from lib import check, programs

Body = collections.namedtuple("Body", "begin size token type method signature arguments")
Listed = collections.namedtuple("Listed", "method_id start size token type method signature")
RUNDOWN = {
    "DOTNET_EnableEventPipe": "1",
    "DOTNET_EventPipeConfig": "Microsoft-Windows-DotNETRuntime:0x8:4",
    "DOTNET_EventPipeRundown": "1",
    "DOTNET_EventPipeCircularMB": "1024",
}
ALIGNMENT = 0x10000  # of a mapped image


def lines(path):
    with open(path, encoding="utf-8", newline="\n") as file:
        return [line.rstrip("\n").split("\t") for line in file]


def images():
    runtimes = subprocess.run(["dotnet", "--list-runtimes"], capture_output=True, text=True, check=True).stdout
    found = []
    for line in runtimes.splitlines():
        name, version, folder = line.split(" ", 2)
        if name in ("Microsoft.NETCore.App", "Microsoft.AspNetCore.App") and version.startswith("10."):
            found += glob.glob(f"{folder[1:-1]}/{version}/*.dll")
    sdk = os.path.join(os.path.dirname(os.path.realpath(shutil.which("dotnet"))), "sdk")
    found += glob.glob(f"{sdk}/10.*/Roslyn/bincore/*.dll")
    return sorted(os.path.realpath(path) for path in found)


def run(*command, env=None, stdout=None):
    result = subprocess.run(command, env=env, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)
    check.equal(result.returncode, 0, f"{command[0]}: {result.stderr}\nexit code")


def read_tables(path):
    """{image path: {begin: Body}}"""
    tables, table = {}, None
    for line in lines(path):
        if line[0] == "I":
            table = tables.setdefault(line[1], {})
            continue
        begin = int(line[1], 16)
        table[begin] = Body(begin, int(line[2], 16) - begin, *line[3:])
    return tables


def read_rundown(path):
    """{image path: [Listed]}"""
    modules, listed = {}, collections.defaultdict(list)
    for line in lines(path):
        if line[0] == "M":
            modules[line[1]] = line[2]
    for line in lines(path):
        if line[0] == "B":
            body = Listed(line[2], int(line[3], 16), int(line[4], 16), *line[5:])
            listed[modules.get(line[1], "")].append(body)
    return listed


def image_base(table, listed):
    """Where the image lies: the events do not say, but bodies whose names and
    sizes occur once do, by majority."""
    by_name = collections.defaultdict(list)
    for body in table.values():
        by_name[body[1:6]].append(body.begin)
    votes = collections.Counter()
    for body in listed:
        begins = by_name.get(body[2:], ())
        if len(begins) == 1:
            votes[body.start - begins[0]] += 1
    return votes.most_common(1)[0][0] if votes else None


class Comparison:
    """What the runtime lists, body by body, against the tables."""

    def __init__(self, tables, rundown):
        self.equal = self.generic = 0
        self.different, self.missing, self.bases = [], [], {}
        for path, listed in rundown.items():
            if path in tables:
                self._compare(path, tables[path], listed)

    def _compare(self, path, table, listed):
        base = image_base(table, listed)
        if base is None or base % ALIGNMENT:
            self.different.append(f"{path}: no base ({len(listed)} bodies)")
            return
        self.bases[path] = base
        for theirs in listed:
            ours = table.get(theirs.start - base)
            if ours is None:
                self.missing.append(f"{path}: {theirs}")
            elif ours[1:6] != theirs[2:]:
                self.different.append(f"{path}: {ours} is {theirs}")
            else:
                self.equal += 1
                self.generic += bool(ours.arguments or "[" in ours.type)


def compare_handles(handles, rundown, bases):
    """(right, wrong): whether a name led the runtime to the body it names.  The
    same instantiation may be in several images: any of them is right."""
    starts = collections.defaultdict(set)
    for listed in rundown.values():
        for body in listed:
            starts[body.method_id].add(body.start)
    named = collections.defaultdict(set)
    for path, begin, handle in handles:
        if path in bases:
            named[handle].add(bases[path] + int(begin, 16))
    known = [handle for handle in named if handle in starts]
    return len(known), [h for h in known if not starts[h] & named[h]]


@check.test("precompiled images against the runtime", timeout=300)
def against_the_runtime(t):
    programs.need("dotnet")
    program, tables_path = programs.app("image_truth"), t.path("tables")
    with open(tables_path, "w", encoding="utf-8") as file:
        run(os.path.join(programs.APPS, "image_truth", "image_table"), *images(), stdout=file)
    tables = read_tables(tables_path)
    run(program, "prepare", tables_path, t.path("handles"),
        env=programs.environment(DOTNET_EventPipeOutputPath=t.path("trace"), **RUNDOWN))
    run(program, "list", t.path("trace"), t.path("rundown"))
    rundown, handles = read_rundown(t.path("rundown")), lines(t.path("handles"))
    compared = Comparison(tables, rundown)

    with t.case("each body that the runtime lists is in the table, with its bounds, token and names"):
        check.empty(compared.missing, "bodies are not in the table")
        check.empty(compared.different, "bodies are different")
        check.at_least(compared.equal, 100_000, "equal bodies")
        check.at_least(compared.generic, 30_000, "equal generic bodies")
    with t.case("the runtime knows every method by its name, type arguments included"):
        check.empty([h for h in handles if h[2].startswith("wrong")], "names it does not know")
        check.at_least(len(handles), 200_000, "names")
    with t.case("each name leads to the body that bears it"):
        known, wrong = compare_handles([h for h in handles if ":" not in h[2]], rundown, compared.bases)
        check.empty(wrong, "method handles lie elsewhere")
        check.at_least(known, 30_000, "method handles")
    print(f"{compared.equal} bodies equal, {compared.generic} of them generic; {known} handles; {len(handles)} names")
