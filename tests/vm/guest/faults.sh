#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# Faults on purpose, by a module built with them (kmod/plant.c). What the kernel
# says goes to the console, between marks. The lock comes first: the watch over
# locks ends with the first report of any kind.
# shellcheck shell=dash
mount -t debugfs debugfs /sys/kernel/debug
echo scan >/sys/kernel/debug/kmemleak
echo clear >/sys/kernel/debug/kmemleak
insmod /t/planted.ko || exit 1
for fault in lock sleep shift oob uaf leak; do
	echo "<4>sealane: planting $fault" >/dev/kmsg
	echo $fault >/sys/module/sealane/parameters/plant || exit 1
done
echo "<4>sealane: planting nothing" >/dev/kmsg
# as long as the module is there its functions have names
sleep 6
echo scan >/sys/kernel/debug/kmemleak
echo scan >/sys/kernel/debug/kmemleak
cat /sys/kernel/debug/kmemleak
rmmod sealane
