# SPDX-License-Identifier: GPL-2.0
"""The page before the mock: what it shows of a month, of trouble and of hostile
texts; by keyboard, on a phone, in the dark."""
import csv
import glob
import os
import urllib.request

from selenium.webdriver.common.keys import Keys

from browser import until

# Different colours in the middle of the first canvas: a blank one has one or two.
COLOURS = """
const c = document.querySelector(".plot canvas"), x = c && c.getContext("2d");
if (!c) return 0;
const d = x.getImageData(0, 0, c.width, c.height).data, seen = new Set();
for (let i = 0; i < d.length; i += 4) seen.add(d[i] << 16 | d[i + 1] << 8 | d[i + 2]);
return seen.size;"""

# Pairs of text and background with their contrast (WCAG 2.1), where below 4.5.
CONTRAST = """
const s = getComputedStyle(document.documentElement);
const lum = (name) => { const v = s.getPropertyValue(name).trim();
  return [0, 2, 4].map((i) => parseInt(v.slice(1 + i, 3 + i), 16) / 255)
    .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0); };
return [["ink", "card"], ["ink", "bg"], ["soft", "card"], ["soft", "bg"],
  ["accent", "card"], ["accent", "bg"], ["ok", "ok-bg"], ["warn", "warn-bg"],
  ["bad", "bad-bg"], ["bad", "card"], ["soft", "quiet-bg"], ["ink", "hover"], ["ink", "sea"]]
  .map(([a, b]) => { const [x, y] = [lum("--" + a), lum("--" + b)].sort((p, q) => q - p);
    return [a, b, (x + 0.05) / (y + 0.05)]; }).filter((p) => !(p[2] >= 4.5));"""

# Is there sea between Saigon and Manila, and land north of the gateway?
SEA_AND_LAND = """
const land = document.querySelector(".land"), at = (sel) => {
  const c = document.querySelector(sel + " circle");
  return [c.cx.baseVal.value, c.cy.baseVal.value]; };
const place = (n) => at(`.place[href="#/lane/${n}"]`), home = at(".home");
const [a, b] = [place("SGN"), place("MNL")], svg = land.ownerSVGElement;
const inside = (x, y) => land.isPointInFill(Object.assign(svg.createSVGPoint(), { x, y }));
return !inside((a[0] + b[0]) / 2, (a[1] + b[1]) / 2) && inside(home[0] - 10, home[1] - 30);"""

OVERFLOW = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
LANES = ["BKK", "HK", "JKT", "KL", "MNL", "SG", "SGN", "Tokyo", "other"]


def overview(t, b, url):
    b.open(url)
    until(25, lambda: len(b.all(".lanes tbody tr")) == 10 and
          len(b.all(".spark path")) == 10 and b.all(".land[d^=M]") and b.all(".drops tbody tr"))
    rows = b.text(".lanes tbody th a")
    t.ok("a row for every lane and path", sorted(set(rows)) == sorted(LANES) and
         len(rows) == 10, rows)
    t.ok("an arc and a place for every lane that has one",
         len(b.all("#map .arc")) == 8 and
         set(b.text("#map .place .name")) == set(LANES) - {"other"})
    t.ok("... and the one without beside the map", b.text(".placeless a") == ["other"])
    t.ok("land is drawn from the near file", b.js(
        "return performance.getEntriesByType('resource').some((e) => "
        "e.name.endsWith('/page/near.json'))"))
    t.ok("sea is sea, and land is land", b.js(SEA_AND_LAND))
    t.ok("what changed is named", any("p5" in x and "was 34.1" in x.replace("\u00a0", " ")
                                      for x in b.text(".notables li")))
    t.ok("the last hour is drawn", len(b.all(".spark path")) == 10)
    t.ok("rules, lists and blocks with their rates", until(
        12, lambda: any("p/s" in x for x in b.text(".drops td"))) and
        "spam" in b.text(".drops .name"))
    hostile = [x for x in b.text(".message, .drops .note") if "<img src=x" in x]
    t.ok("hostile texts are text", len(hostile) >= 3 and not b.all("main img") and
         b.js("return window.hurt === undefined"), hostile)


def table(t, b):
    click = "[...document.querySelectorAll('.lanes thead button')]" \
            ".find((e) => e.textContent === arguments[0]).click()"
    b.js(click, "Loss")
    t.ok("sorted by a column, the largest first", b.text(".lanes tbody th a")[0] == "JKT"
         and b.js("return document.querySelector('.lanes .c-loss').ariaSort") == "descending")
    b.js(click, "Loss")
    t.ok("... and the other way", b.text(".lanes tbody th a")[-1] == "JKT")
    b.js(click, "Lane")
    b.all("#lanes-filter")[0].send_keys("hk-cable")
    t.ok("filtered by path", "KL" not in b.text(".lanes tbody th a") and
         "HK" in b.text(".lanes tbody th a"))
    b.all("#lanes-filter")[0].send_keys("nowhere")
    t.ok("a filter that nothing fits says so", not b.all(".lanes tbody tr") and
         "No lane fits the filter." in b.text("#lanes .empty"))
    b.all("#lanes-filter")[0].clear()
    b.all("#lanes-filter")[0].send_keys(Keys.SPACE)
    b.js("const s = document.querySelector('#events-severity');"
         "s.value = '0'; s.dispatchEvent(new Event('change'))")
    t.ok("events by severity", b.text(".events .kind") == ["disk"])
    b.js("const s = document.querySelector('#events-severity');"
         "s.value = '3'; s.dispatchEvent(new Event('change'));"
         "const k = document.querySelector('#events-kind');"
         "k.value = 'commit'; k.dispatchEvent(new Event('change'))")
    t.ok("events by kind", set(b.text(".events .kind")) == {"commit"})


