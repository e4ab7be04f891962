#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# `sealane replay --rules`: what rules count on a capture is what others count,
# what they drop is gone, and a rule file with mistakes is refused.
set -u
cd "$(dirname "$0")/../.." || exit 1
S=$(realpath "${BUILD:-build}")/sealane
SHARED=${SHARED:-../shared}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
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

replay() { # CAPTURE OPTION...: with the rules of $tmp/r.yaml
	local file=$1
	shift
	(cd "$tmp" && "$S" replay "$file" --rules r.yaml "$@") \
		>"$tmp/out" 2>"$tmp/err"
}

hits() { # ID: its packets
	/usr/bin/python3 -c 'import json, sys
d = json.load(open(sys.argv[1]))
print(*[r["packets"] for r in d["rules"] if r["id"] == sys.argv[2]])' \
		"$tmp/out" "$1"
}

# 400 packets of TCP, UDP and ICMP, 10 ms apart from a time in 2020 on; want.json
# says of each rule how many of them it is right to hit.
/usr/bin/python3 - "$tmp" <<'EOF'
import json, random, struct, sys
tmp, rnd = sys.argv[1], random.Random(5)
START = 1577836800
def ip(src, dst, proto, body):
    return struct.pack("!BBHHHBBH4B4B", 0x45, 0, 20 + len(body), 1, 0, 64,
                       proto, 0, *src, *dst) + body
want = dict.fromkeys("all tcp web dns ping early lane path".split(), 0)
size = dict.fromkeys(want, 0)
out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)
for i in range(400):
    kind, port = rnd.choice(("tcp", "udp", "icmp")), rnd.choice((53, 80, 443, 5000))
    far = rnd.choice(((203, 0, 113, 5), (198, 51, 100, 5)))
    pad = bytes(rnd.randrange(60))
    if kind == "tcp":
        body = struct.pack("!HHIIBBHHH", 1000, port, i, 0, 0x50, 16, 1, 0, 0) + pad
        p = ip((192, 0, 2, 1), far, 6, body)
    elif kind == "udp":
        body = struct.pack("!HHHH", 1000, port, 8 + len(pad), 0) + pad
        p = ip((192, 0, 2, 1), far, 17, body)
    else:
        p = ip((192, 0, 2, 1), far, 1, struct.pack("!BBHHH", 8, 0, 0, 1, i) + pad)
    dropped = kind == "udp" and port == 53
    for rule, hit in (("all", True), ("tcp", kind == "tcp"),
                      ("web", kind == "tcp" and port in (80, 443)),
                      ("dns", dropped), ("ping", kind == "icmp"),
                      ("early", not dropped and i < 200),
                      ("lane", not dropped and far[0] == 203)):
        want[rule] += hit
        size[rule] += (14 + len(p)) * hit
    out += struct.pack("<IIII", START + i // 100, i % 100 * 10000, len(p), len(p)) + p
open(tmp + "/made.pcap", "wb").write(out)
json.dump({"packets": want, "bytes": size}, open(tmp + "/want.json", "w"))
EOF
cat >"$tmp/conf.yaml" <<'EOF'
interfaces: [{name: out0, side: outside, path: cable}]
home: [192.0.2.0/24]
protect: [192.0.2.99]
lanes: [{name: SG, prefixes: [203.0.113.0/24]}]
EOF
made() { # a rule for each count of want.json
	cat >"$tmp/r.yaml" <<'EOF'
rules:
- {id: all, match: {}, action: count}
- {id: tcp, match: {proto: tcp}, action: count}
- {id: web, match: {proto: tcp, dport: [80, 443]}, action: count}
- {id: dns, match: {proto: udp, dport: 53}, action: drop}
- {id: ping, match: {icmp: {type: 8, code: 0}}, action: count}
- {id: early, match: {}, action: count, until: 2020-01-01T00:00:02Z}
- {id: lane, match: {lane: SG, direction: out}, action: count}
- {id: path, match: {path: cable}, action: count}
EOF
}
made
replay made.pcap -c conf.yaml -j
result "a made capture is replayed with rules" $?
cp "$tmp/out" "$tmp/first"
/usr/bin/python3 - "$tmp" >"$tmp/err" 2>&1 <<'EOF'
import json, sys
d, want = (json.load(open(sys.argv[1] + f)) for f in ("/out", "/want.json"))
assert [r["id"] for r in d["rules"]] == list(want["packets"])
for r in d["rules"]:
    for k in "packets", "bytes":
        assert r[k] == want[k][r["id"]], (r, k, want[k][r["id"]])
dns = want["packets"]["dns"]
assert 10 < dns == d["verdicts"]["drop"] == d["reasons"]["rule"]
assert d["verdicts"]["pass"] == 400 - dns
EOF
result "protocols, ports, types, lanes and ends count what was made" $?
/usr/bin/python3 tests/schema.py replay <"$tmp/first" >"$tmp/out" 2>"$tmp/err"
result "... and keep the schema" $?
replay made.pcap -c conf.yaml -j && cmp -s "$tmp/first" "$tmp/out"
result "the same file, the same bytes" $?
replay made.pcap -c conf.yaml &&
	grep -qE "^rule +packets +bytes$" "$tmp/out" &&
	grep -qE "^all +400 +[0-9]+$" "$tmp/out" &&
	grep -qE "dropped: [0-9]+" "$tmp/out"
result "people see a table" $?
(cd "$tmp" && "$S" replay -j made.pcap) >"$tmp/out" 2>"$tmp/err" &&
	! grep -q '"rules"' "$tmp/out"
result "without --rules there are no rules" $?
echo "rules: []" >"$tmp/r.yaml"
replay made.pcap -j && grep -q '"rules":\[\]' "$tmp/out"
result "a file without rules is one" $?

# --- what a rule does ---
cat >"$tmp/r.yaml" <<'EOF'
rules: [{id: slow, match: {}, action: {limit: {pps: 10, burst: 10}}}]
EOF
replay made.pcap -j
passed=$(grep -oE '"pass":[0-9]+' "$tmp/out" | cut -d: -f2)
[ "${passed:-0}" -ge 48 ] && [ "$passed" -le 51 ] # 4 s of 10, and the burst
result "a limit keeps time with the capture ($passed pass)" $?

# A round trip of a handshake, and of a rule that lets none of it through.
/usr/bin/python3 - "$tmp" <<'EOF'
import struct, sys
def tcp(src, dst, sport, dport, seq, ack, flags):
    t = struct.pack("!HHIIBBHHH", sport, dport, seq, ack, 0x50, flags, 1, 0, 0)
    return struct.pack("!BBHHHBBH4B4B", 0x45, 0, 40, 1, 0, 64, 6, 0, *src, *dst) + t
a, b = (192, 0, 2, 1), (203, 0, 113, 5)
out = struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 101)
for us, p in ((0, tcp(a, b, 1000, 80, 10, 0, 2)), (36000, tcp(b, a, 80, 1000, 50, 11, 18)),
              (38000, tcp(a, b, 1000, 80, 11, 51, 16))):
    out += struct.pack("<IIII", 1700000000, us, len(p), len(p)) + p
