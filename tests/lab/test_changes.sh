#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Path changes, floors and budgets: a lane's cable is cut over to the detour and
# mended, and what the agent says is held against the link emulator's log.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-changes.XXXXXX)
export LAB_DIR
# HK with a length that cannot be: light would take 15 ms.
export SITES="SG:10:36:2:2900: HK:15:12:1:1500:"
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"
HOLD_S=6 GRACE_S=6	# of the event: steps, ARP anew, a busy host

schema() { # NAME COMMAND...
	local name=$1
	shift
	sealane -j "$@" | /usr/bin/python3 "$TOP/tests/schema.py" "$name"
}
# Of the Nth event of a kind: is EXPRESSION over d, its detail, and m, its message?
nth() { # KIND N EXPRESSION
	sealane -j events --kind "$1" | python3 -c "import json,sys
e=json.load(sys.stdin)['events'][$2-1]; d=e['detail']; m=e['message']
near=lambda got, want: got and abs(got/1e6-want) <= 0.03*want
print(m, d); assert $3"
}
happens() { # KIND N: within the hold and some seconds
	wait_until $((HOLD_S + GRACE_S)) nth "$1" "$2" True
}
count_of() { # KIND LANE
	sealane -j events --kind "$1" | python3 -c "import json,sys
print(sum(e['detail']['lane']=='$2' for e in json.load(sys.stdin)['events']))"
}
lane() { # NAME EXPRESSION over l, its entry of GET lanes, and p, its paths
	sealane -j lanes "$1" | python3 -c "import json,sys
l=json.load(sys.stdin)['lanes'][0]; p={x['path']:x for x in l['paths']}
near=lambda got, want: got and abs(got/1e6-want) <= 0.03*want
print(l); assert $2"
}

lab up || bail "the lab did not come up"
sed -i 's/cable_km: 2900}/cable_km: 2900, at: [1.35, 103.82], budgets: ["p50 <= 46ms over 10s", "p99 <= 900ms over 5m"]}/' \
	"$LAB_DIR/sealane.yaml"
sed -i 's/cable_km: 1500}/cable_km: 1500, at: [22.3, 114.17]}/' "$LAB_DIR/sealane.yaml"
cat >>"$LAB_DIR/sealane.yaml" <<EOF2
gateway: {name: Haikou, at: [20.04, 110.35]}
detection: {step: 3ms, share: 10%, hold: ${HOLD_S}s}
detours: [{name: Los Angeles, rtt: 180ms}, {name: Tokyo, rtt: 50ms},
  {name: Hong Kong, rtt: 43ms}]
EOF2
agent_start || { sed 's/^/# /' "$LAB_DIR/agent.log"; bail "no agent"; }
lab traffic 900 &	# ended with the lab
work+=($!)

# --- before ---
ok "usual latencies are learned" wait_until 30 lane SG \
	'p["sg-cable"]["state"]=="steady"'
ok "... of the other lane too" wait_until 10 lane HK \
	'p["hk-cable"]["state"]=="steady"'
sleep 5			# what is learned is on disk by then
agent_kill KILL
agent_start
ok "what was learned outlives kill -9" lane SG 'p["sg-cable"]["state"]=="steady"'
ok "GET lanes keeps its schema" schema lanes lanes
ok "the floor is the cable's: 29.02 ms" lane SG \
	'l["floor_ns"]==29020076 and l["floor_source"]=="cable"'
ok "stretch is p5 over it" lane SG \
	'abs(p["sg-cable"]["stretch"]-p["sg-cable"]["p5_ns"]/29020076) < 0.001'
ok "an idle handshake is at most the median under load" wait_until 5 lane SG \
	'0 < l["idle_ns"] <= l["working_p50_ns"]*1.02 <= l["working_p90_ns"]*1.04'
ok "a budget is kept" wait_until 20 lane SG 'l["budgets"][0]["state"]=="kept"'
ok "nothing has changed so far" test "$(count_of path-change SG)" = 0

# --- a floor that cannot be ---
ok "round trips shorter than light allows are told" happens geography 1
ok "... as of a stated cable" nth geography 1 \
	'(d["lane"], d["state"], d["floor_source"])==("HK", "broken", "cable") and "shorter cable" in m'
ok "sealane lanes says it" sh -c "$BUILD/sealane lanes HK | grep 'nearer than its cable'"
sed -i 's/cable_km: 1500, //' "$LAB_DIR/sealane.yaml"
kill -HUP "$(agent_pid)"
ok "by the great circle it can be" happens geography 2
ok "... which is the floor now: 470 km" lane HK \
	'l["floor_source"]=="great-circle" and l["geography"]=="ok" and 4.6e6 < l["floor_ns"] < 4.8e6'

