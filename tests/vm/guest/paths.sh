#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Two cables of known round trip, measured end to end by the product; what packets
# really did there is told by observe and ping. Network and agent stay.
. /t/net.sh

net_up || { echo "the network does not answer"; exit 1; }
agent_up || exit 1
in_ns gw ip -j -d link show dev sg0
sealane -j status
measure cables 5