open(sys.argv[1] + "/hs.pcap", "wb").write(out)
EOF
cat >"$tmp/r.yaml" <<'EOF'
rules: [{id: syn, match: {tcp_flags: {value: [syn, ack], mask: [syn, ack]}}, action: count}]
EOF
replay hs.pcap --samples s.json && [ "$(wc -l <"$tmp/s.json")" = 2 ]
result "counted packets give samples" $?
sed -i 's/count/drop/' "$tmp/r.yaml"
replay hs.pcap --samples s.json && [ ! -s "$tmp/s.json" ]
result "dropped ones give none" $?

# --- what is refused ---
refused() { # SENTENCE LINE TEXT [OPTION...]: exit 2, and this line on stderr
	local what=$1 text="^r.yaml:$2: $3"
	shift 3
	replay made.pcap "$@"
	[ $? = 2 ] && [ ! -s "$tmp/out" ] && grep -qE "$text" "$tmp/err"
	result "$what" $?
}
made
refused "a lane without a configuration" 8 "rule lane: lane: there is no lane SG; "
refused "a path without a configuration" 9 "rule path: path: .*no path cable; leave it out"
cat >"$tmp/r.yaml" <<'EOF'
rules:
- {id: a, match: {src: "@spam"}, action: drop}
- {id: b, match: {dport: 70000}, action: block}
- {id: c, match: {dst: 192.0.2.99}, action: drop}
EOF
refused "a list, which nobody has here" 2 "rule a: src: there is no list spam; name prefixes"
refused "more than one mistake" 3 "rule b: dport: 70000 is over 65535"
refused "what is protected" 4 "rule c: dst: .*is protected" -c conf.yaml
replay made.pcap -c conf.yaml -j
[ $? = 2 ] && /usr/bin/python3 -c 'import json, sys
items = json.load(open(sys.argv[1]))["error"]["items"]
assert [(i["line"], i["rule"]) for i in items] == [(2, "a"), (3, "b"), (3, "b"), (4, "c")]' \
	"$tmp/out" 2>"$tmp/err"
result "... as JSON, all of them" $?
rm "$tmp/r.yaml"
replay made.pcap
[ $? = 2 ] && grep -q "r.yaml: No such file" "$tmp/err"
result "a rule file that is not there" $?

# --- real captures, counted by tcpdump ---
cat >"$tmp/filters" <<'EOF'
tcp		{proto: tcp}			tcp
udp		{proto: udp}			udp
dns		{proto: [udp, tcp], port: 53}	port 53 and (udp or tcp)
web		{proto: tcp, dport: [80, 443]}	tcp and dst port (80 or 443)
syn		{tcp_flags: {value: syn, mask: [syn, ack]}}	tcp[tcpflags] & (tcp-syn|tcp-ack) = tcp-syn
v4long		{family: 4, length_b: 1000-65535}	ip and ip[2:2] >= 1000
EOF
while IFS=$'\t' read -r id match _; do
	echo "- {id: $id, match: $match, action: count}"
done < <(tr -s '\t' <"$tmp/filters") | sed '1i rules:' >"$tmp/r.yaml"
for one in dns__zeek__wikipedia__11d2ce dns__ndpi__dns-tunnel-iodine__91fd22 \
	tcp_ts__ mixed_large__; do
	file=$(find "$(realpath "$SHARED")/data/captures" -maxdepth 1 \
		-name "$one*.pcap" 2>/dev/null | sort | head -1)
	if [ -z "$file" ]; then
		n=$((n + 1))
		echo "ok $n - $one: as tcpdump counts # SKIP no reference data at $SHARED"
		continue
	fi
	replay "$file" -j
	rc=$?
	seen=
	while IFS=$'\t' read -r id _ filter; do
		theirs=$(tcpdump -nr "$file" "$filter" 2>/dev/null | wc -l)
		ours=$(hits "$id" 2>>"$tmp/err")
		seen="$seen $id $ours"
		[ "$theirs" = "$ours" ] ||
			{ rc=1; echo "$id: $ours, tcpdump has $theirs" >>"$tmp/err"; }
	done < <(tr -s '\t' <"$tmp/filters")
	result "$one: as tcpdump counts ($seen)" $rc
done
echo "1..$n"
exit $failed
