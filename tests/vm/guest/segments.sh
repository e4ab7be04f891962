#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Packets of many segments, which a shaper cuts up: each has one stamp, that of its
# last segment, and none is lost. XDP is generic at home's side for that: a veth whose
# peer runs it natively sends segments only.
. /t/net.sh

net_up && agent_up || { echo "not ok - network and agent"; exit 1; }
uses_module 20 || { echo "not ok - the agent uses the module"; exit 1; }
in_ns gw sealane detach in0
in_ns gw sealane attach in0 --side inside --generic
in_ns home ethtool -K h0 tso on
in_ns gw tc qdisc replace dev hk0 root tbf rate 200mbit burst 5000 limit 2000000
cables 5 5

# What the queue says it sent counts segments, what traffic control saw packets.
segments() {
	in_ns gw tc -s qdisc show dev hk0 | awk '
		$1 == "qdisc" { now = $2 }
		$1 == "Sent" && now == "tbf" { print $4 }'
}
packets() { sealane -j status | sed 's/.*"seen":\([0-9]*\).*/\1/'; }
settled() { echo $(($(stat_of software) + $(stat_of hardware))); }
# A fresh agent chooses one of 64 until it knows how few come.
all_chosen() { sealane -j status | grep -q '"every":1,'; }
all_settled() { [ "$(stats | awk '$1 == "pending" { print $2 }')" = 0 ]; }

wait_until 20 all_chosen
segments=$(segments) packets=$(packets)
asked=$(stat_of asked) got=$(settled) lost=$(stat_of lost)
check "1.5 MB went there and back" in_ns home talk pour $hk4 7 1500000
wait_until 10 all_settled
cut=$(($(segments) - segments - ($(packets) - packets)))
asked=$(($(stat_of asked) - asked)) got=$(($(settled) - got))
check "packets were cut into segments ($cut more)" test $cut -gt 200
check "packets were asked about ($asked)" test $asked -gt 100
check "... and each of them settled ($got)" test $got = $asked
check "... none was lost" test "$(stat_of lost)" = "$lost"
agent_down
