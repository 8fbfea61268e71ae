// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
//
// Every pointer, key and button of the page, and the theme.

class Controls {
    constructor(page) {
        this.page = page;
    }

    listen() {
        const {page} = this;
        const {flame} = page;
        flame.canvas.addEventListener("pointermove", (event) => this.hover(event));
        flame.canvas.addEventListener("pointerleave", () => this.unhover());
        flame.canvas.addEventListener("click", (event) => this.click(event));
        flame.canvas.addEventListener("keydown", (event) => this.graphKey(event));
        flame.scroller.addEventListener("scroll", () => {
            page.tooltip.hide();
            page.later("draw");
        });
        document.addEventListener("keydown", (event) => this.pageKey(event));
        new ResizeObserver(() => page.later("size")).observe(flame.scroller);
        page.element("search").addEventListener("input", () => page.search());
        page.element("range-clear").addEventListener("click", () => page.strip.clear());
        page.element("zoom-out").addEventListener("click", () => page.zoomOut());
        page.element("help-open").addEventListener("click", () => page.element("help").showModal());
        page.element("theme").addEventListener("click", () => this.nextTheme());
        matchMedia("(prefers-color-scheme: dark)").addEventListener("change",
            () => this.themeChanged());
        this.radios("split", (value) => page.setSplit(value));
        this.radios("clock", (value) => page.setClock(value));
        this.radios("order", (value) => page.setOrder(value));
        this.radios("direction", (value) => page.setDirection(value === "flame"));
        page.check("order", page.order);
        page.check("direction", "flame");
        for (const tab of ["graph", "hottest", "run"])
            page.element("tab-" + tab).addEventListener("click", () => page.showTab(tab));
        document.querySelector(".tabs").addEventListener("keydown", (event) => this.tabKey(event));
    }

    radios(group, changed) {
        const {page} = this;
        const buttons = [...page.element(group).querySelectorAll("[role=radio]")];
        buttons.forEach((button, at) => {
            button.addEventListener("click", () => changed(button.dataset.value));
            button.addEventListener("keydown", (event) => {
                const step = {ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1}[event.key];
                if (!step)
                    return;
                const next = buttons[(at + step + buttons.length) % buttons.length];
                changed(next.dataset.value);
                next.focus();
                event.preventDefault();
            });
        });
    }

    tabKey(event) {
        const {page} = this;
        const tabs = ["graph", "hottest", "run"];
        const step = {ArrowRight: 1, ArrowLeft: -1}[event.key];
        if (!step)
            return;
        const next = tabs[(tabs.indexOf(page.tab) + step + tabs.length) % tabs.length];
        page.showTab(next);
        page.element("tab-" + next).focus();
        event.preventDefault();
    }

    hover(event) {
        const {page} = this;
        const box = page.flame.boxAt(event.offsetX, event.offsetY);
        if (box < 0) {
            this.unhover();
            return;
        }
        page.flame.canvas.style.cursor = "pointer";
        page.tooltip.show(page, page.flame.layout.node[box], event.clientX, event.clientY);
        if (box !== page.flame.hovered) {
            page.flame.hovered = box;
            page.later("draw");
        }
    }

    unhover() {
        const {page} = this;
        page.tooltip.hide();
        page.flame.canvas.style.cursor = "default";
        if (page.flame.hovered >= 0) {
            page.flame.hovered = -1;
            page.later("draw");
        }
    }

    click(event) {
        const {page} = this;
        const box = page.flame.boxAt(event.offsetX, event.offsetY);
        if (box < 0)
            return;
        const node = page.flame.layout.node[box];
        page.tooltip.hide();
        page.select(node);
        page.zoom(node);
        page.announce();
        page.later("draw");
    }

    graphKey(event) {
        const {page} = this;
        if (event.ctrlKey || event.metaKey || event.altKey)
            return;
        const up = page.flame.flame ? "in" : "out";
        const down = page.flame.flame ? "out" : "in";
        const moves = {ArrowUp: up, ArrowDown: down, ArrowLeft: -1, ArrowRight: 1};
        if (event.key in moves)
            page.moveSelection(moves[event.key]);
        else if (event.key === "Enter")
            page.zoom(page.selectedNode);
        else if (event.key === "Home")
            page.zoom(0);
        else
            return;
        page.announce();
        event.preventDefault();
    }

    pageKey(event) {
        const {page} = this;
        const typing = event.target.tagName === "INPUT";
        if (event.ctrlKey || event.metaKey || event.altKey || page.element("help").open)
            return;
        if (event.key === "Escape" && typing && event.target.value) {
            event.target.value = "";
            page.search();
        } else if (typing && (event.key === "Escape" || event.key === "Enter")) {
            page.flame.canvas.focus();
        } else if (typing) {
            return;
        } else if (event.key === "Escape" || event.key === "Backspace") {
            page.zoomOut();
        } else if (!this.command(event.key)) {
            return;
        }
        event.preventDefault();
    }

    command(key) {
        const {page} = this;
        const commands = {
            "/": () => page.element("search").select(),
            "v": () => page.setSplit(SPLITS[(SPLITS.indexOf(page.split) + 1) % SPLITS.length]),
            "c": () => page.setClock(CLOCKS[(CLOCKS.indexOf(page.profile.clock) + 1) % CLOCKS.length]),
            "i": () => page.setDirection(!page.flame.flame),
            "r": () => page.setOrder(page.order === "callees" ? "callers" : "callees"),
            "n": () => page.nextMatch(1),
            "N": () => page.nextMatch(-1),
            "g": () => { page.showTab("graph"); page.flame.canvas.focus(); },
            "h": () => page.showTab("hottest"),
            "t": () => page.strip.canvas.focus(),
            "?": () => page.element("help").showModal(),
        };
        if (!commands[key])
            return false;
        commands[key]();
        return true;
    }

    // --- theme -----------------------------------------------------------------

    nextTheme() {
        const {page} = this;
        const root = document.documentElement;
        const next = {"": "light", light: "dark", dark: ""}[root.dataset.theme || ""];
        if (next)
            root.dataset.theme = next;
        else
            delete root.dataset.theme;
        const name = {"": "Auto", light: "Light", dark: "Dark"}[next];
        page.element("theme").textContent = name;
        page.element("theme").setAttribute("aria-label", "Theme: " +
            (next || "follows the system"));
        this.themeChanged();
    }

    themeChanged() {
        const {page} = this;
        page.readTheme();
        page.flame.draw();
        page.drawStrip();
    }
}
