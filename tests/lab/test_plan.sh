#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Plan: what it says of the live traffic, and whether that is what happens.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-plan.XXXXXX)
export LAB_DIR
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"
echo "sp$$" >"$LAB_DIR/id"
: >"$LAB_DIR/pids"

ip netns add "$(ns_name gw)"
ip netns add "$(ns_name far)"
for ns in gw far; do	# no frames but ours
	in_ns $ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done
in_ns far ip link add p0 type veth peer name out0 netns "$(ns_name gw)"
in_ns far ip link set p0 up
in_ns gw ip link set out0 up
cat >"$LAB_DIR/sealane.yaml" <<EOF2
interfaces: [{name: out0, side: outside, path: cable}]
home: [198.18.10.0/24]
protect: [198.18.10.1]
lanes: [{name: FAR, prefixes: [198.18.20.0/24]}, {name: SEA, prefixes: [198.18.30.0/24]}]
tables: {flows: 1024, series: 64, size: small}
guards: {max_share: 5%}
socket: $LAB_DIR/sealaned.sock
state_dir: $LAB_DIR/state
bpffs: $(bpffs_dir)
EOF2
cd "$LAB_DIR" || exit 1
rules() { # NAME RULE...: a file of rules
	local name=$1
	shift
	printf 'rules:\n' >"$name.yaml"
	printf -- '- %s\n' "$@" >>"$name.yaml"
}
rules big '{id: case7, match: {src: [198.18.20.6], proto: udp, dport: ["5001"]}, action: drop, tag: test/plan}'
rules small '{id: tiny, match: {src: [198.18.30.9]}, action: drop}'
rules limit '{id: slow, match: {src: [198.18.20.5]}, action: {limit: {pps: 100}}}'
rules each '{id: each, match: {src: [198.18.20.0/24, 198.18.30.0/24]}, action: {limit: {pps: 1000, per: source}}}'
rules watch '{id: shadow, match: {src: [198.18.20.0/24]}, action: count}'
rules pass '{id: but, match: {src: [198.18.20.5]}, action: pass}'
rules double '{id: a, match: {src: [198.18.30.0/24]}, action: drop}' \
	'{id: b, match: {src: [198.18.30.9]}, action: count}' \
	'{id: c, match: {src: [198.18.30.8]}, action: pass}'
printf 'rules: []\n' >none.yaml
rules named '{id: named, match: {src: ["@little"]}, action: drop}'

# 2,900 packets/s of 198.18.20.5, 1,000 of .6, and 100 of 198.18.30.9, in even
# time whatever this machine does beside; every other one is long.
cat >"$LAB_DIR/talk.py" <<'EOF2'
import socket, struct, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("p0", 0))
def frame(src, dport, len_b):
    udp = struct.pack("!HHHH", 53, dport, 8 + len_b, 0) + bytes(len_b)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(udp), 1, 0, 64, 17, 0,
                     bytes(src), bytes([198, 18, 10, 2]))
    return bytes(12) + b"\x08\0" + ip + udp
kinds = [(2900, [198, 18, 20, 5], 5000), (1000, [198, 18, 20, 6], 5001),
         (100, [198, 18, 30, 9], 5002)]
flows = [(pps, frame(src, dport, 18), frame(src, dport, 1000))
         for pps, src, dport in kinds]
sent = [0] * len(flows)
t0 = time.monotonic()
while True:
    t = time.monotonic() - t0
    for i, (pps, short, long) in enumerate(flows):
        while sent[i] < pps * t:
            s.send(long if sent[i] & 1 else short)
            sent[i] += 1
    time.sleep(0.004)
EOF2
schema() { # NAME COMMAND...
	local name=$1
	shift
	sealane -j "$@" | /usr/bin/python3 "$TOP/tests/schema.py" "$name"
}
plan() { # FILE EXPRESSION, as see has it
	sealane -j rule plan "$1.yaml" --since "${since:-10s}" >"$1.plan" &&
		see "$@"
}
see() { # FILE, as planned last; EXPRESSION over d; c: the change, r: the rows, P: packets/s
	python3 - "$1.plan" "$2" <<'EOF2'
import json, sys
d = json.load(open(sys.argv[1]))
c, r, f = d["change"], d["rows"], d["flows"]
P = d["sample"]["pps"]
print(d["sample"], c, d["apply"], r[:3], f[:2])
# 95 % would fail one run of twenty; and the ends of the time are not sharp
near = lambda i, v, by: i["low"] * (1 - by) <= v <= i["high"] * (1 + by)
assert eval(sys.argv[2]), sys.argv[2]
EOF2
}
hits() { # ID: packets and the time in ns
	sealane -j rule ls | python3 -c "import json,sys,time
print([r['packets'] for r in json.load(sys.stdin)['rules'] if r['id']=='$1'][0], time.monotonic_ns())"
}
refused() { # COMMAND...: exit 2, and what it said is kept
	"$@" >"$LAB_DIR/said" 2>&1
	[ $? = 2 ]
}
said() { cat "$LAB_DIR/said"; grep -qE -- "$1" "$LAB_DIR/said"; }

