#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""An agent for the page alone: the answers of docs/api.md with what a short lab
cannot have (a month of history, a path that changed, a floor broken from below,
texts that would be markup). Figures come from a seeded generator.

usage: mock.py PORT FILES     FILES: build/page/out
Serves until it is killed. GET /mock/history/refuse and /allow: history is refused
from then on; /mock/quiet: the stream says nothing more.
"""
import datetime
import http.server
import json
import math
import random
import sys
import threading
import time
import urllib.parse

PORT, FILES = int(sys.argv[1]), sys.argv[2]
POLICY = ("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
          "img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
TYPES = {"html": "text/html", "js": "text/javascript", "css": "text/css",
         "svg": "image/svg+xml", "json": "application/json", "txt": "text/plain"}
HOSTILE = '<img src=x onerror="window.hurt=1"><script>window.hurt=2</script>'

# name: at, floor ms, round trip ms, spread, rate bit/s, loss ppm, path
LANES = {
    "SG": ([1.35, 103.82], 28.4, 36.2, 0.05, 4.1e9, 180, "sg-cable"),
    "KL": ([3.14, 101.69], 32.3, 44.1, 0.05, 9e8, 420, "sg-cable"),
    "JKT": ([-6.2, 106.85], 41.1, 52.4, 0.08, 1.3e9, 21400, "sg-cable"),
    "SGN": ([10.82, 106.63], 18.6, 26.3, 0.06, 2.2e8, 90, "sg-cable"),
    "BKK": ([13.76, 100.5], 25.5, 71.5, 0.1, 3e8, 800, "hk-cable"),
    "HK": ([22.32, 114.17], 6.4, 12.1, 0.2, 2.4e10, 35, "hk-cable"),
    "MNL": ([14.6, 120.98], 14.7, 30.4, 0.05, 6e7, 1500, "hk-cable"),
    "Tokyo": ([35.68, 139.69], 36.0, 55.0, 0.04, 5.2e9, 60, "hk-cable"),
    "other": (None, None, 160.0, 0.5, 4e7, 5200, "hk-cable"),
}
BEGAN = time.time()
state = {"history": True, "quiet": False}


def stamp(t):
    return datetime.datetime.fromtimestamp(t, datetime.timezone.utc) \
        .isoformat(timespec="milliseconds").replace("+00:00", "Z")


def rtt_ms(lane, t):
    """The median at a time: a busy hour each day, BKK's detour since 40 min ago."""
    base = LANES[lane][2]
    if lane == "BKK" and t < BEGAN - 2400:
        base = 34.2
    return base * (1 + 0.05 * max(0, math.sin(t / 86400 * 2 * math.pi)))


def step_of(lane, t, scale, rng):
    mid, spread = rtt_ms(lane, t) * scale, LANES[lane][3]
    values = sorted(mid * math.exp(abs(rng.gauss(0, spread)) * (4 if rng.random() < .04 else 1))
                    for _ in range(220))
    heat = {}
    for v in values:
        i = math.ceil(math.log2(v / 1e3) * 32)
        heat[i] = heat.get(i, 0) + 1
    at = lambda q: int(values[min(219, int(q * 220))] * 1e6)
    return {"time": stamp(t), "samples": 220, "min_ns": at(0), "p5_ns": at(.05),
            "p50_ns": at(.5), "p90_ns": at(.9), "p95_ns": at(.95), "p99_ns": at(.99),
            "max_ns": at(1), "mean_ns": int(sum(values) / 220 * 1e6),
            "heat": sorted(heat.items())}


def path_doc(lane, path, rng, share):
    _, floor, _, _, rate, loss, _ = LANES[lane]
    s = step_of(lane, time.time(), 1.18 if share < .5 else 1, rng)
    moved = lane == "BKK"
    return {"path": path, "samples": int(s["samples"] * share), "p5_ns": s["p5_ns"],
            "p50_ns": s["p50_ns"], "p95_ns": s["p95_ns"], "p99_ns": s["p99_ns"],
            "min_ns": s["min_ns"], "baseline_ns": 34_100_000 if moved else s["p5_ns"],
            "stretch": round(s["p5_ns"] / 1e6 / floor, 3) if floor else None,
            "hop_limit": 57, "state": "changed" if moved else
            "learning" if lane == "other" else "steady",
            "since": stamp(BEGAN - 2400) if moved else None,
            "packets_per_s": round(rate * share / 8000, 1), "bits_per_s": rate * share,
            "retrans_ppm": loss}


