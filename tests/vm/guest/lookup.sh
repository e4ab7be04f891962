#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
[ -e /dev/sealane ] || [ ! -e /t/sealane.ko ] || insmod /t/sealane.ko
exec time_lookup /t/lookup.bpf.o
