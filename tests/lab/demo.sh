#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `make demo`: the main job from end to end, in a lab of our own, in about a
# minute. Nothing is left behind, also after Ctrl-C.
set -eu
LAB_DIR=$(mktemp -d /tmp/sealane-demo.XXXXXX)
export LAB_DIR
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"

say() { printf '\n\033[1m== %s\033[0m\n' "$*"; }
[ -t 1 ] && [ -z "${NO_COLOR:-}" ] || say() { printf '\n== %s\n' "$*"; }

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
	agent_kill TERM 2>/dev/null || true
	lab down
}
trap finish EXIT
trap 'exit 130' INT TERM

[ "$(id -u)" = 0 ] || { echo "make demo needs root: it makes network namespaces" >&2; exit 1; }

say "A gateway with two cables and seven far sites, in network namespaces"
lab up
agent_start || { cat "$LAB_DIR/agent.log" >&2; exit 1; }
cat "$LAB_DIR/agent.log"

say "15 s of real traffic: ping, curl and iperf3 to every site, IPv4 and IPv6"
in_ns gw timeout 20 tcpdump -q -i hk0 -c 400 -s 128 -w "$LAB_DIR/hk0.pcap" \
	tcp or icmp 2>/dev/null &
dump=$!
lab traffic 15
wait $dump 2>/dev/null || true

say "Round-trip times measured at the gateway, beside what the cable really took"
lab truth >"$LAB_DIR/truth"
sealane -j latency --half far >"$LAB_DIR/latency.json"
python3 - "$LAB_DIR" <<'EOF'
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
EOF
echo "(Bangkok, BKK, belongs on sg-cable and takes the detour; Jakarta, JKT, loses 2 % of its packets)"

say "Blocking Singapore while it is being pinged"
in_ns home ping -O -i 0.5 -w 9 -W 1 "$(site_v4 SG)" >"$LAB_DIR/ping" &
ping=$!
sleep 2
echo "\$ sealane block $(site_v4 SG) --for 10m --why 'demo' --force"
sealane block "$(site_v4 SG)" --for 10m --why demo --force
sleep 3
sealane explain "$(site_v4 SG)" | sed -n 1,6p
say "... and letting it pass again"
sealane unblock "$(site_v4 SG)"
wait $ping || true
ping_story

say "A rule for Hong Kong: read, weighed against the traffic, live for 10 s unless confirmed"
cat >"$LAB_DIR/rules.yaml" <<EOF
rules:
- {id: no-pings, match: {dst: [$(site_v4 HK)], proto: icmp}, action: drop,
   tag: negative-list/demo, why: demo}
EOF
in_ns home ping -O -i 0.5 -w 20 -W 1 "$(site_v4 HK)" >"$LAB_DIR/ping" &
ping=$!
sleep 2
for c in "check" "plan" "apply --confirm 10s"; do
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
echo "\$ sealane rule log --limit 3"
sealane rule log --limit 3
echo "\$ sealane audit show --tag negative-list/demo"
sealane audit show --tag negative-list/demo
sealane audit verify

say "Replaying a capture of the gateway's hk0 through the same program"
sealane replay "$LAB_DIR/hk0.pcap"

say "Undone: the interfaces are as they were"
for i in in0 hk0 sg0; do sealane detach $i; done
