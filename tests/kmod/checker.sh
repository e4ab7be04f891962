#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What Kbuild calls for each file under C=2 (CHECK=): sparse, and if SL_CLANG is
# set clang's analyzer, with those of the kernel's flags that shape the language;
# it does not take the rest. What each says begins with its name.
set -u
said() { sed "s|^|$1: |"; }

sparse "$@" 2>&1 | said sparse
[ -n "${SL_CLANG:-}" ] || exit 0

flags=()
take_next=
for word in "$@"; do
	if [ -n "$take_next" ]; then
		flags+=("$word")
		take_next=
		continue
	fi
	case $word in
	-include|-isystem)
		flags+=("$word")
		take_next=1 ;;
	-I*|-D*|-U*|-nostdinc|-std=*|-m64|-mno-*|-mcmodel=*|-fshort-wchar|-fno-strict-aliasing)
		flags+=("$word") ;;
	esac
done
# its warnings as a compiler are gcc's business, and differ by header
clang --analyze --analyzer-output text -Wno-everything "${flags[@]}" "${!#}" 2>&1 |
	said clang
