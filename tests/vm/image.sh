#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a guest boots: Debian's own cloud kernels, unpacked and not installed, and
# a file system in memory made on the spot.
#   image.sh kernel SERIES             prints the kernel's directory: vmlinuz,
#                                      lib/modules, release
#   image.sh headers SERIES            prints where to build modules for it (KDIR)
#   image.sh qemu                      prints the directory of a QEMU that has an
#                                      igb NIC (backports)
#   image.sh initramfs SERIES TREE OUT [MODULE...]
#                                      guest.sh, busybox, the kernel's MODULEs
#                                      and those they need; all that is in TREE
#                                      lies in the guest's /t
# Kernels stay in build/vm; only what is not there is downloaded.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
vm=$(mkdir -p "$BUILD/vm" && cd "$BUILD/vm" && pwd)
# shellcheck source=tests/vm/apt.sh
. tests/vm/apt.sh

# 6.12 is the cloud kernel; 6.12-amd64 the one with the drivers of real NICs.
metapackage() { # SERIES
	case $1 in
	*-amd64) echo linux-image-amd64 ;;
	*) echo linux-image-cloud-amd64 ;;
	esac
}

fetch() { # SERIES
	local image
	# one at a time: they share apt's state
	exec 9>"$vm/lock"
	flock 9
	[ ! -e "$vm/$1/vmlinuz" ] || return 0
	# what is half done has another name, and goes with us
	work=$(mktemp -d "$vm/$1.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	update_lists
	image=$(newest_image "$(metapackage "$1")" "${1%-amd64}")
	[ -n "$image" ] || die "Debian has no $(metapackage "$1") of ${1%-amd64}"
	echo "fetching $image" >&2
	(cd "$work" && private_apt apt-get download "$image")
	dpkg-deb -x "$work"/*.deb "$work/root"
	echo "${image#linux-image-}" >"$work/root/release"
	mv "$work/root/boot/vmlinuz-${image#linux-image-}" "$work/root/vmlinuz"
	depmod -b "$work/root" "${image#linux-image-}"
	mv "$work/root" "$vm/$1"
}

# The headers of the very kernel we have, and what they need of Debian's build.
headers_of() { # RELEASE
	private_apt apt-cache show "linux-headers-$1" 2>/dev/null | awk -v name="linux-headers-$1" '
		/^Version:/ { print name "=" $2 }
		/^Depends:/ {
			gsub(/^Depends: |[(]= |[)]/, "")
			n = split($0, needs, /, */)
			for (i = 1; i <= n; i++) {
				if (needs[i] !~ /^linux-(headers|kbuild)-/)
					continue
				sub(/ *[(].*/, "", needs[i])
				sub(/ /, "=", needs[i])
				print needs[i]
			}
			exit
		}'
}

