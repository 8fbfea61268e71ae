# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
"""tierscope serve, and record --serve: what is scraped is what is recorded; counters only
grow; clients of every kind; processes that come and go; promtool and a real Prometheus."""

import collections
import concurrent.futures
import json
import os
import re
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

from lib import check, kernel_maps, loader, programs, report

LINE = re.compile(r'^(?P<name>[a-z_]+)(?:\{(?P<labels>.*)\})? (?P<value>\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def executable(pid):
    """"" of one that has ended meanwhile."""
    try:
        return os.readlink(f"/proc/{pid}/exe")
    except OSError:
        return ""


def get(port, accept=None, timeout=30):
    """(content type, text)"""
    request = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": accept} if accept else {})
    with urllib.request.urlopen(request, timeout=timeout) as answer:
        return answer.headers["Content-Type"], answer.read().decode()


def parse(text):
    """{(name, frozenset of labels): value}"""
    found = {}
    for line in text.split("\n")[:-1]:
        if line.startswith("# "):
            continue
        match = LINE.match(line)
        check.that(match, f"no metric: {line!r}")
        labels = LABEL.findall(match["labels"] or "")
        check.equal(",".join(f'{k}="{v}"' for k, v in labels), match["labels"] or "", "labels")
        key = (match["name"], frozenset(labels))
        check.that(key not in found, f"twice: {line!r}")
        found[key] = float(match["value"])
    return found


def scrape(port):
    kind, text = get(port)
    check.equal(kind, OPEN, "content type")
    check.that(text.endswith("# EOF\n") and text.count("# EOF") == 1, f"the end of {text[-200:]!r}")
    return parse(text)


def total(metrics, name, **wanted):
    return sum(value for (family, labels), value in metrics.items()
               if family == name and all((k, v) in labels for k, v in wanted.items()))


def wait_for_samples(port, at_least=1, timeout=40):
    def ready():
        try:
            metrics = scrape(port)
        except (urllib.error.URLError, ConnectionError):
            return None
        return metrics if total(metrics, "tierscope_samples_total") >= at_least else None
    return programs.wait_until(ready, "samples in a scrape", timeout)


class Server(loader.Recorder):
    def __init__(self, t, *arguments, command="serve", **more):
        self.port = programs.free_port()
        option = "--listen" if command == "serve" else "--serve"
        super().__init__(t, option, f"127.0.0.1:{self.port}", *arguments, env=programs.environment(**more), command=command)


def tier_ups(document):
    """Nanoseconds from each function's first code to its tier-1 code, of what was born in the recording."""
    jitted = [b for b in document.bodies if b["source"] == "event" and b["tier"] != "ReadyToRun" and b["function_id"]]
    known = [b for b in document.bodies if b["function_id"] and b["rejit_id"] is not None]
    first = {}
    for body in sorted(known, key=lambda b: (b["born_ns"], b["start"])):
        first.setdefault((body["pid"], body["function_id"], body["rejit_id"]), body)
    ways = [(first[b["pid"], b["function_id"], b["rejit_id"]], b) for b in jitted if b["tier"] == "OptimizedTier1"]
    return [body["born_ns"] - begin["born_ns"] for begin, body in ways
            if begin is not body and begin["source"] == "event" and begin["tier"] != "OptimizedTier1Instrumented"]


def check_histogram(metrics, name, times):
    """Cumulative buckets, of those times exactly."""
    bounds = {float(dict(labels)["le"]): value for (family, labels), value in metrics.items() if family == f"{name}_bucket"}
    check.equal(bounds, {bound: sum(ns / 1e9 <= bound for ns in times) for bound in bounds}, f"buckets of {name}")
    check.equal(total(metrics, f"{name}_count"), len(times), f"{name}_count")
    check.equal(round(total(metrics, f"{name}_sum"), 6), round(sum(times) / 1e9, 6), f"{name}_sum")
    check.that(float("inf") in bounds and len(bounds) > 10, f"bounds {sorted(bounds)}")


def in_other_words(document):
    """{(tier as a label, event): samples} of a report"""
    short = {"MinOptJitted": "minopt", "Optimized": "opt", "QuickJitted": "tier0", "OptimizedTier1": "tier1",
             "OptimizedTier1OSR": "osr", "QuickJittedInstrumented": "tier0-instr", "OptimizedTier1Instrumented": "tier1-instr",
             "ReadyToRun": "r2r"}
    found = collections.Counter()
    for body in document.bodies:
        for event, count in body["self"].items():
            found[short[body["tier"]], event] += count
    return found


@check.test("record --serve", timeout=180)
def record_serve(t):
    programs.need_root()
    # The hook is there from the start, so that methods have their first code in the recording.
    demo = programs.start_app(t, "demo", "100", env=programs.environment(**programs.hooked()))
    path = t.path("out.tscope")
    server = Server(t, "-p", demo.pid, "-F", loader.FREQUENCY, "-e", "cpu-clock,page-faults", "--stat", "1s", "--json", "-o", path,
                    command="record")
    first = wait_for_samples(server.port, 500)
    programs.wait_until(lambda: total(scrape(server.port), "tierscope_tier_up_seconds_count") >= 10, "methods at tier 1", 40)
    with t.case("counters only grow"):
        before = first
        for _ in range(4):
            time.sleep(1)
            now = scrape(server.port)
            check.empty([(key, value, now.get(key)) for key, value in before.items()
                         if key[0].endswith(("_total", "_bucket", "_count", "_sum")) and now.get(key, -1) < value], "counters that went back")
            before = now
    with t.case("each sample is in one series of each family"):
        for event in ("cpu-clock", "page-faults"):
            bodies = sum(total(before, "tierscope_samples_total", event=event, tier=tier)
                         for tier in ("tier0", "tier0-instr", "tier1-instr", "tier1", "osr", "opt", "minopt", "r2r"))
            check.equal(total(before, "tierscope_version_samples_total", event=event), bodies, f"samples of {event} by version")
        check.equal(total(before, "tierscope_samples_total"), total(before, "tierscope_ledger_samples_kept_total"), "kept samples")
        check.equal(total(before, "tierscope_events_total"), total(before, "tierscope_samples_total", event="page-faults"), "page faults")
        check.at_least(total(before, "tierscope_version_samples_total", tier="tier1"), 1, "samples of tier-1 versions of their own")
    # A stopped process is sampled no more: nothing happens between the last scrape and the end.
    demo.process.send_signal(signal.SIGSTOP)
    time.sleep(2.5)
    last = scrape(server.port)
    time.sleep(1.5)
    with t.case("a stopped program's counters stand still"):
        now = scrape(server.port)
        for name in ("tierscope_samples_total", "tierscope_version_samples_total"):
            check.equal(total(now, name), total(last, name), name)
    in_kernel = kernel_maps.leaf_counts(server.pid, 2)
    server.process.send_signal(signal.SIGINT)
    code = server.wait(60)
    demo.process.send_signal(signal.SIGCONT)
    document = report.Report(loader.read_json(t, path))
    with t.case("the scrape has exactly the recording's samples, to each tier"):
        check.equal(code, 0, f"{server.texts()[1]}\nexit code")
        scraped = {(dict(labels)["tier"], dict(labels)["event"]): value
                   for (name, labels), value in last.items() if name == "tierscope_samples_total"}
        others = ("native", "stub", "unresolved")
        check.equal({key: value for key, value in scraped.items() if key[0] not in others}, dict(+in_other_words(document)),
                    "samples of code")
        check.equal(sum(scraped.values()), document.kept(), "all samples")
        for event in document.events:
            check.equal(scraped["native", event["name"]], event["samples_summary"]["native_leaf"] + event["samples_summary"]["kernel_leaf"],
                        f"native samples of {event['name']}")
    with t.case("the kernel's own counts of each body are the recording's"):
        ours = {int(b["start"], 16): [b["self"].get(event["name"], 0) for event in document.events] for b in document.jit(demo.pid) if not b["died_ns"]}
        check.at_least(sum(count[0] for count in in_kernel.values()), 100, "samples of cpu-clock that the kernel counted")
        # Of a body that ran before its event the loader finds out by its address.
        differences = {start: (count, in_kernel.get(start)) for start, count in ours.items() if count != in_kernel.get(start, [0, 0])}
        late = sum(sum(count) - sum(kernel or (0, 0)) for count, kernel in differences.values())
        check.that(0 <= late <= document.ledger["notes"]["body_late"], f"{late} more in the recording: {differences}")
    with t.case("tier-ups are those of the recording, told by the same definition"):
        times = tier_ups(document)
        check.equal(len(times), document.document["tiering"]["first_code_to_tier1"]["count"], "tier-ups in the report")
        check.at_least(len(times), 1, "tier-ups")
        check_histogram(last, "tierscope_tier_up_seconds", times)
        # The recorder's own last look finds more of these.
        reached = total(last, "tierscope_tier_up_publish_seconds_count")
        check.at_least(reached, 1, "tier-ups that callers reached")
        check.at_least(document.document["tiering"]["tier1_to_seen_published"]["count"], reached, "of these in the report")
    with t.case("stat has the same samples"):
        tables = [json.loads(line) for line in server.texts()[0].splitlines() if line.startswith('{"from_ns"')]
        for event in document.events:
            check.equal(sum(table["events"][event["name"]]["samples"] for table in tables), event["samples"], f"samples in stat of {event['name']}")


@check.test("record --serve of what stands still", timeout=120)
def record_serve_exactly(t):
    """A program that is killed while it sleeps runs nothing more after the scrape: its samples are told exactly.
    (On its own way out it runs optimized code of the runtime's.)"""
    programs.need_root()
    path = t.path("out.tscope")
    server = Server(t, "-F", loader.FREQUENCY, "-e", "page-faults,cpu-clock,exceptions:page_fault_user", "-o", path,
                    "--", programs.app("counts"), "10", "60",
                    command="record")
    programs.wait_until(lambda: '"methods"' in server.texts()[0], "the program's work", 60)
    time.sleep(2.5)
    last = scrape(server.port)
    os.kill(programs.wait_for_dotnet(server.pid), signal.SIGKILL)
    code = server.wait(60)
    document = report.Report(loader.read_json(t, path))
    with t.case("optimized and unoptimized bodies: equal to the recording"):
        check.equal(code, 137, f"{server.texts()[1]}\nexit code")
        recorded = in_other_words(document)
        for tier in ("opt", "minopt"):
            for event in ("page-faults", "cpu-clock", "exceptions:page_fault_user"):
                check.equal(total(last, "tierscope_samples_total", tier=tier, event=event), recorded[tier, event], f"{event} in {tier}")
        # On a busy machine the ring can run over while the program starts: then the ledger says so.
        samples = document.ledger["samples"]
        lost = samples["lost"]["ring_full"] + samples["not_delivered"]
        for event in ("page-faults", "exceptions:page_fault_user"):
            check.at_least(recorded["opt", event] + lost, 7010, f"{event} in optimized code, and {lost} lost")


@check.test("serve a command and its children", timeout=120)
def serve_children(t):
    programs.need_root()
    server = Server(t, "-F", loader.FREQUENCY, "--", "sh", "-c", f"{programs.app('demo')} 90; sleep 40")
    wait_for_samples(server.port, 300)
    child = programs.wait_until(lambda: next((pid for pid in programs.descendants(server.pid)
                                              if executable(pid).endswith("/demo")), None), "the child")
    with t.case("promtool likes it"):
        programs.need("promtool")
        kind, text = get(server.port, "text/plain")
        check.equal(kind, "text/plain; version=0.0.4; charset=utf-8", "content type")
        done = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True, timeout=60)
        check.equal((done.returncode, done.stdout, done.stderr), (0, "", ""), "what promtool says")
    with t.case("scrapes while a process ends are all whole"):
        seen = 0
        while os.path.exists(f"/proc/{child}"):
            there = total(scrape(server.port), "tierscope_samples_total", pid=str(child)) > 0
            seen += there
            if there and seen == 5:
                os.kill(child, signal.SIGTERM)
            time.sleep(0.05)
        check.at_least(seen, 1, "scrapes with the process")
    with t.case("one that ended keeps its last values for one scrape, and goes"):
        # It may have been in one that ended it already, read above.
        counts = []
        for _ in range(3):
            time.sleep(2.5)
            counts.append(total(scrape(server.port), "tierscope_samples_total", pid=str(child)))
        check.equal(counts[1:], [0, 0], f"samples of the process in {counts}")
        check.at_least(total(scrape(server.port), "tierscope_processes"), 1, "processes alive")
    server.process.send_signal(signal.SIGINT)
    with t.case("ends well"):
        check.equal(server.wait(60), 0, f"{server.texts()[1]}\nexit code")


