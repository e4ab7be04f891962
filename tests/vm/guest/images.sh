#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
. /t/net.sh
# the module has one opener
[ ! -e $dir/pid ] || sealane module off
exec try_images /t/lookup.bpf.o
