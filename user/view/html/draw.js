// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
//
// Lays out the part of a tree that can be seen, and draws it on a canvas.
// Boxes narrower than a third of a pixel are neither laid out nor descended
// into, so the work follows the screen and not the number of stacks.

const ROW = 20;
const NARROWEST = 0.3;
const LABEL_FONT = "12px ui-sans-serif, system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif";
const LABEL_CHARACTERS = 300;

// The boxes of a tree below a focus, row by row; within a row from left to right.
class Layout {
    constructor(tree, focus, width) {
        this.tree = tree;
        this.x = [];
        this.w = [];
        this.node = [];
        this.parent = [];
        this.rowStart = [0];
        this.addAncestors(focus, width);
        this.focusRow = this.rowStart.length - 2;
        while (this.addRow())
            ;
        this.rows = this.rowStart.length - 1;
    }

    addAncestors(focus, width) {
        const path = [];
        for (let n = focus; n >= 0; n = this.tree.parent[n])
            path.push(n);
        path.reverse().forEach((node, row) => {
            this.push(0, width, node, row - 1);
            this.rowStart.push(this.x.length);
        });
    }

    push(x, w, node, parent) {
        this.x.push(x);
        this.w.push(w);
        this.node.push(node);
        this.parent.push(parent);
    }

    addRow() {
        const {tree} = this;
        const from = this.rowStart[this.rowStart.length - 2];
        const to = this.rowStart[this.rowStart.length - 1];
        for (let box = from; box < to; box++) {
            const node = this.node[box];
            const scale = this.w[box] / tree.total[node];
            if (!(scale > 0))
                continue;
            tree.expand(node);
            let x = this.x[box];
            for (let child = tree.child[node]; child >= 0; child = tree.sibling[child]) {
                const w = tree.total[child] * scale;
                if (w >= NARROWEST)
                    this.push(x, w, child, box);
                x += w;
            }
        }
        if (this.x.length === to)
            return false;
        this.rowStart.push(this.x.length);
        return true;
    }

    row(box) {
        let row = 0;
        while (this.rowStart[row + 1] <= box)
            row++;
        return row;
    }

    // The box of a row at x, or -1.
    at(row, x) {
        if (row < 0 || row >= this.rows)
            return -1;
        let low = this.rowStart[row];
        let high = this.rowStart[row + 1] - 1;
        while (low < high) {
            const middle = (low + high + 1) >> 1;
            if (this.x[middle] <= x)
                low = middle;
            else
                high = middle - 1;
        }
        return x >= this.x[low] && x < this.x[low] + this.w[low] ? low : -1;
    }

    find(node) {
        return this.node.indexOf(node);
    }

    // The neighbour of a box: -1 and 1 along its row, "in" its widest child.
    beside(box, step) {
        const row = this.row(box);
        const next = box + step;
        return next >= this.rowStart[row] && next < this.rowStart[row + 1] ? next : box;
    }

    within(box) {
        const row = this.row(box);
        let best = box;
        if (row + 1 >= this.rows)
            return box;
        for (let i = this.rowStart[row + 1]; i < this.rowStart[row + 2]; i++)
            if (this.parent[i] === box && (best === box || this.w[i] > this.w[best]))
                best = i;
        return best;
    }
}

// Widths of text, summed by character: measuring each label would cost more
// than drawing it.
class TextRuler {
    constructor(context) {
        this.context = context;
        this.widths = new Map();
    }

    width(text) {
        let sum = 0;
        for (const character of text) {
            let width = this.widths.get(character);
            if (width === undefined) {
                width = this.context.measureText(character).width;
                this.widths.set(character, width);
            }
            sum += width;
        }
        return sum;
    }

    // As much of the text as fits, or "" if that would not say anything.
    cut(text, room) {
        let sum = this.width("…");
        let kept = "";
        for (const character of text) {
            sum += this.width(character);
            if (sum > room)
                break;
            kept += character;
        }
        return kept.length >= 2 ? kept + "…" : "";
    }
}

