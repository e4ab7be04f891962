#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# What nobody points to any more, agent and module being gone. kmemleak speaks only
# of what is older than 5 s.
. /t/net.sh

file=/sys/kernel/debug/kmemleak
removed() { rmmod sealane; }
nothing() { cat $file; [ -z "$(head -c 1 $file)" ]; }

# (its programs stay behind the links, and would hold the module)
[ ! -e $dir/pid ] || {
	check "sealane module off lets it go" sealane module off
	check "the agent ends" agent_down
}
[ ! -d /sys/module/sealane ] ||
	check "the module is removed" wait_until 10 removed
sleep 6
echo scan >$file
echo scan >$file
check "nothing leaked" nothing
