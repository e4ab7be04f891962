#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module's build: the same bytes wherever it is built and whichever program
# resolves the kfuncs, and no module at all when its BTF or kfuncs are not there.
# Needs those of `make kmod-guests`. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
out=$BUILD/tests/kmod/build
export SL_VERSION SL_WERROR=y
SL_VERSION=$(cat "$BUILD/version")
# shellcheck source=tests/vm/results.sh
. tests/vm/results.sh

# A kernel directory as a gateway with Debian's headers of 6.1 has it.
without_vmlinux() { # KDIR DIRECTORY
	local f
	mkdir -p "$2"
	for f in "$1"/* "$1"/.[!.]*; do
		[ "$(basename "$f")" = vmlinux ] || ln -s "$f" "$2"
	done
}

refused() { # LOG WORDS COMMAND...
	local log=$1 words=$2
	shift 2
	"$@" >"$log" 2>&1 && return 1
	grep -q "$words" "$log"
}

rm -rf "$out"
mkdir -p "$out"
kdir61=$(tests/vm/image.sh headers 6.1) || exit 1
kdir612=$(tests/vm/image.sh headers 6.12) || exit 1
image61=$BUILD/vm/6.1/vmlinuz
made61=$BUILD/kmod/$(cat "$BUILD/vm/6.1/release")/sealane.ko
made612=$BUILD/kmod/$(cat "$BUILD/vm/6.12/release")/sealane.ko
without_vmlinux "$kdir61" "$out/kdir"

VMLINUZ=$image61 kmod/mk/build.sh "$out/kdir" "$out/6.1" >"$out/6.1.said" 2>&1 &&
	cmp "$out/6.1/sealane.ko" "$made61" >>"$out/6.1.said" 2>&1
result $? "6.1: built elsewhere, from headers and the kernel's image: the same bytes" \
	"$out/6.1.said"

SL_RESOLVE_OURSELVES=1 kmod/mk/build.sh "$kdir612" "$out/6.12" \
	>"$out/6.12.said" 2>&1 &&
	cmp "$out/6.12/sealane.ko" "$made612" >>"$out/6.12.said" 2>&1
result $? "6.12: our resolver of kfuncs writes what the kernel's own does" \
	"$out/6.12.said"

VMLINUZ=$out/absent refused "$out/none.said" "no BTF of" \
	kmod/mk/build.sh "$out/kdir" "$out/none" && [ ! -e "$out/none/sealane.ko" ]
result $? "without the kernel's BTF there is no module" "$out/none.said"

head -c 100000 "$image61" >"$out/cut"
VMLINUZ=$out/cut refused "$out/cut.said" "kernel_btf.sh: $out/cut" \
	kmod/mk/build.sh "$out/kdir" "$out/none" && [ ! -e "$out/none/sealane.ko" ]
result $? "a kernel's image that is cut off is refused" "$out/cut.said"

resolve=$out/6.1/resolve_kfuncs
objcopy --remove-section .BTF "$made61" "$out/no_btf.ko"
refused "$out/no_btf.said" "has no .BTF" \
	"$resolve" --check "$kdir61/vmlinux" "$out/no_btf.ko"
result $? "a module without BTF is refused" "$out/no_btf.said"

objcopy --dump-section ".BTF_ids=$out/ids" "$made61" /dev/null
head -c "$(stat -c %s "$out/ids")" /dev/zero >"$out/zeros"
objcopy --update-section ".BTF_ids=$out/zeros" "$made61" "$out/unresolved.ko"
refused "$out/unresolved.said" "is not resolved" \
	"$resolve" --check "$kdir61/vmlinux" "$out/unresolved.ko"
result $? "a module with unresolved kfuncs is refused" "$out/unresolved.said"

"$resolve" "$kdir61/vmlinux" "$out/unresolved.ko" >"$out/again.said" 2>&1 &&
	cmp "$out/unresolved.ko" "$made61" >>"$out/again.said" 2>&1
result $? "and resolved again is what it was" "$out/again.said"

find kmod include ! -name '*.[ch]' ! -name '*.sh' ! -name '*.md' -type f >"$out/left"
[ ! -s "$out/left" ]
result $? "nothing was written beside the sources" "$out/left"
echo "1..$n"
exit $failed
