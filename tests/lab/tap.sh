# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# TAP for the tests of this directory, which end with `tap_end`. LAB_DIR and
# common.sh come first. The lab goes down with the test, however that ends.

n=0 failed=0
ok() { # SENTENCE COMMAND...
	local what=$1
	shift
	n=$((n + 1))
	if "$@" >"$LAB_DIR/out" 2>&1; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		tail -12 "$LAB_DIR/out" | sed 's/^/# /'
		[ ! -e "$LAB_DIR/agent.log" ] ||
			tail -5 "$LAB_DIR/agent.log" | sed 's/^/# agent: /'
		failed=1
	fi
}
skip() { # SENTENCE WHY
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}
bail() { echo "Bail out! $*"; exit 1; }
tap_end() { echo "1..$n"; exit $failed; }

work=()	# what runs in the background and does not last
finish() {
	trap '' INT TERM	# a second Ctrl-C must not leave half of it
	[ ${#work[@]} = 0 ] || kill "${work[@]}" 2>/dev/null
	agent_kill TERM 2>/dev/null
	lab down
}
trap finish EXIT
trap 'exit 130' INT TERM

# A figure out of `sealane -j status` or latency: a Python expression over d.
figure() { # COMMAND... -- EXPRESSION
	local words=()
	while [ "$1" != -- ]; do words+=("$1"); shift; done
	sealane -j "${words[@]}" | python3 -c \
		"import json,sys; d=json.load(sys.stdin); print($2)"
}
