#!/bin/busybox sh
# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# After residence: the module is removed and comes back while the agent runs and
# traffic passes.
. /t/net.sh

removed() { rmmod sealane; }
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
