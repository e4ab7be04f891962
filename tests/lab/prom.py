#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Ask a Prometheus: prom.py PORT native|classic DIR COMMAND [FILE...]. What the
agent said of the same time lies in DIR: latency.json, series.json, status.json,
rules.json. Each command prints what it saw and fails where it is not so."""
import json
import re
import sys
import time
import urllib.parse
import urllib.request

port, kind, home = sys.argv[1:4]
LADDER = [2 ** (n / 2) for n in (-32, -28, -24, -20, -18, -16, -14, -12, -11,
          -10, -9, -8, -7, -6, -5, -4, -3, -2, -1, 0, 2, 4, 6)]

# What this lab may have nothing to say to: it has no module, no NIC that stamps, no
# BGP and no lists; nothing is lost, changes or happens.
LACKS = ("module_pending|residence_lost|nic_clock|flowspec|list_packets|over_limit|"
         "evicted_stamps|unmeasured|path_baseline|hop_limit|budget_value|"
         "path_changes.* > 0|events_total|changes\\(|unless")


def ask(expr, at=None):
    args = {"query": expr}
    if at:
        args["time"] = "%.3f" % at
    with urllib.request.urlopen("http://127.0.0.1:%s/api/v1/query?%s" % (
            port, urllib.parse.urlencode(args)), timeout=10) as r:
        doc = json.load(r)
    assert doc["status"] == "success", doc
    return doc["data"]["result"]


def values(expr, *labels, at=None):
    return {tuple(r["metric"].get(k, "") for k in labels): float(r["value"][1])
            for r in ask(expr, at)}


def agent(name):
    with open("%s/%s.json" % (home, name)) as f:
        return json.load(f)


def last_scrape():
    """When the last one was, and whether it went well."""
    r = ask("timestamp(up{job='sealane'})"), ask("up{job='sealane'}")
    if not r[0] or r[1][0]["value"][1] != "1":
        return 0
    return float(r[0][0]["value"][1])


def scraped():
    assert last_scrape() and ask("sealane_generation")


def wait_scrape():
    """Two more: the second one began behind now."""
    for _ in range(2):
        before = last_scrape()
        end = time.time() + 15
        while last_scrape() <= before:
            assert time.time() < end, "no scrape within 15 s"
            time.sleep(0.1)


def mark():
    name = sys.argv[5]
    with open("%s/%s.%s" % (home, kind, name), "w") as f:
        f.write("%.3f" % last_scrape())


def marked(name):
    with open("%s/%s.%s" % (home, kind, name)) as f:
        return float(f.read())


def window():
    """The words for increase() from mark to mark, and when to ask."""
    before, after = marked("before"), marked("after")
    # a millisecond more, so that the scrape at its beginning is in it
    return "[%dms]" % round((after - before) * 1000 + 1), after


def quantiles():
    span, at = window()
    suffix, le = ("", "") if kind == "native" else ("_bucket", ", le")
    rows = {r["lane"]: r for r in agent("latency")["rows"]}
    assert set(rows) == {"SG", "HK"}, rows.keys()
    for q, key in ((0.5, "p50_ns"), (0.9, "p90_ns"), (0.99, "p99_ns")):
        got = values("histogram_quantile(%g, sum by (lane%s) (increase("
                     "sealane_rtt_seconds%s{half='far'}%s)))" % (
                         q, le, suffix, span), "lane", at=at)
        for lane, row in rows.items():
            ours, theirs = row[key] / 1e9, got[(lane,)]
            print("%s p%g of %d samples: latency %.6f s, %s %.6f s, %+.3f %%" % (
                lane, q * 100, row["samples"], ours, kind, theirs,
                (theirs / ours - 1) * 100))
            if kind == "native":
                assert abs(theirs / ours - 1) <= 0.011
            else:
                top = min(b for b in LADDER if b * (1 + 1e-9) >= ours)
                low = max([b for b in LADDER if b < top], default=0)
                assert low * (1 - 1e-9) <= theirs <= top * (1 + 1e-9)


def samples():
    expr = ("histogram_count(sealane_rtt_seconds{half='far'})"
            if kind == "native" else "sealane_rtt_seconds_count{half='far'}")
    labels = ("lane", "path", "method")
    then = values(expr, *labels, at=marked("before"))
    now = values(expr, *labels, at=marked("after"))
    rows = {tuple(r[k] for k in labels): r["samples"]
            for r in agent("series")["rows"]}
    assert set(now) == set(then), "a series began too late for increase()"
    got = {k: int(now[k] - then[k]) for k in now if now[k] != then[k]}
    print("latency", rows)
    print(kind, got)
    assert rows == got and len(rows) >= 4


def exits():
    """Before the scrape, at it, after it; an ARP or the like may come between."""
    then, now = agent("status")["reasons"], agent("status2")["reasons"]
    for name in ("packets", "bytes"):
        got = values("sealane_%s_total" % name, "reason", at=marked("after"))
        print(name, got)
        assert len(got) == len(then)
        for (reason,), n in got.items():
            assert then[reason][name] <= n <= now[reason][name], reason
        for reason in ("tracked", "rule"):
            assert then[reason][name] == now[reason][name] > 0, reason


def rules():
    doc = agent("rules")
    want = {("file", r["id"], r["tag"]): r["packets"] for r in doc["rules"]}
    got = values("sealane_rule_packets_total{owner='file'}", "owner", "rule",
                 "tag", at=marked("after"))
    print(want, got)
    assert want == got and got[("file", "drop-9", "lab")] == 30


def records():
    names = []
    for path in sys.argv[5:]:
        with open(path) as f:
            names += re.findall(r"record: (\S+)", f.read())
    empty = [n for n in names if not ask(n)]
    print(len(names), "records; without a value:", empty)
    assert len(names) > 10 and not empty


def dashboard():
    with open(sys.argv[5]) as f:
        board = json.load(f)
    asked, silent = 0, []
    for expr in expressions(board):
        asked += 1
        if not ask(expr):  # an error would have ended this
            silent.append(expr)
    print(asked, "questions; without an answer:", silent)
    unexpected = [e for e in silent if not re.search(LACKS, e)]
    assert asked > 40 and not unexpected, unexpected
    assert len(silent) < asked / 4


def expressions(board):
    """Those of panels and annotations, with Grafana's variables filled in."""
    for panel in board["panels"]:
        for p in [panel] + panel.get("panels", []):
            for t in p.get("targets", []):
                yield fill(t["expr"])
    for a in board["annotations"]["list"]:
        if "expr" in a:
            yield fill(a["expr"])


def fill(expr):
    for name, text in (("$__rate_interval", "1m"), ("$__interval", "15s"),
                       ("$__range", "5m"), ("$instance", ".*"),
                       ("$lane", ".*"), ("$path", ".*"), ("$half", "far")):
        expr = expr.replace(name, text)
    assert "$" not in expr, expr
    return expr


def no_resets():
    bad = [r for m in ("sealane_packets_total", "sealane_lane_packets_total",
                       "sealane_rule_packets_total", "sealane_rtt_seconds")
           for r in ask("resets(%s[2m]) > 0" % m)]
    assert ask("changes(process_start_time_seconds[2m])")[0]["value"][1] == "1"
    print(bad)
    assert not bad


globals()[sys.argv[4]]()
