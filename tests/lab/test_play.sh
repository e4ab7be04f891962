#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Recordings of real peers, played live through a gateway at their recorded
# times: what it measures must be what the recordings hold. Among them is the
# honest spin bit that no package of Debian's brings. In TAP.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-play.XXXXXX)
export LAB_DIR
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"
echo "sp$$" >"$LAB_DIR/id"
: >"$LAB_DIR/pids"
REC=${SHARED:-$TOP/../shared}/data/recorded
CAPTURES="quic_v1_spin_10_15 srt_7_13 ping_4_11 tcp_ts_5_20_loss1
	tcp_nots_3_30_loss05"

# METHOD:HALF:QUANTILE:TRUTH'S NAME:SOURCE. tcp-hs has too few samples, of two
# recordings, for a median.
COMPARE="icmp:far:p50:icmp_echo:home tcp-hs:far:min:tcp_syn_synack:home
	tcp-hs:near:min:tcp_synack_ack:far tcp-ts:far:p50:tcp_ts_data:home
	tcp-seq:far:p50:tcp_seq:home quic-hs:far:p50:quic_handshake:home
	quic-spin:full:p50:quic_spin:home srt:near:p50:srt_ack:far"

as_recorded() { # METHOD HALF QUANTILE TRUTH SOURCE: within 3 %
	python3 - "$LAB_DIR" "$REC" "$@" <<-'END'
		import glob, json, statistics, sys
		lab, rec, method, half, quantile, name, source = sys.argv[1:]
		homes = ("10.9.0.1", "fd09::1")
		true = [s[1] for f in open(lab + "/captures").read().split()
		        for flow in json.load(open(f"{rec}/truth/{f}.pcap.json"))
		        ["methods"].get(name, [])
		        if (flow["src"] in homes) == (source == "home")
		        for s in flow["samples"]]
		true = min(true) if quantile == "min" else statistics.median(true)
		rows = [r for r in json.load(open(lab + "/latency.json"))["rows"]
		        if (r["method"], r["half"]) == (method, half)]
		print("true", true, "rows", rows)
		assert len(rows) == 1 and rows[0]["lane"] == "REC"
		assert abs(rows[0][quantile + "_ns"] - true) <= 0.03 * true
	END
}
as_replayed() { # live gave the samples that replay gives, but for 5 %
	local f
	while read -r f; do
		"$BUILD/sealane" -j replay "$REC/$f.pcap"
	done <"$LAB_DIR/captures" >"$LAB_DIR/replayed" &&
		python3 - "$LAB_DIR" <<-'END'
			import json, sys
			lab, want, got = sys.argv[1], {}, {}
			for line in open(lab + "/replayed"):
			    for m, v in json.loads(line)["methods"].items():
			        want[m] = want.get(m, 0) + v["samples"]
			for r in json.load(open(lab + "/latency.json"))["rows"]:
			    m = r["method"]
			    got[m] = got.get(m, 0) + r["samples"]
			print("replay", want, "live", got)
			assert want.keys() == got.keys()
			assert all(abs(got[m] - n) <= 1 + n / 20
			           for m, n in want.items())
		END
}
played() { # every frame with a direction went out, in time, and came in
	python3 - "$LAB_DIR" <<-'END'
		import json, sys
		lab = sys.argv[1]
		lines = [json.loads(l) for l in open(lab + "/cable.json")]
		print(*lines, sep="\n")
		assert len(lines) == len(open(lab + "/captures").read().split())
		assert all(l["too_long"] == l["unsent"] == 0 for l in lines)
		assert all(l["late_p50_ns"] < 1e6 for l in lines)
		ports = json.load(open(lab + "/status.json"))["interfaces"]
		print(ports)
		assert sum(p["packets"] for p in ports) == \
		    sum(l["packets"] for l in lines) > 0
	END
}

if [ ! -d "$REC" ]; then
	skip "recordings played through a gateway" "no $REC"
	tap_end
fi

