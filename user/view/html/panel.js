// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
//
// The method panel: every version of one method, with its life and its
// samples; and the tooltip, which is the panel in short.

// The versions that a key stands for, or all of the key's method, oldest first,
// with their samples in the selection.
function versionShares(view, key) {
    const all = methodShares(view, key.method);
    return view.split === "rejit" ? all.filter(({body}) => body.rejit === key.rejit) : all;
}

function methodShares(view, method) {
    const keys = view.profile.keys("version");
    const tally = view.selection.tally(keys);
    if (!keys.ofBody) {
        keys.ofBody = new Int32Array(view.profile.bodies.length).fill(-1);
        keys.list.forEach((key, index) => {
            if (key.body >= 0)
                keys.ofBody[key.body] = index;
        });
    }
    return view.profile.methods[method].bodies.map((body) => {
        const k = keys.ofBody[body.index];
        return {body, self: k < 0 ? 0 : tally.self[k], total: k < 0 ? 0 : tally.total[k]};
    });
}

function versionBar(shares, measure) {
    const bar = make("div", "bar");
    const sum = shares.reduce((all, share) => all + share[measure], 0);
    bar.setAttribute("aria-hidden", "true");
    for (const share of shares) {
        if (share[measure] === 0)
            continue;
        const part = make("span", "class-" + share.body.tier);
        part.style.flexGrow = String(share[measure] / sum);
        bar.append(part);
    }
    return bar;
}

class Tooltip {
    constructor(element) {
        this.element = element;
    }

    hide() {
        this.element.hidden = true;
    }

    show(view, node, x, y) {
        const {element} = this;
        element.replaceChildren(...this.content(view, node));
        element.hidden = false;
        const {offsetWidth: width, offsetHeight: height} = element;
        const left = Math.min(x + 14, window.innerWidth - width - 8);
        const below = y + 18 + height < window.innerHeight;
        element.style.left = Math.max(8, left) + "px";
        element.style.top = Math.max(8, below ? y + 18 : y - height - 10) + "px";
    }

    content(view, node) {
        const {tree, selection} = view;
        const key = node === 0 ? null : tree.keys.list[tree.key[node]];
        const all = selection.samples;
        const head = makeName("p", "tooltip-name", key ? keyLabel(key).slice(0, 600)
            : "all " + view.profile.unit());
        const line = make("p", "tooltip-line");
        line.append(make("b", "", formatPercent(tree.total[node], all)), 
            " of " + view.profile.unit() + ", ", view.profile.number(tree.total[node]));
        if (tree.self[node] > 0 && view.order === "callees")
            line.append(" · self ", make("b", "", formatPercent(tree.self[node], all)));
        if (!key || key.method < 0)
            return [head, line];
        return [head, line, this.versions(view, methodShares(view, key.method))];
    }

    // The share of each version of the method, wherever it was called from.
    versions(view, shares) {
        const table = make("table", "tooltip-versions");
        const sum = shares.reduce((all, share) => all + share.self, 0);
        const measure = sum > 0 ? "self" : "total";
        const whole = shares.reduce((all, share) => all + share[measure], 0);
        const sampled = shares.filter((share) => share[measure] > 0)
            .sort((a, b) => b[measure] - a[measure]);
        const caption = make("caption", "", sum > 0 ? "The method's own samples, per version"
            : "The method's samples with callees, per version");
        table.append(caption);
        for (const share of sampled.slice(0, 8)) {
            const row = make("tr");
            const label = make("td");
            label.append(swatch(share.body.tier), share.body.version);
            row.append(label, make("td", "number", formatPercent(share[measure], whole)),
                make("td", "number", view.profile.number(share[measure])));
            table.append(row);
        }
        if (sampled.length > 8 || shares.length > sampled.length) {
            const row = make("tr");
            const rest = sampled.length > 8 ? sampled.length - 8 + " more sampled, " : "";
            const cell = make("td", "faint", rest + (shares.length - sampled.length) +
                " without samples");
            cell.colSpan = 3;
            row.append(cell);
            table.append(row);
        }
        return table;
    }
}

class Panel {
    constructor(element) {
        this.element = element;
    }

