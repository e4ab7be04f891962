#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Half self without the module: lanes and paths are right, the traffic does not
# notice, other people's filters stay, the agent may die.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-self.XXXXXX)
export LAB_DIR SITES="SG:10:36:2:2900: HK:15:12:1:650:"
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"

self() { # EXPRESSION over rows r of half self, by lane
	sealane -j latency --half self --since -1h | python3 -c "import json,sys
r={x['lane']:x for x in json.load(sys.stdin)['rows']}
print(r); assert $1"
}
status() { # EXPRESSION over d
	sealane -j status | python3 -c "import json,sys
d=json.load(sys.stdin); s=d['residence']; print(s); assert $1"
}
filters() { # IF ingress|egress: names of the programs, and of other kinds
	in_ns gw tc filter show dev "$1" "$2" |
		sed -n 's/.* name \([a-z_]*\) tag.*/\1/p; s/.* \(u32\) chain 0 fh 80[0-9]::800.*/\1/p' |
		tr '\n' ' '
}
has() { # IF ingress|egress WORDS
	echo "$(filters "$1" "$2")"
	[ "$(filters "$1" "$2")" = "$3" ]
}
program() { in_ns gw tc filter show dev in0 ingress | sed -n 's/.* id \([0-9]*\) .*/\1/p'; }
pings() { in_ns home ping -q -c "${2:-100}" -i 0.005 "$1" | grep ' 0% packet loss'; }
schema() { # NAME COMMAND...
	local name=$1
	shift
	sealane -j "$@" | /usr/bin/python3 "$TOP/tests/schema.py" "$name"
}

refused() { # TEXT COMMAND...: exit 2, and the text
	local rc text=$1
	shift
	sealane "$@" >"$LAB_DIR/refused" 2>&1
	rc=$?
	cat "$LAB_DIR/refused"
	[ $rc = 2 ] && grep -q "$text" "$LAB_DIR/refused"
}

lab up || bail "the lab did not come up"
# somebody else's filter in the same qdisc
in_ns gw tc qdisc add dev in0 clsact
in_ns gw tc filter add dev in0 ingress protocol ip pref 77 u32 \
	match ip dst 203.0.113.77/32 flowid 1:1
agent_start || { sed 's/^/# /' "$LAB_DIR/agent.log"; bail "no agent"; }

sleep 2.2	# until it is known how few packets come
ok "sealane_in is at the inside, before somebody else's" has in0 ingress "sealane_in u32 "
ok "... and sealane_out at its egress, for packets that turn back" has in0 egress "sealane_out "
ok "sealane_out is at the outside" has sg0 egress "sealane_out "
ok "... and not at its ingress" has sg0 ingress ""
ok "IPv6 to Singapore loses nothing" pings "$(site_v6 SG)"
sleep 1.2
ok "IPv6: half self is on Singapore's lane and path alone, by method tc" self \
	"list(r)==['SG'] and r['SG']['path']=='sg-cable' and r['SG']['method']=='tc'
assert r['SG']['samples']>=30 and r['SG']['far_net_ns'] is None"
ok "IPv4 to Hong Kong loses nothing" pings "$(site_v4 HK)"
sleep 1.2
ok "IPv4: likewise on Hong Kong's" self \
	"set(r)=={'SG','HK'} and r['HK']['path']=='hk-cable' and r['HK']['samples']>=30"
ok "it is what forwarding takes: microseconds" self \
	"all(500<x['min_ns']<=x['p50_ns']<2e6 for x in r.values())"
ok "status names the source, and what it leaves out" status \
	"s['source']=='tc' and 'without that queue and the NIC' in s['means']"
# all 200 pings; some more are for the gateway itself: neighbours that look for each
# other
ok "... and counts: what was chosen has left outside" status \
	"s['left']>=195 and s['left']<=s['chosen']<=s['left']+12 and not s['elsewhere']"
ok "... and the interfaces" status \
	"sorted((i['name'],i['in'],i['out'],i['why']) for i in s['interfaces'])==[('hk0',False,True,None),('in0',True,True,None),('sg0',False,True,None)]"
ok "status keeps its schema" schema status status
ok "latency keeps its schema" schema latency latency

ok "module keeps its schema" schema module module
if [ -e /sys/module/sealane ]; then
	skip "module on without one is refused" "this host has the module"
else
	ok "module on without one is refused" refused "modprobe sealane" module on
fi
ok "module off is for later" test "$(figure module off -- \
	'(d["used"],d["switched_off"],d["loaded"])')" = "(False, True, False)"

ok "... and an event" test "$(figure events --kind module -- \
	'[e["message"] for e in d["events"]]')" = "['module switched on by root', 'module switched off by root']"

merged() { # self samples stand in no row that merges halves
	sealane -j latency --since -1h >"$LAB_DIR/all"
	sealane -j latency --since -1h --by lane >"$LAB_DIR/lane"
	python3 - "$LAB_DIR" <<-'END'
		import json, sys
		rows = lambda f: json.load(open(sys.argv[1] + "/" + f))["rows"]
		both = sum(r["samples"] for r in rows("all") if r["half"] != "self")
		self = sum(r["samples"] for r in rows("all") if r["half"] == "self")
		got = sum(r["samples"] for r in rows("lane"))
		print(both, self, got)
		assert self > 60 and got == both
	END
}
ok "answers that merge halves leave self out" merged