def check_all_told(last, kept):
    """`last`: the last values of all processes.  A sample that was taken while its process ended can come when
    the last page of that was read."""
    missing = kept - sum(last.values())
    print(f"{missing:.0f} of {kept:.0f} samples came too late for a page")
    check.that(0 <= missing <= 0.02 * kept, f"{missing} samples are missing of {kept} in {last}")


@check.test("serve processes that come and go", timeout=120)
def serve_brief(t):
    """Who scrapes often enough sees each one's last values, and has every sample then."""
    programs.need_root()
    server = Server(t, "-F", loader.FREQUENCY, "--", "sh", "-c",
                    f"for i in 1 2 3 4 5 6 7 8 9 10 11 12; do {programs.app('short')} hello; sleep 0.5; done; echo over; sleep 60")
    wait_for_samples(server.port)
    last, over, most = {}, None, 0
    while over is None or time.monotonic() < over + 5:
        now = collections.Counter()
        for (name, labels), value in scrape(server.port).items():
            if name == "tierscope_samples_total":
                now[dict(labels)["pid"], dict(labels)["process"]] += value
        last.update(now)
        most = max(most, len([name for _, name in now if name == "short"]))
        if over is None and "over" in server.texts()[0]:
            over = time.monotonic()
        time.sleep(0.2)
    with t.case("their last values have all samples"):
        check.equal(len([pid for pid, name in last if name == "short"]), 12, "processes")
        check_all_told(last, total(scrape(server.port), "tierscope_ledger_samples_kept_total"))
    with t.case("they do not pile up"):
        check.that(most < 12, f"{most} at a time")
        check.equal({dict(labels)["process"] for name, labels in scrape(server.port) if name == "tierscope_code_loads_total"} - {"sh", "sleep"},
                    set(), "names of those that are there in the end")


