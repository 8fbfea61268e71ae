// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
//
// The embedded profile, decoded into typed arrays: strings, bodies, frames,
// the tree of stacks as it was sampled, and the samples per stack and bin of
// time.  Nothing here knows about drawing.
//
// Every string comes from the recorded program and is hostile.  It is only
// ever shown by fillText or textContent, and visible() spells out whatever
// would be unseen or would reorder the text around it.

const FRAME_BODY = 0;
const FRAME_NATIVE = 1;
const FRAME_KERNEL = 2;
const FRAME_UNKNOWN = 3;
const FRAME_STUB = 4;
const FRAME_PROCESS = 5;
const FRAME_THREAD = 6; // painted as a process

// What a frame is painted as: the eight tiers by the runtime's own number,
// then what is not managed code.
const CLASS_NATIVE = 9;
const CLASS_KERNEL = 10;
const CLASS_UNKNOWN = 11;
const CLASS_STUB = 12;
const CLASS_PROCESS = 13;
const CLASSES = 14;

const SPLITS = ["version", "tier", "rejit", "none"];
const CLOCKS = ["cpu", "off", "wall"];

const UNSEEN = new RegExp(
    "[\\u0000-\\u001f\\u007f-\\u009f\\u00ad\\u034f\\u061c\\u115f\\u1160\\u17b4\\u17b5" +
    "\\u180b-\\u180f\\u200b-\\u200f\\u2028-\\u202e\\u2060-\\u206f\\u3164\\ufe00-\\ufe0f" +
    "\\ufeff\\uffa0\\ufff0-\\ufffb\\u{1bca0}-\\u{1bca3}\\u{1d173}-\\u{1d17a}" +
    "\\u{e0000}-\\u{e0fff}]", "gu");

function visible(text) {
    return text.replace(UNSEEN, (character) => {
        const code = character.codePointAt(0).toString(16).toUpperCase();
        return "\\u{" + code.padStart(4, "0") + "}";
    });
}

// "NS.Type.Method(int) [async]" in ever shorter forms, longest first.  Dots
// inside <> or [] belong to type arguments.
function shorterNames(name) {
    const args = findAtDepthZero(name, "(", 0);
    const tail = /((?: \[[a-z0-9 ]{1,20}\])+)$/.exec(name);
    const suffix = tail ? tail[1] : "";
    const head = args > 0 ? name.slice(0, args) : name.slice(0, name.length - suffix.length);
    const dots = [];
    for (let at = findAtDepthZero(head, ".", 1); at > 0; at = findAtDepthZero(head, ".", at + 1))
        dots.push(at);
    const forms = [name, head + suffix];
    if (dots.length > 1)
        forms.push(head.slice(dots[dots.length - 2] + 1) + suffix);
    if (dots.length > 0)
        forms.push(head.slice(dots[dots.length - 1] + 1) + suffix);
    return forms;
}

function findAtDepthZero(text, wanted, from) {
    let depth = 0;
    const end = Math.min(text.length, 1000);
    for (let at = 0; at < end; at++) {
        const c = text[at];
        if (depth === 0 && at >= from && c === wanted)
            return at;
        if (c === "<" || c === "[")
            depth++;
        else if ((c === ">" || c === "]") && depth > 0)
            depth--;
    }
    return -1;
}

// One row of the bodies table, as the writer laid it out.
function decodeBody(row, strings, index) {
    const [process, name, version, tier, rejit, native, osr, start, size, functionId, token,
        module, born, died, publishedLow, publishedHigh, superseded, source, shared] = row;
    return {
        index, process, nameId: name, name: strings[name], version: strings[version], tier, rejit,
        native, osr, start, size, functionId, token, module: strings[module], born, died,
        // Since when may be unknown, as in a process that was attached to.
        published: publishedHigh === null ? null : [publishedLow, publishedHigh],
        superseded, source, shared,
    };
}

class Profile {
    constructor(raw) {
        this.raw = raw;
        this.strings = raw.strings.map(visible);
        this.tierShort = raw.tiers;
        this.tierLong = raw.tier_names;
        this.duration = raw.about.duration_ns;
        this.binCount = raw.bins.count;
        this.binWidth = raw.bins.width_ns;
        this.bodies = raw.bodies.map((row, index) => decodeBody(row, this.strings, index));
        this.decodeFrames(raw.frames);
        this.decodeMethods();
        this.decodeNodes(raw.nodes);
        this.setClock(raw.clock);
        this.keysOf = new Map();
    }

    decodeFrames(frames) {
        const count = frames.kind.length;
        this.frameKind = Uint8Array.from(frames.kind);
        this.frameBody = Int32Array.from(frames.body);
        this.frameName = Uint32Array.from(frames.name);
        this.frameClass = new Uint8Array(count);
        for (let f = 0; f < count; f++) {
            const kind = this.frameKind[f];
            if (kind === FRAME_BODY)
                this.frameClass[f] = this.bodies[this.frameBody[f]].tier;
            else
                this.frameClass[f] = Math.min(CLASS_NATIVE - FRAME_NATIVE + kind, CLASS_PROCESS);
        }
    }

    // A method is what a person calls one: the same name in the same process.
    decodeMethods() {
        const known = new Map();
        this.methods = [];
        for (const body of this.bodies) {
            const key = body.process + ":" + body.nameId;
            if (!known.has(key)) {
                known.set(key, this.methods.length);
                this.methods.push({name: body.name, process: body.process, bodies: []});
            }
            body.method = known.get(key);
            this.methods[body.method].bodies.push(body);
        }
        for (const method of this.methods)
            method.bodies.sort((a, b) => (a.born ?? 0) - (b.born ?? 0) || a.index - b.index);
    }

