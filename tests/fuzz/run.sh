#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Fuzz every parser, the image checker and the whole engine with libFuzzer,
# address and undefined-behaviour sanitizers: run.sh SECONDS. TAP; what crashes
# stays in build/fuzz.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
seconds=${1:-5}
out=$BUILD/fuzz
SHARED=${SHARED:-../shared}
plain="-std=gnu11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Iinclude -Ilib -Itests
	-I$BUILD -fsanitize=address,undefined
	-fno-sanitize-recover=undefined"
flags="$plain -fsanitize=fuzzer-no-link"
libs="-lbpf -lelf -lz -ljson-c -lcyaml -lyaml -lmaxminddb -lgnutls
	-lprotobuf-c -lm"
mkdir -p "$out/obj"
# libmaxminddb loses what it allocated when a file's metadata is damaged
echo 'leak:libmaxminddb' >"$out/lsan"
export LSAN_OPTIONS=suppressions=$PWD/$out/lsan:print_suppressions=0
case $out in /*) LSAN_OPTIONS=suppressions=$out/lsan:print_suppressions=0 ;; esac

# Something right to begin with.
seed() { # NAME
	local d=$out/corpus-$1
	mkdir -p "$d"
	case $1 in
	list)
		printf '\0001.2.3.0/24\n# x\n1.2.3.4-1.2.3.9 ; y\n2001:db8::/32\n' >"$d/a"
		printf '\0{"cidr":"1.2.3.0/24"}\n{"type":"metadata","records":1}\n' >"$d/b"
		printf '\002# Entries : 1 subnets, 256 unique IPs\n1.2.3.0/24\n' >"$d/c"
		{ printf '\0'; printf '1.2.3.4\n' | gzip -n; } >"$d/d" ;;
	world)
		printf '\0002|x|1|2|1|1|0\nx|*|ipv4|*|1|summary\nx|SG|ipv4|1.0.0.0|768|2|allocated\nx|SG|ipv6|2001:db8::|32|2|assigned\n' >"$d/a"
		printf '\0011.2.3.0/24,SG,SG-01,x,\n2001:db8::/32,,,,\n' >"$d/b"
		echo '1.2.3.0/24 SG' | python3 tests/mk/mmdb.py "$out/seed.mmdb" country
		{ printf '\002'; cat "$out/seed.mmdb"; } >"$d/c" ;;
	engine)
		find "$SHARED/data" -name '*.pcap*' 2>/dev/null | sort |
			xargs "$out/seeds" "$d" ;;
	sketch)
		printf '\0\010\144\2\200\10\200\10\0' >"$d/a"
		printf '\1\1\1\0\2\2\144\1\2\2\11\0\0' >"$d/b"
		printf '\2\1\1\0\10\0\0\0\0\0\0\0\0\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1\1' >"$d/c" ;;
	image|kmod) head -c 64 /dev/zero >"$d/a" ;;
	expose)
		printf 'application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited,text/plain;version=0.0.4;q=0.5,*/*;q=0.1' >"$d/a"
		printf 'gzip;q=0, "*"\n\303\244\377' >"$d/b" ;;
	config) cp dist/sealane.yaml.example "$d/a" ;;
	rules)
		cp dist/rules.yaml.example "$d/a"
		printf '{"rules":[{"id":"x","match":{"port":"1-2","icmp":[{"type":3,"code":[1]}]},"action":"count"}]}' >"$d/b"
		printf 'rules: [{id: x, match: {path: a, dscp: ef, family: 6}, action: drop},]' >"$d/c" ;;
	capture)
		printf '\324\303\262\241\2\0\4\0\0\0\0\0\0\0\0\0\377\377\0\0\1\0\0\0\1\0\0\0\1\0\0\0\20\0\0\0\20\0\0\0' >"$d/a"
		head -c 16 /dev/zero >>"$d/a" ;;
	flowspec)
		printf '\0\200\6\0\0\0\0\0\0\023\1\040\313\0\161\7\2\030\306\063\144\3\201\6\5\221\1\273' >"$d/a"
		printf '\1\200\14\0\0G\303P\0\022\1\040\0\040\1\15\270\2h@\0224Vx\232\3\201\6' >"$d/b"
		printf '\0\200\6\0\0G\364\044\0\027\1\030\313\0\161\3\201\021\6\1\65\1\173\221\1\205\12\23\3\350\325\5\334' >"$d/c" ;;
	bgp)
		# sessions as they were recorded, a line each
		for f in "$SHARED"/data/peers/exabgp/*.jsonl; do
			[ ! -e "$f" ] || grep -h '"update"\|"up"' "$f" | head -8 |
				while IFS= read -r l; do
					i=$((${i:-0} + 1))
					printf '\001%s' "$l" >"$d/e-$(basename "$f")-$i"
				done
		done
		for f in "$SHARED"/data/peers/gobgp/*.jsonl; do
			[ ! -e "$f" ] || { printf '\002'; head -1 "$f"; } >"$d/g-$(basename "$f")"
		done
		printf '\0\0\0\0\030\200\16\12\0\1\205\0\0\4\1\20\300\0\200\17\10\0\1\205\4\1\20\300\1' >"$d/a"
		printf '\003{"op":"announce","neighbour":"192.0.2.1","kind":"flowspec","family":4,"nlri":"0118c00002"}' >"$d/b" ;;
	parse)
		printf '\2\0\0\0\0\1\2\0\0\0\0\2\10\0E\0\0\64\0\1\0\0@\6\0\0\306\22\0\2\313\0q\5\1\0\0\120\0\0\0\1\0\0\0\1\200\20\1\0\0\0\0\0\1\1\10\12\0\0\0\1\0\0\0\2' >"$d/a" ;;
	esac
}

# What the engine's inputs reached, once more with the loaded program beside it.
twin() {
	n=$((n + 1))
	if SL_TWIN=1 "$out/engine" -runs=0 -verbosity=0 -max_len=8192 \
		-rss_limit_mb=3000 -artifact_prefix="$out/twin-" \
		"$out/corpus-engine" >"$out/twin.log" 2>&1; then
		echo "ok $n - twin: $(find "$out/corpus-engine" -type f | wc -l) inputs end alike in the loaded program"
	else
		echo "not ok $n - twin"
		tail -30 "$out/twin.log" | sed 's/^/# /'
		failed=1
	fi
}

targets=$(cd tests/fuzz && echo fuzz_*.c)
# shellcheck disable=SC2086
echo "1..$(($(echo $targets | wc -w) + 1))"
rm -f "$out"/obj/*.o
object() { # SOURCE
	local how
	case $1 in	# coverage of the engine, not of what feeds it
	*/engine.c) how="-Itests/native $flags" ;;
	tests/native/*) how=$plain ;;
	*) how=$flags ;;
	esac
	# shellcheck disable=SC2086
	clang $how -c -o "$out/obj/$(basename "$1" .c).o" "$1"
}
export -f object
export flags plain out
# shellcheck disable=SC2016  # bash -c gets the source as $0
printf '%s\0' lib/*.c "$BUILD/expose.pb-c.c" tests/native/*.c |
	xargs -0 -n 1 -P "$(nproc)" bash -c 'object "$0"' || exit 1
# shellcheck disable=SC2086
clang $plain -o "$out/seeds" tests/fuzz/seeds.c "$out"/obj/*.o \
	-fsanitize=fuzzer-no-link $libs || exit 1
n=0 failed=0
for t in $targets; do
	name=${t#fuzz_} name=${name%.c}
	n=$((n + 1))
	seed "$name"
	# shellcheck disable=SC2086
	if clang $flags -fsanitize=fuzzer -o "$out/$name" "tests/fuzz/$t" \
		"$out"/obj/*.o $libs && "$out/$name" -max_total_time="$seconds" \
		-timeout=10 -rss_limit_mb=3000 -max_len=8192 -verbosity=0 \
		-print_final_stats=1 -artifact_prefix="$out/$name-" \
		"$out/corpus-$name" >"$out/$name.log" 2>&1; then
		echo "ok $n - $name: $(grep -oE 'number_of_executed_units: [0-9]+' \
			"$out/$name.log" | grep -oE '[0-9]+') inputs"
	else
		echo "not ok $n - $name"
		tail -30 "$out/$name.log" | sed 's/^/# /'
		failed=1
	fi
done
twin
exit $failed
