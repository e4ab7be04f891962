#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Real captures with independent ground truth, judged by the reference tool.
# They are not part of this tree: SHARED says where they are.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 1
BUILD=${BUILD:-build}
SHARED=${SHARED:-../shared}
judge=$SHARED/tools/judge.py
n=0 failed=0

result() { # RC SENTENCE FILE
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
	fi
	sed 's/^/# /' "$3"
}

out=$(mktemp)
trap 'rm -f "$out" "$out".*' EXIT
# What a set must cover of each method that it has.
least() {
	case $1 in
	captures) echo tcp-hs=99,tcp-ts=95,tcp-seq=95,icmp=95,dns=95,stun=95 ;;
	*) echo tcp-hs=95,tcp-ts=95,icmp=95 ;;
	esac
}
for set in captures recorded; do
	dir=$SHARED/data/$set
	if [ ! -e "$judge" ] || [ ! -d "$dir" ]; then
		n=$((n + 1))
		echo "ok $n - $set # SKIP no reference data at $SHARED"
		continue
	fi
	python3 "$judge" --dir "$dir" "$dir/truth" \
		--sealane "$BUILD/sealane" \
		--min-coverage "$(least $set)" >"$out" 2>&1
	result $? "$set: every sample is in the truth, $(least $set) % are covered" "$out"
done

# The same file gives the same bytes.
one=$(find "$SHARED/data/recorded" -name 'tcp_ts*.pcap' 2>/dev/null | head -1)
n=$((n + 1))
if [ -z "$one" ]; then
	echo "ok $n - replay is deterministic # SKIP no reference data at $SHARED"
else
	"$BUILD/sealane" replay "$one" --samples "$out.1" >"$out.a"
	"$BUILD/sealane" replay "$one" --samples "$out.2" >"$out.b"
	if [ -s "$out.1" ] && cmp -s "$out.1" "$out.2" &&
		cmp -s "$out.a" "$out.b"; then
		echo "ok $n - replay is deterministic"
	else
		echo "not ok $n - replay is deterministic"
		failed=1
	fi
fi
echo "1..$n"
exit $failed
