// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
//
// The two tables: the hottest code versions (or tiers, or methods: as the
// split says), and what is known of the run and its ledger.

const ROWS_SHOWN = 200;
const LEFT_COLUMNS = ["tier", "process", "name"];

class HottestTable {
    constructor(element, choose) {
        this.element = element;
        this.choose = choose;
        this.sortBy = "self";
        this.limit = ROWS_SHOWN;
        element.addEventListener("keydown", (event) => this.key(event));
    }

    show(view) {
        this.view = view;
        const {keys, matches} = view;
        const tally = view.selection.tally(keys);
        const rows = [];
        for (let k = 0; k < keys.list.length; k++)
            if ((tally.self[k] > 0 || tally.total[k] > 0) && keys.list[k].kind < FRAME_PROCESS &&
                (!matches || matches[k]))
                rows.push(k);
        rows.sort((a, b) => tally[this.sortBy][b] - tally[this.sortBy][a] || a - b);
        const table = make("table", "hot");
        table.append(this.head(), this.body(rows, tally));
        this.element.replaceChildren(table);
        if (rows.length > this.limit)
            this.element.append(this.more(rows.length));
    }

    more(count) {
        const button = make("button", "more", "Show all " + formatCount(count));
        button.type = "button";
        button.addEventListener("click", () => {
            this.limit = 5000;
            this.show(this.view);
        });
        return button;
    }

    head() {
        const head = make("thead");
        const row = make("tr");
        const versions = this.view.split === "version";
        const columns = [["self", "self"], ["", this.view.profile.unit()], ["total", "total"], ["", "tier"]];
        if (versions)
            columns.push(["", "#ReJITID"], ["", "native version"]);
        if (this.view.profile.raw.processes.length > 1)
            columns.push(["", "process"]);
        columns.push(["", "name"]);
        for (const [sort, label] of columns) {
            const cell = make("th", LEFT_COLUMNS.includes(label) ? "" : "number");
            cell.scope = "col";
            if (sort) {
                const button = make("button", "sort", label);
                button.type = "button";
                button.addEventListener("click", () => {
                    this.sortBy = sort;
                    this.show(this.view);
                });
                cell.setAttribute("aria-sort", sort === this.sortBy ? "descending" : "none");
                cell.append(button);
            } else {
                cell.textContent = label;
            }
            row.append(cell);
        }
        head.append(row);
        return head;
    }

    body(rows, tally) {
        const body = make("tbody");
        this.most = Math.max(1, ...rows.slice(0, this.limit).map((k) => tally.self[k]));
        rows.slice(0, this.limit).forEach((k, at) => {
            body.append(this.row(this.view.keys.list[k], tally.self[k], tally.total[k], at === 0));
        });
        if (rows.length === 0) {
            const row = make("tr");
            const cell = make("td", "faint", "No samples in this range.");
            cell.colSpan = 7;
            row.append(cell);
            body.append(row);
        }
        return body;
    }