class FlameView {
    constructor(canvas, scroller, spacer) {
        this.canvas = canvas;
        this.scroller = scroller;
        this.spacer = spacer;
        this.context = canvas.getContext("2d");
        this.context.font = LABEL_FONT;
        this.ruler = new TextRuler(this.context);
        this.flame = true;
        this.dimmed = null;
        this.selected = -1;
        this.hovered = -1;
    }

    // Colours live in the style sheet, so that they follow the theme.
    readColours() {
        const style = getComputedStyle(document.documentElement);
        const value = (name) => style.getPropertyValue(name).trim();
        this.colours = [];
        for (let c = 0; c < CLASSES; c++)
            this.colours.push(value("--class-" + c));
        this.ink = value("--box-ink");
        this.ground = value("--ground");
        this.outline = value("--ink");
        this.accent = value("--accent");
        this.unknown = this.hatch(this.colours[CLASS_UNKNOWN], value("--hatch"));
    }

    hatch(ground, line) {
        const tile = document.createElement("canvas");
        tile.width = tile.height = 8;
        const context = tile.getContext("2d");
        context.fillStyle = ground;
        context.fillRect(0, 0, 8, 8);
        context.strokeStyle = line;
        context.lineWidth = 1.5;
        for (let x = -8; x <= 8; x += 8) {
            context.beginPath();
            context.moveTo(x, 8);
            context.lineTo(x + 8, 0);
            context.stroke();
        }
        return this.context.createPattern(tile, "repeat");
    }

    fill(frameClass) {
        return frameClass === CLASS_UNKNOWN ? this.unknown : this.colours[frameClass];
    }

    width() {
        return Math.max(50, this.scroller.clientWidth);
    }

    setLayout(layout, keepScroll) {
        this.layout = layout;
        this.hovered = -1;
        this.resize();
        if (!keepScroll)
            this.scrollToBox(layout.rowStart[layout.focusRow]);
    }

    resize() {
        const ratio = window.devicePixelRatio || 1;
        const width = this.width();
        const height = this.scroller.clientHeight;
        this.height = Math.max(height, this.layout.rows * ROW + 2);
        this.spacer.style.height = Math.max(0, this.height - height) + "px";
        this.canvas.style.height = height + "px";
        this.canvas.style.width = width + "px";
        const pixels = [Math.round(width * ratio), Math.round(height * ratio)];
        if (this.canvas.width !== pixels[0] || this.canvas.height !== pixels[1])
            [this.canvas.width, this.canvas.height] = pixels;
        this.ratio = ratio;
    }

    rowTop(row) {
        return this.flame ? this.height - (row + 1) * ROW : row * ROW;
    }

    scrollToBox(box) {
        const top = this.rowTop(this.layout.row(box));
        const {scrollTop, clientHeight} = this.scroller;
        const margin = 3 * ROW;
        if (top < scrollTop + margin)
            this.scroller.scrollTop = top - margin;
        else if (top + ROW > scrollTop + clientHeight - margin)
            this.scroller.scrollTop = top + ROW + margin - clientHeight;
    }

    // The box under a point of the canvas, or -1.
    boxAt(x, y) {
        const at = y + this.scroller.scrollTop;
        const row = this.flame ? Math.floor((this.height - at) / ROW) : Math.floor(at / ROW);
        return this.layout.at(row, x);
    }

    draw() {
        const {context, layout, scroller} = this;
        const top = scroller.scrollTop;
        const height = scroller.clientHeight;
        context.setTransform(this.ratio, 0, 0, this.ratio, 0, 0);
        context.clearRect(0, 0, this.width(), height);
        context.font = LABEL_FONT;
        context.textBaseline = "middle";
        context.direction = "ltr";
        for (let row = 0; row < layout.rows; row++) {
            const y = this.rowTop(row) - top;
            if (y + ROW < 0 || y > height)
                continue;
            for (let box = layout.rowStart[row]; box < layout.rowStart[row + 1]; box++)
                this.drawBox(box, y, row < layout.focusRow);
        }
        this.drawOutline(this.hovered, 1, this.outline);
        this.drawOutline(this.selected, 2, this.accent);
    }

