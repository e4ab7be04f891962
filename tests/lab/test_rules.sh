#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Rules on real traffic: order, limits, expiry and confirmation without an
# agent, and what no push can cut off.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-rules.XXXXXX)
export LAB_DIR
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"
echo "sr$$" >"$LAB_DIR/id"
: >"$LAB_DIR/pids"
unshared=198.18.20.7	# an address of far that nothing protects
vital=198.18.20.9	# one that is protected

for ns in home gw far; do
	ip netns add "$(ns_name $ns)"
	in_ns $ns sysctl -qw net.ipv6.conf.default.accept_dad=0
	in_ns $ns ip link set lo up
done
in_ns gw sysctl -qw net.ipv4.ip_forward=1
in_ns gw ip link add in0 type veth peer name h0 netns "$(ns_name home)"
in_ns gw ip link add out0 type veth peer name f0 netns "$(ns_name far)"
addr() { in_ns "$1" ip addr add "$3" dev "$2"; in_ns "$1" ip link set "$2" up; }
addr gw in0 198.18.10.1/24
addr gw out0 198.18.20.1/24
addr home h0 198.18.10.2/24
addr far f0 198.18.20.2/24
in_ns gw ip addr add 198.18.30.1/32 dev lo
addr far f0 $unshared/24
addr far f0 $vital/24
in_ns home ip route add default via 198.18.10.1
in_ns far ip route add default via 198.18.20.1
cat >"$LAB_DIR/sealane.yaml" <<EOF2
interfaces:
  - {name: in0, side: inside}
  - {name: out0, side: outside, path: cable}
home: [198.18.10.0/24]
protect: [$vital]
lanes: [{name: FAR, prefixes: [198.18.20.0/24]}]
tables: {flows: 1024, series: 64, size: small}
guards: {max_share: 100%}	# here most of the traffic is what is dropped
socket: $LAB_DIR/sealaned.sock
state_dir: $LAB_DIR/state
bpffs: $(bpffs_dir)
EOF2

serve() { # NS PORT: a page at every address
	in_ns_bg "$1" python3 -m http.server "$2" --directory /usr/share/doc/bash \
		>/dev/null 2>&1 &
	work+=($!)
}
serve far 80
serve far 8080
serve gw 22
answers() { in_ns home ping -c 1 -W 1 "$1"; }
silent() { ! answers "$1"; }
page() { in_ns "$1" curl -sf -m 2 -o /dev/null "http://$2/"; }
no_page() { ! page "$@"; }
rules() { printf 'rules:\n%s\n' "$1" >"$LAB_DIR/rules.yaml"; }
apply() { sealane rule apply "$LAB_DIR/rules.yaml" "$@"; }
refused() { # REGEX COMMAND...
	local want=$1 rc
	shift
	"$@" >"$LAB_DIR/said" 2>&1
	rc=$?
	cat "$LAB_DIR/said"
	[ $rc = 2 ] && grep -qE -- "$want" "$LAB_DIR/said"
}
says() { # REGEX COMMAND...
	local want=$1
	shift
	"$@" | tee "$LAB_DIR/said" | grep -qE -- "$want" ||
		{ cat "$LAB_DIR/said"; return 1; }
}
hits() { # ID: packets that matched it
	figure rule ls -- "next(r['packets'] for r in d['rules'] if r['id']=='$1')"
}

ok "the agent starts" agent_start
ok "a ping crosses" wait_until 5 answers $unshared
ok "and a page" page home $unshared:80

# --- order, and what a rule leaves behind ---
rules "- {id: web, match: {dst: [198.18.20.0/24], proto: tcp, dport: 8080}, action: pass}
- {id: no-tcp, match: {dst: [$unshared], proto: tcp}, action: drop, tag: negative-list/seed, why: case 12}
- {id: pings, match: {proto: icmp, lane: [FAR]}, action: count}"
ok "rules are applied" apply --why "case 12"
ok "what is dropped is" no_page home $unshared:80
ok "what an earlier rule passes is not" page home $unshared:8080
ok "another address is not" page home 198.18.20.2:80
ok "a ping is counted and passes" answers $unshared
ok "the counting rule has counted" test "$(hits pings)" -ge 1
ok "the dropping one too" test "$(hits no-tcp)" -ge 1
ok "explain names it" says no-tcp sealane explain $unshared
ok "a dropped header is shown with rule and tag" \
	wait_until 3 says 'no-tcp.*negative-list/seed|negative-list/seed.*no-tcp' \
	sealane events --drops
ok "the audit says on whose order, by tag" \
	says 'rule apply' sealane audit show --tag negative-list/seed
ok "the audit is whole" sealane audit verify
web=$(hits web)
rules "- {id: no-tcp, match: {dst: [$unshared], proto: tcp}, action: drop, tag: negative-list/seed}
- {id: web, match: {dst: [198.18.20.0/24], proto: tcp, dport: 8080}, action: pass}"
ok "the rules in another order" apply
ok "the first match decides" no_page home $unshared:8080
ok "counters are kept by id" test "$(hits web)" -ge "$web"
ok "rollback brings the former order" sealane rule rollback 1
ok "and its verdict" page home $unshared:8080

