# SPDX-License-Identifier: GPL-2.0
"""The page before the agent of a lab: figures, commits, a restart, a cut cable."""
import gzip
import json
import os
import subprocess
import urllib.error
import urllib.request

from selenium.webdriver.common.keys import Keys

from browser import until
from views import COLOURS

URL = "http://127.0.0.1:9478"
NEAR = 0.08     # of a figure: the page's ten seconds end at another time than ours


def fetch(url, **headers):
    """(status, headers, body)"""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers)) as r:
            return r.status, r.headers, r.read()
    except urllib.error.HTTPError as e:
        return e.code, e.headers, e.read()


def files(t, build):
    """How the agent serves them."""
    status, head, plain = fetch(f"{URL}/page/app.js")
    with open(f"{build}/page/out/app.js", "rb") as f:
        t.ok("who takes no gzip gets the file", status == 200 and plain == f.read() and
             not head["Content-Encoding"])
    _, head, packed = fetch(f"{URL}/page/app.js", **{"Accept-Encoding": "gzip"})
    t.ok("who takes it gets the same, smaller", head["Content-Encoding"] == "gzip" and
         gzip.decompress(packed) == plain and len(packed) < len(plain) / 2)
    _, other, _ = fetch(f"{URL}/page/app.js", **{"Accept-Encoding": "gzip;q=0"})
    t.ok("... and who refuses it does not", not other["Content-Encoding"])
    again, _, body = fetch(f"{URL}/page/app.js", **{
        "Accept-Encoding": "gzip", "If-None-Match": head["ETag"]})
    t.ok("who has it already is told so", (again, body) == (304, b"") and
         "must-revalidate" in head["Cache-Control"])
    t.ok("each coding has its tag", head["ETag"] != other["ETag"])
    _, head, _ = fetch(f"{URL}/")
    policy = head["Content-Security-Policy"]
    t.ok("the policy lets nothing in but what is served here",
         "default-src 'none'" in policy and "unsafe" not in policy and
         "*" not in policy and head["X-Content-Type-Options"] == "nosniff", policy)


def api(name):
    return json.loads(fetch(f"{URL}/api/v1/{name}")[2])


class Lab:
    def __init__(self, top, build, lab):
        self.top, self.build, self.lab = top, build, lab

    def shell(self, script):
        """With the lab's functions; what it says."""
        return subprocess.run(["bash", "-c", f'. "{self.top}/tests/lab/common.sh"\n{script}'],
                              capture_output=True, text=True, timeout=60,
                              env={**os.environ, "LAB_DIR": self.lab, "BUILD": self.build})

    def sealane(self, *words):
        return subprocess.run([f"{self.build}/sealane", "--bpffs", os.environ["BPFFS_DIR"],
                               *words], capture_output=True, text=True, timeout=30)


def cell(b, lane, column):
    """A figure of the table in ns; None: there is none."""
    text = b.js("const c = document.querySelector(`.lanes tr[data-lane=\"${arguments[0]}\"] "
                ".c-${arguments[1]}`); return c && c.textContent", lane, column)
    return float(text.replace(",", "").split("\u00a0")[0]) * 1e6 if text and "ms" in text else None


def close(a, b):
    return a is not None and b is not None and abs(a - b) <= NEAR * b


def figures(t, b, lab):
    lanes = {x["lane"]: x for x in api("lanes")["lanes"]}
    shown = b.text(".lanes tbody th a")
    t.ok("every lane of the lab is there", set(lanes) <= set(shown) and
         {"SG", "KL", "HK"} <= set(shown), (list(lanes), shown))

    def equal():
        want = {x["lane"]: x["paths"] for x in api("lanes")["lanes"]}
        return all(close(cell(b, n, "p50"), want[n][0]["p50_ns"])
                   for n in ("SG", "KL", "HK"))
    t.ok("... with the agent's figures", until(12, equal),
         [(n, cell(b, n, "p50")) for n in ("SG", "KL", "HK")])
    said = json.loads(lab.sealane("-j", "latency", "--by", "lane,path", "--half", "far",
                                  "--since", "-10s").stdout)["rows"]
    told = {r["lane"]: r["p50_ns"] for r in said}
    t.ok("... and those of `sealane latency`", all(
        close(cell(b, n, "p50"), told[n]) for n in ("SG", "KL", "HK")),
        [(n, cell(b, n, "p50"), told.get(n)) for n in ("SG", "KL", "HK")])
    t.ok("... near the cables' truth", all(
        close(cell(b, n, "p50"), ns) for n, ns in
        (("SG", 36e6), ("KL", 44e6), ("HK", 12e6))),
        [(n, cell(b, n, "p50")) for n in ("SG", "KL", "HK")])
    t.ok("... and the floor of the cable's length",
         close(cell(b, "SG", "floor"), lanes["SG"]["floor_ns"]))


def marked(b, words):
    """Has a mark of the heat map these words?"""
    return any(words in (x.get_attribute("aria-label") or "") for x in b.all(".mark"))