# What stays of a process that has ended is about a kilobyte; a recorder that kept all it knew of
# them had twenty-five for each that was forked and ran a program.
GROWTH_BYTES = 3 << 20
GROWTH_PER_PROCESS = 6 << 10
CROWD_SECONDS = 4


@check.test("a crowd: 1,000 threads, 20,000 bodies, processes that come and go", timeout=180, alone=True)
def crowd(t):
    """Some 80 processes start and end in a second, as fast as the machine is."""
    programs.need_root()
    path = t.path("out.tscope")
    server = Server(t, "-F", loader.FREQUENCY, "-o", path, "--", "sh", "-c",
                    f"{programs.app('churn')} crowd 20000 & while kill -0 $! 2>/dev/null; do /bin/true; sleep 0.02; done", command="record")
    programs.wait_until(lambda: "churn: crowd" in server.texts()[0], "the crowd", 90)
    time.sleep(1.5)
    first, first_ns = scrape(server.port), time.monotonic_ns()
    churn = next(pid for pid in programs.descendants(server.pid) if executable(pid).endswith("/churn"))
    with t.case("is there"):
        check.at_least(total(first, "tierscope_code_bodies", pid=str(churn)), 20_000, "code bodies alive")
        with open(f"/proc/{churn}/status", encoding="utf-8") as file:
            check.at_least(int(re.search(r"Threads:\s+(\d+)", file.read())[1]), 1000, "threads")
    time.sleep(CROWD_SECONDS)
    last = scrape(server.port)
    result = server.interrupt(60)
    document = report.Report(loader.read_json(t, path))
    ended = [p for p in document.processes if p["end_ns"] and p["end_ns"] > first_ns]
    memory = [total(metrics, "tierscope_process_resident_memory_bytes") for metrics in (first, last)]
    print(f"{len(document.processes)} processes, {len(ended)} ended meanwhile; memory {memory}")
    with t.case("memory stays what it is"):
        check.at_least(len(ended), 50, "processes that ended")
        check.at_least(GROWTH_BYTES + len(ended) * GROWTH_PER_PROCESS, memory[1] - memory[0], f"bytes more, of {memory}")
    with t.case("the ledger balances, and nothing was lost"):
        check.equal(result.code, 0, f"{result}\nexit code")
        report.check_ledger(document)
        check.equal(document.ledger["samples"]["lost"]["ring_full"], 0, "samples lost for want of room")
    with t.case("all threads and their code are in it"):
        check.at_least(len([b for b in document.jit(churn) if b["name"].startswith("Lambda")]), 20_000, "bodies of lambdas")
        check.at_least(sum(sum(b["self"].values()) for b in document.jit(churn) if b["name"].startswith("Lambda")), 20, "samples in them")


