#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The lab: a home network, a gateway with one inside and two outside NICs, and
# seven far sites behind emulated cables, all in namespaces of our own.
#
#   home -- in0 [gw] hk0 -- sea1 --cable-- BKK HK MNL
#                            x0
#                            :  the cross link, a cable too
#                            x0
#                    sg0 -- sea2 --cable-- SG KL JKT SGN
#
# usage: LAB_DIR=DIR lab.sh up | down | truth [p50|min] | cross [p50|min] |
#        cut LANE [beyond] | mend LANE | traffic SECONDS | hold
set -eu
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"

need_dir() {
	[ -n "${LAB_DIR:-}" ] || { echo "lab.sh: set LAB_DIR" >&2; exit 1; }
}

add_ns() {
	ip netns add "$(ns_name "$1")"
	in_ns "$1" ip link set lo up
	in_ns "$1" sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 \
		net.ipv4.conf.default.rp_filter=0
}

pair() { # NS1 IF1 NS2 IF2
	ip link add "$2" netns "$(ns_name "$1")" type veth \
		peer name "$4" netns "$(ns_name "$3")"
	in_ns "$1" ip link set "$2" up
	in_ns "$3" ip link set "$4" up
}

addr() { # NS IF V4 V6
	in_ns "$1" ip addr add "$3" dev "$2"
	in_ns "$1" ip addr add "$4" dev "$2" nodad
}

# Frames that a packet socket will carry must be whole and checksummed.
whole_frames() { # NS IF
	in_ns "$1" ethtool -K "$2" tx off tso off gso off gro off >/dev/null
}

make_core() {
	local sea
	for ns in home gw sea1 sea2 wire; do add_ns $ns; done
	pair home h0 gw in0
	pair gw hk0 sea1 up0
	pair gw sg0 sea2 up0
	addr home h0 198.18.0.2/24 2001:db8::2/64
	addr gw in0 198.18.0.1/24 2001:db8::1/64
	addr gw hk0 198.18.101.1/24 2001:db8:101::1/64
	addr gw sg0 198.18.102.1/24 2001:db8:102::1/64
	for sea in 1 2; do
		addr sea$sea up0 198.18.10$sea.2/24 2001:db8:10$sea::2/64
		in_ns sea$sea ip route add default via 198.18.10$sea.1
		in_ns sea$sea ip -6 route add default via 2001:db8:10$sea::1
		make_cross $sea
	done
	in_ns home ip route add default via 198.18.0.1
	in_ns home ip -6 route add default via 2001:db8::1
}

# The end of the cross link at a sea, and table 100: over to the other sea.
make_cross() { # SEA
	pair "sea$1" x0 wire "x$1"
	whole_frames "sea$1" x0
	addr "sea$1" x0 "198.18.103.$1/24" "2001:db8:103::$1/64"
	in_ns wire ip link set "x$1" arp off
	in_ns "sea$1" sysctl -qw net.ipv4.conf.x0.send_redirects=0 \
		net.ipv4.conf.all.send_redirects=0
	in_ns "sea$1" ip route add default via "198.18.103.$((3 - $1))" table 100
	in_ns "sea$1" ip -6 route add default via "2001:db8:103::$((3 - $1))" \
		table 100
}

make_site() { # NAME
	local n sea
	n=$(site_field "$1" 2)
	sea=$(site_field "$1" 4)
	add_ns "$1"
	pair "sea$sea" "s$n" wire "a$n"
	pair wire "b$n" "$1" e0
	whole_frames "sea$sea" "s$n"
	whole_frames "$1" e0
	addr "sea$sea" "s$n" "198.18.$n.1/24" "2001:db8:$n::1/64"
	addr "$1" e0 "198.18.$n.2/24" "2001:db8:$n::2/64"
	in_ns "$1" ip route add default via "198.18.$n.1"
	in_ns "$1" ip -6 route add default via "2001:db8:$n::1"
	in_ns gw ip route add "198.18.$n.0/24" via "198.18.10$sea.2"
	in_ns gw ip -6 route add "2001:db8:$n::/64" via "2001:db8:10$sea::2"
	in_ns wire ip link set "a$n" arp off
	in_ns wire ip link set "b$n" arp off
}

# pid of what was just started: to be stopped by it, and by nothing else
remember() { echo $! >>"$LAB_DIR/pids"; }

start_cable() {
	local args=() name n extra half
	args+=(--link "x1:x2,delay=${CROSS_MS}ms")
	for name in $(site_names); do
		n=$(site_field "$name" 2)
		extra=$(site_field "$name" 6)
		half=$(($(site_field "$name" 3) * 500))
		args+=(--link "a$n:b$n,delay=${half}us${extra:+,$extra}")
	done
	in_ns_bg wire "$BUILD/cable" "${args[@]}" --log "$LAB_DIR/cable.log" \
		>>"$LAB_DIR/cable.json" 2>"$LAB_DIR/cable.err" &
	echo $! >"$LAB_DIR/cable.pid"
	remember
}

