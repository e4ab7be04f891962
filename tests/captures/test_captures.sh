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
	captures) echo tcp-hs=99.5,tcp-ts=99,tcp-seq=98,icmp=99.5,dns=99,stun=99.5 ;;
	*) echo tcp-hs=99.5,tcp-ts=95,tcp-seq=99,icmp=99.5,srt=99.5 ;;
	esac
}

judged() { # SET ARGUMENTS...
	local dir=$SHARED/data/$1
	shift
	python3 "$judge" --dir "$dir" "$dir/truth" --sealane "$BUILD/sealane" "$@"
}

if [ ! -e "$judge" ] || [ ! -d "$SHARED/data/captures" ]; then
	n=$((n + 1))
	echo "ok $n - captures # SKIP no reference data at $SHARED"
else
	# All of them at once, for what must be covered; beside it kind by kind,
	# so that a failure has a name. The two share the machine's cores.
	judged captures --min-coverage "$(least captures)" >"$out.all" 2>&1 &
	all=$!
	for kind in $(find "$SHARED/data/captures" -maxdepth 1 -type f |
		sed -n 's|.*/\([a-z0-9_]*[a-z0-9]\)__.*|\1|p' | sed 's/__.*//' |
		sort -u); do
		judged captures --only "${kind}__" >"$out" 2>&1
		rc=$?
		# two round trips of a malformed tunnel are in the truth, and we
		# count them as malformed
		[ "$kind" != malformed ] || ! grep -q ' 0 failed, .* 0 not; ' \
			"$out" || rc=0
		result $rc "captures, $kind: every sample is in the truth" "$out"
	done
	wait $all
	result $? "captures: all of them, and $(least captures) % are covered" \
		"$out.all"
	judged recorded --min-coverage "$(least recorded)" >"$out" 2>&1
	result $? "recorded: every sample is in the truth, $(least recorded) % are covered" \
		"$out"
fi

# In these Firefox captures one end throws dice and the other one holds still.
# (In the second the handshake is not measured, for its Retries, so that its spin
# bit is not even looked at.)
for one in firefox-102 quic-retry-multiple; do
	n=$((n + 1))
	case $one in firefox*) seen='"greased":1' ;; *) seen='"voided":2' ;; esac
	file=$(find "$SHARED/data/captures" -maxdepth 1 -name "quic_spin_v1__*$one*" \
		2>/dev/null)
	if [ -z "$file" ]; then
		echo "ok $n - $one gives no spin sample # SKIP no reference data at $SHARED"
		continue
	fi
	"$BUILD/sealane" replay -j "$file" >"$out" 2>&1
	if grep -q "$seen" "$out" && ! grep -q quic-spin "$out"; then
		echo "ok $n - $one gives no spin sample"
	else
		echo "not ok $n - $one gives no spin sample"
		sed 's/^/# /' "$out"
		failed=1
	fi
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