    drawBox(box, y, above) {
        const {context, layout} = this;
        const {tree} = layout;
        const node = layout.node[box];
        const x = layout.x[box];
        // A gap between boxes, where there is room for one.
        const w = layout.w[box] > 3 ? layout.w[box] - 1 : Math.max(layout.w[box] * 0.8, 0.5);
        const key = node === 0 ? null : tree.keys.list[tree.key[node]];
        const faint = above || (this.dimmed && key && this.dimmed[tree.key[node]]);
        context.globalAlpha = faint ? (above ? 0.45 : 0.25) : 1;
        context.fillStyle = this.fill(key ? this.boxClass(tree, node, key) : CLASS_PROCESS);
        context.fillRect(x, y + 1, w, ROW - 1);
        if (key && key.mixed && w > 4)
            this.drawShares(tree.classShares(node), x, y, w);
        // On a faint box the ground shines through: the page's ink is legible.
        context.globalAlpha = !faint ? 1 : above ? 0.8 : 0.4;
        context.fillStyle = faint ? this.outline : this.ink;
        if (w > 22)
            this.drawLabel(key, x + 5, y + ROW / 2 + 1, w - 9);
        context.globalAlpha = 1;
    }

    // A merged box has the colour of the tier that most of its samples have.
    boxClass(tree, node, key) {
        if (!key.mixed)
            return key.class;
        const shares = tree.classShares(node);
        let best = key.class;
        for (let c = 0; c < CLASSES; c++)
            if (shares[c] > shares[best])
                best = c;
        return best;
    }

    // A ribbon along the foot of a merged box: its tiers in their proportion.
    drawShares(shares, x, y, w) {
        let sum = 0;
        let most = 0;
        for (const share of shares) {
            sum += share;
            most = Math.max(most, share);
        }
        if (most === sum)
            return;
        let at = x;
        this.context.fillStyle = this.ground;
        this.context.fillRect(x, y + ROW - 5, w, 1);
        for (const c of STACKING) {
            const part = (shares[c] / sum) * w;
            if (part === 0)
                continue;
            this.context.fillStyle = this.fill(c);
            this.context.fillRect(at, y + ROW - 4, part, 4);
            at += part;
        }
    }

    drawLabel(key, x, y, room) {
        const {context, ruler} = this;
        const forms = key ? this.forms(key) : this.rootForms;
        for (const form of forms) {
            if (form.width > room)
                continue;
            context.fillText(form.name, x, y);
            if (form.tag) {
                context.globalAlpha *= 0.66;
                context.fillText(form.tag, x + form.nameWidth + 5, y);
            }
            return;
        }
        const cut = ruler.cut(forms[forms.length - 1].name, room);
        if (cut)
            context.fillText(cut, x, y);
    }

    // What may be written into a key's box, best first, with widths.
    forms(key) {
        if (!key.forms) {
            const names = key.kind === FRAME_BODY ? shorterNames(key.name) : [key.name];
            const shown = names.map((name) => name.slice(0, LABEL_CHARACTERS));
            key.forms = shown.map((name) => this.form(name, key.tag));
            key.forms.push(this.form(shown[shown.length - 1], ""));
        }
        return key.forms;
    }

    form(name, tag) {
        const nameWidth = this.ruler.width(name);
        return {name, tag, nameWidth, width: nameWidth + (tag ? 5 + this.ruler.width(tag) : 0)};
    }

    setRoot(text) {
        this.rootForms = [this.form(text, ""), this.form("all", "")];
    }

    drawOutline(box, thickness, colour) {
        if (box < 0)
            return;
        const {context, layout} = this;
        const y = this.rowTop(layout.row(box)) - this.scroller.scrollTop;
        const inset = thickness / 2;
        context.strokeStyle = colour;
        context.lineWidth = thickness;
        context.strokeRect(layout.x[box] + inset, y + 1 + inset,
            Math.max(layout.w[box] - 1 - thickness, 1), ROW - 1 - thickness);
    }
}
