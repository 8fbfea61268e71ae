// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
//
// The flame graph page in a real browser.  make_page.c has the recordings.

import assert from "node:assert/strict";
import {Harness, colours, press, settle, state, tierColour} from "./harness.mjs";

const harness = new Harness(process.argv[2]);
const test = (name, run) => harness.test(name, run);
const MINOPT = 1;
const TIER_0 = 3;
const TIER_1 = 4;

async function boxOf(page, selector) {
    return page.locator(selector).boundingBox();
}

// The middle of row `row` (0 is the root) of a flame graph, at a share of its width.
async function point(page, row, share) {
    const box = await boxOf(page, "#flame");
    return {x: box.x + box.width * share, y: box.y + box.height - row * 20 - 10};
}

async function clickRow(page, row, share) {
    const {x, y} = await point(page, row, share);
    await page.mouse.click(x, y);
    await settle(page);
}

async function brush(page, from, to) {
    const box = await boxOf(page, "#strip");
    await page.mouse.move(box.x + box.width * from, box.y + 30);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * (from + to) / 2, box.y + 30);
    await page.mouse.move(box.x + box.width * to, box.y + 30);
    await page.mouse.up();
    await settle(page);
}

test("opens from disk, asks for nothing, logs nothing", async () => {
    for (const file of ["demo", "busy", "empty"]) {
        const page = await harness.open(file + ".html");
        assert.deepEqual(page.noise, []);
    }
});

test("the header says samples, duration, event, attribution and ledger", async () => {
    const page = await harness.open("demo.html");
    const facts = await page.locator("#facts").innerText();
    const {samples} = await state(page);
    assert.match(facts, new RegExp("samples\\s+" + Number(samples).toLocaleString("en-US")));
    assert.match(facts, /duration\s+12\.00 s/);
    assert.match(facts, /event\s+cpu-clock 997 Hz/);
    assert.match(facts, /attributed\s+99\.\d+ %/);
    assert.match(facts, /nothing lost/);
    assert.equal(await page.locator("#warnings").isVisible(), false);
    assert.match(await page.title(), /Shop\.dll.* · tierscope/);
    await harness.shot(page, "whole");
});

test("losses and a cut recording come first", async () => {
    const page = await harness.open("busy.html");
    const warnings = await page.locator("#warnings").innerText();
    assert.match(warnings, /Samples lost: 1,234 ring_full/);
    assert.match(warnings, /did not deliver: 17/);
    assert.match(warnings, /Code events lost: 4 rows_full/);
    assert.match(warnings, /did not end in order/);
    assert.match(await page.locator("#facts").innerText(), /1,251 lost of/);
    await harness.shot(page, "busy");
});

test("several processes stand at the root, by name and pid", async () => {
    const page = await harness.open("busy.html");
    await clickRow(page, 1, 0.1);
    assert.match((await state(page)).status, /^dotnet-4001 — /);
    await press(page, "Escape");
    await clickRow(page, 1, 0.9);
    assert.match((await state(page)).status, /^worker-4002 — /);
});

test("threads stand at the root, and are none of the hot methods", async () => {
    const page = await harness.open("threads.html");
    const names = [];
    for (const place of [0.1, 0.9]) {
        await clickRow(page, 1, place);
        names.push((await state(page)).status.split(" — ")[0]);
        await press(page, "Escape");
    }
    assert.deepEqual(names.sort(), [".NET TP Worker-4002", "thread-4001"]);
    await page.click("#tab-hottest");
    const rows = await page.locator("#hottest tbody tr").allTextContents();
    assert.ok(rows.length > 5, "rows");
    assert.deepEqual(rows.filter((row) => /-400[12]/.test(row)), []);
    assert.deepEqual(page.noise, []);
});

test("frames are coloured by tier", async () => {
    const page = await harness.open("demo.html");
    const seen = await colours(page, "#flame");
    for (const tier of [TIER_0, TIER_1, MINOPT])
        assert.ok(seen[await tierColour(page, tier)] > 50, "tier " + tier);
});

