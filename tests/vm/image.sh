#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What a guest boots: Debian's own cloud kernels, unpacked and not installed, and
# a file system in memory made on the spot.
#   image.sh kernel SERIES             prints the kernel's directory: vmlinuz,
#                                      lib/modules, release
#   image.sh headers SERIES            prints where to build modules for it (KDIR)
#   image.sh initramfs SERIES TREE OUT [MODULE...]
#                                      guest.sh, busybox, the kernel's MODULEs
#                                      and those they need; all that is in TREE
#                                      lies in the guest's /t
# Kernels stay in build/vm; only what is not there is downloaded.
set -eu
cd "$(dirname "$0")/../.."
BUILD=${BUILD:-build}
vm=$(mkdir -p "$BUILD/vm" && cd "$BUILD/vm" && pwd)
package=linux-image-cloud-amd64
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

die() { echo "image.sh: $*" >&2; exit 1; }

# Where this host has a suite of Debian's from. (Asked of apt, which knows all
# formats of its sources, and needs no list for it.)
mirror() { # SUITE
	apt-get --print-uris update |
		sed -n "s|^'\\([^']*\\)/dists/$1/InRelease'.*|\\1|p" | head -1
}

# Bookworm's kernels with updates and backports, from the host's own mirrors;
# all of apt's state is below build/vm, the host's stays as it is.
private_apt() { # PROGRAM ARGUMENT...
	local program=$1
	shift
	"$program" -qq -o Dir::Etc::sourcelist="$vm/apt/sources.list" \
		-o Dir::Etc::sourceparts=/dev/null \
		-o Dir::State::lists="$vm/apt/lists" \
		-o Dir::Cache="$vm/apt/cache" \
		-o APT::Sandbox::User=root "$@"
}

update_lists() {
	local main security suite
	suite=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
	main=$(mirror "$suite")
	security=$(mirror "$suite-security")
	[ -n "$main" ] || die "apt's sources name no mirror of Debian's"
	mkdir -p "$vm/apt/lists/partial" "$vm/apt/cache/archives/partial"
	{
		echo "deb [signed-by=$keyring] $main bookworm main"
		echo "deb [signed-by=$keyring] $main bookworm-backports main"
		[ -z "$security" ] ||
			echo "deb [signed-by=$keyring] $security bookworm-security main"
	} >"$vm/apt/sources.list"
	private_apt apt-get update
}

# The newest image that the package of this series is made of.
image_of() { # SERIES
	private_apt apt-cache show "$package" | awk -v series="$1." '
		/^Version:/ { ours = index($2, series) == 1 }
		/^Depends:/ && ours {
			sub(/^Depends: /, ""); sub(/ .*/, ""); print; exit
		}'
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
	image=$(image_of "$1")
	[ -n "$image" ] || die "Debian has no $package of $1"
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
	mkdir -p "$root"/{bin,busybox,dev,proc,sys,tmp,run,t}
	cp tests/vm/guest.sh "$root/init"
	cp "$(command -v busybox)" "$root/bin"
	# busybox has a small ip of its own, without veth
	cp -L "$(command -v ip)" "$root/bin"
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
initramfs) [ $# -ge 4 ] || die "initramfs SERIES TREE OUT [MODULE...]"
	shift; initramfs "$@" ;;
*) die "kernel, headers or initramfs?" ;;
esac
