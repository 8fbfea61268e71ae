// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
//
// The page as a whole: its state, and what follows from a change of it.
// `this` is also the "view" that panel and tables read: profile, selection,
// split, keys, order, tree, matches.

class Page {
    constructor(profile) {
        this.profile = profile;
        this.element = (id) => document.getElementById(id);
        this.split = SPLITS[profile.raw.split] || "version";
        this.order = "callees";
        this.focus = 0;
        this.history = [];
        this.selectedNode = 0;
        this.chosenKey = null;
        this.highlighted = -1;
        this.tab = "graph";
        this.trees = new Map();
        this.flame = new FlameView(this.element("flame"), this.element("scroller"),
            this.element("spacer"));
        this.strip = new TimeStrip(this.element("strip"), profile, () => this.later("range"));
        this.tooltip = new Tooltip(this.element("tooltip"));
        this.panel = new Panel(this.element("panel"));
        this.hottest = new HottestTable(this.element("hottest"), (key) => this.choose(key));
        this.pending = new Set();
    }

    start() {
        fillHeader(this.profile);
        this.element("clock").hidden = !this.profile.raw.off_samples;
        this.check("clock", this.profile.clock);
        fillHelp(this.element("help"));
        new RunTab(this.element("run")).show(this.profile);
        this.readTheme();
        new Controls(this).listen();
        this.selectRange();
        this.setSplit(this.split);
        document.body.dataset.ready = "yes";
    }

    // --- what follows from what ------------------------------------------

    // Changes that come many times per frame (brush, resize) are done once.
    later(what) {
        if (this.pending.size === 0)
            requestAnimationFrame(() => {
                const changes = this.pending;
                this.pending = new Set();
                if (changes.has("range"))
                    this.rangeChanged();
                else if (changes.has("size"))
                    this.relayout(true);
                else
                    this.flame.draw();
                if (changes.has("size") || changes.has("range"))
                    this.drawStrip();
            });
        this.pending.add(what);
    }

    selectRange() {
        this.selection = new Selection(this.profile, this.strip.low, this.strip.high);
        this.trees.forEach((tree) => { tree.stale = true; });
        const [from, to] = this.strip.times();
        this.element("range").replaceChildren(make("b", "", this.strip.whole() ? "whole run"
            : formatTime(from) + " – " + formatTime(to)), " · ",
        this.profile.amount(this.selection.samples));
        this.element("range-clear").hidden = this.strip.whole();
        this.fillLegend();
    }

    rangeChanged() {
        const focus = pathOf(this.tree, this.focus);
        const selected = pathOf(this.tree, this.selectedNode);
        this.selectRange();
        this.updateMatches();
        this.retree(focus, selected);
    }

    setSplit(split) {
        const focus = this.tree ? pathOf(this.tree, this.focus) : [];
        const selected = this.tree ? pathOf(this.tree, this.selectedNode) : [];
        this.split = split;
        this.keys = this.profile.keys(split);
        this.check("split", split);
        if (this.chosenKey)
            this.chosenKey = this.sameKey(this.chosenKey);
        this.updateMatches();
        this.retree(focus, selected);
    }

    // Time on a CPU, off it, or both: other samples in the same stacks.
    setClock(clock) {
        const focus = this.tree ? pathOf(this.tree, this.focus) : [];
        const selected = this.tree ? pathOf(this.tree, this.selectedNode) : [];
        this.profile.setClock(clock);
        this.check("clock", this.profile.clock);
        this.strip.gather();
        fillHeader(this.profile);
        this.selectRange();
        this.updateMatches();
        this.retree(focus, selected);
    }

    // The key of this split that stands for a key of another one.
    sameKey(key) {
        const {list} = this.keys;
        return list.find((other) => other.id === key.id) ||
            list.find((other) => key.body >= 0 && other.body === key.body) ||
            list.find((other) => key.method >= 0 && other.method === key.method) || null;
    }

    setOrder(order) {
        this.order = order;
        this.check("order", order);
        this.history = [];
        this.retree([], []);
    }

