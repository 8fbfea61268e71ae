# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""ReJIT by a main profiler beside the hook: tests/rejit.  Three sources: the program,
which knows which IL each thread ran when; the main profiler, which is told of each
ReJIT and asks the runtime which body belongs to which ReJITID; and the event stream."""

import json
import os
import re
import signal
import socket
import struct
import time
import urllib.request
import uuid

from lib import check, jobs, loader, patches, programs, recording, report, truth

ALL = "versions,stay,generics,late,precompiled,refused,inliners,crowd"
# How near to its begin and end a phase may have samples of its neighbour.
EDGE_NS = 20_000_000
LEAST_SAMPLES = 20
# A phase is longer than that, and the pause between two looks is half of it.
LATE_LOOK_NS = 1_000_000_000
LEAST_FUNCTIONS = 10
WITH_CALLEES = ("PunycodeEncode",)


def with_profiler(t):
    return programs.main_profiler() | {"REJIT_EVENTS": t.path("rejit-events"), "REJIT_BODIES": t.path("rejit-bodies")}


def read_lines(path):
    with open(path, encoding="utf-8") as file:
        return [json.loads(line) for line in file if line.startswith("{")]


class Told:
    """What the main profiler wrote down."""

    def __init__(self, t):
        self.bodies = [line for line in read_lines(t.path("rejit-bodies")) if line["event"] == "body"]
        self.events = read_lines(t.path("rejit-events"))

    def versions(self):
        """{FunctionID: its ReJITIDs in the order in which they were first compiled}"""
        order = {}
        for event in self.events:
            if event["event"] == "finished":
                ids = order.setdefault(int(event["function_id"], 16), [])
                if event["rejit_id"] not in ids:
                    ids.append(event["rejit_id"])
        return order


def key(body):
    return (int(body["function_id"], 16), body["rejit_id"], int(body["start"], 16), body["size"])


def check_rejits(t, document, pid, told, jitted):
    with t.case("ReJITIDs are those that a main profiler is told"):
        check_rejit_ids(document.jit(pid), told, jitted, LEAST_FUNCTIONS)
    with t.case("says that another profiler is there"):
        check.equal([p["main_profiler"] for p in document.processes if p["pid"] == pid], [True], "main_profiler")


def check_rejit_ids(ours, told, jitted, least_functions):
    """`jitted`: where the JIT put code, so that precompiled bodies of the same functions
    can be told apart."""
    functions = {int(b["function_id"], 16) for b in told.bodies}
    check.at_least(len(functions), least_functions, "functions that were compiled for a ReJIT")
    theirs = {key(b) for b in told.bodies if int(b["start"], 16) in jitted}
    mine = {key(b) for b in ours if int(b["function_id"], 16) in functions}
    check.empty([f"{'only ours' if k in mine else 'only theirs'}: {k[0]:#x} #{k[1]} {k[2]:#x}+{k[3]}"
                 for k in sorted(theirs ^ mine)], f"bodies differ, {len(theirs & mine)} are the same")
    check.empty([truth.text(b) for b in ours if b["rejit_id"] != 0 and int(b["function_id"], 16) not in functions],
                "bodies with a ReJITID of functions that had no ReJIT")
    print(f"{len(mine)} bodies of {len(functions)} functions that had a ReJIT, {len({k[1] for k in mine})} ReJITIDs")


def check_phase(phase, recorded, told, pid):
    """All samples of a phase in its method are in the IL that ran."""
    name = re.compile(r"\." + phase["method"].split("[")[0].split(".")[-1] + r"[<(\[]")
    versions = told.versions()
    right, other, wrong = 0, 0, []
    for (time_ns, _, sample_pid, leaf, _), tid in zip(recorded.samples, recorded.tids_of_samples):
        if (tid != phase["thread"] or sample_pid != pid or leaf is None or
                not phase["begin_ns"] + EDGE_NS <= time_ns <= phase["end_ns"] - EDGE_NS):
            continue
        kind, number = recorded.frames[leaf][:2]
        body = recorded.bodies[number] if kind == recording.FRAME_BODY else None
        if body is None or not name.search(body["name"]):
            other += 1
            continue
        ids = [0, *versions.get(int(body["function_id"], 16), [])]
        if phase["version"] < len(ids) and body["rejit_id"] == ids[phase["version"]]:
            right += 1
        else:
            wrong.append(f"{recorded.leaf_text(leaf)} has ReJITID {body['rejit_id']}, of {ids}")
    check.empty(wrong, f"samples in another IL than version {phase['version']} of {phase['method']}, {right} right")
    # The others spend their time in themselves, but for their compilations.
    with_callees = phase["method"] in WITH_CALLEES
    check.at_least(right, 1 if with_callees else LEAST_SAMPLES,
                   f"samples in version {phase['version']} of {phase['method']}")
    if not with_callees:
        check.at_least(right / (right + other), 0.5, f"share of version {phase['version']} of {phase['method']} in its phase")
    return right


def check_phases(t, output, recorded, told, pid):
    phases = [p for p in read_lines(output) if p["version"] >= 0]
    with t.case("each phase's samples are in the IL that ran"):
        check.at_least(len(phases), 15, "phases")
        print("samples by phase:", [(p["method"], p["version"], check_phase(p, recorded, told, pid)) for p in phases])


def check_generic(ours):
    """One request, four functions, one ReJITID."""
    changed = [b for b in ours if re.search(r"\.Generic[<(\[]", b["name"]) and b["rejit_id"]]
    check.equal(len({b["function_id"] for b in changed}), 4, "instantiations that were compiled for the ReJIT")
    check.equal(len({b["rejit_id"] for b in changed}), 1, "ReJITIDs among them")


def check_order_of_late(ours):
    """After a ReJIT before the load the original comes last."""
    late = [b for b in ours if "Late.Work" in b["name"]]
    first = {was: min((b["born_ns"] for b in late if bool(b["rejit_id"]) == was), default=None) for was in (False, True)}
    check.that(None not in first.values() and first[True] < first[False], f"births {first} of {[truth.text(b) for b in late]}")


def launched(t, path):
    programs.need_root()
    pid, recorded, result, stream = jobs.launch(t, [path, ALL, "0.25"], switches=with_profiler(t))
    document = jobs.check_against(t, stream, pid, recorded, result, 100, 0, 1000)
    told = Told(t)
    check_rejits(t, document, pid, told, {int(e["start"], 16) for e in stream.of("load")})
    with t.case("a refused ReJIT was refused"):
        check.at_least(len([e for e in told.events if e["event"] == "error"]), 1, "errors that the main profiler was told")
    with t.case("one request covers all instantiations, later ones too"):
        check_generic(document.jit(pid))
    with t.case("changed before it is loaded: the original is born last"):
        check_order_of_late(document.jit(pid))
    with t.case("delays and batches are told from the start on"):
        truth.check_tiering(stream, loader.read_events(recorded, "delay,batch"), 0, truth.closed_ns(stream), 1)
    check_phases(t, t.path("record-out0"), recording.Recording(recorded), told, pid)


def need_looks(windows):
    widest = max((high - low for low, high in windows if low), default=0)
    if widest > LATE_LOOK_NS:
        raise check.Skip(f"the recorder looked {widest / 1e9:.1f} s after the look before: phases may be missed")


def wanted_events(phases, told):
    """[(what, ReJITID, (when the phase before ended, when its own began))], as the program and
    the main profiler know it."""
    ids = [0, *next(v for v in told.versions().values() if len(v) >= 3)]
    wanted, last = [], 0
    for before, phase in zip(phases, phases[1:]):
        rejit = ids[phase["version"]]
        compilations = [e for e in told.events if e["event"] == "finished" and e["rejit_id"] == rejit]
        if rejit:
            what = ["requested", "compiled", "reached"] + ["reached at tier 1"] * (len(compilations) > 2)
        else:
            what = ["reverted"]
        wanted += [(w, rejit or last, (before["end_ns"], phase["begin_ns"])) for w in what]
        last = rejit
    return wanted


def what_was_told(line):
    if line["kind"] == "rejit":
        return line["event"], line["rejit_id"]
    if "rejit_id" not in line:
        return "no body is reached", None
    return "reached at tier 1" if line["tier"] == "OptimizedTier1" else "reached", line["rejit_id"]


def is_in_time(line, asked_ns, told):
    """Asked for between two phases; of a compilation the main profiler is told begin and end."""
    low, high = line["window_ns"]
    if line["event"] == "compiled":
        times = [next(e["time_ns"] for e in told.events if e["event"] == event and e["rejit_id"] == line["rejit_id"])
                 for event in ("started", "finished")]
        return times[0] <= low == high <= times[1]
    return low - EDGE_NS <= asked_ns[1] and asked_ns[0] <= high + EDGE_NS


def check_events(path, phases, told):
    """What became of the ReJITs, and between it what calls reached, in the program's order."""
    lines = loader.read_events(path, "rejit,patch", "Targets.Plain(")
    need_looks([line["window_ns"] for line in lines if line["kind"] == "patch"])
    wanted = wanted_events(phases, told)
    seen = [what_was_told(line) for line in lines]
    print(f"seen {seen}, wanted {wanted}")
    rest = iter(seen)
    check.empty([w for w in wanted if w[:2] not in rest], "not seen in this order")
    rejits = [line for line in lines if line["kind"] == "rejit"]
    wanted = [w for w in wanted if not w[0].startswith("reached")]
    check.equal([what_was_told(line) for line in rejits], [w[:2] for w in wanted], "what became of ReJITs")
    check.empty([f"{line}, wanted at {asked_ns}" for line, (_, _, asked_ns) in zip(rejits, wanted)
                 if not is_in_time(line, asked_ns, told)], "at another time")


