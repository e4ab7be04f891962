#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Install what Sealane needs from Debian's packages; safe to repeat.
#   deps.sh          install what is missing (root)
#   deps.sh --check  only say what a build lacks
set -eu

BUILD=${BUILD:-build}
build="gcc make clang llvm bpftool pkg-config libbpf-dev libelf-dev zlib1g-dev
	libcyaml-dev libyaml-dev libmaxminddb-dev libmicrohttpd-dev libjson-c-dev
	libsqlite3-dev libsystemd-dev libcurl4-gnutls-dev linux-libc-dev"
lab="iproute2 iputils-ping iperf3 curl tcpdump ethtool procps util-linux
	python3 python3-jsonschema xz-utils linux-source-6.1 kmod
	libclang-rt-14-dev xdp-tools qemu-system-x86 busybox-static"

missing() {
	local p
	for p in "$@"; do
		dpkg-query -W -f '${Status}' "$p" 2>/dev/null |
			grep -q '^install ok installed' || echo "$p"
	done
}

if [ "${1:-}" = --check ]; then
	# shellcheck disable=SC2086
	lacks=$(missing $build | tr '\n' ' ')
	[ -z "$lacks" ] && exit 0
	echo "not installed: $lacks" >&2
	echo "run 'make deps' as root" >&2
	exit 1
fi

# shellcheck disable=SC2086
lacks=$(missing $build $lab)
if [ -n "$lacks" ]; then
	[ "$(id -u)" = 0 ] || { echo "make deps needs root" >&2; exit 1; }
	echo "installing:" $lacks
	export DEBIAN_FRONTEND=noninteractive
	apt-get update -qq
	# shellcheck disable=SC2086
	apt-get install -y -qq --no-install-recommends $lacks >/dev/null
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
