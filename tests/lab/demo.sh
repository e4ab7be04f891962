#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `make demo`: the main job from end to end, in a lab of our own, in about a minute
# and a half; on a terminal it then stays up, for a look at the page, until Enter or
# Ctrl-C. Nothing is left behind.
set -eu
LAB_DIR=$(mktemp -d /tmp/sealane-demo.XXXXXX)
export LAB_DIR
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
HOLD_S=6	# for a path change; a gateway's own default is three minutes

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
[ -t 1 ] && [ -z "${NO_COLOR:-}" ] || say() { printf '\n== %s\n' "$*"; }
shown() { # COMMAND...
	echo "\$ $*"
	"$@"
}

# Where the sites are, for the map; a budget for SG, and two ways that it may take.
configure() {
	local at
	for at in SG:1.35,103.82 KL:3.14,101.69 JKT:-6.21,106.85 \
		SGN:10.82,106.63 BKK:13.75,100.50 HK:22.30,114.17 MNL:14.60,120.98
	do
		sed -i "s/{name: ${at%%:*}, /&at: [${at#*:}], /" "$LAB_DIR/sealane.yaml"
	done
	sed -i 's/{name: SG, /&budgets: ["p50 <= 40ms over 10s"], /' "$LAB_DIR/sealane.yaml"
	cat >>"$LAB_DIR/sealane.yaml" <<-END
		gateway: {name: Haikou, at: [20.04, 110.35]}
		detection: {hold: ${HOLD_S}s}
		detours: [{name: Hong Kong, rtt: 50ms}, {name: Los Angeles, rtt: 180ms}]
	END
}

# What became of the pings of a `ping -O`, in a few lines.
ping_story() {
	sed -n '2,$p' "$LAB_DIR/ping" | sed '/statistics/,$d;/^$/d' |
		sed 's/^64 bytes from.*icmp_seq/  answer  seq/;s/^no answer yet for icmp_seq/  NOTHING seq/' |
		uniq -c -w 9 | awk '{ print "  " $1 " x " $2 }'
}

tracked() {
	sealane -j status | python3 -c 'import json,sys
print(json.load(sys.stdin)["reasons"]["tracked"]["packets"])'
}

finish() {
	trap '' INT TERM
	traffic_stop
	agent_kill TERM 2>/dev/null || true
	lab down
}
trap finish EXIT
trap 'exit 130' INT TERM

[ "$(id -u)" = 0 ] || { echo "make demo needs root: it makes network namespaces" >&2; exit 1; }