    show(view, key) {
        this.element.replaceChildren(...this.content(view, key));
    }

    content(view, key) {
        if (!key)
            return this.empty(view);
        if (key.method < 0)
            return this.other(view, key);
        return this.method(view, view.profile.methods[key.method], key);
    }

    // Before anything is chosen: where the time goes.
    empty(view) {
        const hint = make("p", "faint", "Choose one, or a frame, to see every version of the " +
            "method: tier, ReJITID, when each was born, published and superseded.");
        if (view.tab === "hottest")
            return [hint];
        const {keys, selection} = view;
        const {self} = selection.tally(keys);
        const hottest = [];
        for (let k = 0; k < keys.list.length; k++)
            if (self[k] > 0 && keys.list[k].kind === FRAME_BODY)
                hottest.push(k);
        hottest.sort((a, b) => self[b] - self[a]);
        const list = make("ol", "panel-list");
        for (const k of hottest.slice(0, 12))
            list.append(this.hot(view, keys.list[k], self[k]));
        return [make("h2", "panel-kind", view.split === "version" ? "Hottest code versions"
            : "Hottest managed code"), list, hint];
    }

    hot(view, key, self) {
        const item = make("li");
        const button = make("button");
        button.type = "button";
        const names = key.kind === FRAME_BODY ? shorterNames(key.name) : [key.name];
        const what = make("span", "version-of");
        if (key.mixed)
            what.append(versionBar(versionShares(view, key), "self"));
        else
            what.append(swatch(key.class), key.tag ? key.tag.slice(1, -1)
                : className(view.profile, key.class));
        if (key.method >= 0 && view.profile.raw.processes.length > 1)
            what.append(" · ", makeName("span", "",
                view.profile.processName(view.profile.methods[key.method].process)));
        button.append(make("span", "share", formatPercent(self, view.selection.samples)),
            makeName("span", "what", names[Math.min(2, names.length - 1)].slice(0, 200)), what);
        button.title = keyLabel(key).slice(0, 600);
        button.addEventListener("click", () => view.choose(key));
        item.append(button);
        return item;
    }

    other(view, key) {
        const what = {
            [FRAME_NATIVE]: ["Native code", "Not managed code: the runtime itself, or a library."],
            [FRAME_KERNEL]: ["Kernel", "The thread was in the kernel."],
            [FRAME_UNKNOWN]: ["Unresolved", "No table knew this address. Nothing is guessed: the " +
                "samples are counted under their cause."],
            [FRAME_PROCESS]: ["Process", "Samples of one process."],
            [FRAME_THREAD]: ["Thread", "Samples of one thread."],
            [FRAME_STUB]: ["Runtime stub", "The runtime's own code between a call and the method " +
                "that it reaches: precodes, call counting, interface dispatch."],
        }[key.kind];
        return [make("h2", "panel-kind", what[0]), makeName("p", "panel-name", key.name),
            this.samples(view, key), make("p", "faint", what[1])];
    }

    samples(view, key) {
        const keys = view.tree.keys;
        const {self, total} = view.selection.tally(keys);
        const index = keys.list.indexOf(key);
        return this.pair(view, index < 0 ? 0 : self[index], index < 0 ? 0 : total[index]);
    }

    pair(view, self, total) {
        const all = view.selection.samples;
        const list = make("dl", "pair");
        addFact(list, "self", formatPercent(self, all)).append(
            make("dd", "faint", view.profile.number(self)));
        addFact(list, "total", formatPercent(total, all)).append(
            make("dd", "faint", view.profile.number(total)));
        return list;
    }

    method(view, method, key) {
        const {profile} = view;
        const none = profile.keys("none");
        const tally = view.selection.tally(none);
        const index = none.list.findIndex((other) => other.method === key.method);
        const shares = methodShares(view, key.method);
        const measure = shares.some((share) => share.self > 0) ? "self" : "total";
        const parts = [make("h2", "panel-kind", "Method"),
            makeName("p", "panel-name", method.name), this.identity(view, method),
            this.pair(view, tally.self[index], tally.total[index]), versionBar(shares, measure),
            make("h3", "", shares.length === 1 ? "One code version"
                : formatCount(shares.length) + " code versions, oldest first")];
        const list = make("ol", "versions");
        const shown = shares.length <= 60 ? shares
            : shares.filter((share) => share.total > 0 || share.self > 0).slice(0, 200);
        for (const share of shown)
            list.append(this.version(view, share, key));
        parts.push(list);
        if (shown.length < shares.length)
            parts.push(make("p", "faint", formatCount(shares.length - shown.length) +
                " more without samples are in the JSON report."));
        return parts;
    }

