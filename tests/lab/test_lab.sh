#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The lab with assertions, in TAP. Truth is what the link emulator logged.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-test.XXXXXX)
export LAB_DIR
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"

compare() { # LANE METHOD FIELD: within 3 % of the truth
	python3 - "$LAB_DIR" "$@" <<-'EOF'
		import json, sys
		d, lane, method, field = sys.argv[1:]
		true = dict(l.split() for l in open(d + "/truth"))[lane]
		rows = json.load(open(d + "/latency.json"))["rows"]
		r = [r for r in rows if r["lane"] == lane and r["method"] == method]
		got = r[0][field] / 1e6 if r else -1
		print(lane, method, field, "measured", got, "true", true)
		sys.exit(0 if abs(got - float(true)) <= 0.03 * float(true) else 1)
	EOF
}

retrans() {
	python3 - "$LAB_DIR" <<-'EOF'
		import json, sys
		rows = json.load(open(sys.argv[1] + "/latency.json"))["rows"]
		ppm = {r["lane"]: r["retrans_ppm"] or 0 for r in rows}
		print(ppm)
		rest = max(v for k, v in ppm.items() if k != "JKT")
		sys.exit(0 if ppm["JKT"] > 1000 and ppm["JKT"] > 3 * rest else 1)
	EOF
}

path_is() { # LANE PATH
	[ "$(figure latency "$1" --by lane,path --half far -- \
		'[r["path"] for r in d["rows"]]')" = "['$2']" ]
}

answers() { in_ns home ping -c 2 -i 0.2 -W 1 "$1"; }
silent() { ! in_ns home ping -c 3 -i 0.2 -W 1 "$1"; }
lossless() { # FILE: ping -q's summary says that nothing was lost
	grep -q ' 0% packet loss' "$1" || { cat "$1"; return 1; }
}
grows() { # BEFORE AFTER: two lists of numbers
	echo "before $1 after $2"
	python3 -c "b=$1; a=$2; assert len(a)>=len(b) and all(y>=x for x,y in zip(b,a))"
}
lane_counters() {
	figure latency --since -1h --by lane -- \
		'[r["packets"] for r in d["rows"]]'
}
reasons() { figure status -- '[r["packets"] for r in d["reasons"].values()]'; }
origin() { [ "$(figure status -- 'd["agent"]["origin"]')" = "$1" ]; }
attached() { # COUNT
	[ "$(in_ns gw ip -d link | grep -c 'prog/xdp')" = "$1" ]
}
median() { figure latency "$1" --half far --since -1h -- \
	'[r["p50_ns"] for r in d["rows"] if r["method"]=="icmp"][0]'; }
near() { # A B: within 3 %
	echo "$1 $2"
	python3 -c "assert abs($1-$2) <= 0.03*$2"
}
refused() { # WANTED_EXIT TEXT COMMAND...
	local want=$1 text=$2 rc
	shift 2
	"$@" >"$LAB_DIR/refused" 2>&1
	rc=$?
	cat "$LAB_DIR/refused"
	[ $rc = "$want" ] && grep -q "$text" "$LAB_DIR/refused"
}

lab up || bail "the lab did not come up"

# --- first light ---
agent_start || { sed 's/^/# /' "$LAB_DIR/agent.log"; bail "no agent"; }
ok "three interfaces run native XDP" attached 3
ok "the agent loaded a fresh data plane" origin fresh
lab traffic 12
lab truth >"$LAB_DIR/truth"
sealane -j latency --half far >"$LAB_DIR/latency.json"
for lane in $(site_names); do
	ok "$lane: handshake median within 3 % of the cable" \
		compare "$lane" tcp-hs p50_ns
	ok "$lane: ping median within 3 % of the cable" \
		compare "$lane" icmp p50_ns
	ok "$lane: time stamp minimum within 3 % of the cable" \
		compare "$lane" tcp-ts min_ns
done
ok "the lossy lane shows its retransmissions" retrans
ok "Bangkok's detour shows as its path" path_is BKK hk-cable
ok "Singapore takes its own cable" path_is SG sg-cable

