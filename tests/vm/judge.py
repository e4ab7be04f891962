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
        near(ts, syn, 0.03),
        "%s: the product measures what packets did: icmp %s of %s, tcp-hs %s of "
        "%s, tcp-ts %s" % (lane, ms(icmp), ms(echo), ms(hs), ms(syn), ms(ts)))
    say(near(echo, want, 0.03) and near(icmp, want, 0.03) and
        near(hs, want, 0.03),
        "%s: within 3 %% of the cable's %s (netem); ping, end to end, says %s" %
        (lane, ms(want), ms(ping)))
    say(near(icmp, ping, 0.03), "%s: within 3 %% of ping" % lane)


def paths(phases):
    native(phases[""])
    for lane in CABLE_NS:
        cable(phases["cables"], lane)


JOBS = {"paths": paths}


def main():
    job, path = sys.argv[1:]
    try:
        JOBS[job](read(path))
    except (ValueError, KeyError, StopIteration) as e:
        say(False, "%s: figures are missing: %s" % (job, e))


main()
