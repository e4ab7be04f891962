#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The type data (.BTF) of a kernel, raw, out of its bzImage:
#   kernel_btf.sh VMLINUZ OUT
# Debian's headers of 6.1 have no vmlinux; module BTF is written on top of the
# kernel's, and pahole and libbpf take it raw. The places of the payload and its
# length stand in the image's header (Documentation/x86/boot.rst).
set -eu
image=$1 out=$2

die() { echo "kernel_btf.sh: $image: $*" >&2; exit 1; }

field() { # OFFSET BYTES
	od -An -v -t "u$2" -j "$1" -N "$2" "$image" | tr -d ' '
}

setup_sects_at=$((0x1f1)) magic_at=$((0x202)) payload_offset_at=$((0x248))
payload_length_at=$((0x24c)) sector_b=512

[ "$(od -An -c -j $magic_at -N 4 "$image" | tr -d ' ')" = HdrS ] ||
	die "not a bzImage"
sectors=$(field $setup_sects_at 1)
[ "$sectors" != 0 ] || sectors=4	# what old boot loaders meant by 0
start_b=$(((sectors + 1) * sector_b + $(field $payload_offset_at 4)))
length_b=$(field $payload_length_at 4)

tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
# the last four bytes are the length of what is packed
tail -c +$((start_b + 1)) "$image" | head -c $((length_b - 4)) >"$tmp/packed"
magic=$(od -An -v -t x1 -N 4 "$tmp/packed" | tr -d ' ')
case $magic in
02214c18) tool="lz4 -dc" ;;
28b52ffd) tool="zstd -dc" ;;
fd377a58) tool="xz -dc" ;;
1f8b*) tool="gzip -dc" ;;
*) die "packed in a way not known here ($magic)" ;;
esac
command -v "${tool%% *}" >/dev/null ||
	die "needs ${tool%% *} to unpack it: install the package"
$tool "$tmp/packed" >"$tmp/vmlinux" 2>"$tmp/said" ||
	die "$(head -1 "$tmp/said")"
objcopy --dump-section ".BTF=$tmp/btf" "$tmp/vmlinux" /dev/null \
	2>"$tmp/said" && [ -s "$tmp/btf" ] || die "its kernel has no BTF"
mv "$tmp/btf" "$out"
