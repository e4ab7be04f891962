#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""report.py ROWS OUT BUILD: bench.json, and the same as a table."""
import json
import os
import platform
import sys
import time

GOALS = {"ignored": 110, "drop": 75, "v6_200k": 100, "tracked": 140,
         "pair": 350, "swap_1m": 1000, "push_p99": 5, "agent_cpu": 2,
         "agent_rss": 150, "torn": 0, "flood": 99, "flowspec1024": 60,
         "flowspec4096": 200, "limit": 50}

rows = [json.loads(line) for line in open(sys.argv[1]) if line.strip()]
torn = sys.argv[3] + "/tests/torn.json"
if os.path.exists(torn):
    t = json.load(open(torn))
    rows.append({"id": "torn", "subject": "sealane", "unit": "packets",
                 "value": t["mixtures"], "min": t["mixtures"],
                 "max": t["mixtures"], "runs": t["packets"], "empty_ns": 0})
cpu = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
       if line.startswith("model name")]
host = {"kernel": platform.release(), "cpu": cpu[0] if cpu else "?",
        "cpus": os.cpu_count(),
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
for name in ("spec_rstack_overflow", "retbleed"):
    path = "/sys/devices/system/cpu/vulnerabilities/" + name
    if os.path.exists(path):
        host[name] = open(path).read().strip()
with open(sys.argv[2], "w") as f:
    json.dump({"schema": "sealane-bench/1", "host": host, "rows": rows}, f,
              indent=1)
    f.write("\n")

print("%-14s %-14s %-8s %10s %10s %10s %8s" % (
    "row", "subject", "unit", "median", "min", "max", "goal"))
for r in rows:
    goal = GOALS.get(r["id"], "") if r["subject"] == "sealane" else ""
    print("%-14s %-14s %-8s %10.1f %10.1f %10.1f %8s" % (
        r["id"], r["subject"], r["unit"], r["value"], r["min"], r["max"],
        goal))
print("ns are net of an empty program (about %d ns); written to %s" % (
    max(r["empty_ns"] for r in rows), sys.argv[2]))
