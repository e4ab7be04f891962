#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# Words, exit codes and errors of the command line, without an agent.
set -u
cd "$(dirname "$0")/../.." || exit 1
S=${BUILD:-build}/sealane
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
export SEALANE_SOCKET=$tmp/none.sock SEALANE_BPFFS=$tmp/nobpf
n=0 failed=0

# want EXIT, TEXT (a regular expression that stdout and stderr hold) of CMD
t() { # SENTENCE EXIT TEXT COMMAND...
	local what=$1 want=$2 text=$3 rc
	shift 3
	n=$((n + 1))
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	rc=$?
	cat "$tmp/err" "$tmp/out" >"$tmp/both"
	if [ $rc = "$want" ] && grep -qE -- "$text" "$tmp/both"; then
		echo "ok $n - $what"
	else
		echo "not ok $n - $what (exit $rc, wanted $want)"
		sed 's/^/# /' "$tmp/both" | head -5
		failed=1
	fi
}
is_json_error() {
	"$@" >"$tmp/j"
	python3 -c 'import json,sys; d=json.load(open(sys.argv[1])); assert d["error"]["message"] and "remedy" in d["error"]; print("fine")' "$tmp/j"
}

t "no words is a usage error" 1 "usage: sealane" "$S"
t "... also as JSON" 1 '"a command is missing"' "$S" -j
t "--help is exit 0" 0 "usage: sealane" "$S" --help
t "--help goes to stdout" 0 "usage: sealane" sh -c "$S --help 2>/dev/null"
t "--version" 0 "^sealane [0-9]" "$S" --version
for verb in doctor status attach detach bypass latency events block unblock explain replay flowspec module; do
	t "$verb --help" 0 "usage: sealane $verb" "$S" "$verb" --help
	t "$verb: an unknown option is named" 1 "--bogus" "$S" "$verb" --bogus
	t "$verb: abbreviated global options are not guessed" 1 "--sock" "$S" "$verb" --sock x
done
t "an unknown command is named, with a hint" 1 "latencey.*latency" "$S" latencey
t "... also as JSON" 0 fine is_json_error "$S" -j latencey
for words in status latency events "events --follow" "events --drops" "block 192.0.2.1" "unblock 192.0.2.1" "explain 192.0.2.1" module "module off" "attach lo --side tap"; do
	# shellcheck disable=SC2086
	t "without an agent: $words" 3 "no agent at" "$S" $words
	# shellcheck disable=SC2086
	t "... as JSON: $words" 0 fine is_json_error "$S" $words -j
done
t "detach without agent and pins is refused" 2 "detach without the agent" "$S" detach lo
t "bypass without agent and pins is refused" 2 "bypass without the agent" "$S" bypass on
t "--kind is not of --drops" 1 "--kind" "$S" events --drops --kind commit
t "bypass on without a reason is loud" 2 "NO REASON GIVEN" "$S" bypass on
t "bypass wants on or off" 1 "on or off, not maybe" "$S" bypass maybe
t "module wants on or off" 1 "on, off or nothing, not maybe" "$S" module maybe
t "doctor says what the module would be good for" 0 "^module.*far_net_ns" "$S" doctor
t "attach wants a side" 1 "--side" "$S" attach lo
t "explain wants one address" 1 "one address" "$S" explain
t "flowspec purge wants a neighbour" 1 "takes one neighbour" "$S" flowspec purge
t "unblock takes a reason" 3 "no agent" "$S" unblock 192.0.2.1 --why over
printf 'rules: []\n' >"$tmp/rules.yaml"
t "a reason beyond any request is refused, not cut off" 1 "too long" "$S" rule apply "$tmp/rules.yaml" --why "$(printf '%020000d' 0)" --confirm 5m
t "block wants a prefix" 1 "block wants" "$S" block
t "an option wants its value" 1 "--for wants a value" "$S" block 192.0.2.1 --for
t "an unexpected word is named" 1 "tomorrow" "$S" status tomorrow
t "global options may stand behind" 3 "no agent at /x" "$S" status --socket /x

# --- replay ---
python3 - "$tmp" <<'EOF'
import struct, sys
d = sys.argv[1]
def ip(src, dst, seq, ack, flags):
    t = struct.pack("!HHIIBBHHH", *( (1000, 80) if src < dst else (80, 1000) ), seq, ack, 0x50, flags, 1, 0, 0)
    return struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, src, dst) + t
