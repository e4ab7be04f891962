#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# After residence: the module is removed and comes back while the agent runs and
# traffic passes.
. /t/net.sh

removed() { rmmod sealane; }
# What the module stamped since it was loaded anew is in /metrics, each in one series.
metrics_tell() {
	sleep 2.2	# they are of the last second
	in_ns gw wget -q -O - http://127.0.0.1:9478/metrics >$dir/metrics || return
	grep '^sealane_module_\|^sealane_residence_seconds_count' $dir/metrics
	grep -q '^sealane_module_used 1$' $dir/metrics &&
		awk '/^sealane_residence_seconds_count.*method="tx-sw"/ { n += $2 }
			/^sealane_module_stamps_total.result="software"/ { s = $2 }
			END { exit !(n == s && s >= 20) }' $dir/metrics
}
pings_in() { sed -n 's/.* \([0-9]*\) packets received.*/\1/p' $dir/steady; }

uses_module 10 || { echo "not ok - the agent uses the module"; exit 1; }
check "rmmod is refused while it is in use" fails rmmod sealane
in_ns home ping -i 0.05 -c 200 -w 60 $hk4 >$dir/steady &
check "sealane module off lets it go" sealane module off
check "... it is removed" wait_until 10 removed
measure without 3
check "... inserted again" insmod /t/sealane.ko pending_ms=2000
check "... and sealane module on takes it" sealane module on
check "... the agent uses it" uses_module 20
measure again 3
stats
wait_until 20 grep -q received $dir/steady
check "of 200 pings meanwhile none was lost" test "$(pings_in)" = 200
check "the agent is the one from before" alive
check "/metrics has every residence that the module stamped" metrics_tell
