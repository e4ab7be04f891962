#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# A one-armed gateway: one NIC, VLAN 10 is the inside, VLAN 20 a cable.
set -u
LAB_DIR=$(mktemp -d /tmp/sealane-vlan.XXXXXX)
export LAB_DIR
# shellcheck source=tests/lab/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tests/lab/tap.sh
. "$(dirname "$0")/tap.sh"
echo "sv$$" >"$LAB_DIR/id"
: >"$LAB_DIR/pids"

ip netns add "$(ns_name gw)"
ip netns add "$(ns_name switch)"
for ns in gw switch; do	# no frames but ours
	in_ns $ns sysctl -qw net.ipv6.conf.default.disable_ipv6=1
done
in_ns switch ip link add p0 type veth peer name arm0 netns "$(ns_name gw)"
in_ns switch ip link set p0 up
in_ns gw ip link set arm0 up

# Tagged frames by a packet socket, since not every kernel has VLAN devices:
# echo requests and their replies 40 ms later, each arriving by its own VLAN.
cat >"$LAB_DIR/talk.py" <<'EOF'
import socket, struct, sys, time
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW)
s.bind(("p0", 0))
home, far = bytes([198, 18, 10, 2]), bytes([198, 18, 20, 2])
def send(vlan, src, dst, kind, ident, seq):
    icmp = struct.pack("!BBHHH", kind, 0, 0, ident, seq)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 28, 1, 0, 64, 1, 0, src, dst)
    s.send(bytes(12) + struct.pack("!HHH", 0x8100, vlan, 0x800) + ip + icmp)
for seq in range(int(sys.argv[1])):
    send(10, home, far, 8, 1, seq)      # home asks, abroad answers
    time.sleep(0.04)
    send(20, far, home, 0, 1, seq)
    send(20, far, home, 8, 2, seq)      # abroad asks, home answers
    time.sleep(0.04)
    send(10, home, far, 0, 2, seq)
    send(30, home, far, 8, 3, seq)      # a VLAN that nobody named
EOF
cat >"$LAB_DIR/sealane.yaml" <<EOF
interfaces:
  - {name: arm0, vlan: 10, side: inside}
  - {name: arm0, vlan: 20, side: outside, path: vl-cable}
home: [198.18.10.0/24]
lanes: [{name: FAR, prefixes: [198.18.20.0/24]}]
tables: {flows: 1024, series: 64, size: small}
socket: $LAB_DIR/sealaned.sock
state_dir: $LAB_DIR/state
bpffs: $(bpffs_dir)
EOF

rows() { sealane -j latency --since -1m | python3 -c "import json,sys
r=[x for x in json.load(sys.stdin)['rows'] if x['half']=='$1']
print(r); assert len(r)==1 and r[0]['lane']=='FAR' and r[0]['path']=='vl-cable'
assert r[0]['samples'] >= 9 and 39e6 < r[0]['p50_ns'] < 60e6"; }
ok "the agent starts on one NIC with two VLANs" agent_start
# the kernel of the gateway routes between the VLANs
make_turn
in_ns gw tc filter add dev arm0 ingress pref 300 bpf da obj "$LAB_DIR/turn.o" sec tc
sleep 2.2	# until it is known how few packets come
in_ns switch python3 "$LAB_DIR/talk.py" 10
sleep 1.2
ok "the far half is on the VLAN's path, with the delay" rows far
ok "the near half likewise" rows near
self() { sealane -j latency --half self --since -1m | python3 -c "import json,sys
r=json.load(sys.stdin)['rows']; print(r); assert len(r)==1
assert (r[0]['lane'],r[0]['path'],r[0]['method'])==('FAR','vl-cable','tc')
assert r[0]['samples']==20 and 500<r[0]['p50_ns']<2e6"; }
ok "half self: what came by VLAN 10 and left by 20, on its path" self
drops() { # COUNT REASON
	sealane -j status | python3 -c "import json,sys
d=json.load(sys.stdin)['reasons']['$2']['packets']; print(d); assert d==$1"; }
ok "a VLAN that nobody named is none of ours" drops 10 no_port
ok "nothing was dropped so far" drops 0 block
ok "a block is accepted" sealane block 198.18.20.2
in_ns switch python3 "$LAB_DIR/talk.py" 5
ok "... and holds behind the tags, both ways" drops 20 block
ok "detach takes it all off" sealane detach arm0
ok "... and our filters, but not the router" sh -c \
	"! nsenter --net=/run/netns/$(ns_name gw) tc filter show dev arm0 egress | grep . &&
	 nsenter --net=/run/netns/$(ns_name gw) tc filter show dev arm0 ingress |
	 grep -o ' name [a-z_]*' | grep -x ' name turn'"
tap_end