say "A gateway with two cables and seven far sites, in network namespaces"
lab up
configure
# a socket of this host, so that its browser reaches an agent in a namespace
AGENT_PORT=9478
[ -z "$(ss -ltnH "sport = :$AGENT_PORT")" ] || AGENT_PORT=0
agent_start || { cat "$LAB_DIR/agent.log" >&2; exit 1; }
page=$(cat "$LAB_DIR/agent.addr")
AGENT_PORT=${page##*:}	# the same one after a restart
cat "$LAB_DIR/agent.log"

say "Real traffic: ping, curl and iperf3 to every site, IPv4 and IPv6"
in_ns gw timeout 20 tcpdump -q -i hk0 -c 400 -s 128 -w "$LAB_DIR/hk0.pcap" \
	tcp or icmp 2>/dev/null &
dump=$!
traffic_start 86400 >/dev/null 2>&1
sleep 12
wait $dump 2>/dev/null || true

say "Round-trip times measured at the gateway, beside what the cable really took"
lab truth >"$LAB_DIR/truth"
sealane -j latency --half far >"$LAB_DIR/latency.json"
python3 - "$LAB_DIR" <<'EOF2'
import json, sys
rows = json.load(open(sys.argv[1] + "/latency.json"))["rows"]
print("lane  path       true RTT   handshake   time stamps   ping      samples  retrans")
for line in open(sys.argv[1] + "/truth"):
    lane, true = line.split()
    mine = {r["method"]: r for r in rows if r["lane"] == lane}
    p50 = lambda m: "%6.2f ms" % (mine[m]["p50_ns"] / 1e6) if m in mine else "        -"
    any_row = next(iter(mine.values()))
    print("%-5s %-9s %6.2f ms   %s   %s     %s %8d  %5d ppm" % (
        lane, any_row["path"], float(true), p50("tcp-hs"), p50("tcp-ts"), p50("icmp"),
        sum(r["samples"] for r in mine.values()), any_row["retrans_ppm"] or 0))
EOF2
echo "(Bangkok, BKK, belongs on sg-cable and takes the detour; Jakarta, JKT, loses 2 % of its packets)"

say "Blocking Singapore while it is being pinged"
in_ns home ping -O -i 0.5 -w 7 -W 1 "$(site_v4 SG)" >"$LAB_DIR/ping" &
ping=$!
sleep 2
shown sealane block "$(site_v4 SG)" --for 10m --why demo --force
sleep 2
sealane explain "$(site_v4 SG)" | sed -n 1,6p
say "... and letting it pass again"
sealane unblock "$(site_v4 SG)"
wait $ping || true
ping_story

say "A rule for Hong Kong: read, weighed against the traffic, live for 6 s unless confirmed"
cat >"$LAB_DIR/rules.yaml" <<EOF2
rules:
- {id: no-pings, match: {dst: [$(site_v4 HK)], proto: icmp}, action: drop,
   tag: negative-list/demo, why: demo}
EOF2
in_ns home ping -O -i 0.5 -w 12 -W 1 "$(site_v4 HK)" >"$LAB_DIR/ping" &
ping=$!
sleep 2
for c in "check" "plan --force" "apply --confirm 6s --force"; do
	echo "\$ sealane rule ${c%% *} rules.yaml${c#"${c%% *}"}"
	# shellcheck disable=SC2086
	(cd "$LAB_DIR" && sealane rule ${c%% *} rules.yaml ${c#"${c%% *}"})
done

say "The agent is killed; measuring and enforcing go on without it, and the rule ends by itself"
before=$(tracked)
agent_kill KILL
wait $ping || true
ping_story
agent_start
echo "packets tracked: $before before the kill, $(tracked) after the restart"
shown sealane rule log --limit 3
shown sealane audit show --tag negative-list/demo
sealane audit verify

say "Replaying a capture of the gateway's hk0 through the same program"
sealane replay "$LAB_DIR/hk0.pcap"

say "A cable is cut behind the sea: Singapore is reached by way of Hong Kong from now on"
# what is usual was learned anew since the kill
steady() {
	sealane -j lanes SG | grep -q '"state":"steady"'
}
wait_until 20 steady || true
lab cut SG beyond
changed() { sealane events --kind path-change | grep SG; }
wait_until 30 changed || echo "(not seen yet: this machine is busy)"
shown sealane events --kind path-change --limit 3
shown sealane events --kind budget --limit 3
sleep 5
shown sealane history SG --since -2m --step 10s
shown sealane watch -n 1

say "The same on a page, live: http://$page/"
if [ -t 0 ] && [ -t 1 ]; then
	echo "and on this host's terminals, as root:"
	echo "  $BUILD/sealane --socket $SEALANE_SOCKET watch"
	trap 'exit 0' INT
	printf 'Enter or Ctrl-C ends the demo. '
	read -r _ || true
else
	curl -sf "http://$page/" | grep -o '<title>.*</title>'
	curl -sf "http://$page/api/v1/lanes" | python3 -c 'import json,sys
for l in json.load(sys.stdin)["lanes"]:
    for p in l["paths"]:
        if p["p50_ns"]: print("GET /api/v1/lanes: %-4s %-9s p50 %6.2f ms, %s" % (
            l["lane"], p["path"], p["p50_ns"] / 1e6, p["state"]))'
fi

say "Undone: the interfaces are as they were"
for i in in0 hk0 sg0; do sealane detach $i; done