def keyboard(t, b, url):
    b.open(url)
    until(10, lambda: len(b.all(".lanes tbody tr")) == 10)
    t.ok("Tab reaches a lane of the map", b.tab_to(
        "e.matches('.place') && e.getAttribute('aria-label').startsWith('BKK: p50')"))
    t.ok("Tab reaches a lane of the table",
         b.tab_to("e.matches('.lanes a') && e.textContent === 'BKK'"))
    b.press(Keys.ENTER)
    t.ok("Enter opens it, and its heading has the focus", until(5, lambda: b.js(
        "return document.activeElement.id === 'lane-title' && "
        "document.activeElement.textContent === 'BKK'")))


def lane(t, b, url, downloads):
    until(10, lambda: b.js(COLOURS) > 8)
    t.ok("the heat map is drawn", b.js(COLOURS) > 8, b.js(COLOURS))
    kinds = b.js("return [...document.querySelectorAll('.mark')].map((e) => e.className)")
    t.ok("marks of a path change, a budget, a commit", {"mark path-change", "mark budget",
         "mark commit"} <= set(kinds), kinds)
    t.ok("Tab reaches a mark", b.tab_to("e.matches('.mark.path-change')"))
    t.ok("... which tells its text", b.js(
        "const t = document.querySelector('.mark-tip'); return !t.hidden && "
        "t.textContent.includes('fits Hong Kong + 3 ms')"))
    t.ok("... as does the list", any("fits Hong Kong" in x for x in b.text(".marks .message")))
    b.js("document.querySelector('details').open = true")
    t.ok("the figures are in a table too", until(
        5, lambda: len(b.all("details tbody tr")) > 300))
    b.js("[...document.querySelectorAll('button')].find((e) => e.textContent === 'CSV').click()")
    file = until(5, lambda: glob.glob(f"{downloads}/BKK-1h-far.csv"))
    rows = list(csv.DictReader(open(file[0]))) if file else []
    t.ok("... and in a file", len(rows) == len(b.all("details tbody tr")) and
         int(rows[0]["p50_ns"]) > 30e6)
    b.js("document.querySelector('input[value=\"30d\"]').click()")
    t.ok("a window is in the address", until(
        20, lambda: "w=30d" in b.js("return location.hash") and
        not b.all("#lane[aria-busy]") and b.js(COLOURS) > 8))
    urllib.request.urlopen(f"{url}/mock/history/refuse").read()
    b.js("document.querySelector('input[value=\"6h\"]').click()")
    t.ok("history that is refused is told, with the remedy", until(5, lambda: any(
        "being repaired (ask again" in x for x in b.text("#lane .failure"))))
    b.complaints()  # the browser's own line about the refusal
    urllib.request.urlopen(f"{url}/mock/history/allow").read()
    b.js("document.querySelector('input[value=\"24h\"]').click()")
    t.ok("... and forgotten when it is answered", until(
        10, lambda: not b.all("#lane .failure") and not b.all("#lane[aria-busy]")))
    b.open(f"{url}/#/lane/SG?w=6h")
    t.ok("a lane by two cables has both compared",
         until(10, lambda: len(b.all(".plot canvas")) == 2))


def looks(t, b, url):
    t.ok("contrast is AA in the light", not b.js(CONTRAST), b.js(CONTRAST))
    b.open(f"{url}/#/lane/BKK?w=6h")
    until(10, lambda: b.all(".mark") and not b.all("#lane[aria-busy]"))
    b.picture("lane-light")
    light = b.js("return getComputedStyle(document.body).backgroundColor")
    b.media("dark")
    until(5, lambda: b.js("return getComputedStyle(document.body).backgroundColor") != light)
    t.ok("the dark scheme applies", b.js(
        "return getComputedStyle(document.body).backgroundColor") == "rgb(12, 18, 23)")
    t.ok("... with contrast AA", not b.js(CONTRAST), b.js(CONTRAST))
    t.ok("... and the heat map drawn in it", until(5, lambda: b.js(COLOURS) > 8))
    b.picture("lane-dark")
    b.open(f"{url}/#/")
    until(25, lambda: b.all(".land[d^=M]") and len(b.all(".spark path")) == 10)
    b.picture("overview-dark")
    b.media("light", "reduce")
    t.ok("reduced motion has no transition", b.js(
        "return getComputedStyle(document.querySelector('.arc')).transitionDuration") == "0s")
    b.picture("overview-light")


def phone(t, b, url):
    b.media()
    b.size(360, 740, True)
    b.open(f"{url}/#/")
    b.js("location.reload()")
    until(25, lambda: b.all(".land[d^=M]") and len(b.all(".spark path")) == 10)
    t.ok("360 px: all corridors need no sideways scroll", b.js(OVERFLOW) <= 0, b.js(OVERFLOW))
    b.picture("phone")
    b.open(f"{url}/#/lane/BKK?w=1h")
    until(10, lambda: b.js(COLOURS) > 8)
    t.ok("360 px: nor does a lane", b.js(OVERFLOW) <= 0, b.js(OVERFLOW))
    b.picture("phone-lane")
    b.size(1360, 900)


def calm(t, b, url):
    t.ok("no script error, no violation of the policy", not (said := b.complaints()), said)
    hosts = b.js("return [...new Set(performance.getEntriesByType('resource')"
                 ".map((e) => new URL(e.name).host))]")
    t.ok("no request to another host", hosts == [url.split("//")[1]], hosts)


def run(t, b, url, downloads):
    os.makedirs(downloads, exist_ok=True)
    overview(t, b, url)
    table(t, b)
    keyboard(t, b, url)
    lane(t, b, url, downloads)
    looks(t, b, url)
    phone(t, b, url)
    calm(t, b, url)
