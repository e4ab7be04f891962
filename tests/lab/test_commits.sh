#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Commits: generations, rollback, confirm, audit; an agent that dies in them; a
# full disk. Two gateways, one with a host on each side.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-commits.XXXXXX)
export LAB_DIR
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"
KILLS=${KILLS:-200}	# in all
id=sc$$
echo "$id" >"$LAB_DIR/id"
: >"$LAB_DIR/pids"
BPFFS=/sys/fs/bpf/sealane-$id

# --- gateways ---
config() { # DIR LETTER
	mkdir -p "$1"
	cat >"$1/sealane.yaml" <<-END
		interfaces:
		  - {name: in0, side: inside}
		  - {name: sg0, side: outside, path: sg-cable}
		home: [198.18.10.0/24]
		protect: [198.18.10.1/32, 198.18.20.2/32]
		lanes: [{name: SG, prefixes: [198.18.20.0/24]}]
		tables: {flows: 1024, series: 64, size: small}
		socket: $1/sealaned.sock
		state_dir: $1/state
		bpffs: $BPFFS-$2
	END
}
for ns in gw home far two; do
	ip netns add "$(ns_name $ns)"
	in_ns $ns sysctl -qw net.ipv4.ip_forward=1 \
		net.ipv6.conf.default.disable_ipv6=1
	in_ns $ns ip link set lo up
done
in_ns gw ip link add in0 type veth peer name h0 netns "$(ns_name home)"
in_ns gw ip link add sg0 type veth peer name f0 netns "$(ns_name far)"
in_ns two ip link add in0 type veth peer name h0
in_ns two ip link add sg0 type veth peer name f0
in_ns gw ip addr add 198.18.10.1/24 dev in0
in_ns gw ip addr add 198.18.20.1/24 dev sg0
in_ns home ip addr add 198.18.10.2/24 dev h0
for i in 2 3 4; do in_ns far ip addr add 198.18.20.$i/24 dev f0; done
for ns in gw two; do
	for i in in0 sg0; do in_ns $ns ip link set $i up; done
done
in_ns home ip link set h0 up
in_ns far ip link set f0 up
for i in h0 f0; do in_ns two ip link set $i up; done
in_ns home ip route add default via 198.18.10.1
in_ns far ip route add default via 198.18.20.1
config "$LAB_DIR" one
config "$LAB_DIR/two" two
bpffs_dir() { echo "$BPFFS-one"; }
drop_pins() {
	local d
	for d in "$BPFFS"-* "/run/sealane/bpf/$(basename "$BPFFS")"-*; do
		[ ! -d "$d" ] || find "$d" -delete
	done
	! mountpoint -q "$LAB_DIR/tiny" || umount "$LAB_DIR/tiny"
}
trap 'drop_pins; finish' EXIT

api() { # PATH [BODY]
	in_ns gw curl -s --unix-socket "$SEALANE_SOCKET" "http://x/api/v1/$1" \
		${2:+-d "$2"}
}
schema() { # NAME COMMAND...
	local name=$1
	shift
	sealane -j "$@" | /usr/bin/python3 "$TOP/tests/schema.py" "$name"
}
refused() { # WANTED_EXIT TEXT COMMAND...
	local want=$1 text=$2 rc
	shift 2
	"$@" >"$LAB_DIR/refused" 2>&1
	rc=$?
	cat "$LAB_DIR/refused"
	[ $rc = "$want" ] && grep -q "$text" "$LAB_DIR/refused"
}
is() { # WANTED COMMAND... -- EXPRESSION
	local want=$1 got
	shift
	got=$(figure "$@")
	echo "$got, wanted $want"
	[ "$got" = "$want" ]
}
answers() { in_ns home ping -c 2 -i 0.1 -W 1 "$1"; }
silent() { ! in_ns home ping -c 2 -i 0.1 -W 0.3 "$1"; }
ids() { echo '[r["id"] for r in d["rules"]]'; }

cat >"$LAB_DIR/r1" <<'END'
rules:
- {id: r1, match: {dst: [198.18.20.3/32]}, action: drop, tag: negative-list/seed, why: "case 1"}
- {id: r2, match: {proto: tcp, dport: [81]}, action: count}
END
cat >"$LAB_DIR/r2" <<'END'
rules:
- {id: r2, match: {proto: tcp, dport: [82]}, action: count}
- {id: r3, match: {dst: [198.18.20.4/32]}, action: drop, tag: negative-list/deep-sea}
END

