# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=dash
# Sourced by the jobs of a guest that need a network: a home, a gateway with two
# cables, and what is far behind them.
#
#   home h0 -- in0 gw hk0 ------- far hk1   198.18.15.2, lane HK, 36 ms
#                  gw sg0 ------- far sg1   198.18.10.2, lane SG, 90 ms
#
# hk0 is a veth. sg0 and sg1 are NICs with real drivers where the guest has two
# (QEMU joins them by a hub), else a veth as well. The round trip is made by netem
# on the far side's way back, so that it is none of the gateway's.

hk_ms=36 sg_ms=90
hk4=198.18.15.2 hk6=2001:db8:15::2 sg4=198.18.10.2 sg6=2001:db8:10::2
dir=/tmp/net
export SEALANE_SOCKET=$dir/socket

# busybox prefers its own to what PATH says
ip() { /bin/ip "$@"; }
in_ns() { # NAMESPACE COMMAND...
	local name=$1 program=$2
	shift 2
	[ ! -e "/bin/$program" ] || program=/bin/$program
	nsenter --net="/run/netns/$name" "$program" "$@"
}

# The same in the background: $! is then the program's own pid.
in_ns_bg() { # NAMESPACE COMMAND...
	local name=$1
	shift
	exec nsenter --net="/run/netns/$name" "$@"
}

