#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Real BGP peers beside the gateway: two ExaBGPs and two GoBGPs in its
# namespace, with the configurations of dist/ as they stand. What the far one
# announces, the lab's traffic must feel.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-test.XXXXXX)
export LAB_DIR
export SITES="SG:10:10:2:1000: BKK:14:10:1:1000:"
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"

WITHIN_MS=1000		# from the announcement to the last packet
ASKED_MS=2500		# to where a list says so: asking takes its time
GRACE_S=4

now_ms() { date +%s%3N; }

# --- peers ---
# The far ExaBGP takes its commands from a FIFO.
write_far() {
	cat >"$LAB_DIR/far.conf" <<-EOC
		process commands {
		    run /bin/cat $LAB_DIR/commands;
		    encoder text;
		}
		neighbor 192.0.2.1 {
		    router-id 192.0.2.2;
		    local-address 192.0.2.2;
		    local-as 65002;
		    peer-as 65001;
		    hold-time 30;
		    family {
		        ipv4 unicast;
		        ipv6 unicast;
		        ipv4 flow;
		        ipv6 flow;
		    }
		    api { processes [ commands ]; }
		}
	EOC
	sed -e 's/65001/65009/; s/65002/65001/; s/65009/65002/' \
		-e 's/192.0.2.3/192.0.2.9/g; s/192.0.2.4/192.0.2.3/g' \
		-e 's/192.0.2.9/192.0.2.4/g' \
		"$TOP/dist/gobgpd.conf.example" >"$LAB_DIR/far.toml"
}
far_up() {
	in_ns_bg gw env exabgp.daemon.user=root exabgp.tcp.bind=192.0.2.2 \
		exabgp.api.ack=false exabgp "$LAB_DIR/far.conf" \
		>>"$LAB_DIR/far.log" 2>&1 &
	far=$!
	work+=($far)
}
exabgp_up() {
	# PATH leads its `env sealane` to this build; the shorter grace time
	# is the only word of the example that is changed
	sed "s/--grace 120s/--grace ${GRACE_S}s/" \
		"$TOP/dist/exabgp.conf.example" >"$LAB_DIR/exabgp.conf"
	# not as root: the agent's roles: let this user in, and he finds both
	mkdir -p "$LAB_DIR/bin"
	cp "$BUILD/sealane" "$LAB_DIR/bin"
	chmod 755 "$LAB_DIR"
	PATH=$LAB_DIR/bin:$PATH in_ns_bg gw env exabgp.daemon.user=exabgp \
		exabgp.tcp.bind=192.0.2.1 exabgp "$LAB_DIR/exabgp.conf" \
		>>"$LAB_DIR/exabgp.log" 2>&1 &
	exabgp=$!
	work+=($exabgp)
}
gobgp_up() {
	in_ns_bg gw gobgpd -f "$TOP/dist/gobgpd.conf.example" --pprof-disable \
		--api-hosts 127.0.0.1:50051 >"$LAB_DIR/gobgp.log" 2>&1 &
	work+=($!)
	in_ns_bg gw gobgpd -f "$LAB_DIR/far.toml" --pprof-disable \
		--api-hosts 127.0.0.1:50052 >"$LAB_DIR/fargo.log" 2>&1 &
	fargo=$!
	work+=($fargo)
}
monitor_up() {
	mkfifo "$LAB_DIR/monitor"
	in_ns_bg gw gobgp monitor global rib -j -a ipv4-flowspec --current \
		>"$LAB_DIR/monitor" 2>/dev/null &
	work+=($!)
	in_ns_bg gw "$BUILD/sealane" flowspec gobgp --grace ${GRACE_S}s \
		<"$LAB_DIR/monitor" 2>"$LAB_DIR/feed.err" &
	work+=($!)
}
tell() { echo "$*" >&7; }
fargobgp() { in_ns gw gobgp -p 50052 global rib "$@"; }

# --- what is true ---
flow() { # EXPRESSION over n (neighbours) and r (rules)
	sealane -j flowspec ls | python3 -c 'import json, sys
d = json.load(sys.stdin)
n = {x["neighbour"]: x for x in d["neighbours"]}
r = d["rules"]
ok = lambda text: any(x["enforced"] and text in (x["match"] or "") for x in r)
assert eval(sys.argv[1]), d' "$1"
}
answers() { in_ns home ping -c 1 -W 1 "$1" >/dev/null; }
silent() { ! in_ns home ping -c 2 -i 0.1 -W 0.4 "$1" >/dev/null; }
serves() { in_ns home curl -sf -m 2 -o /dev/null "http://$1/page"; }
serves_not() { ! in_ns home curl -sf -m 1 -o /dev/null "http://$1/page"; }