def lanes_doc():
    rng = random.Random(int(time.time() / 5))
    lanes = []
    for name, (at, floor, mid, *_, path) in LANES.items():
        paths = [path_doc(name, path, rng, .8 if name == "SG" else 1)]
        if name == "SG":
            paths.append(path_doc(name, "hk-cable", rng, .2))
        budgets = [{"budget": "p99 <= 60ms over 5m", "state": "broken" if name == "BKK"
                    else "kept", "value_ns": paths[0]["p99_ns"],
                    "since": stamp(BEGAN - 2100)}] if name in ("SG", "BKK") else []
        lanes.append({
            "lane": name, "at": at, "cable_km": floor * 100 if floor else None,
            "floor_ns": int(floor * 1e6) if floor else None,
            "floor_source": "cable" if floor else None,
            "geography": "broken" if name == "MNL" else "ok" if floor else "unknown",
            "budgets": budgets, "idle_ns": int(mid * 1e6), "working_p50_ns":
            int(mid * 1.2e6), "working_p90_ns": int(mid * 1.5e6),
            "packets_per_s": sum(p["packets_per_s"] for p in paths),
            "bits_per_s": sum(p["bits_per_s"] for p in paths), "paths": paths})
    return {"gateway": {"name": "Haikou", "at": [20.04, 110.35]},
            "detection": {"step_ns": 3000000, "share_ppm": 100000, "hold_s": 180},
            "lanes": lanes}


SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def duration(text):
    return int(text[:-1]) * SECONDS[text[-1]]


def history_doc(q):
    lane, step = q["lane"], duration(q.get("step", "60s"))
    now = time.time()
    first = now - duration(q.get("since", "-1h").lstrip("-"))
    paths = [q["path"]] if q.get("path") else ["all"]
    if q.get("by") == "path":
        paths = [LANES[lane][6]] + (["hk-cable"] if lane == "SG" else [])
    rows = []
    for path in paths:
        rng, steps = random.Random(f"{lane}{path}{step}"), []
        t = first - first % step
        while t < now:
            s = step_of(lane, t, 1.18 if path == "hk-cable" and lane == "SG" else 1, rng)
            if q.get("heat") != "1":
                del s["heat"]
            if not 0.3 < (t - first) / (now - first) < 0.34:    # a gap
                steps.append(s)
            t += step
        rows.append({"lane": lane, "path": path, "method": "all",
                     "half": q.get("half", "far"), "prefix": "all", "steps": steps})
    marks = [e for e in EVENTS if e["kind"] in ("path-change", "budget", "commit")
             and first < e["at"] < now and e.get("lane", lane) == lane]
    return {"from": stamp(first), "to": stamp(now), "step_s": step, "rows": rows,
            "marks": [{k: e[k] for k in ("time", "kind", "message")} for e in marks]}


def event(n, ago_s, kind, severity, message, **more):
    at = BEGAN - ago_s
    return {"n": n, "at": at, "time": stamp(at), "kind": kind, "severity": severity,
            "message": message, "detail": None, **more}


EVENTS = [
    event(1, 90000, "agent", "notice", "sealaned 0.1.0 started, pid 812"),
    event(2, 88000, "interface", "notice", "interface hk0: attached (native)"),
    event(3, 5000, "commit", "notice", "generation 41: block of 203.0.113.7 by noc: " + HOSTILE),
    event(4, 2400, "path-change", "warning", "BKK on hk-cable: p5 34.1 ms -> 71.2 ms, "
          "fits Hong Kong + 3 ms", lane="BKK"),
    event(5, 2100, "budget", "warning", "BKK: p99 <= 60ms over 5m is broken, 84 ms", lane="BKK"),
    event(6, 1200, "commit", "notice", "generation 42: rule apply of seed.yaml by soc"),
    event(7, 300, "disk", "error", "history.db: no space left on device; the oldest goes"),
]


def counted(rate):
    packets = int(rate * (time.time() - BEGAN + 86400))
    return {"packets": packets, "bytes": packets * 640,
            "last_hit": stamp(time.time() - 1) if rate else None}


def rule(ident, text, action, rate, why):
    return {"id": ident, "match": {}, "action": action, "match_text": text,
            "action_text": action, "tag": "negative-list/seed", "by": "soc", "why": why,
            "until": None, "ended": False, "slot": 4, "over_packets": 0, **counted(rate)}


