#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A kernel that finds faults: Debian's linux-source-6.1 with tests/vm/debug.config,
# built below build/vm/debug and kept. Prints where to build modules for it (KDIR).
# Some minutes; its packages are needed for nothing else and installed here.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
config=$PWD/tests/vm/debug.config
source=linux-source-6.1
vm=$(mkdir -p "$BUILD/vm/debug" && cd "$BUILD/vm/debug" && pwd)
packages="flex bison bc m4 libelf-dev dwarves $source"

# What it is made of; another version or configuration is built anew.
made_of() {
	dpkg-query -W -f '${Version}\n' $source
	sha256sum <"$config"
}

unpack() {
	echo "unpacking $source" >&2
	rm -rf "${vm:?}/$source" "$vm/kernel" "$vm/made_of"
	mkdir "$vm/kernel"
	tar -xJf /usr/src/$source.tar.xz -C "$vm"
}

# Kconfig leaves out silently what it cannot grant.
configure() {
	local wish
	make -s -C "$vm/$source" O="$vm/kernel" KCONFIG_ALLCONFIG="$config" \
		allnoconfig >&2
	grep -E '^CONFIG_' "$config" | while read -r wish; do
		grep -qxF "$wish" "$vm/kernel/.config" || {
			echo "debug.config: not granted: $wish" >&2
			exit 1
		}
	done
}

build() {
	echo "building $source with tests/vm/debug.config: some minutes" >&2
	make -s -C "$vm/$source" O="$vm/kernel" -j"$(nproc)" bzImage modules \
		>"$vm/log" 2>&1 || { tail -20 "$vm/log" >&2; exit 1; }
	cp "$vm/kernel/arch/x86/boot/bzImage" "$vm/vmlinuz"
	cp "$vm/kernel/include/config/kernel.release" "$vm/release"
	made_of >"$vm/made_of"
}

# shellcheck disable=SC2086
lacks=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' $packages 2>/dev/null |
	awk -v all="$packages" '$1 == "ii" { have[$2] }
		END { n = split(all, p, /[ \n]+/)
		for (i = 1; i <= n; i++) if (!(p[i] in have)) print p[i] }')
if [ -n "$lacks" ]; then
	[ "$(id -u)" = 0 ] || { echo "needs root to install:" $lacks >&2; exit 1; }
	echo "installing:" $lacks >&2
	apt-get update -qq >&2
	# shellcheck disable=SC2086
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq \
		--no-install-recommends $lacks >/dev/null
fi
if [ ! -e "$vm/made_of" ] || ! made_of | cmp -s - "$vm/made_of"; then
	unpack
	configure
	build
fi
echo "$vm/kernel"
