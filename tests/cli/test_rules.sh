#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `sealane rule check` without an agent: every kind of broken or dangerous rule
# file is refused with exit 2, and each mistake has its line, rule and remedy.
set -u
cd "$(dirname "$0")/../.." || exit 1
S=$(realpath "${BUILD:-build}")/sealane
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
export SEALANE_SOCKET=$tmp/none.sock SEALANE_BPFFS=$tmp/nobpf
n=0 failed=0

result() { # SENTENCE RC: TAP; what was seen goes with a failure
	n=$((n + 1))
	if [ "$2" = 0 ]; then
		echo "ok $n - $1"
	else
		echo "not ok $n - $1"
		head -8 "$tmp/out" "$tmp/err" | sed 's/^/# /'
		failed=1
	fi
}

check() { # OPTION...: rule check of $tmp/r.yaml
	(cd "$tmp" && "$S" rule check r.yaml "$@") >"$tmp/out" 2>"$tmp/err"
}

# Exit 2 and this mistake only: "r.yaml:LINE: rule ID: MESSAGE; REMEDY", parts
# are extended regular expressions. LINE 0: the file; ID -: none.
bad() { # SENTENCE LINE ID MESSAGE REMEDY TEXT [OPTION...]
	local what=$1 where=r.yaml:$2: rule="rule $3: " message=$4 remedy=$5 rc=1
	[ "$2" != 0 ] || where=r.yaml:
	[ "$3" != - ] || rule=
	printf '%s' "$6" >"$tmp/r.yaml"
	shift 6
	check "$@"
	if [ $? = 2 ] && [ ! -s "$tmp/out" ] && [ "$(wc -l <"$tmp/err")" = 1 ]; then
		grep -qE "^$where $rule.*($message).*; .*($remedy)" "$tmp/err"
		rc=$?
	fi
	result "$what" $rc
	(cd "$tmp" && "$S" -j rule check r.yaml "$@") >"$tmp/bad$n.json"
}

good() { # SENTENCE TEXT PIECE-OF-OUTPUT [OPTION...]
	local what=$1 piece=$3 rc=1
	printf '%s' "$2" >"$tmp/r.yaml"
	shift 3
	if check "$@" && [ ! -s "$tmp/err" ]; then
		grep -qE "$piece" "$tmp/out"
		rc=$?
	fi
	result "$what" $rc
}

m() { # MATCH: a rule on line 2, right but for it
	printf 'rules:\n- {id: m1, match: %s, action: drop}\n' "$1"
}
r() { # KEYS: a rule on line 3, right but for them
	printf 'rules:\n\n- {match: {proto: udp}, %s}\n' "$1"
}

cat >"$tmp/conf.yaml" <<'EOF'
interfaces:
  - {name: in0, side: inside}
  - {name: hk0, side: outside, path: hk-cable}
protect: [192.0.2.1, "2001:db8:1::/48", "file:mgmt.txt"]
lanes: [{name: SG, prefixes: [203.0.113.0/24]}]
EOF
echo 198.51.100.64/28 >"$tmp/mgmt.txt"

