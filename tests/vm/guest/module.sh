#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# The module goes in: its debug build first, which tries itself. It stays.
. /t/net.sh

said() { dmesg | grep -q "sealane: $1"; }

check "the debug build is inserted" insmod /t/sealane-debug.ko
check "... and its self-tests pass" said "self-tests: pass"
check "an idle module is removed at once" rmmod sealane
check "the module is inserted" insmod /t/sealane.ko pending_ms=2000
check "it has type data and a device" test -e /sys/kernel/btf/sealane -a \
	-c /dev/sealane
check "its counters are in debugfs" test "$(stat_of asked)" = 0