def commits(t, b, lab):
    """A block is told to the page, drawn in the lane's history, and what it drops counted."""
    lab.sealane("block", "198.18.10.9", "--why", '<img src=x onerror="window.hurt=3">')
    t.ok("a block is an event on the page at once", until(2, lambda: any(
        "198.18.10.9" in x and "<img src=x" in x for x in b.text(".events .message"))))
    t.ok("... and among the blocks, its reason a text", until(8, lambda: any(
        "<img src=x" in x for x in b.text(".drops .note"))) and not b.all("main img") and
        b.js("return window.hurt === undefined"))
    b.js("document.querySelector('.lanes a[href=\"#/lane/SG\"]').click()")
    t.ok("the lane's heat map is drawn", until(25, lambda: b.js(COLOURS) > 4), b.js(COLOURS))
    t.ok("... with the commit on it", until(15, lambda: marked(b, "generation 1: block")))
    lab.sealane("unblock", "198.18.10.9")
    t.ok("... and a further one without a reload", until(8, lambda: sum(
        "unblock" in x for x in b.text("#lane .marks .message"))),
        b.text("#lane .marks .message"))


def token(t, b):
    """A listener that tells nothing to whom it does not know."""
    b.open("http://127.0.0.1:9479/")
    t.ok("who has no token is asked for one", until(
        10, lambda: b.text("#state") == ["refused"] and b.all("#token:not([hidden])")) and
        not b.all(".lanes tbody tr"))
    b.complaints()  # the browser's own lines about refusals
    b.all("#token-word")[0].send_keys(os.environ["TOKEN"], Keys.ENTER)
    t.ok("... and with it the page is live", until(10, lambda: b.text("#state") == ["live"] and
         b.all(".lanes tbody tr") and not b.all("#token:not([hidden])")), b.text("#trouble"))
    t.ok("... and all of it answered", until(10, lambda: b.text("#facts dd")
                                             and b.all(".events li")))
    b.complaints()
    b.open(f"{URL}/")


def restart(t, b, lab):
    b.js("window.same = true; location.hash = '#/'")
    until(5, lambda: cell(b, "SG", "p50"))
    lab.shell("agent_kill KILL")
    t.ok("a dead agent is told", until(8, lambda: b.text("#state")[0]
                                       .startswith("reconnecting since")), b.text("#state"))
    b.complaints()  # the browser's own lines about requests that nobody answers
    lab.shell("agent_start")
    t.ok("... and a new one found", until(15, lambda: b.text("#state") == ["live"]))
    b.complaints()
    t.ok("... whose events are there, without a reload", until(8, lambda: b.js(
        "return window.same") and sum("started" in x for x in b.text(".events .message")) >= 2))
    before = cell(b, "SG", "p50")
    t.ok("... and figures again", until(15, lambda: cell(b, "SG", "p50")), before)


def cut(t, b, lab):
    """SG's cable is cut, and the way by the other one is found."""
    b.js("location.hash = '#/'")
    until(30, lambda: [p["state"] for x in api("lanes")["lanes"] if x["lane"] == "SG"
                       for p in x["paths"] if p["path"] == "sg-cable"] == ["steady"])
    lab.shell("lab cut SG")
    t.ok("a path change is an event on the page", until(40, lambda: any(
        "SG" in x for x in b.js("return [...document.querySelectorAll('.events li')]"
                                ".filter((e) => e.querySelector('.kind').textContent === "
                                "'path-change').map((e) => e.textContent)"))))
    t.ok("... and needs a look", until(8, lambda: any(
        x.startswith("SG") and "sg-cable" in x for x in b.text(".notables li"))),
        b.text(".notables li"))
    b.js("location.hash = '#/lane/SG?w=15m'")
    t.ok("... and a mark on the lane's history",
         until(15, lambda: b.all(".mark.path-change")))
    until(12, lambda: len(b.all(".plot canvas")) == 2)
    b.picture("lab-lane")
    t.ok("both cables are compared", len(b.all(".plot canvas")) == 2)
    lab.shell("lab mend SG")


def run(t, b, top, build, lab_dir):
    lab = Lab(top, build, lab_dir)
    b.open(f"{URL}/")
    t.ok("the page is live", until(15, lambda: b.text("#state") == ["live"] and
                                   len(b.all(".lanes tbody tr")) >= 3))
    t.ok("... and says whose gateway it is", b.text("#gateway") == ["Haikou"])
    figures(t, b, lab)
    b.picture("lab")
    commits(t, b, lab)
    said = b.complaints()
    t.ok("no script error, no violation of the policy", not said, said)
    cut(t, b, lab)
    token(t, b)
    until(10, lambda: b.text("#state") == ["live"])
    restart(t, b, lab)
    said = b.complaints()
    t.ok("... nor after cut and restart", not said, said)
    hosts = b.js("return [...new Set(performance.getEntriesByType('resource')"
                 ".map((e) => new URL(e.name).host))]")
    t.ok("no request to another host", hosts == ["127.0.0.1:9478"], hosts)