# The gateway, and a namespace whose only part is to be opposite to it.
ip netns add "$(ns_name gw)"
ip netns add "$(ns_name wire)"
for ns in gw wire; do	# no frames but the recordings'
	in_ns $ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done
for pair in a0:in0 b0:hk0; do
	in_ns wire ip link add "${pair%:*}" type veth peer name "${pair#*:}" \
		netns "$(ns_name gw)"
	in_ns wire ip link set "${pair%:*}" up
	in_ns gw ip link set "${pair#*:}" up
done
cat >"$LAB_DIR/sealane.yaml" <<END
interfaces:
  - {name: in0, side: inside}
  - {name: hk0, side: outside, path: rec-cable}
home: [10.9.0.1, "fd09::1"]
lanes: [{name: REC, prefixes: [10.9.0.2, "fd09::2"]}]
tables: {flows: 1024, series: 64, size: small}
socket: $LAB_DIR/sealaned.sock
state_dir: $LAB_DIR/state
bpffs: $(bpffs_dir)
END
# --- cable's own words, and a capture at ten times its speed ---
cable() { in_ns wire timeout 20 "$BUILD/cable" "$@"; }
says() { # EXIT TEXT WORD...
	local rc
	cable "${@:3}" >"$LAB_DIR/said" 2>&1
	rc=$?
	cat "$LAB_DIR/said"
	[ $rc = "$1" ] && grep -q "$2" "$LAB_DIR/said"
}
ok "cable explains --play" says 0 'cable --play A:B,file=' --help
ok "a play without home is refused" says 1 'bad words' --play "a0:b0,file=x"
ok "a home with host bits is refused, with the reason" says 1 'prefix length' \
	--play a0:b0,file=x,home=10.9.0.1/8
ok "a file that is no capture is refused" says 2 'not a capture' \
	--play "a0:b0,file=$LAB_DIR/sealane.yaml,home=10.9.0.1"
ok "an interface that is not there is refused" says 2 'no interface c0' \
	--play "a0:c0,file=$REC/ping_4_11.pcap,home=10.9.0.1"
fast() {
	local from=$EPOCHREALTIME
	cable --play "a0:b0,file=$REC/srt_7_13.pcap,home=10.9.0.1,speed=10"
	python3 -c "s=$EPOCHREALTIME-$from; print(s); assert 1.4 < s < 3"
}
ok "speed=10 plays 15.7 s in a tenth of that" fast
stalled() {
	local from=$EPOCHREALTIME pid
	in_ns_bg wire "$BUILD/cable" --play \
		"a0:b0,file=$REC/srt_7_13.pcap,home=10.9.0.1,speed=10" \
		>"$LAB_DIR/stalled" &
	pid=$!
	sleep 0.5
	kill -STOP $pid
	sleep 0.5
	kill -CONT $pid
	wait $pid
	cat "$LAB_DIR/stalled"
	python3 -c "s=$EPOCHREALTIME-$from; print(s); assert 2 < s < 4"
	grep -q '"stalls":[1-9]' "$LAB_DIR/stalled"
}
ok "a stop of 0.5 s postpones the rest by as much" stalled

# --- at their own speed, all at once ---
agent_start || { sed 's/^/# /' "$LAB_DIR/agent.log"; bail "no agent"; }

args=()
for f in $CAPTURES; do
	args+=(--play "a0:b0,file=$REC/$f.pcap,home=10.9.0.1,home=fd09::1")
	echo "$f" >>"$LAB_DIR/captures"
done
in_ns_bg wire timeout 30 "$BUILD/cable" "${args[@]}" >"$LAB_DIR/cable.json" &
work=($!)
wait "${work[@]}"
ok "cable ends with its captures" test $? = 0
work=()
sleep 1.5
sealane -j latency --since -5m >"$LAB_DIR/latency.json"
sealane -j status >"$LAB_DIR/status.json"
ok "every frame was played in time and seen once" played
ok "as many samples of each method as replay gives" as_replayed
for c in $COMPARE; do
	# shellcheck disable=SC2086
	ok "${c%%:*} is what was recorded (${c#*:})" as_recorded ${c//:/ }
done
tap_end