start_servers() {
	local name
	mkdir -p "$LAB_DIR/www"
	head -c 20000 /dev/zero >"$LAB_DIR/www/page"
	for name in $(site_names); do
		in_ns_bg "$name" iperf3 -s >/dev/null 2>&1 &
		remember
		in_ns_bg "$name" python3 -m http.server 80 --bind :: \
			--directory "$LAB_DIR/www" >/dev/null 2>&1 &
		remember
	done
}

write_config() {
	local name n
	{
		echo "interfaces:"
		echo "  - {name: in0, side: inside}"
		echo "  - {name: hk0, side: outside, path: hk-cable}"
		echo "  - {name: sg0, side: outside, path: sg-cable}"
		echo 'home: [198.18.0.0/24, "2001:db8::/64"]'
		echo "protect: [198.18.0.1]"
		echo "lanes:"
		for name in $(site_names); do
			n=$(site_field "$name" 2)
			echo "  - {name: $name, prefixes: [198.18.$n.0/24," \
				"\"2001:db8:$n::/64\"]," \
				"cable_km: $(site_field "$name" 5)}"
		done
		echo "tables: {flows: 16384, series: 256, size: small}"
		echo "socket: $LAB_DIR/sealaned.sock"
		echo "state_dir: $LAB_DIR/state"
		echo "bpffs: $(bpffs_dir)"
	} >"$LAB_DIR/sealane.yaml"
}

up() {
	mkdir -p "$LAB_DIR"
	echo "sl$$" >"$LAB_DIR/id"
	: >"$LAB_DIR/pids"
	trap down ERR INT TERM
	make_core
	for name in $(site_names); do make_site "$name"; done
	start_cable
	start_servers
	write_config
	for name in $(site_names); do
		wait_until 10 in_ns home curl -sf -m 2 -o /dev/null \
			"http://$(site_v4 "$name")/page" ||
			{ echo "lab: $name does not answer" >&2; down; exit 1; }
	done
	trap - ERR INT TERM
}

# Everything that this lab made, and nothing else.
down() {
	local pid ns dir
	trap '' INT TERM	# a second Ctrl-C must not leave half of it
	[ -e "$LAB_DIR/id" ] || return 0
	for pid in $(cat "$LAB_DIR/agent.pid" 2>/dev/null) \
		$(tac "$LAB_DIR/pids"); do
		kill "$pid" 2>/dev/null || true
	done
	for ns in $(ip netns list | cut -d' ' -f1 |
		grep "^$(cat "$LAB_DIR/id")-" || true); do
		ip netns pids "$ns" | xargs -r kill -9 2>/dev/null || true
		ip netns del "$ns"
	done
	for dir in "$(bpffs_dir)" "/run/sealane/bpf/$(basename "$(bpffs_dir)")"
	do
		[ -d "$dir" ] && find "$dir" -delete
	done
	# our own bpffs, when nobody else has pins in it
	if mountpoint -q /run/sealane/bpf && [ -z "$(find /run/sealane/bpf \
		-mindepth 1 -maxdepth 1 -type d)" ]; then
		umount /run/sealane/bpf && rmdir /run/sealane/bpf
		rmdir /run/sealane 2>/dev/null || true
	fi
	rm -rf "$LAB_DIR"
}

# Per site the delay that packets really had, both ways, from cable's own
# clock: name and ms; the median's or the least.
truth() { # p50|min
	local name
	ask_cable
	for name in $(site_names); do
		printf '%s\t' "$name"
		cable_ms "a$(site_field "$name" 2)" "$1"
	done
}

# What packets took over the cross link and back, in ms.
cross() { # p50|min
	ask_cable
	cable_ms x1 "$1"
}

ask_cable() {
	local directions=$((($(site_names | wc -l) + 1) * 2))
	: >"$LAB_DIR/cable.json"
	kill -USR1 "$(cat "$LAB_DIR/cable.pid")"
	wait_until 5 sh -c "[ \$(wc -l <'$LAB_DIR/cable.json') -ge $directions ]"
}

cable_ms() { # INTERFACE p50|min: both ways of its link
	python3 - "$LAB_DIR/cable.json" "$@" <<-'EOF'
		import json, sys
		ns = 0
		for line in open(sys.argv[1]):
		    d = json.loads(line.lstrip("\0"))
		    if sys.argv[2] in (d["from"], d["to"]):
		        ns += d["delay_%s_ns" % sys.argv[3]]
		print("%.3f" % (ns / 1e6))
	EOF
}