    // Makes or refreshes the tree, and finds the same places in it again.
    retree(focusPath, selectedPath) {
        const name = this.order + ":" + this.split;
        if (!this.trees.has(name)) {
            const Tree = this.order === "callees" ? CallTree : CallerTree;
            this.trees.set(name, new Tree(this.profile, this.keys));
            this.trees.get(name).stale = true;
        }
        this.tree = this.trees.get(name);
        if (this.tree.stale) {
            this.tree.select(this.selection);
            this.tree.stale = false;
        }
        this.focus = findPath(this.tree, focusPath);
        this.selectedNode = findPath(this.tree, selectedPath);
        this.relayout(false);
        this.showPanel();
        this.announce();
    }

    relayout(keepScroll) {
        const {flame} = this;
        flame.setRoot("all · " + this.profile.amount(this.selection.samples));
        const layout = new Layout(this.tree, this.focus, flame.width());
        flame.setLayout(layout, keepScroll);
        flame.selected = this.selectedNode > 0 ? layout.find(this.selectedNode) : -1;
        this.updateDimmed();
        flame.draw();
        Object.assign(flame.canvas.dataset, {
            boxes: layout.x.length, rows: layout.rows, samples: this.selection.samples,
            split: this.split, order: this.order, clock: this.profile.clock, focusRow: layout.focusRow,
        });
        this.element("zoom-out").disabled = this.focus === 0;
        this.drawStrip();
        if (this.tab === "hottest")
            this.hottest.show(this);
    }

    drawStrip() {
        const {colours, unknown, outline, muted, accent, ground, ink} = this.flame;
        const method = this.chosenKey && this.chosenKey.method;
        const bodies = this.chosenKey && method >= 0
            ? this.profile.methods[method].bodies.slice(0, 100) : [];
        const mark = (body, time, below) => ({time, colour: colours[body.tier], below});
        this.strip.marks = [
            ...bodies.filter((body) => body.source !== "image" && body.born !== null)
                .map((body) => mark(body, body.born, false)),
            ...bodies.filter((body) => body.published !== null)
                .map((body) => mark(body, body.published[1], true))];
        this.strip.draw(colours, unknown, outline, muted || ink, accent, ground);
    }

    showPanel() {
        this.panel.show(this, this.chosenKey);
    }

    // --- zoom and selection ------------------------------------------------

    zoom(node) {
        if (node === this.focus)
            return;
        this.history.push(pathOf(this.tree, this.focus));
        this.focus = node;
        this.relayout(false);
    }

    zoomOut() {
        if (this.focus === 0)
            return;
        this.focus = this.history.length ? findPath(this.tree, this.history.pop()) : 0;
        this.relayout(false);
        this.announce();
    }

    select(node) {
        this.selectedNode = node;
        this.chosenKey = node > 0 ? this.tree.keys.list[this.tree.key[node]] : null;
        this.flame.selected = this.flame.layout.find(node);
        this.showPanel();
        this.announce();
        this.drawStrip();
    }

    // From the table: a key, wherever it is.
    choose(key) {
        this.chosenKey = key;
        this.showPanel();
        this.drawStrip();
    }

    announce() {
        const {tree, selectedNode: node, selection} = this;
        const key = node > 0 ? tree.keys.list[tree.key[node]] : null;
        const name = key ? keyLabel(key).slice(0, 300) : "all " + this.profile.unit();
        const self = tree.self[node];
        this.element("status").textContent = name + " — " +
            formatPercent(tree.total[node], selection.samples) + " of " + this.profile.unit() +
            ", " + this.profile.number(tree.total[node]) + (self > 0 && this.order === "callees"
            ? ", self " + formatPercent(self, selection.samples) : "") +
            (this.focus > 0 ? " · zoomed" : "");
    }

    moveSelection(how) {
        const {flame} = this;
        const {layout} = flame;
        let box = flame.selected;
        if (box < 0)
            box = layout.rowStart[layout.focusRow];
        else if (how === "out")
            box = Math.max(0, layout.parent[box]);
        else if (how === "in")
            box = layout.within(box);
        else
            box = layout.beside(box, how);
        this.select(layout.node[box]);
        flame.scrollToBox(box);
        this.later("draw");
    }

    // --- tabs and choices ------------------------------------------------

