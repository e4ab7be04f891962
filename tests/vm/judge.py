#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""judge.py JOB FILE: what a guest's job printed, as sentences: `ok - ...` or
`not ok - ...`. In FILE are lines of JSON, in phases (tests/vm/guest/net.sh)."""
import json
import sys

# The histogram's buckets are 1.09 % wide at worst, in which a median is
# interpolated; in a guest that counts instructions nothing else is in the way.
HIST = 0.015
CABLE_NS = {"HK": 36_000_000, "SG": 90_000_000}
IFACE = {"HK": "hk0", "SG": "sg0"}
# Between these two NICs is QEMU's hub, which works by the host's clock: what it adds
# is in what packets did, and may be some ms on a busy host.
BY_HUB = ("SG",)
ADDRESS = {"HK": "198.18.15.2", "SG": "198.18.10.2"}


class Phase:
    """The figures of one measurement."""

    def __init__(self, docs):
        self.docs = docs

    def find(self, key, value=None):
        for d in self.docs:
            if isinstance(d, dict) and key in d and value in (None, d[key]):
                return d
        raise ValueError("no %s %s" % (key, value or ""))

    def truth(self, lane, what):
        t = self.find("truth", IFACE[lane])[what]
        if t["samples"] < 15:
            raise ValueError("%s %s: %d samples" % (lane, what, t["samples"]))
        return t["p50_ns"]

    def row(self, lane, method, half):
        for r in self.find("rows")["rows"]:
            if (r["lane"], r["method"], r["half"]) == (lane, method, half):
                if r["samples"] < 15:
                    break
                return r
        raise ValueError("%s %s %s: too few samples" % (lane, method, half))

    def median(self, lane, method, half="far"):
        return self.row(lane, method, half)["p50_ns"]


def read(path):
    """Phases by name; what comes before the first is ''."""
    phases, name = {"": []}, ""
    with open(path, errors="replace") as f:
        for line in f:
            if line.startswith("phase "):
                name = line.split()[1]
                phases[name] = []
            elif line[0] in "{[":
                phases[name].append(json.loads(line))
    return {k: Phase(v) for k, v in phases.items()}


def ms(ns):
    return "%.3f ms" % (ns / 1e6)


def near(value, truth, share):
    return abs(value - truth) <= share * truth


def say(good, sentence):
    print("%s - %s" % ("ok" if good else "not ok", sentence))


def native(before):
    """XDP runs natively on a veth and on a NIC."""
    nic = next(d for d in before.docs if isinstance(d, list))[0]
    modes = {i["name"]: i["mode"]
             for i in before.find("interfaces")["interfaces"]}
    for name, kind in (("hk0", "a veth"),
                       ("sg0", nic.get("parentbus", "no bus") + " NIC")):
        say(modes.get(name) == "native", "XDP is native on %s (%s): %s" % (
            kind, name, modes.get(name)))
    say(nic.get("parentbus") == "virtio", "that NIC is virtio-net's")


def cable(phase, lane):
    """One cable as the product sees it, as a packet socket does, as ping does."""
    want = CABLE_NS[lane]
    echo, syn = phase.truth(lane, "echo"), phase.truth(lane, "syn")
    ping = phase.find("ping", ADDRESS[lane])["p50_ns"]
    icmp, hs, ts = (phase.median(lane, m) for m in
                    ("icmp", "tcp-hs", "tcp-ts"))
    say(near(icmp, echo, HIST) and near(hs, syn, HIST) and
        near(ts, syn, 0.05 if lane in BY_HUB else 0.03),
        "%s: the product measures what packets did: icmp %s of %s, tcp-hs %s of "
        "%s, tcp-ts %s" % (lane, ms(icmp), ms(echo), ms(hs), ms(syn), ms(ts)))
    if lane in BY_HUB:
        icmp_min = phase.row(lane, "icmp", "far")["min_ns"]
        say(near(icmp_min, want, 0.03) and icmp >= icmp_min,
            "%s: the least is within 3 %% of the cable's %s (netem): %s; the rest "
            "is QEMU's hub" % (lane, ms(want), ms(icmp_min)))
    else:
        say(near(echo, want, 0.03) and near(icmp, want, 0.03) and
            near(hs, want, 0.03), "%s: within 3 %% of the cable's %s (netem); "
            "ping, end to end, says %s" % (lane, ms(want), ms(ping)))
    say(near(icmp, ping, 0.03), "%s: within 3 %% of ping" % lane)


def sources(phase):
    """Methods of half self, and how many samples each has."""
    out = {}
    for r in phase.find("rows")["rows"]:
        if r["half"] == "self":
            out[r["method"]] = out.get(r["method"], 0) + r["samples"]
    return out


def paths(phases):
    native(phases[""])
    for lane in CABLE_NS:
        cable(phases["cables"], lane)
    named = sources(phases["cables"])
    say(list(named) == ["tc"], "without the module half self is there, and its "
        "source is named: %s" % named)


QUEUE_NS = 3_000_000


def delayed(phase, lane):
    """A queue of 3 ms on the gateway's way out."""
    truth = phase.truth(lane, "self")
    own = phase.median(lane, "tx-sw", "self")
    say(near(own, QUEUE_NS, 0.05) and near(own, truth, 0.05),
        "%s: with 3 ms of queue half self is %s (tx-sw), what packets did %s: "
        "within 5 %%" % (lane, ms(own), ms(truth)))
    far = phase.row(lane, "icmp", "far")
    cable_ns = CABLE_NS[lane]
    if lane in BY_HUB:
        cable_ns = phase.truth(lane, "echo") - truth
    say(near(far["p50_ns"], cable_ns + QUEUE_NS, HIST),
        "%s: far is cable and queue, %s of %s" %
        (lane, ms(far["p50_ns"]), ms(cable_ns + QUEUE_NS)))
    net = far["far_net_ns"]
    say(net is not None and near(net, cable_ns, 0.03),
        "%s: far_net_ns is within 3 %% of the cable: %s of %s" %
        (lane, "absent" if net is None else ms(net), ms(cable_ns)))