test("a click zooms, Escape and Backspace go back", async () => {
    const page = await harness.open("demo.html");
    await clickRow(page, 6, 0.5);
    const zoomed = await state(page);
    assert.match(zoomed.status, /zoomed/);
    assert.equal(zoomed.focusRow, "6");
    await clickRow(page, 7, 0.3);
    assert.equal((await state(page)).focusRow, "7");
    await harness.shot(page, "zoomed");
    await press(page, "Escape");
    assert.equal((await state(page)).focusRow, "6");
    await press(page, "Backspace");
    assert.equal((await state(page)).focusRow, "0");
    assert.deepEqual(page.noise, []);
});

test("v goes through the splits; merged boxes are fewer and keep every sample", async () => {
    const page = await harness.open("demo.html");
    const seen = {};
    for (const split of ["version", "tier", "rejit", "none"]) {
        const now = await state(page);
        assert.equal(now.split, split);
        seen[split] = now;
        await press(page, "v");
    }
    assert.equal((await state(page)).split, "version");
    assert.ok(Number(seen.none.boxes) < Number(seen.tier.boxes) / 2);
    assert.ok(Number(seen.none.boxes) < Number(seen.rejit.boxes));
    assert.equal(seen.none.samples, seen.version.samples);
});

test("a merged box wears its tiers as a ribbon", async () => {
    const page = await harness.open("demo.html");
    await page.click("#split [data-value=none]");
    await settle(page);
    const seen = await colours(page, "#flame");
    assert.ok(seen[await tierColour(page, TIER_0)] > 20);
    await harness.shot(page, "merged");
});

test("time on a CPU, off it, and both", async () => {
    const page = await harness.open("waits.html");
    const seen = {};
    for (const clock of ["cpu", "off", "wall"]) {
        const now = await state(page);
        assert.equal(now.clock, clock);
        seen[clock] = Number(now.samples);
        assert.match(now.status, clock === "cpu" ? /of samples, 860/ : /of time, /);
        await press(page, "c");
    }
    assert.deepEqual(seen, {cpu: 860, off: 1100000000, wall: 860 * 1003009 + 1100000000});
    assert.equal((await state(page)).clock, "cpu");
    await page.click("#clock [data-value=off]");
    assert.match(await page.locator("#facts").innerText(), /1\.100 s/);
    await page.click("#tab-hottest");
    assert.match(await page.locator("#hottest").innerText(), /off-cpu futex/);
    await harness.shot(page, "waits");
    assert.deepEqual(page.noise, []);
});

test("a recording of time on a CPU alone has no such switch", async () => {
    const page = await harness.open("demo.html");
    assert.equal(await page.locator("#clock").isVisible(), false);
    await press(page, "c");
    assert.equal((await state(page)).clock, "cpu");
});

test("splitting and merging stays where one had zoomed", async () => {
    const page = await harness.open("demo.html");
    await page.click("#split [data-value=none]");
    await clickRow(page, 6, 0.2);
    const name = (await state(page)).status.split(" — ")[0];
    assert.match(name, /Shop\.Routing\.Router\.Dispatch/);
    await page.click("#split [data-value=tier]");
    await settle(page);
    const after = await state(page);
    assert.ok(after.status.startsWith(name), after.status);
    assert.equal(after.focusRow, "6");
});

test("the tooltip gives the share per version of the method", async () => {
    const page = await harness.open("demo.html");
    await page.click("#split [data-value=none]");
    await press(page, "/");
    await page.keyboard.type("PriceEngine");
    await press(page, "Enter", "n");
    const {panel} = await state(page);
    assert.match(panel, /PriceEngine\.Quote/);
    const {x, y} = await point(page, 7, 0.43);
    await page.mouse.move(x, y);
    await settle(page);
    const {tooltip} = await state(page);
    assert.match(tooltip, /PriceEngine\.Quote/);
    for (const version of ["tier0", "tier0-instr", "tier1", "tier0 #2", "tier1 #2"])
        assert.match(tooltip, new RegExp("(^|\\n)" + version + "\\s+[\\d.]+ %"), version);
    await harness.shot(page, "tooltip");
});

