#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# A NIC that stamps what it sends (sg0 is an igb). First what the kernel tells a
# program's own socket, then the product; 3 ms of queue before the NIC.
. /t/net.sh

has_clock() { sealane -j status | grep -q '"stamps":"hardware"'; }
has_carrier() { in_ns gw ip link show dev sg0 | grep -q LOWER_UP; }

net_up || { echo "the network does not answer"; exit 1; }
in_ns gw ip -j -d link show dev sg0
in_ns gw hw_stamps sg0 $sg4
insmod /t/sealane.ko pending_ms=2000 || exit 1
agent_up || exit 1
uses_module 20 || { echo "not ok - the agent uses the module"; exit 1; }
check "the agent reads the NIC's clock" wait_until 20 has_clock
# XDP restarts such a NIC
wait_until 20 has_carrier
wait_until 20 in_ns home ping -c 1 -W 1 $sg4
in_ns gw tc qdisc replace dev sg0 root netem delay 3ms limit 10000
measure hardware 5
stats_doc
sealane -j status