# How long until a command is true, from a moment on; at most so many ms.
within() { # FROM_MS AT_MOST_MS COMMAND...
	local from=$1 most=$2 took
	shift 2
	while :; do
		"$@" >"$LAB_DIR/last" 2>&1 && break
		took=$(($(now_ms) - from))
		[ $took -gt "$most" ] && { cat "$LAB_DIR/last"; return 1; }
	done
	took=$(($(now_ms) - from))
	echo "# $took ms until: $*" >>"$LAB_DIR/took"
	[ $took -le "$most" ]
}
# A stream of packets, 20 ms apart, with the time of each answer.
stream() { # ADDRESS FILE
	in_ns_bg home ping -D -i 0.02 -w 60 "$1" >"$2" 2>&1 &
	streaming=$!
	work+=($streaming)
}
# ms between a moment and the last answer (or the first one behind a gap).
answered() { # FILE FROM_MS last|first
	python3 - "$@" <<-'EOF'
		import re, sys
		t = [float(m.group(1)) * 1000 for m in
		     (re.match(r"\[([0-9.]+)\].*time=", l) for l in open(sys.argv[1])) if m]
		start = float(sys.argv[2])
		t = [x - start for x in t if x >= start]
		print(int((t[-1] if sys.argv[3] == "last" else t[0]) if t else -1 if sys.argv[3] == "first" else 0))
	EOF
}
stopped_in_time() { # FILE FROM_MS
	sleep 1.5
	local ms
	ms=$(answered "$1" "$2" last)
	echo "the last answer came $ms ms after the announcement"
	echo "# $ms ms until the last answer, ${1##*/}" >>"$LAB_DIR/took"
	[ "$ms" -le $WITHIN_MS ]
}
resumed_in_time() { # FILE FROM_MS AT_MOST_MS
	sleep "$(($3 / 1000)).3"
	local ms
	ms=$(answered "$1" "$2" first)
	echo "the first answer came $ms ms after"
	echo "# $ms ms until the first answer, ${1##*/}" >>"$LAB_DIR/took"
	[ "$ms" -ge 0 ] && [ "$ms" -le "$3" ]
}

lab up || bail "the lab did not come up"
for i in 1 2 3 4; do in_ns gw ip addr add 192.0.2.$i/32 dev lo; done
echo "roles: {enforce: [exabgp]}" >>"$LAB_DIR/sealane.yaml"
agent_start || { sed 's/^/# /' "$LAB_DIR/agent.log"; bail "no agent"; }
mkfifo "$LAB_DIR/commands"
exec 7<>"$LAB_DIR/commands"
write_far
exabgp_up
far_up
gobgp_up
ok "ExaBGP's session is up, by the example's configuration" \
	wait_until 30 flow 'n["192.0.2.2"]["state"] == "up"'
ok "Singapore answers" answers "$(site_v4 SG)"

# --- ExaBGP ---
sg4=$(site_v4 SG) sg6=$(site_v6 SG)
discard4="flow route { match { destination $sg4/32; protocol icmp; } then { discard; } }"
discard6="flow route { match { destination $sg6/128; next-header 58; } then { discard; } }"
port6="flow route { match { destination $sg6/128; next-header tcp; destination-port =80; } then { discard; } }"
stream "$sg4" "$LAB_DIR/ping4"
sleep 1
from=$(now_ms)
tell "announce $discard4"
ok "an announced IPv4 rule is in the list soon" \
	within "$from" $ASKED_MS flow 'ok("'"$sg4"'/32 protocol =1")'
ok "and the stream of packets has ended within a second" \
	stopped_in_time "$LAB_DIR/ping4" "$from"
ok "what it drops is counted by rule" flow \
	'any(x["packets"] > 10 and x["last_hit"] for x in r)'
ok "other protocols to that host go on" serves "$sg4"
ok "and its neighbour answers" answers 198.18.10.1
from=$(now_ms)
tell "withdraw $discard4"
ok "withdrawn, the stream resumes within a second" \
	resumed_in_time "$LAB_DIR/ping4" "$from" $WITHIN_MS

kill $streaming

stream "$sg6" "$LAB_DIR/ping6"
sleep 1
from=$(now_ms)
tell "announce $discard6"
ok "an announced IPv6 rule ends a stream within a second" \
	stopped_in_time "$LAB_DIR/ping6" "$from"
ok "the IPv6 page is served" serves "[$sg6]"
from=$(now_ms)
tell "withdraw $discard6"
ok "withdrawn, it resumes within a second" \
	resumed_in_time "$LAB_DIR/ping6" "$from" $WITHIN_MS
tell "announce $port6"
ok "a rule for a port stops that port" wait_until 3 serves_not "[$sg6]"
ok "and the stream goes on" answers "$sg6"
tell "withdraw $port6"
ok "withdrawn, the page is served again" wait_until 3 serves "[$sg6]"
kill $streaming

