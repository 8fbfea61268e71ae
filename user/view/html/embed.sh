#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copyright (c) 2026 The tierscope authors
#
# Makes the flame graph page out of its parts, and a C header out of the page:
# what stands before the profile's data and what behind it, as two arrays.
# The page's policy allows exactly this style and this script, by their hash.
# Usage: embed.sh PAGE STYLE SCRIPT... > view_assets.h
set -euo pipefail

page=$(< "$1")
style=$(< "$2")
script=$(echo; echo '(() => {'; echo '"use strict";'; cat "${@:3}"; echo '})();')

if grep -qiE '</script|<!--|</style' <<< "$script$style"; then
	echo "embed.sh: style or script holds what would end its element" >&2
	exit 1
fi

hash_of() {
	local hex
	hex=$(printf %s "$1" | sha256sum | cut -c 1-64)
	# shellcheck disable=SC2059 # the bytes are made by the format
	printf "$(sed 's/../\\x&/g' <<< "$hex")" | base64 -w 0
}

page=${page/@STYLE_HASH@/"sha256-$(hash_of "$style")"}
page=${page/@SCRIPT_HASH@/"sha256-$(hash_of "$script")"}
page=${page/@STYLE@/"$style"}
page=${page/@SCRIPT@/"$script"}

array() {
	echo "static const unsigned char $1[] = {"
	printf %s "$2" | od -An -v -tu1 | sed -E 's/ +([0-9]+)/\1,/g'
	echo "};"
}

echo "/* Made by user/view/html/embed.sh. */"
array view_page_before "${page%%@PROFILE@*}"
array view_page_behind "${page#*@PROFILE@}
"