lab truth >"$LAB_DIR/truth"
SG_MS=$(awk '$1 == "SG" { print $2 }' "$LAB_DIR/truth")
# --- another way behind the same path ---
lab cut SG beyond
ok "a cut behind the sea is told within the hold" happens path-change 1
CROSS_MS=$(lab cross)
LONG_MS=$(python3 -c "print($SG_MS+2*$CROSS_MS)")
ok "... with the latencies before and after" nth path-change 1 \
	"near(d['from_ns'], $SG_MS) and near(d['to_ns'], $LONG_MS)"
ok "... lane, path and what it was" nth path-change 1 \
	'(d["lane"], d["path"], d["what"], d["back"])==("SG", "sg-cable", "latency", False)'
ok "... both detours that fit, the better one first" nth path-change 1 \
	'[f["name"] for f in d["fits"]]==["Tokyo", "Hong Kong"] and "fits Tokyo + " in m'
ok "... and two hops more" nth path-change 1 \
	"(d['from_hops'], d['to_hops'])==(63, 61) and 'hop limit 63 -> 61' in m"
ok "the budget is broken" wait_until 15 nth budget 1 \
	'd["lane"]=="SG" and d["state"]=="broken" and d["value_ns"]>46e6'
ok "the lane is marked" lane SG 'p["sg-cable"]["state"]=="changed" and p["sg-cable"]["since"]'
ok "GET lanes keeps its schema" schema lanes lanes

# --- mended while the agent is away ---
agent_kill TERM
lab mend SG
agent_start
ok "a restarted agent finds that it is back" happens path-change 2
ok "... and says that it may have happened meanwhile" nth path-change 2 \
	"near(d['from_ns'], $LONG_MS) and near(d['to_ns'], $SG_MS) and d['back'] and 'away' in m"
ok "the budget is kept again" wait_until 40 nth budget 2 'd["state"]=="kept"'

# --- another path ---
lab cut SG
ok "a cut-over to another path is told within the hold" happens path-change 3
ok "... from which to which" nth path-change 3 \
	'(d["path_from"], d["path_to"], d["path"])==("sg-cable", "hk-cable", "hk-cable") and d["share"]>0.9'
ok "... with the latencies before and after" nth path-change 3 \
	"near(d['from_ns'], $SG_MS) and near(d['to_ns'], $SG_MS+$CROSS_MS)"
ok "... the detour, and a hop more" nth path-change 3 \
	'd["fits"][0]["name"]=="Hong Kong" and (d["from_hops"], d["to_hops"])==(63, 62)'
marked() {
	lane SG "p['hk-cable']['state']=='changed' and p['hk-cable']['since'] and near(p['hk-cable']['baseline_ns'], $SG_MS)" &&
		sealane lanes SG | grep -q 'hk-cable  *changed' &&
		sealane watch -n 1 </dev/null | grep -q '^1 path changed'
}
ok "the new path is marked in lanes and watch, with what was usual" marked
agent_kill KILL
agent_start
ok "... over kill -9 too" wait_until 15 marked
lab mend SG
ok "the way back is told likewise" happens path-change 4
ok "... as such" nth path-change 4 \
	'(d["path_from"], d["path_to"], d["back"])==("hk-cable", "sg-cable", True)'
ok "... and nothing is marked any more" lane SG \
	'all(x["state"]!="changed" for x in l["paths"])'

whole() { # no row of a path that says nothing, and each packet in the lane's sum
	lane SG 'all(x["samples"] or x["state"]!="learning" for x in l["paths"]) and
l["packets_per_s"]>=sum(x["packets_per_s"] for x in l["paths"])-0.1*len(p)>10'
}
ok "paths that say nothing are no rows, but their packets count" whole

# --- a file that was damaged ---
agent_kill TERM
ok "what is usual is kept on disk" grep -q '"lane":"SG","path":"sg-cable"' "$LAB_DIR/state/changes.json"
head -c 3000 /dev/urandom >"$LAB_DIR/state/changes.json"
agent_start
told() { sealane events --kind disk | grep -q 'changes.json could not be read'; }
ok "a damaged file is told, and all is learned again" told
ok "... to the same" wait_until 30 lane SG 'p["sg-cable"]["state"]=="steady"'

# --- all in all ---
ok "the lane that nobody touched has changed nowhere" test \
	"$(count_of path-change HK)" = 0
ok "four changes were four events" test "$(count_of path-change SG)" = 4
ok "events keep their schema" schema events events
sealane events --kind path-change >"$LAB_DIR/said"
ok "sealane events shows a change in words" grep -q \
	'SG by sg-cable: the way has changed, p5 3[0-9.]* -> 5[0-9.]* ms since' "$LAB_DIR/said"
sealane lanes >"$LAB_DIR/said"
ok "sealane lanes shows lanes and budgets" grep -q 'p50 <= 46ms over 10s  kept' "$LAB_DIR/said"
ok "a lane that is none is refused" sh -c "! $BUILD/sealane lanes SG XX"
tap_end
