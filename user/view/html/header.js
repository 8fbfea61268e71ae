// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
//
// The header: what was recorded, how much of it has a code version, what was
// lost; and the help.

function fillHeader(profile) {
    const {raw} = profile;
    const title = visible(raw.title);
    document.title = title ? title.slice(0, 120) + " · tierscope" : "tierscope";
    const element = document.getElementById("title");
    element.textContent = title;
    element.title = title.slice(0, 1000);
    fillFacts(document.getElementById("facts"), profile);
    fillWarnings(document.getElementById("warnings"), profile);
}

function fillFacts(list, profile) {
    const {raw} = profile;
    const leaves = new Float64Array(CLASSES);
    for (let e = 0; e < profile.entryNode.length; e++)
        leaves[profile.frameClass[profile.nodeFrame[profile.entryNode[e]]]] +=
            profile.entryCount[e];
    const unresolved = leaves[CLASS_UNKNOWN];
    const samples = profile.totalSamples;
    const period = raw.event.period;
    const event = profile.strings[raw.event.name];
    list.replaceChildren();
    addFact(list, profile.unit(), profile.number(samples));
    addFact(list, "duration", formatTime(profile.duration));
    const clock = event.endsWith("-clock") && period > 0;
    addFact(list, "event", profile.clock === "off" ? "off-cpu" :
        event + (profile.clock === "wall" ? " + off-cpu" : "") + (clock ? " " + formatCount(1e9 / period) + " Hz" : ""));
    addFact(list, "code versions", formatCount(raw.sampled_bodies) + " sampled");
    const attributed = make("span");
    const meter = make("span", "meter");
    const full = make("span", "");
    full.style.width = (samples ? (100 * (samples - unresolved)) / samples : 0) + "%";
    meter.append(full);
    attributed.append(meter, formatPercent(samples - unresolved, samples));
    addFact(list, "attributed", attributed);
    const {samples: due, samples_lost: lost} = raw.ledger;
    const summary = ledgerSummary(raw.ledger);
    addFact(list, "ledger", due.due === undefined && Object.keys(lost).length === 0 ? "none"
        : summary.any ? formatCount(summary.lost + summary.undelivered) + " lost of " +
            formatCount(due.due ?? due.fired ?? 0) : "nothing lost",
    summary.any ? "bad" : "");
}

function fillWarnings(element, profile) {
    const {raw} = profile;
    const summary = ledgerSummary(raw.ledger);
    const lines = [];
    if (raw.note)
        lines.push(visible(raw.note));
    if (summary.lost > 0)
        lines.push("Samples lost: " + causes(raw.ledger.samples_lost) + ".");
    if (Object.values(raw.ledger.off_cpu_lost).some((count) => count > 0))
        lines.push("Stacks of time off the CPU lost: " + causes(raw.ledger.off_cpu_lost) + ".");
    if (summary.undelivered > 0)
        lines.push("Samples the kernel did not deliver: " + formatCount(summary.undelivered) + ".");
    if (summary.events > 0)
        lines.push("Code events lost: " + causes(raw.ledger.events_lost) +
            ". Versions may be missing from the lists.");
    if (summary.bodies > 0)
        lines.push("Bodies without a place in the code map: " + causes(raw.ledger.code_map_lost) +
            "; kept back by a hook: " + causes(raw.ledger.hook_lost) + ".");
    if (!raw.about.complete)
        lines.push("The recording did not end in order: this is up to its last whole chunk.");
    for (const process of raw.processes)
        if (process.trouble)
            lines.push(profile.strings[process.comm] + "-" + process.pid + " had no hook: " +
                profile.strings[process.trouble]);
    element.hidden = lines.length === 0;
    element.replaceChildren(...lines.slice(0, 8).map((line) => makeName("p", "", line)));
}

const HELP = [
    ["Graph", [
        ["← → ↑ ↓", "move between frames"],
        ["Enter, click", "zoom into the frame"],
        ["Esc, Backspace", "back to the last zoom"],
        ["Home", "show everything"],
        ["v", "split methods by version, tier, ReJITID, or merge them"],
        ["c", "time on a CPU, off it, or both, where the recording has both"],
        ["i", "flame or icicle"],
        ["r", "root first or leaf first (callers of each leaf)"],
    ]],
    ["Search and views", [
        ["/", "search: text or regular expression"],
        ["n, N", "next, previous match"],
        ["g, h", "graph, hottest versions"],
        ["?", "this help"],
    ]],
    ["Time strip", [
        ["t", "go to the strip"],
        ["drag", "restrict the page to a range; double-click for the whole run"],
        ["flags", "of the chosen method: above, a version was compiled; below, calls were seen to reach it"],
        ["← →", "move the range"],
        ["Shift + ← →", "make it longer or shorter (with Ctrl: finer)"],
        ["Home, End, Esc", "to the start, to the end, the whole run"],
    ]],
];

const WORDS = [
    ["code version", "one native code body of a method. Each sample was given to one of them " +
        "when it was taken."],
    ["[tier1 #2]", "its tier, and its ReJITID where that is not 0. [osr@0x1a]: entered in the " +
        "middle of a loop, at that IL offset."],
    ["merged box", "has the colour of most of its samples; the ribbon at its foot shows the " +
        "tiers in proportion."],
    ["self, total", "samples in the frame itself; and with what it called. A sample counts once, " +
        "however often the method recurs in it."],
    ["off-cpu futex, io, ...", "what a thread waited for that did not run: it stands above the " +
        "code that waited. Runnable: it waited for a CPU. A wait stands at the moment it began."],
    ["attributed", "the share of samples whose leaf is known: a code version, native code by " +
        "name, or the kernel."],
];

function fillHelp(dialog) {
    const title = make("h2", "", "Keys and words");
    title.id = "help-title";
    const columns = make("div", "help-columns");
    for (const [heading, keys] of HELP) {
        const section = make("section");
        const list = make("dl", "keys");
        for (const [key, what] of keys)
            addFact(list, key, what);
        section.append(make("h3", "", heading), list);
        columns.append(section);
    }
    const words = make("section");
    const list = make("dl", "words");
    for (const [word, meaning] of WORDS)
        addFact(list, word, meaning);
    words.append(make("h3", "", "Words"), list);
    columns.append(words);
    const close = make("button", "quiet", "Close");
    close.type = "button";
    close.addEventListener("click", () => dialog.close());
    dialog.replaceChildren(title, columns, close);
}
