#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `sealane watch`: the program in a real terminal (tmux), before an agent that
# only pretends, for what a lab cannot show, and before the lab's.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-watch.XXXXXX)
export LAB_DIR
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"
SOCKET=$LAB_DIR/fake.sock
WATCH="$BUILD/sealane --socket $SOCKET watch --every 1s"

# --- a terminal of our own ---
tm() { tmux -L "sealane-$$" -f /dev/null "$@"; }
trap 'tm kill-server 2>/dev/null; traffic_stop; finish; rm -rf "$LAB_DIR"' EXIT
tm new-session -d -x 110 -y 24 "env LC_ALL=C.UTF-8 PS1='$ ' sh" ||
	bail "no tmux"
keys() { tm send-keys "$@"; }
type_in() { keys -l "$1"; keys Enter; }
screen() { tm capture-pane -p; }
shown() { screen | grep -E -- "$1"; }
shown_or_what() { shown "$1" || { screen | grep . | head -12; return 1; }; }
see() { # REGEX
	local end=$((SECONDS + 20))
	until shown "$1" >/dev/null; do
		[ $SECONDS -lt $end ] || return 1
		sleep 0.03
	done
}
gone() { ! shown "$1"; }
look() { # SENTENCE REGEX
	see "$2" || true
	ok "$1" shown_or_what "$2"
}
# `watch`, which says how it ended; the terminal's settings before and after
start() { # [VARIABLE=VALUE...]
	type_in "clear; stty -g >$LAB_DIR/before; env $* $WATCH; echo left with \$?; stty -g >$LAB_DIR/after"
	see 'q quit' || true
}
restored() {
	wait_until 5 shown 'left with' && wait_until 2 test -s "$LAB_DIR/after" &&
		cmp "$LAB_DIR/before" "$LAB_DIR/after" &&
		[ "$(tm display -p '#{alternate_on}#{cursor_flag}')" = 01 ]
}
program() { # the pid of what runs in the terminal
	pgrep -P "$(tm display -p '#{pane_pid}')" | head -1
}
ended() { [ -z "$(program)" ]; }
leave() { keys q; wait_until 20 ended; }
before() { # A B: a line with A stands above the first one with B
	screen | awk -v a="$1" -v b="$2" '$0 ~ a { at = NR; exit }
		$0 ~ b { exit } END { exit !at }'
}

fake() { # KIND
	python3 "$TOP/tests/lab/fake_agent.py" "$SOCKET" "$1" \
		2>>"$LAB_DIR/fake.err" &
	fake_pid=$!
	work+=("$fake_pid")
	if [ "$1" = hanging ]; then
		wait_until 5 test -S "$SOCKET"
	else
		wait_until 5 curl -s -m 1 --unix-socket "$SOCKET" \
			-o /dev/null http://x/api/v1/x
	fi
}
no_fake() { kill "$fake_pid"; wait "$fake_pid" 2>/dev/null; }
schema() { /usr/bin/python3 "$TOP/tests/schema.py" watch; }
fails() { ! "$@"; }
status_of() { # EXPECTED COMMAND...
	local want=$1 rc
	shift
	"$@"
	rc=$?
	echo "exit $rc"
	[ $rc = "$want" ]
}

# --- without an agent ---
ok "without an agent -n ends with 3" status_of 3 "$BUILD/sealane" --socket "$SOCKET" watch -n 1
ok "... and -j says so in JSON" sh -c "$BUILD/sealane --socket $SOCKET -j watch -n 1 |
	/usr/bin/python3 $TOP/tests/schema.py error"
ok "bad rounds are a mistake" status_of 1 "$BUILD/sealane" watch -n x
ok "... and an interval that would flood" status_of 1 "$BUILD/sealane" watch --every 10ms
start
look "the screen waits for an agent, aloud" 'NO AGENT for .* no agent at .*trying again'
fake few
look "... and shows it once it is there" 'hkg1 +agent up 2 h +generation 17'

# --- lanes, order, filter ---
look "a lane is shown with figures and state" \
	'SG +hk-cable +changed +44.00 +46.00 +49.00'
look "... with the minutes before" 'SG +hk-cable.*▁▁▁▁██'
look "what is worst stands first, and the order is shown" 'state▼'
ok "... above what is well" before 'hk-cable +changed' 'KL +sg-cable'
look "a lane without traffic has no figures" 'quiet +- +no traffic +- +-'
look "drops are shown with their rate" 'rule +[0-9.]+ +[0-9]+ +no-smtp +drop +case 12'
look "events are shown" 'warning path-change path of SG changed'
keys 4
look "a key sorts by the median" 'p50 ms▼'
ok "... the greatest first" before 'KL +sg-cable' 'SG +hk-cable'
keys 4
look "once more turns it round" 'p50 ms▲'
ok "... the least first" before 'TYO' 'KL +sg-cable'
ok "... what is not known last" before 'KL +sg-cable' 'quiet'
keys Right
look "an arrow key goes to the next column" 'p95 ms▲|p95 ms▼'
keys / k l Enter
look "a filter is named" 'filtered by "kl"'
ok "... and leaves what matches" gone 'TYO'
ok "... in its place" shown '> KL +sg-cable'
keys Escape
look "Esc shows all again" 'TYO'
aligned() { # wide characters take their two columns
	screen | python3 -c 'import sys, unicodedata
w = lambda s: sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in s)
at = {w(l[:l.index(n) + 5]) for l in sys.stdin for n in ("44.14", "29.00") if n in l
      and l[0] in "> "}
