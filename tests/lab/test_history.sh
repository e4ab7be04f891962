#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# History: every sample is counted once, over an agent that was killed, one that
# was stopped and tables that are new; what is asked of it, and how it is shown.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-history.XXXXXX)
SITES="SG:10:36:2:2900: BKK:14:34:1:2600:"
export LAB_DIR SITES
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"

lab up || bail "no lab"

schema() { # NAME COMMAND...
	local name=$1
	shift
	sealane -j "$@" | python3 "$TOP/tests/schema.py" "$name"
}
# The data plane's own counters: samples and packets since it was loaded.
counters() {
	in_ns gw curl -sf --unix-socket "$SEALANE_SOCKET" http://agent/metrics |
		python3 -c 'import sys
n = 0
for line in sys.stdin:
    if line.startswith("sealane_rtt_seconds_count{"):
        n += int(float(line.split()[-1]))
print(n)'
	figure status -- 'sum(d["reasons"][r]["packets"] for r in ("tracked",))'
}
# The same of an answer; half self is no round trip and another metric.
answer() { # SINCE [UNTIL]
	figure latency --since "$1" ${2:+--until "$2"} --by lane,path,method,half -- \
		'sum(r["samples"] for r in d["rows"] if r["half"] != "self")'
	figure latency --since "$1" ${2:+--until "$2"} --by lane -- \
		'sum(r["packets"] for r in d["rows"])'
}
say_both() { echo "# counted $1, answered $2" >&2; [ "$1" = "$2" ]; }
same() { # SINCE: when nothing is on its way any more
	local was
	was=$(counters)
	say_both "$(echo $was)" "$(echo $(answer "$1"))"
}
fails() { # STATUS TEXT COMMAND...
	local status=$1 text=$2 rc
	shift 2
	"$@" >"$LAB_DIR/said" 2>&1
	rc=$?
	cat "$LAB_DIR/said"
	[ $rc = "$status" ] && grep -qF -- "$text" "$LAB_DIR/said"
}
says() { # REGEX COMMAND...
	local regex=$1
	shift
	"$@" >"$LAB_DIR/said" 2>&1 || return
	cat "$LAB_DIR/said"
	grep -qE -- "$regex" "$LAB_DIR/said"
}
on_terminal() { # COLUMNS COMMAND...
	python3 "$TOP/tests/lab/terminal.py" "$1" "$BUILD/sealane" \
		--socket "$SEALANE_SOCKET" "${@:2}"
}

ok "the agent starts" agent_start
start=$(date -u +%FT%TZ)
lab traffic 20 &
traffic=$!
sleep 4
agent_kill KILL
sleep 1
ok "killed, it starts again" agent_start
sleep 8
agent_kill TERM
sleep 1
ok "stopped, it starts again" agent_start
sealane block 192.0.2.9 --why "a mark" >/dev/null
wait $traffic
sleep 2	# what is on its way, and a reading

# --- memory: what a former agent measured too ---
ok "over both every sample and packet counts once" same "$start"
ok "... by the hour too" same -1h
first=$(counters)

# --- disk: tables and memory are new, as after a boot ---
sleep 11	# the last step ends
agent_kill TERM
find "$(bpffs_dir)" "/run/sealane/bpf/$(basename "$(bpffs_dir)")" -delete 2>/dev/null
ok "with tables that are new it starts" agent_start
ok "what was before is on disk, once" say_both "$(echo $first)" "$(echo $(answer "$start"))"
lab traffic 5
sleep 2
second=$(counters)
both=$(paste <(echo "$first") <(echo "$second") | awk '{printf "%s%d", s, $1 + $2; s = " "}')
ok "memory and disk meet without a gap or an overlap" say_both "$both" "$(echo $(answer "$start"))"
ok "the answer says what it covers: whole steps" test \
	"$(figure latency --since -10m -- 'd["from"][18:]')" = "0.000Z"
ok "latency keeps its schema" schema latency latency --since -10m
ok "a quantile is of all samples" test "$(figure latency SG --half far --by lane --since -10m -- \
	'36e6 <= d["rows"][0]["p5_ns"] <= d["rows"][0]["p50_ns"] <= d["rows"][0]["p95_ns"] and d["rows"][0]["p50_ns"] < 38e6')" = True
ok "floor and stretch: 2,900 km of fibre and back" test "$(figure latency SG --half far --by lane --since -10m -- \
	'[r["floor_ns"] // 10**6 for r in d["rows"]] + [abs(r["stretch"] - r["p5_ns"] / r["floor_ns"]) < 0.001 for r in d["rows"]]')" = "[29, True]"
