#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The module's sources, self-tests among them, under sparse with the headers of both
# kernels and under clang's analyzer with the newer's; and a file with faults, which
# must be seen. TAP.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
VM_SERIES=${VM_SERIES:-6.1 6.12}
out=$(mkdir -p "$BUILD/tests/kmod" && cd "$BUILD/tests/kmod" && pwd)
checker=$PWD/tests/kmod/checker.sh
# shellcheck source=tests/vm/results.sh
. tests/vm/results.sh

# What one of them said of files below a directory, and errors anywhere: what
# stopped in a header has not seen the file.
complaints() { # WHO LOG DIRECTORY
	grep -E "^$1: ($3/.*(warning|error):|.*: error:)" "$2"
}

judge_sources() { # SERIES KDIR
	local who log=$out/$1/log files seen
	rm -rf "${out:?}/$1"
	kmod/mk/build.sh "$2" "$out/$1" SL_DEBUG=y C=2 CHECK="$checker" \
		>"$out/$1.said" 2>&1
	result $? "$1: the module is built" "$out/$1.said"
	files=$(find "$out/$1/tree/kmod" -name '*.o' ! -name sealane.o | wc -l)
	seen=$(grep -c '^  CHECK ' "$log")
	for who in sparse ${SL_CLANG:+clang}; do
		complaints "$who" "$log" "$out/$1/tree" >"$out/$1.$who"
		[ "$files" -gt 0 ] && [ "$files" = "$seen" ] &&
			[ ! -s "$out/$1.$who" ]
		result $? "$1: $who has nothing to say of $seen files" \
			"$out/$1.$who"
	done
}

judge_faults() { # SERIES KDIR
	local who dir=$out/$1.faults
	mkdir -p "$dir"
	cp tests/kmod/faults.c "$dir"
	echo "obj-m := faults.o" >"$dir/Kbuild"
	make -C "$2" M="$dir" C=2 CHECK="$checker" RESOLVE_BTFIDS=true \
		modules >"$dir/log" 2>&1
	for who in sparse ${SL_CLANG:+clang}; do
		complaints "$who" "$dir/log" "$dir" >"$dir/$who"
		grep -q "faults.c:$(line_of "${who}_sees")" "$dir/$who"
		result $? "$1: $who sees the fault that is there" "$dir/log"
	done
}

# Where the fault of this function is: its last line with a star.
line_of() { # FUNCTION
	awk -v start="$1(" 'index($0, start) { inside = 1 }
		inside && /return \*/ { print NR; inside = 0 }' tests/kmod/faults.c
}

export SL_CLANG
for series in $VM_SERIES; do
	SL_CLANG=
	[ "$series" != "${VM_SERIES##* }" ] || SL_CLANG=y
	kdir=$(tests/vm/image.sh headers "$series") || exit 1
	judge_sources "$series" "$kdir"
	judge_faults "$series" "$kdir"
done
echo "1..$n"
exit $failed
