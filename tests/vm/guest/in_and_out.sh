#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# With a debug kernel: what leaked before is forgotten; the module comes and goes,
# and its self-tests pass each time.
. /t/net.sh

passed() { [ "$(dmesg | grep -c 'sealane: self-tests: pass')" = "$1" ]; }

mount -t debugfs debugfs /sys/kernel/debug
echo scan >/sys/kernel/debug/kmemleak
echo clear >/sys/kernel/debug/kmemleak
for time in 1 2 3; do
	check "the debug build is inserted ($time)" insmod /t/sealane-debug.ko
	check "... its self-tests pass ($time)" passed $time
	check "... and it is removed ($time)" rmmod sealane
done
