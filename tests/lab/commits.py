#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""An agent that dies in the middle of commits, and a model of what it must
know afterwards. Runs inside the gateway's namespace.

  commits.py DIR AGENT writes        die at each write of each kind of commit
  commits.py DIR AGENT random N      N kills at random moments
DIR has sealane.yaml and die.so. Prints TAP lines without a plan.
"""
import http.client
import json
import mmap
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import urllib.parse

top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
DIR, AGENT, MODE = sys.argv[1:4]
SEALANE = os.path.join(os.path.dirname(AGENT), "sealane")
SOCKET = DIR + "/sealaned.sock"
PREFIXES = ["192.0.2.%d" % i for i in range(1, 9)]
LISTS = {                     # two states of a list; both cover what is protected
    "a": ["0.0.0.0/1", "128.0.0.0/1", "203.0.113.0/24"],
    "b": ["203.0.113.0/25", "2001:db8:99::/48"],
}
RULES = {
    "x": [{"id": "r1", "match": {"proto": "tcp", "dport": ["81"]},
           "action": "drop", "tag": "test/x"},
          {"id": "r2", "match": {"dst": ["203.0.113.9/32"]}, "action": "count"}],
    "y": [{"id": "r2", "match": {"dst": ["203.0.113.10/32"]}, "action": "drop"},
          {"id": "r3", "match": {"proto": "udp", "dport": ["82"]},
           "action": "drop", "tag": "test/y"}],
    "none": [],
}


class Refused(Exception):
    pass


class Gone(Exception):
    pass


class Local(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(SOCKET)


def call(method, path, body=None):
    try:
        c = Local("localhost")
        c.request(method, "/api/v1/" + path, body)
        r = c.getresponse()
        doc = json.loads(r.read())
        c.close()
    except (OSError, http.client.HTTPException, ValueError) as e:
        raise Gone(str(e))
    if "error" in doc and doc["error"]:
        raise Refused(doc["error"]["message"])
    return doc


def post(path, body):
    """A commit, and the end of its job."""
    doc = call("POST", path, body if isinstance(body, str) else json.dumps(body))
    while "job" in doc:
        time.sleep(0.001)
        job = call("GET", "job?id=%d" % doc["job"])
        if job["state"] == "failed":
            raise Refused(job["error"]["message"])
        if job["state"] == "done":
            doc = job["answer"]
    return doc


class Agent:
    def __init__(self):
        self.log = open(DIR + "/agent.log", "a")
        path = DIR + "/control"
        with open(path, "wb") as f:
            f.write(bytes(16))
        self.f = open(path, "r+b")
        self.control = mmap.mmap(self.f.fileno(), 16)
        self.p = None

    def start(self):
        self.control[:] = bytes(16)
        env = dict(os.environ, LD_PRELOAD=DIR + "/die.so",
                   DIE_CTL=DIR + "/control")
        self.p = subprocess.Popen([AGENT, "-c", DIR + "/sealane.yaml"],
                                  stdout=self.log, stderr=self.log, env=env)
        end = time.time() + 20
        while True:
            try:
                return call("GET", "status")["generation"]
            except Gone:
                if time.time() > end or self.p.poll() is not None:
                    raise SystemExit("Bail out! the agent does not start")
                time.sleep(0.01)

    def die_at(self, n, how):
        self.control[8:16] = struct.pack("q", how)
        self.control[0:8] = struct.pack("q", n)

    def dead(self):
        return self.p.poll() is not None

    def kill(self):
        self.p.send_signal(signal.SIGKILL)
        self.p.wait()


def observed():
    """The state as the agent tells it, and as its tables have it."""
    blocks = frozenset(b["prefix"] for b in call("GET", "blocks")["blocks"])
    names = [l["name"] for l in call("GET", "lists")["lists"]]
    listed = None
    for l in names:
        page = call("GET", "list?name=%s&limit=1000" % l)["page"]
        listed = [k for k, v in LISTS.items() if sorted(v) == sorted(page)][0]
    ids = [r["id"] for r in call("GET", "rules")["rules"]]
    first = {r["id"]: r["match"] for r in call("GET", "rules")["rules"]}
    rules = [k for k, v in RULES.items() if [r["id"] for r in v] == ids]
    assert rules, "rules %s" % first
    for p in PREFIXES[:3] + ["203.0.113.77", "203.0.113.200"]:
        want = p in blocks or listed == "a" or \
            (listed == "b" and p == "203.0.113.77")
        got = call("GET", "explain?addr=" + p)["verdict"] == "drop"
        assert want == got, "%s: drop %s, wanted %s" % (p, got, want)
    return (blocks, listed, rules[0])


class Model:
    """What the agent must hold: the last state that was reported."""

    def __init__(self, generation, state):
        self.g, self.state, self.past = generation, state, {generation: state}
        self.parent = None            # of a pending commit

    def took(self, generation, state):
        self.g, self.state = generation, state
        self.past[generation] = state

    def after(self, op):
        """The state that an operation makes."""
        (blocks, listed, rules), kind = self.state, op[0]
        if kind == "block":
            return (blocks | {op[1]}, listed, rules)
        if kind == "unblock":
            return (blocks - {op[1]}, listed, rules)
        if kind == "list":
            return (blocks, op[1], rules)
        if kind in ("apply", "try"):
            return (blocks, listed, op[1])
        if kind == "undo":
            return (blocks, listed, self.parent)
        if kind == "rollback":
            return self.past[op[1]]
        return self.state

    def allowed(self, op):
        """States that may be seen after a death in the middle of op."""
        blocks, listed, rules = self.state
        old = self.state if self.parent is None else \
            (blocks, listed, self.parent)
        if op is None:
            return {old}
        if op[0] == "try":
            return {old}
        if op[0] == "confirm":
            return {old, self.state}
        new = self.after(op)
        if self.parent is not None:
            new = (new[0], new[1], self.parent)
        return {old, new}


def run(op):
    """Do it; the generation that it made."""
    kind = op[0]
    if kind in ("block", "unblock"):
        return post(kind, {"prefixes": [op[1]], "why": "test"})["generation"]
    if kind == "list":
        if op[1] is None:
            return post("list_remove?name=l", "{}")["generation"]
        return post("list_replace?name=l", "\n".join(LISTS[op[1]]))["generation"]
    if kind in ("apply", "try"):
        q = "rule_apply?force=1&file=test" + \
            ("&confirm=30s" if kind == "try" else "")
        return post(q, json.dumps({"rules": RULES[op[1]]}))["generation"]
    if kind == "confirm":
        return post("rule_confirm", {})["generation"]
    if kind == "undo":
        return post("rule_rollback", {})["generation"]
    return post("rule_rollback", {"generation": op[1]})["generation"]


def done(m, op, generation):
    state = m.after(op)
    if op[0] == "try":
        m.parent = m.state[2]
    elif op[0] in ("confirm", "undo"):
        m.parent = None
    m.took(generation, state)


def settle(agent, m, op, what):
    """Start anew and compare."""
    g = agent.start()
    state = observed()
    allowed = m.allowed(op)
    assert state in allowed, "%s: found %s, allowed %s" % (what, state, allowed)
    assert m.g <= g <= m.g + 2, "%s: generation %d after %d" % (what, g, m.g)
    for n in range(m.g + 1, g):       # of a pending one that was undone
        m.past[n] = m.after(op) if op else state
    m.parent = None
    m.took(g, state)
    v = subprocess.run([SEALANE, "--socket", SOCKET, "audit", "verify"],
                       capture_output=True, text=True)
    assert v.returncode == 0, "%s: %s" % (what, v.stderr)


def attempt(agent, m, op, n, how):
    """op with death at write n. True: it survived."""
    agent.die_at(n, how)
    try:
        g = run(op)
        survived = agent.control[0:8] != bytes(8)
    except Gone:
        survived = False
    if survived:
        agent.die_at(0, 0)
        done(m, op, g)
        assert observed() == m.state
        return True
    agent.p.wait()
    settle(agent, m, op, "%s, write %d, death %d" % (op, n, how))
    return False


def every_write(agent, m):
    """Each kind of commit, dying one write later each time. The way to die
    changes with the write; a power cut once more at the end of all."""
    first = m.g
    steps = [("block", PREFIXES[0]), ("list", "a"), ("apply", "x"),
             ("try", "y"), ("confirm",), ("rollback", first), ("undo",),
             ("unblock", PREFIXES[0])]
    bad = 0
    for op in steps:
        if op[0] == "unblock" and op[1] not in m.state[0]:
            done(m, ("block", op[1]), run(("block", op[1])))
        n, deaths = 1, 0
        try:
            while True:
                if op[0] in ("confirm", "undo") and m.parent is None:
                    t = ("try", "y" if op[0] == "confirm" else "x")
                    done(m, t, run(t))
                before = m.state
                if attempt(agent, m, op, n, n % 3 + 1):
                    break
                deaths += 1
                if m.state != before and op[0] not in ("confirm", "undo"):
                    break             # it was on disk, only the answer was lost
                n += 1
            print("ok - %s: %d deaths, each left the old or the new state" %
                  (" ".join(map(str, op)), deaths), flush=True)
            assert deaths > 1
        except AssertionError as e:
            bad = 1
            print("not ok - %s dies at write %d\n# %s" % (op[0], n, e), flush=True)
            if agent.dead():
                m.took(agent.start(), observed())
    return bad


def random_op(m, rnd):
    if m.parent is not None:
        return rnd.choice([("confirm",), ("undo",), ("block", rnd.choice(PREFIXES))])
    kind = rnd.choice(["block", "unblock", "list", "apply", "try", "rollback"])
    if kind == "unblock" and m.state[0]:
        return (kind, rnd.choice(sorted(m.state[0])))
    if kind in ("block", "unblock"):
        return ("block", rnd.choice(PREFIXES))
    if kind == "list":
        return (kind, rnd.choice(["a", "b"] + ([None] if m.state[1] else [])))
    if kind == "rollback":
        kept = call("GET", "generations?limit=1")["kept_from"]
        return (kind, rnd.choice([g for g in m.past if g >= kept]))
    return (kind, rnd.choice(sorted(RULES)))


def random_kills(agent, m, count):
    rnd = random.Random(int(os.environ.get("SEED", "5")))
    commits = 0
    for i in range(count):
        killer = threading.Timer(rnd.random() * 0.12, agent.kill)
        killer.start()
        op = None
        try:
            while True:
                op = None
                op = random_op(m, rnd)
                g = run(op)
                done(m, op, g)
                commits += 1
        except Gone:
            pass
        killer.join()
        settle(agent, m, op, "kill %d in %s" % (i, op))
    print("ok - %d kills at random moments in %d commits: each left the old or "
          "the new state, and the audit proves" % (count, commits), flush=True)
    return 0


def main():
    agent = Agent()
    m = Model(agent.start(), observed())
    bad = 0
    try:
        bad = every_write(agent, m) if MODE == "writes" else \
            random_kills(agent, m, int(sys.argv[4]))
    except (AssertionError, Refused, Gone) as e:
        bad = 1
        print("not ok - %s: %s %s" % (MODE, type(e).__name__, e), flush=True)
    finally:
        agent.kill()
    sys.exit(bad)


main()