# --- limits ---
rules "- {id: slow, match: {proto: icmp, direction: out}, action: {limit: {pps: 20, burst: 5}}}"
ok "a limit is applied" apply --force
got=$(in_ns home ping -q -i 0.005 -c 200 $unshared | grep -oE '[0-9]+ received' | cut -d' ' -f1)
ok "200 pings in a second and a bit: the burst and the rate pass ($got)" \
	test "${got:-0}" -ge 15 -a "${got:-0}" -le 60
ok "what was too much is counted" test "$(figure rule ls -- \
	"d['rules'][0]['over_packets']")" -ge 140

# --- what no push can cut off ---
rules "- {id: all-tcp, match: {proto: tcp}, action: drop}"
ok "all TCP is dropped, by order" apply --force
ok "a page does not cross" no_page home 198.18.20.2:80
ok "the gateway's own management port answers home" page home 198.18.10.1:22
ok "... and abroad" page far 198.18.20.1:22
ok "... and at an address of its loopback interface" page far 198.18.30.1:22
ok "rule ls shows what the guards let pass" test "$(figure rule ls -- \
	"sum(r['packets'] for r in d['guards'])")" -ge 10
ok "the protected address is reached" page home $vital:80
ok "a rule on that port is refused, with line and remedy" refused \
	'rules.yaml:2: rule mgmt: .*protected port.*198.18.20.1' eval \
	'rules "- {id: mgmt, match: {dst: [198.18.20.1], proto: tcp, dport: 22}, action: drop}"; apply --force'
ok "a rule on the protected address is refused" refused 'protected' eval \
	'rules "- {id: vital, match: {dst: [$vital]}, action: drop}"; apply --force'
ok "a bare wildcard is refused" refused 'rules.yaml:2: rule all: ' eval \
	'rules "- {id: all, match: {}, action: drop}"; apply'
ok "a block of an own address is refused" refused 'protected' \
	sealane block 198.18.20.1
ok "a block around the protected one is refused" refused 'protected' \
	sealane block 198.18.20.0/28
printf '198.18.20.0/24\n198.18.10.1\n' >"$LAB_DIR/list"
ok "a list may hold all of them" sealane list replace wide "$LAB_DIR/list"
rules "- {id: all, match: {}, action: drop}"
ok "and a wildcard may be meant" apply --force
ok "all else is silent" silent $unshared
ok "the protected address answers" answers $vital
ok "its pages are served" page home $vital:80
ok "management answers home" page home 198.18.10.1:22
ok "... and abroad" page far 198.18.20.1:22
ok "bypass passes all" sealane bypass on --why "rules test"
ok "... at once" answers $unshared
ok "bypass ends" sealane bypass off
ok "... at once" silent $unshared
ok "the list is removed" sealane list remove wide
rules ""
printf 'rules: []\n' >"$LAB_DIR/rules.yaml"
ok "no rules are rules" apply
ok "all crosses again" answers $unshared

# --- a night ---
rules "- {id: night, match: {dst: [$unshared], proto: icmp}, action: drop}"
ok "a rule until it is confirmed" apply --confirm 20s --why "at three in the morning"
t0=$SECONDS
ok "it drops" silent $unshared
ok "another commit is refused meanwhile" refused 'confirm|rollback' \
	sealane list replace wide "$LAB_DIR/list"
ok "a block is not" sealane block 198.18.20.200
agent_kill KILL
ok "without its agent it drops" silent $unshared
sleep $((t0 + 17 - SECONDS))
ok "... 17 s later too" silent $unshared
sleep $((t0 + 21 - SECONDS))
ok "after 20 s it has gone, agent or no agent" answers $unshared
ok "the agent comes back" agent_start
ok "the log says what became of it" says 'expired|undone|rolled back' sealane rule log
ok "there are no rules" test "$(figure rule ls -- 'len(d["rules"])')" = 0
ok "the block is there" says 198.18.20.200 sealane explain 198.18.20.200
ok "a ping crosses" answers $unshared
ok "the audit verifies" sealane audit verify

ok "a rule until it is confirmed" apply --confirm 5m
ok "is confirmed" sealane rule confirm
soon=$(date -u -d '+8 seconds' +%Y-%m-%dT%H:%M:%SZ)
end=$((SECONDS + 10))
rules "- {id: night, match: {dst: [$unshared], proto: icmp}, action: drop}
- {id: brief, match: {dst: [198.18.20.2], proto: icmp}, action: drop, until: $soon}"
ok "a rule with an end beside it" apply
agent_kill KILL
ok "both drop without the agent" eval "silent $unshared && silent 198.18.20.2"
sleep $((end - SECONDS))
ok "the one that has ended lets pass" answers 198.18.20.2
ok "the other drops" silent $unshared
ok "the agent takes over" agent_start
ok "and nothing changed" eval "silent $unshared && answers 198.18.20.2"
tap_end