def check_switches(document, pid, phases, versions):
    """Each switch of the method's IL is a patch that leads to a body of that version, and lies
    in its window; nothing else leads to another version."""
    body_at = {b["start"]: b for b in document.bodies if b["pid"] == pid}
    function = next(f for f, ids in versions.items()
                    if any(int(b["function_id"], 16) == f and ".Plain(" in b["name"] for b in document.jit(pid)))
    ids = [0, *versions[function]]
    wanted = [(ids[p["version"]], (before and before["end_ns"], p["begin_ns"])) for before, p in zip([None, *phases], phases)]
    seen = [(body_at[p["body"]]["rejit_id"], p["window_ns"]) for p in document.document["patches"]
            if p["pid"] == pid and int(p["function_id"], 16) == function and p["body"] is not None]
    switches = [s for n, s in enumerate(seen) if not n or s[0] != seen[n - 1][0]]
    need_looks([window for _, window in seen])
    print(f"seen {switches}, wanted {wanted}")
    check.equal([s[0] for s in switches], [w[0] for w in wanted], "ReJITIDs that calls reached one after the other")
    # Asked for between two phases.
    check.empty([f"{identity}: between {ended} and {begin}, seen between {low} and {high}"
                 for (identity, (ended, begin)), (_, (low, high)) in zip(wanted[1:], switches[1:])
                 if not (low - EDGE_NS <= begin and ended <= high + EDGE_NS)], "switches are outside of their windows")


