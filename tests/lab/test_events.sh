#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Events, drops, bypass: what is told, to whom, and for how long.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-events.XXXXXX)
export LAB_DIR
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"
echo "se$$" >"$LAB_DIR/id"
: >"$LAB_DIR/pids"

ip netns add "$(ns_name gw)"
ip netns add "$(ns_name far)"
for ns in gw far; do	# no frames but ours
	in_ns $ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done
in_ns far ip link add p0 type veth peer name out0 netns "$(ns_name gw)"
in_ns far ip link set p0 up
in_ns gw ip link set out0 up
cat >"$LAB_DIR/sealane.yaml" <<EOF2
interfaces: [{name: out0, side: outside, path: cable}]
home: [198.18.10.0/24]
protect: [198.18.10.1]
lanes: [{name: FAR, prefixes: [198.18.20.0/24]}]
tables: {flows: 1024, series: 64, size: small}
socket: $LAB_DIR/sealaned.sock
state_dir: $LAB_DIR/state
bpffs: $(bpffs_dir)
EOF2

schema() { # NAME COMMAND...
	local name=$1
	shift
	sealane -j "$@" | /usr/bin/python3 "$TOP/tests/schema.py" "$name"
}
told() { # KIND REGEX
	sealane events --kind "$1" | grep -E -- "$2"
}
fails() { ! "$@"; }
followed() { grep -qE -- "$1" "$LAB_DIR/follow"; }
detail() { # KIND EXPRESSION over e, the last event of the kind
	sealane -j events --kind "$1" | python3 -c "import json,os,sys
e=json.load(sys.stdin)['events'][-1]; print(e); assert $2"
}

ok "the agent starts" agent_start
ok "... which is an event" told agent 'started, pid'
ok "... as is its interface" told interface 'out0: attached'
ok "events keep their schema" schema events events
sealane -j events --follow >"$LAB_DIR/follow" 2>"$LAB_DIR/follow.err" &
work+=($!)
sleep 0.3

# --- commits and refusals ---
sealane block 192.0.2.9 --for 1s --why "case 12" >/dev/null
ok "a block is told to who follows, within a second" \
	wait_until 1 followed '"commit".*block of 192.0.2.9 by root: case 12'
ok "... with generation and author" detail commit \
	'e["detail"]["generation"]==1 and e["detail"]["uid"]==0 and e["detail"]["prefixes"]==["192.0.2.9"]'
sealane block 198.18.10.1 >/dev/null 2>&1
ok "a refused block is told, with what was wrong" detail refused \
	'"protected" in e["detail"]["items"][0] and e["detail"]["status"]==409'
printf 'banana\n' >"$LAB_DIR/l"
sealane list replace spam "$LAB_DIR/l" >/dev/null 2>&1
ok "a refused list is told" told refused 'list replace.*refused'
ok "an expiry is told" wait_until 4 told expiry 'expiry of 192.0.2.9'
for i in $(seq 30); do sealane unblock 203.0.113.$i; done >/dev/null 2>&1
ok "a flood of refusals is cut short" wait_until 3 told refused 'more refusals'
ok "a limit gives the last ones" test \
	"$(sealane -j events --limit 2 | python3 -c 'import json,sys; d=json.load(sys.stdin); print(len(d["events"]), d["events"][-1]["n"]==d["last"])')" = "2 True"
ok "a kind that is none is refused, with those that are" sh -c \
	"! $BUILD/sealane events --kind comit >$LAB_DIR/said 2>&1 && grep 'commit, congestion' $LAB_DIR/said"
ok "a bad limit is refused" fails sealane events --limit 2000
ok "since in the future has nothing" test -z "$(sealane events --since 2100-01-01T00:00:00Z)"

# --- words of others ---
raw() { # anything but text, line ends and UTF-8?
	LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]'
}
evil=$'x\e[31m\xc2\x9b31m\xe2\x80\xae\xff\nsealaned: forged'
clean() { # COMMAND...
	"$@" >"$LAB_DIR/said" && [ -s "$LAB_DIR/said" ] && ! raw <"$LAB_DIR/said" &&
		iconv -f UTF-8 -t UTF-8 <"$LAB_DIR/said" >/dev/null
}
ok "a reason with escapes is taken as text" clean sealane block 192.0.2.10 --why "$evil"
sealane unblock 192.0.2.10 --why "$evil" >/dev/null
ok "... and shown so by events" clean sealane events
ok "... by their JSON" clean sealane -j events
ok "... by the log of generations" clean sealane rule log
ok "... by its JSON" clean sealane -j rule log
ok "... by the audit log" clean sealane -j audit show
ok "... and makes no line of the agent's log" fails grep -q '^sealaned: forged' "$LAB_DIR/agent.log"
ok "unblock keeps its reason" told commit 'unblock of 192.0.2.10 by root: x'
printf 'rules:\n- {id: evil, match: {src: 192.0.2.11}, action: drop, tag: "t\\u202e", why: "\\u202eb"}\n' >"$LAB_DIR/evil.yaml"
ok "a rule file's words cannot turn the line either" clean sealane rule apply "$LAB_DIR/evil.yaml"
ok "... in rule ls" clean sealane rule ls
ok "... in explain" clean sealane explain 192.0.2.11
ok "columns are aligned by characters, and end with the text" fails \
	sh -c "grep -q ' \$' '$LAB_DIR/said'"