# So few rows that a session of some seconds is swept as one of days is.
SWEEP_FROM = "2000"
SWEPT = re.compile(r"swept: (\d+) of (\d+) rows")
LAMBDAS = 8_000
# A model is swept once it is twice what was left: by the third at the latest the first two go, who have rested by then.
ROUNDS = 4


@check.test("serve for long: what has ended is forgotten, and counts", timeout=180, alone=True)
def serve_long(t):
    programs.need_root()
    server = Server(t, "-vv", "-F", loader.FREQUENCY, "--", "sh", "-c",
                    f"for i in $(seq {ROUNDS}); do {programs.app('churn')} lambdas {LAMBDAS}; sleep 2.5; done & "
                    "n=0; while kill -0 $! 2>/dev/null; do /bin/true; n=$((n+1)); sleep 0.1; done; "
                    "echo over $n; sleep 60", TIERSCOPE_SWEEP_FROM=SWEEP_FROM)
    wait_for_samples(server.port)
    last, code, tiers, over, before, backward, unequal = {}, {}, {}, None, {}, [], []
    while over is None or time.monotonic() < over + 4:
        now, samples = scrape(server.port), collections.Counter()
        for (name, labels), value in now.items():
            if name == "tierscope_samples_total":
                samples[dict(labels)["pid"], dict(labels)["process"]] += value
                tiers[name, labels] = value
            if name.startswith("tierscope_code_"):
                code[name, labels] = value
        last.update(samples)
        # A process that went and came again under its number is another one.
        backward += [(key, value, now[key]) for key, value in before.items() if key[0].endswith(("_total", "_bucket")) and now.get(key, value) < value]
        pids = {dict(labels)["pid"] for name, labels in now if name == "tierscope_code_loads_total"}
        for pid in pids:
            alive = total(now, "tierscope_code_bodies", pid=pid) - total(now, "tierscope_code_bodies", pid=pid, tier="r2r")
            told = total(now, "tierscope_code_loads_total", pid=pid) - total(now, "tierscope_code_unloads_total", pid=pid)
            unequal += [(pid, alive, told)] if alive != told else []
        before = now
        if over is None and "over" in server.texts()[0]:
            over = time.monotonic()
        time.sleep(0.2)
    out, err = server.texts()
    programs_run = int(re.search(r"over (\d+)", out)[1])
    swept = [(int(left), int(size)) for left, size in SWEPT.findall(err)]
    print(f"{programs_run} programs beside churn; swept {swept}; {total(before, 'tierscope_process_resident_memory_bytes') / 1e6:.1f} MB")
    with t.case("was swept, and most of it went"):
        check.at_least(sum(size - left for left, size in swept), 2 * LAMBDAS, "rows that went")
    with t.case("no counter went back"):
        check.empty(backward, "counters")
    with t.case("every page has as many bodies alive as were loaded and not unloaded"):
        check.empty(unequal, "processes")
    with t.case("every load and unload counts"):
        loads = max(value for (name, _), value in code.items() if name == "tierscope_code_loads_total")
        unloads = max(value for (name, _), value in code.items() if name == "tierscope_code_unloads_total")
        check.at_least(loads, LAMBDAS, "loads")
        check.at_least(unloads, LAMBDAS * 0.9, "unloads")
    with t.case("the last values of all have all samples"):
        check_all_told(last, total(before, "tierscope_ledger_samples_kept_total"))
    with t.case("samples in code that is gone by now have its tier"):
        churn = next(pid for pid, name in last if name == "churn" and last[pid, name] == max(last.values()))
        mine = {dict(labels)["tier"]: value for (name, labels), value in tiers.items() if dict(labels)["pid"] == churn}
        check.at_least(mine.get("opt", 0), 20 * mine.get("unresolved", 0), f"samples in optimized code, of {mine}")
    server.interrupt(60)


