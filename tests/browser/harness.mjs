// SPDX-License-Identifier: GPL-2.0-only
// Copyright (c) 2026 The tierscope authors
//
// A browser without a network, a page from disk, and a list of tests that
// prints "ok N name" or "not ok N name".

import {chromium} from "playwright-core";
import path from "node:path";

const ARGUMENTS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
];

export class Harness {
    constructor(folder) {
        this.folder = folder;
        this.tests = [];
        this.failed = 0;
    }

    test(name, run) {
        this.tests.push({name, run});
    }

    // A fresh page; what it logs and asks for is noted, and must be nothing.
    async open(file, options = {}) {
        const context = await this.browser.newContext({
            viewport: {width: 1440, height: 900}, offline: true, ...options,
        });
        const page = await context.newPage();
        const url = "file://" + path.join(this.folder, file);
        page.noise = [];
        page.on("console", (message) => page.noise.push(message.text()));
        page.on("pageerror", (error) => page.noise.push(error.stack));
        page.on("dialog", (dialog) => {
            page.noise.push("dialog: " + dialog.message());
            dialog.dismiss();
        });
        page.on("request", (request) => {
            if (request.url() !== url)
                page.noise.push("request: " + request.url());
        });
        await page.goto(url);
        await page.waitForSelector("body[data-ready=yes]", {timeout: 60000});
        return page;
    }

    async shot(page, name) {
        await page.screenshot({path: path.join(this.folder, name + ".png")});
    }

    async runAll() {
        this.browser = await chromium.launch({
            executablePath: process.env.CHROMIUM || "/usr/bin/chromium", args: ARGUMENTS,
        });
        for (const [index, {name, run}] of this.tests.entries()) {
            let failure = null;
            try {
                await run();
            } catch (error) {
                failure = error;
            }
            console.log((failure ? "not ok " : "ok ") + (index + 1) + " " + name);
            if (failure) {
                this.failed++;
                console.log(String(failure.stack).replace(/^/gm, "#   "));
            }
            for (const context of this.browser.contexts())
                await context.close();
        }
        await this.browser.close();
        return this.failed;
    }
}

// What the page says of itself.
export async function state(page) {
    return page.evaluate(() => ({
        ...document.getElementById("flame").dataset,
        status: document.getElementById("status").textContent,
        range: document.getElementById("range").textContent,
        matched: document.getElementById("matched").textContent,
        panel: document.getElementById("panel").innerText,
        tooltip: document.getElementById("tooltip").hidden ? null
            : document.getElementById("tooltip").innerText,
    }));
}

// Two frames: whatever was put off to the next one is drawn by then.
export async function settle(page) {
    await page.evaluate(() => new Promise((done) =>
        requestAnimationFrame(() => requestAnimationFrame(done))));
}

export async function press(page, ...keys) {
    for (const key of keys)
        await page.keyboard.press(key);
    await settle(page);
}

// The colours on a canvas, as "r,g,b" -> number of pixels.
export async function colours(page, selector) {
    return page.evaluate((at) => {
        const canvas = document.querySelector(at);
        const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        const counts = {};
        for (let i = 0; i < data.length; i += 4) {
            const colour = data[i] + "," + data[i + 1] + "," + data[i + 2];
            counts[colour] = (counts[colour] || 0) + 1;
        }
        return counts;
    }, selector);
}

// The colour of a tier, as the style sheet has it, as "r,g,b".
export async function tierColour(page, tier) {
    return page.evaluate((number) => {
        const hex = getComputedStyle(document.documentElement)
            .getPropertyValue("--class-" + number).trim();
        return [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16)).join(",");
    }, tier);
}