def scraped_rejits(port):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
        found = re.findall(r'^tierscope_rejits_total\{.*,kind="(.*)"\} (\d+)$', answer.read().decode(), re.MULTILINE)
    return {kind: int(count) for kind, count in found}


def switches(t, path):
    """Request, request, revert, request: phases are longer than the pause between two looks.
    The program stays for a scrape after them."""
    programs.need_root()
    recording_path, port = t.path("out.tscope"), programs.free_port()
    recorder = loader.Recorder(t, "-o", recording_path, "-F", loader.FREQUENCY, "--serve", f"127.0.0.1:{port}", "--",
                               path, "versions,stay", "1.2", "60", env=programs.environment(**with_profiler(t)))
    programs.wait_until(lambda: "rejit: settled" in recorder.texts()[0], "the end of the scenarios", 40)
    time.sleep(2)
    scraped = scraped_rejits(port)
    os.kill(programs.wait_for_dotnet(recorder.pid), signal.SIGTERM)
    result = recorder.finish(60)
    check.equal(result.code, 0, f"{result}\nexit code")
    document = report.Report(loader.read_json(t, recording_path))
    pid = document.processes[0]["pid"]
    with t.case("metrics count the ReJITs: three of Plain, one of Stay, one that was taken back"):
        compiled = len([b for b in document.jit(pid) if b["rejit_id"]])
        check.equal(scraped, {"requested": 4, "compiled": compiled, "reverted": 1}, "ReJITs")
        check.at_least(compiled, 4, "bodies of them")
    with t.case("what calls reach fits together"):
        patches.check_windows(document, pid)
    with t.case("each switch, a revert too, is seen in its window"):
        phases = [p for p in read_lines(t.path("record-out0")) if p["method"] == "Plain"]
        check_switches(document, pid, phases[:5], Told(t).versions())  # the last one goes on while it stays
    with t.case("events tells what became of each request, in order"):
        check_events(recording_path, phases[:5], Told(t))
    with t.case("samples of the thread that stays in the old version are late"):
        stay = [b for b in document.jit(pid) if ".Stay(" in b["name"]]
        late = {is_old: sum(b["late"]["cpu-clock"] for b in stay if (b["rejit_id"] == 0) == is_old) for is_old in (True, False)}
        own = sum(map(report.own, (b for b in stay if b["rejit_id"] == 0)))
        print(f"late {late} of {own} samples in the old version")
        check.at_least(late[True], 100, "late samples in the old version")
        check.at_least(own - late[True], 50, "samples in it before")
        check.equal(late[False], 0, "late samples in the new version")
    with t.case("versions shows the one that calls reach, and the others as superseded"):
        tree = json.loads(loader.run("versions", recording_path, "Plain", "--format", "json").out)
        il = tree["methods"][0]["il_versions"]
        check.equal([v["rejit_id"] for v in il], [0, *sorted(Told(t).versions()[int(il[1]["functions"][0]["function_id"], 16)])],
                    "IL versions")
        states = [[(n["published"], bool(n["superseded_ns"])) for n in v["functions"][0]["native_versions"] if n["published_ns"]]
                  for v in il]
        check.equal([(True, False) in s for s in states], [False, False, False, True], f"is published, of {states}")