# The shaper of residence.sh: bytes a second, bytes of queue, of one datagram.
RATE_B, LIMIT_B, DATAGRAM_B = 500_000, 15_000, 1442


def shaped(phase):
    """A standing queue: who is let in finds it full but for less than one packet."""
    want = (LIMIT_B - DATAGRAM_B / 2) / RATE_B * 1e9
    truth = phase.truth("HK", "self")
    own = phase.median("HK", "tx-sw", "self")
    say(near(own, truth, 0.05) and near(own, want, 0.05),
        "HK: in a shaper's full queue half self is %s, what packets did %s, "
        "rate and limit give %s: within 5 %%" % (ms(own), ms(truth), ms(want)))


def losses(before, after, phase):
    """Asked for, completed and lost, against the queue's own count of drops."""
    queue = next(d for d in phase.docs if isinstance(d, list))[0]
    d = {k: after[k] - before[k] for k in after}
    done = d["software"] + d["hardware"]
    say(d["asked"] > 100 and d["asked"] == done + d["lost"] and
        not after["pending"] and not d["busy"],
        "asked for %d stamps: %d came, %d packets were lost" %
        (d["asked"], done, d["lost"]))
    # of those that were sent into this queue
    asked = phase.row("HK", "tx-sw", "self")["samples"] + d["lost"]
    drops, sent = queue["drops"], queue["packets"]
    share, got = drops / (drops + sent), d["lost"] / asked
    spread = 4 * (share * (1 - share) / asked) ** 0.5
    say(0 < d["lost"] <= drops and near(got, share, spread / share),
        "the queue dropped %d of %d packets (%.1f %%); of %d that were asked "
        "about %d were lost (%.1f %%; 4 sigma are %.1f)" %
        (drops, drops + sent, 100 * share, asked, d["lost"], 100 * got,
         100 * spread))


def residence(phases):
    for lane in CABLE_NS:
        delayed(phases["delay"], lane)
    named = sources(phases["delay"])
    say(list(named) == ["tx-sw"], "the source is named: %s" % named)
    stat = [phases[p].find("stats")["stats"] for p in
            ("", "delay", "shaped")]
    say(stat[1]["asked"] > stat[0]["asked"] and stat[1]["lost"] == 0 and
        stat[1]["repeated"] == 0, "no packet of that time is counted as lost")
    shaped(phases["shaped"])
    losses(stat[1], stat[2], phases["shaped"])


def reload(phases):
    without, again = sources(phases["without"]), sources(phases["again"])
    say(list(without) == ["tc"], "without the module: %s" % without)
    say(list(again) == ["tx-sw"], "once it is back: %s" % again)


def lookup(phases):
    got = {d["lookup"]: d["ns"] for d in phases[""].docs}
    lpm, bpf, kfunc = (got["by_" + k] for k in ("lpm", "bpf", "kfunc"))
    say(kfunc <= 0.6 * bpf, "one IPv6 lookup by the kfunc: %d instructions, at "
        "most 0.6 of the %d in BPF (%.2f; LPM_TRIE: %d)" %
        (kfunc, bpf, kfunc / bpf, lpm))


def hardware(phases):
    """An igb: what its own socket is told first, then the product."""
    before, got = phases[""], phases["hardware"]
    plain = before.find("stamped")
    say(plain["stamped"] == plain["sent"] == plain["inside"] > 0,
        "the NIC stamps a program's own packets: %(stamped)d of %(sent)d, all of "
        "them between two readings of its clock" % plain)
    named = {r["lane"]: r["method"] for r in got.find("rows")["rows"]
             if r["half"] == "self"}
    say(named == {"HK": "tx-sw", "SG": "tx-hw"}, "forwarded packets: the NIC's "
        "stamps are named tx-hw, the veth's tx-sw: %s" % named)
    truth = got.truth("SG", "self")
    own = got.median("SG", "tx-hw", "self")
    say(near(own, QUEUE_NS, 0.05) and near(own, truth, 0.05),
        "with 3 ms of queue before the NIC its stamps say %s, what packets did "
        "%s: within 5 %%" % (ms(own), ms(truth)))
    stat = got.find("stats")["stats"]
    say(stat["hardware"] > 50 and not stat["clock"] and not stat["lost"],
        "%(hardware)d stamps by the NIC, %(software)d by the kernel, %(lost)d "
        "lost, %(clock)d by a clock that is not known" % stat)
    port = next(i for i in got.find("residence")["residence"]["interfaces"]
                if i["name"] == "sg0")
    say(port["clock"]["stamps"] == "hardware" and
        port["clock"]["error_ns"] is not None,
        "status shows the clock and its error: %s, %s ns" %
        (port["clock"]["device"], port["clock"]["error_ns"]))


JOBS = {"hardware": hardware, "paths": paths, "residence": residence, "reload": reload,
        "lookup": lookup}


def main():
    job, path = sys.argv[1:]
    try:
        JOBS[job](read(path))
    except (ValueError, KeyError, StopIteration) as e:
        say(False, "%s: figures are missing: %s" % (job, e))


main()
