#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Every test, TAP read and counted. A test program that crashes, runs out of
# time or prints fewer results than it planned has failed. The last line is
# `N passed, N failed, N skipped`.
set -u
cd "$(dirname "$0")/.." || exit 1
BUILD=${BUILD:-build}
export BUILD SHARED=${SHARED:-../shared}
CC=${CC:-gcc}
out=$BUILD/tests
passed=0 failed=0 skipped=0
failures=()
mkdir -p "$out"

# Count the TAP in a file; name, exit status.
count() { # NAME FILE RC
	local plan got line
	plan=$(grep -oE '^1\.\.[0-9]+' "$2" | head -1 | cut -d. -f3)
	got=$(grep -cE '^(not )?ok ' "$2")
	while IFS= read -r line; do
		case $line in
		"not ok"*) failed=$((failed + 1)); failures+=("$1: ${line#not ok }") ;;
		ok*"# SKIP"*) skipped=$((skipped + 1)); echo "  skipped: $1: ${line#ok }" ;;
		ok*) passed=$((passed + 1)) ;;
		esac
	done < <(grep -E '^(not )?ok ' "$2")
	if [ -z "$plan" ] || [ "$plan" != "$got" ]; then
		failed=$((failed + 1))
		failures+=("$1: ${got} of ${plan:-?} planned results, exit $3")
	elif [ "$3" != 0 ] && ! grep -q '^not ok' "$2"; then
		failed=$((failed + 1))
		failures+=("$1: exit $3")
	fi
}

log_of() { echo "$out/$(echo "$1" | tr '/ ' '__').tap"; }
try() { # NAME SECONDS COMMAND...; its exit status and its time go into a file
	local log from=$SECONDS
	log=$(log_of "$1")
	timeout --kill-after=20 "$2" "${@:3}" >"$log" 2>&1
	echo "$? $((SECONDS - from))" >"$log.rc"
}
tell() { # NAME of what was tried
	local log rc took_s
	log=$(log_of "$1")
	read -r rc took_s <"$log.rc"
	printf '== %s (%d s)\n' "$1" "$took_s"
	count "$1" "$log" "$rc"
	grep -E -B12 '^not ok|ERROR: AddressSanitizer|runtime error' "$log" | head -60
}
run() { # NAME SECONDS COMMAND...
	try "$@"
	tell "$1"
}

# Some tests keep one core busy, labs mostly wait: a second row of tests runs beside
# the first.
beside=() row=
beside() { beside+=("$1|$2|${*:3}"); }	# as run; no word may have a space
begin_row() {
	local each name limit command
	for each in "${beside[@]}"; do
		IFS='|' read -r name limit command <<<"$each"
		# shellcheck disable=SC2086
		try "$name" "$limit" $command
	done &
	row=$!
}
end_row() {
	local each
	wait "$row"
	for each in "${beside[@]}"; do tell "${each%%|*}"; done
	beside=() row=
}
# shellcheck disable=SC2046
trap '[ -z "$row" ] || kill $(pgrep -P "$row") "$row" 2>/dev/null' EXIT

# C tests: our sources once more, and the engine for user space (tests/native),
# under the address and undefined-behaviour sanitizers, linked with each test.
san="-fsanitize=address,undefined -fno-sanitize-recover=undefined"
flags="-std=gnu11 -D_GNU_SOURCE -g -O1 -Wall -Wextra -Werror -Iinclude -Ilib
	-I$BUILD -Itests -Itests/bpf -isystem $BUILD/kselftest"