a, b = bytes([192, 0, 2, 1]), bytes([203, 0, 113, 5])
pkts = [(0, ip(a, b, 10, 0, 2)), (36000, ip(b, a, 50, 11, 18)), (38000, ip(a, b, 11, 51, 16))]
def pcap(name, lt, pre):
    with open(d + "/" + name, "wb") as f:
        f.write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, lt))
        for us, p in pkts:
            f.write(struct.pack("<IIII", 1700000000, us, len(pre + p), len(pre + p)) + pre + p)
pcap("eth.pcap", 1, bytes(12) + b"\x08\x00")
pcap("raw.pcap", 101, b"")
pcap("null.pcap", 0, b"\2\0\0\0")
pcap("sll.pcap", 113, bytes(14) + b"\x08\x00")
pcap("sll2.pcap", 276, b"\x08\x00" + bytes(18))
pcap("wlan.pcap", 105, bytes(30))
pcap("short.pcap", 1, b"")
open(d + "/short.pcap", "wb").write(struct.pack("<IHHiIII", 0xa1b2c3d4, 2, 4, 0, 0, 65535, 1) +
    struct.pack("<IIII", 1, 1, 9, 9) + bytes(9))
open(d + "/empty.pcap", "wb").write(open(d + "/eth.pcap", "rb").read()[:24])
open(d + "/cut.pcap", "wb").write(open(d + "/eth.pcap", "rb").read()[:-5])
open(d + "/text.pcap", "w").write("this is no capture at all")
open(d + "/conf.yaml", "w").write("home: [192.0.2.0/24]\nlanes: [{name: SG, prefixes: [203.0.113.0/24]}]\n")
EOF
for lt in eth raw null sll sll2; do
	t "replay: $lt gives both handshake halves" 0 '"rtt_ns":36000000,"lane":"SG"' \
		"$S" replay "$tmp/$lt.pcap" -c "$tmp/conf.yaml" --samples -
done
t "replay without -c knows no home" 0 '"half":"unknown".*"lane":"other","path":""' \
	"$S" replay "$tmp/eth.pcap" --samples -
t "replay -j counts" 0 '"packets":3.*"pass":3.*"tracked":3.*"tcp-hs":\{"samples":2' \
	"$S" replay "$tmp/eth.pcap" -j
t "replay -j keeps its schema" 0 fine sh -c "$S replay $tmp/eth.pcap -j | /usr/bin/python3 tests/schema.py replay"
t "a refused replay keeps the error schema" 0 fine sh -c "$S replay $tmp/text.pcap -j | /usr/bin/python3 tests/schema.py error"
t "an unsupported link type is refused by name" 2 "IEEE802_11 \(105\)" "$S" replay "$tmp/wlan.pcap"
t "a frame under 14 bytes is counted" 0 '"short_frame":1' "$S" replay -j "$tmp/short.pcap"
t "an empty capture is fine" 0 '"packets":0' "$S" replay -j "$tmp/empty.pcap"
t "a cut file gives its whole records and a warning" 0 "ends inside a record" "$S" replay "$tmp/cut.pcap"
t "what is no capture is refused" 2 "not a capture" "$S" replay "$tmp/text.pcap"
t "a missing capture is refused" 2 "No such file" "$S" replay "$tmp/missing.pcap"
t "-j with --samples - is a usage error" 1 "both want stdout" "$S" replay "$tmp/eth.pcap" -j --samples -
t "samples to a full disk are refused" 2 "cannot write" "$S" replay "$tmp/eth.pcap" --samples /proc/nowhere
t "a bad -c names file and line" 2 "text.pcap:1" "$S" replay "$tmp/eth.pcap" -c "$tmp/text.pcap"
t "stdout that is full is an error" 2 "cannot write" sh -c "$S replay $tmp/eth.pcap >/dev/full"

t "doctor says what it finds" 0 "kernel +ok|ok +kernel" sh -c "$S doctor || [ \$? = 2 ]"
t "doctor -j lists checks" 0 '"checks":\[\{"what"' sh -c "$S -j doctor || [ \$? = 2 ]"
printf 'rules: []\n' >"$tmp/rules.yaml"
t "rule plan wants a file" 1 "one rule file" "$S" rule plan
t "rule plan names a bad option" 1 "--sinc" "$S" rule plan "$tmp/rules.yaml" --sinc 5m
t "rule plan of a file that is not there" 2 "$tmp/none.yaml" "$S" rule plan "$tmp/none.yaml"
t "rule plan without an agent is exit 3" 3 "agent" "$S" rule plan "$tmp/rules.yaml"

echo "1..$n"
exit $failed
