// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
//
// Trees to draw, out of the sampled tree: merged by the keys of a split, root
// first or leaf first.  All of it is typed arrays, because 100,000 stacks are
// a million nodes.
//
// Both trees offer the same: key, parent, total and self per node; and, once
// expand(n) was called, the children of n in key order: child[n], and from
// each the next by sibling[], -1 at the end.

// Samples per sampled node within bins [low, high), and with its descendants.
class Selection {
    constructor(profile, low, high) {
        this.profile = profile;
        this.low = low;
        this.high = high;
        const {entryNode, entryBin, entryCount, nodeParent, nodeCount} = profile;
        const self = new Float64Array(nodeCount);
        for (let e = 0; e < entryNode.length; e++) {
            const bin = entryBin[e];
            if (bin >= low && bin < high)
                self[entryNode[e]] += entryCount[e];
        }
        const total = Float64Array.from(self);
        for (let n = nodeCount - 1; n > 0; n--)
            total[nodeParent[n]] += total[n];
        this.self = self;
        this.total = total;
        this.samples = total[0];
        this.tallies = new Map();
    }

    // Self and total samples per key; a sample counts once for a key, however
    // often the key is on its stack.
    tally(keys) {
        if (!this.tallies.has(keys.split)) {
            const {nodeFrame, nodeCount} = this.profile;
            const outermost = outermostNodes(this.profile, keys);
            const self = new Float64Array(keys.list.length);
            const total = new Float64Array(keys.list.length);
            for (let n = 1; n < nodeCount; n++) {
                const key = keys.keyOfFrame[nodeFrame[n]];
                self[key] += this.self[n];
                if (outermost[n])
                    total[key] += this.total[n];
            }
            this.tallies.set(keys.split, {self, total});
        }
        return this.tallies.get(keys.split);
    }

    // Samples whose leaf is of each class: what the legend says.
    leafClasses() {
        const {nodeFrame, nodeCount, frameClass} = this.profile;
        const counts = new Float64Array(CLASSES);
        for (let n = 1; n < nodeCount; n++)
            counts[frameClass[nodeFrame[n]]] += this.self[n];
        return counts;
    }

    // Samples with a matching frame anywhere, each counted once.
    matched(keys, matches) {
        const {nodeFrame, nodeParent, nodeCount} = this.profile;
        const inside = new Uint8Array(nodeCount);
        let samples = 0;
        for (let n = 1; n < nodeCount; n++) {
            if (inside[nodeParent[n]]) {
                inside[n] = 1;
            } else if (matches[keys.keyOfFrame[nodeFrame[n]]]) {
                inside[n] = 1;
                samples += this.total[n];
            }
        }
        return samples;
    }
}

// 1 for each node that has no ancestor with the same key.
function outermostNodes(profile, keys) {
    if (keys.outermost)
        return keys.outermost;
    const {nodeParent, nodeFrame, nodeCount} = profile;
    const child = new Int32Array(nodeCount).fill(-1);
    const sibling = new Int32Array(nodeCount).fill(-1);
    for (let n = nodeCount - 1; n > 0; n--) {
        sibling[n] = child[nodeParent[n]];
        child[nodeParent[n]] = n;
    }
    const open = new Int32Array(keys.list.length);
    const outermost = new Uint8Array(nodeCount);
    let n = child[0];
    while (n > 0) {
        const key = keys.keyOfFrame[nodeFrame[n]];
        if (open[key]++ === 0)
            outermost[n] = 1;
        if (child[n] > 0) {
            n = child[n];
            continue;
        }
        while (n > 0) {
            open[keys.keyOfFrame[nodeFrame[n]]]--;
            if (sibling[n] > 0) {
                n = sibling[n];
                break;
            }
            n = nodeParent[n];
        }
    }
    keys.outermost = outermost;
    return outermost;
}

// Root first.  The shape depends on the split only; select() fills in counts.
class CallTree {
    constructor(profile, keys) {
        this.profile = profile;
        this.keys = keys;
        this.merge();
        this.orderChildren();
    }

