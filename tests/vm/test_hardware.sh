#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A gateway whose NIC stamps what it sends: QEMU's igb (of bookworm-backports,
# unpacked and not installed) and Debian's kernel with the driver for it. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
series=${VM_HARDWARE:-6.12-amd64}
out=$BUILD/tests/vm-hardware
name=$series
limit_s=${VM_LIMIT_S:-300}
# shellcheck source=tests/vm/results.sh
. tests/vm/results.sh

make_initramfs() {
	local release
	release=$(cat "$(tests/vm/image.sh kernel "$series")/release")
	rm -rf "$out"
	mkdir -p "$out/tree"
	cp "$BUILD"/vm/bin/{talk,observe,hw_stamps} "$BUILD"/sealane{,d} \
		tests/vm/guest/* "$BUILD/kmod/$release/sealane.ko" \
		"$out/tree" &&
		tests/vm/image.sh initramfs "$series" "$out/tree" \
			"$out/cpio" veth igb sch_netem sch_ingress cls_bpf
}

if ! make_initramfs; then
	echo "not ok 1 - the programs for guests are built (make vm)"
	echo "1..1"
	exit 1
fi
VM_QEMU_DIR=$(tests/vm/image.sh qemu) || exit 1
export VM_QEMU_DIR VM_NIC=igb VM_ICOUNT=1
tests/vm/boot.sh "$(tests/vm/image.sh kernel "$series")" "$out/cpio" \
	"$out/$name" "$limit_s" jobs=hardware >"$out/said" 2>&1
result $? "$name: a guest with an igb comes to its end: $(tail -1 "$out/said")" \
	"$out/said"
touch "$out/$name".{results,console}
judge_lines "$name" hardware
judge_figures "$name" hardware
judge_console "$name"
rm -rf "$out/cpio" "$out/tree"
echo "1..$n"
exit $failed