    identity(view, method) {
        const list = make("dl", "identity");
        const modules = new Set(method.bodies.map((body) => body.module));
        const functions = new Set(method.bodies.map((body) => body.functionId ?? "unknown"));
        for (const module of [...modules].slice(0, 4))
            if (module)
                addFact(list, "module", makeName("span", "", module));
        addFact(list, "FunctionID", [...functions].slice(0, 4).join(", ") +
            (functions.size > 4 ? " and " + (functions.size - 4) + " more" : ""));
        if (view.profile.raw.processes.length > 1)
            addFact(list, "process",
                makeName("span", "", view.profile.processName(method.process)));
        return list;
    }

    version(view, share, key) {
        const {body, self, total} = share;
        const all = view.selection.samples;
        const item = make("li", "version" + (key.body === body.index &&
            view.split === "version" ? " current" : ""));
        const head = make("div", "version-head");
        const label = make("span", "version-label");
        label.append(swatch(body.tier), body.version);
        head.append(label,
            make("span", "version-share", formatPercent(self, all)),
            make("span", "version-total faint", formatPercent(total, all) + " total"));
        item.append(head, this.lifeline(view, body), this.facts(view, body, self, total));
        return item;
    }

    // The version's life along the run: pale once newer code took the calls.
    lifeline(view, body) {
        const {duration} = view.profile;
        const line = make("div", "lifeline");
        const place = (time) => Math.max(0, Math.min(1, time / duration)) * 100;
        const from = place(body.born ?? 0);
        const to = body.died === null ? 100 : place(body.died);
        const until = body.superseded === null ? to : Math.min(to, place(body.superseded));
        for (const [low, high, name] of [[from, until, ""], [until, to, " pale"]]) {
            if (high < low || (name && high === low))
                continue;
            const part = make("span", "class-" + body.tier + name);
            part.style.left = Math.min(low, 99.4) + "%";
            part.style.width = Math.max(high - low, 0.6) + "%";
            line.append(part);
        }
        line.setAttribute("aria-hidden", "true");
        return line;
    }

    facts(view, body, self, total) {
        const {profile} = view;
        const list = make("dl", "version-facts");
        addFact(list, "tier", profile.tierLong[body.tier]);
        addFact(list, "ReJITID", body.rejit === null ? "unknown" : String(body.rejit));
        addFact(list, "native version", body.native === null ? "unknown" : String(body.native));
        if (body.osr !== null)
            addFact(list, "OSR at IL", "0x" + body.osr.toString(16));
        addFact(list, profile.unit(), profile.number(self) + " self, " +
            profile.number(total) + " total");
        // Precompiled code was there before anybody looked: it has no birth.
        if (body.source !== "image") {
            addFact(list, "born", this.when(body.born) +
                (body.source === "catch-up" ? " (found after attach)" : ""));
        } else {
            addFact(list, "origin", "precompiled image");
        }
        addFact(list, "published", body.published === null ? "not observed"
            : this.window(body.published));
        if (body.superseded !== null)
            addFact(list, "superseded", this.when(body.superseded));
        if (body.died !== null)
            addFact(list, "unloaded", this.when(body.died));
        addFact(list, "code", body.start + ", " + formatBytes(body.size));
        if (body.shared)
            addFact(list, "generics", "shared by instantiations over reference types");
        return list;
    }

    when(time) {
        if (time === null)
            return "unknown";
        return time < 0 ? formatTime(-time) + " before the start" : formatTime(time);
    }

    window([low, high]) {
        if (low === null)
            return "by " + this.when(high);
        return high - low < 1000 ? this.when(high)
            : this.when(low) + " to " + this.when(high);
    }
}