    // Gives each sampled node the merged node of (merged parent, key).
    merge() {
        const {nodeParent, nodeFrame, nodeCount} = this.profile;
        const {keyOfFrame} = this.keys;
        let size = 1024;
        while (size < nodeCount * 2)
            size *= 2;
        const slots = new Int32Array(size).fill(-1);
        const merged = new Int32Array(nodeCount);
        const parent = new Int32Array(nodeCount);
        const key = new Int32Array(nodeCount);
        parent[0] = -1;
        key[0] = -1;
        let count = 1;
        for (let n = 1; n < nodeCount; n++) {
            const p = merged[nodeParent[n]];
            const k = keyOfFrame[nodeFrame[n]];
            let slot = (Math.imul(p, 0x9e3779b1) ^ Math.imul(k, 0x85ebca6b)) >>> 0;
            slot = (slot ^ (slot >>> 15)) & (size - 1);
            while (slots[slot] >= 0 && (parent[slots[slot]] !== p || key[slots[slot]] !== k))
                slot = (slot + 1) & (size - 1);
            if (slots[slot] < 0) {
                slots[slot] = count;
                parent[count] = p;
                key[count] = k;
                count++;
            }
            merged[n] = slots[slot];
        }
        this.nodeCount = count;
        this.merged = merged;
        this.parent = parent.slice(0, count);
        this.key = key.slice(0, count);
    }

    // Lists of children: a counting sort of all nodes by key, then each node,
    // last key first, goes to the head of its parent's list.
    orderChildren() {
        const {nodeCount, parent, key} = this;
        const start = new Int32Array(this.keys.list.length + 1);
        for (let n = 1; n < nodeCount; n++)
            start[key[n] + 1]++;
        for (let k = 0; k < this.keys.list.length; k++)
            start[k + 1] += start[k];
        const order = new Int32Array(nodeCount - 1);
        for (let n = 1; n < nodeCount; n++)
            order[start[key[n]]++] = n;
        const child = new Int32Array(nodeCount).fill(-1);
        const sibling = new Int32Array(nodeCount).fill(-1);
        for (let i = nodeCount - 2; i >= 0; i--) {
            const n = order[i];
            sibling[n] = child[parent[n]];
            child[parent[n]] = n;
        }
        this.child = child;
        this.sibling = sibling;
    }

    select(selection) {
        this.self = new Float64Array(this.nodeCount);
        for (let n = 0; n < this.merged.length; n++)
            this.self[this.merged[n]] += selection.self[n];
        this.total = Float64Array.from(this.self);
        for (let n = this.nodeCount - 1; n > 0; n--)
            this.total[this.parent[n]] += this.total[n];
        this.selection = selection;
        this.shares = null;
    }

    expand() {
    }

    // Samples per class of the frames that were merged into a node.
    classShares(node) {
        if (!this.shares) {
            const {nodeFrame, frameClass} = this.profile;
            this.shares = new Float64Array(this.nodeCount * CLASSES);
            for (let n = 1; n < this.merged.length; n++)
                this.shares[this.merged[n] * CLASSES + frameClass[nodeFrame[n]]] +=
                    this.selection.total[n];
        }
        return this.shares.subarray(node * CLASSES, (node + 1) * CLASSES);
    }
}

const UNEXPANDED = -2;

// Leaf first: the callers of each leaf.  Whole, this tree would have a node for
// every frame of every stack; so a node is expanded only when it is drawn.
// Each node owns a range of `stacks`; expanding sorts the range by the frame
// that each stack's cursor stands on, and moves the cursors one caller up.
class CallerTree {
    constructor(profile, keys) {
        this.profile = profile;
        this.keys = keys;
        this.counts = new Int32Array(keys.list.length);
    }

    select(selection) {
        const {profile} = this;
        const found = [];
        for (let n = 1; n < profile.nodeCount; n++)
            if (selection.self[n] > 0)
                found.push(n);
        this.selection = selection;
        this.stacks = Int32Array.from(found);
        this.cursor = Int32Array.from(found);
        this.weight = selection.self;
        this.scratch = new Int32Array(found.length * 2);
        this.nodeCount = 0;
        this.capacity = 0;
        this.grow(1024);
        this.add(-1, -1, 0, found.length, selection.samples);
        this.self[0] = selection.self[0];
    }