print(at); assert len(at) == 1'
}
ok "columns are aligned behind wide characters" aligned

# --- looking into a lane ---
keys 1 Home Enter
look "Enter looks into the lane" 'lane KL at 1.29, 103.85'
look "... its floor" 'floor 28.97 ms by cable'
tm resize-window -x 110 -y 45
look "... its history, with the path change" '^  P path B budget .*P'
look "... methods and halves" 'sg-cable +tcp-ts +far +77'
look "... prefixes" '198.18.10.0/24 +77'
keys Escape
look "Esc goes back" 'drops by'
keys '?'
look "? shows the keys" 'sort by lane, path, state'
keys q
look "q leaves the help" 'drops by'

# --- sizes ---
tm resize-window -x 40 -y 10
small() { [ "$(screen | LC_ALL=C.UTF-8 wc -lL | tr -s ' ')" = " 10 40" ]; }
look "at 40x10 lanes and medians are left" '^> .* [0-9]+\.[0-9][0-9]$'
ok "... within the window" small
ok "... down to its last line" sh -c "tmux -L sealane-$$ capture-pane -p | tail -1 | grep '^q quit'"
tm resize-window -x 14 -y 4
look "one that is no window is told" 'too small'
tm resize-window -x 220 -y 60
look "a wide one has all columns" 'packets/s +bit/s +p50 of the last minutes'

# --- an agent that is away, pause, requests ---
no_fake
look "a lost connection is told, with its time" 'CONNECTION LOST for [0-9]+ s'
ok "... and what was known is still there" shown 'hk-cable'
fake few
look "a new agent is told" 'started anew [0-9]+ s ago'
ok "no second had two rounds" sh -c "! grep ' status' $SOCKET.log | sort | uniq -c | grep -v ' 1 '"
asked() { grep -c . "$SOCKET.log"; }
paused() {
	keys Space
	see PAUSED
	sleep 1
	was=$(asked)
	sleep 2
	[ "$(asked)" = "$was" ]
}
ok "space pauses: nothing is asked" paused
keys Space
ok "... until space" wait_until 4 gone PAUSED

# --- ways out ---
keys q
ok "q gives the terminal back as it was" restored
ok "... and ends well" shown 'left with 0'
die() { # SIGNAL STATUS
	start
	rm -f "$LAB_DIR/after"
	kill "-$1" "$(program)"
	# on SIGINT a shell leaves out the rest of its line
	wait_until 20 ended
	[ "$1" != INT ] || type_in "echo left with \$?; stty -g >$LAB_DIR/after"
	restored && shown "left with $2"
}
ok "so does a signal" die TERM 143
ok "... Ctrl-C's" die INT 130
ok "... and a crash" die SEGV 139
coloured() { tm capture-pane -pe | grep -F -- "$1" | grep -qP '\x1b\[[0-9;]*3[1-6]m'; }
start
ok "what is changed is red" wait_until 3 coloured changed
leave
start NO_COLOR=1
ok "NO_COLOR has no colour" fails sh -c \
	"tmux -L sealane-$$ capture-pane -pe | grep -P '\\x1b\\[[0-9;]*3[1-6]m'"
ok "... and nothing blinks" fails sh -c \
	"tmux -L sealane-$$ capture-pane -pe | grep -P '\\x1b\\[([0-9]*;)*5[;m]'"
leave
start LC_ALL=C
look "a locale without UTF-8 gets ASCII" '> SG +hk-cable.*_{4,}#'
ok "... and nothing else" fails sh -c "tmux -L sealane-$$ capture-pane -p | grep -P '[^\\x00-\\x7f]'"
leave
type_in "clear; TERM=dumb timeout 1 $WATCH"
look "a dumb terminal gets rows" '^SG +hk-cable +changed'
type_in "clear; TERM=nonesuch timeout 1 $WATCH"
look "... as does one that is not known" 'shows no screen; rows'

# --- rows ---
$BUILD/sealane --socket "$SOCKET" watch -n 2 --every 1s >"$LAB_DIR/rows" </dev/null
ok "without a terminal rounds are rows" grep -qE '^SG +hk-cable +changed +44.00' "$LAB_DIR/rows"
ok "... as many as asked for" test "$(grep -c '^SG *hk-cable' "$LAB_DIR/rows")" = 2
ok "... an event is told once" test "$(grep -c 'path of SG changed' "$LAB_DIR/rows")" = 1
ok "... with no trailing blanks" fails grep -q ' $' "$LAB_DIR/rows"
ok "who stops reading ends it" timeout 10 sh -c "$WATCH | head -1"
ok "-j is a document" sh -c "$BUILD/sealane --socket $SOCKET -j watch -n 1 |
	/usr/bin/python3 $TOP/tests/schema.py watch"
