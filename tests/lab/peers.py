# SPDX-License-Identifier: GPL-2.0
"""What real peers did, and whether Sealane's figures agree with it.

    peers.py count PCAP                 -> JSON {site address: {method: {...}}}
    peers.py check LAB_DIR LANE METHOD TEST...

Counted from a capture of the gateway's inside interface, by the plain meaning
of each protocol; half `far` only, so the asking side is home's (198.18.0.0/24,
2001:db8::/64). For each method:
  answered   questions that got their answer and were asked once
  trips      the same, but only those that began when no other was under way,
             which is what one outstanding stamp a flow must see at least
  p50_ms     the median time that the answered ones took, as the capture has it
             (the two in the middle): the cable, and what the peer itself took
"""
import json
import statistics
import struct
import sys

HOME = (bytes([198, 18, 0]), bytes.fromhex("20010db800000000"))
QUIC_PORTS, SRT_PORTS = (4433, 4434), (9000, 9001)


def frames(path):
    """(time in us, bytes) of each frame."""
    data = open(path, "rb").read()
    magic, = struct.unpack_from("<I", data)
    assert magic == 0xa1b2c3d4, "not what tcpdump writes here"
    at = 24
    while at + 16 <= len(data):
        sec, usec, cap_b, _ = struct.unpack_from("<IIII", data, at)
        yield sec * 1000000 + usec, data[at + 16:at + 16 + cap_b]
        at += 16 + cap_b


def udp(frame):
    """(src, sport, dst, dport, payload) or None."""
    kind, = struct.unpack_from("!H", frame, 12)
    if kind == 0x0800 and frame[23] == 17:
        at = 14 + (frame[14] & 15) * 4
        src, dst = frame[26:30], frame[30:34]
    elif kind == 0x86dd and frame[20] == 17:
        at, src, dst = 54, frame[22:38], frame[38:54]
    else:
        return None
    sport, dport = struct.unpack_from("!HH", frame, at)
    return src, sport, dst, dport, frame[at + 8:]


def question(port, p):
    """(method, is it the question, id) of a payload; port: the far end's."""
    if port == 53 and len(p) >= 12:
        return "dns", not p[2] & 0x80, p[:2]
    if port in SRT_PORTS and len(p) >= 16:
        if p[:2] == b"\x80\x02" and p[4:8] != bytes(4):
            return "srt", True, p[4:8]          # a full ACK, by its number
        if p[:2] == b"\x80\x06":
            return "srt", False, p[4:8]         # its ACKACK
    elif port in QUIC_PORTS and len(p) >= 5:
        if p[0] & 0x80:
            # one attempt for each: a Retry or Version Negotiation ends one
            version = struct.unpack_from("!I", p, 1)[0]
            retry = 2 if version == 0x709a50c4 else 0
            retry = 3 if version == 1 else retry
            over = version == 0 or (p[0] >> 4 & 3) == retry
            return "quic-hs", None, over
    elif len(p) >= 20 and p[4:8] == b"\x21\x12\xa4\x42" and p[0] < 0x40:
        return "stun", not p[0] & 1, p[4:20]
    return None


class Flow:
    """The questions of one flow and their answers, each by its number."""
    def __init__(self):
        self.asked, self.under_way, self.took_us, self.trips = {}, None, [], 0

    def ask(self, number, now_us):
        self.asked.setdefault(number, []).append(now_us)
        if self.under_way is None:
            self.under_way = number

    def answer(self, number, now_us):
        asked_us = self.asked.pop(number, [])
        if len(asked_us) == 1:
            self.took_us.append(now_us - asked_us[0])
            self.trips += number == self.under_way
        if number == self.under_way:
            self.under_way = None


class Handshake:
    """The first packets of a QUIC flow, and anew after a Retry."""
    def __init__(self):
        self.asked_us, self.done, self.took_us, self.trips = None, False, [], 0

    def packet(self, from_home, over, now_us):
        if self.done:
            return
        if from_home and self.asked_us is None:
            self.asked_us = now_us
        elif not from_home and self.asked_us is not None:
            if not over:
                self.took_us, self.trips = [now_us - self.asked_us], 1
            self.asked_us, self.done = None, not over