printf 'rules: []\n' >"$LAB_DIR/none.yaml"
ok "a base that is not there yet is refused" fails sealane rule apply \
	"$LAB_DIR/none.yaml" --base 100000
sealane rule apply "$LAB_DIR/none.yaml" >/dev/null

# --- who waits does not keep others waiting ---
get() { curl -s --unix-socket "$SEALANE_SOCKET" "http://x/api/v1/$1"; }
took() { # LEAST MOST QUERY: tenths of a second
	local t0=$EPOCHREALTIME t
	get "$3" >"$LAB_DIR/got"
	t=$(python3 -c "print(round(($EPOCHREALTIME-$t0)*10))")
	echo "took $t tenths"
	[ "$t" -ge "$1" ] && [ "$t" -le "$2" ]
}
ok "a request waits its time" took 9 30 'events?kind=clock&wait=1'
ok "... and has then nothing to tell" grep -q '"events":\[\]' "$LAB_DIR/got"
for _ in $(seq 34); do get 'events?kind=clock&wait=8' >/dev/null & work+=($!); done
sleep 0.5
ok "34 that wait leave room for others" took 0 10 status
ok "... and one too many is answered at once" took 0 10 'events?kind=clock&wait=8'

# --- drops ---
cat >"$LAB_DIR/talk.py" <<'EOF2'
import socket, struct
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("p0", 0))
def send(src, proto, l4, n):
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 20 + len(l4), 1, 0, 64, proto,
                     0, src, bytes([198, 18, 10, 2]))
    for _ in range(n):
        s.send(bytes(12) + b"\x08\0" + ip + l4)
tcp = struct.pack("!HHIIBBHHH", 443, 5000, 1, 1, 0x50, 0x12, 100, 0, 0)
send(bytes([198, 18, 20, 5]), 6, tcp, 1)
send(bytes([198, 18, 20, 6]), 17, struct.pack("!HHHH", 53, 5000, 8, 0), 2000)
EOF2
drop() { # EXPRESSION over d, and the drops of the block b and of the list l
	sealane -j events --drops --limit 10000 | python3 -c "import json,os,sys
d=json.load(sys.stdin); D=d['drops']
b=[x for x in D if x['block']]; l=[x for x in D if x['list']]
print(d['last'], d['dropped'], d['unsampled'], b, l[:1]); assert $1"
}
sealane block 198.18.20.5 >/dev/null
printf '198.18.20.6\n' >"$LAB_DIR/l"
sealane list replace spam "$LAB_DIR/l" >/dev/null
sealane events --drops --follow >"$LAB_DIR/drops" 2>"$LAB_DIR/drops.err" &
work+=($!)
sleep 1.3
in_ns far python3 "$LAB_DIR/talk.py"
ok "drops keep their schema" schema drops events --drops
ok "a drop names its block, and what the packet was" drop \
	'len(b)==1 and b[0]["block"]=="198.18.20.5" and b[0]["sport"]==443 and b[0]["tcp_flags"]==["syn","ack"] and b[0]["lane"]=="FAR" and b[0]["path"]=="cable" and b[0]["interface"]=="out0" and b[0]["direction"]=="in" and b[0]["frame_b"]==54'
ok "... or its list" drop \
	'l[0]["list"]=="spam" and l[0]["src"]=="198.18.20.6" and l[0]["proto"]==17 and l[0]["dport"]==5000'
ok "a flood is sampled, and the rest counted" drop \
	'd["dropped"]==2001 and d["last"]+d["unsampled"]==2001 and len(D)==d["last"] and 64<=d["last"]<=64*3*os.cpu_count()'
shown() { [ "$(wc -l <"$LAB_DIR/drops")" = "$(sealane -j events --drops | python3 -c \
	'import json,sys; print(json.load(sys.stdin)["last"])')" ]; }
ok "who follows drops sees those" wait_until 2 shown
ok "... in words" grep -q 'block 198.18.20.5  out0  198.18.20.5:443 > 198.18.10.2:5000  tcp .syn ack.' "$LAB_DIR/drops"
ok "... and hears how many more there were" grep -q 'more were dropped and not shown' "$LAB_DIR/drops.err"
sealane unblock 198.18.20.5 >/dev/null
sealane list remove spam >/dev/null

