# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# Real peers from Debian's packages, in the lab's namespaces: servers at a site,
# clients at home. All configuration is our own, below LAB_DIR/peers. common.sh
# comes first. What a client really did is counted from a capture, not here.

PEERS=${LAB_DIR:-/nonexistent}/peers
# shellcheck disable=SC2034
QUIC_PORT=4433 RETRY_PORT=4434 SRT_PORT=9000 SRT6_PORT=9001

remember() { echo $! >>"$LAB_DIR/pids"; }	# lab down stops it
listens() { # NS u|t PORT
	in_ns "$1" ss -Hln"$2" "sport = :$3" | grep -q .
}

# --- QUIC: ngtcp2. It leaves the spin bit alone, so it gives handshakes only.
peers_certificate() {
	mkdir -p "$PEERS/www"
	head -c 60000 /dev/zero >"$PEERS/www/page"
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes \
		-keyout "$PEERS/key" -out "$PEERS/cert" -days 2 \
		-subj /CN=peer.test >"$PEERS/openssl.log" 2>&1
}
start_quic() { # SITE
	[ -e "$PEERS/cert" ] || peers_certificate
	in_ns_bg "$1" gtlsserver -q -d "$PEERS/www" '*' $QUIC_PORT \
		"$PEERS/key" "$PEERS/cert" >"$PEERS/quic-$1.log" 2>&1 &
	remember
	# this one asks every client for its address first, by a Retry
	in_ns_bg "$1" gtlsserver -q -V -d "$PEERS/www" '*' $RETRY_PORT \
		"$PEERS/key" "$PEERS/cert" >>"$PEERS/quic-$1.log" 2>&1 &
	remember
	wait_until 5 listens "$1" u $QUIC_PORT &&
		wait_until 5 listens "$1" u $RETRY_PORT
}
quic_get() { # ADDR PORT [OPTION...]
	local addr=$1 port=$2
	shift 2
	in_ns home timeout 8 gtlsclient -q --exit-on-all-streams-close "$@" \
		"$addr" "$port" "https://peer.test/page"
}

# --- DNS: dnsmasq answers, dig and dnsperf ask.
start_dns() { # SITE
	mkdir -p "$PEERS"
	cat >"$PEERS/dnsmasq-$1.conf" <<-END
		no-resolv
		no-hosts
		user=root
		pid-file=
		cache-size=0
		address=/peer.test/192.0.2.1
		address=/peer.test/2001:db8:99::1
		txt-record=text.peer.test,a real answer
	END
	in_ns_bg "$1" dnsmasq -k -C "$PEERS/dnsmasq-$1.conf" \
		>"$PEERS/dns-$1.log" 2>&1 &
	remember
	wait_until 5 listens "$1" u 53
}
dns_names() { # COUNT
	seq -f 'host%g.peer.test' "$1"
}
dig_many() { # ADDR COUNT: one after the other, each with its own port
	dns_names "$2" | in_ns home timeout 20 dig -f - "@$1" +short +tries=2 \
		+time=1
}
dns_burst() { # ADDR COUNT: up to 20 at a time from one port
	dns_names "$2" | sed 's/$/ AAAA/' |
		in_ns home timeout 20 dnsperf -s "$1" -n 1 -c 1 -T 1 -q 20 -t 2
}

# --- STUN: coturn. A second address makes it answer RFC 5780's questions.
start_stun() { # SITE
	local v4 v6
	v4=$(site_v4 "$1") v6=$(site_v6 "$1")
	mkdir -p "$PEERS"
	in_ns "$1" ip addr add "${v4%.*}.3/24" dev e0
	cat >"$PEERS/turnserver-$1.conf" <<-END
		listening-ip=$v4
		listening-ip=${v4%.*}.3
		listening-ip=$v6
		relay-ip=$v4
		stun-only
		no-auth
		no-cli
		no-tls
		no-dtls
		no-tcp
		log-file=stdout
		pidfile=$PEERS/turnserver-$1.pid
		userdb=$PEERS/turn-$1.db
	END
	in_ns_bg "$1" turnserver -c "$PEERS/turnserver-$1.conf" \
		>"$PEERS/stun-$1.log" 2>&1 &
	remember
	wait_until 5 listens "$1" u 3478
}
stun_ask() { in_ns home timeout 10 turnutils_stunclient "$1"; } # ADDR
nat_ask() { in_ns home timeout 20 turnutils_natdiscovery -m "$1"; } # ADDR

# --- SRT: srt-live-transmit. A stream's receiver sends full ACKs, its sender
# the ACKACKs: one that comes down gives the far half, one that goes up the near.
feed() { # SECONDS: 2 Mbit/s in live-sized chunks
	python3 - "$1" <<-'END'
		import sys, time
		end = time.monotonic() + float(sys.argv[1])
		while time.monotonic() < end:
		    sys.stdout.buffer.write(bytes(1316))
		    sys.stdout.flush()
		    time.sleep(0.005)
	END
}
# Abroad listens, home calls; either may be the sender.
srt_stream() { # FROM TO SECONDS ADDR PORT
	local listen="srt://:$5?mode=listener" call="srt://$4:$5?mode=caller"
	case $4 in *:*)
		listen="srt://[::]:$5?mode=listener&ipv6only=1"
		call="srt://[$4]:$5?mode=caller"
	esac
	if [ "$1" = home ]; then
		srt_receive "$2" "$3" "$listen" &
		wait_until 5 listens "$2" u "$5"
		srt_send home "$3" "$call"
	else
		srt_send "$1" "$3" "$listen" &
		wait_until 5 listens "$1" u "$5"
		srt_receive home "$3" "$call"
	fi
	wait $!
}
srt_send() { # NS SECONDS URI
	feed "$2" | in_ns "$1" timeout $(($2 + 5)) srt-live-transmit -q -a no \
		-chunk 1316 file://con "$3"
}
srt_receive() { # NS SECONDS URI
	in_ns "$1" timeout $(($2 + 5)) srt-live-transmit -q -a no \
		-t $(($2 + 1)) -chunk 1316 "$3" file://con >/dev/null
}

# --- TCP: a reader that has stopped reading, for windows of zero.
STALLED_PORT=7000
start_stalled() { # SITE
	in_ns_bg "$1" python3 - <<-END &
		import socket, time
		s = socket.socket(socket.AF_INET)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
		s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
		s.bind(("", $STALLED_PORT))
		s.listen()
		held = s.accept()
		time.sleep(90)
	END
	remember
	wait_until 5 listens "$1" t $STALLED_PORT
}
fill_stalled() { # SITE SECONDS: send more than fits, and wait
	in_ns home python3 - "$(site_v4 "$1")" "$2" <<-END
		import socket, sys
		s = socket.create_connection((sys.argv[1], $STALLED_PORT), 5)
		s.settimeout(float(sys.argv[2]))
		try:
		    s.sendall(bytes(1 << 23))
		except TimeoutError:
		    pass
	END
}