test("the panel lists a method's versions with their lives", async () => {
    const page = await harness.open("demo.html");
    await page.click("#tab-hottest");
    await page.locator("#hottest tbody tr", {hasText: "Ranking.Score"}).first().click();
    const {panel} = await state(page);
    assert.match(panel, /3 CODE VERSIONS|3 code versions/);
    assert.match(panel, /OSR at IL\s+0x1a/);
    assert.match(panel, /ReJITID\s+0/);
    assert.match(panel, /native version\s+2/);
    assert.match(panel, /born\s+[\d.]+ m?s/);
    assert.match(panel, /published\s+[\d.]+ m?s to/);
    assert.match(panel, /superseded\s+[\d.]+ m?s/);
    assert.match(panel, /code\s+0x7f3a[0-9a-f]+, [\d,]+ B/);
    assert.match(panel, /FunctionID\s+0x7f3a3c100180/);
    await harness.shot(page, "hottest");
});

test("the panel says by when precompiled code was reached, and not since when", async () => {
    const page = await harness.open("demo.html");
    await page.click("#tab-hottest");
    await page.locator("#hottest tbody tr", {hasText: "Regex.RunSingleMatch"}).first().click();
    const {panel} = await state(page);
    assert.match(panel, /origin\s+precompiled image/);
    assert.match(panel, /published\s+by [\d.]+ m?s/);
    assert.match(panel, /published\s+[\d.]+ m?s to/);
    await harness.shot(page, "precompiled");
});

test("a sample counts once for a method that recurs in it", async () => {
    const page = await harness.open("demo.html");
    await press(page, "v", "v", "v", "/");
    await page.keyboard.type("Tree\\.Depth");
    await press(page, "Enter", "n");
    const {matched, panel} = await state(page);
    assert.match(panel, /Shop\.Catalog\.Tree\.Depth/);
    assert.equal(/total\s+([\d.]+ %)/.exec(panel)[1], matched);
});

test("search is a regular expression and says what share matched", async () => {
    const page = await harness.open("demo.html");
    const before = await colours(page, "#flame");
    await press(page, "/");
    await page.keyboard.type("^Shop\\.(Pricing|Catalog)\\.");
    await settle(page);
    const {matched} = await state(page);
    const share = parseFloat(matched);
    assert.ok(share > 40 && share < 80, matched);
    const tier = await tierColour(page, TIER_1);
    const after = await colours(page, "#flame");
    assert.ok(after[tier] > 0 && after[tier] < before[tier] / 2);
    await press(page, "Escape");
    assert.equal((await state(page)).matched, "");
    assert.deepEqual(await colours(page, "#flame"), before);
});

test("a search that is no regular expression is plain text", async () => {
    const page = await harness.open("demo.html");
    await page.fill("#search", "Serialize<__Canon>(");
    await settle(page);
    assert.ok(parseFloat((await state(page)).matched) > 5);
    assert.deepEqual(page.noise, []);
});

test("the strip restricts graph, legend and table to a range", async () => {
    const page = await harness.open("demo.html");
    const whole = await state(page);
    await brush(page, 0.0, 0.1);
    const early = await state(page);
    assert.match(early.range, /^0\.0 µs – 1\.\d+ s/);
    assert.ok(Number(early.samples) < Number(whole.samples) / 4);
    assert.ok(Number(early.samples) > 100);
    const legend = await page.locator("#legend").innerText();
    assert.ok(parseFloat(/tier0\s+([\d.]+) %/.exec(legend)[1]) > 10, legend);
    await page.click("#range-clear");
    await settle(page);
    assert.equal((await state(page)).samples, whole.samples);
    await brush(page, 0.55, 0.75);
    await press(page, "h");
    assert.match(await page.locator("#hottest tbody").innerText(), /PriceEngine/);
    await press(page, "g");
    await harness.shot(page, "brushed");
    assert.deepEqual(page.noise, []);
});

test("parts of the run add up to the whole", async () => {
    const page = await harness.open("demo.html");
    const whole = Number((await state(page)).samples);
    await brush(page, 0, 0.5);
    const first = await state(page);
    const boundary = await page.evaluate(() =>
        document.getElementById("strip").getAttribute("aria-valuetext"));
    await page.focus("#strip");
    await press(page, "End");
    const last = await state(page);
    assert.match(boundary, /to 6\.0\d\d s/);
    assert.equal(Number(first.samples) + Number(last.samples), whole);
});