# --- interfaces ---
in_ns gw ip link set out0 down
in_ns gw ip link set out0 up
in_ns far ip link del p0
ok "an interface that vanishes is told" wait_until 3 told interface 'out0: missing'
in_ns far ip link add p0 type veth peer name out0 netns "$(ns_name gw)"
in_ns far ip link set p0 up
in_ns gw ip link set out0 up
attached() { [ "$(sealane events --kind interface | tail -1 | grep -c attached)" = 1 ]; }
ok "... and when it is back" wait_until 8 attached

# --- bypass ---
ok "bypass without a reason is accepted, loudly" sh -c "$(declare -f sealane \
	in_ns ns_name bpffs_dir); BUILD=$BUILD; sealane bypass on 2>&1 | grep 'NO REASON'"
ok "... and recorded so" told bypass 'ON, set by root: no reason given'
ok "bypass with a reason" sealane bypass on --why "ring 3 loops"
ok "status says since when, who and why" sh -c "$(declare -f sealane \
	in_ns ns_name bpffs_dir); BUILD=$BUILD; sealane status | grep 'since .*set by root: ring 3 loops'"
ok "... and keeps its schema" schema status status
sealane latency >/dev/null 2>"$LAB_DIR/err"
ok "any table says it on stderr" grep -q 'BYPASS IS ON' "$LAB_DIR/err"
sealane bypass off >/dev/null
ok "lifting it is told" told bypass 'off, lifted by root after'
sealane bypass off >/dev/null
ok "lifting what is off says so" told bypass 'off as it was: root asked'
ok "a request that does not say on or off changes nothing" sh -c \
	"curl -s --unix-socket $SEALANE_SOCKET -d '{}' http://x/api/v1/bypass | grep 'true or false'"
sealane latency >/dev/null 2>"$LAB_DIR/err"
ok "... and then it is quiet" fails grep -q BYPASS "$LAB_DIR/err"

# --- without the agent ---
agent_kill KILL
sealane bypass on --why "agent is dead" >/dev/null 2>&1
agent_start
ok "a restarted agent knows what was before" told refused 'list replace.*refused'
ok "it tells who set the bypass without it, and why" told bypass \
	'ON, set by root before this start: agent is dead'
kill -STOP "$(agent_pid)"
ok "bypass off works while the agent hangs" sealane bypass off
kill -CONT "$(agent_pid)"
ok "... which the agent tells when it wakes up" wait_until 4 told bypass \
	'off, lifted by root without the agent'
ok "who follows survived the restart" wait_until 5 followed 'without the agent'
ok "... and knows that the agent was away" grep -q 'away' "$LAB_DIR/follow.err"
ok "no event was told twice or left out" python3 -c "import json
n=[json.loads(l)['n'] for l in open('$LAB_DIR/follow')]
print(n); assert n==list(range(n[0], n[0]+len(n)))"

# --- a damaged database of events ---
agent_kill TERM
head -c 4096 /dev/urandom >"$LAB_DIR/state/events.db"
rm -f "$LAB_DIR/state/events.db-wal" "$LAB_DIR/state/events.db-shm"
agent_start
ok "damaged events are begun anew, aloud" told disk 'could not be read'
sealane detach out0 >/dev/null
ok "detach is told with its author" told interface 'out0: detached by root'

# --- a full disk, while a commit waits ---
agent_kill TERM
mkdir "$LAB_DIR/tiny"
mount -t tmpfs -o size=900k tmpfs "$LAB_DIR/tiny"
sed -i "s|^state_dir:.*|state_dir: $LAB_DIR/tiny/state|" "$LAB_DIR/sealane.yaml"
agent_start
sealane rule apply "$LAB_DIR/evil.yaml" --confirm 5s >/dev/null
dd if=/dev/zero of="$LAB_DIR/tiny/fill" bs=4k 2>/dev/null
sleep 9
ls_says() { sealane rule ls | grep -E -- "$1"; }
ok "what was not confirmed is not said to wait, though the log cannot follow" \
	ls_says 'NOT CONFIRMED until .* undone'
ok "a full disk is told, but not each second" sh -c \
	"$BUILD/sealane events --kind disk >$LAB_DIR/said; wc -l <$LAB_DIR/said | grep -x '[1-3]'"
rm "$LAB_DIR/tiny/fill"
logged() { sealane rule log | grep -E 'undo .*not confirmed in time'; }
ok "with room again the log follows" wait_until 5 logged
agent_kill TERM
umount "$LAB_DIR/tiny"
tap_end