@check.test("clients of every kind", timeout=120)
def clients(t):
    programs.need_root()
    demo = programs.start_app(t, "demo", "80")
    server = Server(t, "-p", demo.pid, "-F", loader.FREQUENCY)
    wait_for_samples(server.port, 100)
    slow = []
    for text in (b"", b"GET /met", b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n") * 10:
        connection = socket.create_connection(("127.0.0.1", server.port), timeout=30)
        connection.sendall(text)
        slow.append(connection)
    before = total(scrape(server.port), "tierscope_ledger_samples_kept_total")
    with t.case("100 scrapes at once, beside 30 that are slow"):
        with concurrent.futures.ThreadPoolExecutor(100) as pool:
            answers = list(pool.map(lambda _: get(server.port, timeout=60), range(100)))
        check.equal({kind for kind, _ in answers}, {OPEN}, "content types")
        for _, text in answers:
            check.that(text.endswith("# EOF\n"), "an answer was cut")
    with t.case("sampling goes on meanwhile, and nothing is lost"):
        time.sleep(2)
        now = scrape(server.port)
        check.at_least(total(now, "tierscope_ledger_samples_kept_total"), before + 100, "kept samples")
        check.equal(total(now, "tierscope_ledger_samples_lost_total", cause="ring_full"), 0, "samples lost")
    with t.case("a port in use"):
        loader.complaint(loader.run("serve", "--listen", f"127.0.0.1:{server.port}", "-p", demo.pid), 1, server.port, "already in use")
    with t.case("other pages and methods"):
        for path, method, code in (("/", "GET", 200), ("/secret", "GET", 404), ("/metrics", "POST", 405)):
            try:
                request = urllib.request.Request(f"http://127.0.0.1:{server.port}{path}", method=method)
                with urllib.request.urlopen(request, timeout=30) as answer:
                    got = answer.status
            except urllib.error.HTTPError as error:
                got = error.code
            check.equal(got, code, f"status of {method} {path}")
    for connection in slow:
        connection.close()
    with t.case("its end frees the port, the target goes on"):
        server.process.send_signal(signal.SIGTERM)
        check.equal(server.wait(60), 0, f"{server.texts()[1]}\nexit code")
        check.equal(demo.process.poll(), None, "exit code of demo")
        with socket.socket() as again:
            again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            again.bind(("127.0.0.1", server.port))


@check.test("hostile names in metrics", timeout=90)
def hostile_names(t):
    programs.need_root()
    server = Server(t, "-F", loader.FREQUENCY, "--", programs.app("hostile"), "30")
    wait_for_samples(server.port)

    def names():
        """Of methods with series of their own, once there are some."""
        found = {dict(labels)["method"] for name, labels in scrape(server.port) if name == "tierscope_version_samples_total"}
        return found if len(found) >= 3 else None

    methods = programs.wait_until(names, "methods with series of their own", 40)
    with t.case("every line is one"):
        scrape(server.port)
        check.that(all(len(name.encode()) <= 400 for name in methods), "a label that is not cut")
        check.empty([name for name in methods if re.search("[\0-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", name)],
                    "names that are not fit for a terminal")
    with t.case("promtool can read it"):
        programs.need("promtool")
        done = subprocess.run(["promtool", "check", "metrics"], input=get(server.port, "text/plain")[1].encode(), capture_output=True, timeout=60)
        check.equal((done.returncode, done.stdout, done.stderr), (0, b"", b""), "what promtool says")
    server.interrupt(60)


@check.test("a real Prometheus", timeout=120)
def real_prometheus(t):
    programs.need_root()
    programs.need("prometheus")
    demo = programs.start_app(t, "demo", "90")
    server, port = Server(t, "-p", demo.pid, "-F", loader.FREQUENCY, "-e", "cpu-clock,page-faults"), programs.free_port()
    wait_for_samples(server.port, 100)
    rules = os.path.join(programs.ROOT, "docs", "prometheus-rules.yml")
    with open(t.path("prometheus.yml"), "w", encoding="utf-8") as file:
        file.write(f"global: {{scrape_interval: 3s, evaluation_interval: 1s}}\nrule_files: ['{rules}']\nscrape_configs:\n"
                   f"  - job_name: tierscope\n    static_configs: [{{targets: ['127.0.0.1:{server.port}']}}]\n")
    with open(t.path("prometheus.log"), "wb") as log:
        programs.Program(t, ["prometheus", f"--config.file={t.path('prometheus.yml')}", f"--storage.tsdb.path={t.path('data')}",
                             f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)

    def query(text):
        url = f"http://127.0.0.1:{port}/api/v1/query?" + urllib.parse.urlencode({"query": text})
        try:
            with urllib.request.urlopen(url, timeout=30) as answer:
                return json.load(answer)["data"]["result"]
        except (urllib.error.URLError, ConnectionError):
            return []

    def number(text):
        result = query(text)
        return float(result[0]["value"][1]) if result else None

    programs.wait_until(lambda: (number("count_over_time(up[1m])") or 0) >= 3, "scrapes", 60)
    with t.case("takes every scrape"):
        check.equal(number("min_over_time(up[1m])"), 1, "whether the target was up")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/targets", timeout=30) as answer:
            targets = json.load(answer)["data"]["activeTargets"]
        check.equal([target["lastError"] for target in targets], [""], "errors of the last scrape")
    with t.case("knows the families by their types"):
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/metadata", timeout=30) as answer:
            known = json.load(answer)["data"]
        check.equal(known["tierscope_samples"][0]["type"], "counter", "type")
        check.equal(known["tierscope_code_bodies"][0]["type"], "gauge", "type")
        check.equal(known["tierscope_tier_up_seconds"][0]["type"], "histogram", "type")
    with t.case("and their values"):
        check.at_least(number("sum(tierscope_samples_total)"), 100, "samples")
        check.equal(number("sum(resets(tierscope_samples_total[1m]))"), 0, "counters that went back")
        check.at_least(len(query('tierscope_version_samples_total{tier="tier1"}')), 1, "tier-1 versions")
    with t.case("the rules in docs/ work on it"):
        programs.wait_until(lambda: query("tierscope:cpu_by_tier:rate1m"), "a recorded rule", 60)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/rules", timeout=30) as answer:
            groups = json.load(answer)["data"]["groups"]
        rules_found = [rule for group in groups for rule in group["rules"]]
        check.at_least(len(rules_found), 4, "rules")
        check.equal({rule["health"] for rule in rules_found}, {"ok"}, "health of the rules")
    with t.case("the dashboard asks for what there is"):
        with open(os.path.join(programs.ROOT, "docs", "grafana-dashboard.json"), encoding="utf-8") as file:
            board = json.load(file)
        asked = [target["expr"] for panel in board["panels"] for target in panel.get("targets", [])]
        check.at_least(len(asked), 6, "queries")
        for expression in asked:
            text = expression.replace("$process", ".*").replace("$__rate_interval", "1m")
            check.that(query(text), f"nothing for {text}")


@check.test("serve all", timeout=90, alone=True)
def serve_all(t):
    """Those that run, those to come, and nobody without the hook; whoever else has it is there too."""
    programs.need_root()
    hooked = programs.environment(**programs.hooked())
    first, without = programs.start_app(t, "demo", "80", env=hooked), programs.start_app(t, "demo", "80")
    server = Server(t, "-a", "-F", loader.FREQUENCY)

    def has(program):
        def samples():
            try:
                return total(scrape(server.port), "tierscope_samples_total", pid=str(program.pid)) > 0
            except (urllib.error.URLError, ConnectionError):
                return False
        programs.wait_until(samples, f"samples of process {program.pid}", 40)
    with t.case("a process that runs, and one to come"):
        has(first)
        second = programs.start_app(t, "demo", "80", env=hooked)
        has(second)
        pids = {dict(labels)["pid"] for name, labels in scrape(server.port) if name == "tierscope_samples_total"}
        check.that(str(without.pid) not in pids, f"{without.pid}, which has no hook, among {pids}")
    with t.case("one ends, the other goes on"):
        first.stop(signal.SIGTERM)
        # Its last page is read by us, or by nobody: both within seconds.
        programs.wait_until(lambda: not total(scrape(server.port), "tierscope_samples_total", pid=str(first.pid)), "it to go", 30)
        has(second)
    with t.case("ends well"):
        check.equal(server.interrupt(60).code, 0, "exit code")
        check.equal(second.process.poll(), None, "exit code of demo")


@check.test("serve nothing", timeout=60)
def serve_nothing(t):
    programs.need_root()
    for arguments, code, words in (((), 3, ["serve: one of -p"]), (("--listen", "9464", "--", "true"), 3, ["9464", "ADDRESS:PORT"]),
                                   (("--listen", "192.0.2.1:9", "--", "true"), 1, ["192.0.2.1:9"]), (("-o", "x", "-a"), 3, ["-o"]),
                                   (("--listen", "example.org:80", "-a"), 3, ["example.org"]), (("-i", "1s", "-a"), 3, ["-i"])):
        with t.case(" ".join(("serve",) + arguments)):
            loader.complaint(loader.run("serve", *arguments, cwd=t.folder), code, *words)
    with t.case("this machine alone, where no address is given"):
        result = loader.run("serve", "--", "true")
        check.that("127.0.0.1:9464" in result.err and "others than this machine" not in result.err, f"{result}")
        check.that(result.code in (0, 1), f"{result}\nexit code")  # somebody may have that port
    with t.case("an address that others can reach is told of"):
        result = loader.run("serve", "--listen", f"0.0.0.0:{programs.free_port()}", "--", "true")
        check.equal(result.code, 0, f"{result}\nexit code")
        check.that("others than this machine can read them" in result.err, f"no warning in {result.err}")
    with t.case("record --serve leaves no file when it cannot"):
        path = t.path("out.tscope")
        loader.complaint(loader.run("record", "--serve", "x", "-o", path, "--", "true"), 3, "ADDRESS:PORT")
        check.that(not os.path.exists(path), "left a file behind")