# --- blackholes ---
stream "$sg4" "$LAB_DIR/ping-hole"
sleep 1
from=$(now_ms)
tell "announce route $sg4/32 next-hop 192.0.2.2 community [ 65535:666 ]"
ok "a blackholed host goes silent within a second" \
	stopped_in_time "$LAB_DIR/ping-hole" "$from"
tell "announce route 198.18.10.0/24 next-hop 192.0.2.2 community [ 65535:666 ]"
ok "a blackhole for a network is refused, with a reason" wait_until 3 flow \
	'any("single hosts" in (x["reason"] or "") for x in r)'
from=$(now_ms)
tell "withdraw route $sg4/32 next-hop 192.0.2.2"
ok "the blackhole is lifted within a second" \
	resumed_in_time "$LAB_DIR/ping-hole" "$from" $WITHIN_MS
kill $streaming

# --- what may not be ---
tell "announce flow route { match { destination 198.18.0.1/32; protocol tcp; } then { discard; } }"
ok "a protected destination is refused" wait_until 3 flow \
	'any("protected 198.18.0.1" in (x["reason"] or "") for x in r)'
ok "and answers" answers 198.18.0.1
tell "announce flow route { match { destination $sg4/32; } then { redirect 65000:1; } }"
ok "a redirect is refused" wait_until 3 flow \
	'any("redirect" in (x["reason"] or "") for x in r)'
ok "flowspec ls keeps its schema" sh -c "$(declare -f sealane in_ns ns_name \
	bpffs_dir); BUILD=$BUILD; sealane -j flowspec ls |
	/usr/bin/python3 $TOP/tests/schema.py flowspec"

# --- the session is lost ---
tell "announce $discard4"
wait_until 3 silent "$sg4"
stream "$sg4" "$LAB_DIR/ping-loss"
from=$(now_ms)
kill -9 $far
ok "a lost session is in grace soon" \
	within "$from" $ASKED_MS flow 'n["192.0.2.2"]["state"] == "grace"'
ok "its rule holds within the grace time" silent "$sg4"
ok "and traffic resumes when that is over" \
	resumed_in_time "$LAB_DIR/ping-loss" "$from" $((GRACE_S * 1000 + 2000))
holds_grace() {
	local ms
	ms=$(answered "$LAB_DIR/ping-loss" "$from" first)
	echo "$ms ms after the loss"
	[ "$ms" -ge $(((GRACE_S - 1) * 1000)) ]
}
ok "not before" holds_grace
kill $streaming

# --- the agent dies, ExaBGP ends ---
exec 7>&-
rm "$LAB_DIR/commands"
mkfifo "$LAB_DIR/commands"
exec 7<>"$LAB_DIR/commands"
far_up
wait_until 20 flow 'n["192.0.2.2"]["state"] == "up"'
tell "announce $discard4"
ok "a new session is heard" wait_until 5 silent "$sg4"
agent_kill KILL
ok "the rule holds while the agent is dead" silent "$sg4"
agent_start
ok "and when it is back" silent "$sg4"
ok "which knows the session again within its helper's next word" \
	wait_until 8 flow 'n["192.0.2.2"]["state"] == "up" and ok("protocol =1")'
from=$(now_ms)
kill $exabgp
ok "ExaBGP ends: grace" wait_until 5 flow 'n["192.0.2.2"]["state"] == "grace"'
agent_kill KILL
ok "the rule holds, the agent dead, within the grace time" silent "$sg4"
ok "and ends by itself" wait_until $((GRACE_S + 2)) answers "$sg4"
agent_start

# --- GoBGP ---
established() { in_ns gw gobgp neighbor | grep -q Establ; }
ok "GoBGP's session is up, by the example's configuration" \
	wait_until 60 established
fargobgp add -a ipv4-flowspec match destination "$sg4/32" protocol icmp \
	then discard
monitor_up
ok "what was announced before the monitor ran is heard" \
	wait_until 5 silent "$sg4"
stream "$sg4" "$LAB_DIR/ping-go4"
from=$(now_ms)
fargobgp del -a ipv4-flowspec match destination "$sg4/32" protocol icmp \
	then discard
ok "GoBGP withdraws: the stream resumes within a second" \
	resumed_in_time "$LAB_DIR/ping-go4" "$from" $WITHIN_MS
kill $streaming
stream "$sg6" "$LAB_DIR/ping-go6"
sleep 1
from=$(now_ms)
fargobgp add -a ipv6-flowspec match destination "$sg6/128" protocol 58 \
	then discard
ok "GoBGP announces for IPv6: the stream ends within a second" \
	stopped_in_time "$LAB_DIR/ping-go6" "$from"
kill -9 $fargo
ok "GoBGP loses the session: traffic resumes" \
	wait_until $((GRACE_S + 5)) answers "$sg6"
cut -c1-100 "$LAB_DIR/took"
tap_end
