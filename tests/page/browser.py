# SPDX-License-Identifier: GPL-2.0
"""Debian's Chromium without a screen, and TAP, for the tests of the page."""
import base64
import os
import time

from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
           "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
           "--disable-component-update", "--disable-sync", "--no-default-browser-check")
TALLEST_PX = 3200   # of a picture


class Tap:
    def __init__(self):
        self.n, self.failed = 0, False

    def ok(self, sentence, good, note=""):
        self.n += 1
        print(f"{'ok' if good else 'not ok'} {self.n} - {sentence}", flush=True)
        if not good:
            self.failed = True
            for line in str(note).splitlines()[:12]:
                print(f"# {line}", flush=True)
        return good

    def end(self):
        print(f"1..{self.n}")
        return 1 if self.failed else 0


def until(seconds, ask):
    """What ask() says once that is true, or the last thing it said."""
    end = time.monotonic() + seconds
    while True:
        try:
            said = ask()
        except Exception as e:      # an element that is being replaced
            said = None
            if time.monotonic() > end:
                print(f"# {e}")
        if said or time.monotonic() > end:
            return said
        time.sleep(0.1)


class Browser:
    def __init__(self, downloads, pictures):
        options = webdriver.ChromeOptions()
        for word in OPTIONS:
            options.add_argument(word)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"),
                                       options=options)
        self.pictures = pictures
        os.makedirs(pictures, exist_ok=True)
        self.cdp("Browser.setDownloadBehavior", behavior="allow", downloadPath=downloads)
        self.media()
        self.size(1360, 900)

    def cdp(self, name, **words):
        return self.driver.execute_cdp_cmd(name, words)

    def media(self, scheme="light", motion="no-preference"):
        self.cdp("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": motion}])

    def size(self, width, height, phone=False):
        self.cdp("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=2 if phone else 1, mobile=phone)

    def open(self, url):
        self.driver.get(url)

    def js(self, script, *args):
        return self.driver.execute_script(script, *args)

    def all(self, css):
        return self.driver.find_elements(By.CSS_SELECTOR, css)

    def text(self, css):
        """The text of what fits, element by element, laid out or not."""
        return self.js("return [...document.querySelectorAll(arguments[0])]"
                       ".map((e) => e.textContent)", css)

    def press(self, *keys):
        webdriver.ActionChains(self.driver).send_keys(*keys).perform()

    def tab_to(self, ask, most=60):
        """Tab until the focused element fits, as a script with `e` says."""
        for _ in range(most):
            self.press(Keys.TAB)
            if self.js(f"const e = document.activeElement; return {ask}"):
                return True
        return False

    def picture(self, name):
        size = self.cdp("Page.getLayoutMetrics")["cssContentSize"]
        shot = self.cdp("Page.captureScreenshot", captureBeyondViewport=True, clip={
            "x": 0, "y": 0, "width": size["width"],
            "height": min(size["height"], TALLEST_PX), "scale": 1})
        with open(f"{self.pictures}/{name}.png", "wb") as f:
            f.write(base64.b64decode(shot["data"]))

    def complaints(self):
        """Console errors and violations of the policy since they were last asked for."""
        return [e["message"] for e in self.driver.get_log("browser")
                if e["level"] in ("SEVERE", "WARNING") and
                "willReadFrequently" not in e["message"]]   # of our looking at a canvas

    def close(self):
        self.driver.quit()