test("the strip works from the keyboard", async () => {
    const page = await harness.open("demo.html");
    const whole = Number((await state(page)).samples);
    await press(page, "t", "ArrowRight");
    const first = await state(page);
    assert.ok(Number(first.samples) < whole / 3);
    await press(page, "ArrowRight", "ArrowRight");
    const moved = await state(page);
    assert.notEqual(moved.range, first.range);
    await press(page, "Shift+ArrowRight");
    assert.ok(Number((await state(page)).samples) > Number(moved.samples));
    await press(page, "Escape");
    assert.equal(Number((await state(page)).samples), whole);
});

test("arrows move between frames and Enter zooms", async () => {
    const page = await harness.open("demo.html");
    await page.focus("#flame");
    await press(page, "ArrowUp");
    assert.match((await state(page)).status, /^all samples — 100 %/);
    await press(page, "ArrowUp", "ArrowUp");
    assert.match((await state(page)).status, /^System\.Threading\.Thread\.StartCallback/);
    await press(page, "ArrowRight");
    assert.match((await state(page)).status, /^libcoreclr\.so/);
    await press(page, "ArrowLeft", "ArrowUp", "Enter");
    const zoomed = await state(page);
    assert.match(zoomed.status, /WorkerThreadStart.*zoomed/);
    assert.equal(zoomed.focusRow, "3");
    await press(page, "ArrowDown");
    assert.match((await state(page)).status, /StartCallback/);
    await press(page, "Home");
    assert.equal((await state(page)).focusRow, "0");
});

test("i turns the graph over, r starts from the leaves", async () => {
    const page = await harness.open("demo.html");
    await page.focus("#flame");
    await press(page, "i");
    assert.equal(await page.getAttribute("#direction [data-value=icicle]", "aria-checked"), "true");
    await press(page, "ArrowDown", "ArrowDown", "ArrowDown");
    assert.match((await state(page)).status, /^System\.Threading\.Thread\.StartCallback/);
    await press(page, "r");
    const reversed = await state(page);
    assert.equal(reversed.order, "callers");
    await page.click("#split [data-value=none]");
    await press(page, "/");
    await page.keyboard.type("Ranking\\.Score");
    await press(page, "Enter", "n");
    // In the leaf-first tree the first row has each leaf once, with its self.
    const {status, panel} = await state(page);
    assert.match(status, /^Shop\.Catalog\.Ranking\.Score/);
    assert.equal(/— ([\d.]+ %)/.exec(status)[1], /self\s+([\d.]+ %)/.exec(panel)[1]);
    await press(page, "ArrowDown");
    assert.match((await state(page)).status, /SearchHandler\.Handle/);
    await harness.shot(page, "reversed");
    // Boxes stand in the order of their names, so that they keep their place.
    await press(page, "ArrowUp");
    const names = [];
    for (let i = 0; i < 8; i++) {
        names.push((await state(page)).status.split(" — ")[0]);
        await press(page, "ArrowRight");
    }
    assert.deepEqual(names, [...names].sort());
    assert.ok(new Set(names).size > 5, String(names));
    assert.deepEqual(page.noise, []);
});

test("every control can be reached and shows its focus", async () => {
    const page = await harness.open("demo.html");
    const reached = new Set();
    for (let i = 0; i < 60; i++) {
        await page.keyboard.press("Tab");
        const [id, outline] = await page.evaluate(() => {
            const element = document.activeElement;
            const group = element.closest("[id]");
            return [group ? group.id : "", getComputedStyle(element).outlineStyle];
        });
        if (id)
            assert.notEqual(outline, "none", id);
        reached.add(id);
    }
    for (const id of ["theme", "help-open", "strip", "legend", "tab-graph", "split", "order",
        "direction", "search", "flame", "panel"])
        assert.ok(reached.has(id), id);
});

test("? shows the keys, Escape closes them and does not zoom out", async () => {
    const page = await harness.open("demo.html");
    await clickRow(page, 6, 0.5);
    await press(page, "?");
    assert.match(await page.locator("#help").innerText(), /previous match/);
    await harness.shot(page, "help");
    await press(page, "Escape");
    assert.equal(await page.locator("#help").isVisible(), false);
    assert.equal((await state(page)).focusRow, "6");
});

