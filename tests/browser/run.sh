#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
#
# Opens the pages of a folder in a real browser and tests them.
# Usage: run.sh FOLDER, where make_page's pages are; screenshots go there too.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")
chromium=${CHROMIUM:-/usr/bin/chromium}

skip() {
	echo "SKIP browser: $1"
	exit 0
}

[[ -x $chromium ]] || skip "no Chromium at $chromium (apt-get install chromium)"
command -v node > /dev/null || skip "no node (apt-get install nodejs)"
command -v npm > /dev/null || skip "no npm (apt-get install npm)"
if [[ ! -e $here/node_modules/playwright-core/package.json ]]; then
	npm ci --prefix "$here" --no-audit --no-fund --loglevel=error > /dev/null ||
		skip "npm could not install playwright-core"
fi
CHROMIUM=$chromium exec node "$here/test.mjs" "$(readlink -f "$1")"
