#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The program and the module on the kernels that gateways run, in guests under QEMU.
# Two guests of each kernel: `plain` has two CPUs; what is measured is measured in
# `exact`, whose clock counts its instructions, so that this host's load is none of
# its figures. TAP. GUESTS="plain exact" chooses.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
SHARED=${SHARED:-../shared}
VM_SERIES=${VM_SERIES:-6.1 6.12}
GUESTS=${GUESTS:-plain exact}
vm=$BUILD/vm
out=$BUILD/tests/vm
fixtures=$("$vm/bin/all_fixtures" names 2>/dev/null)
limit_s=${VM_LIMIT_S:-500}
modules="veth virtio_net virtio_pci sch_netem sch_tbf sch_ingress cls_bpf"
# shellcheck source=tests/vm/results.sh
. tests/vm/results.sh

# What every guest gets; the captures with the answers of this host.
make_tree() {
	local captures
	rm -rf "$out"
	mkdir -p "$out/tree"
	cp "$vm"/bin/* "$BUILD/sealane" "$BUILD/sealaned" tests/vm/guest/* \
		"$out/tree"
	captures=$(ls "$SHARED"/data/captures/*.pcap* \
		"$SHARED"/data/recorded/*.pcap* 2>/dev/null)
	[ -n "$captures" ] || return
	# shellcheck disable=SC2086
	python3 tests/mk/one_capture.py "$out/tree/one_capture.pcapng" $captures
	"$BUILD/sealane" -j replay "$out/tree/one_capture.pcapng" \
		-c tests/vm/guest/world.yaml \
		--rules tests/vm/guest/world-rules.yaml \
		--samples "$out/tree/host.samples" \
		>"$out/tree/host.counts" 2>"$out/host.err"
}

# The kernel's own module beside all that.
make_initramfs() { # SERIES
	local release
	release=$(cat "$(tests/vm/image.sh kernel "$1")/release")
	cp -al "$out/tree" "$out/tree-$1"
	# shellcheck disable=SC2086
	cp "$BUILD/kmod/$release/sealane.ko" "$out/tree-$1" &&
		cp "$BUILD/kmod-debug/$release/sealane.ko" \
			"$out/tree-$1/sealane-debug.ko" &&
		tests/vm/image.sh initramfs "$1" "$out/tree-$1" "$out/$1.cpio" \
			$modules
}

jobs_of() { # GUEST
	local with= jobs
	[ -e "$out/tree/one_capture.pcapng" ] && with=captures
	case $1 in
	plain) jobs="$with live replay all_fixtures test_live module images
		${with:+captures_with_module captures_twice} segments" ;;
	exact) jobs="paths module residence reload lookup" ;;
	esac
	# shellcheck disable=SC2086
	echo $jobs | tr ' ' ,
}

# In the background, so that its last program is the one to kill.
guest() { # SERIES GUEST
	local dir
	dir=$(tests/vm/image.sh kernel "$1") || exit 1
	[ "$2" = plain ] || export VM_ICOUNT=1
	exec tests/vm/boot.sh "$dir" "$out/$1.cpio" "$out/$1-$2" "$limit_s" \
		"jobs=$(jobs_of "$2")"
}

# One after the other: two guests at a time, one of each series.
guests() { # SERIES
	local pid=
	trap 'kill $pid 2>/dev/null; exit 1' INT TERM
	make_initramfs "$1" >"$out/$1.said" 2>&1 || exit 1
	for name in $GUESTS; do
		guest "$1" "$name" >"$out/$1-$name.said" 2>&1 &
		pid=$!
		wait $pid
		echo $? >"$out/$1-$name.rc"
	done
}

# The figures of every program in the object, as words.
figures() { # FILE
	python3 - "$1" <<-'END'
	import json, sys
	rows = [json.loads(s) for s in open(sys.argv[1]) if s.startswith("{")]
	assert rows and all(0 < r["instructions"] <= r["limit"] for r in rows)
	print("; ".join("%s %s of %s instructions" % (r["program"], format(
		r["instructions"], ","), format(r["limit"], ",")) for r in rows))
	END
}

judge_load() { # RC SENTENCE FILE
	local words
	words=$(figures "$3" 2>/dev/null) || words="no figures"
	[ "$1" = 0 ] && [ "$words" != "no figures" ]
	result $? "$2: $words" "$3"
}

judge_fixture() { # NAME FIXTURE
	local rc plan good
	job_of "$1" "$2"
	rc=$?
	plan=$(grep -oE '^1\.\.[0-9]+' "$out/$1.$2" | cut -d. -f3)
	good=$(grep -cE '^ok ' "$out/$1.$2")
	[ $rc = 0 ] && [ -n "$plan" ] && [ "$plan" = "$good" ]
	result $? "$1: $2: $good of ${plan:-?} pass" "$out/$1.$2"
}

judge_captures() { # NAME JOB SENTENCE
	if [ ! -e "$out/tree/one_capture.pcapng" ]; then
		skip "$1: $3" "no reference data at $SHARED"
		return
	fi
	job_of "$1" "$2" && [ -s "$out/tree/host.samples" ]
	result $? "$1: $3: $(wc -l <"$out/tree/host.samples") samples, $(
		job_seconds "$1" "$2") s" "$out/$1.$2"
}

judge_plain() { # NAME
	local f
	job_of "$1" live
	judge_load $? "$1: the object loads (live) and attaches to a veth" \
		"$out/$1.live"
	job_of "$1" replay
	judge_load $? "$1: the object loads (replay)" "$out/$1.replay"
	for f in $fixtures test_live; do
		judge_fixture "$1" "$f"
	done
	judge_captures "$1" captures \
		"every sample and count of replay equals this host's"
	judge_lines "$1" module
	judge_lines "$1" images
	judge_captures "$1" captures_with_module \
		"... by the module's lookup too, byte for byte"
	[ ! -e "$out/tree/one_capture.pcapng" ] ||
		judge_lines "$1" captures_twice
	judge_lines "$1" segments
}

judge_exact() { # NAME
	judge_figures "$1" paths
	judge_lines "$1" module
	judge_figures "$1" residence
	judge_lines "$1" reload
	judge_figures "$1" reload
	judge_figures "$1" lookup
}

judge() { # SERIES GUEST
	local name=$1-$2
	touch "$out/$name".{results,console,said}
	result "$(cat "$out/$name.rc" 2>/dev/null || echo 1)" \
		"$name: a guest comes to its end: $(tail -1 "$out/$name.said")" \
		"$out/$name.said"
	"judge_$2" "$name"
	judge_console "$name"
}

if [ -z "$fixtures" ] || [ ! -x "$vm/bin/verifier_stats" ]; then
	echo "not ok 1 - the programs for guests are built (make vm)"
	echo "1..1"
	exit 1
fi
make_tree
pids=()
trap 'kill "${pids[@]}" 2>/dev/null; exit 1' INT TERM
for series in $VM_SERIES; do
	guests "$series" &
	pids+=($!)
done
for settings in live replay; do
	"$vm/bin/verifier_stats" $settings >"$out/host.$settings" 2>&1
	judge_load $? "$(uname -r) of this host: the object loads ($settings)" \
		"$out/host.$settings"
done
i=0
for series in $VM_SERIES; do
	wait "${pids[i]}"
	for name in $GUESTS; do
		judge "$series" "$name"
	done
	rm -rf "$out/$series.cpio" "$out/tree-$series"
	i=$((i + 1))
done
echo "1..$n"
exit $failed
