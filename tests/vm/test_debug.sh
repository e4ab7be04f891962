#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module on a kernel that finds faults (KASAN, lockdep, kmemleak, UBSAN and
# more): it has nothing to say of the module at work, and finds each fault of one
# that has some. `make vm-check-debug`, not part of `make check`. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
vm=$BUILD/vm
out=$BUILD/tests/vm-debug
limit_s=${VM_LIMIT_S:-1200}
# The guest's clock counts its instructions: by the host's, timers of a kernel that
# slow fail. No NICs: of their interrupts ACPI has much to say, which takes minutes.
export VM_BOOT_S=${VM_BOOT_S:-300} VM_ICOUNT=1 VM_NIC=none
# Those of test_vm.sh that have to do with the module, between ours. Figures are
# not judged: such a kernel is slow.
jobs=${VM_DEBUG_JOBS:-in_and_out paths module residence reload images leaks}
# shellcheck source=tests/vm/results.sh
. tests/vm/results.sh

bail() { echo "Bail out! $*"; exit 1; }

# The module thrice: as it is, with self-tests, and with faults. (UBSAN is for it
# alone: a kernel with it all through is far slower, and not what we look at.)
build_modules() { # KDIR
	local ubsan=UBSAN_SANITIZE=y
	SL_WERROR=y kmod/mk/build.sh "$1" "$vm/debug/kmod" $ubsan &&
		SL_WERROR=y kmod/mk/build.sh "$1" "$vm/debug/kmod-debug" \
			$ubsan SL_DEBUG=y &&
		kmod/mk/build.sh "$1" "$vm/debug/planted" $ubsan SEALANE_PLANT=y
}

make_tree() {
	rm -rf "$out"
	mkdir -p "$out/tree"
	cp "$vm"/bin/* "$BUILD/sealane" "$BUILD/sealaned" tests/vm/guest/*.sh \
		"$out/tree" &&
		cp "$vm/debug/kmod/sealane.ko" "$out/tree" &&
		cp "$vm/debug/kmod-debug/sealane.ko" "$out/tree/sealane-debug.ko" &&
		cp "$vm/debug/planted/sealane.ko" "$out/tree/planted.ko"
}

# In the background, so that its last program is the one to kill.
guest() { # NAME JOBS
	exec tests/vm/boot.sh "$vm/debug" "$out/initramfs" "$out/$1" "$limit_s" \
		"jobs=$2" agent_s=600 kasan_multi_shot >"$out/$1.said" 2>&1
}

# From one mark to the other: before it the kernel is busy with itself. Bits 12 and
# 13 say that the module is none of the kernel's own and not signed.
judge_silence() { # NAME
	local tainted bad='KASAN|UBSAN|WARNING|BUG|INFO: |ODEBUG|Oops|Call Trace'
	bad+='|possible .* dep|suspicious RCU|leaked reference|Kernel panic'
	tainted=$(sed -n 's/^== tainted //p' "$out/$1.results")
	sed -n '/sealane: guest ready/,$p' "$out/$1.console" >"$out/$1.log"
	grep -E -m1 -A40 "$bad" "$out/$1.log" >"$out/$1.complaint" ||
		tail -5 "$out/$1.log" >"$out/$1.complaint"
	grep -q 'sealane: guest done' "$out/$1.log" &&
		[ $((${tainted:-1} & ~0x3000)) = 0 ] &&
		! grep -qE "$bad" "$out/$1.log"
	result $? "$1: the debug kernel complains of nothing" "$out/$1.complaint"
}

judge_jobs() { # NAME
	local job
	for job in $jobs; do
		job_of "$1" "$job"
		result $? "$1: $job comes to its end, $(job_seconds "$1" "$job") s" \
			"$out/$1.$job"
		relay "$1: $job" "$out/$1.$job"
	done
}

# What the console says between this fault's mark and the next.
found() { # FAULT PATTERN WATCHMAN
	tr -d '\r' <"$out/faults.console" |
		sed "0,/sealane: planting $1\$/d; /sealane: planting /,\$d" \
			>"$out/faults.$1"
	grep -qE "$2" "$out/faults.$1"
	result $? "a planted $1 is found: $3" "$out/faults.$1"
}

judge_faults() {
	found oob 'KASAN: slab-out-of-bounds in plant_oob' KASAN
	found uaf 'KASAN: (slab-)?use-after-free in plant_uaf' KASAN
	grep -q 'unreferenced object' "$out/faults.results" &&
		grep -q 'plant_leak' "$out/faults.results"
	result $? "a planted leak is found: kmemleak" "$out/faults.results"
	found lock 'possible circular locking' lockdep
	found sleep 'sleeping function called from invalid' \
		"sleep in a spin lock"
	found shift 'UBSAN: shift-out-of-bounds' UBSAN
}

kdir=$(tests/vm/debug_kernel.sh) || bail "there is no debug kernel"
build_modules "$kdir" >&2 || bail "the module is not built for it"
make_tree && tests/vm/image.sh initramfs debug "$out/tree" "$out/initramfs" ||
	bail "there is no initramfs"
guests=()
trap 'kill "${guests[@]}" 2>/dev/null; exit 1' INT TERM
guest faults faults &
guests+=($!)
guest sound "$(echo "$jobs" | tr ' ' ,)" &
guests+=($!)
wait "${guests[0]}"
result $? "a guest with $(cat "$vm/debug/release") and faults: $(
	tail -1 "$out/faults.said")" "$out/faults.console"
judge_faults
wait "${guests[1]}"
result $? "a guest with the module as it is: $(tail -1 "$out/sound.said")" \
	"$out/sound.console"
judge_jobs sound
judge_silence sound
rm -f "$out/initramfs"
echo "1..$n"
exit $failed