test("names are text, never markup, and hide nothing", async () => {
    const page = await harness.open("hostile.html");
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.equal(await page.locator("img, iframe, object, b.bold").count(), 0);
    assert.equal(await page.locator("script").count(), 2);
    await press(page, "h");
    const rows = await page.locator("#hottest tbody").innerText();
    assert.ok(rows.includes("</script><img src=x onerror=\"window.hacked=1\">"));
    assert.ok(rows.includes("Evil.\\u{202E}drawkcab\\u{202C}.Method()"));
    const control = "Control.\\u{001B}[31mRed\\u{0007}\\u{000A}\\u{000D}\\u{0009}Method()";
    assert.ok(rows.includes(control));
    assert.ok(rows.includes("Line\\u{2028}Separator\\u{2029}.Method()"));
    assert.ok(rows.includes("汉字.Method()"));
    assert.ok(rows.includes("__proto__") && rows.includes("constructor"));
    for (const row of await page.locator("#hottest tbody tr").all())
        await row.click();
    await press(page, "g");
    const box = await boxOf(page, "#flame");
    for (let x = 10; x < box.width; x += 40) {
        await page.mouse.move(box.x + x, box.y + box.height - 50);
        await page.mouse.click(box.x + x, box.y + box.height - 50);
        await page.keyboard.press("Escape");
    }
    await page.click("#tab-run");
    assert.match(await page.locator("#run").innerText(), /<\/script>\.dll/);
    assert.equal(await page.evaluate(() => window.hacked), undefined);
    assert.equal(await page.locator("img").count(), 0);
    assert.deepEqual(page.noise, []);
});

test("a name of 10,000 characters breaks no layout", async () => {
    const page = await harness.open("hostile.html");
    await press(page, "h");
    await page.locator("#hottest tbody tr", {hasText: "AAAAAAAA"}).click();
    await settle(page);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 1440, String(wide));
    assert.ok((await state(page)).panel.includes("A".repeat(10000)));
    await press(page, "g");
    await harness.shot(page, "hostile");
});

test("an empty recording says so", async () => {
    const page = await harness.open("empty.html");
    assert.equal((await state(page)).samples, "0");
    await press(page, "h");
    assert.match(await page.locator("#hottest").innerText(), /No samples/);
    await press(page, "g", "r", "v", "i");
    await brush(page, 0.2, 0.4);
    assert.deepEqual(page.noise, []);
});

test("100,000 stacks: zoom, split, reverse, brush and search work", async () => {
    const page = await harness.open("large.html");
    const whole = await state(page);
    assert.equal(Number(whole.samples), 199990);
    await page.click("#tab-run");
    assert.match(await page.locator("#run").innerText(), /distinct stacks\s+100,000/);
    await press(page, "g", "v", "r");
    // What can be seen is laid out, not what there is.
    assert.ok(Number((await state(page)).boxes) < 40000);
    await press(page, "r");
    assert.ok(Number((await state(page)).boxes) < 40000);
    await brush(page, 0.25, 0.75);
    const half = Number((await state(page)).samples);
    assert.ok(Math.abs(half / 199990 - 0.5) < 0.02, String(half));
    await page.fill("#search", "Method2\\d\\(");
    await settle(page);
    assert.equal((await state(page)).matched, "100 %");
    await clickRow(page, 3, 0.2);
    assert.match((await state(page)).status, /zoomed/);
    await harness.shot(page, "large");
    assert.deepEqual(page.noise, []);
});

test("the dark theme follows the system and the switch", async () => {
    const page = await harness.open("demo.html", {colorScheme: "dark"});
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const dark = await ground();
    await press(page, "v", "v", "v");
    await harness.shot(page, "dark");
    await page.click("#theme");
    const light = await ground();
    assert.notEqual(dark, light);
    await page.click("#theme");
    assert.equal(await ground(), dark);
});

test("a narrow window keeps everything within its width", async () => {
    const page = await harness.open("demo.html", {viewport: {width: 480, height: 900}});
    const wide = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(wide <= 480, String(wide));
    await page.focus("#flame");
    await press(page, "ArrowUp", "ArrowUp");
    assert.match((await state(page)).status, /libc\.so\.6/);
    await harness.shot(page, "narrow");
});

process.exit(await harness.runAll() ? 1 : 0);