def rules_doc():
    return {"generation": 42, "rules_generation": 42, "pending": None, "file": "seed.yaml",
            "by": "soc", "at": stamp(BEGAN), "why": "", "guards": [], "rules": [
                rule("r1", "src @spam proto tcp dport 25", "drop", 412, "case 12"),
                rule("ntp", "proto udp sport 123 length 468-", "limit 1000 pps", 66, ""),
                rule("hostile", "src 198.51.100.0/24", "drop", 0, HOSTILE)]}


ANSWERS = {
    "status": lambda q: {
        "agent": {"version": "0.1.0", "pid": 812, "started": stamp(BEGAN - 90000),
                  "uptime_s": 90000, "config": "/etc/sealane/sealane.yaml",
                  "origin": "fresh"},
        "generation": 42, "epoch": 3, "bypass": False, "bypassed": None, "module": {
            "loaded": True, "used": True, "version": "0.1.0"},
        "residence": {"source": "tx-sw"}},
    "lanes": lambda q: lanes_doc(),
    "history": history_doc,
    "events": lambda q: {"events": [visible(e) for e in EVENTS], "last": len(EVENTS),
                         "oldest": 1},
    "rules": lambda q: rules_doc(),
    "lists": lambda q: {"lists": [{
        "name": "spam", "prefixes": 48210, "prefixes4": 48210, "prefixes6": 0, "doubles": 0,
        "generation": 12, "at": stamp(BEGAN), "by": "soc", "why": "daily", **counted(1840)}]},
    "blocks": lambda q: {"blocks": [{
        "id": 9, "prefix": "203.0.113.7", "action": "drop", "until": stamp(BEGAN + 7200),
        "why": HOSTILE, "by": "noc", "at": stamp(BEGAN), **counted(3)}]},
    "flowspec": lambda q: {"generation": 42, "pending": False, "failed": None,
                           "sources": [], "neighbours": [], "rules": []},
    "drops": lambda q: {"drops": [], "last": 0, "oldest": 0,
                        "dropped": counted(2300)["packets"], "unsampled": 0},
    "latency": lambda q: {"from": stamp(time.time() - 3600), "to": stamp(time.time()), "rows": [
        {"lane": q["lane"], "path": "all", "method": "all", "half": "all",
         "prefix": f"203.0.{i}.0/24", "samples": 9000 // (i + 1), "p50_ns": int((36 + i) * 1e6),
         "p90_ns": int((44 + i) * 1e6), "p99_ns": int((58 + i) * 1e6)} for i in range(8)]},
}


def visible(e):
    return {k: e[k] for k in ("n", "time", "kind", "severity", "message", "detail")}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def say(self, code, kind, body):
        self.send_response(code)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", POLICY)
        self.end_headers()
        self.wfile.write(body)

    def json(self, doc, code=200):
        self.say(code, "application/json", json.dumps(doc).encode())

    def stream(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        told = len(EVENTS)
        while not state["quiet"]:
            for e in EVENTS[told:]:
                self.put("event", visible(e), e["n"])
            told = len(EVENTS)
            self.put("lanes", lanes_doc())
            time.sleep(5)
        time.sleep(3600)

    def put(self, kind, doc, ident=None):
        lines = ([f"id: {ident}"] if ident else []) + [f"event: {kind}",
                                                       f"data: {json.dumps(doc)}", "", ""]
        self.wfile.write("\n".join(lines).encode())
        self.wfile.flush()

    def do_GET(self):
        url = urllib.parse.urlparse(self.path)
        name = url.path.removeprefix("/api/v1/")
        q = dict(urllib.parse.parse_qsl(url.query))
        if url.path == "/" or url.path.startswith("/page/"):
            file = url.path.removeprefix("/page/").strip("/") or "index.html"
            with open(f"{FILES}/{file}", "rb") as f:
                self.say(200, TYPES[file.rsplit(".", 1)[-1]], f.read())
        elif url.path.startswith("/mock/"):
            state["history"] = url.path != "/mock/history/refuse"
            state["quiet"] = url.path == "/mock/quiet"
            self.json({})
        elif name == "stream":
            self.stream()
        elif name == "history" and not state["history"]:
            self.json({"error": {"message": "history.db is being repaired",
                                 "remedy": "ask again in a minute"}}, 409)
        else:
            self.json(ANSWERS[name](q))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass    # browsers close streams


threading.stack_size(1 << 20)
Server(("127.0.0.1", PORT), Handler).serve_forever()
