#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `make bench`: rows of build/bench.json and a table. Everything happens in a
# network and a mount namespace of its own.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
export BUILD

if [ "$(cat /proc/sys/kernel/bpf_stats_enabled)" != 0 ]; then
	echo "bench: kernel.bpf_stats_enabled is 1, which adds some 80 ns to" \
		"every run; sysctl kernel.bpf_stats_enabled=0 first" >&2
	exit 2
fi
[ "$(id -u)" = 0 ] || { echo "bench: be root" >&2; exit 2; }
if [ "${1:-}" != inside ]; then
	exec unshare --mount --net -- "$0" inside
fi

dir=$(mktemp -d /tmp/sealane-bench.XXXXXX)
agent=
undo() {
	[ -z "$agent" ] || kill "$agent" 2>/dev/null || true
	[ -z "$agent" ] || wait "$agent" 2>/dev/null || true
	rm -rf "$dir"
}
trap undo EXIT
trap 'exit 130' INT TERM

mount -t bpf bpf /sys/fs/bpf
ip link set lo up
rows=$dir/rows

# --- the data plane, and what a user could install instead ---
ip link add bench0 type veth peer name bench1
if command -v xdp-filter >/dev/null; then
	LIBXDP_SKIP_DISPATCHER=1 xdp-filter load bench0 -m native -p allow \
		-f ipv4 >"$dir/xdp-filter.log" 2>&1 ||
		sed 's/^/bench: xdp-filter: /' "$dir/xdp-filter.log" >&2
fi
"$BUILD/bench/bench" >"$rows"
ip link del bench0

# --- the agent: a list of a million, pushes, its own cost ---
cat >"$dir/sealane.yaml" <<EOF
home: [198.18.0.0/20]
protect: [198.18.0.1]
lanes:
$(for i in $(seq 100); do
	echo "  - {name: L$i, prefixes: [203.0.$i.0/24]}"
done)
tables: {series: 1024}
socket: $dir/sock
state_dir: $dir/state
bpffs: /sys/fs/bpf/bench
EOF
"$BUILD/sealaned" -c "$dir/sealane.yaml" 2>"$dir/agent.log" &
agent=$!
python3 tests/bench/agent.py "$BUILD" "$dir" "$agent" >>"$rows" || {
	sed 's/^/# /' "$dir/agent.log" >&2
	exit 1
}
python3 tests/bench/report.py "$rows" "$BUILD/bench.json" "$BUILD"