# --- the file ---
bad "an empty file" 0 - "is empty" "rules: \[\]" ""
bad "a file of remarks only" 0 - "is empty" "rules: \[\]" "# none"
bad "words instead of rules" 1 - "must be a mapping" "rules" "drop it all"
bad "a file without rules" 1 - "has no rules" "add rules" "{}"
bad "rules that are no list" 1 - "must be a list" "\[\] is none" "rules: 5"
bad "a rule that is no mapping" 2 - "must be a mapping" "id match action" "rules:
- drop everything"
bad "YAML cut short" 2 - "flow" "mend the YAML or JSON" "rules: [{id: a,
"
bad "JSON cut short" 3 - "flow" "mend the YAML or JSON" '{"rules": [
{"id": "a"'
bad "a tab that indents" 2 - "token" "mend the YAML or JSON" "rules:
	- {id: a}"
bad "bytes that are no text" 3 - "UTF-8" "mend the YAML or JSON" $'rules:\n\n- [\xff\xfe]'
bad "a second document" 2 - "second document" "one document" "rules: []
--- {}"
bad "an alias bomb" 2 - "anchors and aliases" "write the value out" "rules:
- &a [b, b, b]
- [*a, *a, *a, *a]"
bad "lists nested without end" 2 - "nested too deeply" "docs/rules.md" "{\"rules\":
$(printf '[%.0s' {1..5000})"
bad "4,097 rules" 4098 - "4097 rules are too many" "at most 4096" "rules:
$(for i in {1..4097}; do echo "- {id: r$i, match: {proto: udp}, action: drop}"; done)"

# --- a rule's own keys ---
bad "a rule without an id" 3 - "has no id" "add id" "$(r 'action: drop')"
bad "an id with a space" 3 - "a b is no valid id" "1 to 63 letters" "$(r 'id: "a b", action: drop')"
bad "an id of the agent's" 3 guard:x "agent's own" "another id" "$(r 'id: "guard:x", action: drop')"
bad "an id that stands twice" 3 a "id a stands on line 2" "another id" "rules:
- {id: a, match: {proto: tcp}, action: drop}
- {id: a, match: {proto: udp}, action: drop}"
bad "a rule without a match" 2 a "has no match" "add match" "rules:
- {id: a, action: drop}"
bad "a rule without an action" 3 a "has no action" "add action: drop" "$(r 'id: a')"
bad "an unknown key in a rule" 3 a "unknown key mach" "known keys here: id match" "$(r 'id: a, mach: {}, action: drop')"
bad "a key that stands twice" 3 a "action stands twice" "keep one" "$(r 'id: a, action: drop, action: pass')"
bad "an end that is past" 3 a "2020-01-01T00:00:00Z is past" "later end" "$(r 'id: a, action: drop, until: 2020-01-01T00:00:00Z')"
bad "an end that is no time" 3 a "tomorrow is no time" "2026-12-01T00:00:00Z" "$(r 'id: a, action: drop, until: tomorrow')"
bad "an end on a day that there is not" 3 a "is no time" "write a time" "$(r 'id: a, action: drop, until: 2027-02-30T00:00:00Z')"
bad "a reason that is too long" 3 a "why is 300 bytes" "at most 255" "$(r "id: a, action: drop, why: $(printf 'x%.0s' {1..300})")"

# --- actions ---
bad "an unknown action" 3 a "action: reject is none" "drop, count, pass" "$(r 'id: a, action: reject')"
bad "a limit without a rate" 3 a "has no rate" "pps: or bps:" "$(r 'id: a, action: {limit: {burst: 5}}')"
bad "a limit with both rates" 3 a "pps and bps" "keep one" "$(r 'id: a, action: {limit: {pps: 5, bps: 5}}')"
bad "a limit of nothing" 3 a "pps is 0" "action: drop" "$(r 'id: a, action: {limit: {pps: 0}}')"
bad "a limit beyond all" 3 a "200G is too much" "at most 100G" "$(r 'id: a, action: {limit: {bps: 200G}}')"
bad "a burst of nothing" 3 a "burst is 0" "action: drop" "$(r 'id: a, action: {limit: {pps: 5, burst: 0}}')"
bad "a burst under a packet" 3 a "less than a packet" "1500 or more" "$(r 'id: a, action: {limit: {bps: 5M, burst: 5}}')"
bad "a burst without end" 3 a "over a day" "a day's worth" "$(r 'id: a, action: {limit: {pps: 1, burst: 1G}}')"
bad "a limit by what there is not" 3 a "per: flow is neither" "rule or source" "$(r 'id: a, action: {limit: {pps: 1, per: flow}}')"

# --- impossible matches ---
bad "an unknown field" 2 m1 "unknown key sourc" "known keys here: src" "$(m '{sourc: 192.0.2.9}')"
bad "an address that is none" 2 m1 "192.0.2.256 is no IP address" "prefix" "$(m '{src: 192.0.2.256}')"
bad "bits behind a prefix" 2 m1 "has bits set" "write 192.0.2.0/24" "$(m '{src: 192.0.2.9/24}')"
bad "a list without a name" 2 m1 "no name of a list" "1 to 31" "$(m '{src: "@"}')"
bad "an empty list of values" 2 m1 "dst is an empty list" "leave the key out" "$(m '{dst: []}')"
bad "IPv4 to IPv6" 2 m1 "no packet is both" "two rules" "$(m '{src: 192.0.2.9, dst: "2001:db8::1"}')"
bad "an address of the other family" 2 m1 "not of family 6" "leave family" "$(m '{src: 192.0.2.9, family: 6}')"
bad "an unknown protocol" 2 m1 "tpc is not known" "number" "$(m '{proto: tpc}')"
bad "a protocol over 255" 2 m1 "300 is over 255" "0 to 255" "$(m '{proto: 300}')"
bad "a port over 65535" 2 m1 "70000 is over 65535" "0 to 65535" "$(m '{dport: 70000}')"
bad "a range that ends before it begins" 2 m1 "2000-1000 ends before" "write 1000-2000" "$(m '{dport: 2000-1000}')"
bad "a port of a protocol without ports" 2 m1 "dport: no packet of this proto" "tcp, udp" "$(m '{proto: gre, dport: 80}')"
bad "a port of SCTP" 2 m1 "dport: ports of tcp and udp are read, not of sctp" "tcp, udp" "$(m '{proto: sctp, dport: 80}')"
bad "a port of DCCP beside TCP" 2 m1 "sport: ports of tcp and udp are read, not of dccp" "tcp, udp" "$(m '{proto: [tcp, dccp], sport: 80}')"
bad "a port of any protocol by number" 2 m1 "port: ports of tcp and udp are read, not of dccp" "leave it out" "$(m '{proto: 0-255, port: 80}')"
bad "TCP flags of UDP" 2 m1 "tcp_flags: no packet of this proto" "proto: tcp" "$(m '{proto: udp, tcp_flags: {value: syn, mask: syn}}')"
bad "TCP flags outside their mask" 2 m1 "mask leaves out" "in mask too" "$(m '{tcp_flags: {value: [syn, ack], mask: syn}}')"
bad "ICMP of TCP" 2 m1 "icmp: no packet of this proto" "icmpv6" "$(m '{proto: tcp, icmp: {type: 8}}')"
bad "ICMP for IPv6 addresses" 2 m1 "proto icmp in a rule for IPv6" "icmpv6" "$(m '{proto: icmp, src: "2001:db8::1"}')"
bad "an ICMP type that may be either" 2 m1 "says not which" "proto: icmp" "$(m '{icmp: {type: redirect}}')"
bad "ports beside ICMP" 2 m1 "beside icmp" "two rules" "$(m '{icmp: {type: 8}, dport: 80}')"
bad "a length over 65,535" 2 m1 "99999 is over 65535" "0 to 65535" "$(m '{length_b: 60000-99999}')"
bad "a length under a header" 2 m1 "as short as 0-10" "IP header" "$(m '{length_b: 0-10}')"
bad "a length under an IPv6 header" 2 m1 "as short as 30" "IPv6 header" "$(m '{length_b: 30, family: 6}')"
bad "a DSCP over 63" 2 m1 "64 is over 63" "0 to 63" "$(m '{dscp: 64}')"
bad "a kind of fragment that is none" 2 m1 "middle is no kind" "none, first" "$(m '{fragment: middle}')"
bad "ports of a later fragment" 2 m1 "later fragment has no dport" "fragment: first" "$(m '{fragment: later, dport: 80}')"
bad "do not fragment in IPv6" 2 m1 "IPv6 has no dont" "leave it out" "$(m '{fragment: dont, family: 6}')"
bad "a direction that is none" 2 m1 "direction: up is none" "out" "$(m '{direction: up}')"

# --- dangerous rules ---
bad "drop of every packet" 2 m1 "every packet" "--force" "$(m '{}')"
bad "drop of 0.0.0.0/0" 2 m1 "every packet" "--force" "$(m '{src: 0.0.0.0/0}')"
bad "drop of ::/0" 2 m1 "every packet" "--force" "$(m '{dst: "::/0"}')"
bad "drop of two halves of everything" 2 m1 "every packet" "--force" "$(m '{src: [0.0.0.0/1, 128.0.0.0/1]}')"
bad "drop of all ports and lengths" 2 m1 "every packet" "--force" "$(m '{port: 0-65535, length_b: 0-65535, direction: in}')"
bad "a limit for every packet" 2 a "every packet" "--force" "rules:
- {id: a, match: {}, action: {limit: {pps: 1000}}}"
bad "a pass that opens everything" 2 a "nothing below is asked" "--force" "rules:
- {id: a, match: {}, action: pass}"
bad "drop of a protected address" 2 m1 "192.0.2.1, which is protected" "beside it" "$(m '{src: 192.0.2.1}')" -c conf.yaml
bad "drop around a protected prefix" 2 m1 "touches 2001:db8:1::/48" "beside it" "$(m '{dst: "2001:db8::/32"}')" -c conf.yaml
bad "drop inside a protected prefix, by force" 2 m1 "touches 198.51.100.64/28" "beside it" "$(m '{dst: 198.51.100.70}')" -c conf.yaml --force
bad "an unknown lane" 2 m1 "no lane HK" "name one" "$(m '{lane: [SG, HK]}')" -c conf.yaml
bad "an unknown path" 2 m1 "no path sg-cable" "name one" "$(m '{path: sg-cable}')" -c conf.yaml

# --- all at once ---
cat >"$tmp/many.yaml" <<'EOF'
rules:
- id: first
  match:
    src: [10.0.0.1/8, 192.0.2.1]
    dport: 70000
    proto: gre
  action: block
- id: second
  match: {}
  action: drop
  until: soon
- {id: first, match: {lane: nowhere, path: nowhere}, action: count}
- {match: {dscp: 99}, actoin: pass}
EOF
cat >"$tmp/want" <<'EOF'
many.yaml:4: rule first: src: 10.0.0.1/8 has bits set behind its prefix length; write 10.0.0.0/8
many.yaml:5: rule first: dport: 70000 is over 65535; write 0 to 65535
many.yaml:5: rule first: dport: no packet of this proto has it; write proto: tcp, udp or both, or leave it out
many.yaml:7: rule first: action: block is none; write drop, count, pass or {limit: {pps: 1000}}
many.yaml:9: rule second: the match takes every packet, and the action stops them; name addresses, a proto or ports; --force if it is meant
many.yaml:11: rule second: until: soon is no time; write a time such as 2026-12-01T00:00:00Z
many.yaml:12: rule first: lane: there is no lane nowhere; name one that there is
many.yaml:12: rule first: path: there is no path nowhere; name one that there is
many.yaml:12: rule first: id first stands on line 2 already; give it another id
many.yaml:13: dscp: 99 is over 63; write 0 to 63
many.yaml:13: unknown key actoin in a rule; known keys here: id match action until why tag by
many.yaml:13: a rule has no id; add id: with a word for it
many.yaml:13: the rule has no action; add action: drop, count, pass or {limit: {...}}
EOF
(cd "$tmp" && "$S" rule check many.yaml -c conf.yaml) >"$tmp/out" 2>"$tmp/err"
[ $? = 2 ] && diff "$tmp/want" "$tmp/err" >"$tmp/out"
result "one file with 13 mistakes: all of them, by line" $?

# --- apply, without an agent ---
grep -v "no lane\|no path" "$tmp/want" >"$tmp/want.self"
(cd "$tmp" && "$S" rule apply many.yaml) >"$tmp/out" 2>"$tmp/err"
[ $? = 2 ] && diff "$tmp/want.self" "$tmp/err" >"$tmp/out"
result "apply says what the file says of itself, without an agent" $?
(cd "$tmp" && "$S" -j rule apply many.yaml) >"$tmp/out" 2>"$tmp/err"
[ $? = 2 ] && /usr/bin/python3 tests/schema.py error <"$tmp/out" >/dev/null \
	2>"$tmp/err" && [ "$(grep -o '"line":' "$tmp/out" | wc -l)" = 11 ]
result "... as JSON" $?
m '{src: 192.0.2.9}' >"$tmp/r.yaml"
"$S" rule apply "$tmp/r.yaml" >"$tmp/out" 2>"$tmp/err"
[ $? = 3 ] && grep -q "no agent at" "$tmp/err"
result "... and asks it when the file is right" $?
m '{}' >"$tmp/r.yaml"
"$S" rule apply "$tmp/r.yaml" --force >"$tmp/out" 2>"$tmp/err"
[ $? = 3 ]
result "... --force is heard before, too" $?

# --- the same as JSON ---
(cd "$tmp" && "$S" -j rule check many.yaml -c conf.yaml >many.json)
[ $? = 2 ]
result "... as JSON: exit 2" $?
/usr/bin/python3 - "$tmp" docs/schema/rule_check.schema.json >"$tmp/out" 2>"$tmp/err" <<'EOF'
import glob, json, sys
import jsonschema
v = jsonschema.Draft7Validator(json.load(open(sys.argv[2])))
files = glob.glob(sys.argv[1] + "/*.json")
for f in files:
    d = json.load(open(f))
    v.validate(d)
    assert f.endswith("many.json") or len(d["error"]["items"]) == 1, f
assert len(files) > 40
items = json.load(open(sys.argv[1] + "/many.json"))["error"]["items"]
want = open(sys.argv[1] + "/want").read().splitlines()
assert len(items) == len(want) == 13
for i, w in zip(items, want):
    rule = "rule %s: " % i["rule"] if i["rule"] else ""
    assert w == "%s:%d: %s%s; %s" % (i["file"], i["line"], rule, i["message"], i["remedy"])
EOF
result "the JSON of every refusal keeps its schema and says the same" $?

# --- what is right ---
good "no rules at all" "rules: []" "r.yaml: 0 rules, valid"
good "the example" "$(cat dist/rules.yaml.example)" "8 rules, valid"
good "the contract's example, as JSON" '{"rules":[{"id":"r1","match":{"src":["203.0.113.0/24","@spam"],"proto":"tcp","dport":["80","1000-2000"],"lane":["SG"],"tcp_flags":{"value":["syn"],"mask":["syn","ack"]},"length_b":["0-99"],"fragment":["first"]},"action":{"limit":{"pps":1000,"burst":100}},"until":"2099-12-01T00:00:00Z","why":"case 12","tag":"negative-list/seed"}]}' \
	"r.yaml: 1 rule, valid" -c conf.yaml
good "every packet, by force" "$(m '{}')" "1 rule, valid" --force
good "ports of TCP and UDP, named or not" "rules:
- {id: a, match: {proto: [tcp, udp], dport: 80}, action: drop}
- {id: b, match: {port: 90}, action: drop}
- {id: c, match: {proto: [sctp, dccp, udplite]}, action: drop}" "3 rules, valid"
good "beside what is protected" "$(m '{src: 192.0.2.2, lane: other, path: hk-cable}')" "1 rule, valid" -c conf.yaml
good "count of what is protected" "rules: [{id: a, match: {src: 192.0.2.1}, action: count}]" "1 rule, valid" -c conf.yaml
good "a shadowed rule is a warning" "rules:
- {id: a, match: {src: 10.0.0.0/8}, action: drop}
- {id: b, match: {src: 10.0.0.1}, action: pass}" \
	"r.yaml:3: rule b: warning: is shadowed: rule a on line 2 \(drop\)"
"$S" -j rule check "$tmp/r.yaml" >"$tmp/out" 2>"$tmp/err" &&
	/usr/bin/python3 tests/schema.py rule_check <"$tmp/out" >/dev/null 2>"$tmp/err" &&
	grep -q '"rules":2,"warnings":\[{"line":3,"rule":"b","kind":"shadowed","other":"a"' "$tmp/out"
result "... as JSON" $?
"$S" rule check - <"$tmp/r.yaml" >"$tmp/out" 2>"$tmp/err" && grep -q "^-: 2 rules, valid" "$tmp/out"
result "- is standard input" $?

# --- words ---
t() { # SENTENCE EXIT TEXT COMMAND...
	local what=$1 want=$2 text=$3
	shift 3
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	[ $? = "$want" ] && cat "$tmp/out" "$tmp/err" | grep -qE -- "$text"
	result "$what" $?
}
t "rule --help" 0 "usage: sealane rule" "$S" rule --help
t "rule without a verb is a usage error" 1 "rule wants check" "$S" rule
t "rule with an unknown verb names it" 1 "not chekc" "$S" rule chekc
t "rule check wants a file" 1 "one rule file" "$S" rule check
t "rule check: an unknown option is named" 1 "--bogus" "$S" rule check --bogus
t "a missing file is refused" 2 "none.yaml: No such file.*; name a file" "$S" rule check "$tmp/none.yaml"
t "a directory is refused" 2 "Is a directory" "$S" rule check "$tmp"
printf 'hoem: []\nprotect: [banana]\n' >"$tmp/bad.yaml"
t "mistakes of the configuration are its own" 2 "bad.yaml:1: unknown key hoem" "$S" rule check "$tmp/r.yaml" -c "$tmp/bad.yaml"
t "... as JSON" 2 '"file":"[^"]*bad.yaml","line":2,' "$S" -j rule check "$tmp/r.yaml" -c "$tmp/bad.yaml"
echo "protect: [\"file:gone.txt\"]" >"$tmp/bad.yaml"
t "a file that the configuration names is missing" 2 "gone.txt" "$S" rule check "$tmp/r.yaml" -c "$tmp/bad.yaml"
t "a full disk is an error" 2 "cannot write" sh -c "$S rule check $tmp/r.yaml >/dev/full"
echo "1..$n"
exit $failed
