#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The program on the kernels that gateways run, in guests under QEMU: it loads
# and attaches, the fixtures pass, captures give what they give on this host, and
# the kernel has nothing to complain of. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
SHARED=${SHARED:-../shared}
VM_SERIES=${VM_SERIES:-6.1 6.12}
vm=$BUILD/vm
out=$BUILD/tests/vm
fixtures=$(cd "$vm/bin" 2>/dev/null && echo test_*)
limit_s=${VM_LIMIT_S:-500}
n=0 failed=0

result() { # RC SENTENCE [FILE-TO-SHOW]
	n=$((n + 1))
	if [ "$1" = 0 ]; then
		echo "ok $n - $2"
	else
		echo "not ok $n - $2"
		failed=1
		[ -n "${3:-}" ] && tail -30 "$3" | sed 's/^/# /'
	fi
}

skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }

# What every guest gets; the captures with the answers of this host.
make_tree() {
	local captures
	rm -rf "$out"
	mkdir -p "$out/tree"
	cp "$vm"/bin/* "$BUILD/sealane" "$out/tree"
	captures=$(ls "$SHARED"/data/captures/*.pcap* \
		"$SHARED"/data/recorded/*.pcap* 2>/dev/null)
	[ -n "$captures" ] || return
	# shellcheck disable=SC2086
	python3 tests/mk/one_capture.py "$out/tree/one_capture.pcapng" $captures
	"$BUILD/sealane" -j replay "$out/tree/one_capture.pcapng" \
		--samples "$out/tree/host.samples" \
		>"$out/tree/host.counts" 2>"$out/host.err"
}

# Boot one; in the background, so that its last program is the one to kill.
guest() { # SERIES
	local dir jobs="live,replay,${fixtures// /,}"
	[ -e "$out/tree/one_capture.pcapng" ] && jobs="captures,$jobs"
	dir=$(tests/vm/image.sh kernel "$1") &&
		tests/vm/image.sh initramfs "$1" "$out/tree" "$out/$1.cpio" \
			veth || exit 1
	exec tests/vm/boot.sh "$dir" "$out/$1.cpio" "$out/$1" "$limit_s" \
		"jobs=$jobs"
}

# One job's output into OUT/SERIES.JOB; its exit status.
job_of() { # SERIES JOB
	awk -v begin="== begin $2" -v end="== end $2 " '
		index($0, end) == 1 { inside = 0 }
		inside
		$0 == begin { inside = 1 }' "$out/$1.results" >"$out/$1.$2"
	return "$(awk -v job="$2" '$1 == "==" && $2 == "end" && $3 == job {
		rc = $4; found = 1 } END { print found ? rc : 99 }' \
		"$out/$1.results")"
}

job_seconds() { # SERIES JOB
	awk -v job="$2" '$1 == "==" && $2 == "end" && $3 == job { print $5 }' \
		"$out/$1.results"
}

# The figures of every program in the object, as words.
figures() { # FILE
	python3 - "$1" <<-'EOF'
	import json, sys
	rows = [json.loads(s) for s in open(sys.argv[1]) if s.startswith("{")]
	assert rows and all(0 < r["instructions"] <= r["limit"] for r in rows)
	print("; ".join("%s %s of %s instructions" % (r["program"], format(
		r["instructions"], ","), format(r["limit"], ",")) for r in rows))
	EOF
}

judge_load() { # RC SENTENCE FILE
	local words
	words=$(figures "$3" 2>/dev/null) || words="no figures"
	[ "$1" = 0 ] && [ "$words" != "no figures" ]
	result $? "$2: $words" "$3"
}

judge_fixture() { # SERIES FIXTURE
	local rc plan good
	job_of "$1" "$2"
	rc=$?
	plan=$(grep -oE '^1\.\.[0-9]+' "$out/$1.$2" | cut -d. -f3)
	good=$(grep -cE '^ok ' "$out/$1.$2")
	[ $rc = 0 ] && [ -n "$plan" ] && [ "$plan" = "$good" ]
	result $? "$1: $2: $good of ${plan:-?} pass" "$out/$1.$2"
}

judge_captures() { # SERIES
	local sentence="$1: every sample and count of replay equals this host's"
	if [ ! -e "$out/tree/one_capture.pcapng" ]; then
		skip "$sentence" "no reference data at $SHARED"
		return
	fi
	job_of "$1" captures && [ -s "$out/tree/host.samples" ]
	result $? "$sentence: $(wc -l <"$out/tree/host.samples") samples, $(
		job_seconds "$1" captures) s" "$out/$1.captures"
}

# Both marks prove that the console was listened to from before to after.
judge_console() { # SERIES
	local bad='WARNING:|BUG:|Oops|Call Trace|Kernel panic|general protection'
	grep -E -m1 -A20 "$bad" "$out/$1.console" >"$out/$1.complaint" ||
		tail -5 "$out/$1.console" >"$out/$1.complaint"
	grep -q '^== tainted 0' "$out/$1.results" &&
		grep -q 'sealane: guest ready' "$out/$1.console" &&
		grep -q 'sealane: guest done' "$out/$1.console" &&
		! grep -qE "$bad" "$out/$1.console"
	result $? "$1: the kernel warns of nothing" "$out/$1.complaint"
}

judge() { # SERIES RC
	local f
	result "$2" "$1: a guest comes to its end: $(tail -1 "$out/$1.said")" \
		"$out/$1.said"
	touch "$out/$1.results" "$out/$1.console"
	job_of "$1" live
	judge_load $? "$1: the object loads (live) and attaches to a veth" \
		"$out/$1.live"
	job_of "$1" replay
	judge_load $? "$1: the object loads (replay)" "$out/$1.replay"
	for f in $fixtures; do
		judge_fixture "$1" "$f"
	done
	judge_captures "$1"
	judge_console "$1"
}

if [ -z "$fixtures" ] || [ ! -x "$vm/bin/verifier_stats" ]; then
	echo "not ok 1 - the programs for guests are built (make vm)"
	echo "1..1"
	exit 1
fi
make_tree
guests=()
trap 'kill "${guests[@]}" 2>/dev/null; exit 1' INT TERM
for series in $VM_SERIES; do
	guest "$series" >"$out/$series.said" 2>&1 &
	guests+=($!)
done
for settings in live replay; do
	"$vm/bin/verifier_stats" $settings >"$out/host.$settings" 2>&1
	judge_load $? "$(uname -r) of this host: the object loads ($settings)" \
		"$out/host.$settings"
done
i=0
for series in $VM_SERIES; do
	wait "${guests[i]}"
	judge "$series" $?
	rm -f "$out/$series.cpio"
	i=$((i + 1))
done
echo "1..$n"
exit $failed
