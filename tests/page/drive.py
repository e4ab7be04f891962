#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The page's tests; called by test_page.sh within the gateway's namespace.

usage: drive.py TOP BUILD LAB_DIR
"""
import json
import os
import re
import subprocess
import sys

from browser import Browser, Tap, until
import live
import views

TOP, BUILD, LAB = sys.argv[1:]
MOCK_PORT = 9477


def lock(t):
    """What is bundled is pinned by its hash, and names no place to get it from."""
    text = open(f"{TOP}/agent/page/package-lock.json").read()
    packages = {k: v for k, v in json.loads(text)["packages"].items() if k}
    t.ok("every package of the lock file has its hash", packages and all(
        p.get("integrity", "").startswith("sha512-") for p in packages.values()))
    t.ok("... and no address", not re.search(r"https?:|\"resolved\"", text))
    licences = open(f"{BUILD}/page/out/licences.txt").read()
    t.ok("licences of all that is bundled are kept", all(
        f"== {k.split('/')[-1]} {v['version']}" in licences for k, v in packages.items()
        if k != "node_modules/commander"))   # of a tool that is not used


def pure(t):
    """What needs no browser, in Node."""
    out = f"{BUILD}/tests/page/pure.mjs"
    subprocess.run(["esbuild", f"{TOP}/tests/page/pure.mjs", "--bundle", "--platform=node",
                    "--format=esm", "--log-level=warning", f"--outfile={out}"], check=True,
                   env={**os.environ, "NODE_PATH": f"{BUILD}/page/node_modules"})
    said = subprocess.run(["node", out], capture_output=True, text=True)
    lines = [x for x in said.stdout.splitlines() if re.match("(not )?ok ", x)]
    for line in lines:
        t.ok(line.split(" - ", 1)[1], line.startswith("ok"), said.stdout)
    t.ok("all of these ran", f"1..{len(lines)}" in said.stdout, said.stderr)


def main():
    t = Tap()
    lock(t)
    pure(t)
    mock = subprocess.Popen([sys.executable, f"{TOP}/tests/page/mock.py",
                             str(MOCK_PORT), f"{BUILD}/page/out"])
    browser = None
    try:
        browser = Browser(f"{LAB}/downloads", f"{BUILD}/tests/page")
        url = f"http://127.0.0.1:{MOCK_PORT}"
        until(5, lambda: live.fetch(f"{url}/page/icon.svg"))
        live.files(t, BUILD)
        live.run(t, browser, TOP, BUILD, LAB)
        views.run(t, browser, url, f"{LAB}/downloads")
    finally:
        if browser:
            browser.close()
        mock.terminate()
    return t.end()


sys.exit(main())