    row(key, self, total, first) {
        const {profile, selection, split} = this.view;
        const row = make("tr");
        row.tabIndex = first ? 0 : -1;
        const share = make("td", "number");
        const bar = make("span", "cell-bar");
        bar.style.width = (100 * self) / this.most + "%";
        share.append(bar, make("span", "", formatPercent(self, selection.samples)));
        const tier = make("td", "tier");
        if (key.mixed)
            tier.append(versionBar(versionShares(this.view, key), "self"));
        else
            tier.append(swatch(key.class), key.tag && split === "version"
                ? key.tag.slice(1, -1).replace(/ #.*$/, "") : className(profile, key.class));
        row.append(share, make("td", "number", profile.number(self)),
            make("td", "number", formatPercent(total, selection.samples)), tier);
        if (split === "version") {
            const body = key.body >= 0 ? profile.bodies[key.body] : null;
            row.append(make("td", "number", body ? String(body.rejit ?? "?") : ""),
                make("td", "number", body ? String(body.native ?? "?") : ""));
        }
        if (profile.raw.processes.length > 1) {
            const process = make("td", "hot-process");
            if (key.method >= 0)
                process.append(makeName("span", "",
                    profile.processName(profile.methods[key.method].process)));
            row.append(process);
        }
        const name = make("td", "hot-name");
        name.append(makeName("span", "", key.name.slice(0, 600) +
            (split === "rejit" ? " " + key.tag : "")));
        row.append(name);
        row.addEventListener("click", () => this.choose(key));
        row.addEventListener("keydown", (event) => {
            if (event.key === "Enter")
                this.choose(key);
        });
        row.addEventListener("focus", () => this.choose(key));
        return row;
    }

    // Arrows move along the rows; only one row is in the tab order.
    key(event) {
        const row = event.target.closest("tbody tr");
        if (!row)
            return;
        const next = {
            ArrowDown: row.nextElementSibling, ArrowUp: row.previousElementSibling,
            Home: row.parentElement.firstElementChild, End: row.parentElement.lastElementChild,
        }[event.key];
        if (!next)
            return;
        row.tabIndex = -1;
        next.tabIndex = 0;
        next.focus();
        event.preventDefault();
    }
}

// The ledger as one sentence, and whether anything was lost.
function ledgerSummary(ledger) {
    const lost = Object.values(ledger.samples_lost).reduce((sum, count) => sum + count, 0);
    const events = Object.values(ledger.events_lost).reduce((sum, count) => sum + count, 0);
    const bodies = [ledger.code_map_lost, ledger.hook_lost]
        .flatMap((counts) => Object.values(counts)).reduce((sum, count) => sum + count, 0);
    const undelivered = ledger.samples.not_delivered || 0;
    return {lost, events, bodies, undelivered, any: lost + events + bodies + undelivered > 0};
}

function causes(counts) {
    const shown = Object.entries(counts).filter(([, count]) => count > 0)
        .map(([name, count]) => formatCount(count) + " " + visible(name)).join(", ");
    return shown || "none";
}

class RunTab {
    constructor(element) {
        this.element = element;
    }

    show(profile) {
        const {raw} = profile;
        this.element.replaceChildren(
            ...this.section("Recording", this.about(profile)),
            ...this.section("Processes", this.processes(profile)),
            ...this.section("Ledger", this.ledger(raw.ledger)));
    }

    section(title, ...parts) {
        return [make("h2", "", title), ...parts];
    }

    about(profile) {
        const {raw} = profile;
        const list = make("dl", "about");
        const text = (id) => makeName("span", "", profile.strings[id]);
        if (raw.about.start_unix_ms)
            addFact(list, "started", new Date(raw.about.start_unix_ms).toLocaleString());
        addFact(list, "duration", formatTime(profile.duration));
        addFact(list, "event", makeName("span", "", profile.strings[raw.event.name] +
            (raw.event.period ? ", one sample per " + formatCount(raw.event.period) : "")));
        addFact(list, "command", text(raw.about.command));
        addFact(list, "kernel", text(raw.about.kernel));
        addFact(list, "machine", makeName("span", "", profile.strings[raw.about.machine] +
            (raw.about.cpus ? ", " + raw.about.cpus + " CPUs" : "")));
        addFact(list, "recorded by", makeName("span", "", "tierscope " +
            profile.strings[raw.about.version]));
        addFact(list, "distinct stacks", formatCount(profile.stackCount));
        return list;
    }

    processes(profile) {
        const table = make("table", "plain");
        const head = make("tr");
        for (const label of ["pid", "name", "runtime", "hook", "command line"])
            head.append(make("th", "", label));
        table.append(head);
        for (const process of profile.raw.processes) {
            const row = make("tr");
            const trouble = profile.strings[process.trouble];
            const how = (trouble || (process.attached ? "attached " : process.hooked ? "launched " :
                "") + profile.strings[process.hook_version]) +
                (process.main_profiler ? ", beside another profiler: ReJITID 0 may not be the original IL" : "");
            row.append(make("td", "number", String(process.pid)));
            const texts = [process.comm, process.runtime].map((id) => profile.strings[id]);
            texts.push(how, profile.strings[process.cmdline || process.executable]);
            for (const text of texts) {
                const cell = make("td");
                cell.append(makeName("span", "", text));
                row.append(cell);
            }
            table.append(row);
        }
        return table;
    }

    ledger(ledger) {
        const grid = make("div", "ledger");
        const titles = {
            samples: "Samples", samples_lost: "Samples lost, by cause",
            off_cpu: "Stacks of time off the CPU", off_cpu_lost: "Of these lost, by cause",
            notes: "Notes on kept samples",
            events: "Code events", events_lost: "Code events lost, by cause",
            code_map_lost: "Bodies without a place in the code map, by cause",
            hook_lost: "Kept back by a hook, by cause",
            unresolved_leaf: "Unresolved leaves, by cause", stub_leaf: "Samples in stubs, by kind",
        };
        for (const [name, title] of Object.entries(titles)) {
            const box = make("div");
            const table = make("table", "plain");
            for (const [cause, count] of Object.entries(ledger[name])) {
                const row = make("tr");
                row.append(make("td", "", visible(cause).replaceAll("_", " ")),
                    make("td", "number", formatCount(count)));
                table.append(row);
            }
            box.append(make("h3", "", title));
            box.append(table.childElementCount ? table : make("p", "faint", "none"));
            grid.append(box);
        }
        return grid;
    }
}