# --- a state of the former version is taken over ---
mkdir -p "$LAB_DIR/state"
python3 - "$LAB_DIR/state/sealane.db" <<'EOF2'
import sqlite3, sys, zlib
db = sqlite3.connect(sys.argv[1])
db.executescript("""CREATE TABLE ids(kind TEXT, name TEXT, id INTEGER, PRIMARY KEY(kind, name));
CREATE TABLE generations(n INTEGER PRIMARY KEY AUTOINCREMENT, at_ns INTEGER, uid INTEGER, pid INTEGER, what TEXT, why TEXT);
CREATE TABLE blocks(id INTEGER PRIMARY KEY AUTOINCREMENT, prefix TEXT UNIQUE, action INTEGER, until_ns INTEGER, at_ns INTEGER, why TEXT, uid INTEGER, class_id INTEGER);
CREATE TABLE lists(name TEXT PRIMARY KEY, class_id INTEGER, at_ns INTEGER, generation INTEGER, uid INTEGER, why TEXT, doubles INTEGER, n4 INTEGER, n6 INTEGER, crc INTEGER, prefixes BLOB);""")
b = (((203 << 24 | 113 << 8) << 8) | 24).to_bytes(8, "little")[:5]
db.execute("INSERT INTO generations VALUES(7,1,0,1,'list replace','old')")
db.execute("INSERT INTO blocks VALUES(3,'192.0.2.1',?,0,1,'former',0,9)", (1,))
db.execute("INSERT INTO lists VALUES('old',10,1,7,0,'','0',1,0,?,?)", (zlib.crc32(b), b))
db.commit()
EOF2
ok "the agent starts on a state of the former version" agent_start
ok "... with its generation" is 7 status -- 'd["generation"]'
ok "... its list" is "['203.0.113.0/24']" list show old -- 'd["page"]'
ok "... and its block, which can go" sealane unblock 192.0.2.1

# --- rules as commits ---
ok "a first rule file is applied" sealane rule apply "$LAB_DIR/r1" --why first
first=$(figure status -- 'd["generation"]')
ok "its rule drops" silent 198.18.20.3
ok "... and counts what it dropped" is True rule ls -- \
	'd["rules"][0]["packets"] >= 2'
ok "what no rule names passes" answers 198.18.20.4
ok "apply keeps its schema" schema rule_commit rule apply "$LAB_DIR/r1"
ok "rule ls keeps its schema" schema rules rule ls
ok "the difference names what was added" is "['r3']" \
	rule apply "$LAB_DIR/r2" -- '[r["id"] for r in d["diff"]["rules"]["added"]]'
ok "the new rule drops" silent 198.18.20.4
ok "the former one has gone" answers 198.18.20.3
sealane rule apply "$LAB_DIR/r1" >/dev/null
ok "a rule that comes back has its count" is True rule ls -- \
	'd["rules"][0]["packets"] >= 2'
ok "an author who saw less is refused" refused 2 "changed the rules" \
	sealane rule apply "$LAB_DIR/r2" --base "$first"
ok "one who saw all is not" sealane rule apply "$LAB_DIR/r2" --base \
	"$(figure status -- 'd["generation"]')"
printf 'rules: [{id: a, match: {lane: [NOWHERE]}, action: drop}]\n' >"$LAB_DIR/bad"
ok "a rule of an unknown lane is refused with its line" \
	refused 2 'bad:1: rule a: .*NOWHERE' sealane rule apply "$LAB_DIR/bad"
cat >"$LAB_DIR/bad2" <<'EOF'
rules:
- {id: a, match: {lane: NOWHERE}, action: drop}
- {id: b, match: {src: "@nobody"}, action: drop}
EOF
told() { # every mistake on a line of its own
	sealane rule apply "$LAB_DIR/bad2" 2>&1 >/dev/null |
		grep -cE '^[^ ]*bad2:[23]: rule [ab]: .*; '
}
ok "... all of them, as rule check says them" [ "$(told)" = 2 ]
ok "... which keep the error schema" schema error rule apply "$LAB_DIR/bad2"

# --- confirm ---
before=$(figure status -- 'd["generation"]')
sealane rule rollback "$first" >/dev/null
ok "rollback brings the rules back" silent 198.18.20.3
ok "apply --confirm is taken" sealane rule apply "$LAB_DIR/r2" --confirm 5s
ok "... and enforced at once" silent 198.18.20.4
ok "it shows as pending" schema rules rule ls
printf '203.0.113.0/24\n' >"$LAB_DIR/l"
ok "meanwhile a list is refused, with the remedy" refused 2 "rule confirm" \
	sealane list replace l "$LAB_DIR/l"