# --- every answer is what its schema says ---
schema() { # NAME COMMAND...
	local name=$1
	shift
	sealane -j "$@" | /usr/bin/python3 "$TOP/tests/schema.py" "$name"
}
ok "status keeps its schema" schema status status
ok "latency keeps its schema" schema latency latency
ok "latency, merged, keeps its schema" schema latency latency --by half
ok "explain keeps its schema" schema explain explain "$(site_v4 SG)"
ok "block keeps its schema" schema commit block 192.0.2.9 --for 1h
ok "explain of a blocked host keeps its schema" schema explain explain 192.0.2.9
ok "unblock keeps its schema" schema commit unblock 192.0.2.9

# --- lists ---
printf '192.0.2.0/25\n198.51.100.1 # one\n192.0.2.128-192.0.2.130\n' >"$LAB_DIR/l"
ok "list replace keeps its schema" schema list_commit list replace spam "$LAB_DIR/l"
ok "list ls keeps its schema" schema lists list ls
ok "list show keeps its schema" schema list list show spam --limit 2
ok "a listed address is explained" \
	test "$(figure explain 192.0.2.129 -- 'd["lists"][0]["prefix"]')" = 192.0.2.128/31
ok "several blocks at once keep the schema" schema commit block 192.0.2.9 2001:db8:99::9
ok "several unblocks at once too" schema commit unblock 192.0.2.9 2001:db8:99::9
ok "a block of a wide prefix is taken" schema commit block 96.0.0.0/4
ok "and is unblocked" schema commit unblock 96.0.0.0/4
site_v4 SG >"$LAB_DIR/l"
sealane list replace spam "$LAB_DIR/l" --force >/dev/null
ok "a listed site is silent" silent "$(site_v4 SG)"
printf '192.0.2.1\nbanana\n192.0.2.1/24\n' >"$LAB_DIR/bad"
ok "a bad list is refused with its lines" \
	refused 2 'bad:2: banana' sealane list replace spam "$LAB_DIR/bad"
ok "... and its remedy" \
	refused 2 'bad:3: .*write 192.0.2.0/24' sealane list replace spam "$LAB_DIR/bad"
ok "... and the former list stays" silent "$(site_v4 SG)"
printf '0.0.0.0/1\n128.0.0.0/1\n' >"$LAB_DIR/l"
sealane list replace spam "$LAB_DIR/l" --force >/dev/null
ok "a protected address is open below any list" answers 198.18.0.1
ok "list remove keeps its schema" schema list_commit list remove spam
ok "and the site answers again" answers "$(site_v4 SG)"
ok "doctor keeps its schema" schema doctor doctor in0
ok "a refusal keeps its schema" schema error block 198.18.0.1
ok "bypass keeps its schema" schema bypass bypass off
ok "detach keeps its schema" schema attach detach sg0
ok "attach keeps its schema" schema attach attach sg0 --side outside \
	--path sg-cable

# --- block and unblock ---
ok "Singapore answers before it is blocked" answers "$(site_v4 SG)"
ok "block is accepted" sealane block "$(site_v4 SG)" "$(site_v6 SG)" --why test --force
ok "blocked, IPv4" silent "$(site_v4 SG)"
ok "blocked, IPv6" silent "$(site_v6 SG)"
dropped() {
	[ "$(figure explain "$(site_v4 SG)" -- 'd["blocks"][0]["packets"]')" -ge 3 ]
}
ok "the drops are counted" dropped
ok "a neighbour of the blocked host answers" answers 198.18.10.1
ok "a protected prefix is refused, by name" refused 2 protected \
	sealane block 198.18.0.1
ok "a block that covers a protected prefix is refused" refused 2 protected \
	sealane block 198.18.0.0/16
ok "everything at once is refused" refused 2 everything sealane block 0.0.0.0/0
ok "unblock is accepted" sealane unblock "$(site_v4 SG)" "$(site_v6 SG)"
ok "Singapore answers again" answers "$(site_v4 SG)"
ok "a block with an end is accepted" sealane block "$(site_v4 KL)" --for 3s --force
ok "a host is counted only" sealane block "$(site_v4 MNL)" --count-only
ok "a counted host still answers" answers "$(site_v4 MNL)"
sleep 3
ok "the block with an end has ended" answers "$(site_v4 KL)"