ok "the agent starts" agent_start
sealane rule plan big.yaml >"$LAB_DIR/said"
ok "without traffic a plan says that it knows nothing" said 'no live sample yet'
ok "... and shows the rules' difference" said '1 rule, now 0 \(\+1 rules\)'
ok "... and keeps its schema" schema rule_plan rule plan big.yaml
sealane rule apply none.yaml >"$LAB_DIR/said"
ok "apply says so too, and does not refuse" said 'NOT KNOWN: 0 packets'
sealane block 192.0.2.0/24 >"$LAB_DIR/said"
ok "... and a block" said 'NOT KNOWN: 0 packets'
echo 192.0.2.7 >little.list
sealane list replace little little.list >"$LAB_DIR/said"
ok "... and a list" said 'NOT KNOWN: 0 packets'

in_ns_bg far python3 "$LAB_DIR/talk.py" &
work+=($!)
sleep 13
ok "a plan keeps its schema" schema rule_plan rule plan big.yaml
ok "it was sampled, not counted" plan big \
	'500 < d["sample"]["packets"] < 0.9 * d["sample"]["of_packets"]'
ok "the traffic's rate is counted" see big \
	'abs(P - 4000) < 400'
ok "a drop is foreseen, within its interval" see big \
	'near(c["dropped"]["pps"], 0.25 * P, 0.05) and c["passed"]["sampled_packets"] == c["limited"]["sampled_packets"] == 0'
ok "... in bits too" see big \
	'near(c["dropped"]["bps"], 0.25 * P * 8 * (60 + 1042) / 2, 0.1)'
ok "... which is not so wide that it says nothing" see big \
	'c["dropped"]["pps"]["high"] - c["dropped"]["pps"]["low"] < 350'
ok "... by lane and rule" see big \
	'len(r) == 1 and r[0]["lane"] == "FAR" and r[0]["rule"] == "case7" and r[0]["tag"] == "test/plan"'
ok "... and by flow" see big \
	'f[0]["src"] == "198.18.20.6" and f[0]["dport"] == 5001 and f[0]["sport"] == 53 and f[0]["proto"] == 17'
ok "a count is foreseen" plan watch \
	'near(c["counted"]["pps"], 0.975 * P, 0.05) and not c["dropped"]["sampled_packets"] and not f'
ok "a limit is foreseen, up to all" plan limit \
	'near(c["limited"]["pps"], 0.725 * P, 0.05) and 0.64 < d["apply"]["dropped_share"] < 0.76'
ok "a limit of each source is foreseen" plan each \
	'near(c["limited"]["pps"], P, 0.05) and 0.40 < d["apply"]["dropped_share"] < 0.52'
ok "what cannot take effect is found" plan double \
	'{("b", "a", "shadowed"), ("c", "a", "shadowed")} == {(x["rule"], x["other"], x["kind"]) for x in d["findings"]}'
ok "a plan knows what apply would refuse" see big \
	'd["apply"]["needs_force"] and abs(d["apply"]["dropped_share"] - 0.25) < 0.05'

ok "an apply over the share is refused" refused sealane rule apply big.yaml
ok "... with the share" said '2[0-9]\.[0-9] % of the live traffic would be dropped, 5\.0 % are allowed'
ok "... the rule" said 'rule case7: 2[0-9]\.[0-9] % of the packets'
ok "... and the flow" said 'flow 198.18.20.6:53 > 198.18.10.2:5001 udp: .* by rule case7'
ok "... which is an event" sh -c "$(declare -f sealane in_ns ns_name bpffs_dir)
	BUILD=$BUILD; sealane events --kind refused | grep 'rule apply.*live traffic'"
ok "a limit that drops most is refused too" refused sealane rule apply limit.yaml
sealane rule apply small.yaml >"$LAB_DIR/said" 2>&1
ok "as much as is allowed is applied, and its share is said" said \
	'^[1-4]\.[0-9] % of the live traffic that passed before'

ok "with --force it is applied" sealane rule apply big.yaml --force
read -r n0 t0 < <(hits case7)
sleep 6
read -r n1 t1 < <(hits case7)
ok "what is dropped is what was foreseen" python3 - "$n0" "$t0" "$n1" "$t1" <<'EOF2'
import json, sys
n0, t0, n1, t1 = map(int, sys.argv[1:])
i = json.load(open("big.plan"))["change"]["dropped"]["pps"]
pps = (n1 - n0) / (t1 - t0) * 1e9
print(pps, i)
assert i["low"] * 0.93 <= pps <= i["high"] * 1.07
EOF2
ok "the same again changes nothing" plan big \
	'all(not x["sampled_packets"] for x in c.values()) and not d["apply"]["needs_force"]'
ok "without it those would pass" plan none 'near(c["passed"]["pps"], 0.25 * P, 0.05) and r[0]["rule"] == "case7"'