printf '== build tests with sanitizers\n'
rm -rf "$out/obj"
mkdir -p "$out/obj"
cores=$(nproc)
sources=(tests/unit/*.c tests/bpf/*.c)
libs="-lbpf -lelf -lz -ljson-c -lcyaml -lyaml -lmaxminddb -lgnutls -lprotobuf-c -lm"
object() { # SOURCE
	local first=
	case $1 in tests/native/*) first=-Itests/native ;; esac
	# shellcheck disable=SC2086
	$CC $first $flags $san -c -o "$out/obj/$(basename "$1" .c).o" "$1"
}
program() { # SOURCE
	# shellcheck disable=SC2086
	$CC $flags $san -o "$out/$(basename "$1" .c)" "$1" "$out"/obj/*.o $libs
}
export -f object program
export CC flags san out libs
# shellcheck disable=SC2016  # bash -c gets the source as $0
printf '%s\0' lib/*.c tests/native/*.c "$BUILD"/*.pb-c.c |
	xargs -0 -n 1 -P "$cores" bash -c 'object "$0"' || exit 1
for src in "${sources[@]}"; do rm -f "$out/$(basename "$src" .c)"; done
# shellcheck disable=SC2016
printf '%s\0' "${sources[@]}" |
	xargs -0 -n 1 -P "$cores" bash -c 'program "$0" || true'
# The history's files of the agent, with a clock and disks of the test's. Two of
# them write a month's worth: those run without sanitizers.
for src in tests/history/test_*.c; do
	name=$(basename "$src" .c)
	case $name in test_history|test_disk) how=$san ;; *) how=-O2 ;; esac
	# shellcheck disable=SC2086
	if $CC $flags $how -Iagent -Itests/history -o "$out/$name" "$src" \
		agent/history*.c lib/sketch*.c lib/hist.c lib/duration.c \
		-lsqlite3 -lz -ljson-c -lm -lpthread; then
		beside "${src%.c}" 300 "$out/$name"
	else
		failed=$((failed + 1))
		failures+=("$src does not compile")
	fi
done
beside "command line" 120 tests/cli/test_cli.sh
beside "Prometheus rules" 60 tests/metrics/test_rules.sh
beside "rule files" 120 tests/cli/test_rules.sh
beside "rules on captures" 120 tests/cli/test_replay_rules.sh
beside "FlowSpec sources" 120 tests/cli/test_flowspec.sh
beside "captures" 600 tests/captures/test_captures.sh
beside "module, built" 120 tests/kmod/test_build.sh
beside "module, read" 120 tests/kmod/test_static.sh
begin_row
for src in "${sources[@]}"; do
	name=$(basename "$src" .c)
	if [ -x "$out/$name" ]; then
		run "${src%.c}" 300 "$out/$name"
	else
		failed=$((failed + 1))
		failures+=("$src does not compile")
	fi
done

printf '== clang compiles user space without a warning\n'
bad=0
reads() { # SOURCE
	local first=
	case $1 in tests/native/*) first=-Itests/native ;; esac
	# shellcheck disable=SC2086
	clang $first $flags -DSL_VERSION='"test"' -fsyntax-only "$1"
}
export -f reads
# shellcheck disable=SC2016
printf '%s\0' lib/*.c agent/*.c tools/*.c tests/native/*.c |
	xargs -0 -n 1 -P "$cores" bash -c 'reads "$0"' || bad=1
if [ $bad = 0 ]; then
	passed=$((passed + 1))
else
	failed=$((failed + 1))
	failures+=("clang warns")
fi

run "fuzz" 300 tests/fuzz/run.sh "${FUZZ_SECONDS:-4}"
end_row
run "guests" 900 tests/vm/test_vm.sh
run "hardware stamps" 400 tests/vm/test_hardware.sh
beside "API, described" 120 unshare --net /usr/bin/python3 tests/api/test_openapi.py
beside "API, access" 240 unshare --net /usr/bin/python3 tests/api/test_access.py
beside "API, stream" 180 unshare --net /usr/bin/python3 tests/api/test_stream.py
beside "watch" 150 tests/lab/test_watch.sh
beside "history" 180 tests/lab/test_history.sh
beside "path changes" 300 tests/lab/test_changes.sh
beside "prefixes" 120 tests/lab/test_prefixes.sh
beside "metrics" 180 tests/lab/test_metrics.sh
beside "page" 150 tests/page/test_page.sh
begin_row
run "one-armed gateway" 60 tests/lab/test_vlan.sh
run "residence" 180 tests/lab/test_residence.sh
run "events" 120 tests/lab/test_events.sh
run "rules" 180 tests/lab/test_rules.sh
run "commits" 900 tests/lab/test_commits.sh
run "plan" 120 tests/lab/test_plan.sh
run "lab" 400 tests/lab/test_lab.sh
run "real peers" 240 tests/lab/test_peers.sh
run "BGP peers" 180 tests/lab/test_flowspec.sh
run "recordings played" 120 tests/lab/test_play.sh
end_row

printf '\n'
for f in "${failures[@]:-}"; do [ -n "$f" ] && echo "FAILED  $f"; done
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ]
