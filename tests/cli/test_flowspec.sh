#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `sealane flowspec` with an agent of its own in a namespace: recorded sessions
# on stdin, and lines made by hand.
set -u
cd "$(dirname "$0")/../.." || exit 1
BUILD=${BUILD:-build}
SHARED=${SHARED:-../shared}
S=$BUILD/sealane
dir=$(mktemp -d /tmp/sealane-flow.XXXXXX)
ns=slf$$
export SEALANE_SOCKET=$dir/s.sock
agent='' feed=''

stop() { # PID SIGNAL
	[ -z "$1" ] || { kill "-$2" "$1" && wait "$1"; } 2>/dev/null
}
finish() {
	stop "$feed" TERM
	stop "$agent" TERM
	ip netns del $ns
	for d in /sys/fs/bpf/$ns /run/sealane/bpf/$ns; do
		[ ! -d $d ] || find $d -delete
	done
	rm -rf "$dir"
}
trap finish EXIT
trap 'exit 130' INT TERM

n=0 failed=0
ok() { # SENTENCE COMMAND...
	local what=$1
	shift
	n=$((n + 1))
	if "$@" >"$dir/out" 2>&1; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what"
		tail -8 "$dir/out" | sed 's/^/# /'
		tail -5 "$dir/agent.log" "$dir/feed.err" 2>/dev/null |
			sed 's/^/# /'
		failed=1
	fi
}
skip() {
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}
wait_until() { # SECONDS COMMAND...
	local end=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -ge $end ] && return 1
		sleep 0.1
	done
}
# Is a Python expression over d, the answer of flowspec ls, true?
is() {
	"$S" flowspec ls -j >"$dir/ls.json" || return 1
	python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
n = {x["neighbour"]: x for x in d["neighbours"]}
r = {x["nlri"]: x for x in d["rules"]}
assert eval(sys.argv[2]), {"neighbours": n, "rules": r}' "$dir/ls.json" "$1"
}
soon() { wait_until 5 is "$1" || is "$1"; }
says() { # EXIT TEXT COMMAND...
	local want=$1 text=$2 rc
	shift 2
	"$@" >"$dir/said" 2>&1 </dev/null
	rc=$?
	cat "$dir/said"
	[ $rc = "$want" ] && grep -qE -- "$text" "$dir/said"
}

agent_up() {
	nsenter --net=/run/netns/$ns "$BUILD/sealaned" -c "$dir/conf.yaml" \
		>>"$dir/agent.log" 2>&1 &
	agent=$!
	wait_until 20 "$S" status
}
# A helper that reads a FIFO, which this shell holds open.
feed_up() { # OPTIONS...
	rm -f "$dir/in"
	mkfifo "$dir/in"
	"$S" flowspec "$@" <"$dir/in" 2>>"$dir/feed.err" &
	feed=$!
	exec 8>"$dir/in"
}
feed_down() {
	exec 8>&-
	wait "$feed"
	local rc=$?
	feed=''
	return $rc
}