    grow(capacity) {
        const copy = (Type, old, length) => {
            const fresh = new Type(length);
            if (old)
                fresh.set(old.subarray(0, Math.min(old.length, length)));
            return fresh;
        };
        const old = this.capacity > 0 ? this : {};
        for (const name of ["key", "parent", "child", "sibling", "low", "high"])
            this[name] = copy(Int32Array, old[name], capacity);
        this.total = copy(Float64Array, old.total, capacity);
        this.self = copy(Float64Array, old.self, capacity);
        this.shares = copy(Float64Array, old.shares, capacity * CLASSES);
        this.capacity = capacity;
    }

    add(parent, key, low, high, total) {
        if (this.nodeCount === this.capacity)
            this.grow(this.capacity * 2);
        const node = this.nodeCount++;
        this.parent[node] = parent;
        this.key[node] = key;
        this.low[node] = low;
        this.high[node] = high;
        this.total[node] = total;
        this.child[node] = UNEXPANDED;
        this.sibling[node] = -1;
        return node;
    }

    expand(node) {
        if (this.child[node] !== UNEXPANDED)
            return;
        const keys = this.sortRange(node);
        let at = this.low[node] + this.dropEnded;
        let last = -1;
        this.child[node] = -1;
        for (const key of keys) {
            const end = at + this.counts[key];
            const child = this.addChild(node, key, at, end);
            this.counts[key] = 0;
            if (last < 0)
                this.child[node] = child;
            else
                this.sibling[last] = child;
            last = child;
            at = end;
        }
    }

    // Orders the range by key; stacks that have no caller left come first and
    // are counted in dropEnded.  Returns the keys found, in order.
    sortRange(node) {
        const {profile, keys, counts, stacks, cursor, scratch} = this;
        const low = this.low[node];
        const high = this.high[node];
        const found = [];
        let ended = 0;
        for (let i = low; i < high; i++) {
            if (cursor[i] <= 0) {
                ended++;
                continue;
            }
            const key = keys.keyOfFrame[profile.nodeFrame[cursor[i]]];
            if (counts[key]++ === 0)
                found.push(key);
        }
        found.sort((a, b) => a - b);
        const place = new Map();
        let at = ended;
        for (const key of found) {
            place.set(key, at);
            at += counts[key];
        }
        const size = high - low;
        let endedAt = 0;
        for (let i = low; i < high; i++) {
            let to;
            if (cursor[i] <= 0) {
                to = endedAt++;
            } else {
                const key = keys.keyOfFrame[profile.nodeFrame[cursor[i]]];
                to = place.get(key);
                place.set(key, to + 1);
            }
            scratch[to] = stacks[i];
            scratch[size + to] = cursor[i];
        }
        stacks.set(scratch.subarray(0, size), low);
        cursor.set(scratch.subarray(size, 2 * size), low);
        this.dropEnded = ended;
        return found;
    }

    addChild(parent, key, low, high) {
        const {profile, stacks, cursor, weight} = this;
        const node = this.add(parent, key, low, high, 0);
        let total = 0;
        for (let i = low; i < high; i++) {
            const samples = weight[stacks[i]];
            total += samples;
            this.shares[node * CLASSES + profile.frameClass[profile.nodeFrame[cursor[i]]]] +=
                samples;
            cursor[i] = profile.nodeParent[cursor[i]];
        }
        this.total[node] = total;
        // "Self" of a caller box: what the leaf below it spent, which is all.
        this.self[node] = parent === 0 ? total : 0;
        return node;
    }

    classShares(node) {
        return this.shares.subarray(node * CLASSES, (node + 1) * CLASSES);
    }
}

// The keys from the root to a node, to find the same place in another tree.
function pathOf(tree, node) {
    const path = [];
    for (let n = node; n > 0; n = tree.parent[n])
        path.push(tree.keys.list[tree.key[n]]);
    return path.reverse();
}

// The node at a path of keys, or the last one that still exists; a key of
// another split matches when it is of the same method.
function findPath(tree, path) {
    let node = 0;
    for (const wanted of path) {
        tree.expand(node);
        let found = -1;
        for (let n = tree.child[node]; n >= 0; n = tree.sibling[n]) {
            const key = tree.keys.list[tree.key[n]];
            if (tree.total[n] === 0)
                continue;
            if (key.id === wanted.id) {
                found = n;
                break;
            }
            const same = wanted.method >= 0 && key.method === wanted.method;
            if (same && (found < 0 || tree.total[n] > tree.total[found]))
                found = n;
        }
        if (found < 0)
            break;
        node = found;
    }
    return node;
}