ok "by prefix: those of the lane" test "$(figure latency SG --by lane,prefix --since -10m -- \
	'sorted(r["prefix"] for r in d["rows"]) == ["198.18.10.0/24", "2001:db8:10::/48"] and all(r["method"] == "all" and r["half"] == "far" and r["samples"] > 20 for r in d["rows"])')" = True
ok "... no half but far" fails 2 "only half far" sealane latency --by prefix --half near

# --- steps ---
ok "history keeps its schema" schema history history SG --since -10m --heat
ok "its steps are the window's samples" test "$(figure history SG --since -10m --step 10s -- \
	'sum(s["samples"] for r in d["rows"] for s in r["steps"])')" = \
	"$(figure latency SG --half far --by lane --since -10m -- 'd["rows"][0]["samples"]')"
ok "... and buckets are the steps' samples" test "$(figure history SG --since -10m --heat -- \
	'all(sum(n for _, n in s["heat"]) == s["samples"] for r in d["rows"] for s in r["steps"])')" = True
ok "each begins where a step does" test "$(figure history SG --step 20s -- \
	'd["step_s"] == 20 and all(int(s["time"][17:19]) % 20 == 0 for r in d["rows"] for s in r["steps"])')" = True
ok "a commit is a mark" test "$(figure history SG --since -10m -- \
	'[m["kind"] for m in d["marks"] if "a mark" in m["message"]]')" = "['commit']"
ok "rows by path" test "$(figure history SG --by path --since -10m -- \
	'[r["path"] for r in d["rows"]]')" = "['sg-cable']"
ok "another path has none" says "no round trip" sealane history SG --path hk-cable
ok "a step between two is rounded up, and said" says "steps of 20 s and not of 15s" \
	sealane history SG --step 15s
ok "without a terminal rows" says '^20..-..-..T..:..:.0.000Z +all +all +far' sealane history SG --since -10m

# --- a terminal ---
export LC_ALL=C.UTF-8 TERM=xterm-256color
unset NO_COLOR
ok "on a terminal a strip, coloured" says $'\e\\[[0-9;]*m\u2584|\u2580' on_terminal 80 history SG --since -10m
ok "... no wider than that" test "$(on_terminal 60 history SG --since -10m | grep -a ' ms \| UTC$' | sed 's/\x1b\[[0-9;]*m//g' |
	awk '{if (length($0) > m) m = length($0)} END {print (m <= 60)}')" = 1
ok "... with its marks" says '^C .*a mark' on_terminal 80 history SG --since -10m
NO_COLOR=1 on_terminal 80 history SG --since -10m >"$LAB_DIR/plain"
ok "NO_COLOR: shades" test "$(grep -ac $'\e' "$LAB_DIR/plain") $(grep -c $'\u2588' "$LAB_DIR/plain")" != "0 0"
ok "... and no escape" sh -c "! grep -aq '$(printf '\033')' $LAB_DIR/plain"
LC_ALL=C on_terminal 80 history SG --since -10m >"$LAB_DIR/ascii"
ok "without UTF-8: ASCII" sh -c "grep -q '@' $LAB_DIR/ascii && ! LC_ALL=C grep -aqP '[^\\x00-\\x7f]' $LAB_DIR/ascii"

# --- mistakes, trouble ---
ok "an unknown lane is refused" fails 2 "no lane XX" sealane history XX
ok "no lane is usage" fails 1 "takes one lane" sealane history
ok "a step that is none is refused" fails 2 "step banana is none" sealane history SG --step banana
ok "a window that ends before it begins is refused" fails 2 "the window is empty" \
	sealane latency --since -1m --until -2m
ok "errors keep their schema" sh -c "'$BUILD/sealane' -j --socket '$SEALANE_SOCKET' history XX |
	python3 '$TOP/tests/schema.py' error"
agent_kill TERM
ok "without an agent it says so" fails 3 "no agent" sealane history SG
mv "$LAB_DIR/state/history.db" "$LAB_DIR/away"
rm -f "$LAB_DIR/state"/history.db-*
mkdir -p "$LAB_DIR/state/history.db/x"
ok "with a history.db that is none it starts" agent_start
ok "... and answers from memory" says '^SG' sealane latency SG --by lane
ok "... but says that disk does not" fails 2 "history on disk" sealane latency SG --since -2h
tap_end