# --- the traffic does not notice ---
head -c 3000000 /dev/urandom >"$LAB_DIR/www/big"
same() {
	in_ns home curl -sf -m 20 "http://$1/big" | cmp - "$LAB_DIR/www/big"
}
ok "TCP carries every byte, IPv4" same "$(site_v4 SG)"
ok "... and IPv6" same "[$(site_v6 SG)]"
# What leaves home is chosen from. Some hundred packets a second are: were one of
# them lost or late, it would show; a busy host makes TCP repeat one or two.
upload() {
	in_ns home iperf3 -c "$(site_v4 HK)" -b 20M -t 2 -J >"$LAB_DIR/iperf" &&
		python3 -c "import json; d=json.load(open('$LAB_DIR/iperf'))
s=d['end']['sum_sent']; print(s); assert s['retransmits']<=5 and s['bytes']>3e6"
}
ok "an upload is hardly ever retransmitted" upload
ok "hardly anything on the lanes was overtaken" status \
	"all(l['tcp'][w]['reordered']<=5 for l in d['lanes'] for w in ('out','in'))"

# --- how many are chosen ---
chosen() { figure status -- 'd["residence"]["chosen"]'; }
per_s() { # N: by a reload
	sed -i '/^residence:/d' "$LAB_DIR/sealane.yaml"
	echo "residence: {per_s: $1}" >>"$LAB_DIR/sealane.yaml"
	kill -HUP "$(agent_pid)"
	wait_until 5 status "s['per_s']==$1"
}
rate() { # N: chosen in 3 s of 200 pps
	local before
	per_s "$1"
	in_ns home ping -q -c 1040 -i 0.005 "$(site_v4 HK)" >/dev/null &
	work=($!)
	sleep 2.1	# it settles within a second or two
	before=$(chosen)
	sleep 3
	echo $(($(chosen) - before))
	wait "${work[0]}"
	work=()
}
about() { # WANTED: within a half
	local got
	got=$(rate "$1")
	echo "chosen in 3 s: $got, wanted about $((3 * $1))"
	[ "$got" -ge $((3 * $1 / 2)) ] && [ "$got" -le $((9 * $1 / 2)) ]
}
ok "per_s is about what is chosen" about 20
none() { [ "$(rate 0)" = 0 ] && status "s['source']=='none' and s['every']==0"; }
ok "per_s 0 chooses none, and says so" none
per_s 500
sleep 2.2

# --- the agent may die ---
old=$(program)
self_samples() { figure latency HK --half self --since -1h -- 'd["rows"][0]["samples"]'; }
before=$(self_samples)
agent_kill KILL
ok "the filters stay when the agent is killed" has sg0 egress "sealane_out "
ok "traffic goes on without it" pings "$(site_v4 HK)"
agent_start
sleep 1.2
ok "what was measured meanwhile is there" test "$(self_samples)" -ge "$((before + 30))"
ok "the next agent's programs took their place" test "$(program)" != "$old"
ok "... once each" has in0 ingress "sealane_in u32 "
before=$(self_samples)
pings "$(site_v4 HK)" >/dev/null
sleep 1.2
ok "and it goes on" test "$(self_samples)" -gt "$before"

# --- filters are mended, foreign ones are left alone ---
in_ns gw tc filter del dev sg0 egress
ok "a filter that somebody took off comes back" wait_until 8 has sg0 egress "sealane_out "
make_turn
in_ns gw tc filter del dev hk0 egress
in_ns gw tc filter add dev hk0 egress pref 29 handle 0x5ea1a9e \
	bpf da obj "$LAB_DIR/turn.o" sec tc
ok "one that is not ours in our place is said" wait_until 8 status \
	"[(i['out'],'somebody' in i['why']) for i in s['interfaces'] if i['name']=='hk0']==[(False,True)]"
ok "... stays" has hk0 egress "turn "
ok "... and XDP with it" status \
	"[i['state'] for i in d['interfaces'] if i['name']=='hk0']==['attached']"
ok "... and is an event" test "$(figure events --kind interface -- \
	'sum("half self is not measured" in e["message"] for e in d["events"])')" = 1
ok "traffic does not care" pings "$(site_v4 HK)"

# a filter of others that ends the chain writes its class over our number
in_ns gw tc filter add dev in0 ingress protocol ip pref 78 u32 match u32 0 0 flowid 1:1
left() { figure status -- 'd["residence"]["left"]'; }
ended() {
	local c l
	c=$(chosen) l=$(left)
	pings "$(site_v4 SG)" || return 1
	echo "chosen $(($(chosen) - c)), left $(($(left) - l))"
	[ $(($(chosen) - c)) -ge 30 ] && [ $(($(left) - l)) = 0 ]
}
ok "somebody else's filter that ends the chain shows as chosen and not left" ended

# --- off again ---
sealane detach hk0 >/dev/null
ok "detach leaves it alone too" has hk0 egress "turn "
sealane detach sg0 >/dev/null
ok "detach takes ours off" has sg0 egress ""
agent_kill KILL
sealane detach in0 >"$LAB_DIR/out" 2>&1
ok "so does detach without an agent, and leaves others'" has in0 ingress "u32 u32 "
ok "... at the egress too" has in0 egress ""
tap_end
