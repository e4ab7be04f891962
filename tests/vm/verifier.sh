#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What the verifiers of this host's kernel and of the gateways' say of the
# program: a table, and build/verifier.json.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
VM_SERIES=${VM_SERIES:-6.1 6.12}
vm=$BUILD/vm
out=$vm/verifier
rm -rf "$out"
mkdir -p "$out/tree"
cp "$vm/bin/verifier_stats" "$out/tree"

for settings in live replay; do
	"$vm/bin/verifier_stats" $settings >>"$out/lines"
done
# one guest and one job at a time: the times are those of the verifier alone
for series in $VM_SERIES; do
	dir=$(tests/vm/image.sh kernel "$series")
	tests/vm/image.sh initramfs "$series" "$out/tree" "$out/$series.cpio" \
		veth
	if ! tests/vm/boot.sh "$dir" "$out/$series.cpio" "$out/$series" 300 \
		jobs=live,replay >&2; then
		tail -20 "$out/$series.console" >&2
		exit 1
	fi
	if grep '^== end' "$out/$series.results" | grep -qv ' 0 [0-9]*$'; then
		cat "$out/$series.results" >&2
		exit 1
	fi
	grep '^{' "$out/$series.results" >>"$out/lines"
done
python3 tests/vm/report.py "$out/lines" "$BUILD/verifier.json"