ok "... and another rule file" refused 2 "rule confirm" \
	sealane rule apply "$LAB_DIR/r1"
ok "... and a rollback to a generation" refused 2 "rule confirm" \
	sealane rule rollback "$first"
ok "a single block is taken" sealane block 198.18.20.3
ok "undone at the deadline" wait_until 8 answers 198.18.20.4
ok "... the block made meanwhile holds" silent 198.18.20.3
expired() { is expired rule log -- '[g for g in d["generations"] if g["outcome"] == "expired"][0]["outcome"]'; }
ok "... and the log says so" wait_until 3 expired
sealane unblock 198.18.20.3 >/dev/null
ok "the former rules are in force" silent 198.18.20.3
ok "nothing is there to confirm" refused 2 "no commit waits" sealane rule confirm
sealane rule apply "$LAB_DIR/r2" --confirm 30s >/dev/null
ok "confirm keeps its schema" schema rule_confirm rule confirm
ok "confirmed rules stay" silent 198.18.20.4
sealane rule apply "$LAB_DIR/r1" --confirm 30s >/dev/null
ok "rollback of what is pending keeps its schema" schema rule_undo rule rollback
ok "... and is seen at once" answers 198.18.20.3
ok "a deadline of one second is refused" refused 2 "at least 5s" \
	sealane rule apply "$LAB_DIR/r1" --confirm 1s
ok "one of two days too" refused 2 "at most 24h" \
	sealane rule apply "$LAB_DIR/r1" --confirm 2d

# --- a night: apply with a deadline, and the agent dies ---
sealane rule apply "$LAB_DIR/r1" --confirm 5s --why night >/dev/null
ok "the night's rule drops" silent 198.18.20.3
agent_kill KILL
ok "... with the agent dead too" silent 198.18.20.3
sleep 5
ok "past the deadline it is gone, without an agent" answers 198.18.20.3
ok "... and what was in force before holds" silent 198.18.20.4
agent_start
ok "the restarted agent has the former rules" is "['r2', 'r3']" rule ls -- "$(ids)"
ok "... enforces them" silent 198.18.20.4
ok "... says so in the log" is "rolled back" rule log -- \
	'd["generations"][1]["outcome"]'
ok "... and in the audit" is undo audit show -- 'd["entries"][-1]["action"]'

# --- rollback of everything ---
sealane block 198.18.20.3 --why kept >/dev/null
sealane block 192.0.2.5 --for 1s >/dev/null
sealane list replace l "$LAB_DIR/l" >/dev/null
sealane list remove old >/dev/null
good=$(figure status -- 'd["generation"]')
sealane rule apply "$LAB_DIR/r1" >/dev/null
sealane unblock 198.18.20.3 >/dev/null
sealane list remove l >/dev/null
sleep 1.5
ok "rollback keeps its schema" schema rule_rollback rule rollback "$good" \
	--why "as it was"
ok "the rules are back" is "['r2', 'r3']" rule ls -- "$(ids)"
ok "the list is back" is "['203.0.113.0/24']" list show l -- 'd["page"]'
ok "the block is back" silent 198.18.20.3
ok "a block that has ended since is not" is 0 explain 192.0.2.5 -- 'len(d["blocks"])'
ok "a rollback can be rolled back" sealane rule rollback $((good + 1))
ok "a generation that was never is refused" refused 2 "is not kept" \
	sealane rule rollback 100000
ok "rule log keeps its schema" schema generations rule log
ok "the log names its author" is root rule log -- 'd["generations"][0]["who"]'
sealane unblock 198.18.20.3 >/dev/null

# --- audit ---
entry() { # EXPRESSION over the last entry
	figure audit show --limit 1 -- "(lambda e: $1)(d['entries'][-1])"
}
ok "audit show keeps its schema" schema audit audit show
ok "audit verify proves the agent's log" schema audit_verify audit verify
ok "a rule's tag leads to who ordered it" is "['first', 'root']" \
	audit show --tag negative-list/seed -- '[d["entries"][0]["why"], d["entries"][0]["who"]]'
ok "a tag that no rule has leads to nothing" is 0 \
	audit show --tag negative-list -- 'len(d["entries"])'
