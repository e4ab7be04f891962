#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The page in Debian's Chromium, inside the gateway's namespace: before a mock that has
# a month, trouble and hostile texts (views.py), and before the agent of a lab whose
# cable is cut (live.py). Pictures: build/tests/page/*.png.
set -u
export SITES="SG:10:36:2:2900: KL:11:44:2:3300: HK:15:12:1:650:"
LAB_DIR=$(mktemp -d /tmp/sealane-page.XXXXXX)
export LAB_DIR
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/../lab/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$TOP/tests/lab/tap.sh"

# The lab's configuration with places, a listener and a quick eye for changes.
configure() {
	sed -i -e 's/{name: SG,/& at: [1.35, 103.82], budgets: ["p50 <= 40ms over 20s"],/' \
		-e 's/{name: KL,/& at: [3.14, 101.69],/' \
		-e 's/{name: HK,/& at: [22.32, 114.17],/' "$LAB_DIR/sealane.yaml"
	cat >>"$LAB_DIR/sealane.yaml" <<-EOF2
		gateway: {name: Haikou, at: [20.04, 110.35]}
		detection: {step: 3ms, share: 10%, hold: 5s}
		listen: [{address: 127.0.0.1:9478}, {address: 127.0.0.1:9479, role: none}]
		tokens: $LAB_DIR/tokens
	EOF2
}

# Some of all that is measured, until the lab is gone.
traffic() {
	local name
	for name in $(site_names); do
		in_ns_bg home ping -q -i 0.2 "$(site_v4 "$name")" &
		in_ns_bg home ping -6 -q -i 0.2 "$(site_v6 "$name")" &
		in_ns_bg home iperf3 -c "$(site_v4 "$name")" -b 1M -t 140 &
		while [ -e "$LAB_DIR/id" ]; do
			in_ns home curl -s -m 5 -o /dev/null \
				"http://$(site_v4 "$name")/page"
			sleep 0.5
		done &
	done
	disown -a	# they go with their namespaces
} >/dev/null 2>&1

lab up || bail "the lab did not come up"
configure
TOKEN=$("$BUILD/sealane" -j token add noc --role view -c "$LAB_DIR/sealane.yaml" |
	python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])')
export TOKEN
agent_start || { sed 's/^/# /' "$LAB_DIR/agent.log"; bail "no agent"; }
traffic
export BPFFS_DIR
BPFFS_DIR=$(bpffs_dir)
mkdir -p "$BUILD/tests/page"
# TAP and plan are the driver's
in_ns gw timeout 130 /usr/bin/python3 "$TOP/tests/page/drive.py" "$TOP" "$BUILD" "$LAB_DIR"
exit $?
