# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Shared by lab.sh, demo.sh and the tests. LAB_DIR holds a lab's state; its
# last part is in every name that the lab makes, so that two can run at once.

TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
BUILD=${BUILD:-build}
case $BUILD in /*) ;; *) BUILD=$TOP/$BUILD ;; esac
export SEALANE_SOCKET=${LAB_DIR:-/nonexistent}/sealaned.sock

# Name, number, true RTT in ms, sea (1: hk-cable, 2: sg-cable), cable km, extra.
# Bangkok belongs on sg-cable and takes the detour over hk-cable. A test that
# needs other sites exports its own.
SITES=${SITES:-"SG:10:36:2:2900: KL:11:44:2:3300: JKT:12:52:2:4200:loss=2%
	SGN:13:26:2:1900: BKK:14:34:1:2600: HK:15:12:1:650: MNL:16:30:1:1500:"}

# One way over the link between the two seas, which `lab.sh cut` needs.
CROSS_MS=${CROSS_MS:-4}

site_field() { # NAME FIELD(2..6)
	local s
	for s in $SITES; do
		[ "${s%%:*}" = "$1" ] && { echo "$s" | cut -d: -f"$2"; return; }
	done
	return 1
}
site_names() { local s; for s in $SITES; do echo "${s%%:*}"; done; }
site_v4() { echo "198.18.$(site_field "$1" 2).2"; }
site_v6() { echo "2001:db8:$(site_field "$1" 2)::2"; }

ns_name() { echo "$(cat "$LAB_DIR/id")-$1"; }
# nsenter and not `ip netns exec`, which hides the bpffs behind a new /sys.
in_ns() { # NS COMMAND...
	local ns=$1
	shift
	nsenter --net="/run/netns/$(ns_name "$ns")" "$@"
}

# The same in the background: $! is then the program's own pid.
in_ns_bg() { # NS COMMAND...
	exec nsenter --net="/run/netns/$(ns_name "$1")" "${@:2}"
}

lab() { LAB_DIR=$LAB_DIR BUILD=$BUILD "$TOP/tests/lab/lab.sh" "$@"; }
# Traffic in the background, in a process group of its own so that all of it ends.
traffic_start() { # SECONDS
	LAB_DIR=$LAB_DIR BUILD=$BUILD setsid "$TOP/tests/lab/lab.sh" traffic "$1" &
	traffic_group=$!
}
traffic_stop() {
	[ -z "${traffic_group:-}" ] || kill -- "-$traffic_group" 2>/dev/null || true
	traffic_group=
}
sealane() { in_ns gw "$BUILD/sealane" --bpffs "$(bpffs_dir)" "$@"; }
bpffs_dir() { echo "/sys/fs/bpf/sealane-$(cat "$LAB_DIR/id")"; }

# Somebody else's TC program (turn.bpf.c) as an object in LAB_DIR.
make_turn() {
	clang -target bpf -O2 -g -I"/usr/include/$(gcc -print-multiarch)" -c \
		-o "$LAB_DIR/turn.o" "$TOP/tests/lab/turn.bpf.c"
}

wait_until() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -ge $end ] && return 1
		sleep 0.2
	done
}

# Its pid is in LAB_DIR/agent.pid. AGENT_PORT (0: any free one): it inherits a
# socket that listens on this host's 127.0.0.1, for browsers outside the
# namespace; LAB_DIR/agent.addr says where. AGENT_FDNAME names it.
agent_start() { # [PROGRAM]
	local listen=()
	[ -z "${AGENT_PORT:-}" ] || listen=("$TOP/tests/lab/listen.py"
		--port "$AGENT_PORT" --name "${AGENT_FDNAME:-http}"
		--addr-file "$LAB_DIR/agent.addr")
	# stderr straight to a file: the agent outlives this shell
	agent_bg "${listen[@]}" nsenter --net="/run/netns/$(ns_name gw)" \
		"${1:-$BUILD/sealaned}" -c "$LAB_DIR/sealane.yaml" \
		>>"$LAB_DIR/agent.log" 2>&1 &
	echo $! >"$LAB_DIR/agent.pid"
	disown
	wait_until 20 sealane status
}
# $! is the agent's own pid
agent_bg() { exec "$@"; }
agent_pid() { cat "$LAB_DIR/agent.pid"; }
agent_kill() { # SIGNAL
	local pid
	pid=$(agent_pid)
	kill "-$1" "$pid" 2>/dev/null || return 0
	while kill -0 "$pid" 2>/dev/null; do sleep 0.05; done
}
