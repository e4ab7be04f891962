#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Round trips by prefix: two sites behind one cable make one lane, a third one is
# elsewhere. Held against the link emulator's log, and against the lanes' own figures.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-prefixes.XXXXXX)
export LAB_DIR
export SITES="SG:10:36:2:2900: KL:11:44:2:3300: HK:15:12:1:650:"
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"
TRAFFIC_S=15 STEP_S=10

# EXPRESSION over r, the rows by prefix (p50 in ms), truth, ms by site, and n, the
# lane's round trips of the same time.
rows() { # LANE EXPRESSION
	sealane -j latency "$1" --by prefix --half far --since -90s >"$LAB_DIR/rows"
	sealane -j latency "$1" --by lane --half far --since -90s >"$LAB_DIR/lane"
	python3 - "$LAB_DIR" "$2" <<-'END'
	import json, sys
	r = {x["prefix"]: x for x in json.load(open(sys.argv[1] + "/rows"))["rows"]}
	n = sum(x["samples"] for x in
	        json.load(open(sys.argv[1] + "/lane"))["rows"])
	truth = {s: float(ms) for s, ms in
	         (line.split() for line in open(sys.argv[1] + "/truth"))}
	def near(prefix, site):
	    got = r[prefix]["p50_ns"] / 1e6
	    print(prefix, got, "truth", truth[site])
	    return abs(got - truth[site]) <= 0.03 * truth[site] + 0.5
	print({p: (x["samples"], x["p50_ns"]) for p, x in r.items()}, n)
	assert eval(sys.argv[2])
	END
}
hop_limit() { # LANE PATH HOPS
	sealane -j lanes "$1" | python3 -c "import json,sys
p=json.load(sys.stdin)['lanes'][0]['paths']
print(p); assert [x['hop_limit'] for x in p if x['path']=='$2'] == [$3]"
}

comes() { wait_until "$1" "${@:2}" || "${@:2}"; }	# SECONDS COMMAND...

lab up || bail "the lab did not come up"
sed -i -e '/name: KL,/d' -e '/name: SG,/s/.*/  - {name: SOUTH, prefixes: [198.18.10.0\/23, "2001:db8:10::\/47"]}/' \
	"$LAB_DIR/sealane.yaml"
echo 'detection: {step: 3ms, share: 10%, hold: 6s}' >>"$LAB_DIR/sealane.yaml"
# Hosts over there begin at 64, as home does; those of HK at 128. A router follows.
in_ns HK sysctl -qw net.ipv4.ip_default_ttl=128 \
	net.ipv6.conf.all.hop_limit=128 net.ipv6.conf.default.hop_limit=128 \
	net.ipv6.conf.e0.hop_limit=128
agent_start || { sed 's/^/# /' "$LAB_DIR/agent.log"; bail "no agent"; }
lab traffic "$TRAFFIC_S" &
work+=($!)
ok "hop limits of SOUTH: one router from 64" \
	comes $((TRAFFIC_S - 2)) hop_limit SOUTH sg-cable 63
ok "... of HK: one from 128" comes 5 hop_limit HK hk-cable 127
wait "${work[@]}"
work=()
lab truth >"$LAB_DIR/truth"
sleep $((STEP_S + 2))	# the last step is whole
ok "the prefixes of a lane are told apart" rows SOUTH \
	'set(r) == {"198.18.10.0/24", "198.18.11.0/24", "2001:db8:10::/48", "2001:db8:11::/48"}'
ok "... each with its own median" rows SOUTH \
	'near("198.18.10.0/24", "SG") and near("198.18.11.0/24", "KL")'
ok "... IPv6 too" rows SOUTH \
	'near("2001:db8:10::/48", "SG") and near("2001:db8:11::/48", "KL")'
ok "of another lane the others" rows HK \
	'set(r) == {"198.18.15.0/24", "2001:db8:15::/48"} and near("198.18.15.0/24", "HK")'
ok "together they have all of the lane's round trips" rows SOUTH \
	'n > 200 and sum(x["samples"] for x in r.values()) == n'
tap_end