def flows_of(path):
    """{(method, far end, port at home): Flow or Handshake}"""
    flows = {}
    for now_us, frame in frames(path):
        u = udp(frame)
        if not u:
            continue
        src, sport, dst, dport, p = u
        from_home = src.startswith(HOME)
        if from_home == dst.startswith(HOME):
            continue
        far = (dst, dport) if from_home else (src, sport)
        q = question(far[1], p)
        if not q:
            continue
        method, asks, number = q
        key = (method, far, sport if from_home else dport)
        if method == "quic-hs":
            flows.setdefault(key, Handshake()).packet(from_home, number, now_us)
            continue
        flow = flows.setdefault(key, Flow())
        if asks and from_home:
            flow.ask(number, now_us)
        elif not asks and not from_home:
            flow.answer(number, now_us)
    return flows


def site_of(addr):
    """A site is known by the third part of both its addresses."""
    return str(addr[2] if len(addr) == 4 else
               int("%x" % struct.unpack_from("!H", addr, 4)))


def count(path):
    done = {}
    for (method, far, _), flow in flows_of(path).items():
        d = done.setdefault(site_of(far[0]), {}).setdefault(
            method, {"took_us": [], "trips": 0})
        d["took_us"] += flow.took_us
        d["trips"] += flow.trips
    for d in (d for site in done.values() for d in site.values()):
        took_us = d.pop("took_us")
        d["answered"] = len(took_us)
        d["p50_ms"] = [m(took_us) / 1000 if took_us else 0 for m in
                       (statistics.median_low, statistics.median_high)]
    return done


def truth(lab, name, lane):
    return float(dict(l.split() for l in open(f"{lab}/{name}"))[lane])


def check(lab, lane, number, method, tests):
    rows = json.load(open(f"{lab}/latency.json"))["rows"]
    rows = [r for r in rows if r["lane"] == lane]
    if method == "methods":
        # of round trips: the gateway's own time is of every protocol
        got = sorted({r["method"] for r in rows if r["half"] != "self"})
        print("methods", got, "wanted", sorted(tests))
        return got == sorted(tests)
    row = [r for r in rows if r["method"] == method and r["half"] == "far"]
    done = json.load(open(f"{lab}/done.json")).get(number, {})
    done = done.get(method, {"answered": 0, "trips": 0, "p50_ms": [0, 0]})
    p50, low = truth(lab, "truth", lane), truth(lab, "truth_min", lane)
    print(lane, method, "cable p50", p50, "min", low, "ms; peers did", done)
    if not row:
        print("no such row")
        return False
    n = row[0]["samples"]
    ms = {k: row[0][k + "_ns"] / 1e6 for k in ("min", "p50", "max")}
    print("measured", n, ms)
    near = lambda got, want: abs(got - want) <= 0.03 * want
    return all({
        # the least peer's time is next to none: then only the cable is left
        "min": lambda: near(ms["min"], p50),
        "p50": lambda: 0.97 * done["p50_ms"][0] <= ms["p50"]
        <= 1.03 * done["p50_ms"][1],
        "p50_cable": lambda: near(ms["p50"], p50),
        "p50_not_above": lambda: ms["p50"] <= 1.25 * p50,
        "none_below": lambda: ms["min"] >= 0.97 * low,
        "all": lambda: n == done["answered"] > 0,
        "most": lambda: done["answered"] / 2 <= n <= done["answered"],
        "trips": lambda: 0 < done["trips"] <= n <= done["answered"],
    }[t]() for t in tests)


if sys.argv[1] == "count":
    json.dump(count(sys.argv[2]), sys.stdout)
else:
    _, _, lab, lane, number, method, *tests = sys.argv
    sys.exit(0 if check(lab, lane, number, method, tests) else 1)