wait_until() { # SECONDS COMMAND...
	local end
	end=$(($(date +%s) + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$(date +%s)" -lt "$end" ] || return 1
		usleep 400000	# each try costs an emulated machine much
	done
}

add_ns() { # NAMESPACE
	ip netns add "$1"
	in_ns "$1" ip link set lo up
	in_ns "$1" sysctl -q -w net.ipv4.ip_forward=1 \
		net.ipv6.conf.all.forwarding=1
}

addr() { # NAMESPACE INTERFACE V4 V6
	in_ns "$1" ip link set "$2" up
	in_ns "$1" ip addr add "$3" dev "$2"
	in_ns "$1" ip addr add "$4" dev "$2" nodad
}

pair() { # NAMESPACE1 INTERFACE1 NAMESPACE2 INTERFACE2
	ip link add "$2" netns "$1" type veth peer name "$4" netns "$3"
}

# The guest's NICs take the place of a veth.
nics() { # NAMESPACE1 INTERFACE1 NAMESPACE2 INTERFACE2
	ip link set eth0 netns "$1" name "$2"
	ip link set eth1 netns "$3" name "$4"
}

net_up() {
	local ns
	for ns in home gw far; do add_ns $ns; done
	pair home h0 gw in0
	pair gw hk0 far hk1
	if [ -e /sys/class/net/eth1 ]; then
		nics gw sg0 far sg1
	else
		pair gw sg0 far sg1
	fi
	addr home h0 198.18.0.2/24 2001:db8::2/64
	addr gw in0 198.18.0.1/24 2001:db8::1/64
	addr gw hk0 198.18.15.1/24 2001:db8:15::1/64
	addr gw sg0 198.18.10.1/24 2001:db8:10::1/64
	addr far hk1 $hk4/24 $hk6/64
	addr far sg1 $sg4/24 $sg6/64
	in_ns home ip route add default via 198.18.0.1
	in_ns home ip -6 route add default via 2001:db8::1
	far_routes
	cables $hk_ms $sg_ms
	in_ns far talk serve 7 &
	wait_until 10 in_ns home ping -c 1 -W 1 $hk4 &&
		wait_until 10 in_ns home ping -c 1 -W 1 $sg4
}

# What came by a cable goes back by it: each far address has a table.
far_routes() {
	local n name
	for n in 15 10; do
		name=hk1
		[ $n = 15 ] || name=sg1
		in_ns far ip route add 198.18.0.0/24 via 198.18.$n.1 \
			dev $name table $n
		in_ns far ip rule add from 198.18.$n.2 lookup $n
		in_ns far ip -6 route add 2001:db8::/64 via 2001:db8:$n::1 \
			dev $name table $n
		in_ns far ip -6 rule add from 2001:db8:$n::2 lookup $n
	done
}

cables() { # HK-MS SG-MS
	in_ns far tc qdisc replace dev hk1 root netem delay "$1ms" limit 10000
	in_ns far tc qdisc replace dev sg1 root netem delay "$2ms" limit 10000
}

config() {
	cat <<-EOF
	interfaces:
	  - {name: in0, side: inside}
	  - {name: hk0, side: outside, path: hk-cable}
	  - {name: sg0, side: outside, path: sg-cable}
	home: [198.18.0.0/24, "2001:db8::/64"]
	lanes:
	  - {name: HK, prefixes: [198.18.15.0/24, "2001:db8:15::/64"]}
	  - {name: SG, prefixes: [198.18.10.0/24, "2001:db8:10::/64"]}
	tables: {flows: 4096, series: 64, size: small}
	socket: $dir/socket
	state_dir: $dir/state
	bpffs: /sys/fs/bpf/sealane
	listen: [{address: "127.0.0.1:9478"}]
	EOF
}

agent_up() {
	mkdir -p $dir
	config >$dir/sealane.yaml
	in_ns_bg gw sealaned -c $dir/sealane.yaml >$dir/log 2>&1 &
	echo $! >$dir/pid
	wait_until "${agent_s:-60}" sealane status || { cat $dir/log; return 1; }
}

# It is the child of a shell that has ended: nobody asks for it any more.
alive() { grep -q '^State:	[^Z]' "/proc/$(cat $dir/pid)/status"; }

agent_down() {
	kill "$(cat $dir/pid)"
	wait_until 20 fails alive
}

# Home talks to both ends, by both families; what it saw itself is one line for
# each end.
traffic() { # SECONDS
	local end
	for end in $hk4 $sg4; do
		in_ns home ping -i 0.1 -c $(($1 * 9)) -w "$1" $end >$dir/ping.$end &
	done
	for end in $hk4 $sg4 $hk6 $sg6; do
		in_ns home talk ask $end 7 "$1" &
	done
	# not by `wait`: agent and server are children too
	sleep $(($1 + 1))
	for end in $hk4 $sg4; do
		awk -F'[=/ ]' -v end=$end '
			/time=/ { for (i = 1; i < NF; i++)
				if ($i == "time") print $(i + 1) * 1e6 }
			' $dir/ping.$end | sort -n | awk -v end=$end '
			{ v[NR] = $1 }
			END { printf "{\"ping\":\"%s\",\"samples\":%d,", end, NR
			printf "\"p50_ns\":%d}\n", v[int((NR + 1) / 2)] }'
	done
}
# Traffic for so long; what packets did, what home saw and what the product says of
# that time: lines of JSON, after the phase's name.
measure() { # PHASE SECONDS [COMMAND-BESIDE...]
	local since phase=$1 seconds=$2
	shift 2
	sleep 1.2	# figures are kept by the second
	since=$(date -u +%FT%TZ)
	rm -f $dir/truth
	in_ns gw observe $((seconds + 2)) in0 hk0 sg0 >$dir/truth &
	[ $# = 0 ] || "$@" &
	traffic "$seconds" >$dir/pings
	wait_until 5 grep -q sg0 $dir/truth
	echo "phase $phase"
	cat $dir/truth $dir/pings
	sealane -j latency --since "$since"
}

# --- results, as lines that test_vm.sh passes on ---

check() { # SENTENCE COMMAND...
	local what=$1
	shift
	if "$@" >/tmp/check 2>&1; then
		echo "ok - $what"
	else
		echo "not ok - $what"
		sed 's/^/# /' /tmp/check
	fi
}
# Does the agent, so many seconds from now at the latest? (agent_s: a slow kernel's)
uses_module() { # SECONDS
	wait_until "${agent_s:-$1}" sh -c \
		"sealane -j status | grep -q '\"loaded\":true,\"used\":true'"
}
fails() { ! "$@"; }

stats() { # lines of name and number
	[ -d /sys/kernel/debug/tracing ] ||
		mount -t debugfs debugfs /sys/kernel/debug
	cat /sys/kernel/debug/sealane/stats
}
stats_doc() {
	stats | awk '{ doc = doc (NR == 1 ? "" : ",") "\"" $1 "\":" $2 }
		END { print "{\"stats\":{" doc "}}" }'
}
stat_of() { stats | awk -v name="$1" '$1 == name { print $2 }'; }