# --- the agent dies ---
sealane block "$(site_v4 SG)" --why "through the night" --force >/dev/null
before_lanes=$(lane_counters) before_reasons=$(reasons)
before_median=$(median HK)
in_ns home ping -q -i 0.02 -c 400 -W 2 "$(site_v4 HK)" >"$LAB_DIR/ping" 2>&1 &
ping=$!
sleep 1
agent_kill KILL
ok "attached while the agent is dead" attached 3
ok "the block holds while the agent is dead" silent "$(site_v4 SG)"
ok "an unreachable agent is exit 3" refused 3 "no agent" sealane status
agent_start
ok "the restarted agent adopted the data plane" origin adopted
ok "the block holds after the restart" silent "$(site_v4 SG)"
ok "the block's reason is kept" sh -c "$(declare -f sealane in_ns ns_name \
	bpffs_dir); BUILD=$BUILD; sealane explain $(site_v4 SG) | grep -q night"
wait $ping
ok "no packet was lost over kill and restart" lossless "$LAB_DIR/ping"
sleep 1.2
ok "lane counters only grew" grows "$before_lanes" "$(lane_counters)"
ok "exit counters only grew" grows "$before_reasons" "$(reasons)"
ok "the same median after the restart" near "$(median HK)" "$before_median"
sealane unblock "$(site_v4 SG)" >/dev/null

# --- bypass and detach without an agent ---
sealane block "$(site_v4 SG)" --force >/dev/null
agent_kill KILL
ok "bypass on works with the agent dead" sealane bypass on --why test
ok "bypass lets a blocked host through" answers "$(site_v4 SG)"
ok "bypass off works with the agent dead" sealane bypass off
ok "and the block is back" silent "$(site_v4 SG)"
ok "detach works with the agent dead" sealane detach sg0
ok "one interface less" attached 2
ok "detached lets a host through" answers "$(site_v4 SG | sed 's/10\.2/12.2/')"

# --- an older build's pins, adopted by this one under traffic ---
if make -s -C "$TOP" BUILD="$LAB_DIR/old" SL_VERSION=0.0.9-old \
	"$LAB_DIR/old/sealaned" >"$LAB_DIR/old.log" 2>&1; then
	agent_start "$LAB_DIR/old/sealaned"
	ok "the older build runs" sh -c "$(declare -f sealane in_ns ns_name \
		bpffs_dir); BUILD=$BUILD; sealane -j status | grep -q 0.0.9-old"
	before_reasons=$(reasons)
	in_ns home ping -q -i 0.02 -c 300 -W 2 "$(site_v4 HK)" >"$LAB_DIR/ping" 2>&1 &
	ping=$!
	sleep 1
	agent_kill TERM
	agent_start
	ok "this build adopted the older one's pins" origin adopted
	wait $ping
	ok "no packet was lost over the upgrade" lossless "$LAB_DIR/ping"
	ok "counters only grew over the upgrade" \
		grows "$before_reasons" "$(reasons)"
else
	sed 's/^/# /' "$LAB_DIR/old.log" | tail -5
	ok "an older build can be made" false
fi

# --- bad configurations ---
cp "$LAB_DIR/sealane.yaml" "$LAB_DIR/good.yaml"
sed -i 's/side: inside/side: upside/; s/name: HK,/nmae: HK,/' \
	"$LAB_DIR/sealane.yaml"
ok "--check names the line of a bad side" refused 2 'yaml:2:.*upside' \
	"$BUILD/sealaned" -c "$LAB_DIR/sealane.yaml" --check
generation=$(figure status -- 'd["epoch"]')
kill -HUP "$(agent_pid)"
sleep 1
ok "a bad file on SIGHUP is refused in the log" \
	grep -q 'job .* refused, nothing was changed' "$LAB_DIR/agent.log"
same() { [ "$(figure status -- 'd["epoch"]')" = "$generation" ]; }
ok "... and changes nothing" same
cp "$LAB_DIR/good.yaml" "$LAB_DIR/sealane.yaml"
sed -i 's/name: HK,/name: HKG,/' "$LAB_DIR/sealane.yaml"
kill -HUP "$(agent_pid)"
renamed() { [ "$(figure explain "$(site_v4 HK)" -- 'd["lane"]')" = HKG ]; }
ok "a good file on SIGHUP is taken" wait_until 5 renamed
ok "a second agent is refused with the pid of the first" \
	refused 2 "$(agent_pid)" in_ns gw "$BUILD/sealaned" -c "$LAB_DIR/good.yaml"

# --- undo ---
for i in in0 hk0 sg0; do sealane detach $i; done >/dev/null
ok "detach leaves no program behind" attached 0
tap_end
