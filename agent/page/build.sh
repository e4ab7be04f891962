#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The page's files for the agent, below $BUILD/page. Called by the Makefile:
#   build.sh modules   the npm packages that the lock file pins, once for each lock
#   build.sh bundle    out/: what is served, small, and the same compressed
#   build.sh object    page.o: the compressed files as symbols (ld -r -b binary)
set -eu
src=$(cd "$(dirname "$0")" && pwd)
BUILD=${BUILD:-build}
mkdir -p "$BUILD/page"
cd "$BUILD/page"

modules() {
	local key
	key=$(cat "$src/package-lock.json" "$src/package.json" | sha256sum)
	[ ! -e modules ] || [ "$(cat modules)" != "$key" ] || { touch modules; return; }
	cp "$src/package.json" "$src/package-lock.json" "$src/.npmrc" .
	npm ci --ignore-scripts --no-audit --no-fund --loglevel=error >npm.log 2>&1 || {
		cat npm.log >&2
		echo "npm ci failed: the page's libraries come from an npm registry" \
			"once (docs/page.md)" >&2
		exit 1
	}
	echo "$key" >modules
}

licences() {
	local name
	for name in uplot d3-geo d3-array internmap topojson-client world-atlas; do
		printf '== %s %s\n\n' "$name" "$(sed -n 's/^ *"version": "\(.*\)",*/\1/p' \
			"node_modules/$name/package.json")"
		cat "node_modules/$name/LICENSE"
		printf '\n\n'
	done
}

bundle() {
	export NODE_PATH=$PWD/node_modules
	rm -rf out
	mkdir out
	licences >out/licences.txt
	esbuild "$src/land.mjs" --bundle --platform=node --format=esm \
		--outfile=land.mjs --log-level=warning
	node land.mjs node_modules/world-atlas out
	esbuild "$src/app.js" --bundle --minify --format=esm --target=es2020 \
		--legal-comments=eof --outfile=out/app.js --log-level=warning \
		--banner:js="/*! Sealane's page; its libraries' licences: licences.txt beside it. */"
	cp "$src/index.html" "$src/icon.svg" out
	(cd out && gzip -9nk ./*)
	touch bundle
}

object() {
	# the symbols are made of these names, as agent/page.c has them
	(cd out && ld -r -b binary -z noexecstack -o ../page.o index.html.gz \
		app.js.gz app.css.gz icon.svg.gz world.json.gz near.json.gz \
		licences.txt.gz)
}

"$1"