sealane block 198.18.10.1 2>/dev/null
ok "a refused block is in the audit" test \
	"$(entry '(e["action"], e["object"], e["outcome"])')" = \
	"('block', '198.18.10.1', 'refused')"
sealane rule apply "$LAB_DIR/bad" 2>/dev/null
ok "a refused rule file is in the audit" test \
	"$(entry '(e["action"], e["outcome"])')" = "('rule apply', 'refused')"
api block '{nonsense' >/dev/null
ok "a body that is no JSON is in the audit" test \
	"$(entry '(e["action"], e["outcome"])')" = "('block', 'refused')"
chmod 755 "$LAB_DIR"
chmod 666 "$SEALANE_SOCKET"
in_ns gw setpriv --reuid nobody --clear-groups curl -s --unix-socket \
	"$SEALANE_SOCKET" http://x/api/v1/bypass -d '{"on":true}' >/dev/null
ok "who may not is in the audit, by name" test \
	"$(entry '(e["who"], e["action"], e["outcome"])')" = \
	"('nobody', 'bypass', 'refused')"
sealane bypass on --why drill >/dev/null
ok "bypass is in the audit" test "$(entry '(e["action"], e["object"], e["why"])')" = \
	"('bypass', 'on', 'drill')"
sealane bypass off >/dev/null
sealane detach sg0 >/dev/null
ok "detach is in the audit" test "$(entry '(e["action"], e["object"])')" = \
	"('detach', 'sg0')"
sealane attach sg0 --side outside --path sg-cable >/dev/null
ok "attach is in the audit" test "$(entry '(e["action"], e["object"])')" = \
	"('attach', 'sg0')"
flood() {
	local before after
	before=$(entry 'e["n"]')
	# shellcheck disable=SC2046
	in_ns gw curl -s --unix-socket "$SEALANE_SOCKET" \
		$(printf 'http://x/api/v1/block %.0s' $(seq 300)) -d '{}' >/dev/null
	after=$(entry 'e["n"]')
	echo "$before to $after"
	[ $((after - before)) -le 70 ]
}
ok "300 refusals are at most 70 entries" flood
left_out() { sealane audit show --limit 5 | grep -q 'requests by root'; }
ok "... and one says how many were left out" wait_until 14 left_out
agent_kill TERM
sealane bypass on --why "no agent" >/dev/null
agent_start
ok "a bypass made without the agent is in the audit" test \
	"$(entry '(e["action"], e["object"], e["who"])')" = "('bypass', 'on', 'root')"
sealane bypass off >/dev/null
ok "audit export writes it all" sealane audit export "$LAB_DIR/export"
ok "the export verifies without an agent" in_ns far "$BUILD/sealane" audit \
	verify "$LAB_DIR/export"
by_hand() { # an independent reading of docs/audit.md
	python3 - "$LAB_DIR/export" <<-'EOF2'
		import hashlib, json, sys
		prev, n = "0" * 64, 0
		for line in open(sys.argv[1], encoding="utf-8"):
		    e = json.loads(line)
		    if "head" in e:
		        assert (e["head"]["n"], e["head"]["hash"]) == (n, prev)
		        break
		    f = ["sealane-audit/1"] + [str(e[k]) for k in (
		        "n", "at_ns", "uid", "pid", "who", "action", "object",
		        "outcome", "why", "tag", "detail", "prev")]
		    b = b"".join(b"%d:%s," % (len(x), x) for x in
		                 (s.encode() for s in f))
		    assert e["prev"] == prev and e["n"] == n + 1
		    assert hashlib.sha256(b).hexdigest() == e["hash"], n
		    prev, n = e["hash"], e["n"]
		else:
		    raise SystemExit("no head")
	EOF2
}
ok "... also by the book, in another language" by_hand
broken() { # ENTRY SED: the export, changed; the first broken entry is named
	sed "$2" "$LAB_DIR/export" >"$LAB_DIR/changed"
	refused 2 "entry $1 is" sealane audit verify "$LAB_DIR/changed"
}
ok "a changed entry is found, by number" broken 5 '5s/"outcome":"[a-z]*"/"outcome":"done!"/'
ok "an entry left out is found" broken 7 6d
ok "an entry moved is found" broken 4 '3{h;d};4G'
ok "an export that was cut off is found" refused 2 "cut off" sh -c \
	"head -n 9 $LAB_DIR/export >$LAB_DIR/changed; exec $BUILD/sealane audit verify $LAB_DIR/changed"
