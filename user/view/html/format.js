// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
//
// Numbers, times and elements, the same everywhere on the page.

// The order of the legend and of the strip's layers, from the bottom up: what
// is optimized, what is on its way, what is not, what is not managed.
const STACKING = [4, 2, 8, 5, 7, 6, 3, 1, 0, CLASS_STUB, CLASS_NATIVE, CLASS_KERNEL,
    CLASS_UNKNOWN, CLASS_PROCESS];

function className(profile, c) {
    const others = {
        [CLASS_NATIVE]: "native", [CLASS_KERNEL]: "kernel", [CLASS_UNKNOWN]: "unresolved",
        [CLASS_PROCESS]: "process", [CLASS_STUB]: "stub",
    };
    return others[c] || profile.tierShort[c];
}

function formatCount(count) {
    return Math.round(count).toLocaleString("en-US");
}

function formatPercent(part, whole) {
    if (!(whole > 0))
        return "0 %";
    const percent = (100 * part) / whole;
    if (percent === 0 || percent >= 99.995)
        return Math.round(percent) + " %";
    return percent.toFixed(percent < 0.1 || percent > 99.9 ? 3 : percent < 10 ? 2 : 1) + " %";
}

// Nanoseconds since the recording began; negative is before it.
function formatTime(ns) {
    const sign = ns < 0 ? "−" : "";
    const size = Math.abs(ns);
    if (size >= 120e9)
        return sign + Math.floor(size / 60e9) + " min " + ((size % 60e9) / 1e9).toFixed(1) + " s";
    if (size >= 1e9)
        return sign + (size / 1e9).toFixed(size >= 10e9 ? 2 : 3) + " s";
    if (size >= 1e6)
        return sign + (size / 1e6).toFixed(size >= 100e6 ? 1 : 2) + " ms";
    return sign + (size / 1e3).toFixed(1) + " µs";
}

// For the size of an IL or native range.
function formatBytes(bytes) {
    return formatCount(bytes) + " B";
}

// An element with text; text never becomes markup.
function make(tag, className_, text) {
    const element = document.createElement(tag);
    if (className_)
        element.className = className_;
    if (text !== undefined)
        element.textContent = text;
    return element;
}

// Like make, with the page's protection for names: a name keeps its direction
// to itself.
function makeName(tag, className_, text) {
    const element = make(tag, className_ + " name", text);
    element.dir = "ltr";
    return element;
}

function swatch(c) {
    return make("span", "swatch class-" + c);
}

// One "term: description" of a definition list.
function addFact(list, term, description, className_) {
    const box = make("div", className_ || "");
    box.append(make("dt", "", term));
    const dd = make("dd", "");
    dd.append(description);
    box.append(dd);
    list.append(box);
    return box;
}