@check.test("ReJIT switches on 10", timeout=60)
def switches_10(t):
    switches(t, programs.app("rejit"))


@check.test("ReJIT switches on 8", timeout=60)
def switches_8(t):
    switches(t, programs.app_on("net8.0", "rejit"))


@check.test("ReJIT on 10 launched", timeout=120)
def launched_10(t):
    launched(t, programs.app("rejit"))


@check.test("ReJIT on 9 launched", timeout=120)
def launched_9(t):
    launched(t, programs.app_on("net9.0", "rejit"))


@check.test("ReJIT on 8 launched", timeout=120)
def launched_8(t):
    launched(t, programs.app_on("net8.0", "rejit"))


def wait_until_settled(program):
    """Returns when the scenarios are through."""
    if "rejit: settled\n" not in program.process.stdout:
        raise check.Failure(f"rejit ended with {program.wait()}")


def attached(t, path):
    """Records after all is over: what the catch-up finds."""
    programs.need_root()
    program = programs.start_app(t, "rejit", ALL, "0.08", "120", path=path, env=programs.environment(**with_profiler(t)))
    wait_until_settled(program)
    document = jobs.check_attached(t, program.pid, 100, 0, 0)
    check.equal(program.stop(signal.SIGTERM), 0, "exit code of rejit")
    jitted = {int(e["start"], 16) for e in read_lines(t.path(f"truth-{program.pid}.jsonl"))
              if e["event"] in ("load", "alive_at_start")}
    check_rejits(t, document, program.pid, Told(t), jitted)
    with t.case("one request covers all instantiations, later ones too"):
        check_generic(document.jit(program.pid))


@check.test("ReJIT on 10 attached", timeout=120)
def attached_10(t):
    attached(t, programs.app("rejit"))


@check.test("ReJIT on 9 attached", timeout=120)
def attached_9(t):
    attached(t, programs.app_on("net9.0", "rejit"))


@check.test("ReJIT on 8 attached", timeout=120)
def attached_8(t):
    attached(t, programs.app_on("net8.0", "rejit"))


def attach_profiler(pid):
    """The command 03.01 of the diagnostics protocol."""
    path = (programs.REJIT_PROFILER + "\0").encode("utf-16-le")
    payload = struct.pack("<I16sI", 10_000, uuid.UUID(programs.REJIT_CLSID).bytes_le, len(path) // 2) + path + struct.pack("<I", 0)
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(30)
        client.connect(programs.diagnostics_socket(pid)[0])
        client.sendall(struct.pack("<14sHBBH", b"DOTNET_IPC_V1\0", 20 + len(payload), 3, 1, 0) + payload)
        answer = client.recv(64)
    check.equal(answer[16:18] + answer[20:24], b"\xff\0" + bytes(4), "answer to the attach")


@check.test("ReJIT by a main profiler that is attached late", timeout=120)
def attached_late(t):
    """The hook is there from the start and knows of no main profiler: bodies of a ReJIT
    come by its session, which it opens a while after the start."""
    programs.need_root()
    switches = {name: value for name, value in with_profiler(t).items() if not name.startswith("CORECLR_")}
    switches["TIERSCOPE_SESSION_DELAY_MS"] = "500"

    def drive(pid):
        time.sleep(3)
        attach_profiler(pid)

    pid, path, result, stream = jobs.launch(t, [programs.app("rejit"), "wait," + ALL, "0.25"], drive, switches)
    document = jobs.check_recording(t, path, result, 100, 0)
    told = Told(t)
    check_rejits(t, document, pid, told, {int(e["start"], 16) for e in stream.of("load")})
    check_phases(t, t.path("record-out0"), recording.Recording(path), told, pid)
