// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
//
// The time strip: samples per tier over the run, stacked, and the range of
// time that the rest of the page is restricted to.  The range is in bins; it
// is dragged with the pointer or moved with the arrow keys.

const AXIS = 16;
const EDGE = 6;

class TimeStrip {
    constructor(canvas, profile, changed) {
        this.canvas = canvas;
        this.context = canvas.getContext("2d");
        this.profile = profile;
        this.changed = changed;
        this.low = 0;
        this.high = profile.binCount;
        this.marks = [];
        this.gather();
        this.listen();
        this.describe();
    }

    // Columns wide enough that a column says more than chance does.
    gather() {
        const {profile} = this;
        const {nodeFrame, frameClass, entryNode, entryBin, entryCount, binCount} = profile;
        const wanted = Math.min(256, Math.max(48, profile.totalSamples / 8));
        this.binsPerColumn = Math.max(1, Math.round(binCount / wanted));
        this.columns = Math.ceil(binCount / this.binsPerColumn);
        this.counts = new Float64Array(this.columns * CLASSES);
        for (let e = 0; e < entryNode.length; e++) {
            const node = entryNode[e];
            const column = Math.floor(entryBin[e] / this.binsPerColumn);
            const c = node === 0 ? CLASS_UNKNOWN : frameClass[nodeFrame[node]];
            this.counts[column * CLASSES + c] += entryCount[e];
        }
        this.most = 1;
        for (let column = 0; column < this.columns; column++) {
            let sum = 0;
            for (let c = 0; c < CLASSES; c++)
                sum += this.counts[column * CLASSES + c];
            this.most = Math.max(this.most, sum);
        }
    }

    whole() {
        return this.low === 0 && this.high === this.profile.binCount;
    }

    set(low, high) {
        const {binCount} = this.profile;
        low = Math.max(0, Math.min(binCount - 1, Math.round(low)));
        high = Math.max(low + 1, Math.min(binCount, Math.round(high)));
        if (low === this.low && high === this.high)
            return;
        this.low = low;
        this.high = high;
        this.describe();
        this.changed();
    }

    clear() {
        this.set(0, this.profile.binCount);
    }

    times() {
        const {binWidth, duration} = this.profile;
        return [this.low * binWidth, Math.min(this.high * binWidth, duration)];
    }

    describe() {
        const [from, to] = this.times();
        const {canvas, profile} = this;
        canvas.setAttribute("aria-valuemin", "0");
        canvas.setAttribute("aria-valuemax", String(profile.binCount));
        canvas.setAttribute("aria-valuenow", String(this.low));
        canvas.setAttribute("aria-valuetext", this.whole() ? "whole run"
            : formatTime(from) + " to " + formatTime(to));
    }

    draw(colours, unknown, ink, muted, accent, ground) {
        const ratio = window.devicePixelRatio || 1;
        const {canvas, context} = this;
        const width = canvas.clientWidth;
        const height = canvas.clientHeight;
        canvas.width = Math.round(width * ratio);
        canvas.height = Math.round(height * ratio);
        context.setTransform(ratio, 0, 0, ratio, 0, 0);
        this.drawColumns(width, height - AXIS, colours, unknown);
        this.drawAxis(width, height, muted);
        this.drawMarks(width, height - AXIS, ink);
        if (!this.whole())
            this.drawRange(width, height - AXIS, accent, ground);
    }

    drawColumns(width, height, colours, unknown) {
        const {context, counts, columns, profile} = this;
        const pixels = (width * this.binsPerColumn) / profile.binCount;
        for (let column = 0; column < columns; column++) {
            let y = height;
            for (const c of STACKING) {
                const count = counts[column * CLASSES + c];
                if (count === 0)
                    continue;
                const h = (count / this.most) * (height - 4);
                context.fillStyle = c === CLASS_UNKNOWN ? unknown : colours[c];
                context.fillRect(column * pixels, y - h, Math.max(pixels - 0.6, 0.5), h);
                y -= h;
            }
        }
    }

    drawAxis(width, height, muted) {
        const {context, profile} = this;
        const step = niceStep(profile.duration / Math.max(2, width / 110));
        context.font = "11px ui-sans-serif, system-ui, 'Segoe UI', 'DejaVu Sans', sans-serif";
        context.textBaseline = "bottom";
        context.fillStyle = muted;
        context.fillRect(0, height - AXIS, width, 1);
        for (let time = 0; time < profile.duration; time += step) {
            const x = (time / this.span()) * width;
            context.fillRect(x, height - AXIS, 1, 4);
            if (x + 40 < width)
                context.fillText(formatAxis(time, step), x + 3, height);
        }
    }

    span() {
        return this.profile.binCount * this.profile.binWidth;
    }

