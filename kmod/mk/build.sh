#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Build the module for one kernel; `make kmod` and DKMS both call this:
#   build.sh KDIR OUT [ARGUMENT-OF-KBUILD...]
# OUT/sealane.ko is there only when it has BTF and its kfuncs are resolved: a
# kernel loads a module without them, and no program finds a function in it.
# Kbuild writes beside the sources (6.1 knows no other place), so it is given a
# tree of links, OUT/tree.
set -eu
[ $# -ge 2 ] || { echo "build.sh KDIR OUT [ARGUMENT...]" >&2; exit 1; }
source=$(cd "$(dirname "$0")/../.." && pwd)
[ -e "$1/Makefile" ] || {
	echo "build.sh: $1: no headers of a kernel there; install them" \
		"(linux-headers-$(uname -r)) or name them: KDIR=..." >&2
	exit 1
}
kdir=$(cd "$1" && pwd)
out=$(mkdir -p "$2" && cd "$2" && pwd)
shift 2
# (Debian's kernel.release of 6.1 is another)
release=$(sed -n 's/^#define UTS_RELEASE "\(.*\)"/\1/p' \
	"$kdir/include/generated/utsrelease.h")

die() { echo "build.sh: $*" >&2; exit 1; }

for tool in pahole:dwarves objcopy:binutils; do
	command -v ${tool%:*} >/dev/null || die "install ${tool#*:}"
done

tree() {
	mkdir -p "$out/tree"
	find "$out/tree" -type l -delete
	cp -rs "$source/Kbuild" "$source/kmod" "$out/tree"
	mkdir -p "$out/tree/include"
	cp -rs "$source/include/sealane" "$out/tree/include"
}

# Module BTF is written on top of the kernel's. Where the headers lack vmlinux, a
# directory of links to them has one, raw: from the kernel that runs, or from its
# image.
with_vmlinux() {
	local f private=$out/kdir vmlinuz=${VMLINUZ:-/boot/vmlinuz-$release}
	rm -rf "$private"
	[ ! -e "$kdir/vmlinux" ] || return 0
	mkdir "$private"
	for f in "$kdir"/* "$kdir"/.[!.]*; do
		ln -s "$f" "$private"
	done
	if [ "$release" = "$(uname -r)" ] && [ -e /sys/kernel/btf/vmlinux ]; then
		cp /sys/kernel/btf/vmlinux "$private/vmlinux"
	elif [ -e "$vmlinuz" ]; then
		"$source/kmod/mk/kernel_btf.sh" "$vmlinuz" "$private/vmlinux"
	else
		die "no BTF of $release: neither $kdir/vmlinux nor $vmlinuz" \
			"(name the kernel's image: VMLINUZ=...)"
	fi
	kdir=$private
}

# What the kernel's own build would say to pahole, but one thread: with several
# the order of the types is another every time.
pahole_flags() {
	[ -e "$kdir/scripts/pahole-flags.sh" ] || return 0
	PAHOLE=pahole sh "$kdir/scripts/pahole-flags.sh" |
		tr ' ' '\n' | grep -vx -- -j | tr '\n' ' '
}

# The kernel's own resolver, where the headers bring it; ours else.
resolver() {
	local theirs=$kdir/tools/bpf/resolve_btfids/resolve_btfids
	if [ -x "$theirs" ] && [ -z "${SL_RESOLVE_OURSELVES:-}" ]; then
		echo "$theirs"
	else
		echo true
	fi
}

kbuild() { # ARGUMENT...
	local flags map=-ffile-prefix-map
	flags=$(pahole_flags)
	# neither warnings nor debug data (the build id is made of them) tell
	# where it was built
	map="$map=$out/tree/= $map=\$(CURDIR)=/kernel $map=\$(abspath \$(srctree))=/kernel"
	# below `make -j` its jobs are ours too
	[[ ${MAKEFLAGS:-} == *jobserver* ]] || set -- "-j$(nproc)" "$@"
	# from 6.12 on the time stamp asks for the same bytes every time
	make -C "$kdir" M="$out/tree" RESOLVE_BTFIDS="$(resolver)" \
		${flags:+"PAHOLE_FLAGS=$flags"} KBUILD_BUILD_TIMESTAMP=@0 \
		KCFLAGS="$map" \
		SL_VERSION="${SL_VERSION:-0}" "$@" modules >"$out/log" 2>&1 || {
		cat "$out/log" >&2
		die "$release: Kbuild failed"
	}
	! grep -E 'warning|WARNING' "$out/log" >&2 ||
		[ -z "${SL_WERROR:-}" ] || die "$release: Kbuild warns"
}

finish() {
	local ko=$out/tree/sealane.ko check=--check
	${HOSTCC:-cc} -O2 -Wall -Wextra -o "$out/resolve_kfuncs" \
		"$source/kmod/mk/resolve_kfuncs.c" -lbpf -lelf ||
		die "install libbpf-dev and libelf-dev"
	objcopy --strip-debug "$ko" "$out/sealane.ko.tmp"
	[ "$(resolver)" != true ] || check=
	"$out/resolve_kfuncs" $check "$kdir/vmlinux" "$out/sealane.ko.tmp" \
		>"$out/kfuncs" || { cat "$out/log" >&2; die "$release: no kfuncs"; }
	mv "$out/sealane.ko.tmp" "$out/sealane.ko"
}

# the second, since Kbuild does not see that the kernel's BTF is another
rm -f "$out/sealane.ko" "$out/tree/sealane.ko"
tree
with_vmlinux
kbuild "$@"
finish
echo "built sealane.ko for $release, kfuncs: $(tr '\n' ';' <"$out/kfuncs")"
