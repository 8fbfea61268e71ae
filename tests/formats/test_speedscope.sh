#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
#
# Opens the files of a folder with the npm package speedscope.
# Usage: test_speedscope.sh FOLDER, where make_profile's files are.
set -euo pipefail

here=$(dirname "$(readlink -f "$0")")

skip() {
	echo "1..0 # SKIP $1"
	exit 0
}

command -v node > /dev/null || skip "no node (apt-get install nodejs)"
command -v npm > /dev/null || skip "no npm (apt-get install npm)"
if [[ ! -e $here/node_modules/speedscope/package.json ]]; then
	npm ci --prefix "$here" --no-audit --no-fund --ignore-scripts --loglevel=error > /dev/null ||
		skip "npm could not install speedscope"
fi
exec node "$here/speedscope.mjs" "$(readlink -f "$1")"