    check(group, value) {
        for (const button of this.element(group).querySelectorAll("[role=radio]")) {
            const checked = button.dataset.value === value;
            button.setAttribute("aria-checked", String(checked));
            button.tabIndex = checked ? 0 : -1;
        }
    }

    setDirection(flame) {
        this.flame.flame = flame;
        this.check("direction", flame ? "flame" : "icicle");
        this.flame.scrollToBox(this.flame.layout.rowStart[this.flame.layout.focusRow]);
        this.flame.draw();
    }

    showTab(tab) {
        this.tab = tab;
        for (const name of ["graph", "hottest", "run"]) {
            this.element(name).hidden = name !== tab;
            const button = this.element("tab-" + name);
            button.setAttribute("aria-selected", String(name === tab));
            button.tabIndex = name === tab ? 0 : -1;
        }
        this.element("panel").hidden = tab === "run";
        this.showPanel();
        if (tab === "hottest")
            this.hottest.show(this);
        if (tab === "graph")
            this.relayout(true);
    }

    readTheme() {
        this.flame.readColours();
        this.flame.muted = getComputedStyle(document.documentElement)
            .getPropertyValue("--muted").trim();
    }

    // --- search and highlight ------------------------------------------------

    updateMatches() {
        const text = this.element("search").value;
        this.matches = null;
        if (text) {
            const test = searchTest(text);
            this.matches = Uint8Array.from(this.keys.list, (key) => test(keyLabel(key)));
        }
        this.element("matched").textContent = this.matches ? formatPercent(
            this.selection.matched(this.keys, this.matches), this.selection.samples) : "";
    }

    search() {
        this.updateMatches();
        this.updateDimmed();
        this.flame.draw();
        if (this.tab === "hottest")
            this.hottest.show(this);
    }

    updateDimmed() {
        const {matches, highlighted, keys} = this;
        this.flame.dimmed = null;
        if (matches || highlighted >= 0)
            this.flame.dimmed = Uint8Array.from(keys.list, (key, k) =>
                Number((matches && !matches[k]) ||
                    (highlighted >= 0 && !this.hasClass(key, highlighted))));
    }

    hasClass(key, c) {
        return key.mixed ? this.profile.methods[key.method].bodies.some((body) => body.tier === c)
            : key.class === c;
    }

    nextMatch(step) {
        const {layout, dimmed, selected} = this.flame;
        if (!dimmed)
            return;
        const count = layout.x.length;
        for (let i = 1; i <= count; i++) {
            const box = (((selected + i * step) % count) + count) % count;
            if (layout.node[box] > 0 && !dimmed[this.tree.key[layout.node[box]]]) {
                this.select(layout.node[box]);
                this.flame.scrollToBox(box);
                this.flame.draw();
                return;
            }
        }
    }

    fillLegend() {
        const counts = this.selection.leafClasses();
        const buttons = [];
        for (const c of STACKING) {
            if (c === CLASS_PROCESS || (counts[c] === 0 && !this.profile.frameClass.includes(c)))
                continue;
            const button = make("button", "chip");
            button.type = "button";
            button.setAttribute("aria-pressed", String(this.highlighted === c));
            button.append(swatch(c), make("span", "", className(this.profile, c)),
                make("span", "faint", formatPercent(counts[c], this.selection.samples)));
            button.title = "Samples whose leaf is " + (c < CLASS_NATIVE
                ? this.profile.tierLong[c] : className(this.profile, c)) + "; press to highlight";
            button.addEventListener("click", () => {
                this.highlighted = this.highlighted === c ? -1 : c;
                this.fillLegend();
                this.updateDimmed();
                this.flame.draw();
                this.element("legend").children[buttons.indexOf(button)].focus();
            });
            buttons.push(button);
        }
        this.element("legend").replaceChildren(...buttons);
    }
}

// A regular expression if it is one, else the text as it stands.
function searchTest(text) {
    try {
        const pattern = new RegExp(text, "iu");
        return (label) => Number(pattern.test(label));
    } catch {
        const lower = text.toLowerCase();
        return (label) => Number(label.toLowerCase().includes(lower));
    }
}

try {
    new Page(readProfile()).start();
} catch (error) {
    document.getElementById("title").textContent = "This page could not be shown: " + error.message;
    throw error;
}