    // When the versions of the chosen method were born, and below when calls reached them.
    drawMarks(width, height, ink) {
        const {context} = this;
        for (const mark of this.marks) {
            const x = Math.max(0, Math.min(1, mark.time / this.span())) * (width - 3) + 1;
            context.fillStyle = ink;
            context.fillRect(x, 0, 1, height);
            context.fillStyle = mark.colour;
            context.strokeStyle = ink;
            context.lineWidth = 1;
            context.beginPath();
            const top = mark.below ? height - 8 : 0;
            context.moveTo(x + 0.5, top);
            context.lineTo(x + 8, top + 4);
            context.lineTo(x + 0.5, top + 8);
            context.closePath();
            context.fill();
            context.stroke();
        }
    }

    drawRange(width, height, accent, ground) {
        const {context, profile} = this;
        const from = (this.low / profile.binCount) * width;
        const to = (this.high / profile.binCount) * width;
        context.globalAlpha = 0.72;
        context.fillStyle = ground;
        context.fillRect(0, 0, from, height);
        context.fillRect(to, 0, width - to, height);
        context.globalAlpha = 1;
        context.fillStyle = accent;
        for (const x of [from, to]) {
            context.fillRect(Math.min(Math.max(x - 1, 0), width - 2), 0, 2, height);
            const grip = Math.min(Math.max(x - 3, 0), width - 6);
            context.fillRect(grip, height / 2 - 8, 6, 16);
        }
        context.fillRect(from, height - 2, to - from, 2);
    }

    binAt(event) {
        const box = this.canvas.getBoundingClientRect();
        const x = Math.max(0, Math.min(box.width, event.clientX - box.left));
        return (x / box.width) * this.profile.binCount;
    }

    listen() {
        const {canvas} = this;
        canvas.addEventListener("pointerdown", (event) => this.grab(event));
        canvas.addEventListener("pointermove", (event) => this.drag(event));
        canvas.addEventListener("pointerup", () => this.release());
        canvas.addEventListener("pointercancel", () => this.release());
        canvas.addEventListener("dblclick", () => this.clear());
        canvas.addEventListener("keydown", (event) => this.key(event));
    }

    // Near an edge: move that edge.  Inside a range: move the range.  Else: a
    // new range from here.
    grab(event) {
        if (event.button !== 0)
            return;
        const bin = this.binAt(event);
        const edge = (EDGE / this.canvas.clientWidth) * this.profile.binCount;
        this.canvas.setPointerCapture(event.pointerId);
        this.start = bin;
        if (!this.whole() && Math.abs(bin - this.low) < edge)
            this.grabbed = {fixed: this.high};
        else if (!this.whole() && Math.abs(bin - this.high) < edge)
            this.grabbed = {fixed: this.low};
        else if (!this.whole() && bin > this.low && bin < this.high)
            this.grabbed = {low: this.low, high: this.high};
        else
            this.grabbed = {fixed: bin, fresh: true};
    }

    drag(event) {
        const bin = this.binAt(event);
        if (!this.grabbed) {
            const edge = (EDGE / this.canvas.clientWidth) * this.profile.binCount;
            const near = !this.whole() &&
                Math.min(Math.abs(bin - this.low), Math.abs(bin - this.high)) < edge;
            this.canvas.style.cursor = near ? "ew-resize"
                : !this.whole() && bin > this.low && bin < this.high ? "grab" : "crosshair";
            return;
        }
        const {fixed, low, high, fresh} = this.grabbed;
        if (fixed === undefined) {
            const room = this.profile.binCount - (high - low);
            const to = Math.max(0, Math.min(room, low + bin - this.start));
            this.set(to, to + high - low);
        } else if (!fresh || Math.abs(bin - fixed) >= 1) {
            this.set(Math.min(fixed, bin), Math.max(fixed, bin));
        }
    }

    release() {
        this.grabbed = null;
    }

    key(event) {
        const {binCount} = this.profile;
        const step = Math.max(1, Math.round(binCount / (event.ctrlKey ? 200 : 40)));
        const towards = {ArrowLeft: -step, ArrowDown: -step, ArrowRight: step, ArrowUp: step};
        const move = towards[event.key];
        if (move !== undefined && event.shiftKey)
            this.set(this.low, this.high + move);
        else if (move !== undefined && this.whole())
            this.set(0, Math.round(binCount / 5));
        else if (move !== undefined)
            this.shift(move);
        else if (event.key === "Home")
            this.shift(-this.low);
        else if (event.key === "End")
            this.shift(binCount - this.high);
        else if (event.key === "Escape" && !this.whole())
            this.clear();
        else
            return;
        event.preventDefault();
        event.stopPropagation();
    }

    shift(move) {
        move = Math.max(-this.low, Math.min(this.profile.binCount - this.high, move));
        this.set(this.low + move, this.high + move);
    }
}

function niceStep(least) {
    const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
    for (const factor of [1, 2, 5, 10])
        if (power * factor >= least)
            return power * factor;
    return power * 10;
}

function formatAxis(time, step) {
    if (step >= 1e9)
        return Math.round(time / 1e9) + " s";
    const digits = Math.min(9, Math.max(0, 9 - Math.floor(Math.log10(step))));
    return (time / 1e9).toFixed(digits) + " s";
}
