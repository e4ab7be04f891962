#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Real peers over the emulated cable, in TAP: QUIC, SRT, DNS, STUN and the ways
# of TCP. Truth is the cable's log for the times, and a capture of the gateway's
# inside interface for what the peers did. A site has one kind of peer; ROUGH,
# which loses and reorders packets, has them all.
set -u
SITES="QUIC:20:60:1:900: SRT:21:34:2:900: DNS:22:52:1:900: STUN:23:46:2:900:
	TCP:24:28:1:900: TANGLE:25:40:1:900:reorder=5%,ahead=4ms
	ROUGH:26:44:2:900:loss=2%,reorder=5%,ahead=3ms"
LAB_DIR=$(mktemp -d /tmp/sealane-peers.XXXXXX)
export LAB_DIR SITES
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"
# shellcheck source=tests/lab/peers.sh
. "$(dirname "$0")/peers.sh"

lab up || bail "the lab did not come up"
start_all() {
	start_quic QUIC && start_dns DNS && start_stun STUN &&
		start_quic ROUGH && start_dns ROUGH && start_stun ROUGH &&
		start_stalled TCP
}
start_all || { head -50 "$PEERS"/*.log | sed 's/^/# /'; bail "a peer did not start"; }
# Neighbours are looked for over the cable; that must not be in the samples.
for name in $(site_names); do
	in_ns home ping -6 -q -c 2 -i 0.2 "$(site_v6 "$name")"
done >/dev/null
in_ns home ping -q -c 2 -i 0.2 "$(site_v4 STUN | sed 's/2$/3/')" >/dev/null
agent_start || { sed 's/^/# /' "$LAB_DIR/agent.log"; bail "no agent"; }

# --- the peers at work ---
in_ns_bg gw tcpdump -i in0 -s 128 -B 8192 -w "$LAB_DIR/in0.pcap" udp \
	>"$LAB_DIR/tcpdump.log" 2>&1 &
dump=$!
echo $dump >>"$LAB_DIR/pids"
wait_until 5 grep -q listening "$LAB_DIR/tcpdump.log" || bail "no tcpdump"

quic_work() { # SITE TIMES
	local i v4 v6
	v4=$(site_v4 "$1") v6=$(site_v6 "$1")
	for ((i = 0; i < $2; i++)); do
		quic_get "$v4" $QUIC_PORT && echo fetched
		quic_get "$v6" $QUIC_PORT && echo fetched
		quic_get "$v4" $QUIC_PORT -v v2draft && echo fetched
		quic_get "$v6" $RETRY_PORT && echo fetched
	done
	# a version that nobody speaks: no handshake comes of it
	quic_get "$v4" $QUIC_PORT -v 0x1a2a3a4a
}
dns_work() { # SITE TIMES
	local addr i
	for ((i = 0; i < $2; i++)); do
		for addr in $(site_v4 "$1") $(site_v6 "$1"); do
			dig_many "$addr" 6 &
			dig_many "$addr" 6 &
			dns_burst "$addr" 100
			wait
		done
	done
}
stun_work() { # SITE TIMES
	local i
	for ((i = 0; i < $2; i++)); do
		stun_ask "$(site_v4 "$1")"
		stun_ask "$(site_v6 "$1")"
		nat_ask "$(site_v4 "$1")"
	done
}
srt_work() { # SITE SECONDS: a stream down by IPv4 and one by IPv6, then one up
	srt_stream "$1" home "$2" "$(site_v4 "$1")" $SRT_PORT &
	srt_stream "$1" home "$2" "$(site_v6 "$1")" $SRT6_PORT &
	wait
	srt_stream home "$1" 2 "$(site_v4 "$1")" $SRT_PORT
}
tcp_work() { # SITE SECONDS
	local addr
	addr=$(site_v4 "$1")
	# a segment at a time, 3 ms apart: what is overtaken was sent later than
	# one tick of the time stamp clock
	in_ns home iperf3 -c "$addr" -b 4M -l 1448 -t "$2"
	in_ns home iperf3 -c "$addr" -b 4M -l 1448 -t "$2" -R
	for addr in "$addr" "[$(site_v6 "$1")]"; do
		for _ in 1 2 3 4; do
			in_ns home curl -s -m 5 -o /dev/null "http://$addr/page"
		done
	done
}
tcp_odd_work() { # SITE: closed ports, a silent address, a reader that stalls
	local v4
	v4=$(site_v4 "$1")
	for _ in 1 2 3 4 5; do
		in_ns home curl -s -m 2 "http://$v4:81/"
	done
	in_ns home curl -s -m 4 "http://${v4%.*}.9/"
	fill_stalled "$1" 5
}
at_work() { # NAME COMMAND...
	"${@:2}" >"$LAB_DIR/$1.out" 2>&1 &
	work+=($!)
}
rest() { wait "${work[@]}"; work=(); }

at_work quic quic_work QUIC 4
at_work dns dns_work DNS 2
at_work stun stun_work STUN 8
at_work srt srt_work SRT 5
at_work odd tcp_odd_work TCP
rest
at_work quic-rough quic_work ROUGH 4
at_work dns-rough dns_work ROUGH 2
at_work stun-rough stun_work ROUGH 4
at_work srt-rough srt_work ROUGH 5
at_work tcp-rough tcp_work ROUGH 3
at_work tcp-tangle tcp_work TANGLE 3
rest
sleep 1.5
kill -INT $dump
wait $dump 2>/dev/null

# --- what the gateway saw of it ---
lab truth >"$LAB_DIR/truth"
lab truth min >"$LAB_DIR/truth_min"
sealane -j latency --since -5m >"$LAB_DIR/latency.json"
sealane -j status >"$LAB_DIR/status.json"
python3 "$TOP/tests/lab/peers.py" count "$LAB_DIR/in0.pcap" >"$LAB_DIR/done.json"

is() { # LANE METHOD TEST...
	python3 "$TOP/tests/lab/peers.py" check "$LAB_DIR" "$1" \
		"$(site_field "$1" 2)" "${@:2}"
}
tcp() { # LANE CONDITION over o and i, its figures of either direction
	python3 - "$LAB_DIR" "$@" <<-'END'
		import json, sys
		lab, lane, condition = sys.argv[1:]
		t, = [l["tcp"] for l in json.load(open(lab + "/status.json"))
		      ["lanes"] if l["lane"] == lane]
		print(t)
		sys.exit(0 if eval(condition, {"o": t["out"], "i": t["in"]}) else 1)
	END
}
ended() { # WORD COUNT NAME: the clients' own word
	grep -c "$1" "$LAB_DIR/$3.out"
	[ "$(grep -c "$1" "$LAB_DIR/$3.out")" = "$2" ]
}

ok "ngtcp2's clients got their page" ended fetched 16 quic
ok "QUIC: one sample for each handshake, Retries left out" is QUIC quic-hs all
# What a peer takes is part of a sample: a QUIC server signs, and all of them
# wait for a processor. So it is the minimum that is the cable's, and the median
# what the capture says of the same questions.
ok "QUIC: minimum within 3 % of the cable, median of what was seen" \
	is QUIC quic-hs min p50 none_below
ok "QUIC: and nothing else: ngtcp2 does not spin" is QUIC methods quic-hs
ok "SRT: a sample for each trip" is SRT srt trips
ok "SRT: minimum within 3 % of the cable, median of what was seen" \
	is SRT srt min p50 none_below
ok "SRT: the stream that goes up gives the near half" \
	test "$(figure latency SRT --since -5m -- 'sum(r["samples"] > 20 and
	r["p50_ns"] < 5e6 for r in d["rows"] if r["half"] == "near")')" = 1
ok "SRT: and nothing else" is SRT methods srt
ok "dig and dnsperf got their answers" ended 'Queries completed: *100 (100.00%)' 4 dns
ok "DNS: one sample for each answer" is DNS dns all
ok "DNS: minimum within 3 % of the cable, median of what was seen" \
	is DNS dns min p50 none_below
ok "DNS: and nothing else" is DNS methods dns
ok "coturn's clients got their answers" ended 'UDP reflexive addr' 64 stun
ok "STUN: one sample for each answer" is STUN stun all
ok "STUN: minimum within 3 % of the cable, median of what was seen" \
	is STUN stun min p50 none_below
ok "STUN: and nothing else" is STUN methods stun

# --- loss and reordering ---
ok "ROUGH: DNS, one sample for each answer, none too short" \
	is ROUGH dns all p50 none_below
ok "ROUGH: STUN, one sample for each answer, none too short" \
	is ROUGH stun all p50 none_below
ok "ROUGH: QUIC, what was not sent twice, none too short" \
	is ROUGH quic-hs most none_below p50_not_above
ok "ROUGH: SRT, no more samples than answers, none too short" \
	is ROUGH srt most p50 none_below
for lane in ROUGH TANGLE; do
	ok "$lane: TCP handshakes, none too short" is $lane tcp-hs p50_cable \
		none_below
	ok "$lane: TCP time stamps, none too short" is $lane tcp-ts none_below \
		p50_not_above
done

# --- how TCP fares: what arrives is seen behind the cable, what leaves before it
ok "TANGLE: segments overtaken on the way here are counted" \
	tcp TANGLE 'i["reordered"] >= 10 and o["reordered"] == 0'
# ... but for those of a page's burst, which have one tick of the time stamp clock
ok "TANGLE: and most are not taken for retransmissions" \
	tcp TANGLE 'i["retrans"] < i["reordered"] and o["retrans"] <= 10'
ok "TANGLE: every SYN was answered" \
	tcp TANGLE 'o["syn"] >= 12 and o["syn_unanswered"] == 0'
ok "TCP: five closed ports are five resets" \
	tcp TCP 'i["resets"] == 5 and o["resets"] == 0'
ok "TCP: SYNs to closed ports and to a silent address are unanswered" \
	tcp TCP 'o["syn"] == 7 and o["syn_unanswered"] == 6'
ok "TCP: the reader that stalls closes its window" \
	tcp TCP 'i["zero_windows"] >= 1 and o["zero_windows"] == 0'
ok "TCP: nothing is reordered where nothing is" \
	tcp TCP 'i["reordered"] == o["reordered"] == 0'
ok "ROUGH: both reordering and retransmissions" \
	tcp ROUGH 'i["reordered"] >= 5 and o["retrans"] + i["retrans"] >= 3'
tap_end