line() { # PEER TYPE-AND-REST
	printf '{"exabgp":"4.0.1","type":%s,"neighbor":{"address":{"local":"192.0.2.9","peer":"%s"}%s}\n' \
		"$2" "$1" "$3" >&8
}
up() { line "$1" '"state"' ',"state":"up"}'; }
down() { line "$1" '"state"' ',"state":"down","reason":"test"}'; }
update() { line "$1" "\"update\",\"body\":\"0x$2\"" '}'; }
len() { printf '%02x' $((${#1} / 2)); }
# MP_REACH and MP_UNREACH of IPv4 FlowSpec, with a rate of 0
announce() { # PEER NLRI [COMMUNITY]
	local ext=${3:-8006000000000000} reach attrs
	reach=0001850000$(len "$2")$2
	attrs=800e$(len "$reach")${reach}c010$(len "$ext")$ext
	update "$1" "000000$(len "$attrs")$attrs"
}
withdraw() { # PEER NLRI
	local un=000185$(len "$2")$2
	update "$1" "000000$(len "800f00$un")800f$(len "$un")$un"
}
end_of_rib() { update "$1" 00000006800f03000185; }

# --- words ---
ok "flowspec --help" says 0 "usage: sealane flowspec" "$S" flowspec --help
ok "flowspec wants a word" says 1 "wants exabgp, gobgp, ls or purge" "$S" flowspec
ok "an unknown word is named" says 1 "not frr" "$S" flowspec frr
ok "a bad limit is named" says 1 "neighbor-limit.*many" \
	"$S" flowspec exabgp --neighbor-limit many
ok "a bad grace time is named" says 1 "grace.*soon" \
	"$S" flowspec exabgp --grace soon
ok "a bad source is named" says 1 "source.*a b" \
	"$S" flowspec exabgp --source "a b"
ok "--adj-in is for gobgp" says 1 "for gobgp" "$S" flowspec exabgp --adj-in
ok "ls without an agent is exit 3" says 3 "no agent" "$S" flowspec ls
ok "a source without an agent says so and ends with stdin" \
	says 0 "no agent at" "$S" flowspec exabgp

ip netns add $ns
nsenter --net=/run/netns/$ns ip link set lo up
cat >"$dir/conf.yaml" <<EOC
interfaces: [{name: lo, side: tap}]
home: [198.18.0.0/24]
protect: [192.0.2.250]
lanes: [{name: SG, prefixes: [198.18.10.0/24]}]
tables: {flows: 16384, series: 256, size: small}
socket: $dir/s.sock
state_dir: $dir/state
bpffs: /sys/fs/bpf/$ns
EOC
agent_up || { sed 's/^/# /' "$dir/agent.log"; echo "Bail out! no agent"; exit 1; }

# --- by hand ---
feed_up exabgp --grace 3s --neighbor-limit 5
up 192.0.2.1
announce 192.0.2.1 0120cb007107038106
ok "an announced rule is enforced" \
	soon 'r["0120cb007107038106"]["enforced"] and r["0120cb007107038106"]["rule"] == "drop"'
announce 192.0.2.1 0120cb007107038106 8006000047f42400
ok "announced again it is replaced" \
	soon 'r["0120cb007107038106"]["rule"] == "limit" and n["192.0.2.1"]["routes"] == 1'
withdraw 192.0.2.1 0120cb007107038106
ok "withdrawn it is gone" soon 'not r and n["192.0.2.1"]["state"] == "up"'
announce 192.0.2.1 0120c00002fa
ok "a protected destination is refused, with its name" \
	soon '"192.0.2.250" in r["0120c00002fa"]["reason"] and not r["0120c00002fa"]["enforced"]'
announce 192.0.2.1 0120cb007107 8008fde800003039
ok "a redirect is refused, and listed" soon '"redirect" in r["0120cb007107"]["reason"]'
announce 192.0.2.1 ff
ok "a malformed route is refused, and listed" soon '"unknown component" in r["ff"]["reason"]'
announce 192.0.2.1 0120cb007108 8007000000000000
ok "accepting is a count" soon 'r["0120cb007108"]["rule"] == "count" and r["0120cb007108"]["enforced"]'
announce 192.0.2.1 0118cb0071
announce 192.0.2.1 0120cb007111
ok "accepting before a drop of the same packets is refused" \
	soon '"later rule" in (r["0120cb007108"]["reason"] or "")'
ok "beyond the limit a route is refused, the rest stays" \
	soon 'n["192.0.2.1"]["over_limit"] == 1 and n["192.0.2.1"]["routes"] == 5 and "0120cb007111" not in r'
ok "... which is said aloud" grep -q "its limit" "$dir/feed.err"
ok "ls keeps its schema" sh -c "$S flowspec ls -j | /usr/bin/python3 tests/schema.py flowspec"
ok "ls has a table" says 0 "192.0.2.1 +exabgp +up" "$S" flowspec ls
ok "a second source may not tell of the same neighbour" sh -c "
	printf '{\"type\":\"state\",\"neighbor\":{\"address\":{\"peer\":\"192.0.2.1\"},\"state\":\"up\"}}\n' |
	$S flowspec exabgp --source other 2>&1 | grep 'by source exabgp'"

# --- garbage ---
printf 'garbage\n{"type":"update"}\n[[[[\n\n\0\1\n' >&8
update 192.0.2.1 ffff
update 192.0.2.1 zz
head -c 9000000 /dev/zero | tr '\0' 'x' >&8
echo >&8
announce 192.0.2.1 ff
withdraw 192.0.2.1 ff
ok "garbage is said aloud and changes nothing" \
	soon 'n["192.0.2.1"]["routes"] == 4 and n["192.0.2.1"]["state"] == "up"'
ok "... a line without an end included" grep -q "a line of over" "$dir/feed.err"

# --- sessions ---
down 192.0.2.1
ok "a lost session's rules hold, with an end" \
	soon 'n["192.0.2.1"]["state"] == "grace" and n["192.0.2.1"]["until"] and r["0118cb0071"]["enforced"]'
up 192.0.2.1
announce 192.0.2.1 0118cb0071
ok "what a new session has not said yet is stale" \
	soon 'r["0120cb007108"]["stale"] and not r["0118cb0071"]["stale"]'
end_of_rib 192.0.2.1
ok "End-of-RIB sweeps it" soon 'list(r) == ["0118cb0071"]'
down 192.0.2.1
sleep 1.2
ok "within the grace time the rule is there" is '"0118cb0071" in r'
sleep 2.5
ok "past the grace time it is purged" \
	soon 'not r and n["192.0.2.1"]["state"] == "down"'
up 192.0.2.1
announce 192.0.2.1 0118cb0071
soon '"0118cb0071" in r' >/dev/null 2>&1
ok "purge keeps its schema" sh -c "$S flowspec purge 192.0.2.1 -j |
	/usr/bin/python3 tests/schema.py flowspec_purge"
ok "purged by hand, it is listed and not enforced" \
	soon '"purged by hand" in (r["0118cb0071"]["reason"] or "") and n["192.0.2.1"]["held"]'
announce 192.0.2.1 0119cb007100
ok "... and so is what it announces then" soon '"purged" in (r["0119cb007100"]["reason"] or "")'
down 192.0.2.1
up 192.0.2.1
announce 192.0.2.1 0119cb007100
end_of_rib 192.0.2.1
ok "until its session comes up anew" soon 'r["0119cb007100"]["enforced"] and len(r) == 1'
ok "purging a stranger is refused" says 2 "no neighbour" "$S" flowspec purge 192.0.2.77

# --- beside a commit that nobody has confirmed ---
echo 'rules: [{id: one, match: {dst: [198.51.100.1]}, action: count}]' >"$dir/rules.yaml"
ok "a commit waits for its confirmation" "$S" rule apply "$dir/rules.yaml" --confirm 5s
announce 192.0.2.1 0120cb007121
ok "while a commit is not confirmed, changes wait, aloud" \
	soon '"confirmation" in (d["failed"] or "") and not r["0120cb007121"]["enforced"]'
ok "when it is undone they are enforced" \
	wait_until 10 is 'r["0120cb007121"]["enforced"] and not d["failed"]'
ok "every change is a generation, with its neighbour" sh -c "
	$S rule log -j | tee $dir/log.json | /usr/bin/python3 tests/schema.py generations &&
	grep -q '192.0.2.1: 1 announced' $dir/log.json"
ok "and an audit entry" sh -c "$S audit verify && $S audit show -j | grep -q '192.0.2.1: 1 announced'"
withdraw 192.0.2.1 0120cb007121

# --- the agent dies ---
stop "$agent" KILL
announce 192.0.2.1 0119cb007180
withdraw 192.0.2.1 0119cb007100
agent_up
ok "after a kill the agent is told everything" \
	soon 'list(r) == ["0119cb007180"] and r["0119cb007180"]["enforced"] and n["192.0.2.1"]["state"] == "up"'
stop "$agent" KILL
feed_down
agent_up
ok "a restarted agent enforces what it did, in grace" \
	is 'n["192.0.2.1"]["state"] == "grace" and r["0119cb007180"]["enforced"]'
sleep 3
ok "and purges it when nobody comes" soon 'not r'

# --- a source that dies without a word ---
feed_up exabgp --grace 1s --source east
up 192.0.2.44
announce 192.0.2.44 0120cb007144
ok "a source by another name is heard" soon 'r["0120cb007144"]["enforced"] and n["192.0.2.44"]["source"] == "east"'
stop "$feed" KILL
died=$SECONDS

# --- a peer that asks for too much ---
feed_up exabgp --grace 1s
up 192.0.2.1
announce 192.0.2.1 0119cb007100
python3 - >&8 <<-'EOP'
	import random, struct
	random.seed(1)
	def attr(kind, b):
	    return bytes([0x90, kind]) + struct.pack("!H", len(b)) + b
	for i in range(200):
	    ports = [struct.pack("!BH", 0x91 if k == 255 else 0x11,
	                         random.randrange(65536)) for k in range(256)]
	    nlri = bytes([1, 32, 198, 51, 100, i, 4]) + b"".join(ports)
	    a = attr(14, bytes([0, 1, 133, 0, 0]) + struct.pack("!H", 0xf000 | len(nlri)) + nlri)
	    a += attr(16, bytes.fromhex("8006000000000000"))
	    print('{"type":"update","body":"0x%s","neighbor":{"address":{"peer":"192.0.2.66"}}}'
	          % (b"\0\0" + struct.pack("!H", len(a)) + a).hex())
EOP
ok "rules too various for the data plane are refused" wait_until 10 is \
	'0 < n["192.0.2.66"]["refused"] and n["192.0.2.66"]["routes"] == 200 and any("too many ranges" in x["reason"] for x in d["rules"] if x["reason"])'
ok "and keep out nobody else's" soon 'r["0119cb007100"]["enforced"] and not d["failed"]'
feed_down
ok "all of it goes with its source" wait_until 5 is 'list(r) == ["0120cb007144"]'

# --- recordings ---
full=$SHARED/data/peers/exabgp/exabgp-4.2.21-consolidated-full-session.jsonl
if [ -e "$full" ]; then
	feed_up exabgp --grace 1s
	head -22 "$full" >&8
	ok "a recorded session: nine routes, six of them enforced" \
		soon 'n["127.0.0.2"]["routes"] == 9 and n["127.0.0.2"]["enforced"] == 6'
	ok "... blackholes among them" soon 'r["20cb007142"]["kind"] == "rtbh" and r["20cb007142"]["enforced"]'
	tail -n +23 "$full" >&8
	ok "the helper ends with stdin, exit 0" feed_down
	sleep 1
	ok "and its rules go with the grace time" soon 'not n["127.0.0.2"]["routes"]'
	feed_up gobgp --grace 1s
	cat "$SHARED/data/peers/gobgp/gobgp-3.10-monitor-global-rib-a-ipv4-flowspec.jsonl" >&8
	ok "GoBGP's recording ends with all withdrawn" soon 'not n["127.0.0.2"]["routes"] and n["127.0.0.2"]["source"] == "gobgp"'
	head -5 "$SHARED/data/peers/gobgp/gobgp-3.10-monitor-global-rib-a-ipv4-flowspec.jsonl" >&8
	ok "... and has five routes before, one refused for its marking" \
		soon 'n["127.0.0.2"]["routes"] == 5 and n["127.0.0.2"]["refused"] == 1'
	feed_down
else
	skip "recorded sessions" "no recordings"
fi
ok "the source that died is missed in 15 s, and its rules go" \
	wait_until $((died + 22 - SECONDS)) is \
	'"0120cb007144" not in r and not [s for s in d["sources"] if s["source"] == "east" and s["live"]]'
echo "1..$n"
exit $failed
