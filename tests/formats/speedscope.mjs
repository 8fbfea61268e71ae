// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
//
// make_profile's files, opened by the importer of the npm package speedscope:
// the function that its page calls for a file that was dropped on it.  The
// package holds only the page's bundle, so the bundle is run here, with as
// much of a browser as it asks for until its last statement draws the page.
//
//     node speedscope.mjs FOLDER
import assert from "node:assert/strict";
import fs from "node:fs";
import path from "node:path";
import vm from "node:vm";
import {fileURLToPath} from "node:url";

const PERIOD = 1003009;
const here = path.dirname(fileURLToPath(import.meta.url));
const folder = process.argv[2];

// Anything at all: every member is another one, and so is every result.
function anything() {
    return new Proxy(function () {}, {
        get: (target, name) => (name === Symbol.toPrimitive ? () => "" : name === "length" ? 0 :
            name === Symbol.iterator ? function* () {} : name === "then" ? undefined : anything()),
        set: () => true,
        apply: () => anything(),
        construct: () => anything(),
    });
}

function loadImporter() {
    const release = path.join(here, "node_modules/speedscope/dist/release");
    const bundle = fs.readdirSync(release).find((name) => /^speedscope-.*\.js$/.test(name));
    const source = fs.readFileSync(path.join(release, bundle), "utf8");
    // window.speedscope = {loadFileFromBase64: (name, base64) => {...IMPORT(name, base64)...}}
    const found = /loadFileFromBase64:\((\w+),(\w+)\)=>\{this\.loadProfile\(\(\)=>(\w+)\(\1,\2\)\)/.exec(source);
    assert.ok(found, "the importer is in the bundle");
    const start = '"use strict";(()=>{';
    assert.ok(source.startsWith(start), "the bundle begins as known");
    // Drawing is where we leave it: everything that imports is set up by then.
    const drawing = new Error("nothing to draw on");
    const document = {
        createElement: anything(), addEventListener() {}, documentElement: anything(),
        get body() { throw drawing; },
    };
    const context = {
        console: {log() {}, warn() {}, error() {}},
        document, navigator: anything(), localStorage: anything(),
        location: {hash: "", protocol: "file:", href: "file:///"},
        performance, setTimeout() {}, requestAnimationFrame() {}, atob, btoa, TextDecoder, TextEncoder, URL,
        Uint8Array, ArrayBuffer, addEventListener() {}, matchMedia: anything(),
    };
    context.window = context.self = context.globalThis = context;
    vm.createContext(context);
    try {
        vm.runInContext(`${start}globalThis.importFile=(...a)=>${found[3]}(...a);` +
            source.slice(start.length), context, {filename: bundle});
    } catch (error) {
        assert.equal(error, drawing);
    }
    return context.importFile;
}

const importFile = loadImporter();

async function open(name) {
    const data = fs.readFileSync(path.join(folder, name));
    const group = await importFile(name, data.toString("base64"));
    assert.ok(group, `${name} is recognized`);
    // An array of ours: one of the bundle's is not equal to any of ours.
    return {name: group.name, profiles: Array.from(group.profiles)};
}

// A profile as [weight, names from the root] in the order of time.
function timeline(profile) {
    const rows = [], stack = [];
    let since = 0;
    const upTo = (value) => {
        if (value > since && stack.length)
            rows.push([value - since, ...stack]);
        since = value;
    };
    profile.forEachCall((node, value) => { upTo(value); stack.push(node.frame.name); },
        (node, value) => { upTo(value); stack.pop(); });
    assert.deepEqual(stack, [], "every call ends");
    return rows;
}

function weights(rows) {
    return rows.map(([count, ...names]) => [count * PERIOD, ...names]);
}

const MAIN = "Shop.Main() [r2r]", LATE = "Shop.Work(int) [tier1 #2]";
const EARLY = "Shop.Work(int) [tier0]", JIT_NEW = "libcoreclr.so!JIT_New";
const JOB = [[4, "Shop.Main() [tier1]", "libc.so.6+0x1c99"], [1, "[unknown: no_table]"]];

const tests = {
    async "a profile per process, in the order of time"() {
        const group = await open("plain.speedscope.json");
        assert.equal(group.name, "web --port 80 (the recording was cut)");
        assert.deepEqual(group.profiles.map((p) => p.getName()), ["job-20", "web-10"]);
        const [job, web] = group.profiles;
        assert.equal(web.getWeightUnit(), "nanoseconds");
        assert.equal(web.getTotalWeight(), 11 * PERIOD);
        assert.deepEqual(timeline(web), weights([[5, MAIN, EARLY], [3, MAIN, LATE],
            [2, MAIN, LATE, JIT_NEW], [1, MAIN, LATE]]));
        assert.deepEqual(timeline(job), weights(JOB));
    },
    async "frames know their module"() {
        const group = await open("plain.speedscope.json");
        const files = {};
        group.profiles[1].forEachFrame((frame) => { files[frame.name] = frame.file; });
        assert.equal(files[EARLY], "/app/Shop.dll");
        assert.equal(files[JIT_NEW], undefined);
    },
    async "kernel frames are of the kernel"() {
        const group = await open("kernel.speedscope.json");
        const files = {};
        group.profiles[0].forEachFrame((frame) => { files[frame.name] = frame.file; });
        assert.deepEqual(timeline(group.profiles[0]), weights([
            [6, MAIN, "do_syscall_64", "vfs_read"], [1, MAIN, "ext4_sync_fs [ext4]"]]));
        assert.equal(files.vfs_read, "[kernel.kallsyms]");
        assert.equal(files["ext4_sync_fs [ext4]"], "[ext4]");
    },
    async "a profile per thread"() {
        const group = await open("per-thread.speedscope.json");
        assert.deepEqual(group.profiles.map((p) => p.getName()),
            ["job-20, Main-21", "web-10, Worker-11", "web-10, thread-12"]);
        assert.deepEqual(group.profiles.map(timeline), [weights(JOB),
            weights([[5, MAIN, EARLY], [3, MAIN, LATE]]), 
            weights([[2, MAIN, LATE, JIT_NEW], [1, MAIN, LATE]])]);
    },
    async "names as in a perf map"() {
        const group = await open("perfmap.speedscope.json");
        assert.deepEqual(timeline(group.profiles[1]).map((row) => row[2]),
            ["QuickJitted", "OptimizedTier1", "OptimizedTier1", "OptimizedTier1"]
                .map((tier) => `[Shop] Shop::Work(int)[${tier}]`));
    },
    async "hostile names are text"() {
        const group = await open("hostile.speedscope.json");
        const names = group.profiles.flatMap((p) => timeline(p).map((row) => row[1]));
        assert.equal(names.length, 15);
        for (const name of [...names, group.profiles[0].getName()])
            assert.doesNotMatch(name, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e]/);
        assert.ok(names.includes("Turn.\\u{202e}around()"));
        assert.ok(names.includes('"quote\\"</script>'));
    },
    async "the pprof file is one to speedscope too"() {
        const group = await open("plain.pb.gz");
        assert.equal(group.profiles[0].getTotalWeight(), 16 * PERIOD);
    },
};

let failed = 0, number = 0;
console.log(`1..${Object.keys(tests).length}`);
for (const [name, test] of Object.entries(tests)) {
    number++;
    try {
        await test();
        console.log(`ok ${number} - speedscope: ${name}`);
    } catch (error) {
        failed++;
        console.log(`not ok ${number} - speedscope: ${name}`);
        for (const line of String(error.stack || error).split("\n"))
            console.log("#   " + line);
    }
}
process.exitCode = failed ? 1 : 0;
