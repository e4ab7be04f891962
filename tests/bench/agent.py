#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Rows of the agent: agent.py BUILD DIR PID. Times are wall time as a user has
them: a command from its start to its end, a request from its first byte sent
to its answer, which comes when it is enforced and on disk."""
import http.client
import json
import os
import random
import socket
import subprocess
import sys
import time

build, home, pid = sys.argv[1], sys.argv[2], int(sys.argv[3])
sock = home + "/sock"


class Unix(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(sock)


def row(key, unit, values):
    values = sorted(values)
    print(json.dumps({"id": key, "subject": "sealane", "unit": unit,
                      "value": round(values[len(values) // 2], 3),
                      "min": round(values[0], 3), "max": round(values[-1], 3),
                      "runs": len(values), "empty_ns": 0}), flush=True)


def cli(*words):
    out = subprocess.run([build + "/sealane", "--socket", sock, *words],
                         capture_output=True, text=True)
    if out.returncode:
        sys.exit("bench: sealane %s: %s" % (" ".join(words), out.stderr))
    return out.stdout


def wait_for_agent():
    for _ in range(300):
        if os.path.exists(sock):
            return
        time.sleep(0.1)
    sys.exit("bench: no agent")


def write_list(path, seed, hosts_only):
    """A million distinct prefixes in random order."""
    rng = random.Random(seed)
    words = set()
    while len(words) < 1000000:
        a = rng.randrange(1 << 24, 192 << 24)
        kind = 0 if hosts_only else rng.randrange(10)
        if kind < 6:
            words.add("%d.%d.%d.%d" % (a >> 24, a >> 16 & 255, a >> 8 & 255,
                                       a & 255))
        elif kind < 9:
            words.add("%d.%d.%d.0/24" % (a >> 24, a >> 16 & 255,
                                         a >> 8 & 255))
        else:
            length = rng.randrange(16, 32)
            a &= ~0 << (32 - length)
            words.add("%d.%d.%d.%d/%d" % (a >> 24, a >> 16 & 255, a >> 8 & 255,
                                          a & 255, length))
    with open(path, "w") as f:
        f.write("\n".join(words) + "\n")


def swaps():
    for key, hosts in (("swap_1m", False), ("swap_1m_hosts", True)):
        took = []
        for i in range(2):
            write_list("%s/list%d" % (home, i), i, hosts)
        for i in range(7):
            start = time.monotonic()
            cli("list", "replace", "spam", "%s/list%d" % (home, i % 2))
            took.append((time.monotonic() - start) * 1e3)
        row(key, "ms", took)


def pushes(n=1000):
    """The 99th percentile of n pushes into a table of a million."""
    rng = random.Random(7)
    c = Unix("agent")
    took = []
    for _ in range(n):
        body = json.dumps({"prefixes": ["193.%d.%d.%d" % (
            rng.randrange(256), rng.randrange(256), rng.randrange(256))]})
        start = time.monotonic()
        c.request("POST", "/api/v1/block", body)
        answer = c.getresponse()
        doc = json.loads(answer.read())
        took.append((time.monotonic() - start) * 1e3)
        if answer.status != 200 or "blocks" not in doc:
            sys.exit("bench: push: %s" % doc)
    took.sort()
    print(json.dumps({"id": "push_p99", "subject": "sealane", "unit": "ms",
                      "value": round(took[int(n * 0.99)], 3),
                      "min": round(took[0], 3), "max": round(took[-1], 3),
                      "runs": n, "empty_ns": 0}), flush=True)


def cpu_s():
    """Of all threads, by the scheduler's own clock: the ticks of /proc/PID/stat
    miss what runs for less than one of them."""
    total = 0
    for task in os.listdir("/proc/%d/task" % pid):
        try:
            with open("/proc/%d/task/%s/schedstat" % (pid, task)) as f:
                total += int(f.read().split()[0])
        except OSError:
            pass
    return total / 1e9


def memory_mb():
    """Anonymous memory, and what is mapped: the data plane's maps, what the
    agent keeps beside them, its program and libraries."""
    with open("/proc/%d/status" % pid) as f:
        kb = {line.split(":")[0]: int(line.split()[1]) for line in f
              if line.startswith("Rss")}
    return kb["RssAnon"] / 1024, (kb["RssFile"] + kb["RssShmem"]) / 1024


def scrapes():
    """What an answer to GET /metrics takes of a core, and how long it is."""
    formats = (("text", "text/plain"),
               ("native", "application/vnd.google.protobuf;encoding=delimited;"
                "proto=io.prometheus.client.MetricFamily"))
    for name, accept in formats:
        for encoding in ("identity", "gzip"):
            took, size = [], []
            for _ in range(15):
                used = cpu_s()
                c = Unix("x")
                c.request("GET", "/metrics", headers={
                    "Accept": accept, "Accept-Encoding": encoding})
                size.append(len(c.getresponse().read()) / 1e3)
                took.append((cpu_s() - used) * 1e3)
                c.close()
            key = "scrape_" + name + ("_gzip" if encoding == "gzip" else "")
            row(key, "ms", took)
            row(key + "_kb", "kB", size)


def cost(windows=6):
    """1,024 series with ten round trips each in a second, and history being
    written, over windows of 10 s. The histograms are written through their
    mapping, as the data plane would."""
    series = subprocess.Popen([build + "/bench/bench", "series",
                               home + "/sealane.yaml"])
    time.sleep(130)             # two minutes of seconds are kept
    share, rss, mapped = [], [], []
    for _ in range(windows):
        start, used = time.monotonic(), cpu_s()
        time.sleep(10)
        share.append((cpu_s() - used) / (time.monotonic() - start) * 100)
        anon, other = memory_mb()
        rss.append(anon)
        mapped.append(other)
    steps = json.loads(cli("-j", "history", "L7", "--since", "-1m", "--step",
                           "10s"))["rows"][0]["steps"]
    if [s["samples"] for s in steps[1:-1] if s["samples"] < 500]:
        sys.exit("bench: history lacks samples: %s" % steps)
    scrapes()
    series.terminate()
    series.wait()
    used = json.loads(cli("-j", "status"))["tables"]["series_used"]
    if used < 1000:
        sys.exit("bench: only %d series were active" % used)
    row("agent_cpu", "percent", share)
    row("agent_rss", "MB", rss)
    row("agent_mapped", "MB", mapped)


wait_for_agent()
cost()
swaps()
pushes()