sealane block 198.18.20.5 --force >/dev/null
ok "what a block drops, a rule does not drop anew" plan limit \
	'not c["dropped"]["sampled_packets"] and not c["limited"]["sampled_packets"]'
ok "a rule that passes saves from a block" plan pass \
	'near(c["passed"]["pps"], 0.975 * P, 0.05)'
ok "since is heeded" plan none 'd["sample"]["span_ns"] < 12e9'
since=2s
ok "... to the second" plan none 'd["sample"]["span_ns"] < 4e9'
ok "a bad time is refused" refused sealane rule plan none.yaml --since soon
printf 'rules: [{id: x, match: {dport: ["70000"]}, action: drop}]\n' >bad.yaml
ok "a bad file is refused as by check" refused sealane rule plan bad.yaml
ok "... with its mistakes" said 'bad.yaml:1.*70000'
ok "a plan leaves no audit entry" sh -c "$(declare -f sealane in_ns ns_name bpffs_dir)
	BUILD=$BUILD; ! sealane -j audit show --limit 100 | grep 'rule plan'"

# --- lists and blocks: .5 sends most of what passes now, .9 a few percent ---
sealane unblock 198.18.20.5 >/dev/null
sealane rule apply none.yaml >/dev/null
printf '203.0.113.%d\n' $(seq 200) >wide.list
echo 198.18.20.5 >>wide.list
echo 198.18.30.9 >little.list
there() { # EXPRESSION over d, COMMAND...
	[ "$(figure "${@:2}" -- "$1")" = True ]
}
share() { # LOW HIGH COMMAND...: what its answer says of the live traffic
	local low=$1 high=$2
	shift 2
	sealane -j "$@" >answer || return
	python3 -c "import json
d = json.load(open('answer'))['live']
print(d)
assert d['sampled_packets'] > 500 and $low <= d['dropped_share'] <= $high"
}
hit() { # EXPRESSION, COMMAND...: its packets grow within a second
	local n0 n1
	n0=$(figure "${@:2}" -- "$1")
	sleep 1
	n1=$(figure "${@:2}" -- "$1")
	echo "$n0 $n1"
	[ "$((n1 - n0))" -gt 1000 ]
}
ok "a list over the share is refused" refused sealane list replace wide wide.list
ok "... with the share" said 'list wide: [78][0-9]\.[0-9] % of the live traffic would be dropped, 5\.0 % are allowed'
ok "... and the flow" said 'flow 198.18.20.5:53 > 198.18.10.2:5000 udp: .* by list wide'
ok "... and nothing is changed" there \
	'[x["name"] for x in d["lists"]] == ["little"]' list ls
ok "a list below it is not" share 0.01 0.05 list replace little little.list
ok "what it drops already it does not drop anew" share 0 0 list replace little little.list
ok "... which keeps its schema" schema list_commit list replace little little.list
ok "a rule may name it" sealane rule apply named.yaml
ok "... and is judged with it" refused sealane list replace little wide.list
ok "... and told" said 'rule named: [78][0-9]\.[0-9] % of the packets'
ok "a rule that passes comes before a list" sealane rule apply pass.yaml
ok "... which then drops nothing of that" share 0 0.01 list replace wide wide.list
ok "... and before a block" share 0 0.01 block 198.18.20.5
sealane unblock 198.18.20.5 >/dev/null
sealane list remove wide >/dev/null
sealane list remove little >/dev/null
sealane rule apply none.yaml >/dev/null

ok "a block over the share is refused" refused sealane block 198.18.20.5
ok "... with the share" said 'the block of 198.18.20.5: [78][0-9]\.[0-9] % of the live traffic would be dropped'
ok "... and the flow" said 'flow 198.18.20.5:53 > 198.18.10.2:5000 udp: .* by the block of 198.18.20.5'
ok "... also as a destination, in a prefix" refused sealane block 198.18.10.2/31
ok "... and among others" refused sealane block 203.0.113.7 198.18.20.5
ok "... which are told so" said 'these blocks: [78][0-9]\.[0-9] % of the live traffic'
ok "... and nothing is blocked" there \
	'd["verdict"] == "pass" and d["blocks"] == []' explain 198.18.20.5
ok "a small one is not" share 0.01 0.05 block 198.18.30.9
ok "... and keeps its schema" schema commit block 198.18.30.9
ok "to count is not asked about" sealane block 198.18.20.5 --count-only
ok "with --force it is blocked" sealane block 198.18.20.5 --force
ok "... and that is enforced" hit 'd["blocks"][0]["packets"]' explain 198.18.20.5
ok "... and it is not dropped anew" share 0 0 block 198.18.20.5 203.0.113.7
sealane unblock 198.18.20.5 >/dev/null
ok "with --force the list is taken" sealane list replace wide wide.list --force
ok "... and that is enforced" hit 'd["lists"][0]["packets"]' list ls
tap_end
