#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Install what Sealane needs from Debian's packages; safe to repeat.
#   deps.sh          install what is missing (root)
#   deps.sh --check  only say what a build lacks
set -eu

BUILD=${BUILD:-build}
build="gcc make clang llvm bpftool pkg-config libbpf-dev libelf-dev zlib1g-dev
	libcyaml-dev libyaml-dev libmaxminddb-dev libmicrohttpd-dev libjson-c-dev
	libsqlite3-dev libgnutls28-dev libsystemd-dev libcurl4-gnutls-dev linux-libc-dev
	libncurses-dev libprotobuf-c-dev protobuf-c-compiler esbuild"
lab="iproute2 iputils-ping iperf3 curl tcpdump ethtool procps util-linux
	python3 python3-jsonschema xz-utils linux-source-6.1 kmod
	libclang-rt-14-dev xdp-tools openssl bind9-dnsutils dnsmasq-base
	dnsperf ngtcp2-client ngtcp2-server srt-tools coturn exabgp gobgpd
	qemu-system-x86 busybox-static dwarves lz4 zstd sparse
	prometheus chromium chromium-driver python3-selenium python3-yaml tmux"

missing() {
	local p
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
			grep -q '^install ok installed' || echo "$p"
	done
}

# Node.js and npm: Debian's, unless there are others already, which would be in
# each other's way.
command -v npm >/dev/null && command -v node >/dev/null || build="$build npm"

if [ "${1:-}" = --check ]; then
	# shellcheck disable=SC2086
	lacks=$(missing $build | tr '\n' ' ')
	[ -z "$lacks" ] && exit 0
	echo "not installed: $lacks" >&2
	echo "run 'make deps' as root" >&2
	exit 1
fi

# The peers' packages bring services, which a test machine must not run: none
# is started while we install, and what we brought is not started at boot.
policy=/usr/sbin/policy-rc.d
saved=$policy.before-sealane
let_start() {
	rm -f $policy
	[ ! -e $saved ] || mv $saved $policy
}
forbid_start() {
	[ -e $saved ] || [ ! -e $policy ] || mv $policy $saved
	trap let_start EXIT
	trap 'exit 130' INT TERM
	printf '#!/bin/sh\nexit 101\n' >$policy
	chmod 755 $policy
}
not_at_boot() { # PACKAGE... that were just installed
	local p unit
	for p in "$@"; do
		case $p in
		coturn|prometheus) update-rc.d $p disable; unit=$p ;;
		ngtcp2-server) unit=ngtcp2d ;;
		exabgp|gobgpd) unit=$p ;;
		*) continue ;;
		esac
		! command -v systemctl >/dev/null || systemctl -q disable $unit
	done
}

# shellcheck disable=SC2086
lacks=$(missing $build $lab)
if [ -n "$lacks" ]; then
	[ "$(id -u)" = 0 ] || { echo "make deps needs root" >&2; exit 1; }
	echo "installing:" $lacks
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	forbid_start
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends $lacks >/dev/null
	# shellcheck disable=SC2086
	not_at_boot $lacks
fi

# kselftest's harness, from Debian's kernel source; not copied into the tree.
out=$BUILD/kselftest
if [ ! -e "$out/kselftest_harness.h" ]; then
	mkdir -p "$out"
	echo "unpacking kselftest's harness"
	tar -xJf /usr/src/linux-source-6.1.tar.xz -C "$out" \
		--strip-components=4 --wildcards \
		'linux-source-6.1/tools/testing/selftests/kselftest*.h'
fi
