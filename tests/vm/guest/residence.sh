#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# After paths: the gateway's own queues. First a constant 3 ms on both ways out; then
# a shaper on one, filled by more than it lets through, whose standing queue and
# drops follow from rate and limit.
. /t/net.sh

uses_module 20 || { echo "the agent does not use the module"; exit 1; }
stats_doc
for name in hk0 sg0; do
	in_ns gw tc qdisc replace dev $name root netem delay 3ms limit 10000
done
measure delay 5
stats_doc
in_ns gw tc qdisc del dev sg0 root
in_ns gw tc qdisc replace dev hk0 root tbf rate 4mbit burst 3000 limit 15000
measure shaped 5 in_ns home talk flood $hk4 9 5 360 1400
in_ns gw tc -s -j qdisc show dev hk0
# until what has not come is given up (SLK_PENDING_MS)
sleep 18
stats_doc
in_ns gw tc qdisc del dev hk0 root
