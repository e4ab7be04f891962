#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""fake_agent.py SOCKET few|many|hostile|malformed|hanging

An agent's GET answers on a Unix socket, for what a lab cannot show: a thousand
lanes, hostile words, numbers that are missing, answers of the wrong shape, and
none at all. Requests are counted by second in SOCKET.log."""
import http.server
import json
import os
import random
import socketserver
import sys
import time
import urllib.parse

path, kind = sys.argv[1:3]
began = time.time()
EVIL = "x\x1b[31m\x1b]0;owned\x07\u009b31m\u202e\u0301\u0301\u0301\u0301\u0301\u0301\ny"


def stamp(t):
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(t)) + ".000Z"


def path_of(name, p50, **more):
    row = {"path": name, "samples": 100, "p5_ns": p50 - 10**5, "p50_ns": p50,
           "p95_ns": p50 + 2 * 10**6, "p99_ns": p50 + 5 * 10**6,
           "min_ns": p50 - 2 * 10**5, "baseline_ns": p50, "stretch": 1.25,
           "hop_limit": 60, "state": "steady", "since": stamp(began),
           "packets_per_s": 1000.5, "bits_per_s": 8.2e6, "retrans_ppm": 120}
    row.update(more)
    return row


def lane_of(name, paths, **more):
    lane = {"lane": name, "at": [1.29, 103.85], "cable_km": 2900,
            "floor_ns": 28971000, "floor_source": "cable", "geography": "ok",
            "budgets": [], "idle_ns": 36 * 10**6, "working_p50_ns": 37 * 10**6,
            "working_p90_ns": 41 * 10**6, "packets_per_s": 1000.5,
            "bits_per_s": 8.2e6, "paths": paths}
    lane.update(more)
    return lane


def few():
    broken = [{"budget": "p99 <= 60ms over 5m", "state": "broken",
               "value_ns": 71 * 10**6, "since": stamp(began)}]
    return [lane_of("SG", [path_of("sg-cable", 36140000),
                           path_of("hk-cable", 44 * 10**6, state="changed")]),
            lane_of("KL", [path_of("sg-cable", 44140000, state="suspect")]),
            lane_of("TYO", [path_of("jp-cable", 28 * 10**6)], budgets=broken),
            lane_of("東京レーン", [path_of("海底ケーブル", 29 * 10**6)]),
            lane_of("quiet", [], floor_ns=None)]


def many():
    r = random.Random(7)
    return [lane_of("L%04d" % i, [path_of("p%d" % (i % 7),
                                          10**6 * r.randrange(5, 300))])
            for i in range(1000)]


def hostile():
    evil = path_of(EVIL, 36 * 10**6, state=EVIL, since=EVIL)
    none = dict.fromkeys(path_of("none", 1), None)
    none["path"] = "none"
    return [lane_of(EVIL, [evil]), lane_of("n" * 5000, [none]),
            lane_of("nulls", [none], at=None, cable_km=None, floor_ns=None,
                    floor_source=None, budgets=None, idle_ns=None,
                    working_p50_ns=None, working_p90_ns=None),
            lane_of("huge", [path_of("p", 10**18, retrans_ppm=1e300,
                                     packets_per_s=-5, stretch=1e308)])]


def malformed():
    return [None, 5, "lane", [], {"lane": 7, "paths": "none"},
            {"lane": {"a": 1}, "paths": [None, 3, [], {"path": []}]},
            {"paths": [{"p50_ns": "36", "state": 5}], "budgets": {"a": 1}}]


LANES = {"few": few, "many": many, "hostile": hostile,
         "malformed": malformed}.get(kind, few)()


def status():
    evil = kind == "hostile"
    return {"agent": {"version": EVIL if evil else "0.1.0", "pid": os.getpid(),
                      "started": stamp(began), "uptime_s": 7200,
                      "config": "", "origin": "fresh"},
            "generation": 17, "epoch": 1, "bypass": evil,
            "bypassed": {"since": stamp(began), "by": EVIL, "why": EVIL}
            if evil else None,
            "module": None, "residence": {"source": "tc"},
            "interfaces": [{"name": "sg0", "state": "attached"}]}


def events():
    word = EVIL if kind == "hostile" else "path of SG changed to hk-cable"
    return {"events": [{"n": 1, "time": stamp(began), "kind": "path-change",
                        "severity": "warning", "message": word,
                        "detail": {"lane": "SG"}}], "last": 1, "oldest": 1}


def history(query):
    step = 10 if query.get("step") == ["10s"] else 60
    now = time.time() // step * step
    steps = [{"time": stamp(now - k * step), "samples": 5,
              "p5_ns": 36 * 10**6, "p50_ns": (44 if k < 5 else 36) * 10**6,
              "p95_ns": 50 * 10**6, "p99_ns": 55 * 10**6}
             for k in range(40, 0, -1)]
    rows = [{"lane": "SG", "path": p, "steps": steps}
            for p in ("sg-cable", "hk-cable")]
    if "SG" not in query["lane"] and step == 10:
        rows = []
    return {"from": stamp(now - 3600), "to": stamp(now), "step_s": step,
            "rows": rows, "marks": [{"time": stamp(now - 5 * step + 1),
                                     "kind": "path-change", "message": "m"}]}


def answer(name, query):
    if kind == "malformed" and name != "lanes":
        return [name]
    if name == "status":
        return status()
    if name == "lanes":
        return {"gateway": {"name": "hkg1", "at": None}, "detection": {},
                "lanes": LANES}
    if name == "events":
        return events() if query.get("after") is None else \
            {"events": [], "last": 1, "oldest": 1}
    if name == "history":
        return history(query) if query.get("lane") else None
    if name == "rules":
        return {"rules": [{"id": EVIL if kind == "hostile" else "no-smtp",
                           "action": "drop", "action_text": "drop",
                           "why": EVIL if kind == "hostile" else "case 12",
                           "packets": int((time.time() - began) * 100),
                           "over_packets": 0, "last_hit": None}]}
    if name in ("blocks", "lists"):
        return {name: []}
    if name == "latency":
        return {"from": stamp(began), "to": stamp(began), "rows": [
            {"path": "sg-cable", "method": "tcp-ts", "half": "far",
             "prefix": "198.18.10.0/24", "samples": 77, "p50_ns": 36 * 10**6}]}
    return None


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        name = url.path.rsplit("/", 1)[1]
        with open(path + ".log", "a") as f:
            f.write("%d %s\n" % (time.time(), name))
        while kind == "hanging":
            time.sleep(1)
        doc = answer(name, urllib.parse.parse_qs(url.query))
        body = json.dumps(doc if doc is not None else
                          {"error": {"message": "no resource " + name,
                                     "remedy": ""}}).encode()
        self.send_response(200 if doc is not None else 404)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def address_string(self):
        return "socket"

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


if os.path.exists(path):
    os.unlink(path)
Server(path, Handler).serve_forever()