    // Node 0 is everything; "up" is the distance to the parent.
    decodeNodes(nodes) {
        const count = nodes.up.length;
        this.nodeCount = count;
        this.nodeParent = new Int32Array(count);
        this.nodeFrame = Int32Array.from(nodes.frame);
        this.nodeParent[0] = -1;
        for (let n = 1; n < count; n++)
            this.nodeParent[n] = n - nodes.up[n];
    }

    // What is counted: samples on a CPU, or, in nanoseconds, time off it, or both.
    setClock(clock) {
        const {samples, off_samples: off, event} = this.raw;
        this.clock = off ? clock : "cpu";
        const parts = [];
        if (this.clock !== "off")
            parts.push([samples, this.clock === "wall" ? event.period : 1]);
        if (this.clock !== "cpu")
            parts.push([off, 1]);
        this.decodeSamples(parts);
    }

    // An amount of what is counted, in words: "12 samples", "1.5 s".
    amount(count) {
        return this.clock === "cpu" ? formatCount(count) + " samples" : formatTime(count);
    }

    // The same in a column that says what it is.
    number(count) {
        return this.clock === "cpu" ? formatCount(count) : formatTime(count);
    }

    unit() {
        return this.clock === "cpu" ? "samples" : "time";
    }

    // Flat: for each node that has samples, the distance from the last such
    // node, the number of bins, and as often: distance from the last bin, count.
    decodeSamples(parts) {
        let entries = 0;
        for (const [flat] of parts)
            for (let at = 0; at < flat.length; at += 2 + 2 * flat[at + 1])
                entries += flat[at + 1];
        this.entryNode = new Int32Array(entries);
        this.entryBin = new Uint16Array(entries);
        this.entryCount = new Float64Array(entries);
        let entry = 0;
        this.totalSamples = 0;
        const stacks = new Set();
        for (const [flat, scale] of parts) {
            let node = 0;
            for (let at = 0; at < flat.length;) {
                node += flat[at++];
                stacks.add(node);
                let bin = 0;
                for (let left = flat[at++]; left > 0; left--) {
                    bin += flat[at++];
                    this.entryNode[entry] = node;
                    this.entryBin[entry] = bin;
                    this.entryCount[entry] = flat[at++] * scale;
                    this.totalSamples += this.entryCount[entry++];
                }
            }
        }
        this.stackCount = stacks.size;
    }

    // The frames' keys under a split: frames with the same key share a box.
    keys(split) {
        if (!this.keysOf.has(split))
            this.keysOf.set(split, this.makeKeys(split));
        return this.keysOf.get(split);
    }

    makeKeys(split) {
        const known = new Map();
        const list = [];
        const keyOfFrame = new Int32Array(this.frameKind.length);
        for (let f = 0; f < keyOfFrame.length; f++) {
            const key = this.describeFrame(f, split);
            let at = known.get(key.id);
            if (at === undefined) {
                at = list.length;
                known.set(key.id, at);
                list.push(key);
            }
            keyOfFrame[f] = at;
        }
        // Children are drawn in key order, so number the keys by name: boxes
        // keep their place when the time range changes, versions stand together.
        const order = list.map((_, at) => at).sort((a, b) => compareKeys(list[a], list[b]));
        const rank = new Int32Array(list.length);
        order.forEach((at, position) => { rank[at] = position; });
        for (let f = 0; f < keyOfFrame.length; f++)
            keyOfFrame[f] = rank[keyOfFrame[f]];
        return {split, keyOfFrame, list: order.map((at) => list[at])};
    }

    describeFrame(f, split) {
        const kind = this.frameKind[f];
        if (kind !== FRAME_BODY) {
            const name = this.strings[this.frameName[f]];
            return {id: kind + ":" + this.frameName[f], name, tag: "", born: 0, kind,
                class: this.frameClass[f], body: -1, method: -1, mixed: false};
        }
        const body = this.bodies[this.frameBody[f]];
        const key = {name: body.name, tag: "", born: 0, kind, class: body.tier, body: body.index,
            method: body.method, mixed: false};
        if (split === "version") {
            key.id = "b" + body.index;
            key.tag = "[" + body.version + "]";
            key.born = body.born ?? 0;
        } else if (split === "tier") {
            key.id = "t" + body.method + ":" + body.tier;
            key.tag = "[" + this.tierShort[body.tier] + "]";
        } else if (split === "rejit") {
            key.id = "r" + body.method + ":" + body.rejit;
            key.rejit = body.rejit;
            key.tag = body.rejit === 0 ? "" : "[#" + (body.rejit ?? "?") + "]";
            key.mixed = true;
        } else {
            key.id = "m" + body.method;
            key.mixed = true;
        }
        return key;
    }

    processName(index) {
        const process = this.raw.processes[index];
        return process ? this.strings[process.comm] + "-" + process.pid : "?";
    }
}

function compareKeys(a, b) {
    if (a.name !== b.name)
        return a.name < b.name ? -1 : 1;
    if (a.born !== b.born)
        return a.born - b.born;
    return a.tag < b.tag ? -1 : Number(a.tag > b.tag);
}

// The text of a key in full, for the tooltip, the announcements, the search.
function keyLabel(key) {
    return key.tag ? key.name + " " + key.tag : key.name;
}

function readProfile() {
    return new Profile(JSON.parse(document.getElementById("profile").textContent));
}