# Unpacked, so the one absolute path in them must go; links are relative. 6.1's
# lack vmlinux: the type data out of the image stands in.
fetch_headers() { # SERIES
	local release packages kdir
	exec 9>"$vm/lock"
	flock 9
	[ ! -e "$vm/$1/headers" ] || return 0
	release=$(cat "$vm/$1/release")
	work=$(mktemp -d "$vm/$1.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	update_lists
	packages=$(headers_of "$release")
	[ -n "$packages" ] || die "Debian has no headers of $release any more:" \
		"remove $vm/$1, and a newer kernel is fetched"
	echo "fetching" $packages >&2
	# shellcheck disable=SC2086
	(cd "$work" && private_apt apt-get download $packages)
	for deb in "$work"/*.deb; do
		dpkg-deb -x "$deb" "$work/root"
	done
	kdir=$work/root/usr/src/linux-headers-$release
	sed -i 's|^include /usr/src/|include $(dir $(realpath $(lastword $(MAKEFILE_LIST))))../|' \
		"$kdir/Makefile"
	[ -e "$kdir/vmlinux" ] ||
		kmod/mk/kernel_btf.sh "$vm/$1/vmlinuz" "$kdir/vmlinux"
	rm -rf "$work/root/lib" "$work/root/usr/share"
	mv "$work/root" "$vm/$1/headers"
}

headers() { # SERIES
	kernel "$1" >/dev/null
	[ -e "$vm/$1/headers" ] || (fetch_headers "$1") || exit 1
	echo "$vm/$1/headers/usr/src/linux-headers-$(cat "$vm/$1/release")"
}

kernel() { # SERIES
	[ -e "$vm/$1/vmlinuz" ] || (fetch "$1") || exit 1
	echo "$vm/$1"
}

# Its packages, and those of its libraries that the host has not.
fetch_qemu() {
	local package
	exec 9>"$vm/lock"
	flock 9
	[ ! -e "$vm/qemu/usr/bin/qemu-system-x86_64" ] || return 0
	work=$(mktemp -d "$vm/qemu.XXXXXX")
	trap 'rm -rf "$work"' EXIT
	update_lists
	echo "fetching QEMU of bookworm-backports" >&2
	private_apt apt-get -y --download-only --no-install-recommends \
		-o Dir::Cache::archives="$work" -t bookworm-backports \
		install qemu-system-x86
	for package in "$work"/*.deb; do
		dpkg-deb -x "$package" "$work/root"
	done
	mv "$work/root" "$vm/qemu"
}

qemu() {
	[ -e "$vm/qemu/usr/bin/qemu-system-x86_64" ] || (fetch_qemu) || exit 1
	echo "$vm/qemu"
}

# Into ROOT/modules, numbered in the order in which they must be loaded.
add_modules() { # KERNEL ROOT MODULE...
	local dir=$1 root=$2 n=100 file name module
	shift 2
	mkdir -p "$root/modules"
	for module in "$@"; do
		modprobe -d "$dir" -S "$(cat "$dir/release")" --show-depends \
			"$module" >"$root/modules/.needed"
		while read -r what file _; do
			[ "$what" = insmod ] || continue	# built in
			name=$(basename "$file" .xz)
			ls "$root/modules"/*-"$name" >/dev/null 2>&1 && continue
			case $file in
			*.xz) xz -dc "$file" ;;
			*) cat "$file" ;;
			esac >"$root/modules/$n-$name"
			n=$((n + 1))
		done <"$root/modules/.needed"
		rm "$root/modules/.needed"
	done
}

# Shared libraries of the programs among these files.
libraries() { # FILE...
	local f
	for f in "$@"; do
		ldd "$f" 2>/dev/null || true
	done | grep -oE '/[^ ]+' | sort -u
}

initramfs() { # SERIES TREE OUT [MODULE...]
	local dir tree=$2 out=$3
	dir=$(kernel "$1")
	shift 3
	root=$(mktemp -d "$vm/root.XXXXXX")
	trap 'rm -rf "$root"' EXIT
	mkdir -p "$root"/{bin,busybox,dev,proc,sys,tmp,run,t,var}
	ln -s ../run "$root/var/run"
	cp tests/vm/guest.sh "$root/init"
	cp "$(command -v busybox)" "$root/bin"
	# busybox has small ones of its own, without veth and netem
	cp -L "$(command -v ip)" "$(command -v tc)" "$(command -v ethtool)" \
		"$root/bin"
	cp -L "$tree"/* "$root/t"
	libraries "$root"/bin/* "$root"/t/* | while read -r lib; do
		mkdir -p "$root/$(dirname "$lib")"
		cp -L "$lib" "$root$lib"
	done
	add_modules "$dir" "$root" "$@"
	# not compressed: unpacking costs the guest more than reading
	(cd "$root" && find . | busybox cpio -o -H newc) >"$out.tmp" 2>/dev/null
	mv "$out.tmp" "$out"
}

case ${1:-} in
kernel) [ $# = 2 ] || die "kernel SERIES"; kernel "$2" ;;
headers) [ $# = 2 ] || die "headers SERIES"; headers "$2" ;;
qemu) qemu ;;
initramfs) [ $# -ge 4 ] || die "initramfs SERIES TREE OUT [MODULE...]"
	shift; initramfs "$@" ;;
*) die "kernel, headers, qemu or initramfs?" ;;
esac
