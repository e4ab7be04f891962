#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Boot one guest and wait for its end:
#   boot.sh KERNEL-DIR INITRAMFS OUT SECONDS [NAME=VALUE...]
# NAME=VALUE are variables of guest.sh. OUT.results is what guest.sh printed,
# OUT.console what the kernel said. One line tells how it went; exit 0 when the
# guest came to its end in time. A guest that hangs at boot gets a second try.
set -u
kernel=$1 initramfs=$2 out=$3 limit_s=$4
shift 4
boot_limit_s=${VM_BOOT_S:-120}	# without hardware help, on a busy host
# Two NICs, joined: what one sends the other gets. igb is PCI Express's. Or none.
nic=${VM_NIC:-virtio-net-pci}
nics=(-netdev hubport,id=n0,hubid=0 -netdev hubport,id=n1,hubid=0)
if [ "$nic" = igb ]; then
	nics+=(-machine q35)
	for i in 0 1; do
		nics+=(-device "pcie-root-port,id=port$i,chassis=$i"
			-device "igb,netdev=n$i,bus=port$i,romfile=")
	done
elif [ "$nic" = none ]; then
	nics=()
else
	nics+=(-device "$nic,netdev=n0,romfile="
		-device "$nic,netdev=n1,romfile=")
fi
clock=(-smp 2)
# the guest's clock counts its instructions, whatever the host has to do, and what
# it waits for comes at once
[ -z "${VM_ICOUNT:-}" ] || clock=(-smp 1 -icount shift=0,sleep=off)
program=qemu-system-x86_64
# one that is unpacked somewhere (image.sh qemu)
if [ -n "${VM_QEMU_DIR:-}" ]; then
	program=$VM_QEMU_DIR/usr/bin/$program
	export QEMU_MODULE_DIR=$VM_QEMU_DIR/usr/lib/x86_64-linux-gnu/qemu
	nics+=(-L "$VM_QEMU_DIR/usr/share/qemu"
		-L "$VM_QEMU_DIR/usr/share/seabios")
fi
qemu=

stop() { [ -z "$qemu" ] || { kill -9 "$qemu"; wait "$qemu"; } 2>/dev/null; }
trap 'stop; exit 1' INT TERM

# -cx16: kernel 6.12 dies of TCG's cmpxchg16b. One thread for both CPUs: with two,
# 6.12 dies of an int3 when the kernel patches its code on one CPU (a program is
# attached) and the other runs it (a test run). Watchdogs: what they would see is
# this host's load. Warnings and worse go to the console.
start() { # NAME=VALUE...
	rm -f "$out.results" "$out.console"
	touch "$out.results"
	# with us goes the guest, however we end
	setpriv --pdeathsig KILL -- "$program" -accel tcg,thread=single,tb-size=512 \
		-cpu max,-cx16 "${clock[@]}" -m "${VM_MEMORY_MB:-1024}" \
		-nodefaults -display none -no-reboot "${nics[@]}" \
		-serial "file:$out.console" -serial "file:$out.results" \
		-kernel "$kernel/vmlinuz" -initrd "$initramfs" -append \
		"console=ttyS0 loglevel=5 panic=-1 oops=panic nowatchdog
		rcupdate.rcu_cpu_stall_suppress=1 $*" </dev/null \
		2> >(grep -v 'hub 0 is not connected' >&2) &
	qemu=$!
	started=$SECONDS
}

# Until its results say so, it ends, or the time is up.
wait_for() { # LINE SECONDS
	until grep -qx "$1" "$out.results"; do
		kill -0 "$qemu" 2>/dev/null || return 1
		[ $((SECONDS - started)) -lt "$2" ] || return 1
		sleep 0.2
	done
}

said=
for try in first second; do
	start "$@"
	wait_for "== ready" "$boot_limit_s" && break
	stop
	qemu=
	if [ $try = second ]; then
		echo "hung at boot twice, $boot_limit_s s each"
		exit 1
	fi
	said=" at the second try"
done
booted=$((SECONDS - started))
wait_for "== done" "$limit_s"
rc=$?
if [ $rc = 0 ]; then
	echo "booted in $booted s$said, done in $((SECONDS - started)) s"
elif kill -0 "$qemu" 2>/dev/null; then
	echo "booted in $booted s$said, not done after $limit_s s"
else
	echo "booted in $booted s$said, ended early"
fi
# it powers off by itself; what does not is stopped
for _ in 1 2 3 4 5 6 7 8 9 10; do
	[ $rc = 0 ] && kill -0 "$qemu" 2>/dev/null && sleep 0.5
done
stop
exit $rc