ok "an export is not written over" refused 2 "new file" \
	sealane audit export "$LAB_DIR/export"

# --- what is kept ---
pushes() { # COUNT: one prefix, again and again
	# shellcheck disable=SC2046
	in_ns gw curl -s --unix-socket "$SEALANE_SOCKET" \
		$(printf 'http://x/api/v1/block %.0s' $(seq "$1")) \
		-d '{"prefixes":["192.0.2.200"],"why":"again"}' >/dev/null
}
before=$(figure status -- 'd["generation"]')
ok "130 pushes are 130 generations" sh -c "$(declare -f pushes in_ns ns_name); pushes 130"
ok "... all of them" is $((before + 130)) status -- 'd["generation"]'
kept() { is "$((before + 31))" rule log -- 'd["kept_from"]'; }
ok "the last 100 are kept" wait_until 5 kept
ok "an older one is refused" refused 2 "is not kept" sealane rule rollback "$before"
ok "the oldest kept one can be rolled back to" sealane rule rollback $((before + 31))
dead() { # what no kept generation needs is gone from the disk
	python3 - "$LAB_DIR/state/sealane.db" <<-'EOF2'
		import sqlite3, sys
		db = sqlite3.connect("file:%s?mode=ro" % sys.argv[1], uri=True)
		n = db.execute("""SELECT (SELECT COUNT(*) FROM blocks, kept WHERE died <= from_n),
		    (SELECT COUNT(*) FROM lists, kept WHERE died <= from_n),
		    (SELECT COUNT(*) FROM blobs WHERE id NOT IN (SELECT blob FROM lists)
		     AND id NOT IN (SELECT blob FROM rules)),
		    (SELECT COUNT(*) FROM blocks WHERE prefix='192.0.2.200')""").fetchone()
		print(n)
		sys.exit(n[:3] != (0, 0, 0) or n[3] < 90)
	EOF2
}
ok "what no kept generation needs has gone" wait_until 8 dead
sealane unblock 192.0.2.200 >/dev/null

# --- a damaged database ---
sealane list replace whole "$LAB_DIR/l" >/dev/null
sealane rule apply "$LAB_DIR/r1" >/dev/null
sealane block 198.18.20.4 >/dev/null
before=$(figure status -- 'd["generation"]')
agent_kill TERM
python3 - "$LAB_DIR/state/sealane.db" <<'EOF2'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
pages = [r[0] for r in db.execute(
    "SELECT pageno FROM dbstat WHERE name='audit' AND pagetype='leaf'")]
