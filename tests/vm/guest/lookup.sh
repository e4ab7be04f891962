#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# The module has one opener: an agent that runs must end first.
. /t/net.sh
[ ! -e $dir/pid ] || agent_down
[ -e /dev/sealane ] || [ ! -e /t/sealane.ko ] || insmod /t/sealane.ko pending_ms=2000
exec time_lookup /t/lookup.bpf.o
