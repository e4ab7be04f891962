#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
exec replay_twice /t/one_capture.pcapng