# The same command for the site's network, IPv4 and IPv6.
both_ip() { # NS NAME COMMAND..., which has NET and VIA in it; VIA_V4 VIA_V6
	local ns=$1 n=$2 via4=$3 via6=$4
	shift 4
	local words4=("${@//NET/198.18.$n.0/24}") words6=("${@//NET/2001:db8:$n::/64}")
	in_ns "$ns" ip "${words4[@]//VIA/$via4}"
	in_ns "$ns" ip -6 "${words6[@]//VIA/$via6}"
}

# The lane's cable is cut at its own sea. Its packets take the other sea and come
# over the cross link: they arrive by the other path, 2 * CROSS_MS later and with a
# hop more. With `beyond` the gateway sees no other path: they enter by their own
# sea, go to the other one and back, 4 * CROSS_MS and two hops each way more.
cut_lane() { # LANE [beyond]
	local n own other
	n=$(site_field "$1" 2)
	own=$(site_field "$1" 4)
	other=$((3 - own))
	mend_lane "$1"
	both_ip "sea$other" "$n" "198.18.103.$own" "2001:db8:103::$own" \
		route add NET via VIA
	both_ip "sea$own" "$n" - - rule add iif "s$n" from NET lookup 100
	if [ "${2:-}" = beyond ]; then
		both_ip "sea$own" "$n" - - rule add iif up0 to NET lookup 100
		both_ip "sea$other" "$n" - - rule add iif x0 from NET lookup 100
	else
		both_ip gw "$n" "198.18.10$other.2" "2001:db8:10$other::2" \
			route replace NET via VIA
	fi
}

# As it was before the cut; nothing to do where there was none.
mend_lane() { # LANE
	local n own other
	n=$(site_field "$1" 2)
	own=$(site_field "$1" 4)
	other=$((3 - own))
	both_ip gw "$n" "198.18.10$own.2" "2001:db8:10$own::2" \
		route replace NET via VIA
	{
		both_ip "sea$own" "$n" - - rule del iif "s$n" from NET lookup 100
		both_ip "sea$own" "$n" - - rule del iif up0 to NET lookup 100
		both_ip "sea$other" "$n" - - rule del iif x0 from NET lookup 100
		both_ip "sea$other" "$n" - - route del NET
	} 2>/dev/null || true
}

# Bounded, rate-limited traffic from home to every site, v4 and v6.
traffic() { # SECONDS
	local name pids=() s=$1
	for name in $(site_names); do
		in_ns home ping -q -i 0.2 -w "$s" "$(site_v4 "$name")" &
		pids+=($!)
		in_ns home ping -6 -q -i 0.2 -w "$s" "$(site_v6 "$name")" &
		pids+=($!)
		in_ns home iperf3 -c "$(site_v4 "$name")" -b 1M -t "$s" &
		pids+=($!)
		(
			end=$((SECONDS + s))
			while [ $SECONDS -lt $end ]; do
				in_ns home curl -s -m 5 -o /dev/null \
					"http://$(site_v4 "$name")/page" || true
				in_ns home curl -s -m 5 -o /dev/null \
					"http://[$(site_v6 "$name")]/page" || true
				sleep 0.3
			done
		) &
		pids+=($!)
	done >/dev/null 2>&1
	for p in "${pids[@]}"; do wait "$p" 2>/dev/null || true; done
}

hold() {
	LAB_DIR=$(mktemp -d /tmp/sealane-lab.XXXXXX)
	export LAB_DIR
	trap down EXIT
	up
	cat <<-EOF
		The lab is up. In another shell, as root:
		  export LAB_DIR=$LAB_DIR SEALANE_SOCKET=$LAB_DIR/sealaned.sock
		  nsenter --net=/run/netns/$(ns_name gw) $BUILD/sealaned -c $LAB_DIR/sealane.yaml
		  tests/lab/lab.sh traffic 20;  tests/lab/lab.sh truth
		  $BUILD/sealane latency
		Ctrl-C takes it down.
	EOF
	while sleep 1; do :; done
}

case ${1:-} in
up) need_dir; up ;;
down) need_dir; down ;;
truth) need_dir; truth "${2:-p50}" ;;
cross) need_dir; cross "${2:-p50}" ;;
cut) need_dir; cut_lane "${2:?lane}" "${3:-}" ;;
mend) need_dir; mend_lane "${2:?lane}" ;;
traffic) need_dir; traffic "${2:?seconds}" ;;
hold) hold ;;
*) echo "usage: LAB_DIR=DIR lab.sh up|down|truth [p50|min]|cross [p50|min]|cut LANE [beyond]|mend LANE|traffic SECONDS|hold" >&2; exit 1 ;;
esac