ok "... per round" test "$($BUILD/sealane --socket "$SOCKET" -j watch -n 2 --every 1s | wc -l)" = 2
no_fake

# --- a thousand lanes, hostile words, answers of the wrong shape, none ---
fake many
start
look "a thousand lanes are shown" '> L0'
keys 1 End
look "... to the last one" '> L0999'
leave
no_fake
fake hostile
raw() { LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]'; }
$BUILD/sealane --socket "$SOCKET" watch -n 1 >"$LAB_DIR/rows" </dev/null
ok "hostile words are words in rows" sh -c \
	"grep -q owned $LAB_DIR/rows" && ok "... and nothing else" fails raw <"$LAB_DIR/rows"
tm select-pane -T ours
start
look "... and on the screen" 'x\?\[31m\?\]0;owned'
look "... where a bypass is loud" 'BYPASS ON: nothing is measured or blocked'
ok "... and the title is ours" test "$(tm display -p '#{pane_title}')" = ours
leave
ok "... as in JSON" sh -c "$BUILD/sealane --socket $SOCKET -j watch -n 1 |
	/usr/bin/python3 $TOP/tests/schema.py watch"
no_fake
fake malformed
start
look "answers of the wrong shape are told" 'GET status: an answer of no known form'
ok "... and end rows with 2" status_of 2 "$BUILD/sealane" --socket "$SOCKET" watch -n 1
leave
no_fake
fake hanging
start
look "an agent that hangs is told" 'NO AGENT for .*Timeout'
t0=$EPOCHREALTIME
keys q
ok "... and does not hold the keys" restored
ok "... for a second" python3 -c "assert $EPOCHREALTIME - $t0 < 1.5"
no_fake

# --- the lab's agent ---
SOCKET=$SEALANE_SOCKET
WATCH="$BUILD/sealane --socket $SOCKET watch --every 1s"
export SITES="SG:10:36:2:2900: HK:15:12:1:650:"
lab up || bail "no lab"
sed -i 's/{name: SG, /&budgets: ["p95 <= 20ms over 10s"], /' "$LAB_DIR/sealane.yaml"
echo 'detection: {hold: 20s}' >>"$LAB_DIR/sealane.yaml"
agent_start || bail "no agent: $(cat "$LAB_DIR/agent.log")"
traffic_start 150
start
see 'SG +sg-cable .*budget' || true
look "a lane of the lab is shown, with what it measures" \
	'SG +sg-cable .*budget +3[67]\.[0-9]+ +3[6-9]\.[0-9]+ .* 1\.2[0-9]'
look "... and the other one" 'HK +hk-cable .* 1[23]\.[0-9]+ '
sealane -j watch -n 1 >"$LAB_DIR/watch.json"
sealane -j latency --half far --by lane,path --since -10s >"$LAB_DIR/latency.json"
agrees() {
	python3 - "$LAB_DIR" <<-'EOF'
		import json, sys
		watch, latency = (json.load(open("%s/%s.json" % (sys.argv[1], n)))
		                  for n in ("watch", "latency"))
		rows = {(r["lane"], r["path"]): r for r in latency["rows"]}
		n = 0
		for w in watch["lanes"]:
		    r = rows.get((w["lane"], w["path"]))
		    if w["lane"] in ("SG", "HK") and w["samples"]:
		        print(w["lane"], w["path"], w["p50_ns"], r["p50_ns"], w["samples"], r["samples"])
		        assert abs(w["p50_ns"] / r["p50_ns"] - 1) < 0.02, (w, r)
		        assert w["packets_per_s"] > 10
		        n += 1
		assert n == 2, n
	EOF
}
ok "its figures are those of \`latency\`" agrees
ok "... in its schema" sh -c "/usr/bin/python3 $TOP/tests/schema.py watch <$LAB_DIR/watch.json"
keys -l '/SG budget'
keys Enter Enter
look "a look into a lane has its budget" 'budget p95 <= 20ms over 10s: broken since'
look "... its methods" 'sg-cable +tcp-ts +far +[0-9]+ +3[67]\.'
look "... its floor" 'floor 29.02 ms by cable, cable 2900 km, geography ok'
tm resize-window -x 110 -y 70
look "... and its events" 'warning .*SG'
keys Escape Escape
sealane block "$(site_v4 HK)" --force --why "a test" >/dev/null
look "what is blocked is shown as it drops" 'block +[1-9][0-9.]* +[0-9]+ +198.18.15.2 +drop +a test'
look "... and that it was" 'commit .*block of 198.18.15.2'
sealane bypass on --why "a test" >/dev/null
look "the bypass is loud" 'BYPASS ON: .* by root: a test'
sealane bypass off >/dev/null
agent_kill TERM
look "an agent that ends is told" 'CONNECTION LOST for'
agent_start
look "... and when it is back" 'the agent was started anew'
look "... its lanes too" 'SG +sg-cable .* 3[67]\.[0-9]+'
keys q
ok "and the terminal is as it was" restored
tap_end