size = db.execute("PRAGMA page_size").fetchone()[0]
db.close()
with open(sys.argv[1], "r+b") as f:       # a leaf in the middle of the audit
    f.seek((pages[len(pages) // 2] - 1) * size)
    f.write(b"\xff" * size)
EOF2
ok "the agent starts on a damaged database" agent_start
ok "... says so" grep -q "sealane.db is damaged" "$LAB_DIR/agent.log"
ok "... keeps the damaged one" test -s "$LAB_DIR/state/sealane.db.damaged"
ok "... has the generation" is "$before" status -- 'd["generation"]'
ok "... the list" is "['203.0.113.0/24']" list show whole -- 'd["page"]'
ok "... the rules, enforced" silent 198.18.20.3
ok "... and the block" silent 198.18.20.4
ok "the audit that is left proves" sealane audit verify
ok "... and goes on" sealane unblock 198.18.20.4
agent_kill TERM
head -c 20000 /dev/urandom >"$LAB_DIR/state/sealane.db"
ok "the agent starts on a file that is no database" agent_start
ok "... and commits" sealane block 192.0.2.1

# --- a full disk ---
agent_kill TERM
mkdir -p "$LAB_DIR/tiny"
mount -t tmpfs -o size=1500k tmpfs "$LAB_DIR/tiny"
sed -i "s|^state_dir:.*|state_dir: $LAB_DIR/tiny/state|" "$LAB_DIR/sealane.yaml"
ok "the agent starts on a tiny disk" agent_start
sealane rule apply "$LAB_DIR/r1" >/dev/null
sealane block 198.18.20.4 >/dev/null
fill() { # to the last page
	dd if=/dev/zero of="$LAB_DIR/tiny/fill" bs=4k 2>/dev/null
	while sealane block 192.0.2.9 &&
		dd if=/dev/zero of="$LAB_DIR/tiny/fill" bs=4k \
			oflag=append conv=notrunc; do :; done >/dev/null 2>&1
	while sealane block 192.0.2.9; do :; done >/dev/null 2>&1
}
fill
before=$(figure status -- 'd["generation"]')
ok "on a full disk a block is refused" refused 2 "cannot write" \
	sealane block 192.0.2.10
ok "... a rule file too" refused 2 "cannot write" sealane rule apply "$LAB_DIR/r2"
ok "... and a list" refused 2 "cannot write" sealane list replace l "$LAB_DIR/l"
ok "nothing was changed" is "$before" status -- 'd["generation"]'
ok "the refused address is not blocked" is pass explain 192.0.2.10 -- 'd["verdict"]'
ok "enforcement goes on: the rule" silent 198.18.20.3
ok "... and the block" silent 198.18.20.4
agent_kill KILL
ok "the agent starts again on the full disk" agent_start
ok "... and enforces" silent 198.18.20.3
rm "$LAB_DIR/tiny/fill"
sealane unblock 198.18.20.4 >/dev/null
sealane rule apply "$LAB_DIR/r2" --confirm 8s >/dev/null
fill
ok "a deadline on a full disk: the rule drops" silent 198.18.20.4
ok "... until then" wait_until 10 answers 198.18.20.4
former() { is "['r1', 'r2']" rule ls -- "$(ids)"; }
ok "... the agent knows" wait_until 3 former
ok "... though it cannot write it yet" is pending rule log -- \
	'[g["outcome"] for g in d["generations"] if g["until"]][0]'
rm "$LAB_DIR/tiny/fill"
late() { is expired rule log -- \
	'[g["outcome"] for g in d["generations"] if g["until"]][0]'; }
ok "... and does so when there is room" wait_until 5 late
ok "with room again a commit is taken" sealane rule apply "$LAB_DIR/r2"
ok "... and the audit proves" sealane audit verify
agent_kill TERM
sed -i "s|^state_dir:.*|state_dir: $LAB_DIR/state|" "$LAB_DIR/sealane.yaml"

# --- death in commits ---
cc=${CC:-gcc}
$cc -O1 -Wall -Wextra -shared -fPIC -o "$LAB_DIR/die.so" \
	"$TOP/tests/lab/die.c" -ldl || bail "die.c does not compile"
cp "$LAB_DIR/die.so" "$LAB_DIR/two/"
mv "$LAB_DIR/state" "$LAB_DIR/state.before"
deaths() { # NS DIR MODE [N]; results in DIR/result
	in_ns_bg "$1" python3 "$TOP/tests/lab/commits.py" "$2" \
		"$BUILD/sealaned" "${@:3}" >"$2/result" 2>"$2/errors"
}
in_ns_bg home ping -q -i 0.01 -W 2 198.18.20.2 >"$LAB_DIR/ping" 2>&1 &
ping=$!
work+=("$ping")
deaths gw "$LAB_DIR" random $((KILLS / 2)) &
one=$!
work+=("$one")
deaths two "$LAB_DIR/two" writes &
wait $!
mv "$LAB_DIR/two/result" "$LAB_DIR/two/writes"
deaths two "$LAB_DIR/two" random $((KILLS - KILLS / 2)) &
wait $! $one
kill -INT $ping
wait $ping
work=()
while IFS= read -r line; do
	case $line in
	"ok - "*) ok "${line#ok - }" true ;;
	"not ok - "*) ok "${line#not ok - }" false ;;
	*) echo "# $line" ;;
	esac
done < <(cat "$LAB_DIR/two/writes" "$LAB_DIR/result" "$LAB_DIR/two/result")
enough() { # FILE COUNT
	cat "$1" "$(dirname "$1")/errors"
	[ "$(grep -hc '^ok' "$1")" = "$2" ]
}
ok "all kinds of commit were tried at each write" enough "$LAB_DIR/two/writes" 8
ok "the first $((KILLS / 2)) kills were made" enough "$LAB_DIR/result" 1
ok "the others too" enough "$LAB_DIR/two/result" 1
lossless() {
	cat "$LAB_DIR/ping"
	grep -q ' 0% packet loss' "$LAB_DIR/ping"
}
ok "a protected host never lost a packet" lossless
agent_start
ok "all of it verifies in the end" sealane audit verify
for i in in0 sg0; do sealane detach $i; done >/dev/null
tap_end
