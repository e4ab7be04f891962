#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# Inside a guest: its first process. The kernel's command line says in $jobs what
# is to be done, separated by commas. The second serial port gets `== ready`; what
# each job printed, between `== begin NAME` and `== end NAME EXIT SECONDS`;
# `== tainted N`; `== done`.
#   live, replay   verifier_stats with these settings; live attaches as well
#   captures...    one_capture.pcapng through sealane replay; samples and counts
#                  are compared with those of the host
#   anything else  a program of /t, or a script NAME.sh there
# shellcheck shell=dash
export PATH=/t:/bin:/busybox

seconds() { cut -d. -f1 /proc/uptime; }

# Equal, or the first difference.
same() { # OURS THE-HOST'S
	cmp "$1" "$2" && return
	diff "$2" "$1" | head -3
	return 1
}

captures() { # [--module]
	sealane -j replay /t/one_capture.pcapng -c /t/world.yaml \
		--rules /t/world-rules.yaml --samples /tmp/samples "$@" \
		>/tmp/counts || return 1
	same /tmp/samples /t/host.samples && same /tmp/counts /t/host.counts
}

job() { # NAME
	local from rc
	from=$(seconds)
	echo "== begin $1"
	case $1 in
	live) verifier_stats live vm0 ;;
	replay) verifier_stats replay ;;
	captures) captures ;;
	captures_with_module) captures --module ;;
	*) if [ -e "/t/$1.sh" ]; then sh "/t/$1.sh"; else "/t/$1"; fi ;;
	esac
	rc=$?
	echo "== end $1 $rc $(($(seconds) - from))"
}

set_up() {
	/bin/busybox --install -s /busybox
	mount -t proc proc /proc
	mount -t sysfs sysfs /sys
	mount -t devtmpfs devtmpfs /dev
	mount -t bpf bpf /sys/fs/bpf
	stty -F /dev/ttyS1 raw
	for m in /modules/*.ko; do
		[ -e "$m" ] && insmod "$m"
	done
	[ ! -d /sys/module/veth ] || ip link add vm0 type veth peer name vm1
}

set_up
exec </dev/null >/dev/ttyS1 2>&1
# the console shows what is a warning or worse, and so this
echo "<4>sealane: guest ready" >/dev/kmsg
echo "== ready"
for name in $(echo "${jobs:-}" | tr , ' '); do
	job "$name"
done
echo "== tainted $(cat /proc/sys/kernel/tainted)"
echo "<4>sealane: guest done" >/dev/kmsg
echo "== done"
poweroff -f
